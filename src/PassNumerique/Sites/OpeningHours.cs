using System.Globalization;
using System.Text.RegularExpressions;

namespace PassNumerique.Sites;

/// <summary>A stretch of a day in minutes since midnight; without an end, it lasts as long as it lasts.</summary>
internal readonly record struct OpenSpan(int FromMinute, int? UntilMinute);

/// <summary>
/// Days that follow one another, Monday being 0, with the same hours.
/// </summary>
internal sealed record OpenDays(int FirstDay, int LastDay, IReadOnlyList<OpenSpan> Spans);

/// <summary>
/// Opening hours as the national standard writes them (OSM <c>opening_hours</c>), understood as far as they can be
/// told in plain words: days of the week, hours, holidays, a remark. Whoever needs more (months, weeks, "every
/// second Tuesday") gets null, and shows what was written: better hard to read than wrong.
/// </summary>
internal sealed partial record OpeningHours(
    IReadOnlyList<OpenDays> Days, bool IsAlwaysOpen, bool IsClosedOnHolidays, bool IsClosedInSchoolHolidays, string? Remark)
{
    private const int MinutesPerDay = 1_440;

    private static readonly string[] DayCodes = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

    public static OpeningHours? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        var week = new List<OpenSpan>[DayCodes.Length];
        var (always, holidays, school, remark) = (false, false, false, (string?)null);
        foreach (var (rule, isAddition) in Rules(text.Trim()))
        {
            if (rule == "24/7")
            {
                always = true;
                continue;
            }

            if (Rule().Match(rule) is not { Success: true } match) return null;
            if (match.Groups["remark"] is { Success: true } said)
            {
                if (remark is not null && remark != said.Value) return null;
                remark = said.Value;
            }

            if (DaysOf(match.Groups["days"].Value) is not { } days) return null;
            var spans = match.Groups["off"].Success ? [] : SpansOf(match.Groups["times"].Value);
            if (spans is null || (spans.Count > 0 && (days.Holidays || days.School))) return null;
            holidays |= days.Holidays;
            school |= days.School;
            foreach (var day in days.Week)
                week[day] = isAddition && week[day] is { } before ? [.. before, .. spans] : spans;
        }

        if (always && week.Any(d => d is not null)) return null;
        var grouped = Grouped(week);
        return always || grouped.Count > 0 ? new(grouped, always, holidays, school, remark) : null;
    }

    /// <summary>
    /// Rules follow one another after a semicolon, the later over the earlier; after a comma, a rule that begins
    /// with a day only adds.
    /// </summary>
    private static IEnumerable<(string Rule, bool IsAddition)> Rules(string text)
    {
        foreach (var rule in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var isAddition = false;
            foreach (var part in Addition().Split(rule))
            {
                yield return (part.Trim(), isAddition);
                isAddition = true;
            }
        }
    }

    private static (IReadOnlyList<int> Week, bool Holidays, bool School)? DaysOf(string text)
    {
        if (text.Length == 0) return ([0, 1, 2, 3, 4, 5, 6], false, false);
        var week = new List<int>();
        var (holidays, school) = (false, false);
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            holidays |= part == "PH";
            school |= part == "SH";
            if (part is "PH" or "SH") continue;
            var ends = part.Split('-', StringSplitOptions.TrimEntries);
            var (first, last) = (Array.IndexOf(DayCodes, ends[0]), Array.IndexOf(DayCodes, ends[^1]));
            if (ends.Length > 2 || first < 0 || last < 0) return null;
            for (var day = first; ; day = (day + 1) % DayCodes.Length)
            {
                week.Add(day);
                if (day == last) break;
            }
        }

        return (week, holidays, school);
    }

    private static List<OpenSpan>? SpansOf(string text)
    {
        var spans = new List<OpenSpan>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var match = Span().Match(part);
            if (!match.Success) return null;
            var from = Minute(match.Groups["from"].Value);
            int? until = match.Groups["until"].Success ? Minute(match.Groups["until"].Value) : null;
            if (from >= MinutesPerDay || until > MinutesPerDay || until <= from) return null;
            spans.Add(new(from, until));
        }

        return spans;
    }

    private static int Minute(string clock)
    {
        var parts = clock.Split(':');
        return (int.Parse(parts[0], CultureInfo.InvariantCulture) * 60) + int.Parse(parts[1], CultureInfo.InvariantCulture);
    }

    private static List<OpenDays> Grouped(List<OpenSpan>?[] week)
    {
        var groups = new List<OpenDays>();
        for (var day = 0; day < week.Length; day++)
        {
            if (week[day] is not { Count: > 0 } given) continue;
            var spans = given.OrderBy(s => s.FromMinute).ToList();
            if (groups is [.., var last] && last.LastDay == day - 1 && last.Spans.SequenceEqual(spans))
                groups[^1] = last with { LastDay = day };
            else
                groups.Add(new(day, day, spans));
        }

        return groups;
    }

    /// <summary>Days, then hours or "off", then a remark in quotes.</summary>
    [GeneratedRegex("""
        ^(?<days>(Mo|Tu|We|Th|Fr|Sa|Su|PH|SH)(\s*[-,]\s*(Mo|Tu|We|Th|Fr|Sa|Su|PH|SH))*)?:?\s*
        ((?<off>off|closed)|(?<times>\d{1,2}:\d{2}[-\d:+,\s]*))(\s*"(?<remark>[^"]{1,120})")?$
        """, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Rule();

    [GeneratedRegex("""(?<=\d|\+|off|closed|")\s*,\s*(?=(Mo|Tu|We|Th|Fr|Sa|Su|PH|SH)\b)""",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Addition();

    [GeneratedRegex(@"^(?<from>\d{1,2}:[0-5]\d)(\s*-\s*(?<until>\d{1,2}:[0-5]\d)|\+)$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Span();
}
