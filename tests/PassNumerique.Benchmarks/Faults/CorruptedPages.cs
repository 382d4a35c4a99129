using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// A store at rest comes back changed: bits, bytes, sectors, pages, pages of an earlier day, a shorter file. Where
/// that changes any row, or breaks the order of an index, somebody must tell: the engine while reading, `verify`,
/// or the check that `backup` makes of its copy. The control judges the same damages without `verify`.
/// </summary>
internal static class CorruptedPages
{
    private const int PageBytes = 4_096;
    private const int SectorBytes = 512;

    /// <summary>
    /// Rows that say who may come in and what was answered, not what was used or owed: no seal covers them, and
    /// nothing is computed from them. A changed digest lets nobody in; a changed name of a member is not noticed.
    /// </summary>
    private static readonly string[] Unsealed =
    [
        "members", "member_places", "api_keys", "web_sessions", "sign_in_attempts", "idempotency_keys", "person_links",
        "person_contacts", "migrations", "store_settings",
    ];

    private sealed record Tally
    {
        public int Harmless { get; set; }

        public int ToldByEngine { get; set; }

        public int ToldByVerify { get; set; }

        public int ToldByBackup { get; set; }

        public int OnlyVerify { get; set; }

        public int InUnsealed { get; set; }
    }

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        var earlier = await UseAsync(trial);
        var now = await UseAsync(trial);
        var rows = Rows(trial.Store.Store);
        if (await JudgeAsync(trial.Store, rows) is not { IsDamaged: false, IsTold: false })
            trial.Blame("the store is judged damaged before anything was changed");
        var tally = new Tally();
        var random = dose.Random(1);
        for (var i = 0; i < dose.Cycles && trial.Faults.Count == 0; i++)
        {
            var (what, bytes) = Damage(random, now, earlier);
            await File.WriteAllBytesAsync(trial.Store.Store, bytes);
            Count(tally, trial, what, await JudgeAsync(trial.Store, rows));
        }

