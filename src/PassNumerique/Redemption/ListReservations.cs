using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// The reservations that live now at a site, the latest first: what another device of the site ends a session
/// with. One of them by its id, ended or not.
/// </summary>
internal static class ListReservations
{
    private const Role Readers = Role.Site | Role.Operator | Role.Auditor;

    /// <param name="State"><c>live</c>, <c>expired</c>, <c>captured</c>, <c>released</c>.</param>
    internal sealed record Item(
        string Id, long Serial, string SiteId, long Minutes, string State, string ReservedAt, string ExpiresAt,
        string? EndedAt, string? RedemptionId);

    internal static void Map(IEndpointRouteBuilder reservations)
    {
        reservations.Get("/", Readers, ListAsync);
        reservations.Get("/{id}", Readers, FindAsync);
    }

    private static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        if (ListRedemptions.SiteOf(request) is not { } site) return Refusals.SiteUnknown;
        var page = await LiveAsync(request.Session, site, request.Limit, request.Cursor(3));
        return page.To(r => Show(r, request.Session.NowMs));
    }

    /// <summary>A page of the live reservations of a site, after the one that a cursor names.</summary>
    internal static async Task<Page<Reservation>> LiveAsync(Session session, string siteId, long limit, long[]? after)
    {
        var before = after ?? [long.MaxValue, 0, 0];
        var rows = await session.ListAsync<Reservation>(Sql.Live, new
        {
            SiteId = siteId,
            session.NowMs,
            // The month stands in the index: a hold that still lives was made within its longest time.
            Month = Clock.Month(Clock.ParisDay(session.NowMs - (ReserveVoucher.MaxExpiryMinutes * Clock.MinuteMs))),
            RecordedMs = before[0],
            Serial = before[1],
            Part = before[2],
            Take = limit + 1,
        });
        return Page<Reservation>.Of(rows, limit, r => $"{r.StartedMs}.{r.Serial}.{r.Part}");
    }

    private static async Task<Result<Item>> FindAsync(Request request)
    {
        var held = await Reservation.FindAsync(request.Session, request.Id(), request.Aborted);
        var mine = held is not null && (request.Caller.Scope is null || request.Caller.PlaceIds.Contains(held.SiteId));
        return mine ? Show(held!, request.Session.NowMs) : Problems.NotFound;
    }

    private static Item Show(Reservation r, long nowMs) => new(
        r.Id, r.Serial, r.SiteId, r.Minutes, r.Word(nowMs), Clock.InstantText(r.StartedMs), Clock.InstantText(r.UntilMs),
        r.EndedMs is { } ms ? Clock.InstantText(ms) : null, r.RedemptionId);

    private static class Sql
    {
        public const string Live = """
            SELECT h.serial AS Serial,
                   h.part AS Part,
                   h.site_id AS SiteId,
                   h.hold_minutes AS Minutes,
                   h.hold_until_ms AS UntilMs,
                   h.service_day AS StartDay,
                   h.recorded_ms AS StartedMs,
                   CAST(NULL AS bigint) AS EndKind,
                   CAST(NULL AS bigint) AS EndPart,
                   CAST(NULL AS bigint) AS EndedMs,
                   h.credit_minutes - h.used_after AS LeftMinutes
              FROM voucher_entries h
             WHERE h.site_id = @SiteId AND h.month >= @Month AND h.kind = 3 AND h.hold_until_ms > @NowMs
               AND NOT EXISTS (SELECT 1 FROM voucher_entries e
                                WHERE e.serial = h.serial AND e.reversed_part = h.part AND e.kind IN (2, 4))
               AND (h.recorded_ms < @RecordedMs
                    OR (h.recorded_ms = @RecordedMs AND (h.serial > @Serial
                        OR (h.serial = @Serial AND h.part > @Part))))
             ORDER BY h.recorded_ms DESC, h.serial, h.part
            {limit}
            """;
    }
}
