using PassNumerique.Platform;
using PassNumerique.Settlement;

namespace PassNumerique.Redemption;

/// <summary>
/// Offline services that are owed: a site its own, a collectivité those of its conventions, the overseers all.
/// </summary>
internal static class ReadGuarantees
{
    private const Role Readers = Role.Site | Role.Authority | Role.Overseers;

    /// <summary>
    /// <paramref name="Ground"/> is <c>limit</c> or <c>settlement</c>; <paramref name="Status"/> is <c>owed</c>,
    /// <c>undone</c>, <c>in-run</c> or <c>paid</c>.
    /// </summary>
    internal sealed record Item(
        string Id, string Status, string ConventionId, string SiteId, string DeviceId, long Serial, string Refusal,
        string Service, DateOnly ServedOn, long Minutes, long DurationMinutes, long ValueCents, string Month, string Ground,
        long Ordinal, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder guarantees)
    {
        guarantees.Get("/", Readers, ListAsync);
        guarantees.Get("/{id}", Readers, FindAsync);
    }

    private static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var site = ReadDisputes.SiteOf(request);
        if (site is null && request.Caller.Is(Role.Site)) return Refusals.SiteUnknown;
        var after = request.Cursor(2) ?? [0, 0];
        var rows = await request.Session.ListAsync<Row>(Sql.List, new
        {
            AuthorityId = ReadDisputes.AuthorityOf(request.Caller),
            SiteId = site,
            ConventionId = request.FilterId("conventionId"),
            Month = request.Month("month"),
            Serial = after[0],
            Part = after[1],
            Take = request.Limit + 1,
        }, request.Aborted);
        return Page<Row>.Of(rows, request.Limit, r => $"{r.Serial}.{r.Part}").To(Show);
    }

    private static async Task<Result<Item>> FindAsync(Request request)
    {
        if (OfflineServices.ReadId(request.Id()) is not var (serial, part)) return Problems.NotFound;
        var row = await request.Session.FindAsync<Row>(Sql.Find, new
        {
            AuthorityId = ReadDisputes.AuthorityOf(request.Caller),
            Serial = serial,
            Part = part,
        }, request.Aborted);
        var isMine = row is not null && request.Caller.Reaches(row.SiteId, Role.Site);
        return isMine ? Show(row!) : Problems.NotFound;
    }

    private static Item Show(Row r) => new(
        OfflineServices.Id(r.Serial, r.Part), r.PaidDay is not null ? "paid" : r.Outcome ?? "owed", r.ConventionId, r.SiteId,
        r.DeviceId, r.Serial, r.Refusal, r.Service, r.ServiceDay.ToDate(), r.Minutes, r.DurationMinutes, r.ValueCents,
        ListPayables.MonthText(r.Month), r.Ground, r.Ordinal, Clock.InstantText(r.RecordedMs));

    private sealed record Row(
        long Serial, long Part, string ConventionId, string SiteId, string DeviceId, string Refusal, string Service,
        long ServiceDay, long Minutes, long DurationMinutes, long ValueCents, long Month, string Ground, long Ordinal,
        long RecordedMs, string? Outcome, long? PaidDay);

    /// <summary>The rows of the list and of one, before their WHERE.</summary>
    private const string Rows = """
        SELECT g.serial AS Serial,
               g.part AS Part,
               g.convention_id AS ConventionId,
               g.site_id AS SiteId,
               g.device_id AS DeviceId,
               s.refusal AS Refusal,
               s.service AS Service,
               s.service_day AS ServiceDay,
               s.minutes AS Minutes,
               s.duration_minutes AS DurationMinutes,
               g.value_cents AS ValueCents,
               g.month AS Month,
               g.ground AS Ground,
               g.ordinal AS Ordinal,
               g.recorded_ms AS RecordedMs,
               o.outcome AS Outcome,
               p.paid_day AS PaidDay
          FROM guarantees g
          JOIN offline_services s ON s.serial = g.serial AND s.part = g.part
          JOIN conventions c ON c.id = g.convention_id
          LEFT JOIN guarantee_outcomes o ON o.serial = g.serial AND o.part = g.part
          LEFT JOIN payment_confirmations p ON p.run_id = o.run_id
        """;

    private static class Sql
    {
        public const string List = Rows + """

             WHERE (@AuthorityId IS NULL OR c.authority_id = @AuthorityId)
               AND (@SiteId IS NULL OR g.site_id = @SiteId)
               AND (@ConventionId IS NULL OR g.convention_id = @ConventionId)
               AND (@Month IS NULL OR g.month = @Month)
               AND (g.serial > @Serial OR (g.serial = @Serial AND g.part > @Part))
             ORDER BY g.serial, g.part
            {limit}
            """;

        public const string Find = Rows + """

             WHERE g.serial = @Serial AND g.part = @Part
               AND (@AuthorityId IS NULL OR c.authority_id = @AuthorityId)
            """;
    }
}
