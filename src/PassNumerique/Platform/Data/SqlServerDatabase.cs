using System.Data;
using System.Data.Common;
using Microsoft.Data.SqlClient;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The production engine. A command is a transaction of its own under READ COMMITTED, or one statement without
/// any; it is run again as a whole after a duplicate key, a transient error or a lost answer, and finds by its
/// operation id or its key whether it happened already. Facts get their batch from the sealer, about a second
/// later.
/// </summary>
internal sealed class SqlServerDatabase : Database
{
    /// <summary>How long a command may take with everything that is tried again; then 503.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private const int MaxRetries = 50;
    private const int RowsPerStatement = 4_000; // Under 5,000 locks the engine doesn't lock the whole table.
    private const int ConnectSeconds = 5;

    private readonly SqlConnectionStringBuilder _settings;
    private readonly ResiliencePipeline _retry = RetryPipeline();
    private readonly Sealer _sealer;
    private readonly string? _headPath;

    public SqlServerDatabase(
        string connectionString, string? headPath, FactTables facts, TimeProvider clock, KeyRing keys)
        : base(facts, clock, keys)
    {
        _settings = SqlServerStart.Read(connectionString);
        // A pool that remembers a failure would keep refusing after the server is back.
        _settings.PoolBlockingPeriod = PoolBlockingPeriod.NeverBlock;
        if (!_settings.ShouldSerialize("Connect Timeout")) _settings.ConnectTimeout = ConnectSeconds;
        _headPath = headPath;
        _sealer = new(SealerConnection(_settings), facts, clock, keys, new HeadFile(headPath, clock));
    }

    public override string Name => "sqlserver";

    public override bool TakesBatches => true;

    public override bool LosesAnswers => true;

    public override bool SealsLater => true;

    protected override string Limit => "OFFSET 0 ROWS FETCH NEXT @Take ROWS ONLY";

    public override async ValueTask<DbConnection> OpenAsync(CancellationToken ct = default)
    {
        var connection = new SqlConnection(_settings.ConnectionString);
        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch (Exception exception) when (exception is SqlException or InvalidOperationException)
        {
            // No server, no login, or a pool with nothing left: for who asks it is all one, and may pass.
            await connection.DisposeAsync();
            throw new StoreUnavailableException("No connection to SQL Server.", exception);
        }
    }

    public override object Arguments(Statement statement, object args) => new SqlServerArguments(args, statement.Text);

    protected override async Task<T> TransactAsync<T>(Session session, Func<Task<T>> work, bool oneStatement)
    {
        var attempt = new Attempt<T>(session, work, oneStatement);
        try
        {
            return await _retry.ExecuteAsync(static (state, ct) => state.Self.TryAsync(state.Attempt, ct),
                (Self: this, Attempt: attempt), default);
        }
        catch (Exception exception) when (exception is TimeoutRejectedException or SqlException or StoreUnavailableException
            && (exception is not SqlException sql || IsDuplicateKey(sql) || IsTransient(sql)))
        {
            throw attempt.MayHaveHappened
                ? new OutcomeUnknownException("The answer to a commit was lost.", exception)
                : new StoreUnavailableException("The command was not done within its deadline.", exception);
        }
    }

    public override async ValueTask<Seal> LastSealAsync(CancellationToken ct = default)
    {
        await using var connection = await OpenAsync(ct);
        return await Sealing.LastAsync(connection);
    }

    public override async Task<Seal> SealThroughAsync(long instantMs, CancellationToken ct = default)
    {
        await _sealer.SealThroughAsync(instantMs, ct);
        await using var connection = await OpenAsync(ct);
        return await Sealing.AtAsync(connection, instantMs);
    }

    public override async Task MigrateAsync(CancellationToken ct = default)
    {
        Warnings = await SqlServerStart.MigrateAsync(_settings, Keys, ct);
        await using (var connection = await OpenAsync(ct))
            await HeadCheck.ThrowIfAheadAsync(connection, _headPath);
        _sealer.Start();
    }

