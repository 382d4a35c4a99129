using System.Globalization;
using System.Text;

namespace PassNumerique.Platform.Pdf;

/// <summary>
/// The glyphs of a font that one document uses, numbered as they come up, so that the same document has the same
/// bytes: what its text is written with, and at its end the font, the widths and what each number is read as.
/// </summary>
internal sealed class GlyphSet(TrueTypeFont font)
{
    private const int MappingsAtOnce = 100;

    private readonly Dictionary<char, ushort> _numbers = [];
    private readonly List<ushort> _glyphs = [0];
    private readonly List<char> _shown = ['\uFFFD'];

    public TrueTypeFont Font => font;

    public bool IsUsed => _glyphs.Count > 1;

    /// <summary>The width of a text in its order of drawing, in thousandths of the type size.</summary>
    public int Width(string text) => text.Sum(c => font.Width(font.Glyph(c)));

    /// <summary>The text as two bytes a glyph, in hexadecimal digits.</summary>
    public string Encode(string text)
    {
        var hex = new StringBuilder(text.Length * 4);
        foreach (var c in text) hex.Append(CultureInfo.InvariantCulture, $"{Number(c):X4}");
        return hex.ToString();
    }

    /// <summary>The font file with these glyphs alone.</summary>
    public byte[] ToFontFile() => font.Subset(_glyphs);

    /// <summary>Six letters that say which part of the font this is, as the format asks for.</summary>
    public string Tag()
    {
        var sum = 17UL;
        foreach (var glyph in _glyphs) sum = unchecked((sum * 31) + glyph);
        return string.Concat(Enumerable.Range(0, 6).Select(_ =>
        {
            var letter = (char)('A' + (int)(sum % 26));
            sum /= 26;
            return letter;
        }));
    }

    /// <summary>The <c>/W</c> array: the width of each number from 0 on.</summary>
    public string Widths() => $"[0 [{string.Join(' ', _glyphs.Select(font.Width))}]]";

    /// <summary>
    /// What each number is read as when text is copied or read aloud: letters as somebody types them, not their
    /// forms.
    /// </summary>
    public string ToUnicode()
    {
        var map = new StringBuilder("""
            /CIDInit /ProcSet findresource begin
            12 dict begin
            begincmap
            /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
            /CMapName /Adobe-Identity-UCS def
            /CMapType 2 def
            1 begincodespacerange
            <0000> <FFFF>
            endcodespacerange

            """);
        for (var from = 1; from < _shown.Count; from += MappingsAtOnce)
        {
            var to = Math.Min(from + MappingsAtOnce, _shown.Count);
            map.Append(CultureInfo.InvariantCulture, $"{to - from} beginbfchar\n");
            for (var i = from; i < to; i++)
            {
                var letters = string.Concat(ArabicText.Letters(_shown[i]).Select(c => ((int)c).ToString("X4", CultureInfo.InvariantCulture)));
                map.Append(CultureInfo.InvariantCulture, $"<{i:X4}> <{letters}>\n");
            }

            map.Append("endbfchar\n");
        }

        return map.Append("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n").ToString();
    }

    private ushort Number(char c)
    {
        if (_numbers.TryGetValue(c, out var number)) return number;
        number = checked((ushort)_glyphs.Count);
        _numbers.Add(c, number);
        _glyphs.Add(font.Glyph(c));
        _shown.Add(c);
        return number;
    }
}
