using System.Globalization;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Redemption;
using PassNumerique.Vouchers;

namespace PassNumerique.Settlement;

/// <summary>
/// What a site is owed for a month: its redemptions of that month, the reversals recorded in it and its offline
/// services that are guaranteed, each with how far its payment has come. Sums are of the whole month, lines come in pages.
/// </summary>
internal static class ListPayables
{
    internal sealed record Answer(
        string SiteId, string Month, long Count, long TotalCents, long FeeCents, long FeeVatCents, long NetCents,
        IReadOnlyList<StatusSum> ByStatus, IReadOnlyList<Line> Items, string? Next);

    internal sealed record StatusSum(string Status, long Count, long Cents);

    /// <summary>
    /// <paramref name="Kind"/> is <c>redemption</c>, <c>reversal</c> or <c>guarantee</c>. Status: <c>recorded</c> while its month
    /// runs, <c>payable</c> after it, <c>in-run</c>, <c>paid</c>; <c>reversed</c> for a redemption undone
    /// before any run and for its reversal, which cancel each other. A guarantee that was undone is owed no more and
    /// is no line.
    /// </summary>
    internal sealed record Line(
        string Id, string Kind, long Serial, string ConventionId, string? Service, DateOnly ServedOn, long Minutes,
        long Cents, string Status, string? RunId, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder sites) =>
        sites.Get("/{id}/payables", Role.Site | Role.Overseers, FindAsync);

