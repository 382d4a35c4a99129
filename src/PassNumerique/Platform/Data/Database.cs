using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using Dapper;

namespace PassNumerique.Platform.Data;

/// <summary>
/// Everything that differs between engines, and nothing else. Statements live in the slices, one text for
/// both; they may end in the token <c>{limit}</c>.
/// </summary>
internal abstract class Database : IAsyncDisposable
{
    private readonly ConcurrentDictionary<object, Statement> _statements = new(ReferenceEqualityComparer.Instance);

    private long _commands;

    static Database() => SqlMapper.TypeMapProvider = type => new RecordMap(type);

    protected Database(FactTables facts, TimeProvider clock, KeyRing keys)
    {
        Facts = facts;
        Clock = clock;
        Keys = keys;
    }

    public FactTables Facts { get; }

    /// <summary>Folder of the migrations, under <c>db/</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether one command may hold two statements.</summary>
    public virtual bool TakesBatches => false;

    /// <summary>Whether there is a network on which the answer to a commit can be lost.</summary>
    public virtual bool LosesAnswers => false;

    /// <summary>Whether facts wait for their batch after their commit.</summary>
    public virtual bool SealsLater => false;

    /// <summary>Whether so many commands wait that one more is refused.</summary>
    public virtual bool IsFull => false;

    /// <summary>How many commands came so far.</summary>
    public long Commands => Interlocked.Read(ref _commands);

    /// <summary>
    /// Another one after each commit that recorded a fact: what was read under one stands for as long as it is the
    /// same. Null where other processes write too.
    /// </summary>
    public virtual long? Version => null;

    protected TimeProvider Clock { get; }

    protected KeyRing Keys { get; }

    /// <summary>Written for <c>{limit}</c> at the end of a SELECT that has an ORDER BY.</summary>
    protected abstract string Limit { get; }

    /// <summary>
    /// Done once all that a reader may have seen by now can no longer be lost: whoever read outside a command waits
    /// for it before he tells anybody.
    /// </summary>
    public virtual Task Settled => Task.CompletedTask;

    /// <summary>A connection to read with; disposing gives it back.</summary>
    public abstract ValueTask<DbConnection> OpenAsync(CancellationToken ct = default);

    /// <summary>From here to <see cref="EndReading"/> this connection sees one moment, if its engine can.</summary>
    public virtual void BeginReading(DbConnection connection)
    {
    }

    /// <inheritdoc cref="BeginReading"/>
    public virtual void EndReading(DbConnection connection)
    {
    }

    /// <summary>What guards a commit, as the engine itself tells it; null before the store is open.</summary>
    public string? Durability { get; protected set; }

    /// <summary>What to tell the operator after the store was opened.</summary>
    public IReadOnlyList<string> Warnings { get; protected set; } = [];

    /// <summary>The arguments of a statement as this engine takes them.</summary>
    public virtual object Arguments(Statement statement, object args) => args;

    /// <summary>
    /// Runs a command in a transaction that lasts only if the outcome is not a refusal. A command that changes
    /// the store by one statement alone may do without a transaction: where each statement is a round trip to
    /// another machine, the rows it holds are held half as long; in a batch it needs no savepoint.
    /// </summary>
    public Task<T> CommandAsync<T>(Session session, Func<Task<T>> work, bool oneStatement = false)
        where T : struct, IOutcome<T>
    {
        Interlocked.Increment(ref _commands);
        return TransactAsync(session, work, oneStatement);
    }

    /// <summary>Runs a statement that writes; the number of rows that it changed.</summary>
    public virtual async ValueTask<long> ExecuteAsync(
        Write write, Statement statement, object args, CancellationToken ct) =>
        await write.Connection.ExecuteAsync(Command(write.Transaction, statement, args, ct));

    /// <summary>
    /// Runs a statement that inserts one row or none, and gives that row; only where a command holds one statement.
    /// </summary>
    public virtual T? Insert<T>(Write write, Statement statement, object args)
        where T : class => throw new NotSupportedException();

    /// <summary>The rows of a statement that reads.</summary>
    public virtual async ValueTask<IReadOnlyList<T>> ListAsync<T>(
        DbConnection connection, DbTransaction? transaction, Statement statement, object args, CancellationToken ct) =>
        (await connection.QueryAsync<T>(Command(transaction, statement, args, ct))).AsList();

