using System.Globalization;
using PassNumerique.Platform;
using PassNumerique.Sites;

namespace PassNumerique.Orders;

/// <summary>What a covering letter tells of its booklet. It holds no code: the number of a booklet is no secret.</summary>
internal sealed record LetterFacts(
    long Booklet, long Passes, long MinutesPerPass, long ValidUntilDay, bool WholeVouchersOnly, long? OwnShareCents,
    string PointName, string PointAddress, string? Telephone)
{
    public long Minutes => Passes * MinutesPerPass;
}

/// <summary>How a line of a letter is shown: by itself, as a numbered step, as a blank to fill in by hand.</summary>
internal enum LetterLineKind
{
    Plain,
    Step,
    Blank,
}

internal sealed record LetterLine(string Text, LetterLineKind Kind = LetterLineKind.Plain);

internal sealed record LetterSection(string Heading, IReadOnlyList<LetterLine> Lines);

/// <summary>
/// The words of a covering letter in one language, written to be read by everybody (FALC): one idea a line,
/// short sentences, no word of the trade.
/// </summary>
internal abstract class LetterText
{
    private static readonly LetterText[] All = [new FrenchLetter(), new EnglishLetter(), new ArabicLetter()];

    public static IReadOnlyList<string> Codes { get; } = [.. All.Select(l => l.Code)];

    /// <summary>The language of the document, as in <c>?langue=</c> and in the PDF.</summary>
    public abstract string Code { get; }

    public virtual bool IsRightToLeft => false;

    public abstract string Title { get; }

    /// <summary>Heading of the list of sites.</summary>
    public abstract string Where { get; }

    /// <summary>What stands there where no site is labelled nearby.</summary>
    public abstract string Nowhere { get; }

    public abstract string ServicesLabel { get; }

    public abstract string TelephoneLabel { get; }

    protected abstract string HoursLabel { get; }

    protected abstract string AlwaysOpen { get; }

    protected abstract string ClosedOnHolidays { get; }

    protected abstract string ClosedInSchoolHolidays { get; }

    public static LetterText? Find(string code) => Array.Find(All, l => l.Code == code);

    public abstract string BookletName(long booklet);

    public abstract IReadOnlyList<LetterSection> Sections(LetterFacts facts);

    /// <summary>Heading of the sites that are so near.</summary>
    public abstract string Nearness(SiteDistance distance, string placeName);

    /// <summary>That the list goes on elsewhere.</summary>
    public abstract string More(long sites);

    /// <summary>A service of the national standard in this language.</summary>
    public abstract string Service(string service);

    /// <summary>The hours in plain words, a line for the days that have the same; as written where they can't be told.</summary>
    public IReadOnlyList<string> Hours(string? written)
    {
        if (string.IsNullOrWhiteSpace(written)) return [];
        if (OpeningHours.Parse(written) is not { } hours) return [$"{HoursLabel} {written.Trim()}"];
        var lines = new List<string>();
        if (hours.IsAlwaysOpen) lines.Add(AlwaysOpen);
        foreach (var same in hours.Days.GroupBy(d => string.Join(',', d.Spans), StringComparer.Ordinal))
        {
            var days = Joined([.. same.Select(d => DaysName(d.FirstDay, d.LastDay))]);
            lines.Add($"{Capital(days)}{Colon}{Joined([.. same.First().Spans.Select(Span)])}");
        }

        if (hours.IsClosedOnHolidays) lines.Add(ClosedOnHolidays);
        if (hours.IsClosedInSchoolHolidays) lines.Add(ClosedInSchoolHolidays);
        if (hours.Remark is { } remark) lines.Add(remark);
        return lines;
    }

    /// <summary>As dialled in France.</summary>
    public static string Telephone(string phone) => phone.StartsWith("+33", StringComparison.Ordinal)
        ? "0" + phone[3..].TrimStart(' ', '.', '-').Replace("(0)", "", StringComparison.Ordinal).TrimStart()
        : phone;

    protected abstract string Colon { get; }

    protected abstract string DaysName(int first, int last);

    protected abstract string Span(OpenSpan span);

    protected abstract string Joined(IReadOnlyList<string> parts);

    /// <summary>Commas, and one "and" before the last part, unless that has its own.</summary>
    protected static string Joined(IReadOnlyList<string> parts, string and) =>
        parts.Count < 2 || parts[^1].Contains(and, StringComparison.Ordinal)
            ? string.Join(", ", parts)
            : $"{string.Join(", ", parts.SkipLast(1))}{and}{parts[^1]}";

    protected static string Clock24(int minute) =>
        $"{minute / 60}:{(minute % 60).ToString("00", CultureInfo.InvariantCulture)}";

    protected static IReadOnlyList<LetterLine> Plain(params ReadOnlySpan<string?> lines)
    {
        var kept = new List<LetterLine>();
        foreach (var line in lines)
            if (line is not null) kept.Add(new(line));
        return kept;
    }

    protected static IReadOnlyList<LetterLine> Steps(params ReadOnlySpan<string> lines) => Of(LetterLineKind.Step, lines);

    protected static IReadOnlyList<LetterLine> Blanks(params ReadOnlySpan<string> lines) => Of(LetterLineKind.Blank, lines);

    private static List<LetterLine> Of(LetterLineKind kind, ReadOnlySpan<string> lines)
    {
        var all = new List<LetterLine>();
        foreach (var line in lines) all.Add(new(line, kind));
        return all;
    }

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
