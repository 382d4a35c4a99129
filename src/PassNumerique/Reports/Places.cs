namespace PassNumerique.Reports;

/// <summary>One line per distribution point and per site, by id.</summary>
internal static class Places
{
    public static IEnumerable<string> PointIds(PassTally tally) => tally.Orders
        .SelectMany(o => o.Lots.Select(l => l.PointId))
        .Concat(tally.Booklets.Select(b => b.PointId).OfType<string>())
        .Concat(tally.Booklets.Where(b => b.IsInStock).Select(b => b.PlaceId).OfType<string>())
        .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    public static IReadOnlyList<PointLine> Points(
        PassTally tally, IReadOnlyDictionary<string, PointRow> points, long day)
    {
        var given = tally.Booklets.Where(b => b.IsHandedOut && b.IssuedPasses > 0).ToLookup(PointOf);
        var stock = Stock(tally, day).ToLookup(s => s.PointId, StringComparer.Ordinal);
        var allocated = tally.Orders.SelectMany(o => o.Lots).ToLookup(l => l.PointId, StringComparer.Ordinal);
        return
        [
            .. points.Values.OrderBy(p => p.Id, StringComparer.Ordinal).Select(p => new PointLine(
                p.Id, p.Name, p.Channel, p.Commune, allocated[p.Id].Sum(l => l.BookletCount),
                given[p.Id].LongCount(), given[p.Id].Sum(b => b.IssuedPasses), given[p.Id].Sum(b => b.RedeemedPasses),
                stock[p.Id].Sum(s => s.Booklets), stock[p.Id].Sum(s => s.Passes),
                stock[p.Id].Select(s => (long?)s.AgeDays).Max()))
        ];
    }

    public static IReadOnlyList<SiteLine> Sites(
        PassTally tally, IReadOnlyDictionary<string, (SiteRow Site, string Label)> sites) =>
    [
        .. tally.Money.BySite.Select(s =>
        {
            var (site, label) = sites[s.Key];
            return new SiteLine(site.Id, site.Name, site.Commune, label, s.Value.Redemptions, s.Value.Minutes,
                s.Value.DeliveredMinutes, s.Value.Cents, s.Value.PaidCents);
        })
    ];

    /// <summary>
    /// Booklets that were delivered to a point and neither handed out nor returned since, where they lie now; those in
    /// transit lie nowhere. A transfer makes no booklet younger.
    /// </summary>
    private static IEnumerable<(string PointId, long Booklets, long Passes, long AgeDays)> Stock(PassTally tally, long day)
    {
        var gone = tally.Booklets.Where(b => b.HasMoved || !b.IsInStock)
            .Select(b => b.Order.LotOf(b.Number)).OfType<LotRow>()
            .GroupBy(l => l.FirstSerial).ToDictionary(g => g.Key, g => g.LongCount());
        foreach (var order in tally.Orders)
        {
            if ((order.Row.DeliveredDay ?? order.Row.ActivatedDay) is not { } from) continue;
            foreach (var lot in order.Lots)
            {
                var left = lot.BookletCount - gone.GetValueOrDefault(lot.FirstSerial);
                if (left > 0) yield return (lot.PointId, left, left * order.Row.VouchersPerBooklet, day - from);
            }
        }

        foreach (var moved in tally.Booklets.Where(b => b.PlaceId is not null && b.IsInStock))
        {
            var row = moved.Order.Row;
            if ((row.DeliveredDay ?? row.ActivatedDay) is { } from)
                yield return (moved.PlaceId!, 1, row.VouchersPerBooklet, day - from);
        }
    }

    /// <summary>A hand-out nobody recorded is counted at the point its lot was sent to.</summary>
    private static string PointOf(Booklet booklet) =>
        booklet.PointId ?? booklet.Order.LotOf(booklet.Number)?.PointId ?? "";
}
