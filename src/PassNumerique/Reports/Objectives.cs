using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Reports;

/// <summary>What the convention aimed at beside what was reached, in the unit of the indicator.</summary>
internal static class Objectives
{
    private const string NotMeasured = "non mesuré";

    /// <summary>A result: its value, the unit it is counted in, and whether less is better.</summary>
    private sealed record Measure(string Label, string Unit, long? Value, bool LessIsBetter = false);

    public static IReadOnlyList<ObjectiveLine> Lines(ConventionReport report, Terms terms)
    {
        var measures = Measures(report);
        return
        [
            .. terms.Objectives.OrderBy(o => o.Indicator, StringComparer.Ordinal).ThenBy(o => o.By).ThenBy(o => o.Target)
                .Select(o => measures.TryGetValue(o.Indicator, out var m)
                    ? new ObjectiveLine(o.Indicator, m.Label, m.Unit, o.Target, o.By, m.Value,
                        Status(o, m, report.CutOff.ServedThrough))
                    : new ObjectiveLine(o.Indicator, o.Indicator, "", o.Target, o.By, null, NotMeasured))
        ];
    }

    private static string Status(Objective objective, Measure measure, DateOnly day)
    {
        if (measure.Value is not { } value) return NotMeasured;
        var isReached = measure.LessIsBetter ? value <= objective.Target : value >= objective.Target;
        if (isReached) return "atteint";
        return day <= objective.By ? "en cours" : "non atteint";
    }

    private static Dictionary<string, Measure> Measures(ConventionReport report)
    {
        var measures = report.Rates.Append(report.NewPublic.Rate).Concat(report.Pic.Lines.Select(l => l.Share))
            .ToDictionary(r => r.Code, Of, StringComparer.Ordinal);
        if (report.TargetReach.Count > 0)
            measures["target-reach"] = Of(Ratio.Share("target-reach", "Population cible touchée",
                report.TargetReach.Sum(r => r.Numerator), report.TargetReach.Sum(r => r.Denominator), ""));
        measures["first-use-within-30-days"] = Of(report.FirstUse.Under30Days);
        measures["persons"] = new("Personnes bénéficiaires", "count", report.Persons.Total);
        measures["person-hours"] = new("Heures-personnes délivrées", "hours", report.Hours.PersonMinutes / 60);
        measures["hours-delivered"] = measures["person-hours"] with { Label = "Heures d'accompagnement délivrées" };
        measures["workshop-hours"] = new("Heures de séance délivrées", "hours", report.Hours.SessionMinutes / 60);
        measures["minutes-debited"] = new("Minutes débitées", "minutes", report.Hours.DebitedMinutes);
        measures["collective-share"] = Of(Ratio.Share("collective-share", "Part des heures en atelier collectif",
            report.Hours.CollectiveMinutes, report.Hours.PersonMinutes, ""));
        measures["value-redeemed"] = new("Valeur utilisée", "cents", report.Money.RedeemedCents);
        measures["funds-received"] = new("Fonds reçus", "cents", report.Money.ReceivedCents);
        measures["cost-per-hour"] = new("Coût complet par heure", "cents", report.Money.FullCost.CentsPerHour, true);
        measures["lead-time-to-order"] = Days(report, "signature-to-order");
        measures["lead-time-to-first-hour"] = Days(report, "signature-to-hour");
        return measures;
    }

    private static Measure Of(Ratio ratio) => ratio.BasisPoints is null && ratio.Hundredths is not null
        ? new(ratio.Label, "hundredths", ratio.Hundredths)
        : new(ratio.Label, ratio.Code == "passes-per-person" ? "hundredths" : "basis-points", ratio.BasisPoints);

    private static Measure Days(ConventionReport report, string code)
    {
        var step = report.LeadTimes.Steps.Single(s => s.Code == code);
        return new(step.Label, "days", step.Days, true);
    }
}
