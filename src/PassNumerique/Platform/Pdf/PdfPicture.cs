using System.Buffers.Binary;
using System.IO.Compression;

namespace PassNumerique.Platform.Pdf;

/// <summary>
/// A picture as PDF takes it: a JPEG as it is, a PNG unpacked, its transparency apart. Reads what a collectivité has as
/// its logo, and says what is wrong with the rest.
/// </summary>
internal sealed record PdfPicture(
    int Width, int Height, string ColourSpace, int BitsAComponent, byte[] Bytes, byte[]? Alpha, bool IsJpeg)
{
    /// <summary>A logo of more shows nothing more on paper.</summary>
    public const int MaxSide = 4_000;

    private const int PngHeader = 8;

    private static ReadOnlySpan<byte> PngMark => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>The picture of a file; null and the reason, in French, where it can't be printed.</summary>
    public static PdfPicture? Read(byte[] file, out string? mistake)
    {
        try
        {
            mistake = null;
            if (file.AsSpan().StartsWith(PngMark)) return ReadPng(file);
            if (file is [0xFF, 0xD8, 0xFF, ..]) return ReadJpeg(file);
            mistake = "Cette image n'est ni un PNG ni un JPEG : enregistrez-la dans l'un de ces formats.";
            return null;
        }
        catch (PictureException exception)
        {
            mistake = exception.Message;
            return null;
        }
        catch (Exception exception) when (exception is InvalidDataException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            mistake = "Cette image est abîmée : ouvrez-la dans un logiciel de dessin et enregistrez-la de nouveau.";
            return null;
        }
    }

    private static PdfPicture ReadJpeg(byte[] file)
    {
        for (var at = 2; at + 9 < file.Length;)
        {
            if (file[at] != 0xFF) throw new InvalidDataException();
            var marker = file[at + 1];
            if (marker == 0xFF)
            {
                at++;
                continue;
            }

            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                if (marker is not (0xC0 or 0xC1 or 0xC2)) throw new PictureException("Ce JPEG est d'une forme rare : enregistrez-le en PNG.");
                var height = BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 5));
                var width = BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 7));
                Check(width, height);
                var colours = file[at + 9] switch
                {
                    1 => "/DeviceGray",
                    3 => "/DeviceRGB",
                    _ => throw new PictureException("Ce JPEG est en couleurs d'imprimerie (CMJN) : enregistrez-le en RVB, ou en PNG."),
                };
                return new(width, height, colours, file[at + 4], file, null, IsJpeg: true);
            }

            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 2));
        }

        throw new InvalidDataException();
    }

    private static PdfPicture ReadPng(byte[] file)
    {
        var head = file.AsSpan(PngHeader + 8);
        var (width, height) = (checked((int)BinaryPrimitives.ReadUInt32BigEndian(head)), checked((int)BinaryPrimitives.ReadUInt32BigEndian(head[4..])));
        var (bits, kind, isInterlaced) = (head[8], head[9], head[12] != 0);
        Check(width, height);
        if (isInterlaced) throw new PictureException("Ce PNG est entrelacé : enregistrez-le sans entrelacement.");
        var isKnown = kind switch
        {
            0 or 3 => bits is 1 or 2 or 4 or 8,
            2 or 4 or 6 => bits == 8,
            _ => false,
        };
        if (!isKnown) throw new PictureException("Ce PNG a plus de 8 bits par couleur : enregistrez-le en 8 bits.");

        var (data, palette, transparency) = Chunks(file);
        var channels = kind switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var rows = Unfilter(data, width, height, channels, bits);
        return kind switch
        {
            3 => Indexed(width, height, bits, rows, palette, transparency),
            4 or 6 => Split(width, height, channels, rows),
            _ => new(width, height, kind == 0 ? "/DeviceGray" : "/DeviceRGB", bits, rows, null, IsJpeg: false),
        };
    }

    private static void Check(int width, int height)
    {
        if (width is < 1 or > MaxSide || height is < 1 or > MaxSide)
            throw new PictureException($"Cette image est trop grande : au plus {MaxSide} pixels de côté.");
    }

    private static (MemoryStream Data, byte[] Palette, byte[] Transparency) Chunks(byte[] file)
    {
        var (data, palette, transparency) = (new MemoryStream(), Array.Empty<byte>(), Array.Empty<byte>());
        for (var at = PngHeader; at + 12 <= file.Length;)
        {
            var length = checked((int)BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at)));
            var name = file.AsSpan(at + 4, 4);
            var bytes = file.AsSpan(at + 8, length);
            if (name.SequenceEqual("IDAT"u8)) data.Write(bytes);
            else if (name.SequenceEqual("PLTE"u8)) palette = bytes.ToArray();
            else if (name.SequenceEqual("tRNS"u8)) transparency = bytes.ToArray();
            else if (name.SequenceEqual("IEND"u8)) break;
            at += length + 12;
        }

        data.Position = 0;
        return (data, palette, transparency);
    }

    /// <summary>The rows without their filters (PNG, third edition, 9).</summary>
    private static byte[] Unfilter(MemoryStream data, int width, int height, int channels, int bits)
    {
        var bytesARow = ((width * channels * bits) + 7) / 8;
        var step = Math.Max(1, channels * bits / 8);
        var rows = new byte[bytesARow * height];
        using var inflate = new ZLibStream(data, CompressionMode.Decompress);
        Span<byte> before = new byte[bytesARow];
        for (var y = 0; y < height; y++)
        {
            var filter = inflate.ReadByte();
            var row = rows.AsSpan(y * bytesARow, bytesARow);
            inflate.ReadExactly(row);
            Unfilter(row, before, step, filter);
            before = row;
        }

        return rows;
    }

    private static void Unfilter(Span<byte> row, ReadOnlySpan<byte> above, int step, int filter)
    {
        if (filter is < 0 or > 4) throw new InvalidDataException();
        for (var i = 0; i < row.Length; i++)
        {
            int left = i < step ? 0 : row[i - step], corner = i < step ? 0 : above[i - step];
            var guess = filter switch
            {
                1 => left,
                2 => above[i],
                3 => (left + above[i]) / 2,
                4 => Paeth(left, above[i], corner),
                _ => 0,
            };
            row[i] = (byte)((row[i] + guess) & 0xFF);
        }
    }

    private static int Paeth(int left, int above, int corner)
    {
        var sum = left + above - corner;
        var (a, b, c) = (Math.Abs(sum - left), Math.Abs(sum - above), Math.Abs(sum - corner));
        return a <= b && a <= c ? left : b <= c ? above : corner;
    }

    private static PdfPicture Indexed(int width, int height, int bits, byte[] rows, byte[] palette, byte[] transparency)
    {
        var colours = palette.Length / 3;
        if (colours is < 1 or > 256) throw new InvalidDataException();
        var space = $"[/Indexed/DeviceRGB {colours - 1} <{Convert.ToHexString(palette, 0, colours * 3)}>]";
        if (transparency.Length == 0) return new(width, height, space, bits, rows, null, IsJpeg: false);
        var alpha = new byte[width * height];
        var bytesARow = ((width * bits) + 7) / 8;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var bit = x * bits;
                var index = (rows[(y * bytesARow) + (bit / 8)] >> (8 - bits - (bit % 8))) & ((1 << bits) - 1);
                alpha[(y * width) + x] = index < transparency.Length ? transparency[index] : (byte)255;
            }
        }

        return new(width, height, space, bits, rows, alpha, IsJpeg: false);
    }

    private static PdfPicture Split(int width, int height, int channels, byte[] rows)
    {
        var (colours, alpha) = (new byte[width * height * (channels - 1)], new byte[width * height]);
        for (var i = 0; i < alpha.Length; i++)
        {
            rows.AsSpan(i * channels, channels - 1).CopyTo(colours.AsSpan(i * (channels - 1)));
            alpha[i] = rows[(i * channels) + channels - 1];
        }

        return new(width, height, channels == 2 ? "/DeviceGray" : "/DeviceRGB", 8, colours, alpha, IsJpeg: false);
    }

    private sealed class PictureException(string message) : Exception(message);
}
