using System.Globalization;
using System.Text;

namespace PassNumerique.Platform.Pdf;

/// <summary>
/// A TrueType font that a document carries (CIDFontType2, ISO 32000-1, 9.7.4): only the glyphs in use, numbered as
/// they come up, so that the same document has the same bytes. Text is given in its order of drawing, Arabic letters
/// in their forms; copied or read aloud, they are the letters that somebody types.
/// </summary>
internal sealed class EmbeddedFont(string name, TrueTypeFont font) : PdfFont(name)
{
    private const int MappingsAtOnce = 100;

    /// <summary>A descriptor's flag for fonts of other letters than Latin ones.</summary>
    private const int Symbolic = 4;

    private readonly Dictionary<char, ushort> _numbers = [];
    private readonly List<ushort> _glyphs = [0];
    private readonly List<char> _shown = ['\uFFFD'];

    public override long Width(ReadOnlySpan<char> text)
    {
        var width = 0L;
        foreach (var c in text) width += font.Width(font.Glyph(c));
        return width;
    }

    public override void Show(PdfContent content, ReadOnlySpan<char> text)
    {
        content.Raw("<"u8);
        foreach (var c in text) content.Ascii(Number(c).ToString("X4", CultureInfo.InvariantCulture));
        content.Raw(">Tj "u8);
    }

    public override void Write(PdfWriter pdf, int number)
    {
        var (descendant, descriptor, file, map) = (pdf.NewNumber(), pdf.NewNumber(), pdf.NewNumber(), pdf.NewNumber());
        var named = $"{Tag()}+{font.Name}";
        pdf.WriteObject(number, $"<</Type/Font/Subtype/Type0/BaseFont/{named}/Encoding/Identity-H"
            + Invariant($"/DescendantFonts[{descendant} 0 R]/ToUnicode {map} 0 R>>"));
        pdf.WriteObject(descendant, $"<</Type/Font/Subtype/CIDFontType2/BaseFont/{named}"
            + "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/CIDToGIDMap/Identity"
            + Invariant($"/FontDescriptor {descriptor} 0 R/W[0[{string.Join(' ', _glyphs.Select(font.Width))}]]>>"));
        var (left, bottom, right, top) = font.Box;
        pdf.WriteObject(descriptor, $"<</Type/FontDescriptor/FontName/{named}"
            + Invariant($"/Flags {Symbolic}/FontBBox[{left} {bottom} {right} {top}]/ItalicAngle 0/Ascent {font.Ascent}")
            + Invariant($"/Descent {font.Descent}/CapHeight {font.Ascent}/StemV 80/FontFile2 {file} 0 R>>"));
        var bytes = font.Subset(_glyphs);
        pdf.WriteStream(file, Invariant($"/Length1 {bytes.Length}"), bytes);
        pdf.WriteStream(map, "", Encoding.ASCII.GetBytes(ToUnicode()));
    }

    /// <summary>Six letters that tell this part of the font from another part of it.</summary>
    private string Tag()
    {
        var sum = 17UL;
        foreach (var glyph in _glyphs) sum = unchecked((sum * 31) + glyph);
        return string.Create(6, sum, static (letters, rest) =>
        {
            for (var i = 0; i < letters.Length; i++, rest /= 26) letters[i] = (char)('A' + (int)(rest % 26));
        });
    }

    private string ToUnicode()
    {
        var map = new StringBuilder(
            "/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            + "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n/CMapName/Adobe-Identity-UCS def\n"
            + "/CMapType 2 def\n1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n");
        for (var from = 1; from < _shown.Count; from += MappingsAtOnce)
        {
            var to = Math.Min(from + MappingsAtOnce, _shown.Count);
            map.Append(CultureInfo.InvariantCulture, $"{to - from} beginbfchar\n");
            for (var i = from; i < to; i++)
            {
                var letters = Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(ArabicText.Letters(_shown[i])));
                map.Append(CultureInfo.InvariantCulture, $"<{i:X4}><{letters}>\n");
            }

            map.Append("endbfchar\n");
        }

        return map.Append("endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n").ToString();
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

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
