using System.Data;
using System.Data.Common;
using Microsoft.Data.SqlClient;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The production engine. A command is a transaction of its own under READ COMMITTED, run again as a whole
/// after a duplicate key or a transient error; facts get their batch from the sealer, about a second later.
/// </summary>
internal sealed class SqlServerDatabase(string connectionString, FactTables facts, TimeProvider clock, KeyRing keys)
    : Database(facts, clock, keys)
{
    private const int MaxTries = 50;
    private readonly SemaphoreSlim _sealing = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _sealer = Task.CompletedTask;

    public override string Name => "sqlserver";

    public override bool SealsLater => true;

    protected override string Limit => "OFFSET 0 ROWS FETCH NEXT @Take ROWS ONLY";

    public override async ValueTask<DbConnection> OpenAsync(CancellationToken ct = default)
    {
        var connection = new SqlConnection(connectionString);
        await connection.OpenAsync(ct);
        return connection;
    }

    public override async Task<T> CommandAsync<T>(Session session, Func<Task<T>> work)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryAsync(session, work);
            }
            catch (SqlException exception) when (IsDuplicateKey(exception) || IsTransient(exception))
            {
                if (attempt == MaxTries) throw new StoreUnavailableException("The command kept colliding.", exception);
                await Task.Delay(Random.Shared.Next(1, 5 * Math.Min(attempt, 20)));
            }
        }
    }

    public override async ValueTask<Seal> LastSealAsync(CancellationToken ct = default)
    {
        await using var connection = await OpenAsync(ct);
        return await Sealing.LastAsync(connection);
    }

    public override async Task<Seal> SealThroughAsync(long instantMs, CancellationToken ct = default)
    {
        await SealAsync(instantMs, ct);
        await using var connection = await OpenAsync(ct);
        return await Sealing.AtAsync(connection, instantMs);
    }

    public override async Task MigrateAsync(CancellationToken ct = default)
    {
        await using var connection = await OpenAsync(ct);
        await Migrations.ApplyAsync(connection, Name, Keys, ct);
        _sealer = SealRegularlyAsync();
    }

    public override async Task LoadAsync(IReadOnlyList<BulkRows> tables, CancellationToken ct = default)
    {
        await using var connection = (SqlConnection)await OpenAsync(ct);
        await using var transaction = (SqlTransaction)await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
        foreach (var table in tables.Where(t => t.Rows.Count > 0))
        {
            using var bulk = new SqlBulkCopy(connection, SqlBulkCopyOptions.CheckConstraints, transaction)
            {
                DestinationTableName = table.Table,
                BatchSize = 4_000,
                BulkCopyTimeout = 600,
            };
            foreach (var column in table.Columns) bulk.ColumnMappings.Add(column, column);
            await bulk.WriteToServerAsync(table.ToDataTable(), ct);
        }

        await transaction.CommitAsync(ct);
    }

    // 2627: unique constraint, 2601: unique index.
    public override bool IsDuplicateKey(DbException e) => e is SqlException { Number: 2627 or 2601 };

    // Deadlock, lock time-out, client time-out, and the errors Azure SQL asks to try again after.
    public override bool IsTransient(DbException e) =>
        e is SqlException { Number: 1205 or 1222 or -2 or 40613 or 40197 or 40501 or 49918 or 49919 or 49920 or 10928 or 10929 };

    public override async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _sealer;
        _stopping.Dispose();
        _sealing.Dispose();
    }

    private async Task<T> TryAsync<T>(Session session, Func<Task<T>> work) where T : struct, IOutcome<T>
    {
        await using var connection = await OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted);
        session.Enter(new Write(connection, transaction, Clock.NowMs(), null));
        try
        {
            var answer = await work();
            if (!answer.IsRefused) await transaction.CommitAsync();
            return answer;
        }
        finally
        {
            session.Leave();
        }
    }

    private async Task SealRegularlyAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await SealAsync(null, _stopping.Token);
                await Task.Delay(TimeSpan.FromSeconds(1), _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (DbException)
            {
                // The server is away or another copy seals: facts keep waiting for their batch, nothing is lost.
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>
    /// Gives every committed fact without a batch the next one. The row of the counter is the election: one
    /// sealer at a time holds it, in whichever copy of the service.
    /// </summary>
    private async Task SealAsync(long? throughMs, CancellationToken ct)
    {
        await _sealing.WaitAsync(ct);
        try
        {
            await using var connection = await OpenAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
            await RunAsync(connection, transaction, Sql.Elect, ct);
            var last = await Sealing.LastAsync(connection, transaction);
            var touched = await MarkAsync(connection, transaction, last.Batch + 1, ct);
            var needed = touched.Count > 0 || (throughMs is { } through && last.SealedMs < through);
            if (!needed) return;
            await Sealing.CloseAsync(
                connection, transaction, touched, Facts, last, Seal.NextInstant(last, Clock.NowMs()), Keys);
            await transaction.CommitAsync(ct);
        }
        finally
        {
            _sealing.Release();
        }
    }

    private async Task<List<FactTable>> MarkAsync(
        DbConnection connection, DbTransaction transaction, long batch, CancellationToken ct)
    {
        var touched = new List<FactTable>();
        foreach (var table in Facts.All)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = table.Seal;
            command.Transaction = transaction;
            command.Parameters.Add(new SqlParameter("@Batch", batch));
            if (await command.ExecuteNonQueryAsync(ct) > 0) touched.Add(table);
        }

        return touched;
    }

    private static async Task RunAsync(DbConnection connection, DbTransaction transaction, string sql, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        await command.ExecuteNonQueryAsync(ct);
    }

    internal static class Sql
    {
        public const string Elect = """
            UPDATE counters
               SET next_value = next_value + 1
             WHERE name = 'sealer'
            """;
    }
}
