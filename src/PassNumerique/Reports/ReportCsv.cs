using System.Globalization;
using System.Text;
using PassNumerique.Platform;

namespace PassNumerique.Reports;

/// <summary>
/// The report as one long table, one figure a line, UTF-8, comma separated, lines ended by CR LF (RFC 4180).
/// A text that a spreadsheet would take for a formula begins with an apostrophe.
/// </summary>
internal static class ReportCsv
{
    private const string Header = "section,indicator,key,label,value,numerator,denominator,unit";

    public static string Text(ConventionReport report)
    {
        var csv = new StringBuilder(Header).Append("\r\n");
        foreach (var line in Lines(report))
        {
            csv.AppendJoin(',', line.Cells.Select(Cell)).Append("\r\n");
        }

        return csv.ToString();
    }

    private static IEnumerable<Line> Lines(ConventionReport r) =>
    [
        .. Heading(r), .. Passes(r), .. Ratios("rates", r.Rates), .. People(r), .. Time(r), .. Breakdowns(r),
        .. Where(r), .. Euros(r), .. Dates(r), .. Scores(r), .. Ratios("unknown", r.Unknowns),
        .. Ratios("target-reach", r.TargetReach), .. Aims(r),
    ];

    private static IEnumerable<Line> Heading(ConventionReport r) =>
    [
        new("cut-off", "served-through", "", "Services jusqu'au", Date(r.CutOff.ServedThrough), "date"),
        new("cut-off", "known-at", "", "Connu le", r.CutOff.KnownAt, "instant"),
        new("cut-off", "batch", "", "Dernier lot scellé", N(r.CutOff.Batch), "count"),
        new("cut-off", "sealed-at", "", "Scellé le", r.CutOff.SealedAt, "instant"),
        new("cut-off", "root", "", "Racine du lot", r.CutOff.Root, "sha-256"),
        new("cut-off", "chain", "", "Chaîne des lots", r.CutOff.Chain, "sha-256"),
        new("cut-off", "definitions-version", "", "Version des définitions", r.CutOff.DefinitionsVersion, "text"),
        new("convention", "id", "", "Identifiant", r.Convention.Id, "text"),
        new("convention", "reference", "", "Référence", r.Convention.Reference, "text"),
        new("convention", "authority", r.Convention.AuthorityId, "Collectivité", r.Convention.AuthorityName, "text"),
        new("convention", "terms-version", "", "Version des termes", N(r.Convention.TermsVersion), "count"),
        new("convention", "budget", "", "Budget", N(r.Convention.BudgetCents), "cents"),
    ];

    private static IEnumerable<Line> Passes(ConventionReport r)
    {
        foreach (var step in r.Funnel)
        {
            yield return new("funnel", step.Code, "passes", step.Label, N(step.Passes), "passes");
            if (step.Persons is { } persons) yield return new("funnel", step.Code, "persons", step.Label, N(persons), "persons");
        }

        var sums = new[] { ("issued", "Commandés", r.Classes.Issued), ("redeemed", "Utilisés", r.Classes.Redeemed) }
            .Concat(r.Classes.Classes.Select(c => (c.Code, c.Label, new Amounts(c.Passes, c.Minutes, c.Cents))));
        foreach (var (code, label, sum) in sums)
        {
            yield return new("classes", code, "passes", label, N(sum.Passes), "passes");
            yield return new("classes", code, "minutes", label, N(sum.Minutes), "minutes");
            yield return new("classes", code, "cents", label, N(sum.Cents), "cents");
        }

        yield return new("classes", "replaced-papers", "", "Papiers remplacés", N(r.Classes.ReplacedPapers), "count");
    }

