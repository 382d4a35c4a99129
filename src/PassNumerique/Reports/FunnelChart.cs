using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using PassNumerique.Platform;

namespace PassNumerique.Reports;

/// <summary>
/// A bar chart as inline SVG: no script, no colour of its own but <c>currentColor</c> and CSS classes, so that
/// it reads in light and in dark; title and description say in words what the bars show.
/// </summary>
internal static class FunnelChart
{
    private const int RowHeight = 36;
    private const int LabelWidth = 150;
    private const int BarWidth = 340;
    private const int Width = 640;
    private const string Ink = "dominant-baseline=\"middle\" fill=\"currentColor\"";

    public static string Svg(IReadOnlyList<(string Label, long Value)> bars) => Svg(bars, "Parcours des pass");

    public static string Svg(IReadOnlyList<(string Label, long Value)> bars, string title)
    {
        var height = Math.Max(1, bars.Count) * RowHeight;
        var most = bars.Count == 0 ? 0 : Math.Max(0, bars.Max(b => b.Value));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg class=\"funnel\" role=\"img\" viewBox=\"0 0 {Width} {height}\" ");
        svg.Append("xmlns=\"http://www.w3.org/2000/svg\">");
        svg.Append(CultureInfo.InvariantCulture, $"<title>{Escape(title)}</title>");
        var words = string.Join(" ; ", bars.Select(b => $"{b.Label} : {French.Count(b.Value)}"));
        svg.Append(CultureInfo.InvariantCulture, $"<desc>{Escape(words)}</desc>");
        for (var i = 0; i < bars.Count; i++) Bar(svg, bars[i], i * RowHeight, most);
        return svg.Append("</svg>").ToString();
    }

    private static void Bar(StringBuilder svg, (string Label, long Value) bar, int top, long most)
    {
        var width = most == 0 ? 0 : (long)((Int128)Math.Max(0, bar.Value) * BarWidth / most);
        var middle = top + (RowHeight / 2);
        svg.Append(CultureInfo.InvariantCulture,
            $"<text class=\"funnel-label\" x=\"{LabelWidth - 8}\" y=\"{middle}\" text-anchor=\"end\" {Ink}>");
        svg.Append(Escape(bar.Label)).Append("</text>");
        svg.Append(CultureInfo.InvariantCulture,
            $"<rect class=\"funnel-bar\" x=\"{LabelWidth}\" y=\"{top + 4}\" width=\"{width}\" ");
        svg.Append(CultureInfo.InvariantCulture,
            $"height=\"{RowHeight - 8}\" rx=\"3\" fill=\"currentColor\" fill-opacity=\"0.55\"/>");
        svg.Append(CultureInfo.InvariantCulture,
            $"<text class=\"funnel-value\" x=\"{LabelWidth + width + 8}\" y=\"{middle}\" {Ink}>");
        svg.Append(French.Count(bar.Value)).Append("</text>");
    }

    private static string Escape(string text) => HtmlEncoder.Default.Encode(text);
}
