using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PassNumerique.Platform.Pdf;

namespace PassNumerique.Tests.Platform.Pdf;

/// <summary>Documents as other people's readers see them, and what they weigh.</summary>
internal sealed class PdfWriterTests
{
    [Test]
    public async Task A_document_is_clean_and_says_its_title_language_and_that_it_is_tagged()
    {
        var pdf = await DocumentAsync(3);
        await PdfTools.CheckAsync(pdf);
        var info = await PdfTools.InfoAsync(pdf);
        Assert.That(info, Does.Match("Title: +Été à l’école – œuvres").And.Match("Author: +Guéret").And.Match("Tagged: +yes")
            .And.Match("Pages: +3").And.Match("PDF version: +1.7"));
    }

    [Test]
    public async Task Text_is_read_in_its_order_and_decoration_is_not()
    {
        var structure = await PdfTools.StructureAsync(await DocumentAsync(2));
        var order = new[] { "Document", "Sect", "H1", "Page 1 : l’été coûte 5 €", "P", "Deuxième (ligne)", "Table", "TH", "Nom", "TD", "Guéret", "Page 2" };
        var at = -1;
        foreach (var expected in order)
        {
            var next = structure.IndexOf(expected, at + 1, StringComparison.Ordinal);
            Assert.That(next, Is.GreaterThan(at), $"{expected} in {structure}");
            at = next;
        }

        Assert.That(structure, Does.Not.Contain("filigrane"));
    }

    [Test]
    public async Task The_same_calls_give_the_same_bytes_and_another_document_another_identifier()
    {
        var once = await DocumentAsync(5);
        Assert.That(await DocumentAsync(5), Is.EqualTo(once));
        Assert.That(IdOf(await DocumentAsync(1)), Is.Not.EqualTo(IdOf(await DocumentAsync(1, "autre"))));
    }

    [Test]
    public async Task Hundreds_of_pages_have_nodes_bookmarks_and_parents_and_stay_small()
    {
        var pdf = await DocumentAsync(450);
        await PdfTools.CheckAsync(pdf);
        Assert.That(await PdfTools.InfoAsync(pdf), Does.Match("Pages: +450"));
        Assert.That(pdf.Length / 450, Is.LessThan(1_000));
        Assert.That(await PdfTools.StructureAsync(pdf), Does.Contain("Page 450"));
    }

    [Test]
    public void What_is_left_open_is_told()
    {
        var pdf = new PdfWriter(PipeWriter.Create(Stream.Null), new("t", "a", "fr", "x"));
        Assert.That(pdf.EndTag, Throws.InvalidOperationException);
        pdf.BeginPage();
        Assert.That(() => pdf.BeginPage(), Throws.InvalidOperationException);
        Assert.That(async () => await pdf.EndAsync(default), Throws.InvalidOperationException);
    }

    /// <summary>Two drawings in which a blank, EI and a blank would stand if rows were filled up with zeros.</summary>
    [TestCase(7, "EI ")]
    [TestCase(9, " EI")]
    public void A_drawing_does_not_end_before_its_end(int row, string bytes)
    {
        var rows = new uint[25];
        foreach (var c in bytes) rows[row] = (rows[row] << 8) | c;
        rows[row] <<= 1;
        var form = new PdfForm();
        form.Modules(0, 0, 25, rows);
        var drawn = Encoding.Latin1.GetString(form.Bytes);
        Assert.That(drawn, Does.Contain(bytes));
        Assert.That(Regex.Matches(drawn, "[\0\t\n\f\r ]EI[\0\t\n\f\r ]"), Has.Count.EqualTo(1));
    }

    /// <summary>Every letter of the code page in both fonts, against the widths that poppler lays the text out with.</summary>
    [Test]
    public void Widths_are_those_of_the_metrics()
    {
        Assert.That(StandardFont.Regular.Width("Hamburgefonstiv"), Is.EqualTo(722 + 556 + 833 + 556 + 556 + 333 + 556 + 556 + 278 + 556 + 556 + 500 + 278 + 222 + 500));
        Assert.That(StandardFont.Bold.Width("Été"), Is.EqualTo(667 + 333 + 556));
        Assert.That(StandardFont.Regular.Width("€ŒœŸ’–…"), Is.EqualTo(556 + 1000 + 944 + 667 + 222 + 556 + 1000));
        Assert.That(StandardFont.Fixed.Width("4ABC-DEFG"), Is.EqualTo(9 * 600));
    }

    [TestCase("Été à l’œuvre : 5 €…", true)]
    [TestCase("مرحبا", false)]
    [TestCase("Łódź", false)]
    [TestCase("?", true)]
    public void What_the_fonts_have_is_known(string text, bool has) => Assert.That(WinAnsi.Has(text), Is.EqualTo(has));

    [Test]
    public void Lines_break_between_words_and_the_last_one_says_that_more_would_follow()
    {
        var lines = TextLines.Fit(StandardFont.Regular, 10, 60, "Communauté d'agglomération du Grand Guéret", 2);
        Assert.That(lines, Has.Count.EqualTo(2));
        Assert.That(lines[^1], Does.EndWith("…"));
        foreach (var line in lines) Assert.That(StandardFont.Regular.Width(line) / 100.0, Is.LessThanOrEqualTo(60));
        Assert.That(TextLines.Fit(StandardFont.Regular, 10, 500, "Deux mots", 1), Is.EqualTo(new[] { "Deux mots" }));
        Assert.That(TextLines.Fit(StandardFont.Regular, 10, 40, "Anticonstitutionnellement", 1)[0], Does.EndWith("…"));
        Assert.That(TextLines.Fit(StandardFont.Regular, 10, 40, "  ", 3), Is.Empty);
    }