    private static async Task<Result<Answer>> FindAsync(Request r)
    {
        var db = r.Session;
        var siteId = r.Id();
        var month = r.Month("month") ?? throw new InvalidRequestException("month", "Un mois est attendu, sous la forme 2026-11.");
        var after = r.Cursor(3) ?? [0, 0, 0];
        var site = await db.FindAsync<string>(Sql.Site, new { Id = siteId, db.Caller.Scope }, r.Aborted);
        if (site is null || !db.Caller.Reaches(siteId, Role.Site)) return Problems.NotFound;

        var current = Clock.Month(db.Today);
        var sums = await db.ListAsync<SumRow>(Sql.Sums, new { SiteId = siteId, Month = month, CurrentMonth = current }, r.Aborted);
        var fee = await FeeAsync(db, sums, r.Aborted);
        var rows = await db.ListAsync<LineRow>(Sql.Lines, new
        {
            SiteId = siteId,
            Month = month,
            CurrentMonth = current,
            Serial = after[0],
            Part = after[1],
            LineKind = after[2],
            Take = r.Limit + 1,
        }, r.Aborted);
        var page = Page<LineRow>.Of(rows, r.Limit, l => $"{l.Serial}.{l.Part}.{l.Kind}");
        var total = sums.Sum(s => s.Cents);
        return new Answer(
            siteId, MonthText(month), sums.Sum(s => s.Lines), total, fee.NetOfTaxCents, fee.VatCents, total - fee.Cents,
            [.. sums.GroupBy(s => s.Status).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => new StatusSum(g.Key, g.Sum(s => s.Lines), g.Sum(s => s.Cents)))],
            [.. page.Items.Select(Show)], page.Next);
    }

    internal static string MonthText(long month) =>
        string.Create(CultureInfo.InvariantCulture, $"{month / 100:0000}-{month % 100:00}");

    /// <summary>The kind of a line that is no entry of a pass, after those of the entries.</summary>
    private const long Guarantee = 9;

    private static async Task<DownstreamFee> FeeAsync(Session db, IReadOnlyList<SumRow> sums, CancellationToken ct)
    {
        var fee = new DownstreamFee(0, 0);
        foreach (var group in sums.GroupBy(s => (s.ConventionId, s.TermsVersion)))
        {
            var terms = await TermsOf.FindAsync(db, group.Key.ConventionId, group.Key.TermsVersion, ct);
            fee += DownstreamFee.Of(group.Sum(s => s.Cents), terms);
        }

        return fee;
    }

    private static Line Show(LineRow l) => new(
        l.Kind == Guarantee ? OfflineServices.Id(l.Serial, l.Part) : EntryId.Pack(l.Serial, l.Part),
        l.Kind switch { Guarantee => "guarantee", EntryKind.Reversal => "reversal", _ => "redemption" }, l.Serial,
        l.ConventionId, l.Service, l.ServiceDay.ToDate(), l.Minutes, l.Cents, l.Status, l.RunId,
        Clock.InstantText(l.RecordedMs));

    private sealed record SumRow(string ConventionId, long TermsVersion, string Status, long Lines, long Cents);

    private sealed record LineRow(
        long Serial, long Part, long Kind, string ConventionId, string? Service, long ServiceDay, long Minutes,
        long Cents, string Status, string? RunId, long RecordedMs);

    private static class Sql
    {
        public const string Site = """
            SELECT id
              FROM sites
             WHERE id = @Id AND (@Scope IS NULL OR organisation_id = @Scope)
            """;

        public const string Sums = """
            SELECT d.convention_id AS ConventionId,
                   d.terms_version AS TermsVersion,
                   d.status AS Status,
                   CAST(COUNT(*) AS bigint) AS Lines,
                   CAST(COALESCE(SUM(d.value_cents), 0) AS bigint) AS Cents
              FROM (SELECT e.convention_id AS convention_id,
                           e.terms_version AS terms_version,
                           e.value_cents AS value_cents,
                           CASE WHEN c.run_id IS NOT NULL THEN 'paid'
                                WHEN o.outcome = 'in-run' THEN 'in-run'
                                WHEN o.outcome = 'undone' OR u.outcome = 'undone' THEN 'reversed'
                                WHEN e.month >= @CurrentMonth THEN 'recorded'
                                ELSE 'payable'
                           END AS status
                      FROM voucher_entries e
                      LEFT JOIN redemption_outcomes o ON o.serial = e.serial AND o.part = e.part
                      LEFT JOIN redemption_outcomes u ON u.serial = e.serial AND u.part = e.reversed_part
                      LEFT JOIN payment_confirmations c ON c.run_id = o.run_id
                     WHERE e.site_id = @SiteId AND e.month = @Month AND e.kind IN (1, 2, 6)
                     UNION ALL
                    SELECT g.convention_id,
                           g.terms_version,
                           g.value_cents,
                           CASE WHEN c.run_id IS NOT NULL THEN 'paid'
                                WHEN o.outcome = 'in-run' THEN 'in-run'
                                WHEN g.month >= @CurrentMonth THEN 'recorded'
                                ELSE 'payable'
                           END
                      FROM guarantees g
                      LEFT JOIN guarantee_outcomes o ON o.serial = g.serial AND o.part = g.part
                      LEFT JOIN payment_confirmations c ON c.run_id = o.run_id
                     WHERE g.site_id = @SiteId AND g.month = @Month AND (o.serial IS NULL OR o.outcome = 'in-run')) d
             GROUP BY d.convention_id, d.terms_version, d.status
            """;

        public const string Lines = """
            SELECT d.serial AS Serial,
                   d.part AS Part,
                   d.kind AS Kind,
                   d.convention_id AS ConventionId,
                   d.service AS Service,
                   d.service_day AS ServiceDay,
                   d.minutes AS Minutes,
                   d.value_cents AS Cents,
                   d.status AS Status,
                   d.run_id AS RunId,
                   d.recorded_ms AS RecordedMs
              FROM (SELECT e.serial AS serial,
                           e.part AS part,
                           e.kind AS kind,
                           e.convention_id AS convention_id,
                           e.service AS service,
                           e.service_day AS service_day,
                           e.minutes AS minutes,
                           e.value_cents AS value_cents,
                           CASE WHEN c.run_id IS NOT NULL THEN 'paid'
                                WHEN o.outcome = 'in-run' THEN 'in-run'
                                WHEN o.outcome = 'undone' OR u.outcome = 'undone' THEN 'reversed'
                                WHEN e.month >= @CurrentMonth THEN 'recorded'
                                ELSE 'payable'
                           END AS status,
                           o.run_id AS run_id,
                           e.recorded_ms AS recorded_ms
                      FROM voucher_entries e
                      LEFT JOIN redemption_outcomes o ON o.serial = e.serial AND o.part = e.part
                      LEFT JOIN redemption_outcomes u ON u.serial = e.serial AND u.part = e.reversed_part
                      LEFT JOIN payment_confirmations c ON c.run_id = o.run_id
                     WHERE e.site_id = @SiteId AND e.month = @Month AND e.kind IN (1, 2, 6)
                       AND e.serial >= @Serial
                     UNION ALL
                    SELECT g.serial,
                           g.part,
                           CAST(9 AS bigint),
                           g.convention_id,
                           s.service,
                           s.service_day,
                           s.minutes,
                           g.value_cents,
                           CASE WHEN c.run_id IS NOT NULL THEN 'paid'
                                WHEN o.outcome = 'in-run' THEN 'in-run'
                                WHEN g.month >= @CurrentMonth THEN 'recorded'
                                ELSE 'payable'
                           END,
                           o.run_id,
                           g.recorded_ms
                      FROM guarantees g
                      JOIN offline_services s ON s.serial = g.serial AND s.part = g.part
                      LEFT JOIN guarantee_outcomes o ON o.serial = g.serial AND o.part = g.part
                      LEFT JOIN payment_confirmations c ON c.run_id = o.run_id
                     WHERE g.site_id = @SiteId AND g.month = @Month AND (o.serial IS NULL OR o.outcome = 'in-run')
                       AND g.serial >= @Serial) d
             WHERE d.serial > @Serial
                OR (d.serial = @Serial AND (d.part > @Part OR (d.part = @Part AND d.kind > @LineKind)))
             ORDER BY d.serial, d.part, d.kind
             {limit}
            """;
    }
}

/// <summary>The terms that a line names, by their version.</summary>
internal static class TermsOf
{
    public static async Task<Terms> FindAsync(Session db, string conventionId, long version, CancellationToken ct) =>
        Terms.Parse(await db.FindAsync<string>(Sql.Find, new { ConventionId = conventionId, Version = version }, ct)
            ?? throw new InvalidOperationException($"Convention {conventionId} has no version {version} of its terms."));

    private static class Sql
    {
        public const string Find = """
            SELECT terms
              FROM convention_terms
             WHERE convention_id = @ConventionId AND version = @Version
            """;
    }
}
