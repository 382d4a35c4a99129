using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Vouchers;

internal sealed class QrImageTests
{
    private const int Side = 33;

    /// <summary>Any pattern, as a picture must show what it is given, code or not.</summary>
    private static uint[] Rows(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, QrImage.Modules).Select(_ => (uint)random.Next(1 << QrImage.Modules))];
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void A_png_shows_each_module_as_eight_by_eight_pixels(int seed)
    {
        var rows = Rows(seed);
        var png = new byte[QrImage.PngBytes];
        Assert.That(QrImage.WritePng(rows, png), Is.EqualTo(png.Length));
        var chunks = Chunks(png);
        Assert.That(chunks.Select(c => c.Kind), Is.EqualTo(new[] { "IHDR", "IDAT", "IEND" }));
        Assert.That(chunks[0].Data, Is.EqualTo(new byte[] { 0, 0, 1, 8, 0, 0, 1, 8, 1, 0, 0, 0, 0 }));

        // The stream checks the Adler sum at its end.
        using var inflated = new MemoryStream();
        using (var zlib = new ZLibStream(new MemoryStream(chunks[1].Data), CompressionMode.Decompress)) zlib.CopyTo(inflated);
        var pixels = inflated.ToArray();
        Assert.That(pixels, Has.Length.EqualTo(264 * 34));
        for (var y = 0; y < 264; y++)
        {
            Assert.That(pixels[y * 34], Is.Zero);
            for (var x = 0; x < Side; x++)
                if (pixels[(y * 34) + 1 + x] != (IsDark(rows, x, y / 8) ? 0 : 255)) Assert.Fail($"{x}, {y}");
        }
    }

    [Test]
    public void Black_white_and_mixed_pictures_have_one_size_and_a_true_sum()
    {
        foreach (var rows in new[] { new uint[25], [.. Enumerable.Repeat((1u << 25) - 1, 25)], Rows(9) })
        {
            var png = new byte[QrImage.PngBytes];
            QrImage.WritePng(rows, png);
            var data = Chunks(png)[1].Data;
            using var inflated = new MemoryStream();
            using (var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress)) zlib.CopyTo(inflated);
            Assert.That(BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(data.Length - 4)), Is.EqualTo(Adler(inflated.ToArray())));
        }
    }

    [Test]
    public void An_svg_shows_the_same_modules()
    {
        var rows = Rows(4);
        var svg = QrImage.Svg(rows);
        var shown = new HashSet<(int X, int Y)>();
        var (x, y) = (0, 0);
        foreach (Match move in Regex.Matches(svg, @"M(\d+) (\d+)\.5|m(\d+) 0|h(\d+)(?=[Mmh""])"))
        {
            if (move.Groups[1].Success) (x, y) = (int.Parse(move.Groups[1].Value), int.Parse(move.Groups[2].Value));
            else if (move.Groups[3].Success) x += int.Parse(move.Groups[3].Value);
            else for (var end = x + int.Parse(move.Groups[4].Value); x < end; x++) shown.Add((x, y));
        }

        for (var row = 0; row < Side; row++)
            for (var column = 0; column < Side; column++)
                Assert.That(shown.Contains((column, row)), Is.EqualTo(IsDark(rows, column, row)), $"{column}, {row}");
        Assert.DoesNotThrow(() => System.Xml.Linq.XDocument.Parse(svg));
    }

    private static bool IsDark(uint[] rows, int x, int y) =>
        x is >= 4 and < 29 && y is >= 4 and < 29 && ((rows[y - 4] >> (24 - (x - 4))) & 1) != 0;

    private static List<(string Kind, byte[] Data)> Chunks(byte[] png)
    {
        Assert.That(png[..8], Is.EqualTo(new byte[] { 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A }));
        var chunks = new List<(string, byte[])>();
        for (var at = 8; at < png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            var crc = BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at + 8 + length));
            Assert.That(crc, Is.EqualTo(StoredZip.Crc32(png.AsSpan(at + 4, length + 4))));
            chunks.Add((System.Text.Encoding.ASCII.GetString(png, at + 4, 4), png[(at + 8)..(at + 8 + length)]));
            at += 12 + length;
        }

        return chunks;
    }

    private static uint Adler(byte[] bytes)
    {
        var (a, b) = (1u, 0u);
        foreach (var value in bytes)
        {
            a = (a + value) % 65_521;
            b = (b + a) % 65_521;
        }

        return (b << 16) | a;
    }
}