    /// <summary>Its first row; nothing, or zero, without one.</summary>
    public virtual async ValueTask<T?> FindAsync<T>(
        DbConnection connection, DbTransaction? transaction, Statement statement, object args, CancellationToken ct) =>
        await connection.QueryFirstOrDefaultAsync<T>(Command(transaction, statement, args, ct));

    /// <summary>The last seal.</summary>
    public abstract ValueTask<Seal> LastSealAsync(CancellationToken ct = default);

    /// <summary>
    /// The last batch sealed at or before an instant that is past; the instant is closed first by an empty
    /// batch where facts could still be sealed before it.
    /// </summary>
    public abstract Task<Seal> SealThroughAsync(long instantMs, CancellationToken ct = default);

    /// <summary>Creates what is missing and brings the schema to this version.</summary>
    public abstract Task MigrateAsync(CancellationToken ct = default);

    /// <summary>
    /// Inserts many rows in one transaction with their seals. Only for a store that nobody else writes to:
    /// the demonstration, a restored store, a job's staged rows.
    /// </summary>
    public abstract Task LoadAsync(IReadOnlyList<BulkRows> tables, CancellationToken ct = default);

    /// <summary>For who only reads a store that another process may have open; changes nothing.</summary>
    public async Task ThrowIfNotReadableAsync(CancellationToken ct = default)
    {
        await using var connection = await OpenAsync(ct);
        await Migrations.ThrowIfOtherAsync(connection, Name, Keys, ct);
    }

    public abstract bool IsDuplicateKey(DbException e);

    /// <summary>Of the machine, the network or the load: the same thing may succeed in a moment.</summary>
    public abstract bool IsTransient(Exception e);

    public abstract ValueTask DisposeAsync();

    public Statement Statement(string sql) => _statements.GetOrAdd(sql, text => Render((string)text));

    /// <inheritdoc cref="CommandAsync"/>
    protected abstract Task<T> TransactAsync<T>(Session session, Func<Task<T>> work, bool oneStatement)
        where T : struct, IOutcome<T>;

    protected CommandDefinition Command(
        DbTransaction? transaction, Statement statement, object args, CancellationToken ct) =>
        new(statement.Text, Arguments(statement, args), transaction, cancellationToken: ct);

    private Statement Render(string sql)
    {
        var text = sql.Replace("{limit}", Limit, StringComparison.Ordinal);
        return new(text, Facts.Find(Data.Statement.Target(sql)));
    }
}

/// <summary>A statement as this engine takes it, and the fact table it inserts into, if any.</summary>
internal sealed record Statement(string Text, FactTable? Inserts)
{
    /// <summary>Both in one text, for engines that take that.</summary>
    public Statement Then(Statement next) => new($"{Text};\n{next.Text}", Inserts);

    /// <summary>The table after INSERT INTO, or nothing.</summary>
    public static string Target(string sql)
    {
        const string insert = "INSERT INTO ";
        var text = sql.AsSpan().TrimStart();
        if (!text.StartsWith(insert, StringComparison.Ordinal)) return "";
        text = text[insert.Length..];
        var end = text.IndexOfAny(' ', '(', '\n');
        return end < 0 ? "" : text[..end].ToString();
    }
}

/// <summary>Rows for one table, values in the order of the columns.</summary>
internal sealed record BulkRows(string Table, IReadOnlyList<string> Columns, IReadOnlyList<object?[]> Rows)
{
    /// <summary>The portable text that inserts one row; parameters are @p0, @p1, …</summary>
    public string Insert =>
        $"INSERT INTO {Table} ({string.Join(", ", Columns)}) " +
        $"VALUES ({string.Join(", ", Enumerable.Range(0, Columns.Count).Select(i => $"@p{i}"))})";

    public DataTable ToDataTable()
    {
        var table = new DataTable(Table);
        for (var i = 0; i < Columns.Count; i++)
        {
            var sample = Rows.Select(r => r[i]).FirstOrDefault(v => v is not null);
            table.Columns.Add(Columns[i], sample?.GetType() ?? typeof(string));
        }

        foreach (var row in Rows) table.Rows.Add([.. row.Select(v => v ?? DBNull.Value)]);
        return table;
    }
}
