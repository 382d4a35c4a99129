namespace PassNumerique.Platform.Pdf;

/// <summary>
/// A font of one document: how wide its text is, how a page shows it, and the objects that describe it, written once
/// at the end of the document.
/// </summary>
/// <param name="name">The name in the resources of all pages, like <c>F1</c>.</param>
internal abstract class PdfFont(string name)
{
    public string Name => name;

    /// <summary>The width of a text in thousandths of the type size.</summary>
    public abstract long Width(ReadOnlySpan<char> text);

    /// <summary>Writes the operand and the operator that show a text in its order of drawing.</summary>
    public abstract void Show(PdfContent content, ReadOnlySpan<char> text);

    /// <summary>Writes the font as object <paramref name="number"/>, and whatever that refers to.</summary>
    public abstract void Write(PdfWriter pdf, int number);
}

/// <summary>
/// One of the fonts that every reader has (ISO 32000-1, 9.6.2.2), for the letters of Windows code page 1252. Their
/// widths are those of Adobe's font metrics.
/// </summary>
internal sealed class StandardFont : PdfFont
{
    private const int FirstByte = 32;

    private readonly string _baseFont;
    private readonly short[] _widths;

    private StandardFont(string name, string baseFont, short[] widths) : base(name) => (_baseFont, _widths) = (baseFont, widths);

    public static StandardFont Regular { get; } = new("F1", "Helvetica", HelveticaWidths());

    public static StandardFont Bold { get; } = new("F2", "Helvetica-Bold", BoldWidths());

    /// <summary>All digits, code letters and blanks are equally wide: codes that are compared with one another.</summary>
    public static StandardFont Fixed { get; } = new("F3", "Courier-Bold", [.. Enumerable.Repeat((short)600, 256 - FirstByte)]);

    public static IReadOnlyList<StandardFont> All { get; } = [Regular, Bold, Fixed];

    public override long Width(ReadOnlySpan<char> text)
    {
        var width = 0L;
        foreach (var c in text) width += _widths[WinAnsi.Byte(c) - FirstByte];
        return width;
    }

    public override void Show(PdfContent content, ReadOnlySpan<char> text) => content.ShowText(text);

    public override void Write(PdfWriter pdf, int number) => pdf.WriteObject(number,
        $"<</Type/Font/Subtype/Type1/BaseFont/{_baseFont}/Encoding/WinAnsiEncoding>>");

    private static short[] HelveticaWidths() => Widths(
        "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556x10 278 278 584 584 584 556 1015 667 667 722 722 "
        + "667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 "
        + "556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584 "
        + "350 556 350 222 556 333 1000 556 556 333 1000 667 333 1000 350 611 350 350 222 222 333 333 350 556 1000 333 1000 500 "
        + "333 944 350 500 667 278 333 556 556 556 556 260 556 333 737 370 556 584 333 737 333 400 584 333 333 333 556 537 278 "
        + "333 333 365 556 834 834 834 611 667x6 1000 722 667x4 278x4 722 722 778x5 584 778 722x4 667 667 611 556x6 889 500 "
        + "556x4 278x4 556 556 556x5 584 611 556x4 500 556 500");

    private static short[] BoldWidths() => Widths(
        "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556x10 333 333 584 584 584 611 975 722 722 722 722 "
        + "667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 "
        + "611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584 "
        + "350 556 350 278 556 500 1000 556 556 333 1000 667 333 1000 350 611 350 350 278 278 500 500 350 556 1000 333 1000 556 "
        + "333 944 350 500 667 278 333 556 556 556 556 280 556 333 737 370 556 584 333 737 333 400 584 333 333 333 611 556 278 "
        + "333 333 365 556 834 834 834 611 722x6 1000 722 667x4 278x4 722 722 778x5 584 778 722x4 667 667 611 556x6 889 556 "
        + "556x4 278x4 611 611 611x5 584 611 611x4 556 611 556");

    /// <summary>From byte 32 on; <c>556x10</c> stands for ten of them.</summary>
    private static short[] Widths(string runs)
    {
        var widths = new List<short>(256 - FirstByte);
        foreach (var run in runs.Split(' '))
        {
            var parts = run.Split('x');
            var count = parts.Length == 1 ? 1 : int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
            var width = short.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
            widths.AddRange(Enumerable.Repeat(width, count));
        }

        if (widths.Count != 256 - FirstByte) throw new InvalidOperationException($"A font has {widths.Count} widths.");
        return [.. widths];
    }
}

/// <summary>Windows code page 1252, which PDF calls WinAnsi: what the standard fonts can show.</summary>
internal static class WinAnsi
{
    private const byte Unknown = (byte)'?';
    private const byte Blank = 0xA0;

    /// <summary>Bytes 0x80 to 0x9F; a blank where the page has no letter.</summary>
    private const string High = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

    /// <summary>The byte of a letter; a question mark for what the page does not have.</summary>
    public static byte Byte(char c)
    {
        if (c is >= ' ' and <= '~' or >= '\u00A0' and <= '\u00FF') return (byte)c;
        if (c is '\u202F' or '\u2009') return Blank; // Narrow blanks, of French numbers and marks.
        if (c == '\u2011') return (byte)'-';
        var at = c == ' ' ? -1 : High.IndexOf(c, StringComparison.Ordinal);
        return at < 0 ? Unknown : (byte)(0x80 + at);
    }

    /// <summary>Whether the fonts can show all of a text.</summary>
    public static bool Has(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (c != '?' && Byte(c) == Unknown) return false;
        return true;
    }
}
