using System.Diagnostics;
using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// One store that lives through an experiment: its clients' log, the service that serves it now, and what did not
/// hold so far.
/// </summary>
internal sealed class Trial : IDisposable
{
    public const int Clients = 8;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Workbench _bench;
    private readonly List<string> _faults = [];
    private readonly List<double> _startsMs = [];

    private Trial(Workbench bench, StoreFolder store, Stage stage, Random random)
    {
        (_bench, Store, Stage) = (bench, store, stage);
        Passes = new(stage, random);
    }

    public StoreFolder Store { get; }

    public Stage Stage { get; }

    public Passes Passes { get; }

    public ClientLog Log { get; } = new();

    public RunningService Service { get; private set; } = null!;

    public Till Till { get; private set; } = null!;

    public IReadOnlyList<string> Faults => _faults;

    public long LastRows { get; private set; }

    /// <summary>In every check so far: what was denied and is there all the same.</summary>
    public long DeniedButThere { get; private set; }

    public static async Task<Trial> OnNewStoreAsync(Workbench bench, Random random, string? root = null)
    {
        var (store, stage) = await bench.NewStoreAsync(root);
        return new(bench, store, stage, random);
    }

    public async Task StartAsync(Shim? shim = null, bool keepsJournal = false)
    {
        Till?.Dispose();
        Service?.Dispose();
        Service = await _bench.Program.StartAsync(shim?.Environment(Store, keepsJournal) ?? Store.Environment());
        Till = new(Service, Stage, Log);
        _startsMs.Add(Service.StartMs);
    }

    /// <summary>A service that does not start again on its own store is a fault, and its last words say which.</summary>
    public async Task<bool> IsStartedAsync(Func<Trial, Task> start)
    {
        try
        {
            await start(this);
            return true;
        }
        catch (Exception exception) when (exception is InvalidOperationException or TimeoutException)
        {
            Blame(exception.Message);
            return false;
        }
    }

    /// <summary>
    /// New wishes by all clients, until the time is over or the service is gone.
    /// </summary>
    public async Task RedeemAsync(TimeSpan time, int clients = Clients)
    {
        using var stop = new CancellationTokenSource(time);
        await Till.RedeemAsync(clients, Passes, stop.Token);
    }

    /// <summary>Waits beside a load until so many more are acknowledged, or the service is gone.</summary>
    public async Task UntilAcknowledgedAsync(int more)
    {
        var (enough, since) = (Log.Acknowledged.Count + more, Stopwatch.StartNew());
        while (Log.Acknowledged.Count < enough && !Service.HasEnded && since.Elapsed < Patience) await Task.Delay(2);
    }

    /// <summary>Whoever got no answer asks again, and gets one: whether it happened before or not, it ends as one.</summary>
    public Task AskAgainAsync() => Parallel.ForEachAsync(Log.Open, new ParallelOptions { MaxDegreeOfParallelism = Clients },
        async (wish, _) =>
        {
            if (!await Till.UntilTakenAsync(wish, Patience)) Blame($"{wish.OperationId} was asked again and never taken");
        });

    /// <summary>Answers from before are given again, to the letter, and each redemption is shown by its id.</summary>
    public async Task AskForReplaysAsync()
    {
        foreach (var id in Log.Acknowledged.Keys.Where((_, i) => i % 97 == 0))
        {
            if (await Till.TryAsync(Log.Find(id)) != 201) Blame($"{id} is not answered again");
            using var shown = await Till.Client.GetAsync($"redemptions/{Log.Acknowledged[id].Id}");
            if (!shown.IsSuccessStatusCode) Blame($"{id} is not shown: {(int)shown.StatusCode}");
        }
    }

    /// <summary>Beside the service, which alone recovers its log, or on a store at rest.</summary>
    public void Check()
    {
        var check = StoreCheck.Run(Store.Store, Log);
        foreach (var fault in check.Faults) Blame(fault);
        (LastRows, DeniedButThere) = (check.Rows, DeniedButThere + check.DeniedButThere);
    }

    /// <summary>Stops the service in good order, and has the store judged by the checker and by itself.</summary>
    public async Task FinishAsync()
    {
        await StopAsync();
        Check();
        if (await _bench.VerifyAsync(Store) is { } fault) Blame(fault);
    }

    public async Task StopAsync()
    {
        Service.Send(Signal.Terminate);
        if (await Service.EndAsync(Patience) is var code && code != 0)
            Blame(code is null ? "the service does not end" : $"the service ended with {code}: {Service.LastLines}");
    }

    public void Blame(string fault)
    {
        lock (_faults) _faults.Add(fault);
    }

    /// <summary>In a long run a start after a kill has two seconds.</summary>
    public void JudgeStarts(Dose dose)
    {
        if (dose.IsLong && _startsMs.Max() > StartLimit.TotalMilliseconds)
            Blame($"a start took {_startsMs.Max():0} ms");
    }

    public string Starts => string.Create(CultureInfo.InvariantCulture,
        $"start {Spread.Of(_startsMs).Show("0")} ms");

    public void Dispose()
    {
        Till?.Dispose();
        Service?.Dispose();
    }

    /// <summary>
    /// A copy of the closed store with the two faults that matter planted in it: one acknowledged redemption taken
    /// away, another one put there twice. The checker and the service's own <c>verify</c> must each tell.
    /// </summary>
    public async Task<Control> PlantAsync()
    {
        var copy = _bench.CopyOf(Store);
        var victims = Log.Acknowledged.Keys.Take(2).ToList();
        using (var connection = StoreCheck.Open(copy.Store, readOnly: false))
        {
            StoreCheck.Execute(connection, $"DELETE FROM voucher_entries WHERE operation_id = '{victims[0]}'");
            StoreCheck.Execute(connection, $"""
                DROP INDEX voucher_entries_operation_id;
                CREATE TEMP TABLE twin AS SELECT * FROM voucher_entries WHERE operation_id = '{victims[1]}';
                UPDATE twin SET part = part + 1;
                INSERT INTO voucher_entries SELECT * FROM twin
                """);
        }

        var check = StoreCheck.Run(copy.Store, Log);
        var verdict = await _bench.VerifyAsync(copy);
        Directory.Delete(copy.Root, recursive: true);
        return new("one redemption taken away and one doubled in a copy",
            check is { Lost: 1, Double: 2 } && verdict is not null,
            $"lost {check.Lost}, double {check.Double}, verify {(verdict is null ? "says nothing" : "tells")}");
    }
}
