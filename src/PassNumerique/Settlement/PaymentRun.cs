using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Settlement;

/// <summary>
/// A payment run as its reader may see it: the sums are of the payouts shown. Gross is face value, the fee
/// includes its VAT, net is what the bank transfers.
/// </summary>
internal sealed record PaymentRun(
    string Id, string Month, string Status, string MadeAt, DateOnly? PaidOn, string? BankReference, long LineCount,
    long GrossCents, long FeeCents, long NetCents, IReadOnlyList<PaymentRun.Payout> Payouts)
{
    internal sealed record Payout(
        string SiteId, string SiteName, long LineCount, long GrossCents, long FeeCents, long NetCents);

    public static PaymentRun Of(
        string id, long month, long madeMs, (long PaidDay, string BankReference)? paid, IReadOnlyList<Payout> payouts) =>
        new(id, ListPayables.MonthText(month), paid is null ? "made" : "paid", Clock.InstantText(madeMs),
            paid?.PaidDay.ToDate(), paid?.BankReference, payouts.Sum(p => p.LineCount), payouts.Sum(p => p.GrossCents),
            payouts.Sum(p => p.FeeCents), payouts.Sum(p => p.NetCents), payouts);
}

/// <summary>Payment runs, newest first; a site sees those that pay it, and its own payouts in them.</summary>
internal static class ListPaymentRuns
{
    internal static void Map(IEndpointRouteBuilder runs)
    {
        runs.Get("/", Role.Site | Role.Overseers, ListAsync);
        runs.Get("/{id}", Role.Site | Role.Overseers, FindAsync);
    }

    private static async Task<Result<Page<PaymentRun>>> ListAsync(Request r)
    {
        var db = r.Session;
        var after = r.After is null ? null : Ids.Normalise(r.After)
            ?? throw new InvalidRequestException("after", "Reprenez le curseur « next » de la page précédente.");
        var rows = await db.ListAsync<Row>(
            Sql.List, new { db.Caller.Scope, After = after, Take = r.Limit + 1 }, r.Aborted);
        var page = Page<Row>.Of(rows, r.Limit, run => run.Id);
        var runs = new List<PaymentRun>();
        foreach (var row in page.Items)
        {
            if (await ShowAsync(db, row, r.Aborted) is { } run) runs.Add(run);
        }

        return new Page<PaymentRun>(runs, page.Next);
    }

    private static async Task<Result<PaymentRun>> FindAsync(Request r)
    {
        var row = await r.Session.FindAsync<Row>(Sql.Find, new { Id = r.Id() }, r.Aborted);
        return row is not null && await ShowAsync(r.Session, row, r.Aborted) is { } run ? run : Problems.NotFound;
    }

    /// <summary>Null where nothing in the run is for the caller to see.</summary>
    internal static async Task<PaymentRun?> ShowAsync(Session db, Row row, CancellationToken ct)
    {
        var payouts = await db.ListAsync<PaymentRun.Payout>(Sql.Payouts, new { RunId = row.Id, db.Caller.Scope }, ct);
        var mine = payouts.Where(p => db.Caller.Reaches(p.SiteId, Role.Site)).ToList();
        if (mine.Count == 0) return null;
        (long, string)? paid = row.PaidDay is { } day ? (day, row.BankReference!) : null;
        return PaymentRun.Of(row.Id, row.Month, row.RecordedMs, paid, mine);
    }

    internal static Task<Row?> FindAsync(Session db, string id, CancellationToken ct) =>
        db.FindAsync<Row>(Sql.Find, new { Id = id }, ct);

    internal sealed record Row(
        string Id, long Month, string ActorId, long RecordedMs, long? PaidDay, string? BankReference);

    private static class Sql
    {
        public const string List = """
            SELECT r.id AS Id,
                   r.month AS Month,
                   r.actor_id AS ActorId,
                   r.recorded_ms AS RecordedMs,
                   c.paid_day AS PaidDay,
                   c.bank_reference AS BankReference
              FROM payment_runs r
              LEFT JOIN payment_confirmations c ON c.run_id = r.id
             WHERE (@After IS NULL OR r.id < @After)
               AND (@Scope IS NULL OR EXISTS (SELECT 1
                                                FROM payouts p
                                                JOIN sites s ON s.id = p.site_id
                                               WHERE p.run_id = r.id AND s.organisation_id = @Scope))
             ORDER BY r.id DESC
             {limit}
            """;

        public const string Find = """
            SELECT r.id AS Id,
                   r.month AS Month,
                   r.actor_id AS ActorId,
                   r.recorded_ms AS RecordedMs,
                   c.paid_day AS PaidDay,
                   c.bank_reference AS BankReference
              FROM payment_runs r
              LEFT JOIN payment_confirmations c ON c.run_id = r.id
             WHERE r.id = @Id
            """;

        public const string Payouts = """
            SELECT p.site_id AS SiteId,
                   s.name AS SiteName,
                   p.line_count AS LineCount,
                   p.gross_cents AS GrossCents,
                   p.fee_cents AS FeeCents,
                   p.net_cents AS NetCents
              FROM payouts p
              JOIN sites s ON s.id = p.site_id
             WHERE p.run_id = @RunId AND (@Scope IS NULL OR s.organisation_id = @Scope)
             ORDER BY p.site_id
            """;
    }
}
