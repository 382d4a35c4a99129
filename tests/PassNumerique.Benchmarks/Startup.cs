using System.Globalization;

namespace PassNumerique.Benchmarks;

/// <summary>
/// How long the service takes from the start of its process to its first 200 on <c>/health/ready</c> (store
/// open and migrated, head checked), and what it weighs two seconds later, against a minimal API with nothing
/// in it: on a store made by that very start, on a small one, and on one of two million redeemed vouchers.
/// Goals: at most 2 × the time and 1.6 × the resident memory.
/// </summary>
internal static class Startup
{
    private const long Vouchers = 2_000_000;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(2);

    private sealed record Sample(double StartMs, double RssMb, double PssMb);

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new Options(args, "--repetitions", "--store");
        var rounds = options.Number("--repetitions", 15, max: 1_000);
        var store = options.Text("--store", Path.Combine(Path.GetTempPath(), "pass-numerique-spent"));
        var work = Directory.CreateTempSubdirectory("pass-numerique-startup-").FullName;
        try
        {
            await MeasureAsync(rounds, new StoreFolder(store), work);
            return 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task MeasureAsync(int rounds, StoreFolder spent, string work)
    {
        Console.WriteLine("Publishing the empty API and the service, both ReadyToRun…");
        var empty = await Repository.PublishAsync(
            "tests/PassNumerique.Benchmarks/EmptyApi", Path.Combine(work, "empty"));
        var service = await Repository.PublishAsync("src/PassNumerique", Path.Combine(work, "service"));
        await SpentStore.EnsureAsync(spent, Vouchers);
        var small = new StoreFolder(Path.Combine(work, "small"));
        (await RunningService.StartAsync(service, small.Environment())).Dispose();

        Subject<Sample>[] subjects =
        [
            new("empty minimal API", () => SampleAsync(empty, Production())),
            new("service, store made by the start", () => SampleNewStoreAsync(service, work)),
            new("service, small store", () => SampleAsync(service, small.Environment())),
            new($"service, {Vouchers / 1_000_000} million redeemed", () => SampleAsync(service, spent.Environment())),
        ];
        Console.WriteLine(Measurement.Machine());
        Console.WriteLine($"Load average before: {Measurement.Load()}");
        var samples = await Measurement.InterleaveAsync(rounds, subjects);
        Console.WriteLine($"Load average after:  {Measurement.Load()}");
        Print(rounds, subjects, samples);
    }

    private static void Print(
        int rounds, Subject<Sample>[] subjects, IReadOnlyList<IReadOnlyList<Sample>> samples)
    {
        (string Name, Func<Sample, double> Of)[] figures =
        [
            ("first 200, ms", s => s.StartMs),
            ("resident (RSS), MB", s => s.RssMb),
            ("shared pages divided (PSS), MB", s => s.PssMb),
        ];
        foreach (var (name, of) in figures)
        {
            Console.WriteLine();
            Console.WriteLine($"{name}: median (min–max) of {rounds} interleaved starts, ratio (min–max within a round)");
            double[] references = [.. samples[0].Select(of)];
            for (var i = 0; i < subjects.Length; i++)
            {
                double[] values = [.. samples[i].Select(of)];
                var ratio = i == 0 ? "" : "× " + Measurement.Ratio(values, references).Show("0.00");
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {subjects[i].Name,-34} {Spread.Of(values).Show("0"),-20} {ratio}"));
            }
        }
    }

    private static async Task<Sample> SampleNewStoreAsync(string program, string work)
    {
        var store = new StoreFolder(Path.Combine(work, "new"));
        try
        {
            return await SampleAsync(program, store.Environment());
        }
        finally
        {
            Directory.Delete(store.Root, recursive: true);
        }
    }

    private static async Task<Sample> SampleAsync(string program, IReadOnlyDictionary<string, string> environment)
    {
        using var service = await RunningService.StartAsync(program, environment);
        await Task.Delay(Idle);
        var (rss, pss) = service.Memory();
        return new(service.StartMs, rss, pss);
    }

    private static Dictionary<string, string> Production() => new() { ["ASPNETCORE_ENVIRONMENT"] = "Production" };
}
