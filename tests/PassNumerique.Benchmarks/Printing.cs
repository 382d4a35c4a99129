using System.Globalization;

namespace PassNumerique.Benchmarks;

/// <summary>How much to print, and how often.</summary>
internal sealed record PrintingScale(int Rounds, long Passes, long Codes);

/// <summary>
/// What the printing house waits for: the sheet of codes against a bare loop that writes the same bytes, QR codes
/// against QRCoder and libqrencode, sheets for the desk printer against a bare loop that deflates their pages; whether
/// each code is read back from the paper, and whether ten million of them look like chance.
/// </summary>
internal static class Printing
{
    // One line a part: it prints its figures under a title of its own and says whether they reach their goals.
    private static readonly (string Name, Func<PrintingScale, Task<bool>> MeasureAsync)[] Parts =
    [
        ("csv", PrintingSheet.MeasureAsync),
        ("qr", PrintingQr.MeasureAsync),
        ("pdf", PrintingPaper.MeasureAsync),
        ("scan", PrintingPaper.ScanAsync),
        ("codes", PrintingCodes.MeasureAsync),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new Options(args, "--repetitions", "--passes", "--codes", "--only");
        var scale = new PrintingScale(
            options.Number("--repetitions", 11, max: 1_000),
            options.Number("--passes", 1_000_000, max: 2_000_000),
            options.Number("--codes", 10_000_000, max: 1_000_000_000));
        var only = options.Text("--only", "");
        var chosen = Parts.Where(part => only.Length == 0 || part.Name == only).ToList();
        if (chosen.Count == 0)
            throw new OptionException($"--only takes one of: {string.Join(", ", Parts.Select(part => part.Name))}");

        Console.WriteLine(Measurement.Machine());
        Console.WriteLine($"Load average before: {Measurement.Load()}");
        var good = true;
        foreach (var part in chosen) good &= await part.MeasureAsync(scale);
        Console.WriteLine();
        Console.WriteLine($"Load average after:  {Measurement.Load()}");
        return good ? 0 : 1;
    }

    /// <summary>Lets the subjects take turns and prints, under a title, a line each with its rate.</summary>
    public static async Task<IReadOnlyList<IReadOnlyList<double>>> RatesAsync(
        string title, string unit, int rounds, IReadOnlyList<Subject<double>> subjects)
    {
        Console.WriteLine();
        Console.WriteLine($"{title}, {unit}: median (min–max) of {rounds} interleaved rounds");
        foreach (var subject in subjects) await subject.MeasureAsync();
        var samples = await Measurement.InterleaveAsync(rounds, subjects);
        for (var i = 0; i < subjects.Count; i++)
            Console.WriteLine($"  {subjects[i].Name,-44} {Spread.Of(samples[i]).Show("#,0")}");
        return samples;
    }

    /// <summary>Prints a ratio beside its goal; whether it is reached.</summary>
    public static bool Judge(string name, IReadOnlyList<double> rates, IReadOnlyList<double> references, double goal)
    {
        var ratio = Measurement.Ratio(rates, references);
        var holds = ratio.Median >= goal;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {name,-44} × {ratio.Show("0.00")}, goal ≥ {goal}: {(holds ? "reached" : "NOT REACHED")}"));
        return holds;
    }
}
