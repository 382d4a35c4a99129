using System.Text;

namespace PassNumerique.Platform.Pdf;

/// <summary>
/// A piece of a line as it is drawn from left to right, in one script: Arabic as presentation forms in the
/// order of the eye, anything else as it was.
/// </summary>
internal readonly record struct TextRun(string Text, bool IsArabic);

/// <summary>
/// Arabic for a page: letters take the form that their neighbours ask for, and a line is put in the order in
/// which it is drawn. As much of the Unicode rules as our letters need: paragraphs run from right to left,
/// numbers and words in Latin letters keep their own direction, marks above letters are left out.
/// </summary>
internal static class ArabicText
{
    private const char FirstLetter = '\u0621';
    private const char LastLetter = '\u064A';
    private const char Tatweel = '\u0640';
    private const char Lam = '\u0644';
    private const char FirstForm = '\uFE80';

    /// <summary>
    /// How each letter from U+0621 on joins: not at all, to the letter before only, to both, or (a dot) there is
    /// no such letter. Presentation Forms-B lists their 1, 2 or 4 forms in the same order.
    /// </summary>
    private const string Joining = "URRRRDRDRDDDDDRRRRDDDDDDDD.....CDDDDDDDRRD";

    /// <summary>The forms of lam with alef with madda, hamza above, hamza below, and plain: alone, then joined.</summary>
    private const string LigatureAlefs = "\u0622\u0623\u0625\u0627";
    private const char FirstLigature = '\uFEF5';

    private static readonly char[] Forms = MapForms();

    /// <summary>The letters of each presentation form, as somebody types them: what a copied text shall hold.</summary>
    public static string Letters(char form)
    {
        if (form is >= FirstLigature and <= '\uFEFC')
            return $"{Lam}{LigatureAlefs[(form - FirstLigature) / 2]}";
        for (var letter = FirstLetter; letter <= LastLetter; letter++)
        {
            var first = Forms[letter - FirstLetter];
            if (first != '\0' && form >= first && form < first + FormsOf(JoiningOf(letter))) return letter.ToString();
        }

        return form.ToString();
    }

    public static bool IsArabic(char c) => c is >= '\u0600' and <= '\u06FF' or >= '\uFB50' and <= '\uFDFF' or >= '\uFE70' and <= '\uFEFC';

    /// <summary>The text with each letter in the form that its neighbours ask for, still in the order of reading.</summary>
    public static string Shape(string text)
    {
        var letters = Plain(text);
        var shaped = new StringBuilder(letters.Length);
        for (var i = 0; i < letters.Length; i++)
        {
            var joinsBefore = i > 0 && JoinsAfter(letters[i - 1]) && JoinsBefore(letters[i]);
            if (letters[i] == Lam && i + 1 < letters.Length
                && LigatureAlefs.IndexOf(letters[i + 1], StringComparison.Ordinal) is >= 0 and var alef)
            {
                shaped.Append((char)(FirstLigature + (2 * alef) + (joinsBefore ? 1 : 0)));
                i++;
                continue;
            }

            var joinsAfter = i + 1 < letters.Length && JoinsAfter(letters[i]) && JoinsBefore(letters[i + 1]);
            shaped.Append(FormOf(letters[i], joinsBefore, joinsAfter));
        }

        return shaped.ToString();
    }

    /// <summary>
    /// One line of a paragraph that runs from right to left, as pieces from left to right. What stands between
    /// two words in Latin letters, or two numbers, goes with them; all else with the paragraph.
    /// </summary>
    public static IReadOnlyList<TextRun> Order(string line)
    {
        var runs = new List<TextRun>();
        var isLatin = Directions(line);
        for (var from = 0; from < line.Length;)
        {
            var to = from + 1;
            while (to < line.Length && isLatin[to] == isLatin[from]) to++;
            var piece = line[from..to];
            runs.Add(isLatin[from] ? new(piece, IsArabic: false) : new(Reversed(Shape(piece)), IsArabic: true));
            from = to;
        }

        runs.Reverse();
        return runs;
    }

    private static bool[] Directions(string line)
    {
        var isLatin = new bool[line.Length];
        for (var i = 0; i < line.Length; i++) isLatin[i] = IsStrongLatin(line, i);
        for (var i = 0; i < line.Length; i++)
        {
            if (isLatin[i] || IsStrongArabic(line[i])) continue;
            var to = i;
            while (to < line.Length && !isLatin[to] && !IsStrongArabic(line[to])) to++;
            var isBetween = i > 0 && to < line.Length && isLatin[i - 1] && isLatin[to];
            if (isBetween) isLatin.AsSpan(i..to).Fill(true);
            i = to - 1;
        }

        return isLatin;
    }

    private static bool IsStrongArabic(char c) => IsArabic(c) && char.IsLetter(c);

    /// <summary>Letters that are not Arabic, digits, and the sign before a number.</summary>
    private static bool IsStrongLatin(string line, int at) =>
        char.IsAsciiDigit(line[at])
        || (char.IsLetter(line[at]) && !IsArabic(line[at]))
        || (line[at] == '+' && at + 1 < line.Length && char.IsAsciiDigit(line[at + 1]));

    /// <summary>Brackets open the other way where the line runs the other way.</summary>
    private static string Reversed(string text)
    {
        var turned = text.Select(c => c switch
        {
            '(' => ')',
            ')' => '(',
            '[' => ']',
            ']' => '[',
            '«' => '»',
            '»' => '«',
            _ => c,
        }).ToArray();
        Array.Reverse(turned);
        return new string(turned);
    }

    /// <summary>Without the marks above and below letters: they need a place that only a layout engine finds.</summary>
    private static string Plain(string text) =>
        string.Concat(text.Where(c => c is not (>= '\u064B' and <= '\u065F' or '\u0670')));

    private static char JoiningOf(char letter) =>
        letter is >= FirstLetter and <= LastLetter ? Joining[letter - FirstLetter] : 'U';

    private static bool JoinsBefore(char letter) => JoiningOf(letter) is 'R' or 'D' or 'C';

    private static bool JoinsAfter(char letter) => JoiningOf(letter) is 'D' or 'C';

    private static char FormOf(char letter, bool joinsBefore, bool joinsAfter)
    {
        if (letter is < FirstLetter or > LastLetter or Tatweel || Forms[letter - FirstLetter] == '\0') return letter;
        var form = joinsBefore ? (joinsAfter ? 3 : 1) : joinsAfter ? 2 : 0;
        return (char)(Forms[letter - FirstLetter] + form);
    }

    private static int FormsOf(char joining) => joining switch { 'U' => 1, 'R' => 2, 'D' => 4, _ => 0 };

    private static char[] MapForms()
    {
        var forms = new char[Joining.Length];
        var next = FirstForm;
        for (var i = 0; i < Joining.Length; i++)
        {
            var count = FormsOf(Joining[i]);
            if (count > 0) forms[i] = next;
            next += (char)count;
        }

        return forms;
    }
}
