using Microsoft.Data.Sqlite;
using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests;

/// <summary>A folder of data that goes away with its test, and ways to look at the store in it from outside.</summary>
internal sealed class TestFolder : IDisposable
{
    public TestFolder()
    {
        Data = Path.Combine(Path.GetTempPath(), "pass-numerique-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Data);
    }

    public string Data { get; }

    public string Store => Path.Combine(Data, SqliteDatabase.FileName);

    public string Head => Path.Combine(Data, "head.log");

    public string Keys => Path.Combine(Data, "code.keys");

    /// <summary>The same store, keys and head in a folder of its own; only while nobody has it open.</summary>
    public TestFolder Copy()
    {
        var copy = new TestFolder();
        foreach (var file in Directory.EnumerateFiles(Data)) File.Copy(file, Path.Combine(copy.Data, Path.GetFileName(file)));
        return copy;
    }

    /// <summary>The database of the folder, as a verb opens it: not for writing unless it is migrated.</summary>
    public SqliteDatabase Database(TimeProvider? clock = null) => new(
        Data, Head, Journal.Tables, clock ?? TimeProvider.System,
        File.Exists(Keys) ? KeyRing.Load(Keys) : KeyRing.Create(Keys));

    /// <summary>A connection that bypasses everything of ours, foreign keys included.</summary>
    public SqliteConnection Open(bool readOnly = false)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Store,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWrite,
            ForeignKeys = false,
            Pooling = false,
        }.ConnectionString);
        connection.Open();
        return connection;
    }

    public long Execute(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }

    public void Dispose() => Directory.Delete(Data, recursive: true);
}
