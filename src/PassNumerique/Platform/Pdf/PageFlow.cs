using System.Globalization;
using System.IO.Pipelines;

namespace PassNumerique.Platform.Pdf;

/// <summary>A column of a table; widths are shares of the page.</summary>
internal sealed record PaperColumn(string Heading, double Share, bool IsNumber = false);

/// <summary>
/// Text that flows down A4 pages: headings, paragraphs, steps, blanks to fill in, tables whose head comes again on
/// each page. Everything is tagged in its reading order. With an Arabic font it runs from right to left.
/// </summary>
internal sealed class PageFlow : IAsyncDisposable
{
    private const double PageHeight = 841.89;
    private const double PageWidth = 595.28;
    private const double Margin = 54;
    private const double Width = PageWidth - (2 * Margin);
    private const double FooterAt = 34;
    private const double FooterSize = 9;
    private const double NoteSize = 10;
    private const double Leading = 1.32;
    private const double CellPadding = 4;
    private const double RuleWidth = 0.6;
    private const double NumberGap = 14;
    private const double StepIndent = 20;

    /// <summary>A hand needs more room than type.</summary>
    private const double BlankHeight = 1.6;
    private const double LabelShare = 0.26;

    private static readonly double[] HeadingSizes = [22, 15, 13];

    private readonly PdfWriter _pdf;
    private readonly EmbeddedFont? _arabic;
    private PdfPage _page = null!;
    private string _footer = "";
    private double _y;
    private int _pagesOfPart;

    public PageFlow(PipeWriter writer, PdfInfo info, TrueTypeFont? arabicFont)
    {
        _pdf = new(writer, info);
        if (arabicFont is null) return;
        _arabic = new(_pdf.NextFontName, arabicFont);
        _pdf.Add(_arabic);
    }

    private bool IsRightToLeft => _arabic is not null;

    /// <summary>The height that is left on this page.</summary>
    public double Left => _y - Margin;

    /// <summary>A part begins a page of its own, and is found by its bookmark.</summary>
    public void BeginPart(string bookmark, string footer)
    {
        (_footer, _pagesOfPart) = (footer, 0);
        BeginPage();
        _pdf.Bookmark(bookmark);
        _pdf.BeginTag("Sect");
    }

    public void EndPart()
    {
        _pdf.EndTag();
        EndPage();
    }

    public void NextPage()
    {
        EndPage();
        BeginPage();
    }

    public void Note(string text) => Lines("P", text, NoteSize, isBold: false);

    /// <summary>A heading stays with at least two lines of what follows it.</summary>
    public void Heading(int level, string text)
    {
        var size = HeadingSizes[level - 1];
        var gap = level == 1 ? 10 : level == 2 ? 11 : 7;
        Need(gap + (size * Leading) + (2 * 14 * Leading));
        _y -= gap;
        Lines($"H{level}", text, size, isBold: true);
        _y -= 2;
    }

    public void Paragraph(string text, double size, bool isBold = false) => Lines("P", text, size, isBold);

    /// <summary>A numbered list.</summary>
    public void Steps(IReadOnlyList<string> steps, double size)
    {
        _pdf.BeginTag("L");
        for (var i = 0; i < steps.Count; i++)
        {
            var lines = Wrap(steps[i], size, isBold: false, Width - StepIndent);
            Need(lines.Count * size * Leading);
            _pdf.BeginTag("LI");
            Leaf("Lbl", [$"{(i + 1).ToString(CultureInfo.InvariantCulture)}."], size, isBold: false, Margin, Width);
            _y += size * Leading;
            Leaf("LBody", lines, size, isBold: false, IsRightToLeft ? Margin : Margin + StepIndent, Width - StepIndent);
            _pdf.EndTag();
        }

        _pdf.EndTag();
    }

    /// <summary>A label and a line to write on.</summary>
    public void Blank(string label, double size)
    {
        Need(size * Leading * BlankHeight);
        _y -= size * Leading * (BlankHeight - 1);
        Leaf("P", [label], size, isBold: false, Margin, Width);
        var (at, taken) = (_y + Descent(size) - 2, WidthOf(label, size, isBold: false) + 8);
        if (IsRightToLeft) Rule(Margin, Margin + Width - taken, at, RuleWidth);
        else Rule(Margin + taken, Margin + Width, at, RuleWidth);
    }

    /// <summary>Lines that belong together, the first one in bold: they stay on one page.</summary>
    public void Block(IReadOnlyList<string> lines, double size)
    {
        Need(HeightOf(lines, size));
        _pdf.BeginTag("Div");
        for (var i = 0; i < lines.Count; i++) Lines("P", lines[i], size, isBold: i == 0);
        _pdf.EndTag();
        _y -= size * 0.5;
    }

