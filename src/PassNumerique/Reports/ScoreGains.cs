using System.Globalization;

namespace PassNumerique.Reports;

/// <summary>
/// What people gained: t1 − t0 of the same person with the same instrument, its version and scale. The last
/// assessment of each phase counts. The interval is the normal approximation; with fewer than two pairs there
/// is none.
/// </summary>
internal static class ScoreGains
{
    public static IReadOnlyList<ScoreGain> Of(IReadOnlyList<AssessmentRow> assessments) =>
    [
        .. assessments.GroupBy(a => (a.Instrument, a.InstrumentVersion, a.MaxScore))
            .OrderBy(g => g.Key.Instrument, StringComparer.Ordinal)
            .ThenBy(g => g.Key.InstrumentVersion, StringComparer.Ordinal).ThenBy(g => g.Key.MaxScore)
            .Select(g => Gain(g.Key.Instrument, g.Key.InstrumentVersion, g.Key.MaxScore, [.. g]))
    ];

    private static ScoreGain Gain(string instrument, string version, long maxScore, IReadOnlyList<AssessmentRow> rows)
    {
        var (before, after) = (Scores(rows, "t0"), Scores(rows, "t1"));
        var gains = before.Where(b => after.ContainsKey(b.Key)).OrderBy(b => b.Key)
            .Select(b => after[b.Key] - b.Value).ToList();
        var (low, high) = Interval(gains);
        return new(instrument, version, maxScore, gains.Count,
            Ratio.Share("attrition", "Attrition", before.Count - gains.Count, before.Count,
                "Personnes évaluées avant et non après ÷ personnes évaluées avant."),
            Ratio.Mean("score-gain", "Gain moyen", gains.Sum(), gains.Count,
                "Somme des gains (t1 − t0) ÷ personnes évaluées deux fois, en centièmes de point."),
            low, high, Evidence(gains.Count));
    }

    private static Dictionary<long, long> Scores(IEnumerable<AssessmentRow> rows, string phase) => rows
        .Where(r => r.Phase == phase).GroupBy(r => r.PersonNumber)
        .ToDictionary(g => g.Key, g => g.OrderBy(r => r.TakenDay).ThenBy(r => r.Id, StringComparer.Ordinal).Last().Score);

    private static (string? Low, string? High) Interval(IReadOnlyList<long> gains)
    {
        if (gains.Count < 2) return (null, null);
        double n = gains.Count;
        var mean = gains.Sum() / n;
        var deviation = Math.Sqrt(gains.Sum(g => (g - mean) * (g - mean)) / (n - 1));
        var half = 1.96 * deviation / Math.Sqrt(n);
        return (Text(mean - half), Text(mean + half));
    }

    private static string Text(double value)
    {
        var rounded = Math.Round((decimal)value, 2, MidpointRounding.AwayFromZero);
        return rounded.ToString("0.00", CultureInfo.InvariantCulture);
    }

    private static string Evidence(long pairs) => pairs switch
    {
        < 2 => "aucun",
        < 30 => "indicatif",
        _ => "avant-après sans groupe témoin",
    };
}
