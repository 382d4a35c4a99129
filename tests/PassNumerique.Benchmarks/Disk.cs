using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PassNumerique.Benchmarks;

/// <summary>What one durable commit costs at the least, here.</summary>
internal static partial class Disk
{
    private const int Page = 4_096;
    private const int Samples = 500;

    /// <summary>Median time of fdatasync after a page was written in place.</summary>
    public static double MedianCommitMs(string folder)
    {
        var path = Path.Combine(folder, "fdatasync");
        var page = new byte[Page];
        var times = new double[Samples];
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose))
        {
            for (var i = 0; i < 64; i++) RandomAccess.Write(file, page, i * Page);
            RandomAccess.FlushToDisk(file);
            for (var i = 0; i < Samples; i++)
            {
                Random.Shared.NextBytes(page);
                RandomAccess.Write(file, page, i % 64 * Page);
                var begun = Stopwatch.GetTimestamp();
                if (FlushData(file) != 0) throw new IOException("fdatasync failed.");
                times[i] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            }
        }

        return Spread.Of(times).Median;
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FlushData(SafeFileHandle file);
}
