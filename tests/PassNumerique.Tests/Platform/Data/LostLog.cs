using System.Globalization;
using System.Runtime.InteropServices;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// The disk under the log of a store is gone, for whoever in this process opened it first: what he writes goes nowhere,
/// and no sync succeeds. Back again once disposed. Linux only.
/// </summary>
internal sealed class LostLog : IDisposable
{
    private const int WriteOnly = 1;
    private readonly int _file;
    private readonly int _kept;

    public LostLog(string store)
    {
        var files = Directory.EnumerateFileSystemEntries("/proc/self/fd").Where(f => new FileInfo(f).LinkTarget == store + "-wal");
        _file = files.Select(f => int.Parse(Path.GetFileName(f), CultureInfo.InvariantCulture)).Min();
        _kept = Duplicate(_file);
        var nowhere = OpenFile([.. "/dev/null\0"u8], WriteOnly);
        Replace(nowhere, _file);
        _ = CloseFile(nowhere);
    }

    public void Dispose()
    {
        Replace(_kept, _file);
        _ = CloseFile(_kept);
    }

    private static void Replace(int by, int file)
    {
        if (DuplicateTo(by, file) != file) throw new IOException($"File {file} can't be replaced.");
    }

    [DllImport("libc", EntryPoint = "dup", ExactSpelling = true)]
    private static extern int Duplicate(int file);

    [DllImport("libc", EntryPoint = "dup2", ExactSpelling = true)]
    private static extern int DuplicateTo(int file, int to);

    [DllImport("libc", EntryPoint = "open", ExactSpelling = true)]
    private static extern int OpenFile(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "close", ExactSpelling = true)]
    private static extern int CloseFile(int file);
}
