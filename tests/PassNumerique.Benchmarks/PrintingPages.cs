using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using PassNumerique.Orders;
using PassNumerique.Platform.Data;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Sheets of ten passes for the desk printer against a loop that only compresses the same page contents, made before,
/// at the same level and through the same kind of writer; what a page weighs, all included; and how much more memory
/// the process takes while it writes a hundred thousand passes.
/// </summary>
internal static class PrintingPages
{
    private const double Goal = 0.5;
    private const double GoalBytes = 2.5 * 1_024;
    private const double GoalMegabytes = 64;
    private const long PassesAPage = 10;
    private const long Timed = 20_000;
    private const long Long = 100_000;

    public static async Task<bool> MeasureAsync(PrintingScale scale)
    {
        await using var store = await DemoStore.OpenAsync();
        await using var scope = store.Scope();
        var database = scope.ServiceProvider.GetRequiredService<Database>();
        var (order, lots) = PrintingSheet.Million(store.Orders[^1].Salt, store.Keys.Current, Timed);
        var document = await BytesAsync(writer => WriteAsync(writer, order, lots, store, database, null));
        var contents = Contents(document);
        var rates = await Printing.RatesAsync(
            $"PDF sheets of {PassesAPage} passes, {contents.Count:#,0} pages", "pages a second of the processor", scale.Rounds,
            [
                new("sheets, into nothing", () => RateAsync(contents.Count, w => WriteAsync(w, order, lots, store, database, null))),
                new("the same contents compressed, into nothing", () => RateAsync(contents.Count, w => CompressAsync(w, contents))),
            ]);
        var good = Printing.Judge("sheets ÷ a bare loop", rates[0], rates[1], Goal);
        var bytes = document.Length / (double)contents.Count;
        good &= Judge("bytes a page, structure and all", bytes, GoalBytes, "0");
        var (all, its) = PrintingSheet.Million(store.Orders[^1].Salt, store.Keys.Current, Long);
        var peak = new Peak();
        await WriteAsync(PipeWriter.Create(Stream.Null), all, its, store, database, peak);
        return good & Judge($"MB more while {Long:#,0} passes are written", peak.Megabytes, GoalMegabytes, "0.0");
    }

    internal static Task WriteAsync(
        PipeWriter writer, CodeOrder order, IReadOnlyList<CodeLot> lots, DemoStore store, Database database,
        IProgress<long>? progress) => VoucherSheets.With(SheetLayout.Ten)(
            writer, order, lots, store.Keys, new Courtesy(database), progress, CancellationToken.None);

    internal static async Task<byte[]> BytesAsync(Func<PipeWriter, Task> write)
    {
        var memory = new MemoryStream();
        var writer = PipeWriter.Create(memory, new StreamPipeWriterOptions(leaveOpen: true));
        await write(writer);
        await writer.CompleteAsync();
        return memory.ToArray();
    }

    private static bool Judge(string name, double value, double goal, string format)
    {
        var holds = value <= goal;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {name,-44} {value.ToString(format, CultureInfo.InvariantCulture)}, goal ≤ {goal}: {(holds ? "reached" : "NOT REACHED")}"));
        return holds;
    }

    /// <summary>A second of the processor, as nothing here waits: what else runs on the machine takes no part.</summary>
    private static async Task<double> RateAsync(int pages, Func<PipeWriter, Task> write)
    {
        var begun = Environment.CpuUsage.TotalTime;
        var writer = PipeWriter.Create(Stream.Null);
        await write(writer);
        await writer.CompleteAsync();
        return pages / (Environment.CpuUsage.TotalTime - begun).TotalSeconds;
    }

    private static async Task CompressAsync(PipeWriter writer, IReadOnlyList<byte[]> contents)
    {
        var compressed = new MemoryStream();
        foreach (var content in contents)
        {
            compressed.SetLength(0);
            using (var deflate = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(content);
            writer.Write(compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
            if (writer.UnflushedBytes >= 1 << 16) await writer.FlushAsync();
        }
    }

    /// <summary>What the pages of a document draw: the streams whose dictionary says nothing but how they are packed.</summary>
    private static List<byte[]> Contents(byte[] document)
    {
        var (contents, at) = (new List<byte[]>(), 0);
        while (document.AsSpan(at).IndexOf(Dictionary) is var found and >= 0)
        {
            at += found + Dictionary.Length;
            var digits = document.AsSpan(at).IndexOf((byte)'>');
            var length = int.Parse(document.AsSpan(at, digits), CultureInfo.InvariantCulture);
            at += digits + ">>stream\n".Length;
            using var inflate = new ZLibStream(new MemoryStream(document, at, length), CompressionMode.Decompress);
            var content = new MemoryStream();
            inflate.CopyTo(content);
            contents.Add(content.ToArray());
            at += length;
        }

        return contents;
    }

    private static ReadOnlySpan<byte> Dictionary => " 0 obj\n<</Filter/FlateDecode/Length "u8;

    /// <summary>The largest growth of the process's memory that was seen between two booklets.</summary>
    private sealed class Peak : IProgress<long>
    {
        private readonly long _before = Now();
        private long _most;

        public double Megabytes => _most / 1_048_576.0;

        public void Report(long value)
        {
            if (value % 1_000 == 0) _most = Math.Max(_most, Environment.WorkingSet - _before);
        }

        private static long Now()
        {
            GC.Collect();
            return Environment.WorkingSet;
        }
    }
}
