using System.Globalization;
using System.Runtime.InteropServices;

namespace PassNumerique.Benchmarks;

/// <summary>One of the things compared: what it is called, and what measures it once.</summary>
internal sealed record Subject<T>(string Name, Func<Task<T>> MeasureAsync);

/// <summary>The median of some values, with the smallest and the largest.</summary>
internal sealed record Spread(double Median, double Min, double Max)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new(median, sorted[0], sorted[^1]);
    }

    public string Show(string format) => string.Create(CultureInfo.InvariantCulture,
        $"{Median.ToString(format, CultureInfo.InvariantCulture)} ({Min.ToString(format, CultureInfo.InvariantCulture)}–{Max.ToString(format, CultureInfo.InvariantCulture)})");
}

/// <summary>
/// Comparisons that noise disturbs least: the subjects take turns, the order turns with every round, and a
/// ratio is given by the medians, its spread by the rounds, each of which saw the machine in one mood.
/// </summary>
internal static class Measurement
{
    /// <summary>One list of samples a subject, in the order of the rounds.</summary>
    public static async Task<IReadOnlyList<IReadOnlyList<T>>> InterleaveAsync<T>(
        int rounds, IReadOnlyList<Subject<T>> subjects)
    {
        var samples = subjects.Select(_ => new List<T>(rounds)).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var turn = 0; turn < subjects.Count; turn++)
            {
                var chosen = (round + turn) % subjects.Count;
                samples[chosen].Add(await subjects[chosen].MeasureAsync());
            }
        }

        return samples;
    }

    /// <summary>The ratio of the medians, and the smallest and largest ratio within one round.</summary>
    public static Spread Ratio(IReadOnlyList<double> values, IReadOnlyList<double> references)
    {
        var pairs = Spread.Of(values.Zip(references, (value, reference) => value / reference));
        return pairs with { Median = Spread.Of(values).Median / Spread.Of(references).Median };
    }

    /// <summary>What ran it: every printed figure stands under this line.</summary>
    public static string Machine() => string.Create(CultureInfo.InvariantCulture,
        $"{Processor()}, {Environment.ProcessorCount} processors, {TotalMemoryMb()} MB, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");

    /// <summary>The load averages of the last 1, 5 and 15 minutes: above the number of processors, read with care.
    /// </summary>
    public static string Load() => FirstLine("/proc/loadavg") is { } line
        ? string.Join(' ', line.Split(' ').Take(3))
        : "unknown";

    private static long TotalMemoryMb() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1_048_576;

    private static string Processor()
    {
        const string cpuInfo = "/proc/cpuinfo";
        if (!File.Exists(cpuInfo)) return RuntimeInformation.ProcessArchitecture.ToString();
        var line = File.ReadLines(cpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static string? FirstLine(string path) => File.Exists(path) ? File.ReadLines(path).FirstOrDefault() : null;
}
