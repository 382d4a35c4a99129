using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.HandOut;

/// <summary>
/// The hand-outs of a point, the latest first; and the distributor's tasks: booklets that were scanned though
/// no hand-out was typed in ("remise non saisie").
/// </summary>
internal static class ListHandOuts
{
    internal sealed record Item(
        string Id, long BookletNumber, string DistributionPointId, DateOnly HandedOutOn, string RecordedAt, bool Current);

    internal sealed record MissingItem(long BookletNumber, string DistributionPointId, DateOnly FirstUsedOn);

    internal static void Map(IEndpointRouteBuilder handOuts)
    {
        handOuts.Get("/", Role.Agent | Role.Authority, ListAsync);
        handOuts.Get("/missing", Role.Agent | Role.Authority, MissingAsync);
        handOuts.Get("/{id}", Role.Agent | Role.Authority, FindAsync);
    }

    private static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var (point, limit) = (await PointOf(request), request.Limit);
        if (point is null) return HandOutRefusals.UnknownPoint;
        var after = request.Cursor(3) ?? [long.MaxValue, 0, 0];
        var rows = await request.Session.ListAsync<Row>(
            Sql.OfPoint, new { PointId = point, Day = after[0], Booklet = after[1], Part = after[2], Take = limit + 1 });
        var page = Page<Row>.Of(rows, limit, r => $"{r.Day}.{r.Booklet}.{r.Part}");
        return new Page<Item>([.. page.Items.Select(Show)], page.Next);
    }

    private static async Task<Result<Page<MissingItem>>> MissingAsync(Request request)
    {
        var (point, limit) = (await PointOf(request), request.Limit);
        if (point is null) return HandOutRefusals.UnknownPoint;
        var after = request.Cursor(1)?[0] ?? 0;
        var rows = await request.Session.ListAsync<Missing>(
            Sql.Missing, new { PointId = point, After = after, Take = limit + 1 });
        var page = Page<Missing>.Of(rows, limit, r => $"{r.Booklet}");
        return new Page<MissingItem>(
            [.. page.Items.Select(r => new MissingItem(r.Booklet, point, r.FirstDay.ToDate()))], page.Next);
    }

    private static async Task<Result<Item>> FindAsync(Request request)
    {
        if (EntryId.Read(request.Id()) is not var (booklet, part)) return Problems.NotFound;
        var row = await request.Session.FindAsync<Row>(Sql.Find, new { Booklet = booklet, Part = part });
        return row is not null && await MayAsync(request, row.PointId) ? Show(row) : Problems.NotFound;
    }

    private static Item Show(Row r) => new(
        EntryId.Pack(r.Booklet, r.Part), r.Booklet, r.PointId, r.Day.ToDate(), Clock.InstantText(r.RecordedMs),
        r.Ended == 0);

    private static async Task<string?> PointOf(Request request)
    {
        var places = request.Caller.PlaceIds;
        var asked = Ids.Normalise(request.Text("pointId")) ?? (places.Count == 1 ? places[0] : null);
        return asked is not null && await MayAsync(request, asked) ? asked : null;
    }

    private static async Task<bool> MayAsync(Request request, string pointId) => request.Caller.Is(Role.Agent)
        ? request.Caller.PlaceIds.Contains(pointId)
        : await request.Session.FindAsync<string>(Sql.Authority, new { PointId = pointId }) == request.Caller.OrganisationId;

    private sealed record Row(long Booklet, long Part, string PointId, long Day, long RecordedMs, long Ended);

    private sealed record Missing(long Booklet, long FirstDay);

    private static class Sql
    {
        public const string Authority = """
            SELECT authority_id AS AuthorityId
              FROM distribution_points
             WHERE id = @PointId
            """;

        public const string OfPoint = """
            SELECT b.booklet AS Booklet,
                   b.part AS Part,
                   b.point_id AS PointId,
                   b.day AS Day,
                   b.recorded_ms AS RecordedMs,
                   (SELECT CAST(COUNT(*) AS bigint) FROM booklet_entries u
                     WHERE u.booklet = b.booklet AND u.kind IN (2, 3, 8) AND u.part > b.part) AS Ended
              FROM booklet_entries b
             WHERE b.point_id = @PointId AND b.kind = 1
               AND (b.day < @Day OR (b.day = @Day AND (b.booklet > @Booklet
                    OR (b.booklet = @Booklet AND b.part > @Part))))
             ORDER BY b.day DESC, b.booklet, b.part
            {limit}
            """;

        public const string Find = """
            SELECT b.booklet AS Booklet,
                   b.part AS Part,
                   b.point_id AS PointId,
                   b.day AS Day,
                   b.recorded_ms AS RecordedMs,
                   (SELECT CAST(COUNT(*) AS bigint) FROM booklet_entries u
                     WHERE u.booklet = b.booklet AND u.kind IN (2, 3, 8) AND u.part > b.part) AS Ended
              FROM booklet_entries b
             WHERE b.booklet = @Booklet AND b.part = @Part AND b.kind = 1
            """;

        /// <summary>
        /// Booklets of the lots of a point that never left it, and those that a transfer brought there last.
        /// </summary>
        public const string Missing = """
            SELECT m.booklet AS Booklet,
                   m.first_day AS FirstDay
              FROM (SELECT e.serial - ((e.serial - o.first_serial) % o.vouchers_per_booklet) AS booklet,
                           CAST(MIN(e.service_day) AS bigint) AS first_day
                      FROM lots l
                      JOIN orders o ON o.id = l.order_id
                      JOIN voucher_entries e ON e.serial BETWEEN l.first_serial AND l.last_serial
                     WHERE l.point_id = @PointId AND e.kind IN (1, 2)
                     GROUP BY e.serial - ((e.serial - o.first_serial) % o.vouchers_per_booklet)
                     UNION ALL
                    SELECT a.booklet,
                           CAST(MIN(v.service_day) AS bigint)
                      FROM booklet_entries a
                      JOIN lots t
                        ON t.first_serial = (SELECT MAX(x.first_serial) FROM lots x WHERE x.first_serial <= a.booklet)
                      JOIN orders q ON q.id = t.order_id
                      JOIN voucher_entries v
                        ON v.serial >= a.booklet AND v.serial < a.booklet + q.vouchers_per_booklet AND v.kind IN (1, 2)
                     WHERE a.point_id = @PointId AND a.kind = 6 AND t.point_id <> @PointId
                       AND NOT EXISTS (SELECT 1 FROM booklet_entries n
                                        WHERE n.booklet = a.booklet AND n.kind = 6 AND n.part > a.part)
                     GROUP BY a.booklet) m
             WHERE m.booklet > @After
               AND NOT EXISTS (SELECT 1 FROM booklet_entries g
                                WHERE g.booklet = m.booklet AND g.kind = 1
                                  AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                                   WHERE u.booklet = g.booklet AND u.kind = 2 AND u.part > g.part))
               AND NOT EXISTS (SELECT 1 FROM booklet_entries d
                                WHERE d.booklet = m.booklet AND d.kind = 6 AND d.point_id <> @PointId
                                  AND NOT EXISTS (SELECT 1 FROM booklet_entries w
                                                   WHERE w.booklet = d.booklet AND w.kind = 6 AND w.part > d.part))
             ORDER BY m.booklet
            {limit}
            """;
    }
}
