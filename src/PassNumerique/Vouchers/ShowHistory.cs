using PassNumerique.Conventions;
using PassNumerique.HandOut;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>
/// "Where have you been?": everything that happened to one pass, in the order it happened: its order, the sheets its code
/// went out on, its booklet with every point where it lay, its blocks, its uses, the paper it replaces or that replaces
/// it. Never who had it. An agent reads it without the sites: where somebody goes is not for the desk to know.
/// </summary>
internal static class ShowHistory
{
    internal const Role Readers = Role.Overseers | Role.Authority | Role.Agent;

    /// <summary><paramref name="PlaceId"/> is the point where the booklet lies or lay last, its last step apart.</summary>
    internal sealed record Answer(
        long Serial, long BookletNumber, string OrderId, string State, long RemainingMinutes, long CreditMinutes,
        DateOnly ValidUntil, string PlaceId, string PlaceName, IReadOnlyList<Event> Events);

    /// <summary>
    /// One thing that happened. Minutes and cents only where some moved; held minutes where a reservation began,
    /// and less than nothing where it ended. <paramref name="RelatedId"/> is the transfer, the inventory or the export
    /// that it was part of; <paramref name="OtherSerial"/> the pass that it replaces, or that replaces it.
    /// </summary>
    internal sealed record Event(
        string What, DateOnly On, string RecordedAt, string ActorId, string? PlaceId, string? PlaceName, long Minutes,
        long ValueCents, long HeldMinutes, string? RelatedId, long? OtherSerial);

    internal static void Map(IEndpointRouteBuilder vouchers) => vouchers
        .Get("/{serial}/history", Readers, ReadAsync);

    private static Task<Result<Answer>> ReadAsync(Request request) => FindAsync(request, request.Number("serial"));

    internal static async Task<Result<Answer>> FindAsync(Request request, long serial)
    {
        var session = request.Session;
        var order = await request.Service<OrderCards>().FindAsync(session, serial);
        if (order is null || (session.Caller.Scope is { } scope && scope != order.AuthorityId)) return Problems.NotFound;
        var rows = await RowsAsync(session, order, serial);
        var booklet = order.BookletOf(serial);
        var state = await VoucherState.ReadAsync(session, order, serial, "", "");
        var convention = await request.Service<ConventionCards>().FindLatestAsync(session, order.ConventionId);
        var word = state.Word(session.Today, convention!.InForce(session.Today).Terms.ToleranceDays);
        var place = (await BookletState.ReadAsync(session, order, booklet)).PointId;
        var names = await NamesAsync(session, [place, .. rows.Select(r => r.PlaceId).OfType<string>()]);
        var hidesSites = session.Caller.Is(Role.Agent);
        return new Answer(
            serial, booklet, order.Id, word, state.RemainingMinutes, state.CreditMinutes, state.UntilDay.ToDate(), place,
            names[place].Name, [.. rows.OrderBy(r => r.RecordedMs).Select(r => Show(r, names, hidesSites))]);
    }

    private static async Task<IReadOnlyList<Row>> RowsAsync(Session session, OrderCard order, long serial)
    {
        var args = new
        {
            Serial = serial,
            Booklet = order.BookletOf(serial),
            OrderId = order.Id,
            OrderSerial = order.FirstSerial,
        };
        var rows = new List<Row>();
        foreach (var sql in new[] { Sql.Order, Sql.Parcel, Sql.Booklet, Sql.Inventories, Sql.Blocks, Sql.Papers, Sql.Entries, Sql.Offline })
            rows.AddRange(await session.ListAsync<Row>(sql, args));
        return rows;
    }

    private static async Task<IReadOnlyDictionary<string, Place>> NamesAsync(Session session, IEnumerable<string> ids)
    {
        var names = new Dictionary<string, Place>(StringComparer.Ordinal);
        foreach (var id in ids.Distinct(StringComparer.Ordinal))
        {
            if (await session.FindAsync<Place>(Sql.Place, new { PlaceId = id }) is { } place) names[id] = place;
        }

        return names;
    }

    private static Event Show(Row r, IReadOnlyDictionary<string, Place> names, bool hidesSites)
    {
        var place = r.PlaceId is { } id ? names.GetValueOrDefault(id) : null;
        var isHidden = hidesSites && place is { IsSite: 1 };
        return new(
            r.What, (r.Day ?? Clock.ParisDay(r.RecordedMs)).ToDate(), Clock.InstantText(r.RecordedMs),
            isHidden ? "" : r.ActorId, isHidden ? null : r.PlaceId, isHidden ? null : place?.Name, r.Minutes, r.ValueCents,
            r.HeldMinutes, r.RelatedId, r.OtherSerial);
    }

    private sealed record Row(
        string What, long? Day, long RecordedMs, string ActorId, string? PlaceId, long Minutes, long ValueCents,
        long HeldMinutes, string? RelatedId, long? OtherSerial);

