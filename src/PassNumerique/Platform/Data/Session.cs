using System.Data.Common;
using System.Net;
using System.Runtime.CompilerServices;
using Dapper;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The database as one request sees it. Inside a command every statement runs in the command's transaction;
/// outside, each on a connection that only reads and is given back at once, so that a request never holds two.
/// </summary>
internal sealed class Session(Database database, TimeProvider clock)
{
    private Write? _write;
    private DbConnection? _reading;
    private long? _nowMs;
    private Func<string> _fingerprint = () => "";
    private string? _bodyHash;

    /// <summary>Who asks.</summary>
    public Caller Caller { get; set; } = Caller.Nobody;

    /// <summary>From which address, as far as we can tell: null where no request is behind it.</summary>
    public IPAddress? Address { get; set; }

    /// <summary>The header <c>Idempotency-Key</c>.</summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>Method and path, part of the fingerprint of a command.</summary>
    public string Route { get; set; } = "";

    /// <summary>HMAC of the command: tells a repetition from another request. Made when first asked for.</summary>
    public string BodyHash => _bodyHash ??= _fingerprint();

    /// <summary>How <see cref="BodyHash"/> is made: set by the pipeline for each command.</summary>
    public Func<string> Fingerprint
    {
        set => (_fingerprint, _bodyHash) = (value, null);
    }

    /// <summary>The instant of this command or request, Unix milliseconds; one per transaction.</summary>
    public long NowMs => _write?.NowMs ?? (_nowMs ??= clock.NowMs());

    /// <summary>Today in Paris: the day of money.</summary>
    public long Today => Clock.ParisDay(NowMs);

    /// <summary>The batch this command's facts belong to; null where the sealer gives it later.</summary>
    public long? Batch => _write?.Batch;

    /// <summary>Who did it, for the columns every fact ends in.</summary>
    public string ActorId => Caller.ActorId;

    public bool IsWriting => _write is not null;

    /// <inheritdoc cref="Database.Version"/>
    public long? Version => database.Version;

    public bool IsDuplicateKey(DbException e) => database.IsDuplicateKey(e);

    /// <inheritdoc cref="Database.CommandAsync"/>
    public Task<T> TransactAsync<T>(Func<Task<T>> work, bool oneStatement = false) where T : struct, IOutcome<T>
    {
        _ = BodyHash; // Before the writer's turn, as he is alone.
        return database.CommandAsync(this, work, oneStatement);
    }

    /// <summary>Runs a statement that writes, and gives the number of rows it changed.</summary>
    public async Task<long> ExecuteAsync(string sql, object args, CancellationToken ct = default)
    {
        if (_write is not { } write) throw new InvalidOperationException("Only a command may write.");
        var statement = database.Statement(sql);
        if (statement.Inserts is { } table) write.Touch(table);
        var changed = await database.ExecuteAsync(write, statement, args, Until(ct));
        write.Changed(changed);
        return changed;
    }

    /// <summary>
    /// Runs a statement that inserts one row or none, and gives that row; where there is none, the rows of a statement
    /// that reads, with the same arguments. One round trip where the engine takes two statements at once.
    /// </summary>
    public async Task<(T? Inserted, IReadOnlyList<T> Others)> InsertOrListAsync<T>(
        string insert, string list, object args, CancellationToken ct = default)
        where T : class
    {
        if (_write is not { } current) throw new InvalidOperationException("Only a command may write.");
        var statement = database.Statement(insert);
        if (!database.TakesBatches)
        {
            if (statement.Inserts is { } table) current.Touch(table);
            var inserted = database.Insert<T>(current, statement, args);
            current.Changed(inserted is null ? 0 : 1);
            return (inserted, inserted is null ? await ListAsync<T>(list, args, ct) : []);
        }

        var both = statement.Then(database.Statement(list));
        await using var reader = await current.Connection.ExecuteReaderAsync(new CommandDefinition(
            both.Text, database.Arguments(both, args), current.Transaction, cancellationToken: Until(ct)));
        var parse = reader.GetRowParser<T>();
        var rows = new List<T>();
        while (await reader.ReadAsync(ct)) rows.Add(parse(reader));
        await reader.CloseAsync();
        current.Changed(reader.RecordsAffected);
        return reader.RecordsAffected == 1 ? (rows[0], []) : (null, rows);
    }

