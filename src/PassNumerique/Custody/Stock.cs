using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>
/// Booklets of one order at one point: those sent there with a lot, or (<paramref name="ArrivedDay"/> above 0) brought
/// there by transfers. What left for another point is <paramref name="Sent"/>; a day of 0 is none yet.
/// </summary>
internal sealed record StockLine(
    string PointId, string OrderId, long FirstSerial, long LastSerial, long Booklets, long HandedOut, long Returned,
    long Sent, long VouchersPerBooklet, long FaceCents, long UntilDay, long DeliveredDay, long ActivatedDay, long ArrivedDay)
{
    public bool IsDelivered => DeliveredDay > 0;

    public long Received => IsDelivered ? Booklets : 0;

    /// <summary>What lies in the drawer.</summary>
    public long Left => IsDelivered ? Booklets - HandedOut - Returned - Sent : 0;

    public long Passes => Left * VouchersPerBooklet;

    public long Cents => Passes * FaceCents;

    /// <summary>A transfer doesn't make a booklet younger: its age is that of the delivery of its order.</summary>
    public long? AgeDays(long day) => IsDelivered ? day - DeliveredDay : null;
}

/// <summary>Booklets on their way between two points.</summary>
internal sealed record TransitLine(string FromPointId, string ToPointId, long Booklets);

/// <summary>Booklets in a drawer whose numbers follow each other, of one order.</summary>
internal sealed record StockedRange(long FirstBooklet, long VouchersPerBooklet, long Booklets)
{
    public long LastSerial => FirstBooklet + (Booklets * VouchersPerBooklet) - 1;

    public IEnumerable<long> Numbers
    {
        get
        {
            for (var i = 0L; i < Booklets; i++) yield return FirstBooklet + (i * VouchersPerBooklet);
        }
    }
}

/// <summary>
/// What lies in the drawers of points at the end of a day: whole lots by their ranges, less the booklets whose own
/// story says otherwise, plus those that a transfer brought. No booklet that nobody touched is looked at.
/// </summary>
internal static class Stock
{
    private const long HandedOut = 1;
    private const long Returned = 2;
    private const long Sent = 3;

    /// <summary>The lines of a collectivité, or of one of its points, in the order of their serials.</summary>
    public static async Task<IReadOnlyList<StockLine>> ReadAsync(
        Session db, string authorityId, string? pointId, long day, CancellationToken ct)
    {
        var args = new { AuthorityId = authorityId, PointId = pointId, Day = day };
        var lots = await db.ListAsync<LotRow>(Sql.Lots, args, ct);
        var touched = (await db.ListAsync<Count>(Sql.Touched, args, ct)).ToLookup(c => c.FirstSerial);
        var lines = lots.Select(l => Line(l, touched[l.FirstSerial])).ToList();
        var arrived = await db.ListAsync<ArrivedRow>(Sql.Arrived, args, ct);
        lines.AddRange(arrived
            .GroupBy(a => (a.PointId, a.OrderId, a.ArrivedDay))
            .Select(g => Line(g.First(), [.. g])));
        return [.. lines.OrderBy(l => l.FirstSerial).ThenBy(l => l.ArrivedDay)];
    }

    public static Task<IReadOnlyList<TransitLine>> TransitAsync(Session db, string authorityId, CancellationToken ct) =>
        db.ListAsync<TransitLine>(Sql.Transit, new { AuthorityId = authorityId }, ct);

    /// <summary>The booklets that lie at a point, each of a delivered order, ascending.</summary>
    public static async Task<IReadOnlyList<StockedRange>> RangesAsync(
        Session db, string authorityId, string pointId, long day, CancellationToken ct)
    {
        var args = new { AuthorityId = authorityId, PointId = pointId, Day = day };
        var lots = (await db.ListAsync<LotRow>(Sql.Lots, args, ct)).Where(l => l.DeliveredDay > 0);
        var gone = (await db.ListAsync<long>(Sql.Gone, args, ct)).ToHashSet();
        var brought = await db.ListAsync<Brought>(Sql.Here, args, ct);
        var booklets = lots.SelectMany(l => Numbers(l).Where(n => !gone.Contains(n)).Select(n => new Brought(n, l.VouchersPerBooklet)))
            .Concat(brought).OrderBy(b => b.Booklet);
        return Join(booklets);
    }

