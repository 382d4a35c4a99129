namespace PassNumerique.Platform.Jobs;

/// <summary>
/// Works off the jobs that wait, one after the other, from the start of the process to its end. What a process
/// left behind that died is taken over first: at its next start, or by another copy once its lease lapsed.
/// </summary>
internal sealed class JobRunner(
    JobDesk desk, IServiceScopeFactory scopes, IEnumerable<JobKind> kinds, ILogger<JobRunner> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, JobKind> _kinds = kinds.ToDictionary(k => k.Name, StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // The start of the process does not wait for what was left behind.
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await desk.ReclaimAsync(GoesOnByItself, stoppingToken);
                while (await desk.ClaimAsync(stoppingToken) is { } job) await RunAsync(job, stoppingToken);
                await TidyAsync(stoppingToken);
                await desk.WaitAsync(Pause, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return; // What was in hand is taken over at the next start.
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it is, the service goes on serving, and this begins again.
                log.StoreAway(exception);
                await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private bool GoesOnByItself(string kind) => _kinds.GetValueOrDefault(kind)?.RunAsync is not null;

    private async Task TidyAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        foreach (var kind in _kinds.Values.Where(k => k.TidyAsync is not null))
            await kind.TidyAsync!(scope.ServiceProvider, ct);
    }

    /// <summary>A job that breaks is failed and told in the log; the next one has its turn.</summary>
    private async Task RunAsync(Job job, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        try
        {
            await _kinds[job.Kind].RunAsync!(scope.ServiceProvider, job, ct);
        }
        catch (Exception exception) when (exception is not OperationCanceledException && !desk.MayPass(exception))
        {
            log.JobBroke(exception, job.Kind, job.Id);
            await desk.FailAsync(job, Problems.Broken.Because("Transmettez le numéro de ce travail à l'opérateur."));
        }
    }
}

internal static partial class JobLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Jobs wait, as the store did not do what they need")]
    public static partial void StoreAway(this ILogger log, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "The {Kind} job {JobId} failed")]
    public static partial void JobBroke(this ILogger log, Exception exception, string kind, string jobId);
}
