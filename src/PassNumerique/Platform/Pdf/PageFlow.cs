using System.Globalization;
using System.IO.Pipelines;

namespace PassNumerique.Platform.Pdf;

/// <summary>What a reader's program shows of a document: its title, whose it is, and its language (fr, en, ar).</summary>
/// <param name="Title">Shown in the window.</param>
/// <param name="Author">Whose it is.</param>
/// <param name="Language">Of the whole text.</param>
/// <param name="Identity">What makes it this document and no other: its id is made of it.</param>
internal sealed record PaperInfo(string Title, string Author, string Language, string Identity);

/// <summary>A column of a table; widths are shares of the page.</summary>
internal sealed record PaperColumn(string Heading, double Share, bool IsNumber = false);

/// <summary>
/// Text that flows down A4 pages: headings, paragraphs, steps, blanks to fill in, tables whose head comes again on
/// each page. Everything is tagged in its reading order. With an Arabic font it runs from right to left.
/// </summary>
internal sealed class PageFlow
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
    private const double StepIndent = 20;
    private const double LabelShare = 0.26;

    private static readonly double[] HeadingSizes = [22, 15, 13];

    private readonly PdfWriter _pdf;
    private readonly EmbeddedFont? _arabic;
    private readonly string _language;
    private PdfPage _page = null!;
    private string _footer = "";
    private double _y;
    private int _pagesOfPart;

    public PageFlow(PipeWriter writer, PaperInfo info, TrueTypeFont? arabicFont)
    {
        _language = info.Language;
        _arabic = arabicFont is null ? null : new("A1", arabicFont);
        _pdf = new(writer, info);
        if (_arabic is not null) _pdf.Add(_arabic);
    }

    private bool IsRightToLeft => _arabic is not null;

    /// <summary>The height that is left on this page.</summary>
    public double Left => _y - Margin;

    /// <summary>A part begins a page of its own, and is found by its bookmark.</summary>
    public void BeginPart(string bookmark, string footer)
    {
        (_footer, _pagesOfPart) = (footer, 0);
        BeginPage();
        _ink.Bookmark(bookmark);
        _ink.Begin("Sect");
    }

    public void EndPart()
    {
        _ink.End();
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
        _ink.Begin("L");
        for (var i = 0; i < steps.Count; i++)
        {
            var lines = Wrap(steps[i], size, isBold: false, Width - StepIndent);
            Need(lines.Count * size * Leading);
            var number = $"{(i + 1).ToString(CultureInfo.InvariantCulture)}.";
            _ink.Begin("LI");
            _ink.Begin("Lbl");
            var baseline = _y - size;
            Line(number, size, isBold: false, Margin, baseline, Width);
            _ink.End();
            _ink.Begin("LBody");
            foreach (var line in lines)
            {
                NextLine(size);
                Line(line, size, isBold: false, IsRightToLeft ? Margin : Margin + StepIndent, _y + Descent(size), Width - StepIndent);
            }

            _ink.End();
            _ink.End();
        }

        _ink.End();
    }

    /// <summary>A label and a line to write on.</summary>
    public void Blank(string label, double size)
    {
        var height = size * Leading * 1.25;
        Need(height);
        _y -= height;
        var (baseline, width) = (_y + Descent(size), _ink.Width(label, size, isBold: false) + 8);
        _ink.Begin("P");
        Line(label, size, isBold: false, Margin, baseline, Width);
        _ink.End();
        _ink.Rule(
            IsRightToLeft ? Margin : Margin + width, baseline - 2, IsRightToLeft ? Margin + Width - width : Margin + Width,
            baseline - 2, RuleWidth);
    }

    /// <summary>Lines that belong together, the first one in bold: they stay on one page.</summary>
    public void Block(IReadOnlyList<string> lines, double size)
    {
        Need(HeightOf(lines, size));
        _ink.Begin("Div");
        for (var i = 0; i < lines.Count; i++) Lines("P", lines[i], size, isBold: i == 0);
        _ink.End();
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
        _ink.Begin("Table");
        foreach (var (label, text) in facts)
        {
            if (text.Length == 0) continue;
            Row(size, [new(label, LabelShare), new(text, 1 - LabelShare)], [label, text], RowKind.Fact);
        }

        _ink.End();
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

        _ink.End();
        _y -= 4;
    }

    /// <summary>Sends what is finished; false when nobody takes it any more.</summary>
    public Task<bool> FlushAsync(CancellationToken ct) => _ink.FlushAsync(ct);

    public Task EndAsync(CancellationToken ct) => _ink.EndAsync(ct);

    private void BeginTable(double size, IReadOnlyList<PaperColumn> columns)
    {
        var headings = columns.Select(c => c.Heading).ToList();
        Need(RowHeight(size, columns, headings, isBold: true) + (3 * size * Leading));
        _ink.Begin("Table");
        Row(size, columns, headings, RowKind.Head);
    }

    /// <summary>What does not fit goes on on the next page, as a table with a head of its own.</summary>
    private void AnotherTable(double size, IReadOnlyList<PaperColumn> columns)
    {
        _ink.End();
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
        var isBold = kind is RowKind.Head or RowKind.Total;
        var height = RowHeight(size, columns, cells, isBold);
        Need(height);
        if (kind == RowKind.Total) _ink.Rule(Margin, _y, Margin + Width, _y, RuleWidth);
        _ink.Begin("TR");
        var (x, shares) = (Margin, columns.Sum(c => c.Share));
        for (var i = 0; i < cells.Count; i++)
        {
            var width = columns[i].Share / shares * Width;
            var isHeading = kind == RowKind.Head || (i == 0 && kind is RowKind.Fact or RowKind.Total);
            Cell(size, columns[i], cells[i], x, width, isBold || (kind == RowKind.Fact && i == 0),
                isHeading ? (kind == RowKind.Head ? "Column" : "Row") : null);
            x += width;
        }

        _ink.End();
        _y -= height;
        if (kind != RowKind.Fact) _ink.Rule(Margin, _y, Margin + Width, _y, kind == RowKind.Body ? RuleWidth / 3 : RuleWidth);
    }

    private void Cell(double size, PaperColumn column, string text, double x, double width, bool isBold, string? scope)
    {
        var top = _y - CellPadding + 1;
        _ink.Begin(scope is null ? "TD" : "TH", scope);
        foreach (var line in Wrap(text, size, isBold, width - CellPadding))
        {
            top -= size * Leading;
            var at = column.IsNumber ? x + width - CellPadding - _ink.Width(line, size, isBold) : x;
            if (line.Length > 0) _ink.Text(line, size, isBold, at, top + Descent(size));
        }

        _ink.End();
    }

    private double RowHeight(double size, IReadOnlyList<PaperColumn> columns, IReadOnlyList<string> cells, bool isBold)
    {
        var (lines, shares) = (1, columns.Sum(c => c.Share));
        for (var i = 0; i < cells.Count; i++)
            lines = Math.Max(lines, Wrap(cells[i], size, isBold || i == 0, (columns[i].Share / shares * Width) - CellPadding).Count);
        return (lines * size * Leading) + CellPadding;
    }

    private void Lines(string tag, string text, double size, bool isBold)
    {
        var lines = Wrap(text, size, isBold, Width);
        Need(lines.Count * size * Leading);
        _ink.Begin(tag);
        foreach (var line in lines)
        {
            NextLine(size);
            Line(line, size, isBold, Margin, _y + Descent(size), Width);
        }

        _ink.End();
    }

    private void NextLine(double size) => _y -= size * Leading;

    /// <summary>A line at the side where reading begins.</summary>
    private void Line(string text, double size, bool isBold, double x, double baseline, double width)
    {
        if (!IsRightToLeft)
        {
            _ink.Text(text, size, isBold, x, baseline);
            return;
        }

        _ink.Text(text, size, isBold, x + width - _ink.Width(text, size, isBold), baseline);
    }

    private static double Descent(double size) => size * 0.32;

    private void Need(double height)
    {
        if (Left < height) NextPage();
    }

    private void BeginPage()
    {
        _ink.BeginPage(PageWidth, PageHeight);
        _pagesOfPart++;
        _y = PageHeight - Margin;
    }

    private void EndPage()
    {
        var footer = $"{_footer} – {_pagesOfPart}";
        _ink.Aside(footer, FooterSize, (PageWidth - _ink.Width(footer, FooterSize, isBold: false)) / 2, FooterAt);
        _ink.EndPage();
    }

    /// <summary>Words as long as they fit; a word that is longer than the line is cut.</summary>
    private List<string> Wrap(string text, double size, bool isBold, double width)
    {
        var lines = new List<string>();
        var line = "";
        foreach (var word in Words(text, size, isBold, width))
        {
            var longer = line.Length == 0 ? word : $"{line} {word}";
            if (line.Length > 0 && _ink.Width(longer, size, isBold) > width)
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
            while (rest.Length > 1 && _ink.Width(rest, size, isBold) > width)
            {
                var fits = rest.Length - 1;
                while (fits > 1 && _ink.Width(rest[..fits], size, isBold) > width) fits--;
                yield return rest[..fits];
                rest = rest[fits..];
            }

            yield return rest;
        }
    }
}
