using System.Diagnostics;
using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// Another process – a tool that somebody opened on the store – holds the lock of its writer, for longer than the
/// service waits: it says 503, reads on, and goes on by itself when the lock is free.
/// </summary>
internal static class LockedStore
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(7);
    private static readonly TimeSpan LongHold = TimeSpan.FromSeconds(15);

    /// <summary>How long a till may be left without an answer while the store is locked.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(11);

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        await trial.StartAsync();
        await trial.RedeemAsync(TimeSpan.FromMilliseconds(200));
        var longest = TimeSpan.Zero;
        for (var cycle = 0; cycle < dose.Cycles && trial.Faults.Count == 0; cycle++)
        {
            using (var other = StoreCheck.Open(trial.Store.Store, readOnly: false))
            {
                StoreCheck.Execute(other, "BEGIN IMMEDIATE; UPDATE counters SET next_value = next_value");
                var waits = Enumerable.Range(0, Trial.Clients).Select(_ => AskAsync(trial)).ToList();
                await Task.Delay(dose.IsLong && cycle % 2 == 1 ? LongHold : Hold);
                await ReadAsync(trial);
                StoreCheck.Execute(other, "ROLLBACK");
                foreach (var wait in await Task.WhenAll(waits)) longest = wait > longest ? wait : longest;
            }

            await trial.AskAgainAsync();
            await trial.RedeemAsync(TimeSpan.FromMilliseconds(200));
            trial.Check();
        }

        if (trial.Till.Count(503) == 0) trial.Blame("nobody was told 503: the lock was not felt");
        if (dose.IsLong && longest > AnswerLimit) trial.Blame($"a till waited {longest.TotalSeconds:0.0} s for an answer");
        await trial.FinishAsync();
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} times: {trial.Till.Count(503)} answers of 503, longest wait {longest.TotalSeconds:0.0} s, {trial.Log.Acknowledged.Count} acknowledged and stored, nobody left out afterwards");
        return new(counts, trial.Faults, await trial.PlantAsync());
    }

    private static async Task<TimeSpan> AskAsync(Trial trial)
    {
        var since = Stopwatch.StartNew();
        await trial.Till.TryAsync(trial.Passes.Next());
        return since.Elapsed;
    }

    private static async Task ReadAsync(Trial trial)
    {
        var known = trial.Log.Acknowledged.Values.First();
        using var read = await trial.Till.Client.GetAsync($"redemptions/{known.Id}");
        if (!read.IsSuccessStatusCode) trial.Blame($"under the lock a redemption is shown as {(int)read.StatusCode}");
    }
}
