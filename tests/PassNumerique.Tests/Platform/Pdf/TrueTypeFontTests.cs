using NUnit.Framework;
using PassNumerique.Platform.Pdf;

namespace PassNumerique.Tests.Platform.Pdf;

/// <summary>A font of the machine; where there is none, the tests say so.</summary>
internal sealed class TrueTypeFontTests
{
    private byte[] _file = [];

    [SetUp]
    public void Find()
    {
        var path = ArabicFont.UsualPaths.FirstOrDefault(File.Exists);
        if (path is null) Assert.Ignore("no Arabic TrueType font here: install fonts-dejavu-core");
        _file = File.ReadAllBytes(path);
    }

    [Test]
    public void It_knows_its_characters_and_their_widths()
    {
        var font = TrueTypeFont.Read(_file);
        Assert.That(font.Has('\uFE8F') && font.Has('\uFEFC') && font.Has(' '), Is.True);
        Assert.That(font.Glyph('\uE123'), Is.Zero);
        Assert.That(font.Width(font.Glyph('\uFEB1')), Is.InRange(300, 2_000));
        Assert.That(font.Width(font.Glyph('\uFEB1')), Is.GreaterThan(font.Width(font.Glyph('\uFE8D'))));
        Assert.That((font.Ascent > 500, font.Descent < 0, font.MayBeEmbedded), Is.EqualTo((true, true, true)));
        Assert.That(font.Name, Does.Match("^[A-Za-z0-9-]+$").And.Not.EqualTo("Font"));
    }

    [Test]
    public void A_smaller_font_draws_the_same_glyphs()
    {
        var font = TrueTypeFont.Read(_file);
        var glyphs = new ushort[] { 0 }.Concat("\uFE8F\uFE91\uFEFC\uFE82 ".Select(c => font.Glyph(c))).ToArray();
        var bytes = font.Subset(glyphs);
        Assert.That(bytes, Has.Length.LessThan(_file.Length / 3));
        Assert.That(TableOf(bytes, "maxp").Length, Is.EqualTo(TableOf(_file, "maxp").Length));
        Assert.That(GlyphCount(bytes), Is.GreaterThanOrEqualTo(glyphs.Length));
        for (var i = 0; i < glyphs.Length; i++)
        {
            Assert.That(WidthAt(bytes, i), Is.EqualTo(font.Width(glyphs[i]) * UnitsPerEm(_file) / 1000).Within(1), $"{i}");
            Assert.That(OutlineLength(bytes, i) == 0, Is.EqualTo(OutlineLength(_file, glyphs[i]) == 0), $"{i}");
        }
    }

    [Test]
    public void The_same_glyphs_give_the_same_bytes()
    {
        ushort[] glyphs = [0, 5, 9, 12];
        var once = TrueTypeFont.Read(_file).Subset(glyphs);
        Assert.That(TrueTypeFont.Read([.. _file]).Subset(glyphs), Is.EqualTo(once));
    }

    [Test]
    public void The_sum_of_a_font_is_what_the_format_says()
    {
        var bytes = TrueTypeFont.Read(_file).Subset([0, 5, 9]);
        var sum = 0u;
        for (var at = 0; at < bytes.Length; at += 4) sum = unchecked(sum + U32(bytes, at));
        Assert.That(sum, Is.EqualTo(0xB1B0AFBA));
    }

    [TestCase(0, TestName = "Nothing")]
    [TestCase(11, TestName = "Half a header")]
    [TestCase(400, TestName = "A list of tables without them")]
    [TestCase(60_000, TestName = "Half a font")]
    public void A_damaged_font_is_refused(int bytes) =>
        Assert.Throws<InvalidDataException>(() => TrueTypeFont.Read(_file[..bytes]));

    [Test]
    public void What_is_no_font_is_refused() =>
        Assert.Throws<InvalidDataException>(() => TrueTypeFont.Read(new byte[5_000]));

    private static uint U32(byte[] file, int at) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));

    private static int U16(ReadOnlySpan<byte> file, int at) => System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(file[at..]);

    private static ReadOnlySpan<byte> TableOf(byte[] file, string name)
    {
        for (var i = 0; i < U16(file, 4); i++)
        {
            var record = 12 + (16 * i);
            if (System.Text.Encoding.ASCII.GetString(file, record, 4) == name)
                return file.AsSpan((int)U32(file, record + 8), (int)U32(file, record + 12));
        }

        throw new InvalidOperationException(name);
    }

    private static int GlyphCount(byte[] file) => U16(TableOf(file, "maxp"), 4);

    private static int UnitsPerEm(byte[] file) => U16(TableOf(file, "head"), 18);

    private static int WidthAt(byte[] file, int glyph) => U16(TableOf(file, "hmtx"), glyph * 4);

    private static long OutlineLength(byte[] file, int glyph)
    {
        var loca = TableOf(file, "loca");
        return U16(TableOf(file, "head"), 50) == 0
            ? U16(loca, (glyph + 1) * 2) - U16(loca, glyph * 2)
            : System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(loca[((glyph + 1) * 4)..])
                - System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(loca[(glyph * 4)..]);
    }
}
