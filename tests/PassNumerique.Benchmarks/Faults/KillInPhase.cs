using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// kill -9 at the very call: before the writer begins, inside a command, before, within and after the commit,
/// before the answer leaves, during a checkpoint. The shim kills, so that a phase of microseconds is met each time.
/// </summary>
internal static class KillInPhase
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly (string Name, Moment Moment, Mishap Mishap, int SkipMax)[] Phases =
    [
        ("before begin", Moment.Begin, Mishap.Kill, 60),
        ("inside a command", Moment.Inside, Mishap.Kill, 20),
        ("before commit", Moment.LogWrite, Mishap.Kill, 400),
        ("within commit, half a write", Moment.LogWrite, Mishap.Tear, 400),
        ("before its sync", Moment.LogSync, Mishap.Kill, 60),
        ("after commit", Moment.LogSynced, Mishap.Kill, 60),
        ("before the answer", Moment.Answer, Mishap.Kill, 60),
        ("during a checkpoint", Moment.PageWrite, Mishap.Kill, 120),
        ("during a checkpoint, half a page", Moment.PageWrite, Mishap.Tear, 120),
        ("before a checkpoint's sync", Moment.PageSync, Mishap.Kill, 1),
        ("after a checkpoint's sync", Moment.PageSynced, Mishap.Kill, 1),
    ];

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var shim = await bench.NewShimAsync();
        var met = new int[Phases.Length];
        var deaths = new Deaths(bench, dose)
        {
            StartAsync = trial =>
            {
                shim.Disarm();
                return trial.StartAsync(shim);
            },
            DieAsync = async (trial, cycle, chance) =>
            {
                var phase = Phases[cycle % Phases.Length];
                shim.Arm([phase.Moment], phase.Mishap, chance.Next(phase.SkipMax));
                if (await trial.Service.EndAsync(Patience) is not null) met[cycle % Phases.Length]++;
                else trial.Service.Kill();
            },
        };
        await deaths.RunAsync();
        var faults = deaths.Faults.Concat(
            Phases.Take(dose.Cycles).Where((_, i) => met[i] == 0).Select(p => $"no kill met the phase: {p.Name}"));
        var counts = string.Join(", ", Phases.Select((p, i) => string.Create(CultureInfo.InvariantCulture, $"{p.Name} {met[i]}")));
        return new($"{deaths.Counts}; {counts}", [.. faults], deaths.Planted);
    }
}
