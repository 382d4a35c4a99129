using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// The power goes at any moment of a load, and at the calls of a checkpoint: what the disk was never told to keep
/// is gone, in half of the cycles wholly, in the others any part of it, in sectors. Every acknowledged redemption
/// must be there. The control puts off each sync of the log until the next checkpoint, which is what
/// <c>PRAGMA synchronous = NORMAL</c> does; no setting of the service can.
/// </summary>
internal static class PowerLoss
{
    private const int ControlTries = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly (Moment Moment, int SkipMax)[] Moments =
    [
        (Moment.LogWrite, 400), (Moment.LogSync, 60), (Moment.LogSynced, 60), (Moment.PageWrite, 120),
        (Moment.PageSync, 2), (Moment.PageSynced, 2),
    ];

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var shim = await bench.NewShimAsync();
        var (lost, kept, hadLog) = (0L, 0L, false);
        var deaths = new Deaths(bench, dose)
        {
            StartAsync = async trial =>
            {
                shim.Disarm();
                hadLog = File.Exists(trial.Store.Store + "-wal");
                await trial.StartAsync(shim, keepsJournal: true);
            },
            DieAsync = async (trial, cycle, chance) =>
            {
                await EndAsync(trial.Service, shim, cycle, chance);
                var loss = LostWrites.TakeBack(trial.Store, shim.Journal, hadLog, cycle % 2 == 0 ? null : chance);
                (lost, kept) = (lost + loss.Writes, kept + loss.SectorsKept);
            },
        };
        await deaths.RunAsync();
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{deaths.Counts}; {lost} writes that no sync covered undone, {kept} sectors of them kept");
        IEnumerable<string> idle = lost == 0 ? ["no write was ever undone: the power went at the wrong moments"] : [];
        return new(counts, [.. deaths.Faults, .. idle], await ControlAsync(bench, shim, dose));
    }

    /// <summary>Half of the cuts come by the clock, half at a call that matters.</summary>
    private static async Task EndAsync(RunningService service, Shim shim, int cycle, Random chance)
    {
        if (cycle % 4 >= 2)
        {
            var (moment, skipMax) = Moments[chance.Next(Moments.Length)];
            shim.Arm([moment], Mishap.Kill, chance.Next(skipMax));
            if (await service.EndAsync(Patience) is not null) return;
        }

        await Task.Delay(chance.Next(20, 250));
        service.Kill();
    }

    private static async Task<Control> ControlAsync(Workbench bench, Shim shim, Dose dose)
    {
        StoreCheck? check = null;
        for (var i = 0; i < ControlTries && check is not { Lost: > 0 }; i++)
        {
            shim.Disarm();
            shim.PutsOffLogSync = true;
            using var trial = await Trial.OnNewStoreAsync(bench, dose.Random(1_000 + i));
            await trial.StartAsync(shim, keepsJournal: true);
            var load = trial.RedeemAsync(Patience);
            await trial.UntilAcknowledgedAsync(50);
            trial.Service.Kill();
            await load;
            LostWrites.TakeBack(trial.Store, shim.Journal, hadLog: false, chance: null);
            check = StoreCheck.Run(trial.Store.Store, trial.Log);
            shim.PutsOffLogSync = false;
        }

        return new("the log's sync put off until a checkpoint, as by synchronous=NORMAL", check is { Lost: > 0 },
            $"lost {check!.Lost}");
    }
}
