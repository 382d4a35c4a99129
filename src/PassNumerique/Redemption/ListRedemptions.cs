using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>The redemptions of the caller's sites, the latest first, and one of them by its id.</summary>
internal static class ListRedemptions
{
    internal sealed record Item(
        string Id, long Serial, string SiteId, string Service, string Kind, DateOnly ServedOn, long Minutes,
        long DurationMinutes, long ValueCents, string RecordedAt, bool Reversed);

    internal static void Map(IEndpointRouteBuilder redemptions)
    {
        redemptions.Get("/", Role.Site | Role.Operator | Role.Auditor, ListAsync);
        redemptions.Get("/{id}", Role.Site | Role.Operator | Role.Auditor, FindAsync);
    }

    private static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var (session, limit) = (request.Session, request.Limit);
        var site = SiteOf(request);
        if (site is null) return Refusals.SiteUnknown;
        var before = request.Cursor(3) ?? [long.MaxValue, 0, 0];
        var rows = await session.ListAsync<Row>(Sql.BySite, new
        {
            SiteId = site,
            Month = request.Month("month"),
            RecordedMs = before[0],
            Serial = before[1],
            Part = before[2],
            Take = limit + 1,
        });
        var page = Page<Row>.Of(rows, limit, r => $"{r.RecordedMs}.{r.Serial}.{r.Part}");
        return new Page<Item>([.. page.Items.Select(Show)], page.Next);
    }

    private static async Task<Result<Item>> FindAsync(Request request)
    {
        if (EntryId.Read(request.Id()) is not var (serial, part)) return Problems.NotFound;
        var row = await request.Session.FindAsync<Row>(Sql.Find, new { Serial = serial, Part = part });
        var mine = row is not null && (request.Caller.Scope is null || request.Caller.PlaceIds.Contains(row.SiteId));
        return mine ? Show(row!) : Problems.NotFound;
    }

    /// <summary>The site asked for, among those the caller may see; a site's own when it has one.</summary>
    internal static string? SiteOf(Request request)
    {
        var (caller, asked) = (request.Caller, Ids.Normalise(request.Text("siteId")));
        if (caller.Scope is null) return asked;
        return asked is null ? caller.PlaceIds.Count == 1 ? caller.PlaceIds[0] : null
            : caller.PlaceIds.Contains(asked) ? asked : null;
    }

    private static Item Show(Row r) => new(
        EntryId.Pack(r.Serial, r.Part), r.Serial, r.SiteId, r.Service, r.Kind, r.ServiceDay.ToDate(), r.Minutes,
        r.DurationMinutes, r.ValueCents, Clock.InstantText(r.RecordedMs), r.Reversals > 0);

    private sealed record Row(
        long Serial, long Part, string SiteId, string Service, string Kind, long ServiceDay, long Minutes,
        long DurationMinutes, long ValueCents, long RecordedMs, long Reversals);

    private static class Sql
    {
        public const string BySite = """
            SELECT e.serial AS Serial,
                   e.part AS Part,
                   e.site_id AS SiteId,
                   e.service AS Service,
                   e.activity_kind AS Kind,
                   e.service_day AS ServiceDay,
                   e.minutes AS Minutes,
                   e.duration_minutes AS DurationMinutes,
                   e.value_cents AS ValueCents,
                   e.recorded_ms AS RecordedMs,
                   (SELECT CAST(COUNT(*) AS bigint) FROM voucher_entries u
                     WHERE u.serial = e.serial AND u.reversed_part = e.part) AS Reversals
              FROM voucher_entries e
             WHERE e.site_id = @SiteId AND e.kind IN (1, 2) AND (@Month IS NULL OR e.month = @Month)
               AND (e.recorded_ms < @RecordedMs
                    OR (e.recorded_ms = @RecordedMs AND (e.serial > @Serial
                        OR (e.serial = @Serial AND e.part > @Part))))
             ORDER BY e.recorded_ms DESC, e.serial, e.part
            {limit}
            """;

        public const string Find = """
            SELECT e.serial AS Serial,
                   e.part AS Part,
                   e.site_id AS SiteId,
                   e.service AS Service,
                   e.activity_kind AS Kind,
                   e.service_day AS ServiceDay,
                   e.minutes AS Minutes,
                   e.duration_minutes AS DurationMinutes,
                   e.value_cents AS ValueCents,
                   e.recorded_ms AS RecordedMs,
                   (SELECT CAST(COUNT(*) AS bigint) FROM voucher_entries u
                     WHERE u.serial = e.serial AND u.reversed_part = e.part) AS Reversals
              FROM voucher_entries e
             WHERE e.serial = @Serial AND e.part = @Part AND e.kind IN (1, 2)
            """;
    }
}
