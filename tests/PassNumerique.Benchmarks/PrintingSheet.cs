using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using PassNumerique.Orders;
using PassNumerique.Platform.Data;

namespace PassNumerique.Benchmarks;

/// <summary>
/// The sheet for the printing house against a loop that only copies the same bytes, made before, through the same kind
/// of writer: into a file, until it is on the disk, and into nothing, where the making of the codes is all there is.
/// </summary>
internal static class PrintingSheet
{
    private const double Goal = 0.4;
    private const int Chunk = 32_768;
    private const int Points = 10;

    public static async Task<bool> MeasureAsync(PrintingScale scale)
    {
        await using var store = await DemoStore.OpenAsync();
        await using var scope = store.Scope();
        var database = scope.ServiceProvider.GetRequiredService<Database>();
        var (order, lots) = Million(store.Orders[^1].Salt, store.Keys.Current, scale.Passes);
        var folder = Directory.CreateTempSubdirectory("pass-numerique-printing-").FullName;
        try
        {
            var bytes = await BytesAsync(Sheet);
            Func<PipeWriter, Task> bare = writer => CopyAsync(writer, bytes);
            var path = Path.Combine(folder, "sheet.csv");
            var rates = await Printing.RatesAsync(
                $"CSV of {scale.Passes:#,0} codes ({bytes.Length:#,0} bytes)", "codes/s", scale.Rounds,
                [
                    new("sheet, into a file on the disk", () => RateAsync(scale.Passes, Sheet, () => OnDisk(path))),
                    new("the same bytes, into a file on the disk", () => RateAsync(scale.Passes, bare, () => OnDisk(path))),
                    new("sheet, into nothing", () => RateAsync(scale.Passes, Sheet, () => Stream.Null)),
                    new("the same bytes, into nothing", () => RateAsync(scale.Passes, bare, () => Stream.Null)),
                ]);
            var again = await BytesAsync(Sheet);
            if (!again.AsSpan().SequenceEqual(bytes))
                throw new InvalidOperationException("The sheet of an order is not the same twice.");
            Console.WriteLine($"  into nothing: × {Measurement.Ratio(rates[2], rates[3]).Show("0.000")}");
            return Printing.Judge("sheet ÷ the same bytes, into a file", rates[0], rates[1], Goal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Task Sheet(PipeWriter writer) =>
            CodeSheet.WriteAsync(writer, order, lots, store.Keys, new Courtesy(database), progress: null, CancellationToken.None);
    }

    internal static (CodeOrder Order, IReadOnlyList<CodeLot> Lots) Million(byte[] salt, long version, long passes)
    {
        const long first = 100_000_001;
        var order = new CodeOrder(10, 1_000, 60, 20_818, salt, version, "Communauté d’agglomération du Lac",
            "Un service de l’agglomération", "05 53 00 00 00", []);
        var lots = Enumerable.Range(0, Points).Select(point => new CodeLot(
            first + (passes * point / Points), first + (passes * (point + 1) / Points) - 1, $"Maison des services {point + 1}"));
        return (order, [.. lots]);
    }

    internal static async Task<double> RateAsync(long passes, Func<PipeWriter, Task> write, Func<Stream> open)
    {
        var begun = Stopwatch.GetTimestamp();
        await using (var stream = open())
        {
            var writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
            await write(writer);
            await writer.CompleteAsync();
            if (stream is FileStream file) file.Flush(flushToDisk: true);
        }

        return passes / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    /// <summary>Both write into the same blocks of the disk each time: none of them is the first to ask for room.</summary>
    private static FileStream OnDisk(string path) =>
        new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);

    private static async Task CopyAsync(PipeWriter writer, byte[] bytes)
    {
        for (var at = 0; at < bytes.Length; at += Chunk)
        {
            writer.Write(bytes.AsSpan(at, Math.Min(Chunk, bytes.Length - at)));
            await writer.FlushAsync();
        }
    }

    internal static async Task<byte[]> BytesAsync(Func<PipeWriter, Task> write)
    {
        var memory = new MemoryStream();
        var writer = PipeWriter.Create(memory, new StreamPipeWriterOptions(leaveOpen: true));
        await write(writer);
        await writer.CompleteAsync();
        return memory.ToArray();
    }
}
