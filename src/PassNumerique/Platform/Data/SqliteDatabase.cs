using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The embedded engine: one file in write-ahead mode, one writer that commits in groups, readers that never
/// wait for it. One process writes a store and holds its lock file.
/// </summary>
internal sealed class SqliteDatabase : Database
{
    public const string FileName = "pass-numerique.db";
    private const int MaxIdle = 16;

    /// <summary>
    /// Of 4 KiB, in a store of 1 GiB. To bring the parts of a page that it splits in order the engine moves one by way
    /// of this number, then takes its cache to reach so far, and looks through all of it at the commit: a store that is
    /// smaller is written faster with a small cache.
    /// </summary>
    private const long PagesOfLargeStore = 262_145;

    // The cache is taken as it fills: up to 4 or 16 MiB for the writer, 2 MiB for a reader. The log is copied by the
    // checkpointer, never by a commit.
    private const string Pragmas = """
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
        PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 134217728; PRAGMA wal_autocheckpoint = 0;
        """;

    private readonly string _folder;
    private readonly string? _headPath;
    private readonly ConcurrentBag<PreparedConnection> _idle = [];
    private FileStream? _lock;
    private PreparedConnection? _writing;
    private GroupCommit? _writer;
    private Checkpointer? _checkpointer;
    private int _idleCount;

    /// <summary>
    /// Nobody asks how much memory the engine has, and to count it takes a lock at each piece. The locks of connections
    /// stay, though each belongs to one thread at a time: what was not disposed of is ended by the collector, on its own
    /// thread. An engine that runs already stays as it is.
    /// </summary>
    static SqliteDatabase()
    {
        Batteries_V2.Init();
        raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
        StoreFiles.Register();
    }

    public SqliteDatabase(string folder, string? headPath, FactTables facts, TimeProvider clock, KeyRing keys)
        : base(facts, clock, keys)
    {
        _folder = folder;
        _headPath = headPath;
    }

    public override string Name => "sqlite";

    public override bool IsFull => Writer.IsFull;

    public override long? Version => Writer.Last.Batch;

    public override Task Settled => _writer?.Settled ?? Task.CompletedTask;

    protected override string Limit => "LIMIT @Take";

    public string Path => System.IO.Path.Combine(_folder, FileName);

    private GroupCommit Writer => _writer ?? throw new InvalidOperationException("The store is not open for writing.");

    public override ValueTask<DbConnection> OpenAsync(CancellationToken ct = default)
    {
        if (_idle.TryTake(out var idle))
        {
            Interlocked.Decrement(ref _idleCount);
            return ValueTask.FromResult<DbConnection>(idle);
        }

        return ValueTask.FromResult<DbConnection>(new PreparedConnection(Connect(readOnly: true), GiveBack));
    }

    /// <summary>Takes the lock, migrates, checks the head, and starts the writer.</summary>
    public override async Task MigrateAsync(CancellationToken ct = default)
    {
        _lock ??= StoreLock.Take(_folder);
        _writing = new PreparedConnection(Connect(readOnly: false), _ => { });
        var isLarge = long.Parse(_writing.Pragma("page_count"), CultureInfo.InvariantCulture) >= PagesOfLargeStore;
        _writing.Run(isLarge ? "PRAGMA cache_size = -16384" : "PRAGMA cache_size = -4096");
        await Migrations.ApplyAsync(_writing, Name, Keys, ct);
        await HeadCheck.ThrowIfAheadAsync(_writing, _headPath);
        Durability = $"journal_mode={_writing.Pragma("journal_mode")}, synchronous={_writing.Pragma("synchronous")}";
        var last = await Sealing.LastAsync(_writing);
        StartWriter(_writing, last);
    }

    protected override Task<T> TransactAsync<T>(Session session, Func<Task<T>> work, bool oneStatement) =>
        Writer.RunAsync(session, work, oneStatement);

    public override void BeginReading(DbConnection connection) => ((PreparedConnection)connection).Run("BEGIN");

    public override void EndReading(DbConnection connection) => ((PreparedConnection)connection).Run("COMMIT");

    public override ValueTask<long> ExecuteAsync(
        Write write, Statement statement, object args, CancellationToken ct) =>
        ValueTask.FromResult(((PreparedConnection)write.Connection).Statement(statement.Text).Execute(args));

    public override T? Insert<T>(Write write, Statement statement, object args)
        where T : class => ((PreparedConnection)write.Connection).Statement(statement.Text).Insert<T>(args);