    public override async Task LoadAsync(IReadOnlyList<BulkRows> tables, CancellationToken ct = default)
    {
        await using var connection = (SqlConnection)await OpenAsync(ct);
        await using var transaction = (SqlTransaction)await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
        foreach (var table in tables)
        {
            using var bulk = new SqlBulkCopy(connection, SqlBulkCopyOptions.CheckConstraints, transaction)
            {
                DestinationTableName = table.Table,
                BulkCopyTimeout = 600,
            };
            foreach (var column in table.Columns) bulk.ColumnMappings.Add(column, column);
            foreach (var chunk in SqlServerKeys.InKeyOrder(table).Chunk(RowsPerStatement))
                await bulk.WriteToServerAsync((table with { Rows = chunk }).ToDataTable(), ct);
        }

        await transaction.CommitAsync(ct);
    }

    public override bool IsDuplicateKey(DbException e) => e is SqlException sql && SqlServerErrors.IsDuplicateKey(sql);

    public override bool IsTransient(Exception e) =>
        e is SqlException sql ? SqlServerErrors.IsTransient(sql) : SqlServerErrors.IsBroken(e);

    public override async ValueTask DisposeAsync()
    {
        await _sealer.DisposeAsync();
        await using var connection = new SqlConnection(_settings.ConnectionString);
        SqlConnection.ClearPool(connection);
    }

    private async ValueTask<T> TryAsync<T>(Attempt<T> attempt, CancellationToken ct) where T : struct, IOutcome<T>
    {
        await using var connection = await OpenAsync(ct);
        try
        {
            return attempt.OneStatement
                ? await RunAsync(attempt, connection, null, ct)
                : await InTransactionAsync(attempt, connection, ct);
        }
        catch (SqlException exception) when (ct.IsCancellationRequested && !IsDuplicateKey(exception))
        {
            attempt.MayHaveHappened |= attempt.OneStatement;
            throw new OperationCanceledException("The deadline of the command has passed.", exception, ct);
        }
        catch (SqlException exception) when (SqlServerErrors.IsLost(exception))
        {
            attempt.MayHaveHappened |= attempt.OneStatement;
            throw;
        }
        catch (InvalidOperationException exception) when (
            connection.State != ConnectionState.Open || SqlServerErrors.IsBroken(exception))
        {
            attempt.MayHaveHappened |= attempt.OneStatement;
            throw new StoreUnavailableException("The connection broke under the command.", exception);
        }
    }

    private async Task<T> InTransactionAsync<T>(Attempt<T> attempt, DbConnection connection, CancellationToken ct)
        where T : struct, IOutcome<T>
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
        var answer = await RunAsync(attempt, connection, transaction, ct);
        if (answer.IsRefused) return answer;
        try
        {
            // Once it is sent, giving up waiting would only lose the answer.
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is SqlException or InvalidOperationException)
        {
            attempt.MayHaveHappened = true;
            throw;
        }

        return answer;
    }

    private async Task<T> RunAsync<T>(
        Attempt<T> attempt, DbConnection connection, DbTransaction? transaction, CancellationToken ct)
        where T : struct, IOutcome<T>
    {
        var write = new Write(connection, transaction, Clock.NowMs(), null, ct);
        attempt.Session.Enter(transaction is null ? write.Alone() : write);
        try
        {
            return await attempt.Work();
        }
        finally
        {
            attempt.Session.Leave();
        }
    }

    /// <summary>
    /// Whoever collides begins again after some milliseconds, whoever finds no server after up to half a second,
    /// each at a moment of its own.
    /// </summary>
    private static ResiliencePipeline RetryPipeline() => new ResiliencePipelineBuilder()
        .AddTimeout(Deadline)
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder()
                .Handle<StoreUnavailableException>()
                .Handle<SqlException>(e => SqlServerErrors.IsDuplicateKey(e) || SqlServerErrors.IsTransient(e)),
            MaxRetryAttempts = MaxRetries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromMilliseconds(4),
            MaxDelay = TimeSpan.FromMilliseconds(500),
        })
        .Build();

    /// <summary>A pool of its own, so that the sealer's isolation level never reaches another command.</summary>
    private static string SealerConnection(SqlConnectionStringBuilder settings) =>
        new SqlConnectionStringBuilder(settings.ConnectionString)
        {
            ApplicationName = "PassNumerique.Sealer",
            MaxPoolSize = 4,
        }.ConnectionString;

    /// <summary>A command and what is known of its outcome over all its tries.</summary>
    private sealed class Attempt<T>(Session session, Func<Task<T>> work, bool oneStatement)
    {
        public Session Session { get; } = session;

        public Func<Task<T>> Work { get; } = work;

        public bool OneStatement { get; } = oneStatement;

        public bool MayHaveHappened { get; set; }
    }
}