    /// <summary>What <see cref="Block"/> takes.</summary>
    public double HeightOf(IReadOnlyList<string> lines, double size)
    {
        var count = 0;
        for (var i = 0; i < lines.Count; i++) count += Wrap(lines[i], size, isBold: i == 0, Width).Count;
        return (count * size * Leading) + (size * 0.5);
    }

    /// <summary>Labels with what they say; those that say nothing are left out.</summary>
    public void Facts(double size, params ReadOnlySpan<(string Label, string Text)> facts)
    {
        _pdf.BeginTag("Table");
        foreach (var (label, text) in facts)
        {
            if (text.Length == 0) continue;
            Row(size, [new(label, LabelShare), new(text, 1 - LabelShare)], [label, text], RowKind.Fact);
        }

        _pdf.EndTag();
    }

    /// <summary>A table, ruled under its head and over its total.</summary>
    public void Table(
        double size, IReadOnlyList<PaperColumn> columns, IReadOnlyList<IReadOnlyList<string>> rows, IReadOnlyList<string>? total)
    {
        _y -= 3;
        BeginTable(size, columns);
        foreach (var row in rows)
        {
            if (Left < RowHeight(size, columns, row, isBold: false)) AnotherTable(size, columns);
            Row(size, columns, row, RowKind.Body);
        }

        if (total is not null)
        {
            if (Left < RowHeight(size, columns, total, isBold: true)) AnotherTable(size, columns);
            Row(size, columns, total, RowKind.Total);
        }

        _pdf.EndTag();
        _y -= 4;
    }

    /// <summary>Sends what is finished; false when nobody takes it any more.</summary>
    public ValueTask<bool> FlushAsync(CancellationToken ct) => _pdf.FlushAsync(ct);

    public Task EndAsync(CancellationToken ct) => _pdf.EndAsync(ct);

    public ValueTask DisposeAsync() => _pdf.DisposeAsync();

    private void BeginTable(double size, IReadOnlyList<PaperColumn> columns)
    {
        var headings = columns.Select(c => c.Heading).ToList();
        Need(RowHeight(size, columns, headings, isBold: true) + (3 * size * Leading));
        _pdf.BeginTag("Table");
        Row(size, columns, headings, RowKind.Head);
    }

    /// <summary>What does not fit goes on on the next page, as a table with a head of its own.</summary>
    private void AnotherTable(double size, IReadOnlyList<PaperColumn> columns)
    {
        _pdf.EndTag();
        NextPage();
        BeginTable(size, columns);
    }

    private enum RowKind
    {
        Head,
        Body,
        Total,
        Fact,
    }

    private void Row(double size, IReadOnlyList<PaperColumn> columns, IReadOnlyList<string> cells, RowKind kind)
    {
        var height = RowHeight(size, columns, cells, kind is RowKind.Head or RowKind.Total);
        Need(height);
        if (kind == RowKind.Total) Rule(Margin, Margin + Width, _y, RuleWidth);
        _pdf.BeginTag("TR");
        var (x, shares) = (Margin, columns.Sum(c => c.Share));
        for (var i = 0; i < cells.Count; i++)
        {
            var width = columns[i].Share / shares * Width;
            Cell(size, columns[i], cells[i], x, width, kind, i);
            x += width;
        }

        _pdf.EndTag();
        _y -= height;
        if (kind != RowKind.Fact) Rule(Margin, Margin + Width, _y, kind == RowKind.Body ? RuleWidth / 3 : RuleWidth);
    }

    private void Cell(double size, PaperColumn column, string text, double x, double width, RowKind kind, int index)
    {
        var headsRow = index == 0 && kind is RowKind.Fact or RowKind.Total;
        var isBold = kind is RowKind.Head or RowKind.Total || headsRow;
        _page.BeginLeaf(kind == RowKind.Head || headsRow ? "TH" : "TD");
        if (kind == RowKind.Head) _pdf.HeadsTheColumn();
        else if (headsRow) _pdf.HeadsTheRow();
        var y = _y - CellPadding + 1;
        foreach (var line in Wrap(text, size, isBold, width - GapOf(column)))
        {
            y -= size * Leading;
            var at = column.IsNumber ? x + width - GapOf(column) - WidthOf(line, size, isBold) : x;
            Draw(line, size, isBold, at, y + Descent(size));
        }

        _page.EndLeaf();
    }

    private double RowHeight(double size, IReadOnlyList<PaperColumn> columns, IReadOnlyList<string> cells, bool isBold)
    {
        var (lines, shares) = (1, columns.Sum(c => c.Share));
        for (var i = 0; i < cells.Count; i++)
            lines = Math.Max(lines, LinesOf(cells[i], size, isBold || i == 0, columns[i], shares));
        return (lines * size * Leading) + CellPadding;
    }

