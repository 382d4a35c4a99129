using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.HandOut;

/// <summary>What lies in the drawers of a distribution point, lot by lot, and since when.</summary>
internal static class ShowStock
{
    internal sealed record Answer(string DistributionPointId, long Booklets, IReadOnlyList<Lot> Lots);

    /// <summary>Booklets of a lot: received, handed out (net of reversals), returned, and what is left.</summary>
    internal sealed record Lot(
        string OrderId, long FirstSerial, long LastSerial, long Received, long HandedOut, long Returned, long Left,
        bool Active, DateOnly? DeliveredOn, long? AgeDays);

    internal static void Map(IEndpointRouteBuilder points) => points
        .Get("/{id}/stock", Role.Agent | Role.Authority | Role.Operator, ReadAsync);

    private static async Task<Result<Answer>> ReadAsync(Request request)
    {
        var (session, id) = (request.Session, request.Id());
        var authority = await session.FindAsync<string>(Sql.Authority, new { PointId = id });
        var mine = request.Caller.Is(Role.Agent) ? request.Caller.PlaceIds.Contains(id)
            : request.Caller.Scope is null || request.Caller.Scope == authority;
        if (authority is null || !mine) return Problems.NotFound;
        var rows = await session.ListAsync<Row>(Sql.Lots, new { PointId = id });
        var lots = rows.Select(r => new Lot(
            r.OrderId, r.FirstSerial, r.LastSerial, r.Delivered > 0 ? r.Booklets : 0, r.HandedOut, r.Returned,
            r.Delivered > 0 ? r.Booklets - r.HandedOut - r.Returned : 0, r.Active > 0,
            r.Delivered > 0 ? r.Delivered.ToDate() : null,
            r.Delivered > 0 ? session.Today - r.Delivered : null)).ToList();
        return new Answer(id, lots.Sum(l => l.Left), lots);
    }

    private sealed record Row(
        string OrderId, long FirstSerial, long LastSerial, long Booklets, long HandedOut, long Returned, long Delivered,
        long Active);

    private static class Sql
    {
        public const string Authority = """
            SELECT authority_id AS AuthorityId
              FROM distribution_points
             WHERE id = @PointId
            """;

        public const string Lots = """
            SELECT l.order_id AS OrderId,
                   l.first_serial AS FirstSerial,
                   l.last_serial AS LastSerial,
                   l.booklet_count AS Booklets,
                   (SELECT CAST(COUNT(*) AS bigint) FROM booklet_entries g
                     WHERE g.booklet BETWEEN l.first_serial AND l.last_serial AND g.kind = 1
                       AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                        WHERE u.booklet = g.booklet AND u.kind IN (2, 3) AND u.part > g.part)) AS HandedOut,
                   (SELECT CAST(COUNT(*) AS bigint) FROM booklet_entries t
                     WHERE t.booklet BETWEEN l.first_serial AND l.last_serial AND t.kind = 3) AS Returned,
                   COALESCE((SELECT MAX(s.on_day) FROM order_steps s
                              WHERE s.order_id = l.order_id AND s.slot = 5), CAST(0 AS bigint)) AS Delivered,
                   (SELECT CAST(COUNT(*) AS bigint) FROM order_steps a
                     WHERE a.order_id = l.order_id AND a.slot = 6) AS Active
              FROM lots l
             WHERE l.point_id = @PointId
             ORDER BY l.first_serial
            """;
    }
}
