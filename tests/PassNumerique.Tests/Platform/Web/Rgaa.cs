using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Web;

/// <summary>What every page must have for everybody to use it, as far as a machine can tell.</summary>
internal static class Rgaa
{
    private const string Csp =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    public static void Check(Seen page)
    {
        var document = page.Document;
        Assert.Multiple(() =>
        {
            Assert.That(page.Response.Headers.GetValues("Content-Security-Policy").Single(), Is.EqualTo(Csp));
            Assert.That(page.Response.Headers.GetValues("X-Content-Type-Options").Single(), Is.EqualTo("nosniff"));
            Assert.That(page.Response.Headers.GetValues("Referrer-Policy").Single(), Is.EqualTo("same-origin"));
            Assert.That(document.DocumentElement.GetAttribute("lang"), Is.EqualTo("fr"));
            Assert.That(document.Title, Does.EndWith(" – Pass numérique"));
            Assert.That(document.QuerySelectorAll("h1"), Has.Length.EqualTo(1));
            Assert.That(document.QuerySelectorAll("main"), Has.Length.EqualTo(1));
            Assert.That(document.QuerySelector("a.skip")!.GetAttribute("href"), Is.EqualTo("#" + document.QuerySelector("main")!.Id));
            Assert.That(document.QuerySelectorAll("script:not([src]), style, [style], iframe"), Is.Empty);
            Assert.That(document.All.SelectMany(e => e.Attributes).Where(a => a.Name.StartsWith("on", StringComparison.Ordinal)), Is.Empty);
            Assert.That(document.QuerySelectorAll("table").Where(t => t.QuerySelector("caption")?.TextContent.Trim() is not { Length: > 0 }), Is.Empty);
            Assert.That(document.QuerySelectorAll("th:not([scope])"), Is.Empty);
            Assert.That(document.QuerySelectorAll("fieldset").Where(f => f.QuerySelector(":scope > legend") is null), Is.Empty);
            Assert.That(Duplicates(document), Is.Empty, "ids are unique");
            Assert.That(Unlabelled(document), Is.Empty, "every field has a label");
            Assert.That(Dangling(document), Is.Empty, "what describes a field is on the page");
            Assert.That(Skipped(document), Is.Empty, "no heading level is skipped");
        });
    }

    private static IEnumerable<string> Duplicates(IDocument document) =>
        document.All.Where(e => e.Id is { Length: > 0 }).GroupBy(e => e.Id!).Where(g => g.Count() > 1).Select(g => g.Key);

    private static IEnumerable<string> Unlabelled(IDocument document) =>
        from field in document.QuerySelectorAll("input:not([type=hidden]), select, textarea")
        where document.QuerySelector($"label[for='{field.Id}']")?.TextContent.Trim() is not { Length: > 0 }
        select field.OuterHtml;

    private static IEnumerable<string> Dangling(IDocument document) =>
        from element in document.All
        from name in new[] { "aria-describedby", "aria-labelledby" }
        from id in (element.GetAttribute(name) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where document.GetElementById(id) is null
        select $"{name}={id}";

    private static IEnumerable<string> Skipped(IDocument document)
    {
        var last = 0;
        foreach (var heading in document.QuerySelectorAll("h1, h2, h3, h4").OfType<IHtmlHeadingElement>())
        {
            var level = heading.LocalName[1] - '0';
            if (level > last + 1) yield return $"{heading.LocalName} « {heading.TextContent.Trim()} » after h{last}";
            last = level;
        }
    }
}
