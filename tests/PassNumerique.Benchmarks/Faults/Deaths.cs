using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// A service that dies again and again on the same store while passes are redeemed. After each death it starts
/// anew, the checker compares, and whoever got no answer asks again.
/// </summary>
internal sealed class Deaths(Workbench bench, Dose dose)
{
    private const int DeathsPerStore = 50;
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(10);
    private readonly List<string> _faults = [];
    private long _acknowledged;
    private long _cut;

    /// <summary>Tells a start of the service from what it would be otherwise: with a shim.</summary>
    public Func<Trial, Task> StartAsync { get; init; } = trial => trial.StartAsync();

    /// <summary>What is done to the service while it redeems: afterwards it is dead.</summary>
    public required Func<Trial, int, Random, Task> DieAsync { get; init; }

    public IReadOnlyList<string> Faults => _faults;

    /// <summary>What the checker made of a fault of which it was not told.</summary>
    public Control Planted { get; private set; } = new("a fault in a copy of the store", false, "not reached");

    public async Task RunAsync()
    {
        for (var (part, done) = (0, 0); done < dose.Cycles; part++)
        {
            var chance = dose.Random(part);
            using var trial = await Trial.OnNewStoreAsync(bench, chance);
            for (var i = 0; i < DeathsPerStore && done < dose.Cycles; i++, done++)
            {
                if (!await trial.IsStartedAsync(StartAsync)) break;
                trial.Check();
                await trial.AskAgainAsync();
                var load = trial.RedeemAsync(Load);
                if (done % 4 != 0) await trial.UntilAcknowledgedAsync(20);
                await DieAsync(trial, done, chance);
                await load;
                _cut += trial.Log.Open.Count;
                if (trial.Faults.Count > 0) break;
            }

            await EndAsync(trial);
            if (_faults.Count > 0) return;
        }
    }

    public string Counts => string.Create(CultureInfo.InvariantCulture,
        $"{dose.Cycles} times: {_acknowledged} acknowledged, {_cut} cut off and asked again, {Verdict}; {Starts}");

    private string Verdict => _faults.Count == 0 ? "0 lost, 0 double" : "does not hold";

    private string Starts { get; set; } = "";

    private async Task EndAsync(Trial trial)
    {
        if (await trial.IsStartedAsync(t => t.StartAsync()))
        {
            trial.Check();
            await trial.AskAgainAsync();
            await trial.AskForReplaysAsync();
            await trial.FinishAsync();
            trial.JudgeStarts(dose);
        }

        Starts = trial.Starts;
        _acknowledged += trial.Log.Acknowledged.Count;
        _faults.AddRange(trial.Faults);
        if (trial.Faults.Count == 0 && !Planted.IsCaught) Planted = await trial.PlantAsync();
    }
}
