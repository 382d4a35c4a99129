using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>The log is copied beside the writer, begins anew, and takes no more room than it needs.</summary>
internal sealed class CheckpointerTests
{
    private TestFolder _folder = null!;
    private PreparedConnection _writer = null!;
    private Checkpointer _checkpointer = null!;

    [SetUp]
    public void Start()
    {
        SQLitePCL.Batteries_V2.Init();
        StoreFiles.Register();
        _folder = new TestFolder();
        _writer = Connect();
        _writer.Run("PRAGMA journal_mode = WAL");
        _writer.Run("PRAGMA wal_autocheckpoint = 0");
        _writer.Run("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)");
        _checkpointer = new Checkpointer(_folder.Data, _writer, Connect);
    }

    [TearDown]
    public void End()
    {
        _checkpointer.Close();
        _writer.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void The_log_begins_anew_under_load_and_nothing_is_lost_by_it()
    {
        for (var i = 0; i < 2_500; i++) Write(100_000);
        Assert.That(LogBytes, Is.LessThan(200L << 20), "of 250 MB written");
        Assert.That(Count(), Is.EqualTo(2_500));
    }

    [Test]
    public void Where_the_disk_has_no_room_for_more_the_log_gives_back_its_own_at_once()
    {
        for (var i = 0; i < 20; i++) Write(100_000);
        Assert.That(LogBytes, Is.GreaterThan(2_000_000));
        for (var i = 0; i < 20; i++)
        {
            _checkpointer.DiskIsFull();
            Thread.Sleep(50);
        }

        Assert.That(LogBytes, Is.Zero);
        for (var i = 0; i < 10; i++) Write(100_000);
        Assert.That(Count(), Is.EqualTo(30));
    }

    private long LogBytes => new FileInfo(_folder.Store + "-wal").Length;

    private void Write(long bytes)
    {
        _writer.Run($"INSERT INTO t (body) VALUES (zeroblob({bytes}))");
        _checkpointer.Committed();
    }

    private long Count()
    {
        using var reader = _folder.Open(readOnly: true);
        using var command = reader.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM t";
        return (long)command.ExecuteScalar()!;
    }

    private PreparedConnection Connect()
    {
        var connection = new SqliteConnection($"Data Source={_folder.Store};Vfs={StoreFiles.Name};Pooling=False");
        connection.Open();
        return new PreparedConnection(connection, c => c.CloseForGood());
    }
}
