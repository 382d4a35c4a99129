using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Sheets of ten passes: how fast beside a bare loop that only deflates and writes the contents of the same pages, how
/// large, how much memory; and whether somebody else's reader finds each code on them.
/// </summary>
internal static class PrintingPaper
{
    private const double Goal = 0.5;
    private const double GoalBytesAPage = 2.5 * 1_024;
    private const double GoalMoreMb = 64;
    private const int PassesAPage = 10;
    private const int FewPasses = 1_000;
    private const int ManyPasses = 100_000;
    private const int RatePasses = 50_000;
    private const int ScannedPasses = 10_000;
    private const int PagesAtOnce = 50;

    public static async Task<bool> MeasureAsync(PrintingScale scale)
    {
        await using var store = await DemoStore.OpenAsync();
        await using var scope = store.Scope();
        var courtesy = new Courtesy(scope.ServiceProvider.GetRequiredService<Database>());
        var pages = Contents(await PrintingSheet.BytesAsync(Sheets(store, courtesy, RatePasses)));
        var rates = await Printing.RatesAsync(
            $"PDF sheets of {RatePasses:#,0} passes ({pages.Count:#,0} pages)", "passes/s", scale.Rounds,
            [
                new("sheets", () => PrintingSheet.RateAsync(RatePasses, Sheets(store, courtesy, RatePasses), () => Stream.Null)),
                new("the same pages' contents, deflated", () => PrintingSheet.RateAsync(RatePasses, w => DeflateAsync(w, pages), () => Stream.Null)),
            ]);
        var isFast = Printing.Judge("sheets ÷ bare loop", rates[0], rates[1], Goal);

        var (few, _) = await PeakAsync(Sheets(store, courtesy, FewPasses));
        var (many, bytes) = await PeakAsync(Sheets(store, courtesy, ManyPasses));
        var aPage = bytes / (double)(ManyPasses / PassesAPage);
        var isFlat = many - few <= GoalMoreMb;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  bytes a page: {aPage:#,0}, goal ≤ {GoalBytesAPage:#,0}: {(aPage <= GoalBytesAPage ? "reached" : "NOT REACHED")}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  resident memory at its highest: {few:0} MB for {FewPasses:#,0} passes, {many:0} MB for {ManyPasses:#,0}; wanted: at most {GoalMoreMb} MB more: {(isFlat ? "reached" : "NOT REACHED")}"));
        return isFast & isFlat & aPage <= GoalBytesAPage;
    }

    public static async Task<bool> ScanAsync(PrintingScale scale)
    {
        if (new[] { "qpdf", "pdftoppm", "zbarimg" }.FirstOrDefault(p => !File.Exists($"/usr/bin/{p}")) is { } missing)
        {
            Console.WriteLine($"scan: needs {missing}; on Debian: apt-get install qpdf poppler-utils zbar-tools");
            return true;
        }

        await using var store = await DemoStore.OpenAsync();
        await using var scope = store.Scope();
        var courtesy = new Courtesy(scope.ServiceProvider.GetRequiredService<Database>());
        var folder = Directory.CreateTempSubdirectory("pass-numerique-paper-").FullName;
        try
        {
            var file = Path.Combine(folder, "sheets.pdf");
            await File.WriteAllBytesAsync(file, await PrintingSheet.BytesAsync(Sheets(store, courtesy, ScannedPasses)));
            Console.WriteLine();
            var said = await RunAsync("qpdf", "--check", file);
            var isClean = said.Contains("No syntax or stream encoding errors found", StringComparison.Ordinal);
            var read = new HashSet<string>();
            var watch = Stopwatch.StartNew();
            for (var page = 1; page <= ScannedPasses / PassesAPage; page += PagesAtOnce)
                read.UnionWith(await ReadAsync(file, folder, page));
            var codes = Codes(store, ScannedPasses);
            var found = codes.Count(read.Contains);
            Console.WriteLine($"read back by zbarimg from {ScannedPasses / PassesAPage:#,0} pages painted by pdftoppm: {found:#,0} of {codes.Count:#,0} codes"
                + $", {read.Count - found} others; qpdf --check: {(isClean ? "clean" : said)}  [{watch.Elapsed.TotalSeconds:0} s]");
            return isClean && found == codes.Count && read.Count == found;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Func<PipeWriter, Task> Sheets(DemoStore store, Courtesy courtesy, long passes)
    {
        var (order, lots) = PrintingSheet.Million(store.Orders[^1].Salt, store.Keys.Current, passes);
        return writer => VoucherSheets.WriteAsync(writer, order, lots, SheetLayout.Ten, isSpecimen: false, store.Keys, courtesy,
            progress: null, CancellationToken.None);
    }

    private static HashSet<string> Codes(DemoStore store, long passes)
    {
        var (order, lots) = PrintingSheet.Million(store.Orders[^1].Salt, store.Keys.Current, passes);
        var key = store.Keys.Derive((int)order.KeyVersion, KeyLabel.Code).ToArray();
        var codes = new HashSet<string>();
        for (var serial = lots[0].FirstSerial; serial <= lots[^1].LastSerial; serial++)
            codes.Add(VoucherCode.Compose(key, (int)order.KeyVersion, serial, order.Salt));
        return codes;
    }

    /// <summary>The contents of the pages: the streams whose dictionary names no type.</summary>
    private static List<byte[]> Contents(byte[] pdf)
    {
        var pages = new List<byte[]>();
        var (head, end) = (Encoding.ASCII.GetBytes("0 obj\n<</Filter/FlateDecode/Length "), Encoding.ASCII.GetBytes(">>stream\n"));
        var at = 0;
        while (pdf.AsSpan(at).IndexOf(head) is var found and >= 0)
        {
            at += found + head.Length;
            var digits = pdf.AsSpan(at).IndexOf(end);
            var length = int.Parse(Encoding.ASCII.GetString(pdf, at, digits), CultureInfo.InvariantCulture);
            at += digits + end.Length;
            using var inflate = new ZLibStream(new MemoryStream(pdf, at, length), CompressionMode.Decompress);
            using var content = new MemoryStream();
            inflate.CopyTo(content);
            pages.Add(content.ToArray());
            at += length;
        }

        return pages;
    }

    private static async Task DeflateAsync(PipeWriter writer, List<byte[]> pages)
    {
        using var compressed = new MemoryStream();
        foreach (var page in pages)
        {
            compressed.SetLength(0);
            await using (var deflate = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(page);
            writer.Write(compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
            await writer.FlushAsync();
        }
    }

    /// <summary>What the process has resident at most while it writes, and how much it wrote.</summary>
    private static async Task<(double Mb, long Bytes)> PeakAsync(Func<PipeWriter, Task> write)
    {
        GC.Collect();
        await File.WriteAllTextAsync("/proc/self/clear_refs", "5");
        using var counting = new CountingStream();
        var writer = PipeWriter.Create(counting, new StreamPipeWriterOptions(leaveOpen: true));
        await write(writer);
        await writer.CompleteAsync();
        var peak = (await File.ReadAllLinesAsync("/proc/self/status")).First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return (long.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1_024.0, counting.Count);
    }

    private static async Task<IEnumerable<string>> ReadAsync(string file, string folder, int page)
    {
        var prefix = Path.Combine(folder, "page");
        await RunAsync("pdftoppm", "-r", "150", "-gray", "-f", Text(page), "-l", Text(page + PagesAtOnce - 1), file, prefix);
        var pictures = Directory.GetFiles(folder, "page*.pgm");
        var read = await RunAsync("zbarimg", ["--quiet", "--raw", .. pictures]);
        foreach (var picture in pictures) File.Delete(picture);
        return read.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<string> RunAsync(string program, params IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, wrong) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await said : throw new InvalidOperationException($"{program}: {await wrong}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class CountingStream : Stream
    {
        public long Count { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Count;

        public override long Position { get => Count; set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => Count += count;

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
