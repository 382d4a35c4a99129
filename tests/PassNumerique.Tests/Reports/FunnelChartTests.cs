using System.Xml.Linq;
using NUnit.Framework;
using PassNumerique.Reports;

namespace PassNumerique.Tests.Reports;

internal sealed class FunnelChartTests
{
    [Test]
    public void The_chart_says_in_words_what_its_bars_show()
    {
        var svg = XElement.Parse(FunnelChart.Svg([("Commandés", 50_000), ("Utilisés", 19_000)]));
        XNamespace ns = "http://www.w3.org/2000/svg";
        Assert.That(svg.Attribute("role")!.Value, Is.EqualTo("img"));
        Assert.That(svg.Element(ns + "desc")!.Value, Is.EqualTo("Commandés : 50\u202F000 ; Utilisés : 19\u202F000"));
        var widths = svg.Elements(ns + "rect").Select(r => long.Parse(r.Attribute("width")!.Value)).ToList();
        Assert.That(widths, Is.EqualTo(new[] { 340L, 129L }));
    }

    [Test]
    public void A_label_cannot_break_out()
    {
        var svg = FunnelChart.Svg([("<script>\"&", 1), ("Rien", 0)], "<b>");
        Assert.That(svg, Does.Not.Contain("<script").And.Not.Contain("<b>"));
        Assert.That(() => XElement.Parse(svg), Throws.Nothing);
    }

    [Test]
    public void Nothing_to_show_is_still_a_picture() =>
        Assert.That(() => XElement.Parse(FunnelChart.Svg([])), Throws.Nothing);
}