    private sealed record Place(string Name, long IsSite);

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
                   CAST(0 AS bigint) AS HeldMinutes,
                   CAST(NULL AS char(36)) AS RelatedId,
                   CAST(NULL AS bigint) AS OtherSerial
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
                   CAST(0 AS bigint),
                   CAST(NULL AS char(36)),
                   CAST(NULL AS bigint)
              FROM orders o
              JOIN lots l ON l.order_id = o.id
             WHERE o.id = @OrderId AND l.first_serial <= @Serial AND l.last_serial >= @Serial
             UNION ALL
            SELECT 'extended',
                   CAST(NULL AS bigint),
                   x.recorded_ms,
                   x.actor_id,
                   CAST(NULL AS char(36)),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(NULL AS char(36)),
                   CAST(NULL AS bigint)
              FROM order_extensions x
             WHERE x.order_id = @OrderId
             UNION ALL
            SELECT 'codes-exported',
                   CAST(NULL AS bigint),
                   c.recorded_ms,
                   c.actor_id,
                   CAST(NULL AS char(36)),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   c.id,
                   CAST(NULL AS bigint)
              FROM code_exports c
             WHERE c.order_id = @OrderId
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
                   CAST(0 AS bigint) AS HeldMinutes,
                   CAST(NULL AS char(36)) AS RelatedId,
                   CAST(NULL AS bigint) AS OtherSerial
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
                   CAST(0 AS bigint),
                   CAST(NULL AS char(36)),
                   CAST(NULL AS bigint)
              FROM dispatch_receipts r
              JOIN lots l ON l.order_id = r.order_id AND l.point_id = r.point_id
             WHERE r.order_id = @OrderId AND l.first_serial <= @Serial AND l.last_serial >= @Serial
            """;

        public const string Booklet = """
            SELECT CASE b.kind WHEN 1 THEN 'handed-out' WHEN 2 THEN 'hand-out-reversed' WHEN 3 THEN 'returned'
                               WHEN 4 THEN 'hand-out-corrected' WHEN 5 THEN 'sent' WHEN 6 THEN 'received'
                               WHEN 7 THEN 'transfer-cancelled' ELSE 'booklet-replaced' END AS What,
                   b.day AS Day,
                   b.recorded_ms AS RecordedMs,
                   b.actor_id AS ActorId,
                   b.point_id AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes,
                   t.transfer_id AS RelatedId,
                   CAST(NULL AS bigint) AS OtherSerial
              FROM booklet_entries b
              LEFT JOIN transfer_booklets t
                ON t.booklet = b.booklet
               AND ((b.kind = 5 AND t.sent_part = b.part) OR (b.kind IN (6, 7) AND t.sent_part = b.part - 1))
             WHERE b.booklet = @Booklet
             ORDER BY b.part
            """;

        /// <summary>A count that names the booklet is one that did not find it, or found it unexpectedly.</summary>
        public const string Inventories = """
            SELECT CASE d.difference WHEN 'missing' THEN 'inventory-missing' ELSE 'inventory-surplus' END AS What,
                   i.on_day AS Day,
                   d.recorded_ms AS RecordedMs,
                   d.actor_id AS ActorId,
                   i.point_id AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes,
                   i.id AS RelatedId,
                   CAST(NULL AS bigint) AS OtherSerial
              FROM inventory_differences d
              JOIN inventories i ON i.id = d.inventory_id
             WHERE d.booklet = @Booklet
            """;

        /// <summary>The chain of papers, seen from this one: what it stands for, and what stands for it.</summary>
        public const string Papers = """
            SELECT 'replaces' AS What,
                   CAST(NULL AS bigint) AS Day,
                   r.recorded_ms AS RecordedMs,
                   r.actor_id AS ActorId,
                   CAST(NULL AS char(36)) AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes,
                   CAST(NULL AS char(36)) AS RelatedId,
                   r.replaced_serial AS OtherSerial
              FROM replacements r
             WHERE r.serial = @Serial
             UNION ALL
            SELECT 'replaced',
                   CAST(NULL AS bigint),
                   n.recorded_ms,
                   n.actor_id,
                   CAST(NULL AS char(36)),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(0 AS bigint),
                   CAST(NULL AS char(36)),
                   n.serial
              FROM replacements n
             WHERE n.replaced_serial = @Serial
            """;

        public const string Place = """
            SELECT p.name AS Name,
                   CAST(0 AS bigint) AS IsSite
              FROM distribution_points p
             WHERE p.id = @PlaceId
             UNION ALL
            SELECT s.name,
                   CAST(1 AS bigint)
              FROM sites s
             WHERE s.id = @PlaceId
            """;

        public const string Blocks = """
            SELECT 'blocked' AS What,
                   CAST(NULL AS bigint) AS Day,
                   k.recorded_ms AS RecordedMs,
                   k.actor_id AS ActorId,
                   CAST(NULL AS char(36)) AS PlaceId,
                   CAST(0 AS bigint) AS Minutes,
                   CAST(0 AS bigint) AS ValueCents,
                   CAST(0 AS bigint) AS HeldMinutes,
                   CAST(NULL AS char(36)) AS RelatedId,
                   CAST(NULL AS bigint) AS OtherSerial
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
                   CAST(0 AS bigint),
                   CAST(NULL AS char(36)),
                   CAST(NULL AS bigint)
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
                   e.hold_minutes AS HeldMinutes,
                   CAST(NULL AS char(36)) AS RelatedId,
                   CAST(NULL AS bigint) AS OtherSerial
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
                   CAST(0 AS bigint) AS HeldMinutes,
                   CAST(NULL AS char(36)) AS RelatedId,
                   CAST(NULL AS bigint) AS OtherSerial
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
                   CAST(0 AS bigint),
                   CAST(NULL AS char(36)),
                   CAST(NULL AS bigint)
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
                   CAST(0 AS bigint),
                   CAST(NULL AS char(36)),
                   CAST(NULL AS bigint)
              FROM guarantee_outcomes o
             WHERE o.serial = @Serial AND o.outcome = 'undone'
            """;
    }
}
