using System.Diagnostics;
using System.IO.MemoryMappedFiles;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>Where something can happen, by the numbers of <c>shim.c</c>.</summary>
internal enum Moment
{
    Begin,
    Inside,
    Read,
    LogWrite,
    LogSync,
    LogSynced,
    Answer,
    PageWrite,
    PageSync,
    PageSynced,
    Resize,
    OtherWrite,
}

/// <summary>What happens there, by the numbers of <c>shim.c</c>.</summary>
internal enum Mishap
{
    Kill = 1,

    /// <summary>The call fails with an error number.</summary>
    Fail = 2,

    /// <summary>Half of the write is done, then the process dies.</summary>
    Tear = 3,

    /// <summary>The write is reported as done, and is not.</summary>
    Drop = 4,
}

/// <summary>The error numbers of Linux that a disk gives.</summary>
internal static class DiskError
{
    public const long InputOutput = 5;
    public const long NoSpace = 28;
}

/// <summary>
/// Hands on the calls of one service, through the library made of <c>shim.c</c>. What is to happen is told
/// through a page of memory that both processes see, at any time.
/// </summary>
internal sealed class Shim : IDisposable
{
    private const int PageBytes = 4_096;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _page;
    private readonly string _library;
    private readonly string _control;

    public Shim(string library, string folder)
    {
        Directory.CreateDirectory(folder);
        _library = library;
        _control = Path.Combine(folder, "control");
        Journal = Path.Combine(folder, "journal");
        File.WriteAllBytes(_control, new byte[PageBytes]);
        _file = MemoryMappedFile.CreateFromFile(_control, FileMode.Open);
        _page = _file.CreateViewAccessor(0, PageBytes);
    }

    /// <summary>The notes of the service that was started last.</summary>
    public string Journal { get; }

    /// <summary>How often it happened since it was armed.</summary>
    public long Hits => _page.ReadInt64(40);

    /// <summary>A sync of the log waits for the next checkpoint, as with <c>synchronous=NORMAL</c>.</summary>
    public bool PutsOffLogSync
    {
        set => _page.Write(48, value ? 1L : 0L);
    }

    public TimeSpan ClockOffset
    {
        set => _page.Write(56, value.Ticks * 100);
    }

    /// <param name="moments">Where.</param>
    /// <param name="mishap">What.</param>
    /// <param name="skip">After how many calls of that kind.</param>
    /// <param name="times">How often.</param>
    /// <param name="error">The error number of a call that fails.</param>
    public void Arm(Moment[] moments, Mishap mishap, long skip = 0, long times = 1, long error = 0)
    {
        Disarm();
        _page.Write(8, skip);
        _page.Write(16, times);
        _page.Write(24, (long)mishap);
        _page.Write(32, error);
        _page.Write(40, 0L);
        Thread.MemoryBarrier();
        _page.Write(0, moments.Aggregate(0L, (bits, moment) => bits | (1L << (int)moment)));
    }

    public void Disarm()
    {
        _page.Write(0, 0L);
        Thread.MemoryBarrier();
    }

    /// <summary>The settings of a store with this shim between it and the disk.</summary>
    public IReadOnlyDictionary<string, string> Environment(StoreFolder store, bool keepsJournal)
    {
        var environment = new Dictionary<string, string>(store.Environment())
        {
            ["LD_PRELOAD"] = _library,
            ["FAULTS_STORE"] = store.Store,
            ["FAULTS_ROOT"] = store.Root,
            ["FAULTS_CONTROL"] = _control,
        };
        if (keepsJournal) environment["FAULTS_JOURNAL"] = Journal;
        return environment;
    }

    public void Dispose()
    {
        _page.Dispose();
        _file.Dispose();
    }

    /// <summary>Compiles the library; says what is missing where that is not possible here.</summary>
    public static async Task<string> CompileAsync(string folder)
    {
        if (!OperatingSystem.IsLinux()) throw new MissingException("the shim that plays the disk needs Linux");
        var (source, library) = (Path.Combine(folder, "shim.c"), Path.Combine(folder, "shim.so"));
        await using (var text = typeof(Shim).Assembly.GetManifestResourceStream("shim.c")!)
        await using (var file = File.Create(source))
            await text.CopyToAsync(file);
        var start = new ProcessStartInfo("cc",
            ["-std=c11", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"])
        {
            RedirectStandardError = true,
        };
        try
        {
            using var compiler = Process.Start(start)!;
            var error = await compiler.StandardError.ReadToEndAsync();
            await compiler.WaitForExitAsync();
            return compiler.ExitCode == 0
                ? library
                : throw new InvalidOperationException($"cc does not take shim.c:{System.Environment.NewLine}{error}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new MissingException("needs a C compiler as `cc` (Debian: apt-get install gcc libc6-dev)");
        }
    }
}
