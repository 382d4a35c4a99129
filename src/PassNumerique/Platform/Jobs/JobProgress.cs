using PassNumerique.Platform.Data;

namespace PassNumerique.Platform.Jobs;

/// <summary>
/// How far one run of a job is: told by the work as often as it likes, written by a beat of a second, and now and
/// then without news, so that others see that it lives. A run that another one took the place of hears it here.
/// </summary>
internal sealed class JobProgress : IProgress<long>, IAsyncDisposable
{
    private const int BeatsWithoutNews = 10;
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly JobDesk _desk;
    private readonly string _jobId;
    private readonly long _run;
    private readonly CancellationTokenSource _over;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writing;
    private long _done;

    public JobProgress(JobDesk desk, string jobId, long run, long done, CancellationToken ct)
    {
        (_desk, _jobId, _run, _done) = (desk, jobId, run, done);
        _over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _writing = Task.Run(WriteAsync, CancellationToken.None);
    }

    /// <summary>Ends the work: whoever waits for it is gone, or another run took its place.</summary>
    public CancellationToken Over => _over.Token;

    public long Done => Interlocked.Read(ref _done);

    public void Report(long value) => Interlocked.Exchange(ref _done, value);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _writing;
        _over.Dispose();
        _stop.Dispose();
    }

    private async Task WriteAsync()
    {
        using var timer = new PeriodicTimer(Beat);
        var (told, silent) = (Done, 0);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var done = Done;
                if (done == told && ++silent < BeatsWithoutNews) continue;
                if (!await IsToldAsync(done)) break;
                (told, silent) = (done, 0);
            }

            await _over.CancelAsync();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The work is over; how it ended is written by who did it.
        }
    }

    /// <summary>A store that is busy hears it a second later.</summary>
    private async Task<bool> IsToldAsync(long done)
    {
        try
        {
            return await _desk.TellAsync(_jobId, _run, done);
        }
        catch (Exception exception) when (exception is StoreUnavailableException or OutcomeUnknownException)
        {
            return true;
        }
    }
}
