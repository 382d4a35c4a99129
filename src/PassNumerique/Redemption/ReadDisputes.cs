using PassNumerique.Platform;

namespace PassNumerique.Redemption;

/// <summary>
/// Disputes over offline services: a site its own, a collectivité those of its conventions, the overseers all.
/// </summary>
internal static class ReadDisputes
{
    private const Role Readers = Role.Site | Role.Authority | Role.Overseers;

    /// <summary>
    /// <paramref name="Status"/> is <c>open</c>, <c>accepted</c> when the deadline passed without a decision,
    /// <c>paid</c> or <c>rejected</c>.
    /// </summary>
    internal sealed record Item(
        string Id, string Status, string ConventionId, string SiteId, long Serial, string Refusal, string Service,
        DateOnly ServedOn, long Minutes, long DurationMinutes, long ValueCents, string Cause, string Deadline,
        string AfterDeadline, string RecordedAt, string? Reason, string? DecidedAt);

    internal static void Map(IEndpointRouteBuilder disputes)
    {
        disputes.Get("/", Readers, ListAsync);
        disputes.Get("/{id}", Readers, FindAsync);
    }

    private static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var site = SiteOf(request);
        if (site is null && request.Caller.Is(Role.Site)) return Refusals.SiteUnknown;
        var after = request.Cursor(2) ?? [0, 0];
        var rows = await request.Session.ListAsync<Row>(Sql.List, new
        {
            AuthorityId = AuthorityOf(request.Caller),
            SiteId = site,
            ConventionId = request.FilterId("conventionId"),
            Serial = after[0],
            Part = after[1],
            Take = request.Limit + 1,
        }, request.Aborted);
        var page = Page<Row>.Of(rows, request.Limit, r => $"{r.Serial}.{r.Part}");
        var nowMs = request.Session.NowMs;
        return page.To(row => Show(row, nowMs));
    }

    private static async Task<Result<Item>> FindAsync(Request request)
    {
        if (OfflineServices.ReadId(request.Id()) is not var (serial, part)) return Problems.NotFound;
        var row = await request.Session.FindAsync<Row>(Sql.Find, new
        {
            AuthorityId = AuthorityOf(request.Caller),
            Serial = serial,
            Part = part,
        }, request.Aborted);
        var isMine = row is not null && request.Caller.Reaches(row.SiteId, Role.Site);
        return isMine ? Show(row!, request.Session.NowMs) : Problems.NotFound;
    }

    /// <summary>The collectivité whose conventions a caller is confined to.</summary>
    internal static string? AuthorityOf(Caller caller) => caller.Is(Role.Authority) ? caller.OrganisationId : null;

    /// <summary>The site a list is confined to: for people and keys of a site one of theirs, for others what they ask.</summary>
    internal static string? SiteOf(Request request) =>
        request.Caller.Is(Role.Site) ? ListRedemptions.SiteOf(request) : request.FilterId("siteId");

    private static Item Show(Row r, long nowMs) => new(
        OfflineServices.Id(r.Serial, r.Part), r.Decision ?? (nowMs < r.DeadlineMs ? "open" : SettleDispute.AfterDeadline),
        r.ConventionId, r.SiteId, r.Serial, r.Refusal, r.Service, r.ServiceDay.ToDate(), r.Minutes, r.DurationMinutes,
        r.ValueCents, r.Cause, Clock.InstantText(r.DeadlineMs), SettleDispute.AfterDeadline, Clock.InstantText(r.RecordedMs),
        r.Reason, r.DecidedMs is { } ms ? Clock.InstantText(ms) : null);

    private sealed record Row(
        long Serial, long Part, string ConventionId, string SiteId, string Refusal, string Service, long ServiceDay,
        long Minutes, long DurationMinutes, long ValueCents, string Cause, long DeadlineMs, long RecordedMs,
        string? Decision, string? Reason, long? DecidedMs);

    /// <summary>The rows of the list and of one, before their WHERE.</summary>
    private const string Rows = """
        SELECT d.serial AS Serial,
               d.part AS Part,
               d.convention_id AS ConventionId,
               d.site_id AS SiteId,
               s.refusal AS Refusal,
               s.service AS Service,
               s.service_day AS ServiceDay,
               s.minutes AS Minutes,
               s.duration_minutes AS DurationMinutes,
               s.value_cents AS ValueCents,
               d.cause AS Cause,
               d.deadline_ms AS DeadlineMs,
               d.recorded_ms AS RecordedMs,
               t.decision AS Decision,
               t.reason AS Reason,
               t.recorded_ms AS DecidedMs
          FROM disputes d
          JOIN offline_services s ON s.serial = d.serial AND s.part = d.part
          JOIN conventions c ON c.id = d.convention_id
          LEFT JOIN dispute_settlements t ON t.serial = d.serial AND t.part = d.part
        """;

    private static class Sql
    {
        public const string List = Rows + """

             WHERE (@AuthorityId IS NULL OR c.authority_id = @AuthorityId)
               AND (@SiteId IS NULL OR d.site_id = @SiteId)
               AND (@ConventionId IS NULL OR d.convention_id = @ConventionId)
               AND (d.serial > @Serial OR (d.serial = @Serial AND d.part > @Part))
             ORDER BY d.serial, d.part
            {limit}
            """;

        public const string Find = Rows + """

             WHERE d.serial = @Serial AND d.part = @Part
               AND (@AuthorityId IS NULL OR c.authority_id = @AuthorityId)
            """;
    }
}
