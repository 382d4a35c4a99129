using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Reads sheets back as a desk would: pdftoppm paints every page, zbarimg finds the QR codes on it, and what they say
/// is what the order's codes are; qpdf finds nothing wrong with the file.
/// </summary>
internal static class PrintingScan
{
    private const int PassesAPage = 10;
    private const int PagesAtOnce = 20;

    private static readonly (string Program, string Package)[] Needed =
        [("qpdf", "qpdf"), ("pdftoppm", "poppler-utils"), ("zbarimg", "zbar-tools")];

    public static async Task<bool> MeasureAsync(PrintingScale scale)
    {
        Console.WriteLine();
        Console.WriteLine($"{scale.Pages:#,0} sheets of {PassesAPage} passes, painted and read by other programs");
        foreach (var (program, package) in Needed)
        {
            if (File.Exists("/usr/bin/" + program)) continue;
            Console.WriteLine($"  not read: this needs {program} (apt-get install {package})");
            return false;
        }

        var folder = Directory.CreateTempSubdirectory("pass-numerique-scan-").FullName;
        try
        {
            return await ReadAsync(scale.Pages, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<bool> ReadAsync(int pages, string folder)
    {
        var (file, expected) = (Path.Combine(folder, "sheets.pdf"), await PrintAsync(pages, folder));
        var (status, said) = await RunAsync("qpdf", ["--check", file]);
        Console.WriteLine($"  qpdf --check: {(status == 0 ? "nothing to say" : said)}");
        var read = new HashSet<string>(StringComparer.Ordinal);
        var strange = 0L;
        for (var first = 1; first <= pages; first += PagesAtOnce)
        {
            foreach (var code in await ScanAsync(file, folder, first, Math.Min(first + PagesAtOnce - 1, pages)))
            {
                if (!expected.Contains(code)) strange++;
                read.Add(code);
            }
        }

        read.IntersectWith(expected);
        var good = status == 0 && strange == 0 && read.Count == expected.Count;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {read.Count:#,0} of {expected.Count:#,0} codes read, {strange:#,0} that are none: {(good ? "reached" : "NOT REACHED")}"));
        return good;
    }

    private static async Task<HashSet<string>> PrintAsync(int pages, string folder)
    {
        await using var store = await DemoStore.OpenAsync();
        await using var scope = store.Scope();
        var database = scope.ServiceProvider.GetRequiredService<Database>();
        var (order, lots) = PrintingSheet.Million(store.Orders[^1].Salt, store.Keys.Current, (long)pages * PassesAPage);
        await File.WriteAllBytesAsync(Path.Combine(folder, "sheets.pdf"),
            await PrintingPages.BytesAsync(writer => PrintingPages.WriteAsync(writer, order, lots, store, database, null)));
        var version = (int)order.KeyVersion;
        var codes = new HashSet<string>(StringComparer.Ordinal);
        for (var serial = lots[0].FirstSerial; serial <= lots[^1].LastSerial; serial++)
            codes.Add(VoucherCode.Compose(store.Keys.Derive(version, KeyLabel.Code), version, serial, order.Salt));
        return codes;
    }

    private static async Task<string[]> ScanAsync(string file, string folder, int first, int last)
    {
        var page = Path.Combine(folder, "page");
        string[] range = ["-f", first.ToString(CultureInfo.InvariantCulture), "-l", last.ToString(CultureInfo.InvariantCulture)];
        await RunAsync("pdftoppm", [.. range, "-r", "150", "-gray", file, page]);
        var images = Directory.GetFiles(folder, "page*.pgm");
        var (_, said) = await RunAsync("zbarimg", ["--quiet", "--raw", .. images]);
        foreach (var image in images) File.Delete(image);
        return said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<(int Status, string Said)> RunAsync(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start.");
        var (said, wrong) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        // zbarimg complains there of a message bus that is not running.
        return (process.ExitCode, await said + (process.ExitCode == 0 ? "" : await wrong));
    }
}
