using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// The clock of the machine jumps, by milliseconds or weeks, ahead and back, while passes are redeemed: seals still
/// strictly increase, nobody is refused for it, and a start behind the last seal goes on from it. The control gives
/// two seals the same instant.
/// </summary>
internal static class ClockJumps
{
    /// <summary>Within the labels and dates of the stage, or a refusal would be right.</summary>
    private static readonly TimeSpan[] Reach =
    [
        TimeSpan.FromMilliseconds(2), TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(90), TimeSpan.FromDays(1), TimeSpan.FromDays(14),
    ];

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var shim = await bench.NewShimAsync();
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        var chance = dose.Random(1);
        await trial.StartAsync(shim);
        for (var jump = 0; jump < dose.Cycles && trial.Faults.Count == 0; jump++)
        {
            var reach = Reach[chance.Next(Reach.Length)];
            shim.ClockOffset = reach * ((2 * chance.NextDouble()) - 1);
            await trial.RedeemAsync(TimeSpan.FromMilliseconds(60), clients: 4);
            if (jump % 25 == 11)
            {
                trial.Service.Kill();
                await trial.StartAsync(shim);
                await trial.AskAgainAsync();
            }
        }

        shim.ClockOffset = TimeSpan.Zero;
        trial.Service.Kill();
        await trial.StartAsync();
        await trial.RedeemAsync(TimeSpan.FromMilliseconds(100));
        await trial.AskAgainAsync();
        await trial.FinishAsync();
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} jumps: {trial.Log.Acknowledged.Count} acknowledged and stored, every seal after the one before");
        return new(trial.Faults.Count == 0 ? counts : "does not hold", trial.Faults, SameInstant(bench, trial));
    }

    private static Control SameInstant(Workbench bench, Trial trial)
    {
        var copy = bench.CopyOf(trial.Store);
        using (var connection = StoreCheck.Open(copy.Store, readOnly: false))
        {
            StoreCheck.Execute(connection, """
                DROP INDEX seals_sealed_ms;
                UPDATE seals SET sealed_ms = (SELECT before.sealed_ms FROM seals before WHERE before.batch = 2)
                 WHERE batch = 3
                """);
        }

        var check = StoreCheck.Run(copy.Store, trial.Log);
        return new("two seals of one instant in a copy", check.Faults.Any(f => f.StartsWith("batch 3 ", StringComparison.Ordinal)),
            check.Faults.Count == 0 ? "not seen" : check.Faults[0]);
    }
}