    /// <summary>Neighbours become one range.</summary>
    internal static IReadOnlyList<StockedRange> Join(IEnumerable<Brought> booklets)
    {
        var ranges = new List<StockedRange>();
        foreach (var (number, size) in booklets)
        {
            if (ranges.Count > 0 && ranges[^1] is var last && last.LastSerial + 1 == number && last.VouchersPerBooklet == size)
                ranges[^1] = last with { Booklets = last.Booklets + 1 };
            else ranges.Add(new(number, size, 1));
        }

        return ranges;
    }

    private static IEnumerable<long> Numbers(LotRow lot)
    {
        for (var n = lot.FirstSerial; n <= lot.LastSerial; n += lot.VouchersPerBooklet) yield return n;
    }

    private static StockLine Line(LotRow lot, IEnumerable<Count> counts)
    {
        var by = counts.ToDictionary(c => c.Fate, c => c.Booklets);
        return new(
            lot.PointId, lot.OrderId, lot.FirstSerial, lot.LastSerial, lot.Booklets, by.GetValueOrDefault(HandedOut),
            by.GetValueOrDefault(Returned), by.GetValueOrDefault(Sent), lot.VouchersPerBooklet, lot.FaceCents, lot.UntilDay,
            lot.DeliveredDay, lot.ActivatedDay, 0);
    }

    private static StockLine Line(ArrivedRow row, IReadOnlyList<ArrivedRow> fates)
    {
        var by = fates.ToDictionary(c => c.Fate, c => c.Booklets);
        return new(
            row.PointId, row.OrderId, fates.Min(f => f.FirstBooklet),
            fates.Max(f => f.LastBooklet) + row.VouchersPerBooklet - 1, fates.Sum(f => f.Booklets),
            by.GetValueOrDefault(HandedOut), by.GetValueOrDefault(Returned), 0, row.VouchersPerBooklet, row.FaceCents,
            row.UntilDay, row.DeliveredDay, row.ActivatedDay, row.ArrivedDay);
    }

    internal sealed record Brought(long Booklet, long VouchersPerBooklet);

    private sealed record LotRow(
        string PointId, string OrderId, long FirstSerial, long LastSerial, long Booklets, long VouchersPerBooklet,
        long FaceCents, long UntilDay, long DeliveredDay, long ActivatedDay);

    private sealed record Count(long FirstSerial, long Fate, long Booklets);

    private sealed record ArrivedRow(
        string PointId, string OrderId, long ArrivedDay, long Fate, long Booklets, long FirstBooklet, long LastBooklet,
        long VouchersPerBooklet, long FaceCents, long UntilDay, long DeliveredDay, long ActivatedDay);

