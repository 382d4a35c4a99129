using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>Writing the log in one piece changes nothing of what is in it, for whoever else reads it.</summary>
internal sealed class StoreFilesTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder()
    {
        SQLitePCL.Batteries_V2.Init();
        StoreFiles.Register();
        _folder = Directory.CreateTempSubdirectory("pass-numerique-").FullName;
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    /// <summary>A reader of the system's own, and a copy of the files as a crash would leave them, see each commit.</summary>
    [TestCase("FULL")]
    [TestCase("NORMAL")]
    public void What_is_committed_is_in_the_log(string synchronous)
    {
        using var writer = Open(StoreFiles.Name, $"PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}");
        using var reader = Open(null);
        Run(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)");
        for (var i = 1; i <= 50; i++)
        {
            Run(writer, $"INSERT INTO t VALUES ({i}, zeroblob({i * 997}))");
            Assert.That(Count(reader), Is.EqualTo(i));
            if (i % 10 == 0) Assert.That(CountInCopy(), Is.EqualTo(i));
        }
    }

    /// <summary>The frame that commits may be the one that no longer fits.</summary>
    [Test]
    public void A_commit_of_any_length_is_in_the_log()
    {
        using var writer = Open(StoreFiles.Name, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
        using var reader = Open(null);
        Run(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)");
        for (var pages = 240; pages <= 260; pages++)
        {
            Run(writer, $"INSERT INTO t VALUES ({pages}, randomblob({pages * 4_092}))");
            Assert.That(Scalar(reader, $"SELECT LENGTH(body) FROM t WHERE id = {pages}"), Is.EqualTo(pages * 4_092L));
            Assert.That(Scalar(reader, "PRAGMA quick_check"), Is.EqualTo("ok"));
        }

        Assert.That(CountInCopy(), Is.EqualTo(21));
    }

    /// <summary>More pages than the writer may keep go to the log before the commit, and some of them twice.</summary>
    [Test]
    public void A_transaction_larger_than_the_cache_is_whole_or_not_there()
    {
        using var writer = Open(StoreFiles.Name, "PRAGMA journal_mode = WAL; PRAGMA cache_size = 20");
        Run(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)");
        Fill(writer, 600);
        Run(writer, "ROLLBACK");
        Assert.That((Count(writer), CountInCopy()), Is.EqualTo((0L, 0L)));
        Fill(writer, 600);
        Run(writer, "UPDATE t SET body = randomblob(3000) WHERE id % 7 = 0");
        Run(writer, "COMMIT");
        Assert.That((Count(writer), CountInCopy()), Is.EqualTo((600L, 600L)));
    }

    /// <summary>
    /// What a disk did not take is lost from the log though it was written there: here by a hand that overwrites it.
    /// </summary>
    [Test]
    public void Commits_whose_sync_failed_are_written_again()
    {
        using var writer = Open(StoreFiles.Name, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384");
        Run(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)");
        using var prepared = new PreparedConnection(writer, _ => { });
        var kept = new FileInfo(Store + "-wal").Length;
        Unsynced[] unsynced = [Commit(1, 900), Commit(2, 40)];
        Assert.That(unsynced.Select(u => u.Pieces.Count), Is.EqualTo(new[] { 4, 1 }), "the first is longer than a buffer");
        Overwrite(kept);
        Assert.That(CountInCopy(), Is.Zero);
        Assert.That(StoreFiles.TryWriteAgain(unsynced), Is.True);
        Assert.That(CountInCopy(), Is.EqualTo(940));

        var beforeTheCopy = Commit(3, 10);
        Run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        var inANewLog = Commit(4, 5);
        Assert.That(StoreFiles.TryWriteAgain([beforeTheCopy, inANewLog]), Is.True);
        Assert.That((Count(writer), CountInCopy()), Is.EqualTo((955L, 955L)), "the old one is not put into the new log");

        Unsynced Commit(int first, int rows)
        {
            Fill(writer, rows, first * 1_000);
            var made = StoreFiles.Commit(prepared);
            Assert.That(made, Is.Not.Null);
            return made!;
        }

        void Overwrite(long from)
        {
            using var file = new FileStream(Store + "-wal", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            var length = file.Length - from;
            file.Seek(from, SeekOrigin.Begin);
            file.Write(new byte[length]);
        }
    }

    [Test]
    public void Without_a_sync_at_each_commit_nothing_is_left_to_wait_for()
    {
        using var writer = Open(StoreFiles.Name, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
        using var prepared = new PreparedConnection(writer, _ => { });
        Run(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)");
        Fill(writer, 3);
        Assert.That(StoreFiles.Commit(prepared), Is.Null);
        Assert.That(Count(writer), Is.EqualTo(3));
    }

    /// <summary>Copied into the store, a few pages between two syncs, and emptied: all is there.</summary>
    [Test]
    public void A_log_that_was_copied_begins_anew()
    {
        using (var writer = Open(StoreFiles.Name, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0"))
        {
            Run(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)");
            for (var round = 0; round < 3; round++)
            {
                Fill(writer, 400, first: round * 400);
                Run(writer, "COMMIT");
                Run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
                Assert.That(new FileInfo(Store + "-wal").Length, Is.Zero);
            }
        }

        using var later = Open(null);
        Assert.That((Count(later), Scalar(later, "PRAGMA integrity_check")), Is.EqualTo((1_200L, (object)"ok")));
    }

    private string Store => Path.Combine(_folder, "t.db");

    private SqliteConnection Open(string? vfs, string pragmas = "PRAGMA query_only = ON")
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Store,
            Vfs = vfs,
            Pooling = false,
        }.ConnectionString);
        connection.Open();
        Run(connection, pragmas);
        return connection;
    }

    private long CountInCopy()
    {
        var copy = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        // Not opened here: to close a file of a store that is open in this process would drop its locks.
        using (var cp = System.Diagnostics.Process.Start("cp", [Store, Store + "-wal", copy])) cp.WaitForExit();
        using var connection = new SqliteConnection($"Data Source={Path.Combine(copy, "t.db")};Pooling=False");
        connection.Open();
        Assert.That(Scalar(connection, "PRAGMA integrity_check"), Is.EqualTo("ok"));
        return Count(connection);
    }

    private static void Fill(SqliteConnection connection, int rows, int first = 0)
    {
        Run(connection, "BEGIN");
        for (var i = 1; i <= rows; i++) Run(connection, $"INSERT INTO t VALUES ({first + i}, randomblob(3000))");
    }

    private static long Count(SqliteConnection connection) => (long)Scalar(connection, "SELECT COUNT(*) FROM t")!;

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