    public Task<T?> FindAsync<T>(string sql, object args, CancellationToken ct = default) => ReadAsync(
        connection => database.FindAsync<T>(connection, _write?.Transaction, database.Statement(sql), args, Until(ct)), ct);

    public Task<IReadOnlyList<T>> ListAsync<T>(string sql, object args, CancellationToken ct = default) => ReadAsync(
        connection => database.ListAsync<T>(connection, _write?.Transaction, database.Statement(sql), args, Until(ct)), ct);

    /// <summary>
    /// Several reads that see one moment of the store, where the engine keeps one for readers, and cost one
    /// opening. Short: no reader may hold a moment for long.
    /// </summary>
    public async Task<T> TogetherAsync<T>(Func<Task<T>> reads)
    {
        if (_write is not null || _reading is not null) return await reads();
        await using var connection = await database.OpenAsync();
        database.BeginReading(connection);
        _reading = connection;
        try
        {
            return await reads();
        }
        finally
        {
            _reading = null;
            database.EndReading(connection);
        }
    }

    /// <summary>One row after the other, for answers of any size. The caller keeps it under a second.</summary>
    public async IAsyncEnumerable<T> StreamAsync<T>(
        string sql, object args, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var statement = database.Statement(sql);
        var own = _write is null ? await database.OpenAsync(ct) : null;
        var isSettled = false;
        try
        {
            await foreach (var row in (own ?? _write!.Connection).QueryUnbufferedAsync<T>(
                statement.Text, database.Arguments(statement, args), _write?.Transaction).WithCancellation(ct))
            {
                // One statement sees one moment: what is on the disk at its first row is so at its last.
                if (own is not null && !isSettled) await database.Settled;
                isSettled = true;
                yield return row;
            }
        }
        finally
        {
            if (own is not null) await own.DisposeAsync();
        }
    }

    /// <summary>Called by the engine around a command.</summary>
    internal void Enter(Write write) => _write = write;

    /// <inheritdoc cref="Enter"/>
    internal void Leave() => _write = null;

    /// <summary>
    /// A connection that was idle may have died with the server it led to: outside a command the same question
    /// is asked once more, on another one.
    /// </summary>
    private async Task<T> ReadAsync<T>(Func<DbConnection, ValueTask<T>> read, CancellationToken ct)
    {
        if (_write is { } write) return await read(write.Connection);
        if (_reading is { } reading) return await SettledAsync(await read(reading));
        try
        {
            return await ReadOnceAsync(read, ct);
        }
        catch (Exception exception) when (database.IsTransient(exception))
        {
            return await ReadOnceAsync(read, ct);
        }
    }

    private async Task<T> ReadOnceAsync<T>(Func<DbConnection, ValueTask<T>> read, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        return await SettledAsync(await read(connection));
    }

    private async ValueTask<T> SettledAsync<T>(T seen)
    {
        await database.Settled;
        return seen;
    }

    /// <summary>A caller that goes away ends a read; a command ends at its deadline only.</summary>
    private CancellationToken Until(CancellationToken ct) =>
        ct.CanBeCanceled ? ct : _write?.Aborted ?? CancellationToken.None;
}

/// <summary>A transaction under way: its connection, its instant, its batch, the fact tables it wrote to.</summary>
internal sealed class Write(
    DbConnection connection, DbTransaction? transaction, long nowMs, long? batch, CancellationToken aborted = default)
{
    private readonly HashSet<FactTable> _touched = [];
    private bool _isAlone;
    private bool _hasChanged;

    public DbConnection Connection { get; } = connection;

    public DbTransaction? Transaction { get; } = transaction;

    public long NowMs { get; } = nowMs;

    public long? Batch { get; } = batch;

    public IReadOnlySet<FactTable> Touched => _touched;

    /// <summary>The deadline of the command.</summary>
    public CancellationToken Aborted { get; } = aborted;

    /// <summary>A write without a transaction is one statement that changes something, and nothing else.</summary>
    public Write Alone()
    {
        _isAlone = true;
        return this;
    }

    /// <summary>By all statements so far.</summary>
    public long ChangedRows { get; private set; }

    public void Changed(long rows)
    {
        ChangedRows += rows;
        if (!_isAlone || rows == 0) return;
        if (_hasChanged) throw new InvalidOperationException("A command of one statement wrote twice.");
        _hasChanged = true;
    }

    public void Touch(FactTable table) => _touched.Add(table);
}
