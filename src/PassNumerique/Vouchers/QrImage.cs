using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using PassNumerique.Platform;

namespace PassNumerique.Vouchers;

/// <summary>
/// The QR code of a pass as a picture of its own, for a printing house that sets its own pages: 25 modules with the
/// quiet zone of 4 on each side. Rows are given as bits, the leftmost module the highest of 25.
/// </summary>
internal static class QrImage
{
    public const int Modules = 25;
    private const int QuietModules = 4;
    private const int Side = Modules + (2 * QuietModules);

    /// <summary>A module is eight pixels wide, one byte of black or white, and eight lines high.</summary>
    private const int Scale = 8;
    private const int LineBytes = 1 + Side;

    private const int ChunkBytes = 12;
    private const int DeflatedBytes = 2 + HeadAndEndBytes + (Side * RowBytes) + 4;

    /// <summary>113 bits of the block's head, 2 of its end; each row between them takes 80.</summary>
    private const int HeadAndEndBytes = 15;
    private const int RowBytes = 10;
    private const uint AdlerModulus = 65_521;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Every picture has the same size, whatever its modules: so does an archive of them.</summary>
    public static int PngBytes { get; } = Signature.Length + ChunkBytes + 13 + ChunkBytes + DeflatedBytes + ChunkBytes;

    /// <summary>
    /// Black on white, one bit a pixel. The pixels are deflated by hand: of all symbols only four occur (black byte,
    /// white byte, "the line before seven times over", end), two bits each.
    /// </summary>
    public static int WritePng(ReadOnlySpan<uint> rows, Span<byte> png)
    {
        Signature.CopyTo(png);
        var at = Signature.Length;
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Side * Scale);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], Side * Scale);
        header[8] = 1;
        Chunk(png, ref at, "IHDR"u8, header);
        Span<byte> data = stackalloc byte[DeflatedBytes];
        Deflate(rows, data);
        Chunk(png, ref at, "IDAT"u8, data);
        Chunk(png, ref at, "IEND"u8, []);
        return at;
    }

    /// <summary>A line of runs a row of modules, so that a scaled picture has no seams.</summary>
    public static string Svg(ReadOnlySpan<uint> rows)
    {
        var path = new StringBuilder(2_048);
        for (var y = 0; y < Modules; y++)
        {
            var end = 0;
            for (var x = 0; x < Modules; x++)
            {
                if (!IsDark(rows[y], x)) continue;
                var from = x;
                while (x + 1 < Modules && IsDark(rows[y], x + 1)) x++;
                if (end == 0) path.Append(CultureInfo.InvariantCulture, $"M{from + QuietModules} {y + QuietModules}.5");
                else path.Append(CultureInfo.InvariantCulture, $"m{from - end} 0");
                path.Append(CultureInfo.InvariantCulture, $"h{x + 1 - from}");
                end = x + 1;
            }
        }

        return $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Side} {Side}" shape-rendering="crispEdges">"""
            + $"""<path fill="#fff" d="M0 0h{Side}v{Side}H0z"/><path stroke="#000" d="{path}"/></svg>""";
    }

    private static bool IsDark(uint row, int x) => ((row >> (Modules - 1 - x)) & 1) != 0;

    /// <summary>
    /// One block with its own code (RFC 1951): 0 is 00, 255 is 01, the end is 10, length 238 is 11 with its
    /// extra bits, and the only distance, one line, is 0 with its own.
    /// </summary>
    private static void Deflate(ReadOnlySpan<uint> rows, Span<byte> data)
    {
        data.Clear();
        (data[0], data[1]) = (0x78, 0x01);
        var bits = new Bits(data[2..]);
        bits.Put(0b101, 3);
        bits.Put(28, 5);
        bits.Put(10, 5);
        bits.Put(14, 4);
        PutCodeLengths(ref bits);
        var (a, b) = (1u, 0u);
        for (var y = -QuietModules; y < Modules + QuietModules; y++)
        {
            // White where no module is dark; the quiet zone is on both sides.
            var light = ~((y is >= 0 and < Modules ? rows[y] : 0ul) << QuietModules) & ((1ul << Side) - 1);
            bits.Put(0, 2);
            for (var x = Side - 1; x >= 0; x--) bits.Put(((light >> x) & 1) != 0 ? 0b10u : 0b00u, 2);
            bits.Put(0b11, 2);
            bits.Put(238 - 227, 5);
            bits.Put(0, 1);
            bits.Put(LineBytes - 33, 4);
            for (var line = 0; line < Scale; line++) AddLine(light, ref a, ref b);
        }

        bits.Put(0b01, 2);
        BinaryPrimitives.WriteUInt32BigEndian(data[^4..], (b << 16) | a);
    }

    /// <summary>
    /// The lengths of the codes, themselves coded: 1 is 00, 2 is 01, "3 to 10 zeros" is 10, "11 to 138 zeros" is 11.
    /// Codes are written with their first bit first, so 01 and 10 change places.
    /// </summary>
    private static void PutCodeLengths(ref Bits bits)
    {
        ReadOnlySpan<byte> lengths = [0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2];
        foreach (var length in lengths) bits.Put(length, 3);
        bits.Put(0b10, 2);
        PutZeros(ref bits, 138);
        PutZeros(ref bits, 116);
        bits.Put(0b10, 2);
        bits.Put(0b10, 2);
        PutZeros(ref bits, 27);
        bits.Put(0b10, 2);
        bits.Put(0b01, 2);
        bits.Put(10 - 3, 3);
        bits.Put(0b00, 2);
    }

    private static void PutZeros(ref Bits bits, uint count)
    {
        bits.Put(0b11, 2);
        bits.Put(count - 11, 7);
    }

    /// <summary>The Adler-32 of one more line: a zero, then 255 for each light module.</summary>
    private static void AddLine(ulong light, ref uint a, ref uint b)
    {
        var (sum, weighted) = (0u, 0u);
        for (var rest = light; rest != 0; rest &= rest - 1)
        {
            sum += 255;
            weighted += 255 * (uint)(BitOperations.TrailingZeroCount(rest) + 1);
        }

        b = (b + (LineBytes * a) + weighted) % AdlerModulus;
        a = (a + sum) % AdlerModulus;
    }

    private static void Chunk(Span<byte> png, ref int at, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> data)
    {
        BinaryPrimitives.WriteInt32BigEndian(png[at..], data.Length);
        kind.CopyTo(png[(at + 4)..]);
        data.CopyTo(png[(at + 8)..]);
        var check = StoredZip.Crc32(png.Slice(at + 4, 4 + data.Length));
        BinaryPrimitives.WriteUInt32BigEndian(png[(at + 8 + data.Length)..], check);
        at += ChunkBytes + data.Length;
    }

    /// <summary>Bits from the lowest of each byte on.</summary>
    private ref struct Bits(Span<byte> to)
    {
        private readonly Span<byte> _to = to;
        private int _at;

        public void Put(uint value, int count)
        {
            for (var i = 0; i < count; i++, _at++)
                if (((value >> i) & 1) != 0) _to[_at / 8] |= (byte)(1 << (_at % 8));
        }
    }
}