        await File.WriteAllBytesAsync(trial.Store.Store, now);
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} damages: {tally.Harmless} changed nothing that is read; told by the engine {tally.ToldByEngine}, by verify {tally.ToldByVerify}, by backup {tally.ToldByBackup}; {tally.InUnsealed} in rows that no seal covers; 0 silent");
        return new(trial.Faults.Count == 0 ? counts : "does not hold", trial.Faults, new(
            "the same damages without verify", tally.OnlyVerify > 0, $"{tally.OnlyVerify} would be served in silence"));
    }

    private static async Task<byte[]> UseAsync(Trial trial)
    {
        await trial.StartAsync();
        await trial.RedeemAsync(TimeSpan.FromMilliseconds(500));
        await trial.StopAsync();
        return await File.ReadAllBytesAsync(trial.Store.Store);
    }

    private static void Count(Tally tally, Trial trial, string what, Verdict verdict)
    {
        if (verdict.ByEngine is not null) tally.ToldByEngine++;
        if (verdict.ByVerify is not null) tally.ToldByVerify++;
        if (verdict.ByBackup is not null) tally.ToldByBackup++;
        if (!verdict.IsDamaged) tally.Harmless++;
        else if (verdict is { ByEngine: null, ByBackup: null, ByVerify: not null }) tally.OnlyVerify++;
        else if (!verdict.IsTold && verdict.Changed.All(Unsealed.Contains)) tally.InUnsealed++;
        else if (!verdict.IsTold) trial.Blame($"silent: {what} changed {string.Join(", ", verdict.Changed)}");
        if (verdict.ByVerify?.StartsWith("breaks", StringComparison.Ordinal) == true) trial.Blame($"{what}: verify {verdict.ByVerify}");
    }

    private static (string What, byte[] Bytes) Damage(Random random, byte[] now, byte[] earlier)
    {
        var bytes = (byte[])now.Clone();
        var page = random.Next(bytes.Length / PageBytes);
        var (start, sector) = (page * PageBytes, random.Next(bytes.Length / SectorBytes) * SectorBytes);
        switch (random.Next(8))
        {
            case 0:
                var bit = Used(random, now);
                bytes[bit] ^= (byte)(1 << random.Next(8));
                return ($"a bit at {bit}", bytes);
            case 1 or 2:
                var at = Used(random, now);
                random.NextBytes(bytes.AsSpan(at, Math.Min(random.Next(1, 9), bytes.Length - at)));
                return ($"bytes at {at}", bytes);
            case 3:
                bytes.AsSpan(sector, SectorBytes).Clear();
                return ($"a sector of zeros at {sector}", bytes);
            case 4:
                random.NextBytes(bytes.AsSpan(sector, SectorBytes));
                return ($"a sector of noise at {sector}", bytes);
            case 5:
                var other = random.Next(bytes.Length / PageBytes) * PageBytes;
                now.AsSpan(other, PageBytes).CopyTo(bytes.AsSpan(start));
                return ($"page {page} written over by the one at {other}", bytes);
            case 6:
                earlier.AsSpan(0, Math.Min(earlier.Length, start + PageBytes))[Math.Min(earlier.Length, start)..]
                    .CopyTo(bytes.AsSpan(start));
                return ($"page {page} as it was earlier", bytes);
            default:
                return ($"cut off at page {page}", bytes[..Math.Max(start, PageBytes)]);
        }
    }

    /// <summary>A place where something is written: most of a young store is empty.</summary>
    private static int Used(Random random, byte[] bytes)
    {
        var at = random.Next(bytes.Length);
        while (bytes[at] == 0) at = random.Next(bytes.Length);
        return at;
    }

    /// <summary>What is different, and who says so.</summary>
    private sealed record Verdict(
        IReadOnlyList<string> Changed, bool HasBadIndex, string? ByEngine, string? ByVerify, string? ByBackup)
    {
        public bool IsDamaged => Changed.Count > 0 || HasBadIndex || ByEngine is not null;

        public bool IsTold => ByEngine is not null || ByVerify is not null || ByBackup is not null;
    }

    private static async Task<Verdict> JudgeAsync(StoreFolder store, IReadOnlyDictionary<string, string> right)
    {
        string? byEngine = null;
        List<string> changed = [];
        var bad = false;
        try
        {
            var rows = Rows(store.Store);
            changed.AddRange(right.Keys.Where(table => rows.GetValueOrDefault(table) != right[table]));
            bad = HasBadIndex(store.Store);
        }
        catch (Exception exception) when (exception is SqliteException or InvalidCastException)
        {
            byEngine = exception.Message;
        }

        return new(changed, bad, byEngine, await VerifyAsync(store), await BackupAsync(store));
    }

    /// <summary>Every row of every table, read in the order of the table itself.</summary>
    private static Dictionary<string, string> Rows(string store)
    {
        using var connection = StoreCheck.Open(store);
        var rows = new Dictionary<string, string>();
        foreach (var table in Names(connection))
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT rowid, * FROM {table} NOT INDEXED ORDER BY rowid";
            using var row = command.ExecuteReader();
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            while (row.Read())
            {
                for (var i = 0; i < row.FieldCount; i++)
                {
                    var text = row.GetValue(i) is byte[] bytes ? Convert.ToHexString(bytes) : row.GetValue(i);
                    digest.AppendData(System.Text.Encoding.UTF8.GetBytes(
                        string.Create(CultureInfo.InvariantCulture, $"{row.GetDataTypeName(i)} {text}\0")));
                }
            }

            rows[table] = Convert.ToHexString(digest.GetHashAndReset());
        }

        return rows;
    }

    private static List<string> Names(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        using var row = command.ExecuteReader();
        var names = new List<string>();
        while (row.Read()) names.Add(row.GetString(0));
        return names;
    }

    /// <summary>The engine's own comparison of tables and indexes, for what reading tables can't see.</summary>
    private static bool HasBadIndex(string store)
    {
        using var connection = StoreCheck.Open(store);
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check(1)";
        return (string)command.ExecuteScalar()! != "ok";
    }

    private static async Task<string?> VerifyAsync(StoreFolder store)
    {
        var keys = KeyRing.Load(store.CodeKeyFile);
        await using var database = new SqliteDatabase(
            store.Data, store.HeadFile, Journal.Tables, TimeProvider.System, keys);
        try
        {
            await database.ThrowIfNotReadableAsync();
            var outcome = await VerifyStore.RunAsync(database, keys, Journal.Tables, store.HeadFile, TextWriter.Null);
            return outcome.Holds ? null : outcome.Problems[0].ToString();
        }
        catch (Exception exception) when (exception is SqliteException or StartException)
        {
            return exception.Message;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The operator would see a trace in place of a line.
            return $"breaks: {exception}";
        }
    }

    private static async Task<string?> BackupAsync(StoreFolder store)
    {
        var target = store.Store + ".backup";
        try
        {
            await StoreCopy.BackupAsync(store.Store, target);
            return null;
        }
        catch (StartException exception)
        {
            return exception.Message;
        }
        finally
        {
            File.Delete(target);
        }
    }
}