    private static IEnumerable<Line> People(ConventionReport r)
    {
        yield return new("persons", "total", "", "Personnes", N(r.Persons.Total), "persons");
        yield return new("persons", "identified", "", "Personnes suivies", N(r.Persons.Identified), "persons");
        yield return new("persons", "anonymous", "", "Carnets anonymes", N(r.Persons.AnonymousBooklets), "count");
        yield return new("persons", "unrecorded-hand-outs", "", "Remises non saisies", N(r.Persons.UnrecordedHandOuts), "count");
        yield return Of("persons", r.Persons.AnonymousShare);
        yield return new("first-use", "median-days", "", "Délai médian avant la première utilisation",
            r.FirstUse.MedianDays ?? "", "days");
        yield return Of("first-use", r.FirstUse.Under30Days);
        yield return Of("new-public", r.NewPublic.Rate);
        yield return new("new-public", "unknown", "", "Première visite inconnue", N(r.NewPublic.Unknown), "count");
        foreach (var line in r.Pic.Lines)
        {
            yield return new("pic", line.Code, "yes", line.Label, N(line.Yes), line.Unit);
            yield return new("pic", line.Code, "no", line.Label, N(line.No), line.Unit);
            yield return new("pic", line.Code, "unknown", line.Label, N(line.Unknown), line.Unit);
            yield return Of("pic", line.Share);
            yield return Of("pic", line.ShareOfKnown);
        }

        if (r.Pic.QuotaBasisPoints is { } quota)
            yield return new("pic", "quota", r.Pic.QuotaBase ?? "", "Quota", N(quota), "basis-points");
    }

    private static IEnumerable<Line> Time(ConventionReport r) =>
    [
        new("hours", "person-minutes", "", "Minutes-personnes délivrées", N(r.Hours.PersonMinutes), "minutes"),
        new("hours", "individual", "", "Accompagnement individuel", N(r.Hours.IndividualMinutes), "minutes"),
        new("hours", "collective", "", "Ateliers collectifs", N(r.Hours.CollectiveMinutes), "minutes"),
        new("hours", "other", "", "Nature inconnue", N(r.Hours.OtherMinutes), "minutes"),
        new("hours", "sessions", "", "Séances", N(r.Hours.Sessions), "count"),
        new("hours", "session-minutes", "", "Minutes de séance", N(r.Hours.SessionMinutes), "minutes"),
        new("hours", "debited", "", "Minutes débitées", N(r.Hours.DebitedMinutes), "minutes"),
        new("hours", "redemptions", "", "Utilisations", N(r.Hours.Redemptions), "count"),
    ];

    private static IEnumerable<Line> Breakdowns(ConventionReport r) =>
        from breakdown in r.Breakdowns
        from line in breakdown.Lines
        from figure in new[]
        {
            ("persons", line.Persons, "persons"), ("booklets", line.Booklets, "booklets"),
            ("handed-out", line.HandedOutPasses, "passes"), ("redeemed", line.RedeemedPasses, "passes"),
            ("debited", line.DebitedMinutes, "minutes"), ("delivered", line.DeliveredMinutes, "minutes"),
        }
        select new Line("by-" + breakdown.Code, figure.Item1, line.Key, line.Label, N(figure.Item2), figure.Item3);

    private static IEnumerable<Line> Where(ConventionReport r) =>
        (from p in r.Points
         from figure in new[]
         {
             ("allocated", p.AllocatedBooklets, "booklets"), ("handed-out-booklets", p.HandedOutBooklets, "booklets"),
             ("handed-out", p.HandedOutPasses, "passes"), ("redeemed", p.RedeemedPasses, "passes"),
             ("stock-booklets", p.StockBooklets, "booklets"), ("stock", p.StockPasses, "passes"),
             ("oldest-stock", p.OldestStockDays ?? 0, "days"),
         }
         select new Line("points", figure.Item1, p.Id, p.Name, N(figure.Item2), figure.Item3))
        .Concat(
            from s in r.Sites
            from figure in new[]
            {
                ("redemptions", s.Redemptions, "count"), ("debited", s.DebitedMinutes, "minutes"),
                ("delivered", s.DeliveredMinutes, "minutes"), ("redeemed", s.Cents, "cents"),
                ("paid", s.PaidCents, "cents"),
            }
            select new Line("sites", figure.Item1, s.Id, s.Name, N(figure.Item2), figure.Item3));

