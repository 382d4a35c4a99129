using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// The disk fails at the n-th call, once or a few times: a write of the log or of a checkpoint, a sync, a cut, a
/// read, the head file. Nobody gets a 500, whoever got a 503 asks again and is taken, reading goes on, and what
/// was acknowledged is there after a kill right afterwards. The control is a disk that drops a write and says
/// nothing.
/// </summary>
internal static class FailingCalls
{
    private const int CyclesPerStore = 40;
    private const int WishesPerCycle = 60;
    private const int ControlTries = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly (Moment Moment, int SkipMax)[] Calls =
    [
        (Moment.LogWrite, 20), (Moment.LogSync, 20), (Moment.PageWrite, 40), (Moment.PageSync, 1),
        (Moment.Read, 40), (Moment.OtherWrite, 1), (Moment.Begin, 20), (Moment.Inside, 4),
    ];

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var shim = await bench.NewShimAsync();
        var (hits, acknowledged, refused, resurrected, faults) = (0L, 0L, 0L, 0L, new List<string>());
        for (var (part, done) = (0, 0); done < dose.Cycles && faults.Count == 0; part++)
        {
            var chance = dose.Random(part);
            using var trial = await Trial.OnNewStoreAsync(bench, chance);
            await trial.StartAsync(shim);
            for (var i = 0; i < CyclesPerStore && done < dose.Cycles && trial.Faults.Count == 0; i++, done++)
            {
                await FailAsync(trial, shim, Calls[done % Calls.Length], chance);
                hits += shim.Hits;
                if (i % 4 == 3) await KillAndStartAsync(trial, shim);
            }

            await trial.FinishAsync();
            refused += trial.Log.Denials;
            acknowledged += trial.Log.Acknowledged.Count;
            resurrected += trial.DeniedButThere;
            faults.AddRange(trial.Faults);
        }

        if (hits == 0) faults.Add("no call ever failed");
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} times, {hits} calls failed: {acknowledged} acknowledged and stored, {refused} answers of 503, {resurrected} of them recorded all the same");
        return new(counts, faults, await ControlAsync(bench, shim, dose));
    }

    private static async Task FailAsync(Trial trial, Shim shim, (Moment Moment, int SkipMax) call, Random chance)
    {
        var error = chance.Next(2) == 0 ? DiskError.InputOutput : DiskError.NoSpace;
        shim.Arm([call.Moment], Mishap.Fail, chance.Next(call.SkipMax), times: chance.Next(1, 6), error);
        var wishes = Enumerable.Range(0, WishesPerCycle).Select(_ => trial.Passes.Next()).ToList();
        await Parallel.ForEachAsync(wishes, new ParallelOptions { MaxDegreeOfParallelism = Trial.Clients }, async (wish, _) =>
        {
            if (!await trial.Till.UntilTakenAsync(wish, Patience))
                trial.Blame($"{wish.OperationId} was not taken after {call.Moment} had failed");
        });
        shim.Disarm();
        trial.Check();
    }

    /// <summary>
    /// What the process remembers does not count, only what the disk has. The last commit before the kill is one
    /// whose sync failed: its frames are in the log, whole, and the next start finds them.
    /// </summary>
    private static async Task KillAndStartAsync(Trial trial, Shim shim)
    {
        shim.Arm([Moment.LogSync], Mishap.Fail, error: DiskError.InputOutput);
        await trial.Till.TryAsync(trial.Passes.Next());
        trial.Service.Kill();
        shim.Disarm();
        if (!await trial.IsStartedAsync(t => t.StartAsync(shim))) return;
        trial.Check();
        await trial.AskAgainAsync();
    }

    private static async Task<Control> ControlAsync(Workbench bench, Shim shim, Dose dose)
    {
        StoreCheck? check = null;
        for (var i = 0; i < ControlTries && check is not { Holds: false }; i++)
        {
            shim.Disarm();
            using var trial = await Trial.OnNewStoreAsync(bench, dose.Random(1_000 + i));
            await trial.StartAsync(shim);
            shim.Arm([Moment.LogWrite], Mishap.Drop, skip: 5);
            await trial.RedeemAsync(TimeSpan.FromSeconds(1));
            trial.Service.Kill();
            check = StoreCheck.Run(trial.Store.Store, trial.Log);
        }

        return new("a disk that drops one write of the log and reports it done", check is { Holds: false },
            $"lost {check!.Lost}");
    }
}
