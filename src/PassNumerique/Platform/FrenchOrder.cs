namespace PassNumerique.Platform;

/// <summary>
/// The order of French dictionaries, without ICU: the service runs with invariant globalization. First level:
/// letters and digits, with accents, case, ligatures, spaces and punctuation set aside. Then the accents,
/// from the end of the word (cote, côte, coté, côté), then the ordinal order, so that two texts are equal
/// only when they are identical.
/// </summary>
internal sealed class FrenchOrder : IComparer<string>
{
    public static readonly FrenchOrder Instance = new();

    private const char FirstAccented = '\u00C0';
    private const char NoLetter = '*';
    private const int StackCharacters = 256;

    // One character for each of U+00C0 to U+017F (Latin-1 and Latin Extended-A): the letter without its
    // accent.
    private const string Letters =
        "aaaaaa*ceeeeiiiidnooooo*ouuuuy**aaaaaa*ceeeeiiiidnooooo*ouuuuy*y"
        + "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkkkllllll*"
        + "*llnnnnnnnnnoooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

    // Its accent: 1 acute, 2 grave, 3 circumflex, 4 diaeresis, 5 cedilla, 6 tilde, 7 ring, 8 another one.
    private const string Accents =
        "2136478521342134862136488213418821364785213421348621364882134184"
        + "8888881133888888888888888888338888553388668888888888335581155888"
        + "8881155888888888888811558811335588558888668888778888333341188888";

    public int Compare(string? x, string? y) =>
        x is null ? (y is null ? 0 : -1) : y is null ? 1 : CompareFrench(x, y);

    /// <summary>Negative when <paramref name="a"/> comes first; 0 only for two identical texts.</summary>
    public static int CompareFrench(string a, string b)
    {
        // A ligature gives two letters, hence twice the length.
        var room = Math.Max(a.Length, b.Length) * 2;
        var letters = room <= StackCharacters ? stackalloc char[StackCharacters * 2] : new char[room * 2];
        var accents = room <= StackCharacters ? stackalloc char[StackCharacters * 2] : new char[room * 2];
        var half = letters.Length / 2;
        var countA = Key(a, letters[..half], accents[..half]);
        var countB = Key(b, letters[half..], accents[half..]);
        var order = letters[..countA].SequenceCompareTo(letters.Slice(half, countB));
        for (var i = countA - 1; order == 0 && i >= 0; i--)
            order = accents[i].CompareTo(accents[half + i]);
        return order != 0 ? order : string.CompareOrdinal(a, b);
    }

    /// <summary>
    /// The text as it is searched: lower case without accents, œ as oe, every run of spaces and punctuation
    /// one space, none at the ends.
    /// </summary>
    public static string Fold(string text)
    {
        Span<char> pair = stackalloc char[2];
        var folded = new System.Text.StringBuilder(text.Length);
        var gap = false;
        foreach (var c in text)
        {
            if (IsCombining(c))
                continue;
            var count = Expand(c, pair, out _);
            if (count > 0 && gap && folded.Length > 0)
                folded.Append(' ');
            folded.Append(pair[..count]);
            gap = count == 0;
        }
        return folded.ToString();
    }

    private static int Key(string text, Span<char> letters, Span<char> accents)
    {
        var count = 0;
        foreach (var c in text)
        {
            if (IsCombining(c))
            {
                if (count > 0)
                    accents[count - 1] = CombiningAccent(c);
                continue;
            }
            var added = Expand(c, letters[count..], out var accent);
            accents.Slice(count, added).Fill(accent);
            count += added;
        }
        return count;
    }

    // Writes the letters of a character, 0 for a space or a sign, 2 for a ligature.
    private static int Expand(char c, Span<char> letters, out char accent)
    {
        accent = '0';
        if (Ligature(c) is { } ligature)
        {
            accent = '8';
            ligature.CopyTo(letters);
            return ligature.Length;
        }
        var index = c - FirstAccented;
        if (index >= 0 && index < Letters.Length)
        {
            if (Letters[index] == NoLetter)
                return 0;
            accent = Accents[index];
            letters[0] = Letters[index];
            return 1;
        }
        if (!char.IsLetterOrDigit(c))
            return 0;
        letters[0] = char.ToLowerInvariant(c);
        return 1;
    }

    private static string? Ligature(char c) => c switch
    {
        'Œ' or 'œ' => "oe",
        'Æ' or 'æ' => "ae",
        'ß' => "ss",
        'Þ' or 'þ' => "th",
        'Ĳ' or 'ĳ' => "ij",
        'Ŀ' or 'ŀ' => "l",
        _ => null
    };

    private static bool IsCombining(char c) => c is >= '\u0300' and <= '\u036F';

    private static char CombiningAccent(char c) => c switch
    {
        '\u0301' => '1',
        '\u0300' => '2',
        '\u0302' => '3',
        '\u0308' => '4',
        '\u0327' => '5',
        '\u0303' => '6',
        '\u030A' => '7',
        _ => '8'
    };
}
