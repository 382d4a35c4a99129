using System.IO.Pipelines;
using NUnit.Framework;
using PassNumerique.Platform.Pdf;

namespace PassNumerique.Tests.Platform.Pdf;

internal sealed class PageFlowTests
{
    [Test]
    public async Task A_table_longer_than_a_page_goes_on_under_its_head()
    {
        var pdf = await WriteAsync(paper => paper.Table(11,
            [new("Numéro", 1, IsNumber: true), new("Texte", 3)],
            [.. Enumerable.Range(1, 120).Select(i => new[] { $"{i}", $"ligne {i} (avec \\ et des parenthèses)" })],
            ["Total", "fin"]));
        await PdfTools.CheckAsync(pdf);
        Assert.That(await PdfTools.InfoAsync(pdf), Does.Match("Pages: +4").And.Match("Tagged: +yes").And.Match("Title: +Essai"));
        var text = await PdfTools.TextAsync(pdf);
        Assert.That(text.Split("Numéro Texte"), Has.Length.EqualTo(5), "a head a page");
        for (var i = 1; i <= 120; i++) Assert.That(text, Does.Contain($"{i} ligne {i} (avec \\ et des parenthèses)"));
        Assert.That(await PdfTools.StructureAsync(pdf), Does.Contain("Table").And.Contain("TH").And.Contain("Scope"));
    }

    [Test]
    public async Task A_word_longer_than_a_line_is_cut_and_nothing_is_lost()
    {
        var word = string.Concat(Enumerable.Range(0, 60).Select(i => $"mot{i:00}"));
        var pdf = await WriteAsync(paper => paper.Paragraph($"Avant {word} après", 14));
        await PdfTools.CheckAsync(pdf);
        var text = (await PdfTools.TextAsync(pdf)).Replace(" ", "", StringComparison.Ordinal);
        Assert.That(text, Does.Contain($"Avant{word}après"));
    }

    [Test]
    public async Task Steps_and_blanks_and_facts_are_read_in_their_order()
    {
        var pdf = await WriteAsync(paper =>
        {
            paper.Heading(1, "Titre");
            paper.Facts(11, ("Qui", "la mairie"), ("Rien", ""), ("Quoi", "deux carnets"));
            paper.Steps(["Venez.", "Apportez le carnet."], 14);
            paper.Blank("Date :", 14);
        });
        await PdfTools.CheckAsync(pdf);
        Assert.That(await PdfTools.TextAsync(pdf),
            Does.Contain("Titre Qui la mairie Quoi deux carnets 1. Venez. 2. Apportez le carnet. Date :").And.Not.Contain("Rien"));
        var structure = await PdfTools.StructureAsync(pdf);
        foreach (var tag in new[] { "H1", "TR", "TH", "TD", "LI", "Lbl", "LBody", "P" })
            Assert.That(structure, Does.Match($@"(?m)^\s*{tag}\b"), structure);
    }

    private static async Task<byte[]> WriteAsync(Action<PageFlow> write)
    {
        using var stream = new MemoryStream();
        var writer = PipeWriter.Create(stream);
        await using (var paper = new PageFlow(writer, new("Essai", "Collectivité", "fr", "essai"), arabicFont: null))
        {
            paper.BeginPart("Partie", "Pied");
            write(paper);
            paper.EndPart();
            await paper.EndAsync(CancellationToken.None);
        }

        return stream.ToArray();
    }
}
