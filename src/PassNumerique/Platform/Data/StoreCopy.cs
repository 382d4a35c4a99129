using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace PassNumerique.Platform.Data;

/// <summary>What was copied: how large it is, and the last batch that it holds.</summary>
internal sealed record CopiedStore(long Bytes, Seal Last);

/// <summary>
/// Copies of an embedded store: one plain file that holds no key. A copy is made by SQLite's own backup, from
/// one moment of the store, beside a service that goes on writing; it takes its name only when it is whole,
/// checked and on the disk.
/// </summary>
internal static class StoreCopy
{
    /// <summary>Copies a store that may be in use; never overwrites.</summary>
    /// <exception cref="StartException">The target exists, or the copy is not sound.</exception>
    public static Task<CopiedStore> BackupAsync(string storePath, string target) =>
        CopyAsync(storePath, target, _ => Task.CompletedTask);

    /// <summary>
    /// Puts a backup in the place of a store that is empty or not there, and moves the head file away, since it
    /// knows what was sealed after the backup. The caller holds the lock of the folder.
    /// </summary>
    /// <returns>What is restored, and the new name of the head file, if there was one.</returns>
    public static async Task<(CopiedStore Store, string? MovedHead)> RestoreAsync(
        string backup, string storePath, string? headPath, KeyRing keys, DateTimeOffset now)
    {
        if (!File.Exists(backup)) throw new StartException($"La sauvegarde « {backup} » est introuvable.");
        await MakeRoomAsync(storePath);
        var store = await CopyAsync(backup, storePath, async copy =>
        {
            await Migrations.AppliedAsync(copy, "sqlite", default);
            await KeyCheck.CompareAsync(copy, keys, firstUse: false, default);
        });
        if (headPath is null || !File.Exists(headPath)) return (store, null);
        var moved = $"{headPath}.{now.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture)}";
        File.Move(headPath, moved);
        return (store, moved);
    }

    /// <summary>A store with facts is moved away by hand, with its log: both belong together.</summary>
    private static async Task MakeRoomAsync(string path)
    {
        if (File.Exists(path))
        {
            await using var store = Open(path, SqliteOpenMode.ReadWrite);
            if ((await Sealing.LastAsync(store)).Batch > 0) throw NotEmpty(path);
            await store.CloseAsync();
            File.Delete(path);
        }

        // A reader of a store at rest leaves an empty log behind; one with something in it is part of a store.
        if (new FileInfo(path + "-wal") is { Exists: true, Length: > 0 }) throw NotEmpty(path);
        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
    }

    private static StartException NotEmpty(string path) => new(
        $"Le magasin « {path} » n'est pas vide : déplacez-le d'abord, avec « {path}-wal » et « {path}-shm » "
        + "s'ils existent.");

    private static async Task<CopiedStore> CopyAsync(string from, string to, Func<DbConnection, Task> check)
    {
        if (File.Exists(to))
            throw new StartException($"« {to} » existe déjà et n'est jamais écrasé : choisissez un autre nom.");
        var draft = $"{to}.{Guid.NewGuid():N}.partial";
        try
        {
            CreatePrivate(draft);
            var last = await FillAsync(from, draft, check);
            using (var file = new FileStream(draft, FileMode.Open, FileAccess.ReadWrite)) file.Flush(flushToDisk: true);
            File.Move(draft, to);
            KeyFile.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(to))!);
            return new(new FileInfo(to).Length, last);
        }
        catch (SqliteException exception)
        {
            throw new StartException(
                $"« {from} » ne peut pas être copié, ou n'est pas un magasin : {exception.Message}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"« {to} » ne peut pas être écrit : {exception.Message}");
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>Personal data, as the store: readable by its owner alone.</summary>
    private static void CreatePrivate(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        new FileStream(path, options).Dispose();
    }

    private static async Task<Seal> FillAsync(string from, string draft, Func<DbConnection, Task> check)
    {
        await using var source = Open(from, SqliteOpenMode.ReadOnly);
        await using var copy = Open(draft, SqliteOpenMode.ReadWrite);
        source.BackupDatabase(copy);

        // One file without a log beside it; the service turns the log on again when it opens the store.
        await ScalarAsync(copy, "PRAGMA journal_mode = DELETE");
        var integrity = await ScalarAsync(copy, "PRAGMA integrity_check");
        if (integrity != "ok") throw new StartException($"La copie de « {from} » n'est pas intègre : {integrity}");
        await check(copy);
        return await Sealing.LastAsync(copy);
    }

    private static async Task<string?> ScalarAsync(SqliteConnection connection, string text)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = text;
        return await command.ExecuteScalarAsync() as string;
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        SQLitePCL.Batteries_V2.Init();
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ConnectionString);
        connection.Open();
        return connection;
    }
}
