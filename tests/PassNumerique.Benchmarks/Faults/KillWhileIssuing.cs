using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// kill -9 in every phase of issuing: an order, an order file whose lines come in or whose order is made, a print
/// file on its way, and one that is gone on with. Whoever got no answer asks again; in the end each order and each
/// file is there once with exactly its passes, and the joined parts of each print file are the whole of it.
/// </summary>
internal static class KillWhileIssuing
{
    private static readonly string[] Phases = ["order", "file", "long file", "print", "print gone on with"];

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        var random = dose.Random();
        using var trial = await IssuingTrial.OnNewStoreAsync(bench, random);
        for (var cycle = 0; cycle < dose.Cycles && trial.Faults.Count == 0; cycle++)
        {
            var phase = Phases[cycle % Phases.Length];
            await trial.StartAsync();
            await trial.AskAgainAsync(prints: phase != Phases[^1]);
            trial.Check();
            await trial.DieWhileAsync(phase switch
            {
                "order" => trial.OrderAsync,
                "file" => () => trial.SendFileAsync(random.Next(1, 40)),
                "long file" => () => trial.SendFileAsync(IssuingTrial.Points),
                _ => trial.PrintAsync,
            }, TimeSpan.FromMilliseconds(random.Next(1, phase.StartsWith("print", StringComparison.Ordinal) ? 250 : 80)));
        }

        await trial.StartAsync();
        await trial.AskAgainAsync(prints: true);
        await trial.FinishAsync();
        var control = trial.Faults.Count == 0
            ? await trial.PlantAsync()
            : new Control("a fault in a copy of the store", false, "not reached");
        return new(string.Create(CultureInfo.InvariantCulture, $"{dose.Cycles} times: {trial.Counts}"), trial.Faults, control);
    }
}
