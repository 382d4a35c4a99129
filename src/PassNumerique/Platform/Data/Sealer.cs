using System.Data;
using System.Data.Common;
using Microsoft.Data.SqlClient;

namespace PassNumerique.Platform.Data;

/// <summary>
/// Gives committed facts their batch, about a second after their commit. Each copy of the service has one; the
/// row of its counter is the election, so that one of them at a time seals. All fact tables are read as of one
/// moment (SNAPSHOT): a command's facts in several tables are in one batch or not yet in any.
/// </summary>
internal sealed class Sealer(
    string connectionString, FactTables facts, TimeProvider clock, KeyRing keys, HeadFile head) : IAsyncDisposable
{
    /// <summary>Facts of one table in a batch, unless one command wrote more: below it rows are locked, not tables.</summary>
    private const long MaxRows = 4_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _regular = Task.CompletedTask;

    public void Start()
    {
        if (_regular.IsCompleted && !_stopping.IsCancellationRequested) _regular = SealRegularlyAsync();
    }

    /// <summary>
    /// Seals what is committed, and closes the instant: nothing will be sealed at or before it later.
    /// </summary>
    /// <exception cref="StoreUnavailableException">It could not within the deadline of a command.</exception>
    public async Task SealThroughAsync(long instantMs, CancellationToken ct)
    {
        var until = Environment.TickCount64 + (long)SqlServerDatabase.Deadline.TotalMilliseconds;
        while (!await TrySealAsync(instantMs, ct))
        {
            if (Environment.TickCount64 > until) throw new StoreUnavailableException("The sealer is not heard of.");
            await Task.Delay(Random.Shared.Next(5, 50), ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _regular;
        _stopping.Dispose();
        _one.Dispose();
        await using var connection = new SqlConnection(connectionString);
        SqlConnection.ClearPool(connection);
    }

    private async Task SealRegularlyAsync()
    {
        try
        {
            while (true)
            {
                await TrySealAsync(null, _stopping.Token);
                await Task.Delay(Pause, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops; what waits is sealed by the next one.
        }
    }

    /// <summary>False: another copy sealed at this moment, or the server is away. Facts wait, nothing is lost.</summary>
    private async Task<bool> TrySealAsync(long? throughMs, CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            while (await SealAsync(throughMs, ct))
            {
                // More waited than one batch takes.
            }

            return true;
        }
        catch (SqlException)
        {
            ct.ThrowIfCancellationRequested();
            return false;
        }
        catch (InvalidOperationException) when (!ct.IsCancellationRequested)
        {
            return false; // The connection broke, or the pool is empty.
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Seals one batch; true where facts may be left.</summary>
    private async Task<bool> SealAsync(long? throughMs, CancellationToken ct)
    {
        await using var connection = new SqlConnection(connectionString);
        await connection.OpenAsync(ct);
        await using var transaction = (SqlTransaction)await connection.BeginTransactionAsync(IsolationLevel.Snapshot, ct);
        var last = await Sealing.LastAsync(connection, transaction);
        var waiting = await WaitingAsync(connection, transaction, ct);
        var toClose = throughMs is { } through && last.SealedMs < through && clock.NowMs() > through;
        if (waiting.Count == 0 && !toClose) return false;
        await Command(connection, transaction, Sql.Elect).ExecuteNonQueryAsync(ct);
        var (untilMs, more) = await CutAsync(connection, transaction, waiting, ct);
        foreach (var table in waiting)
        {
            await Command(connection, transaction, table.Seal, ("@Batch", last.Batch + 1), ("@Until", untilMs))
                .ExecuteNonQueryAsync(ct);
        }

        var seal = await Sealing.CloseAsync(
            connection, transaction, waiting, facts, last, Seal.NextInstant(last, clock.NowMs()), keys);
        await transaction.CommitAsync(CancellationToken.None);
        head.Write(seal, now: false);
        return more;
    }

    private async Task<List<FactTable>> WaitingAsync(SqlConnection connection, SqlTransaction transaction, CancellationToken ct)
    {
        await using var row = await Command(connection, transaction, facts.Waiting).ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return [.. facts.All.Where((_, i) => row.GetInt64(i) > 0)];
    }

    /// <summary>
    /// The instant up to which facts are taken. One command's facts have one instant, so a batch never parts
    /// them, however many wait.
    /// </summary>
    private static async Task<(long UntilMs, bool More)> CutAsync(
        SqlConnection connection, SqlTransaction transaction, List<FactTable> waiting, CancellationToken ct)
    {
        var (untilMs, more) = (long.MaxValue, false);
        foreach (var table in waiting)
        {
            var nth = await Command(connection, transaction, table.Nth, ("@Nth", MaxRows)).ExecuteScalarAsync(ct);
            if (nth is not long ms) continue;
            (untilMs, more) = (Math.Min(untilMs, ms), true);
        }

        return (untilMs, more);
    }

    private static SqlCommand Command(
        SqlConnection connection, SqlTransaction transaction, string text, params (string Name, long Value)[] arguments)
    {
        var command = new SqlCommand(text, connection, transaction);
        foreach (var (name, value) in arguments) command.Parameters.Add(new SqlParameter(name, SqlDbType.BigInt) { Value = value });
        return command;
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
