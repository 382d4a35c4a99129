using System.Diagnostics;
using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// The experiments one after the other, on the service as it would be installed: a line each with its counts, and
/// one for its control. What can't be made on this machine says what it needs. Exit code 1 where something did
/// not hold, or a planted fault was not caught.
/// </summary>
internal static class FaultsRun
{
    private const int DefaultSeed = 20_261_125;

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new Options(args, "--only", "--cycles", "--seed");
        var chosen = Chosen(options.Text("--only", ""));
        var seed = options.Number("--seed", DefaultSeed, max: int.MaxValue);
        var published = Directory.CreateTempSubdirectory("pass-numerique-published-").FullName;
        try
        {
            Console.WriteLine("Publishing the service, ReadyToRun…");
            using var bench = new Workbench(new ServiceProgram(
                await Repository.PublishAsync("src/PassNumerique", published)));
            Console.WriteLine(Measurement.Machine());
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Seed {seed}; load average before: {Measurement.Load()}"));
            var holds = true;
            foreach (var experiment in chosen)
            {
                var cycles = options.Number("--cycles", experiment.LongCycles, max: 1_000_000);
                holds &= await MakeAsync(bench, experiment, new(cycles, IsLong: true, seed));
            }

            Console.WriteLine($"Load average after:  {Measurement.Load()}");
            return holds ? 0 : 1;
        }
        finally
        {
            Directory.Delete(published, recursive: true);
        }
    }

    private static Experiment[] Chosen(string names)
    {
        if (names.Length == 0) return Experiment.All;
        var list = names.Split(',');
        return list.FirstOrDefault(name => !Experiment.All.Any(e => e.Name == name)) is { } unknown
            ? throw new OptionException(
                $"no experiment is called \"{unknown}\"; there are:{Environment.NewLine}"
                + string.Join(Environment.NewLine, Experiment.All.Select(e => $"  {e.Name,-16} {e.About}")))
            : [.. Experiment.All.Where(e => list.Contains(e.Name))];
    }

    private static async Task<bool> MakeAsync(Workbench bench, Experiment experiment, Dose dose)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            var finding = await experiment.RunAsync(bench, dose);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{experiment.Name,-16} {(finding.Holds ? "HOLDS" : "DOES NOT HOLD")}  {finding.Counts}  [{watch.Elapsed.TotalSeconds:0} s]"));
            foreach (var fault in finding.Faults) Console.WriteLine($"{"",-16}   {fault}");
            var control = finding.Control;
            Console.WriteLine(
                $"{"  control",-16} {(control.IsCaught ? "caught" : "NOT CAUGHT")}  {control.What}: {control.Seen}");
            return finding.Holds && control.IsCaught;
        }
        catch (MissingException missing)
        {
            Console.WriteLine($"{experiment.Name,-16} SKIPPED  {missing.Message}");
            return true;
        }
    }
}
