using System.IO.Pipelines;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Pdf;
using PassNumerique.Sites;

namespace PassNumerique.Orders;

/// <summary>What all letters of an order have in common.</summary>
internal sealed record LetterOrder(
    string Id, string ConventionId, string AuthorityId, long VouchersPerBooklet, long CreditMinutes, long ValidUntilDay,
    string AuthorityName, long Cancelled);

/// <summary>Booklets of one distribution point.</summary>
internal sealed record LetterLot(
    long FirstSerial, long LastSerial, string PointId, string PointName, string PointAddress, string PointCommune);

/// <summary>In which words and letters, under which terms, and where the passes can be spent.</summary>
internal sealed record LetterSetting(
    LetterText Text, TrueTypeFont? ArabicFont, Terms Terms, SitesNear Sites, string? Telephone);

/// <summary>
/// Writes the covering letters, one a booklet: a page that says what the passes are and how to use them, and one
/// with the places near the desk that hands the booklet out, as nobody knows yet where its person lives.
/// </summary>
internal static class Letters
{
    /// <summary>More is no help: a list that nobody reads to its end.</summary>
    private const int MaxSites = 12;

    private const double BodySize = 14;
    private const double SiteSize = 12;

    /// <summary>What a site takes on the page at least: when it no longer fits, the list ends.</summary>
    private const double FooterHeight = 40;

    public static async Task WriteAsync(
        PipeWriter writer, LetterOrder order, IReadOnlyList<LetterLot> lots, LetterSetting setting, Courtesy courtesy,
        IProgress<long>? progress, CancellationToken ct)
    {
        await using var paper = new PageFlow(
            writer, new(setting.Text.Title, order.AuthorityName, setting.Text.Code, $"lettres {order.Id} {setting.Text.Code}"),
            setting.ArabicFont);
        var written = 0L;
        foreach (var lot in lots)
        {
            var sites = setting.Sites.From(lot.PointCommune);
            for (var booklet = lot.FirstSerial; booklet <= lot.LastSerial; booklet += order.VouchersPerBooklet)
            {
                WriteLetter(paper, order, lot, sites, setting, booklet);
                progress?.Report(written += order.VouchersPerBooklet);
                if (!await paper.FlushAsync(ct)) return;
                await courtesy.GiveWayAsync(ct);
            }
        }

        await paper.EndAsync(ct);
    }

    private static void WriteLetter(
        PageFlow paper, LetterOrder order, LetterLot lot, IReadOnlyList<SiteNear> sites, LetterSetting setting, long booklet)
    {
        var text = setting.Text;
        var facts = new LetterFacts(
            booklet, order.VouchersPerBooklet, order.CreditMinutes, order.ValidUntilDay, setting.Terms.WholeVouchersOnly,
            setting.Terms.OwnShareCents, lot.PointName, $"{lot.PointAddress}, {Territories.Name(lot.PointCommune)}",
            setting.Telephone);
        paper.BeginPart(text.BookletName(booklet), $"{order.AuthorityName} – {text.BookletName(booklet)}");
        paper.Note(order.AuthorityName);
        paper.Heading(1, text.Title);
        paper.Paragraph(text.BookletName(booklet), BodySize, isBold: true);
        foreach (var section in text.Sections(facts)) WriteSection(paper, section);
        paper.NextPage();
        WriteSites(paper, lot, sites, text);
        paper.EndPart();
    }

    private static void WriteSection(PageFlow paper, LetterSection section)
    {
        paper.Heading(2, section.Heading);
        if (section.Lines[0].Kind == LetterLineKind.Step)
        {
            paper.Steps([.. section.Lines.Select(l => l.Text)], BodySize);
            return;
        }

        foreach (var line in section.Lines)
        {
            if (line.Kind == LetterLineKind.Blank) paper.Blank(line.Text, BodySize);
            else paper.Paragraph(line.Text, BodySize);
        }
    }

    private static void WriteSites(PageFlow paper, LetterLot lot, IReadOnlyList<SiteNear> sites, LetterText text)
    {
        paper.Heading(2, text.Where);
        if (sites.Count == 0) paper.Paragraph(text.Nowhere, BodySize);
        SiteDistance? distance = null;
        for (var i = 0; i < sites.Count; i++)
        {
            var lines = SiteLines(sites[i], text);
            var needed = paper.HeightOf(lines, SiteSize) + (distance == sites[i].Distance ? 0 : FooterHeight);
            if (i == MaxSites || paper.Left < needed + FooterHeight)
            {
                paper.Paragraph(text.More(sites.Count - i), SiteSize);
                return;
            }

            if (distance != sites[i].Distance)
            {
                distance = sites[i].Distance;
                paper.Heading(3, text.Nearness(distance.Value, SitesNear.PlaceName(distance.Value, lot.PointCommune)));
            }

            paper.Block(lines, SiteSize);
        }
    }

    /// <summary>The name first, then one thing a line.</summary>
    private static List<string> SiteLines(SiteNear site, LetterText text)
    {
        var lines = new List<string> { site.Name, $"{site.Address}, {site.Postcode} {site.CommuneName}" };
        if (site.Phone is { } phone) lines.Add($"{text.TelephoneLabel} {LetterText.Telephone(phone)}");
        lines.AddRange(text.Hours(site.Hours));
        lines.Add($"{text.ServicesLabel} {string.Join(text.IsRightToLeft ? "، " : ", ", site.Services.Select(text.Service))}");
        return lines;
    }
}
