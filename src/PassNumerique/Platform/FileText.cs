using System.Text;
using System.Text.Unicode;

namespace PassNumerique.Platform;

/// <summary>
/// The text of a file that a person made: UTF-8, with or without its mark, or Windows-1252 as older spreadsheets
/// write it, where no line can be read as both. Anything else is refused with the first line that does not fit.
/// </summary>
internal static class FileText
{
    /// <summary>The member of <c>errors</c> that a file is wrong in.</summary>
    public const string Member = "file";

    /// <summary>0x80 to 0x9F of Windows-1252; a space where it has no letter.</summary>
    private const string High = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

    private enum LineKind
    {
        Ascii,
        Utf8,
        Windows,
        Unreadable
    }

    /// <exception cref="InvalidRequestException">The file is no text, or a text in two encodings.</exception>
    public static string Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Encoding.Unicode.Preamble) || bytes.StartsWith(Encoding.BigEndianUnicode.Preamble)
            || bytes.Contains((byte)0))
            throw Wrong("Ce fichier n'est pas un texte CSV en UTF-8 : enregistrez-le en « CSV UTF-8 », puis renvoyez-le.");
        var hasMark = bytes.StartsWith(Encoding.UTF8.Preamble);
        if (hasMark) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        if (Utf8.IsValid(bytes)) return Encoding.UTF8.GetString(bytes);
        ThrowIfMixed(bytes, hasMark);
        return FromWindows(bytes);
    }

    private static void ThrowIfMixed(ReadOnlySpan<byte> bytes, bool hasMark)
    {
        var (first, line) = (hasMark ? LineKind.Utf8 : LineKind.Ascii, 0L);
        while (!bytes.IsEmpty)
        {
            line++;
            var end = bytes.IndexOf((byte)'\n');
            var kind = KindOf(end < 0 ? bytes : bytes[..end]);
            if (kind == LineKind.Unreadable)
                throw Wrong($"Ligne {line} : elle ne se lit sans ambiguïté ni en UTF-8 ni en Windows-1252. "
                    + "Enregistrez le fichier en « CSV UTF-8 ».");
            if (kind != LineKind.Ascii && first != LineKind.Ascii && kind != first)
                throw Wrong($"Ligne {line} : cette ligne est en {NameOf(kind)}, les précédentes en {NameOf(first)}. "
                    + "Enregistrez tout le fichier en « CSV UTF-8 ».");
            if (kind != LineKind.Ascii) first = kind;
            bytes = end < 0 ? [] : bytes[(end + 1)..];
        }
    }

    /// <summary>A line in Windows-1252 has no sequence that UTF-8 could be meant by, or nobody knows which it is.</summary>
    private static LineKind KindOf(ReadOnlySpan<byte> line)
    {
        if (!line.ContainsAnyInRange((byte)0x80, (byte)0xFF)) return LineKind.Ascii;
        if (Utf8.IsValid(line)) return LineKind.Utf8;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] is >= 0x80 and < 0xA0 && High[line[i] - 0x80] == ' ') return LineKind.Unreadable;
            if (line[i] >= 0xC2 && i + 1 < line.Length && line[i + 1] is >= 0x80 and < 0xC0) return LineKind.Unreadable;
        }

        return LineKind.Windows;
    }

    private static string NameOf(LineKind kind) => kind == LineKind.Utf8 ? "UTF-8" : "Windows-1252";

    private static string FromWindows(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var b in bytes) text.Append(b is >= 0x80 and < 0xA0 ? High[b - 0x80] : (char)b);
        return text.ToString();
    }

    private static InvalidRequestException Wrong(string message) => new(Member, message);
}
