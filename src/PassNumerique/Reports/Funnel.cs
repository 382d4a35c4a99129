using System.Globalization;

namespace PassNumerique.Reports;

/// <summary>The funnel in passes and in persons, the classes, the rates: pure sums of what was tallied.</summary>
internal static class Funnel
{
    public static IReadOnlyList<FunnelStep> Steps(PassTally tally, long financedPasses)
    {
        var orders = tally.Orders;
        var booklets = tally.Booklets;
        return
        [
            new("financed", "Financés", financedPasses, null, false,
                "Budget de la convention ÷ valeur faciale, en pass entiers."),
            new("ordered", "Commandés", tally.Issued.Passes, null, false,
                "Pass des commandes approuvées et non annulées."),
            new("delivered", "Livrés", orders.Where(o => o.Row.DeliveredDay is not null).Sum(o => o.IssuedPasses),
                null, false, "Pass des commandes livrées."),
            new("activated", "Activés", Activated(tally), null, false, "Pass des commandes activées."),
            new("handed-out", "Remis", tally.HandedOutPasses, Persons(booklets.Where(b => b.IsHandedOut)), false,
                "Pass des carnets remis ; un carnet utilisé sans remise saisie compte à sa première utilisation."),
            new("started", "Entamés", booklets.Where(b => b.FirstUse is not null).Sum(b => b.IssuedPasses),
                Persons(booklets.Where(b => b.FirstUse is not null)), false,
                "Pass des carnets dont un pass au moins a servi."),
            new("redeemed", "Utilisés", tally.Redeemed.Passes, Persons(booklets.Where(b => b.RedeemedPasses > 0)), false,
                "Pass dont les minutes nettes dépassent zéro."),
            new("paid", "Payés", tally.PaidPasses, Persons(booklets.Where(b => b.PaidPasses > 0)), false,
                "Pass utilisés dont toutes les utilisations sont dans un paiement confirmé."),
            Exit(tally, PassClass.Expired),
            Exit(tally, PassClass.Blocked),
            Exit(tally, PassClass.Returned),
        ];
    }

    public static ClassTable Classes(PassTally tally) => new(
        tally.Issued, tally.Redeemed,
        [.. PassClasses.All.Select(c =>
        {
            var sum = tally.ByClass[(int)c.Class];
            return new ClassLine(c.Code, c.Label, sum.Passes, sum.Minutes, sum.Cents, c.Definition);
        })],
        tally.ReplacedPapers);

    public static IReadOnlyList<Ratio> Rates(PassTally tally)
    {
        var (ordered, activated, handedOut) = (tally.Issued.Passes, Activated(tally), tally.HandedOutPasses);
        var redeemed = tally.Redeemed.Passes;
        var given = tally.Booklets.Where(b => b.IsHandedOut && b.IssuedPasses > 0).ToList();
        var started = given.Where(b => b.FirstUse is not null).ToList();
        return
        [
            Ratio.Share("distribution-rate", "Taux de distribution", handedOut, activated,
                "Pass remis ÷ pass activés."),
            Ratio.Share("use-rate-0", "Taux d'usage 0", redeemed, ordered,
                "Pass utilisés ÷ pass commandés : le seul comparable aux 38 % de la presse."),
            Ratio.Share("use-rate-a", "Taux d'usage A", redeemed, activated, "Pass utilisés ÷ pass activés."),
            Ratio.Share("use-rate-b", "Taux d'usage B", redeemed, handedOut, "Pass utilisés ÷ pass remis."),
            Ratio.Share("value-rate", "Taux d'usage en valeur", tally.Redeemed.Cents, tally.Issued.Cents,
                "Valeur utilisée ÷ valeur commandée, en centimes."),
            Ratio.Share("start-rate", "Taux d'entame", started.Count, given.Count, "Carnets entamés ÷ carnets remis."),
            Ratio.Share("completion-rate", "Taux d'achèvement",
                started.LongCount(b => b.SpentPasses == b.IssuedPasses), started.Count,
                "Carnets entièrement épuisés ÷ carnets entamés."),
            Ratio.Mean("passes-per-person", "Pass utilisés par personne", redeemed,
                Persons(tally.Booklets.Where(b => b.RedeemedPasses > 0)),
                "Pass utilisés ÷ personnes ayant utilisé un pass, en centièmes."),
        ];
    }

    public static FirstUseDelay FirstUse(PassTally tally)
    {
        var days = tally.Booklets.Where(b => b.HandOut is not null && b.FirstUse is not null)
            .Select(b => b.FirstUse!.ServiceDay - b.HandOut!.Day).Order().ToList();
        var under = Ratio.Share("first-use-within-30-days", "Première utilisation en moins de 30 jours",
            days.LongCount(d => d < 30), days.Count,
            "Carnets utilisés moins de 30 jours après leur remise ÷ carnets remis et entamés, remises saisies seules.");
        return new(days.Count, Median(days), under);
    }

    /// <summary>Of sorted numbers; halfway between the two in the middle where their count is even.</summary>
    public static string? Median(IReadOnlyList<long> sorted) => sorted.Count == 0
        ? null
        : ((sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2m).ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>Distinct persons of some booklets; a booklet of replacement papers brings nobody anonymous.</summary>
    public static long Persons(IEnumerable<Booklet> booklets) =>
        booklets.Where(b => b.IssuedPasses > 0 || !b.IsAnonymous).Select(b => b.PersonKey).Distinct().LongCount();

    private static long Activated(PassTally tally) => tally.Orders.Where(o => o.IsActivated).Sum(o => o.IssuedPasses);

    private static FunnelStep Exit(PassTally tally, PassClass pass)
    {
        var (_, code, label, definition) = PassClasses.All[(int)pass];
        return new(code, label, tally.ByClass[(int)pass].Passes, null, true, definition);
    }
}
