using System.ComponentModel;
using System.Runtime.InteropServices;

namespace PassNumerique.Benchmarks;

/// <summary>The library that most programs on Linux draw QR codes with, told version, level and mode.</summary>
internal static partial class Libqrencode
{
    private const string Library = "libqrencode.so.4";
    private const int Version = 2;
    private const int LevelQ = 2;
    private const int Alphanumeric = 1;

    public static bool IsThere() => NativeLibrary.TryLoad(Library, out _);

    /// <summary>Draws and forgets.</summary>
    public static unsafe void Draw(byte[] code) => Free(Encode(code));

    /// <summary>Draws, one word a row, bit 24 the leftmost.</summary>
    public static unsafe uint[] Rows(byte[] code)
    {
        var drawn = Encode(code);
        var rows = new uint[drawn->Width];
        for (var i = 0; i < rows.Length * rows.Length; i++)
            rows[i / rows.Length] |= (uint)(drawn->Data[i] & 1) << (rows.Length - 1 - (i % rows.Length));
        Free(drawn);
        return rows;
    }

    private static unsafe Drawn* Encode(byte[] code)
    {
        var input = New(Version, LevelQ);
        var appended = Append(input, Alphanumeric, code.Length, code);
        var drawn = appended == 0 ? Encode(input) : null;
        var error = Marshal.GetLastPInvokeError();
        Free(input);
        return drawn is null ? throw new Win32Exception(error, "libqrencode draws no code.") : drawn;
    }

    [LibraryImport(Library, EntryPoint = "QRinput_new2")]
    private static partial nint New(int version, int level);

    [LibraryImport(Library, EntryPoint = "QRinput_append", SetLastError = true)]
    private static partial int Append(nint input, int mode, int size, byte[] data);

    [LibraryImport(Library, EntryPoint = "QRcode_encodeInput", SetLastError = true)]
    private static unsafe partial Drawn* Encode(nint input);

    [LibraryImport(Library, EntryPoint = "QRinput_free")]
    private static partial void Free(nint input);

    [LibraryImport(Library, EntryPoint = "QRcode_free")]
    private static unsafe partial void Free(Drawn* drawn);

    /// <summary>QRcode of qrencode.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Drawn
    {
        public int Version;
        public int Width;
        public byte* Data;
    }
}
