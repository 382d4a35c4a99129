using System.Diagnostics;
using System.Net;
using System.Runtime;
using Microsoft.Extensions.DependencyInjection;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Can time tell what is wrong with a code? Codes of each kind take turns in random order through everything that a
/// typed code goes through, the store included, and Welch's t compares each kind with a serial of nobody: over all
/// samples, and over those that no interrupt and no collection of garbage drowned. The same run holds a reader with
/// an early return, which has to be found.
/// </summary>
internal static class Timing
{
    private const double Indistinguishable = 4.5;
    private const int Pool = 4_096;
    private const int WarmUp = 20_000;

    /// <summary>The slowest samples say what else the machine did; they are left out of the sharper comparison.</summary>
    private static readonly double[] Shares = [1, 0.95];

    private delegate ValueTask<Result<ReadCode.Found>> Read(Session session, string typed);

    private sealed record Kind(string Name, IReadOnlyList<string> Codes, Read Read);

    public static async Task<int> RunAsync(string[] args)
    {
        var samples = new Options(args, "--samples").Number("--samples", 1_000_000, max: 10_000_000);
        Console.WriteLine(Measurement.Machine());
        Console.WriteLine($"Load average before: {Measurement.Load()}");
        await using var store = await DemoStore.OpenAsync();
        var right = store.Codes(Pool, new Random(1));
        await using var scope = store.Scope();
        var session = scope.ServiceProvider.GetRequiredService<Session>();
        session.Caller = new("", Role.Site, "", ["00000000-0000-8000-8000-000000000001"], "");
        session.Address = IPAddress.Loopback;
        var (guesses, orders) = (DemoStore.Unlimited(), new OrderCards());
        var reader = store.Reader(guesses, orders);
        // As in a service that runs: the orders of the forged codes are in memory.
        foreach (var code in right) await reader.FindAsync(session, code);
        var kinds = Kinds(store, right, reader, new LeakyReadCode(orders, store.Keys, guesses, reader));
        var ticks = await MeasureAsync(session, kinds, samples);
        Console.WriteLine($"Load average after:  {Measurement.Load()}");
        Console.WriteLine($"{samples:#,0} samples a kind; nanoseconds: mean; difference from the first and Welch's t, "
            + $"of all | of the fastest {Shares[1]:0 %}");
        var good = true;
        for (var kind = 0; kind < kinds.Count; kind++)
        {
            var results = Shares.Select(share => Compare(ticks[kind], ticks[0], Cut(ticks, share))).ToList();
            var isPlanted = kind == kinds.Count - 1;
            var holds = isPlanted
                ? results.TrueForAll(r => Math.Abs(r.T) >= Indistinguishable)
                : results.TrueForAll(r => Math.Abs(r.T) < Indistinguishable);
            good &= holds;
            Console.WriteLine($"  {kinds[kind].Name,-34} {Mean(ticks[kind]),8:0} "
                + $"{string.Join(" | ", results.Select(r => $"{r.Difference,8:+0.0;-0.0} t {r.T,7:0.00}"))}"
                + $"  {(kind == 0 ? "" : holds ? isPlanted ? "caught" : "alike" : isPlanted ? "NOT CAUGHT" : "DIFFERS")}");
        }

        return good ? 0 : 1;
    }

    /// <summary>What can be wrong, a pool of codes each so that no single one is learnt by the processor.</summary>
    private static List<Kind> Kinds(DemoStore store, IReadOnlyList<string> right, ReadCode reader, LeakyReadCode leaky)
    {
        var random = new Random(2);
        var (salt, foreign) = (new byte[VoucherCode.SaltBytes], new byte[VoucherCode.KeyBytes]);
        random.NextBytes(salt);
        random.NextBytes(foreign);
        var after = store.Orders[^1].LastSerial + 1;
        return
        [
            new("a serial of nobody", Unknown(), reader.FindAsync),
            new("a serial of nobody, again", Unknown(), reader.FindAsync),
            new("an order's serial, a forged tag", [.. right.Select(CutTag.Forge)], reader.FindAsync),
            new("an order's serial, another version", Foreign(5), reader.FindAsync),
            new("an order's serial, another house", Foreign(1), reader.FindAsync),
            new("a serial of nobody, early return", Unknown(), leaky.FindAsync),
        ];

        string[] Foreign(int version) => [.. right.Select(c => VoucherCode.Compose(foreign, version, SerialOf(c), salt))];

        string[] Unknown() =>
            [.. right.Select(_ => VoucherCode.Compose(foreign, 1, random.NextInt64(after, VoucherCode.SerialMax), salt))];
    }

    private static long SerialOf(string typed) => VoucherCode.TryRead(typed, out var code, out _)
        ? code.Serial
        : throw new ArgumentException("No code.", nameof(typed));

    /// <summary>Each round asks once of each kind, in random order; only the kind differs.</summary>
    private static async Task<int[][]> MeasureAsync(Session session, List<Kind> kinds, int samples)
    {
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
        var ticks = kinds.Select(_ => new int[samples]).ToArray();
        var random = new Random(3);
        var turns = Enumerable.Range(0, kinds.Count).ToArray();
        for (var round = -WarmUp; round < samples; round++)
        {
            random.Shuffle(turns);
            foreach (var turn in turns)
            {
                var kind = kinds[turn];
                // A copy that was just made: where the pools lie in memory is nothing of the code's.
                var code = new string(kind.Codes[random.Next(Pool)].AsSpan());
                var start = Stopwatch.GetTimestamp();
                await kind.Read(session, code);
                var taken = Stopwatch.GetTimestamp() - start;
                if (round >= 0) ticks[turn][round] = (int)Math.Min(taken, int.MaxValue);
            }
        }

        return ticks;
    }

    /// <summary>The time that this share of all samples, whatever their kind, does not exceed.</summary>
    private static int Cut(int[][] ticks, double share)
    {
        int[] all = [.. ticks.SelectMany(t => t)];
        Array.Sort(all);
        return all[(int)Math.Min(all.Length - 1, share * all.Length)];
    }

    /// <summary>Welch's t of the samples up to a time, and the difference of their means.</summary>
    private static (double Difference, double T) Compare(int[] these, int[] those, int cut)
    {
        var (one, other) = (Moments(these, cut), Moments(those, cut));
        var difference = one.Mean - other.Mean;
        return (difference, difference / Math.Sqrt((one.Variance / one.Count) + (other.Variance / other.Count)));
    }

    private static (double Mean, double Variance, double Count) Moments(int[] ticks, int cut)
    {
        var (count, mean, squares) = (0.0, 0.0, 0.0);
        foreach (var taken in ticks)
        {
            if (taken > cut) continue;
            count++;
            var distance = taken - mean;
            mean += distance / count;
            squares += distance * (taken - mean);
        }

        return (mean, squares / (count - 1), count);
    }

    private static double Mean(int[] ticks) => Moments(ticks, int.MaxValue).Mean;
}