    private int LinesOf(string cell, double size, bool isBold, PaperColumn column, double shares) =>
        Wrap(cell, size, isBold, (column.Share / shares * Width) - GapOf(column)).Count;

    /// <summary>A number ends well before the text that stands beside it.</summary>
    private static double GapOf(PaperColumn column) => column.IsNumber ? NumberGap : CellPadding;

    private void Lines(string tag, string text, double size, bool isBold)
    {
        var lines = Wrap(text, size, isBold, Width);
        Need(lines.Count * size * Leading);
        Leaf(tag, lines, size, isBold, Margin, Width);
    }

    /// <summary>
    /// An element of one or more lines, from the side where reading begins. What is drawn from right to left is also
    /// given as it is typed.
    /// </summary>
    private void Leaf(string tag, IReadOnlyList<string> lines, double size, bool isBold, double x, double width)
    {
        _page.BeginLeaf(tag, actual: IsRightToLeft ? string.Join(' ', lines) : null);
        foreach (var line in lines)
        {
            _y -= size * Leading;
            var at = IsRightToLeft ? x + width - WidthOf(line, size, isBold) : x;
            Draw(line, size, isBold, at, _y + Descent(size));
        }

        _page.EndLeaf();
    }

    private void Draw(string line, double size, bool isBold, double x, double y)
    {
        if (!IsRightToLeft)
        {
            if (line.Length > 0) _page.Text(FontOf(isBold), size, x, y, line);
            return;
        }

        foreach (var run in ArabicText.Order(line))
        {
            var font = run.IsArabic ? _arabic! : FontOf(isBold);
            // One Arabic font is all that a machine can be asked for: in bold its letters get an outline.
            var isOutlined = isBold && run.IsArabic;
            if (isOutlined) _page.Raw("2 Tr .4 w "u8);
            _page.Text(font, size, x, y, run.Text);
            if (isOutlined) _page.Raw("0 Tr\n"u8);
            x += font.Width(run.Text) * size / 1_000;
        }
    }

    private double WidthOf(string line, double size, bool isBold) => size / 1_000 * (IsRightToLeft
        ? ArabicText.Order(line).Sum(r => (r.IsArabic ? _arabic! : FontOf(isBold)).Width(r.Text))
        : FontOf(isBold).Width(line));

    private static PdfFont FontOf(bool isBold) => isBold ? StandardFont.Bold : StandardFont.Regular;

    private void Rule(double from, double to, double y, double width)
    {
        _page.BeginArtifact();
        _page.Line(from, y, to, y, width);
        _page.EndArtifact();
    }

    private static double Descent(double size) => size * 0.32;

    private void Need(double height)
    {
        if (Left < height) NextPage();
    }

    private void BeginPage()
    {
        _page = _pdf.BeginPage(PageWidth, PageHeight);
        _pagesOfPart++;
        _y = PageHeight - Margin;
    }

    private void EndPage()
    {
        var number = _pagesOfPart.ToString(CultureInfo.InvariantCulture);
        var (footer, page) = (WidthOf(_footer, FooterSize, isBold: false), WidthOf(number, FooterSize, isBold: false));
        _page.BeginArtifact();
        Draw(_footer, FooterSize, isBold: false, (PageWidth - footer) / 2, FooterAt);
        Draw(number, FooterSize, isBold: false, IsRightToLeft ? Margin : Margin + Width - page, FooterAt);
        _page.EndArtifact();
        _pdf.EndPage();
    }

    /// <summary>Words as long as they fit; a word that is longer than the line is cut.</summary>
    private List<string> Wrap(string text, double size, bool isBold, double width)
    {
        var lines = new List<string>();
        var line = "";
        foreach (var word in Words(text, size, isBold, width))
        {
            var longer = line.Length == 0 ? word : $"{line} {word}";
            if (line.Length > 0 && WidthOf(longer, size, isBold) > width)
            {
                lines.Add(line);
                line = word;
            }
            else
            {
                line = longer;
            }
        }

        lines.Add(line);
        return lines;
    }

    private IEnumerable<string> Words(string text, double size, bool isBold, double width)
    {
        foreach (var word in text.Split((char[])[' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            var rest = word;
            while (rest.Length > 1 && WidthOf(rest, size, isBold) > width)
            {
                var fits = rest.Length - 1;
                while (fits > 1 && WidthOf(rest[..fits], size, isBold) > width) fits--;
                yield return rest[..fits];
                rest = rest[fits..];
            }

            yield return rest;
        }
    }
}