    [TestCase(0, 8, false)]
    [TestCase(2, 8, false)]
    [TestCase(4, 8, true)]
    [TestCase(6, 8, true)]
    [TestCase(3, 1, false)]
    public async Task A_png_of_each_kind_is_printed(byte kind, byte bits, bool hasAlpha)
    {
        var picture = PdfPicture.Read(Png(kind, bits, 9, 7), out var mistake);
        Assert.That((mistake, picture?.Width, picture?.Height, picture?.Alpha is not null), Is.EqualTo(((string?)null, (int?)9, (int?)7, hasAlpha)));
        await PdfTools.CheckAsync(await WithPictureAsync(picture!));
    }

    [Test]
    public void A_picture_that_cannot_be_printed_says_why()
    {
        Assert.Multiple(() =>
        {
            Refused([1, 2, 3], "ni un PNG ni un JPEG");
            Refused("GIF89a"u8.ToArray(), "ni un PNG ni un JPEG");
            Refused(Png(2, 16, 9, 7), "8 bits");
            Refused(Png(2, 8, 5_000, 7), "trop grande");
            Refused(Png(2, 8, 9, 7)[..60], "abîmée");
            Refused([0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0, 0], "abîmée");
            Refused([0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, 0, 10, 0, 10, 4, 0, 0, 0, 0], "CMJN");
        });

        static void Refused(byte[] file, string why)
        {
            Assert.That(PdfPicture.Read(file, out var mistake), Is.Null);
            Assert.That(mistake, Does.Contain(why));
        }
    }

    private static async Task<byte[]> DocumentAsync(int pages, string id = "un")
    {
        using var file = new MemoryStream();
        var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await using (var pdf = new PdfWriter(pipe, new("Été à l’école – œuvres", "Guéret", "fr", id)))
        {
            for (var i = 1; i <= pages; i++) WritePage(pdf, i);
            await pdf.EndAsync(default);
        }

        await pipe.CompleteAsync();
        return file.ToArray();
    }

    private static void WritePage(PdfWriter pdf, int number)
    {
        var page = pdf.BeginPage();
        pdf.Bookmark($"Page {number}", level: number % 10 == 1 ? 0 : 1);
        pdf.BeginTag("Sect");
        page.BeginArtifact();
        page.TextAt(StandardFont.Bold, 60, 100, 100, 30, "filigrane");
        page.Line(0, 0, 100, 100, dash: 3);
        page.Fill(10, 10, 20, 20, 0.8);
        page.Modules(300, 300, 50, [0b101, 0b010, 0b111]);
        page.EndArtifact();
        page.BeginLeaf("H1");
        page.Text(StandardFont.Bold, 20, 50, 780, $"Page {number} : l’été coûte 5 €");
        page.EndLeaf();
        page.BeginLeaf("P", language: "fr");
        page.TextBefore(StandardFont.Regular, 10, 300, 750, "Deuxième (ligne) \\ avec des signes");
        page.EndLeaf();
        pdf.BeginTag("Table");
        pdf.BeginTag("TR");
        page.BeginLeaf("TH");
        pdf.HeadsTheColumn();
        page.Text(StandardFont.Bold, 10, 50, 700, "Nom");
        page.EndLeaf();
        page.BeginLeaf("TD");
        page.TextAround(StandardFont.Regular, 10, 200, 700, "Guéret");
        page.EndLeaf();
        pdf.EndTag();
        pdf.EndTag();
        pdf.EndTag();
        pdf.EndPage();
    }

    private static async Task<byte[]> WithPictureAsync(PdfPicture picture)
    {
        using var file = new MemoryStream();
        var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await using var pdf = new PdfWriter(pipe, new("Logo", "Guéret", "fr", "logo"));
        var resource = pdf.Add(picture);
        var page = pdf.BeginPage();
        page.BeginArtifact();
        page.Draw(resource, 100, 100, 90, 70);
        page.EndArtifact();
        pdf.EndPage();
        await pdf.EndAsync(default);
        await pipe.CompleteAsync();
        return file.ToArray();
    }

    private static string IdOf(byte[] pdf)
    {
        var text = Encoding.Latin1.GetString(pdf);
        return text[text.LastIndexOf("/ID[", StringComparison.Ordinal)..][..40];
    }

    /// <summary>A picture of noise, each row with another filter.</summary>
    private static byte[] Png(byte kind, byte bits, int width, int height)
    {
        var channels = kind switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var bytesARow = ((width * channels * bits) + 7) / 8;
        var raw = new byte[(bytesARow + 1) * height];
        new Random(1).NextBytes(raw);
        for (var y = 0; y < height; y++) raw[y * (bytesARow + 1)] = (byte)(y % 5);
        using var data = new MemoryStream();
        using (var deflate = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true)) deflate.Write(raw);
        using var png = new MemoryStream();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        Chunk("IHDR", [.. Big(width), .. Big(height), bits, kind, 0, 0, 0]);
        if (kind == 3) Chunk("PLTE", [255, 255, 255, 0, 0, 0]);
        Chunk("IDAT", data.ToArray());
        Chunk("IEND", []);
        return png.ToArray();

        void Chunk(string name, byte[] bytes)
        {
            png.Write(Big(bytes.Length));
            png.Write(Encoding.ASCII.GetBytes(name));
            png.Write(bytes);
            png.Write(new byte[4]);
        }

        static byte[] Big(int number)
        {
            var bytes = new byte[4];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes, number);
            return bytes;
        }
    }
}