    /// <summary>Ends of statements: booklets with a story, <c>f</c>, and what became of each.</summary>
    private static class Fates
    {
        /// <summary>
        /// The booklets of lots that have a story, each with its fate seen from the point of its lot: 3 it went
        /// elsewhere, 2 returned, 1 handed out, 0 it lies there again.
        /// </summary>
        public const string OfLots = """

              FROM (SELECT t.first_serial AS first_serial,
                           t.booklet AS booklet,
                           CAST(CASE WHEN m.kind = 5 OR (m.kind IN (6, 7) AND m.point_id <> t.point_id) THEN 3
                                     WHEN t.returned > 0 THEN 2
                                     WHEN t.given > t.undone THEN 1
                                     ELSE 0 END AS bigint) AS fate
                      FROM (SELECT l.point_id AS point_id,
                                   l.first_serial AS first_serial,
                                   e.booklet AS booklet,
                                   CAST(COALESCE(MAX(CASE WHEN e.kind = 1 THEN e.part ELSE 0 END), 0) AS bigint) AS given,
                                   CAST(COALESCE(MAX(CASE WHEN e.kind = 2 THEN e.part ELSE 0 END), 0) AS bigint) AS undone,
                                   CAST(COALESCE(SUM(CASE WHEN e.kind = 3 THEN 1 ELSE 0 END), 0) AS bigint) AS returned,
                                   CAST(COALESCE(MAX(CASE WHEN e.kind IN (5, 6, 7) THEN e.part ELSE 0 END), 0)
                                        AS bigint) AS moved
                              FROM orders o
                              JOIN lots l ON l.order_id = o.id
                              JOIN booklet_entries e ON e.booklet BETWEEN l.first_serial AND l.last_serial
                             WHERE o.authority_id = @AuthorityId
                               AND (@PointId IS NULL OR l.point_id = @PointId)
                               AND e.day <= @Day
                               AND NOT EXISTS (SELECT 1 FROM replacement_orders r WHERE r.order_id = o.id)
                             GROUP BY l.point_id, l.first_serial, e.booklet) t
                      LEFT JOIN booklet_entries m ON m.booklet = t.booklet AND m.part = t.moved) f
            """;

        /// <summary>The booklets that their last transfer brought to a point other than that of their lot.</summary>
        public const string OfTransfers = """

              FROM (SELECT m.point_id AS point_id,
                           m.day AS arrived_day,
                           l.order_id AS order_id,
                           t.booklet AS booklet,
                           CAST(CASE WHEN t.returned > 0 THEN 2
                                     WHEN t.given > t.undone THEN 1
                                     ELSE 0 END AS bigint) AS fate
                      FROM (SELECT e.booklet AS booklet,
                                   CAST(COALESCE(MAX(CASE WHEN e.kind = 1 THEN e.part ELSE 0 END), 0) AS bigint) AS given,
                                   CAST(COALESCE(MAX(CASE WHEN e.kind = 2 THEN e.part ELSE 0 END), 0) AS bigint) AS undone,
                                   CAST(COALESCE(SUM(CASE WHEN e.kind = 3 THEN 1 ELSE 0 END), 0) AS bigint) AS returned,
                                   CAST(COALESCE(MAX(CASE WHEN e.kind IN (5, 6, 7) THEN e.part ELSE 0 END), 0)
                                        AS bigint) AS moved
                              FROM (SELECT DISTINCT r.booklet AS booklet
                                      FROM distribution_points p
                                      JOIN booklet_entries r ON r.point_id = p.id AND r.kind = 6
                                     WHERE p.authority_id = @AuthorityId
                                       AND (@PointId IS NULL OR p.id = @PointId)) c
                              JOIN booklet_entries e ON e.booklet = c.booklet
                             WHERE e.day <= @Day
                             GROUP BY e.booklet) t
                      JOIN booklet_entries m ON m.booklet = t.booklet AND m.part = t.moved AND m.kind IN (6, 7)
                      JOIN lots l
                        ON l.first_serial = (SELECT MAX(x.first_serial) FROM lots x WHERE x.first_serial <= t.booklet)
                     WHERE m.point_id <> l.point_id
                       AND (@PointId IS NULL OR m.point_id = @PointId)) f
              JOIN orders o ON o.id = f.order_id
            """;
    }

