using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using PassNumerique.Benchmarks.Faults;

namespace PassNumerique.Benchmarks;

/// <summary>
/// An order of a million passes against one of ten, each until it is complete and counted: posted, read back with
/// its lots, found in the list, approved, in the balances of its convention and in its report. On a store with no
/// passes and on one with ten millions, taking turns. Goal: at most 3 ×, on both.
/// </summary>
internal static class IssuingRun
{
    private const long VouchersPerBooklet = 10;
    private const long FaceCents = 1_000;
    private const int SpentOfTen = 20;

    /// <param name="PostMs">The POST alone.</param>
    /// <param name="WholeMs">The POST and all that shows that the order is there.</param>
    private sealed record Sample(double PostMs, double WholeMs);

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new Options(args, "--repetitions", "--store", "--vouchers");
        var rounds = options.Number("--repetitions", 40, max: 1_000);
        var vouchers = options.Number("--vouchers", 10_000_000, max: 100_000_000);
        var kept = new StoreFolder(options.Text("--store", Path.Combine(Path.GetTempPath(), "pass-numerique-issuing")));
        var work = Directory.CreateTempSubdirectory("pass-numerique-issuing-").FullName;
        try
        {
            return await MeasureAsync(rounds, vouchers, kept, work);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(int rounds, long vouchers, StoreFolder kept, string work)
    {
        Console.WriteLine("Publishing the service, ReadyToRun…");
        var program = await Repository.PublishAsync("src/PassNumerique", Path.Combine(work, "service"));
        var orders = vouchers / SpentStore.VouchersPerOrder;
        var spent = Math.Max(1, orders / SpentOfTen) * SpentStore.VouchersPerOrder;
        await SpentStore.EnsureAsync(kept, spent, (orders * SpentStore.VouchersPerOrder) - spent);
        var empty = new StoreFolder(Path.Combine(work, "empty"));
        await SpentStore.EnsureAsync(empty, 0);
        using var none = await OpenAsync(program, empty);
        using var full = await OpenAsync(program, kept.CopyTo(Path.Combine(work, "full")));
        Subject<Sample>[] subjects =
        [
            new("10 passes, empty store", () => none.OrderAsync(1)),
            new("1,000,000 passes, empty store", () => none.OrderAsync(100_000)),
            new($"10 passes, {vouchers:N0} in the store", () => full.OrderAsync(1)),
            new($"1,000,000 passes, {vouchers:N0} in the store", () => full.OrderAsync(100_000)),
        ];
        foreach (var subject in subjects) await subject.MeasureAsync();
        Console.WriteLine(Measurement.Machine());
        Console.WriteLine($"Load average before: {Measurement.Load()}");
        var samples = await Measurement.InterleaveAsync(rounds, subjects);
        Console.WriteLine($"Load average after:  {Measurement.Load()}");
        Print(rounds, subjects, samples);
        return 0;
    }

    private static void Print(int rounds, Subject<Sample>[] subjects, IReadOnlyList<IReadOnlyList<Sample>> samples)
    {
        foreach (var (name, of) in new (string, Func<Sample, double>)[]
        {
            ("POST alone, ms", s => s.PostMs), ("until complete, counted, in list, balances and report, ms", s => s.WholeMs),
        })
        {
            Console.WriteLine();
            Console.WriteLine($"{name}: median (min–max) of {rounds} interleaved orders; × an order of 10 (min–max within a round)");
            for (var i = 0; i < subjects.Length; i++)
            {
                double[] values = [.. samples[i].Select(of)];
                var ratio = i % 2 == 0 ? "" : "× " + Measurement.Ratio(values, [.. samples[i - 1].Select(of)]).Show("0.00");
                Console.WriteLine($"  {subjects[i].Name,-44} {Spread.Of(values).Show("0.0"),-22} {ratio}");
            }
        }
    }

    private static async Task<Store> OpenAsync(string program, StoreFolder folder)
    {
        var convention = folder.Find($"SELECT id FROM conventions WHERE reference = '{SpentStore.OpenReference}'");
        var point = folder.Find("SELECT id FROM distribution_points");
        return new(await RunningService.StartAsync(program, folder.Environment()), convention, point);
    }

    /// <summary>A running service and what was ordered there so far, counted here.</summary>
    private sealed class Store(RunningService service, string convention, string point) : IDisposable
    {
        private readonly HttpClient _client = Stage.Client(service, SpentStore.OperatorKey);
        private long _passes;

        public async Task<Sample> OrderAsync(long booklets)
        {
            var watch = Stopwatch.StartNew();
            var order = await Stage.MadeAsync(_client, "orders", new
            {
                conventionId = convention,
                booklets,
                vouchersPerBooklet = VouchersPerBooklet,
                validUntil = DateTime.UtcNow.AddYears(1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                distributionPoints = new[] { new { id = point, booklets } },
            });
            var post = watch.Elapsed.TotalMilliseconds;
            var (id, first) = (order.GetProperty("id").GetString()!, order.GetProperty("firstSerial").GetInt64());
            _passes += booklets * VouchersPerBooklet;
            await Stage.MadeAsync(_client, $"orders/{id}/approval", new { });
            var read = await ReadAsync($"orders/{id}");
            Expect(booklets * VouchersPerBooklet, read.GetProperty("voucherCount").GetInt64(), "passes of the order");
            Expect(booklets, read.GetProperty("stockBooklets").GetInt64(), "booklets in stock");
            var listed = (await ReadAsync($"orders?limit=1&after={first - 1}")).GetProperty("items")[0];
            Expect(first, listed.GetProperty("firstSerial").GetInt64(), "first serial in the list");
            var balances = (await ReadAsync($"conventions/{convention}")).GetProperty("balances");
            Expect(_passes * FaceCents, balances.GetProperty("orderedCents").GetInt64(), "cents ordered");
            var funnel = (await ReadAsync($"reports/conventions/{convention}")).GetProperty("funnel").EnumerateArray();
            Expect(_passes, funnel.Single(s => s.GetProperty("code").GetString() == "ordered").GetProperty("passes").GetInt64(), "passes in the report");
            return new(post, watch.Elapsed.TotalMilliseconds);
        }

        public void Dispose()
        {
            _client.Dispose();
            service.Dispose();
        }

        private async Task<JsonElement> ReadAsync(string path) => await _client.GetFromJsonAsync<JsonElement>(path);

        private static void Expect(long wanted, long seen, string what)
        {
            if (wanted != seen) throw new InvalidOperationException($"{what}: {seen}, not {wanted}");
        }
    }
}
