using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace PassNumerique.Platform.Pdf;

/// <summary>
/// What is drawn, as the operators of a content stream (ISO 32000-1, annex A): of a page, or of a form that pages
/// share. Lengths are points, 72 to the inch; the origin is the lower left corner. Numbers are written with two
/// decimals at most.
/// </summary>
internal class PdfContent
{
    private readonly ArrayBufferWriter<byte> _bytes = new(8_192);
    private PdfFont? _font;
    private double _size;

    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    /// <summary>One line of text from its base line's beginning.</summary>
    public void Text(PdfFont font, double size, double x, double y, ReadOnlySpan<char> text)
    {
        Raw("BT "u8);
        SetFont(font, size);
        Number(x);
        Number(y);
        Raw("Td "u8);
        font.Show(this, text);
        Raw("ET\n"u8);
    }

    /// <summary>One line that ends at <paramref name="right"/>.</summary>
    public void TextBefore(PdfFont font, double size, double right, double y, ReadOnlySpan<char> text) =>
        Text(font, size, right - (font.Width(text) * size / 1_000), y, text);

    /// <summary>One line around <paramref name="middle"/>.</summary>
    public void TextAround(PdfFont font, double size, double middle, double y, ReadOnlySpan<char> text) =>
        Text(font, size, middle - (font.Width(text) * size / 2_000), y, text);

    /// <summary>Bytes of the standard fonts' own page, as they are: for what is written many times.</summary>
    public void Text(PdfFont font, double size, double x, double y, ReadOnlySpan<byte> plain)
    {
        Raw("BT "u8);
        SetFont(font, size);
        Number(x);
        Number(y);
        Raw("Td ("u8);
        Raw(plain);
        Raw(")Tj ET\n"u8);
    }

    /// <summary>A line of text at an angle, in degrees, counted against the clock.</summary>
    public void TextAt(PdfFont font, double size, double x, double y, double degrees, ReadOnlySpan<char> text)
    {
        var (sin, cos) = Math.SinCos(degrees * Math.PI / 180);
        Raw("BT "u8);
        SetFont(font, size);
        Precise(cos);
        Precise(sin);
        Precise(-sin);
        Precise(cos);
        Number(x);
        Number(y);
        Raw("Tm "u8);
        font.Show(this, text);
        Raw("ET\n"u8);
    }

    /// <summary>A line; dashed where dashes have a length.</summary>
    public void Line(double x1, double y1, double x2, double y2, double width = 0.5, double dash = 0)
    {
        Number(width);
        Raw("w "u8);
        if (dash > 0)
        {
            Raw("["u8);
            Number(dash);
            Raw("]0 d "u8);
        }

        Number(x1);
        Number(y1);
        Raw("m "u8);
        Number(x2);
        Number(y2);
        Raw(dash > 0 ? "l S []0 d\n"u8 : "l S\n"u8);
    }

    /// <summary>The outline of a rectangle.</summary>
    public void Frame(double x, double y, double width, double height, double line = 0.5)
    {
        Number(line);
        Raw("w "u8);
        Rectangle(x, y, width, height);
        Raw("S\n"u8);
    }

    /// <summary>A filled rectangle; 0 is black, 1 white.</summary>
    public void Fill(double x, double y, double width, double height, double grey)
    {
        Grey(grey);
        Rectangle(x, y, width, height);
        Raw("f\n"u8);
        Grey(0);
    }

    /// <summary>What is filled from here on: 0 is black, 1 white.</summary>
    public void Grey(double grey)
    {
        Number(grey);
        Raw("g\n"u8);
    }

    /// <summary>A form or an image of the document, drawn at a size: forms in their own points, images in a unit square.</summary>
    public void Draw(PdfResource resource, double x, double y, double width = 1, double height = 1)
    {
        Raw("q "u8);
        Number(width);
        Raw("0 0 "u8);
        Number(height);
        Number(x);
        Number(y);
        Raw("cm /"u8);
        Ascii(resource.Name);
        Raw(" Do Q\n"u8);
    }