    private static IEnumerable<Line> Euros(ConventionReport r)
    {
        var m = r.Money;
        foreach (var (code, label, cents) in new[]
        {
            ("budget", "Budget", m.BudgetCents), ("ordered", "Commandé", m.OrderedCents),
            ("activated", "Activé", m.ActivatedCents), ("redeemed", "Utilisé", m.RedeemedCents),
            ("paid", "Payé aux lieux", m.PaidCents), ("received", "Reçu", m.ReceivedCents),
            ("received-face", "Reçu pour la valeur faciale", m.ReceivedFaceCents),
            ("exposure", "Exposition (dérogations)", m.ExposureCents),
        })
            yield return new("money", code, "", label, N(cents), "cents");
        foreach (var funder in m.Funders)
        {
            yield return new("funders", "redeemed", funder.Name, funder.Name, N(funder.RedeemedCents), "cents");
            yield return new("funders", "received", funder.Name, funder.Name, N(funder.ReceivedCents), "cents");
        }

        foreach (var share in m.Shares)
            yield return new("shares", "version-" + N(share.TermsVersion), share.Funder, share.Funder, N(share.Cents), "cents");
        foreach (var line in m.SiteMonths)
        {
            yield return new("site-months", line.Month, line.SiteId, "Valeur utilisée", N(line.Cents), "cents");
            yield return new("site-months", line.Month, line.SiteId, "Minutes débitées", N(line.Minutes), "minutes");
        }

        if (r.OfflineGuarantee is { } guarantee)
        {
            foreach (var (code, label, amount, unit) in new[]
            {
                ("passes", "Garantie hors ligne", guarantee.Passes, "passes"),
                ("minutes", "Garantie hors ligne, temps dû", guarantee.Minutes, "minutes"),
                ("delivered", "Garantie hors ligne, temps délivré", guarantee.DeliveredMinutes, "minutes"),
                ("cents", "Garantie hors ligne, montant", guarantee.Cents, "cents"),
                ("paid", "Garantie hors ligne, payé aux lieux", guarantee.PaidCents, "cents"),
            })
                yield return new("offline-guarantee", code, "", label, N(amount), unit);
        }

        foreach (var cost in m.Costs) yield return new("costs", cost.Kind, "", cost.Label, N(cost.Cents), "cents");
        yield return Of("costs", m.FullCost.PerHour);
    }

    private static IEnumerable<Line> Dates(ConventionReport r) => r.LeadTimes.Steps
        .Select(s => new Line("lead-times", s.Code, "", s.Label, s.Days is { } d ? N(d) : "", "days"));

    private static IEnumerable<Line> Scores(ConventionReport r)
    {
        foreach (var gain in r.ScoreGains)
        {
            var key = $"{gain.Instrument} {gain.Version} /{N(gain.MaxScore)}";
            yield return Of("scores", gain.MeanGain) with { Key = key };
            yield return Of("scores", gain.Attrition) with { Key = key };
            yield return new("scores", "low-95", key, "Borne basse à 95 %", gain.Low95 ?? "", "points");
            yield return new("scores", "high-95", key, "Borne haute à 95 %", gain.High95 ?? "", "points");
        }
    }

    private static IEnumerable<Line> Aims(ConventionReport r) => r.Objectives.SelectMany(o => new[]
    {
        new Line("objectives", o.Indicator, "target", o.Label, N(o.Target), o.Unit),
        new Line("objectives", o.Indicator, "result", o.Label, o.Result is { } result ? N(result) : o.Status, o.Unit),
    });

    private static IEnumerable<Line> Ratios(string section, IEnumerable<Ratio> ratios) => ratios.Select(r => Of(section, r));

    private static Line Of(string section, Ratio r) =>
        new(section, r.Code, "", r.Label, (r.BasisPoints ?? r.Hundredths) is { } v ? N(v) : "",
            r.Hundredths is null ? "basis-points" : "hundredths", N(r.Numerator), N(r.Denominator));

    private static string N(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Date(DateOnly date) => Clock.DateText(date.ToDay());

    /// <summary>
    /// Numbers pass as they are, a minus sign included; other cells that begin like a formula are defused.
    /// </summary>
    private static string Cell(string text)
    {
        var isNumber = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
            || decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture, out _);
        if (!isNumber && text.Length > 0 && "=+-@\t\r".Contains(text[0], StringComparison.Ordinal)) text = "'" + text;
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private sealed record Line(
        string Section, string Indicator, string Key, string Label, string Value, string Unit, string Numerator = "",
        string Denominator = "")
    {
        public string[] Cells => [Section, Indicator, Key, Label, Value, Numerator, Denominator, Unit];
    }
}
