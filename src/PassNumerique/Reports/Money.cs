using System.Globalization;
using PassNumerique.Conventions;
using PassNumerique.Settlement;

namespace PassNumerique.Reports;

/// <summary>Euros: by funder once per version of the shares, by site and month, received, spent beside.</summary>
internal static class Money
{
    public static MoneyTable Table(
        PassTally tally, ConventionCard card, Terms terms, IReadOnlyList<ReceiptRow> receipts,
        IReadOnlyList<CostRow> costs, long exposureCents)
    {
        var shares = Shares(tally, card);
        return new(
            terms.BudgetCents,
            tally.Issued.Cents,
            tally.Orders.Where(o => o.IsActivated).Sum(o => o.IssuedPasses * o.Row.FaceCents),
            tally.Redeemed.Cents,
            tally.Money.BySite.Values.Sum(s => s.PaidCents),
            receipts.Sum(r => r.AmountCents),
            receipts.Sum(r => r.FaceValueCents),
            exposureCents,
            Funders(card, terms, shares, receipts),
            shares,
            SiteMonths(tally),
            [
                .. costs.OrderBy(c => c.Kind, StringComparer.Ordinal)
                    .Select(c => new CostLine(c.Kind, RecordCost.Kinds.Label(c.Kind), c.Cents))
            ],
            Full(tally, receipts, costs));
    }

    /// <summary>The amounts exist here, on the net value of each version, and nowhere else.</summary>
    private static IReadOnlyList<ShareLine> Shares(PassTally tally, ConventionCard card)
    {
        var lines = new List<ShareLine>();
        foreach (var (number, netCents) in tally.Money.ByVersion)
        {
            var version = card.Versions.FirstOrDefault(v => v.Version == number) ?? card.Latest;
            var funders = version.Terms.Funders;
            var parts = FunderShares.Split(netCents, [.. funders.Select(f => f.ShareBasisPoints)]);
            lines.AddRange(parts.Select((cents, i) =>
                new ShareLine(number, funders[i].Name, funders[i].ShareBasisPoints, cents)));
        }

        return lines;
    }

    /// <summary>In the order of the terms in force, then those of other versions, then unnamed payers.</summary>
    private static IReadOnlyList<FunderLine> Funders(
        ConventionCard card, Terms terms, IReadOnlyList<ShareLine> shares, IReadOnlyList<ReceiptRow> receipts)
    {
        var known = terms.Funders.Concat(card.Versions.SelectMany(v => v.Terms.Funders))
            .DistinctBy(f => f.Name, StringComparer.Ordinal).ToList();
        var others = receipts.Select(r => r.Funder).Where(n => known.All(f => f.Name != n))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(n => new Funder("third-party", n, 0, "prefunding"));
        return
        [
            .. known.Concat(others).Select(f => new FunderLine(
                f.Name, f.Kind, f.Mode,
                shares.Where(s => s.Funder == f.Name).Sum(s => s.Cents),
                receipts.Where(r => r.Funder == f.Name).Sum(r => r.AmountCents),
                receipts.Where(r => r.Funder == f.Name).Sum(r => r.FaceValueCents)))
        ];
    }

    private static IReadOnlyList<SiteMonthLine> SiteMonths(PassTally tally) =>
    [
        .. tally.Money.BySiteMonth.OrderBy(l => l.Key.SiteId, StringComparer.Ordinal).ThenBy(l => l.Key.Month)
            .Select(l => new SiteMonthLine(l.Key.SiteId, MonthText(l.Key.Month), l.Value.Redemptions, l.Value.Reversals,
                l.Value.Minutes, l.Value.Cents))
    ];

    /// <summary>
    /// What an hour cost in all: value used, what the offline guarantee paid for hours without it, fees and VAT
    /// received beside face value, costs entered. Value that was never used and never returned has no facts yet,
    /// and is not in it.
    /// </summary>
    private static FullCost Full(PassTally tally, IReadOnlyList<ReceiptRow> receipts, IReadOnlyList<CostRow> costs)
    {
        var fees = receipts.Sum(r => r.AmountCents - r.FaceValueCents);
        var spent = costs.Sum(c => c.Cents);
        var guarantee = tally.Guarantee?.Cents ?? 0;
        var total = tally.Redeemed.Cents + guarantee + fees + spent;
        var minutes = tally.Hours.PersonMinutes;
        return new(tally.Redeemed.Cents, fees, spent,
            minutes == 0 ? null : FunderShares.HalfUp((Int128)total * 60, minutes),
            Ratio.Mean("full-cost-per-minute", "Coût complet par minute délivrée", total, minutes,
                $"(Valeur utilisée {(guarantee > 0 ? "+ garantie hors ligne " : "")}+ frais et TVA reçus + coûts saisis, en "
                + "centimes) ÷ minutes-personnes délivrées."));
    }

    public static string MonthText(long month) =>
        string.Create(CultureInfo.InvariantCulture, $"{month / 100:0000}-{month % 100:00}");
}