    /// <summary>
    /// A square of dark modules, row by row from the top; the leftmost is the highest of <c>rows.Length</c> bits. One
    /// mask of one bit a module: nothing is smaller. The bits that fill a row up are ones, so that no row ends in what a
    /// reader takes for a blank: a blank, <c>EI</c> and a blank would end the picture before its end.
    /// </summary>
    public void Modules(double x, double y, double side, ReadOnlySpan<uint> rows)
    {
        Raw("q "u8);
        Number(side);
        Raw("0 0 "u8);
        Number(side);
        Number(x);
        Number(y);
        Raw("cm BI/W "u8);
        Whole(rows.Length);
        Raw("/H "u8);
        Whole(rows.Length);
        Raw("/IM true/D[1 0] ID "u8);
        var (bytes, filling) = ((rows.Length + 7) / 8, (1U << (32 - rows.Length)) - 1);
        var span = _bytes.GetSpan(rows.Length * bytes);
        var at = 0;
        foreach (var row in rows)
        {
            var bits = (row << (32 - rows.Length)) | filling;
            for (var i = 0; i < bytes; i++) span[at++] = (byte)((bits >> (24 - (8 * i))) & 0xFF);
        }

        _bytes.Advance(at);
        Raw("\nEI Q\n"u8);
    }

    /// <summary>Decoration: what a screen reader leaves out.</summary>
    public void BeginArtifact() => Raw("/Artifact BMC\n"u8);

    public void EndArtifact() => Raw("EMC\n"u8);

    /// <summary>The text between brackets, with its brackets and strokes escaped, and the operator.</summary>
    internal void ShowText(ReadOnlySpan<char> text)
    {
        var span = _bytes.GetSpan((2 * text.Length) + 8);
        var at = 0;
        span[at++] = (byte)'(';
        foreach (var c in text)
        {
            var b = WinAnsi.Byte(c);
            if (b is (byte)'(' or (byte)')' or (byte)'\\') span[at++] = (byte)'\\';
            span[at++] = b;
        }

        ")Tj "u8.CopyTo(span[at..]);
        _bytes.Advance(at + 4);
    }

    internal void Raw(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    internal void Ascii(string text)
    {
        var span = _bytes.GetSpan(text.Length);
        _bytes.Advance(Encoding.ASCII.GetBytes(text, span));
    }

    internal void Whole(long number)
    {
        var span = _bytes.GetSpan(20);
        Utf8Formatter.TryFormat(number, span, out var written);
        _bytes.Advance(written);
    }

    /// <summary>A number and a blank.</summary>
    internal void Number(double number)
    {
        var hundredths = (long)Math.Round(number * 100);
        var span = _bytes.GetSpan(24);
        var at = 0;
        if (hundredths < 0)
        {
            span[at++] = (byte)'-';
            hundredths = -hundredths;
        }

        Utf8Formatter.TryFormat(hundredths / 100, span[at..], out var written);
        at += written;
        var (tenths, last) = (hundredths / 10 % 10, hundredths % 10);
        if (tenths != 0 || last != 0)
        {
            span[at++] = (byte)'.';
            span[at++] = (byte)('0' + tenths);
            if (last != 0) span[at++] = (byte)('0' + last);
        }

        span[at++] = (byte)' ';
        _bytes.Advance(at);
    }

    protected void Clear()
    {
        _bytes.ResetWrittenCount();
        (_font, _size) = (null, 0);
    }

    private void Precise(double number) =>
        Ascii(number.ToString("0.#####", CultureInfo.InvariantCulture) + " ");

    private void SetFont(PdfFont font, double size)
    {
        if (ReferenceEquals(font, _font) && size == _size) return;
        (_font, _size) = (font, size);
        Raw("/"u8);
        Ascii(font.Name);
        Raw(" "u8);
        Number(size);
        Raw("Tf "u8);
    }

    private void Rectangle(double x, double y, double width, double height)
    {
        Number(x);
        Number(y);
        Number(width);
        Number(height);
        Raw("re "u8);
    }
}

/// <summary>Something that pages draw by its name: a form (<see cref="PdfForm"/>) or an image.</summary>
internal sealed record PdfResource(string Name, int Number);

/// <summary>What many pages show alike, written once: its box is that of the page it lies on.</summary>
internal sealed class PdfForm : PdfContent;
