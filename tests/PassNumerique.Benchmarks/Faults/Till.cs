using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>The passes of a stage in no order, each for one wish.</summary>
internal sealed class Passes(Stage stage, Random random)
{
    private readonly long[] _serials = Shuffled(stage, random);
    private int _next = -1;

    public Wish Next(long minutes = 60)
    {
        var serial = _serials[Interlocked.Increment(ref _next)];
        return new(Guid.NewGuid().ToString(), serial, stage.Code(serial), minutes);
    }

    private static long[] Shuffled(Stage stage, Random random)
    {
        long[] serials = [.. Enumerable.Range(0, stage.Passes).Select(i => stage.FirstSerial + i)];
        random.Shuffle(serials);
        return serials;
    }
}

/// <summary>
/// A site's clients at one running service. All that they ask and hear goes into their log; a refusal is a fault
/// there unless the experiment provokes it.
/// </summary>
internal sealed class Till(RunningService service, Stage stage, ClientLog log) : IDisposable
{
    /// <summary>No answer came.</summary>
    public const int Cut = 0;

    private readonly HttpClient _client = Stage.Client(service, stage.SiteKey);
    private readonly ConcurrentDictionary<int, int> _statuses = new();
    private int _replays;

    public HttpClient Client => _client;

    /// <summary>How many answers had been given before.</summary>
    public int Replays => _replays;

    /// <summary>The refusal that an experiment provokes.</summary>
    public string? Provoked { get; set; }

    /// <summary>How often each status was answered.</summary>
    public int Count(int status) => _statuses.GetValueOrDefault(status);

    /// <summary>Asks once; gives the status.</summary>
    public async Task<int> TryAsync(Wish wish)
    {
        var status = Cut;
        log.Ask(wish);
        try
        {
            using var response = await _client.PostAsJsonAsync("redemptions", wish.Body);
            var text = await response.Content.ReadAsStringAsync();
            status = (int)response.StatusCode;
            if (response.Headers.Contains("Idempotency-Replayed")) Interlocked.Increment(ref _replays);
            Note(wish, status, text);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or TaskCanceledException)
        {
            status = Cut;
        }

        _statuses.AddOrUpdate(status, 1, (_, count) => count + 1);
        return status;
    }

    private void Note(Wish wish, int status, string text)
    {
        if (status == 201) log.Acknowledge(wish, text);
        else if (status == 503 && text.Contains("store-unavailable", StringComparison.Ordinal)) log.Deny(wish);
        else if (status == 409 && Provoked is not null && text.Contains(Provoked, StringComparison.Ordinal)) log.Refuse(wish);
        else if (status != 503) log.Blame($"{wish.OperationId} was answered {status} {text}");
    }

    /// <summary>As a till does: the same again while the answer is 503 or stays out.</summary>
    public async Task<bool> UntilTakenAsync(Wish wish, TimeSpan patience)
    {
        var since = Stopwatch.StartNew();
        while (await TryAsync(wish) is var status && status != 201)
        {
            if (status is not (503 or Cut) || since.Elapsed > patience) return false;
            await Task.Delay(20);
        }

        return true;
    }

    /// <summary>New wishes by so many clients, each until an answer stays out or it is told to stop.</summary>
    public Task RedeemAsync(int clients, Passes passes, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested && await TryAsync(passes.Next()) != Cut)
            {
            }
        }, CancellationToken.None)));

    public void Dispose() => _client.Dispose();
}
