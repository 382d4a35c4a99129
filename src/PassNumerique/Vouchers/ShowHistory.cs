using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>"Where have you been?": everything that happened to one pass, in the order it happened.</summary>
internal static class ShowHistory
{
    internal sealed record Answer(long Serial, long BookletNumber, string OrderId, IReadOnlyList<Event> Events);

    /// <summary>
    /// One thing that happened. Minutes and cents only where some moved; held minutes where a reservation began,
    /// and less than nothing where it ended.
    /// </summary>
    internal sealed record Event(
        string What, DateOnly On, string RecordedAt, string ActorId, string? PlaceId, long Minutes, long ValueCents,
        long HeldMinutes);

    internal static void Map(IEndpointRouteBuilder vouchers) => vouchers
        .Get("/{serial}/history", Role.Operator | Role.State | Role.Auditor | Role.Authority, ReadAsync);

    private static async Task<Result<Answer>> ReadAsync(Request request)
    {
        var (session, serial) = (request.Session, request.Number("serial"));
        var order = await request.Service<OrderCards>().FindAsync(session, serial);
        if (order is null || (session.Caller.Scope is { } scope && scope != order.AuthorityId)) return Problems.NotFound;
        var args = new { Serial = serial, Booklet = order.BookletOf(serial), OrderId = order.Id, OrderSerial = order.FirstSerial };
        var rows = new List<Row>();
        rows.AddRange(await session.ListAsync<Row>(Sql.Order, args));
        rows.AddRange(await session.ListAsync<Row>(Sql.Parcel, args));
        rows.AddRange(await session.ListAsync<Row>(Sql.Booklet, args));
        rows.AddRange(await session.ListAsync<Row>(Sql.Blocks, args));
        rows.AddRange(await session.ListAsync<Row>(Sql.Entries, args));
        rows.AddRange(await session.ListAsync<Row>(Sql.Offline, args));
        var events = rows.OrderBy(r => r.RecordedMs).Select(r => new Event(
            r.What, (r.Day ?? Clock.ParisDay(r.RecordedMs)).ToDate(), Clock.InstantText(r.RecordedMs), r.ActorId,
            r.PlaceId, r.Minutes, r.ValueCents, r.HeldMinutes));
        return new Answer(serial, args.Booklet, order.Id, [.. events]);
    }

    private sealed record Row(
        string What, long? Day, long RecordedMs, string ActorId, string? PlaceId, long Minutes, long ValueCents,
        long HeldMinutes);

    private static class Sql
    {
        public const string Order = """
            SELECT s.step AS What,
                   s.on_day AS Day,
                   s.recorded_ms AS RecordedMs,
                   s.actor_id AS ActorId,
                   CAST(NULL AS char(36)) AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes
              FROM order_steps s
             WHERE s.order_id = @OrderId
             UNION ALL
            SELECT 'ordered',
                   o.ordered_day,
                   o.recorded_ms,
                   o.actor_id,
                   l.point_id,
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint)
              FROM orders o
              JOIN lots l ON l.order_id = o.id
             WHERE o.id = @OrderId AND l.first_serial <= @Serial AND l.last_serial >= @Serial
            """;

        /// <summary>The parcel that the pass travelled in.</summary>
        public const string Parcel = """
            SELECT 'dispatched' AS What,
                   d.on_day AS Day,
                   d.recorded_ms AS RecordedMs,
                   d.actor_id AS ActorId,
                   d.point_id AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes
              FROM dispatches d
              JOIN lots l ON l.order_id = d.order_id AND l.point_id = d.point_id
             WHERE d.order_id = @OrderId AND l.first_serial <= @Serial AND l.last_serial >= @Serial
             UNION ALL
            SELECT 'dispatch-received',
                   r.on_day,
                   r.recorded_ms,
                   r.actor_id,
                   r.point_id,
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint)
              FROM dispatch_receipts r
              JOIN lots l ON l.order_id = r.order_id AND l.point_id = r.point_id
             WHERE r.order_id = @OrderId AND l.first_serial <= @Serial AND l.last_serial >= @Serial
            """;

        public const string Booklet = """
            SELECT CASE b.kind WHEN 1 THEN 'handed-out' WHEN 2 THEN 'hand-out-reversed'
                               WHEN 3 THEN 'returned' ELSE 'hand-out-corrected' END AS What,
                   b.day AS Day,
                   b.recorded_ms AS RecordedMs,
                   b.actor_id AS ActorId,
                   b.point_id AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes
              FROM booklet_entries b
             WHERE b.booklet = @Booklet
            """;

        public const string Blocks = """
            SELECT 'blocked' AS What,
                   CAST(NULL AS bigint) AS Day,
                   k.recorded_ms AS RecordedMs,
                   k.actor_id AS ActorId,
                   CAST(NULL AS char(36)) AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes
              FROM blocks k
             WHERE k.order_serial = @OrderSerial AND k.first_serial <= @Serial AND k.last_serial >= @Serial
             UNION ALL
            SELECT 'block-lifted',
                   CAST(NULL AS bigint),
                   l.recorded_ms,
                   l.actor_id,
                   CAST(NULL AS char(36)),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint)
              FROM block_lifts l
              JOIN blocks k ON k.id = l.block_id
             WHERE k.order_serial = @OrderSerial AND k.first_serial <= @Serial AND k.last_serial >= @Serial
            """;

        public const string Entries = """
            SELECT CASE e.kind WHEN 1 THEN 'redeemed' WHEN 2 THEN 'captured' WHEN 3 THEN 'reserved'
                               WHEN 4 THEN 'released' WHEN 5 THEN 'closed' ELSE 'reversed' END AS What,
                   e.service_day AS Day,
                   e.recorded_ms AS RecordedMs,
                   e.actor_id AS ActorId,
                   e.site_id AS PlaceId,
                   e.minutes AS Minutes,
                   e.value_cents AS ValueCents,
                   e.hold_minutes AS HeldMinutes
              FROM voucher_entries e
             WHERE e.serial = @Serial
             ORDER BY e.part
            """;

        /// <summary>Services that came second: no minute of the pass is theirs.</summary>
        public const string Offline = """
            SELECT CASE WHEN d.cause IS NULL THEN 'guaranteed' ELSE 'disputed' END AS What,
                   s.service_day AS Day,
                   s.recorded_ms AS RecordedMs,
                   s.actor_id AS ActorId,
                   s.site_id AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes
              FROM offline_services s
              LEFT JOIN disputes d ON d.serial = s.serial AND d.part = s.part
             WHERE s.serial = @Serial
             UNION ALL
            SELECT CASE t.decision WHEN 'paid' THEN 'dispute-paid' ELSE 'dispute-rejected' END,
                   CAST(NULL AS bigint),
                   t.recorded_ms,
                   t.actor_id,
                   CAST(NULL AS char(36)),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint)
              FROM dispute_settlements t
             WHERE t.serial = @Serial
             UNION ALL
            SELECT 'guarantee-reversed',
                   CAST(NULL AS bigint),
                   o.recorded_ms,
                   o.actor_id,
                   CAST(NULL AS char(36)),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint)
              FROM guarantee_outcomes o
             WHERE o.serial = @Serial AND o.outcome = 'undone'
            """;
    }
}