    private static class Sql
    {
        /// <summary>Replacement booklets are handed out as they are made: they never lie anywhere.</summary>
        public const string Lots = """
            SELECT l.point_id AS PointId,
                   l.order_id AS OrderId,
                   l.first_serial AS FirstSerial,
                   l.last_serial AS LastSerial,
                   l.booklet_count AS Booklets,
                   o.vouchers_per_booklet AS VouchersPerBooklet,
                   o.face_cents AS FaceCents,
                   COALESCE(x.valid_until_day, o.valid_until_day) AS UntilDay,
                   COALESCE(d.on_day, CAST(0 AS bigint)) AS DeliveredDay,
                   COALESCE(a.on_day, CAST(0 AS bigint)) AS ActivatedDay
              FROM lots l
              JOIN orders o ON o.id = l.order_id
              LEFT JOIN order_steps d ON d.order_id = o.id AND d.slot = 5 AND d.on_day <= @Day
              LEFT JOIN order_steps a ON a.order_id = o.id AND a.slot = 6 AND a.on_day <= @Day
              LEFT JOIN order_extensions x ON x.order_id = o.id
             WHERE o.authority_id = @AuthorityId
               AND (@PointId IS NULL OR l.point_id = @PointId)
               AND NOT EXISTS (SELECT 1 FROM replacement_orders r WHERE r.order_id = o.id)
             ORDER BY l.first_serial
            """;

        public const string Touched = """
            SELECT f.first_serial AS FirstSerial,
                   f.fate AS Fate,
                   CAST(COUNT(*) AS bigint) AS Booklets
            """ + Fates.OfLots + """

             GROUP BY f.first_serial, f.fate
            """;

        public const string Gone = """
            SELECT f.booklet AS Booklet
            """ + Fates.OfLots + """

             WHERE f.fate <> 0
            """;

        public const string Arrived = """
            SELECT g.point_id AS PointId,
                   g.order_id AS OrderId,
                   g.arrived_day AS ArrivedDay,
                   g.fate AS Fate,
                   g.booklets AS Booklets,
                   g.first_booklet AS FirstBooklet,
                   g.last_booklet AS LastBooklet,
                   q.vouchers_per_booklet AS VouchersPerBooklet,
                   q.face_cents AS FaceCents,
                   COALESCE(y.valid_until_day, q.valid_until_day) AS UntilDay,
                   COALESCE(d.on_day, CAST(0 AS bigint)) AS DeliveredDay,
                   COALESCE(a.on_day, CAST(0 AS bigint)) AS ActivatedDay
              FROM (SELECT f.point_id AS point_id,
                           f.order_id AS order_id,
                           f.arrived_day AS arrived_day,
                           f.fate AS fate,
                           CAST(COUNT(*) AS bigint) AS booklets,
                           CAST(MIN(f.booklet) AS bigint) AS first_booklet,
                           CAST(MAX(f.booklet) AS bigint) AS last_booklet
            """ + Fates.OfTransfers + """

                     GROUP BY f.point_id, f.order_id, f.arrived_day, f.fate) g
              JOIN orders q ON q.id = g.order_id
              LEFT JOIN order_steps d ON d.order_id = q.id AND d.slot = 5
              LEFT JOIN order_steps a ON a.order_id = q.id AND a.slot = 6 AND a.on_day <= @Day
              LEFT JOIN order_extensions y ON y.order_id = q.id
             ORDER BY g.first_booklet, g.arrived_day
            """;

        public const string Here = """
            SELECT f.booklet AS Booklet,
                   o.vouchers_per_booklet AS VouchersPerBooklet
            """ + Fates.OfTransfers + """

             WHERE f.fate = 0
            """;

        public const string Transit = """
            SELECT t.from_point_id AS FromPointId,
                   t.to_point_id AS ToPointId,
                   CAST(COUNT(*) AS bigint) AS Booklets
              FROM transfers t
              JOIN transfer_booklets b ON b.transfer_id = t.id
             WHERE t.authority_id = @AuthorityId
               AND NOT EXISTS (SELECT 1 FROM booklet_entries n
                                WHERE n.booklet = b.booklet AND n.part = b.sent_part + 1)
             GROUP BY t.from_point_id, t.to_point_id
             ORDER BY t.from_point_id, t.to_point_id
            """;
    }
}
