using System.Data.Common;
using System.Runtime.CompilerServices;
using Dapper;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The database as one request sees it. Inside a command every statement runs in the command's transaction;
/// outside, on a connection that only reads.
/// </summary>
internal sealed class Session(Database database, TimeProvider clock) : IAsyncDisposable
{
    private DbConnection? _connection;
    private Write? _write;
    private long? _nowMs;

    /// <summary>Who asks.</summary>
    public Caller Caller { get; set; } = Caller.Nobody;

    /// <summary>The header <c>Idempotency-Key</c>.</summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>Method and path, part of the fingerprint of a command.</summary>
    public string Route { get; set; } = "";

    /// <summary>HMAC of the command, set by the pipeline: tells a repetition from another request.</summary>
    public string BodyHash { get; set; } = "";

    /// <summary>The instant of this command or request, Unix milliseconds; one per transaction.</summary>
    public long NowMs => _write?.NowMs ?? (_nowMs ??= clock.NowMs());

    /// <summary>Today in Paris: the day of money.</summary>
    public long Today => Clock.ParisDay(NowMs);

    /// <summary>The batch this command's facts belong to; null where the sealer gives it later.</summary>
    public long? Batch => _write?.Batch;

    /// <summary>Who did it, for the columns every fact ends in.</summary>
    public string ActorId => Caller.ActorId;

    public bool IsWriting => _write is not null;

    public bool IsDuplicateKey(DbException e) => database.IsDuplicateKey(e);

    /// <summary>Runs a statement that writes, and gives the number of rows it changed.</summary>
    public async Task<long> ExecuteAsync(string sql, object args, CancellationToken ct = default)
    {
        if (_write is not { } write) throw new InvalidOperationException("Only a command may write.");
        var statement = database.Statement(sql);
        if (statement.Inserts is { } table) write.Touch(table);
        return await write.Connection.ExecuteAsync(new(statement.Text, args, write.Transaction, cancellationToken: ct));
    }

    public async Task<T?> FindAsync<T>(string sql, object args, CancellationToken ct = default) =>
        await (await ConnectAsync(ct)).QueryFirstOrDefaultAsync<T>(Command(sql, args, ct));

    public async Task<IReadOnlyList<T>> ListAsync<T>(string sql, object args, CancellationToken ct = default) =>
        (await (await ConnectAsync(ct)).QueryAsync<T>(Command(sql, args, ct))).AsList();

    /// <summary>One row after the other, for answers of any size. The caller keeps it under a second.</summary>
    public async IAsyncEnumerable<T> StreamAsync<T>(
        string sql, object args, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var connection = await ConnectAsync(ct);
        var statement = database.Statement(sql);
        await foreach (var row in connection.QueryUnbufferedAsync<T>(statement.Text, args, _write?.Transaction)
            .WithCancellation(ct))
            yield return row;
    }

    /// <summary>Called by the engine around a command.</summary>
    internal void Enter(Write write) => _write = write;

    /// <inheritdoc cref="Enter"/>
    internal void Leave() => _write = null;

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
        _connection = null;
    }

    private async ValueTask<DbConnection> ConnectAsync(CancellationToken ct) =>
        _write?.Connection ?? (_connection ??= await database.OpenAsync(ct));

    private CommandDefinition Command(string sql, object args, CancellationToken ct) =>
        new(database.Statement(sql).Text, args, _write?.Transaction, cancellationToken: ct);
}

/// <summary>A transaction under way: its connection, its instant, its batch, the fact tables it wrote to.</summary>
internal sealed class Write(DbConnection connection, DbTransaction? transaction, long nowMs, long? batch)
{
    private readonly HashSet<FactTable> _touched = [];

    public DbConnection Connection { get; } = connection;

    public DbTransaction? Transaction { get; } = transaction;

    public long NowMs { get; } = nowMs;

    public long? Batch { get; } = batch;

    public IReadOnlySet<FactTable> Touched => _touched;

    public void Touch(FactTable table) => _touched.Add(table);
}