    public override ValueTask<IReadOnlyList<T>> ListAsync<T>(
        DbConnection connection, DbTransaction? transaction, Statement statement, object args, CancellationToken ct) =>
        ((PreparedConnection)connection).Statement(statement.Text).List<T>(args) is { } rows
            ? ValueTask.FromResult<IReadOnlyList<T>>(rows)
            : base.ListAsync<T>(connection, transaction, statement, args, ct);

    public override ValueTask<T?> FindAsync<T>(
        DbConnection connection, DbTransaction? transaction, Statement statement, object args, CancellationToken ct)
        where T : default =>
        ((PreparedConnection)connection).Statement(statement.Text).List<T>(args, max: 1) is { } rows
            ? ValueTask.FromResult(rows.Count == 0 ? default : rows[0])
            : base.FindAsync<T>(connection, transaction, statement, args, ct);

    public override ValueTask<Seal> LastSealAsync(CancellationToken ct = default) => ValueTask.FromResult(Writer.Last);

    public override async Task<Seal> SealThroughAsync(long instantMs, CancellationToken ct = default)
    {
        if (Writer.Last.SealedMs < instantMs) await Writer.SealThroughAsync(instantMs);
        await using var connection = await OpenAsync(ct);
        var seal = await Sealing.AtAsync(connection, instantMs);
        await Settled;
        return seal;
    }

    public override Task LoadAsync(IReadOnlyList<BulkRows> tables, CancellationToken ct = default)
    {
        var connection = _writing ?? throw new InvalidOperationException("The store is not open for writing.");
        _writer?.Close();
        connection.Run("BEGIN IMMEDIATE");
        foreach (var table in tables) Insert(connection, table);
        connection.Run("COMMIT");
        connection.CopyLog(out _);
        return RestartWriterAsync();
    }

    public override bool IsDuplicateKey(DbException e) => e is SqliteException { SqliteExtendedErrorCode: 1555 or 2067 };

    /// <summary>
    /// Busy, locked, an I/O error, a page that is none (which is how the engine tells of an I/O error when it reads), no
    /// room, a file that can't be opened: of the machine, and it may pass.
    /// </summary>
    public override bool IsTransient(Exception e) =>
        e is SqliteException { SqliteErrorCode: 5 or 6 or 10 or 11 or 13 or 14 };

    public override ValueTask DisposeAsync()
    {
        _writer?.Close();
        _writer = null;
        _checkpointer?.Close();
        _checkpointer = null;
        while (_idle.TryTake(out var idle)) idle.CloseForGood();
        _writing?.CloseForGood();
        _writing = null;
        _lock?.Dispose();
        _lock = null;
        return ValueTask.CompletedTask;
    }

    private async Task RestartWriterAsync()
    {
        var last = await Sealing.LastAsync(_writing!);
        StartWriter(_writing!, last);
    }

    private void StartWriter(PreparedConnection connection, Seal last)
    {
        _checkpointer ??= new Checkpointer(
            _folder, connection, () => new PreparedConnection(Connect(readOnly: false), _ => { }));
        _writer = new GroupCommit(
            connection, Facts, Clock, Keys, new HeadFile(_headPath, Clock), _checkpointer, last);
    }

    private static void Insert(PreparedConnection connection, BulkRows table)
    {
        using var command = connection.CreateBareCommand(table.Insert);
        var parameters = new SqliteParameter[table.Columns.Count];
        for (var i = 0; i < parameters.Length; i++)
        {
            parameters[i] = new SqliteParameter { ParameterName = $"@p{i}" };
            command.Parameters.Add(parameters[i]);
        }

        command.Prepare();
        foreach (var row in table.Rows)
        {
            for (var i = 0; i < row.Length; i++) parameters[i].Value = row[i] ?? DBNull.Value;
            command.ExecuteNonQuery();
        }
    }

    private SqliteConnection Connect(bool readOnly)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWriteCreate,
            Vfs = readOnly ? null : StoreFiles.Name,
            Pooling = false,
            DefaultTimeout = 5,
        }.ConnectionString);
        connection.Open();
        using var pragmas = connection.CreateCommand();
        pragmas.CommandText = readOnly ? "PRAGMA query_only = ON; PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY;" : Pragmas;
        pragmas.ExecuteNonQuery();
        return connection;
    }

    private void GiveBack(PreparedConnection connection)
    {
        if (Interlocked.Increment(ref _idleCount) <= MaxIdle)
        {
            _idle.Add(connection);
            return;
        }

        Interlocked.Decrement(ref _idleCount);
        connection.CloseForGood();
    }
}
