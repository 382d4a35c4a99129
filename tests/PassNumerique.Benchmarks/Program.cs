using PassNumerique.Benchmarks.Faults;

namespace PassNumerique.Benchmarks;

/// <summary>One measured run, or one tool: its name on the command line, what it shows, and what starts it.</summary>
internal sealed record Run(string Name, string About, Func<string[], Task<int>> Start);

/// <summary>
/// Ratios against raw limits, for machines of any speed: never part of <c>dotnet test</c>. A new run is one
/// file and one line here.
/// </summary>
internal static class Program
{
    private static readonly Run[] Runs =
    [
        new("startup", "time to the first 200 and idle memory, against an empty minimal API", Startup.RunAsync),
        new("redemption", "redemptions a second over HTTP, against PostgreSQL on the same machine", Redemption.RunAsync),
        new("demo", "loading the demonstration, against bare prepared statements for the same rows", DemoLoad.RunAsync),
        new("sizes", "what a redeemed pass weighs, table by table, and what it would on SQL Server", Sizes.RunAsync),
        new("timing", "whether a forged code and an unknown one can be told apart by time, with a planted leak", Timing.RunAsync),
        new("guesses", "hits of a guesser who knows all but 20 bits of a tag, without the limits and with them",
            GuessRuns.RunAsync),
        new("issuing", "an order of a million passes until it is counted everywhere, against one of ten", IssuingRun.RunAsync),
        new("printing", "the sheet of codes and QR codes, against bare loops and other encoders; codes against chance",
            Printing.RunAsync),
        new("faults", "kills, power cuts, full disks, wrong input: nothing lost, nothing twice", FaultsRun.RunAsync),
        new("territories", "makes the table of communes out of the official lists",
            args => Task.FromResult(TerritoryTable.Run(args))),
    ];

    public static async Task<int> Main(string[] args)
    {
        var name = args.FirstOrDefault() ?? "list";
        if (name == RedemptionHost.Name) return await RedemptionHost.RunAsync();
        if (name == "list") return List(Console.Out, 0);
        if (Array.Find(Runs, run => run.Name == name) is not { } chosen)
        {
            await Console.Error.WriteLineAsync($"No run is called \"{name}\". There are:");
            return List(Console.Error, 2);
        }

        try
        {
            return await chosen.Start(args[1..]);
        }
        catch (OptionException exception)
        {
            await Console.Error.WriteLineAsync($"{name}: {exception.Message}");
            return 2;
        }
    }

    private static int List(TextWriter output, int exitCode)
    {
        foreach (var run in Runs) output.WriteLine($"{run.Name,-12} {run.About}");
        return exitCode;
    }
}
