using System.Globalization;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// Orders as those who pay, oversee or follow them read them; one with its lots and the stock of each, its
/// steps with who took them, its extension and its derogation.
/// </summary>
internal static class ReadOrders
{
    internal record Line(
        string Id, string ConventionId, string AuthorityId, long FirstSerial, long LastSerial, long BookletCount,
        long VouchersPerBooklet, long VoucherCount, long FaceValueCents, long MinutesPerVoucher, long TotalCents,
        DateOnly ValidUntil, DateOnly OrderedOn, string? Campaign, string? Wave, string State);

    internal sealed record Detail : Line
    {
        public Detail(Line line) : base(line) { }

        public required long TermsVersion { get; init; }

        public required string? Comment { get; init; }

        public required string RecordedAt { get; init; }

        public required IReadOnlyList<Step> Steps { get; init; }

        public required IReadOnlyList<Lot> Lots { get; init; }

        /// <summary>Booklets that are neither handed out nor returned.</summary>
        public required long StockBooklets { get; init; }

        public required Extension? Extension { get; init; }

        public required Derogation? Derogation { get; init; }

        /// <summary>The parcels sent to distribution points so far, and what came of them.</summary>
        public required IReadOnlyList<DispatchView> Dispatches { get; init; }
    }

    /// <summary>What was done, when, and by whom: a person's name or a key's label.</summary>
    internal sealed record Step(string Name, DateOnly On, string? Comment, string? By, string RecordedAt);

    /// <summary>
    /// The booklets of a point: <paramref name="StockBooklets"/> are neither handed out nor returned, wherever they lie;
    /// <paramref name="MovedBooklets"/> of these were sent to another point.
    /// </summary>
    internal sealed record Lot(
        long Position, string PointId, string PointName, long FirstSerial, long LastSerial, long Booklets,
        long? PicBooklets, long HandedOutBooklets, long ReturnedBooklets, long StockBooklets, long MovedBooklets);

    internal sealed record Extension(DateOnly ValidUntil, string Reason, string RecordedAt);

    internal sealed record Derogation(string Reason, string RequestedAt, long? ExposureCents, string? ConfirmedAt);

    internal static void Map(IEndpointRouteBuilder orders)
    {
        orders.Get("/", ReadConventions.Readers, ListAsync);
        orders.Get("/{id}", ReadConventions.Readers, FindAsync);
    }

    internal static async Task<Result<Page<Line>>> ListAsync(Request request)
    {
        var rows = await request.Session.ListAsync<Row>(Sql.List, new
        {
            request.Caller.Scope,
            ConventionId = request.Text("conventionId"),
            After = AfterSerial(request.After),
            Take = request.Limit + 1,
        }, request.Aborted);
        return Page<Line>.Of([.. rows.Select(Show)], request.Limit,
            line => line.FirstSerial.ToString(CultureInfo.InvariantCulture));
    }

    internal static async Task<Result<Detail>> FindAsync(Request request)
    {
        var (db, ct) = (request.Session, request.Aborted);
        var args = new { Id = request.Id(), request.Caller.Scope };
        if (await db.FindAsync<Row>(Sql.Find, args, ct) is not { } order) return Problems.NotFound;
        var steps = await db.ListAsync<StepRow>(Sql.Steps, args, ct);
        var lots = (await db.ListAsync<LotRow>(Sql.Lots, args, ct)).Select(Show).ToList();
        var extension = await db.FindAsync<ExtensionRow>(Sql.Extension, args, ct);
        var derogation = await db.FindAsync<DerogationRow>(Sql.Derogation, args, ct);
        return new Detail(Show(order))
        {
            TermsVersion = order.TermsVersion,
            Comment = order.Comment,
            RecordedAt = Clock.InstantText(order.RecordedMs),
            Steps = [.. steps.Select(Show)],
            Lots = lots,
            StockBooklets = lots.Sum(l => l.StockBooklets),
            Extension = extension is null ? null : Show(extension),
            Derogation = derogation is null ? null : Show(derogation),
            Dispatches = await Dispatches.ListAsync(db, order.Id, ct),
        };
    }

    private static long? AfterSerial(string? cursor) => cursor is null
        ? null
        : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var serial)
            ? serial
            : throw new InvalidRequestException("after", "Ce curseur n'est pas de cette liste.");

    private static Line Show(Row row) => new(
        row.Id, row.ConventionId, row.AuthorityId, row.FirstSerial, row.LastSerial, row.BookletCount,
        row.VouchersPerBooklet, row.VoucherCount, row.FaceCents, row.CreditMinutes, row.TotalCents,
        row.ValidUntilDay.ToDate(), row.OrderedDay.ToDate(), row.Campaign, row.Wave,
        OrderStep.State(row.LastSlot, row.Cancelled > 0));

    private static Step Show(StepRow row) => new(
        row.Step, row.OnDay.ToDate(), row.Comment, row.MemberName ?? row.KeyLabel,
        Clock.InstantText(row.RecordedMs));

    private static Lot Show(LotRow row) => new(
        row.Position, row.PointId, row.PointName, row.FirstSerial, row.LastSerial, row.Booklets, row.PicBooklets,
        row.HandedOut, row.Returned, row.Booklets - row.Gone, row.Moved);

    private static Extension Show(ExtensionRow row) =>
        new(row.ValidUntilDay.ToDate(), row.Reason, Clock.InstantText(row.RecordedMs));

    private static Derogation Show(DerogationRow row) => new(
        row.Reason, Clock.InstantText(row.RequestedMs), row.ExposureCents,
        row.ConfirmedMs is { } ms ? Clock.InstantText(ms) : null);

    private sealed record Row(
        string Id, string ConventionId, string AuthorityId, long FirstSerial, long LastSerial, long BookletCount,
        long VouchersPerBooklet, long VoucherCount, long FaceCents, long CreditMinutes, long TotalCents,
        long ValidUntilDay, long OrderedDay, string? Campaign, string? Wave, string? Comment, long TermsVersion,
        long RecordedMs, long LastSlot, long Cancelled);

    private sealed record StepRow(
        string Step, long OnDay, string? Comment, string? MemberName, string? KeyLabel, long RecordedMs);

    private sealed record LotRow(
        long Position, string PointId, string PointName, long FirstSerial, long LastSerial, long Booklets,
        long? PicBooklets, long HandedOut, long Returned, long Gone, long Moved);

    private sealed record ExtensionRow(long ValidUntilDay, string Reason, long RecordedMs);

    private sealed record DerogationRow(string Reason, long RequestedMs, long? ExposureCents, long? ConfirmedMs);

    private static class Sql
    {
        public const string List = """
            SELECT o.id AS Id,
                   o.convention_id AS ConventionId,
                   o.authority_id AS AuthorityId,
                   o.first_serial AS FirstSerial,
                   o.last_serial AS LastSerial,
                   o.booklet_count AS BookletCount,
                   o.vouchers_per_booklet AS VouchersPerBooklet,
                   o.voucher_count AS VoucherCount,
                   o.face_cents AS FaceCents,
                   o.credit_minutes AS CreditMinutes,
                   o.total_cents AS TotalCents,
                   o.valid_until_day AS ValidUntilDay,
                   o.ordered_day AS OrderedDay,
                   o.campaign AS Campaign,
                   o.wave AS Wave,
                   o.comment AS Comment,
                   o.terms_version AS TermsVersion,
                   o.recorded_ms AS RecordedMs,
                   (SELECT CAST(COALESCE(MAX(s.slot), 0) AS bigint)
                      FROM order_steps s
                     WHERE s.order_id = o.id) AS LastSlot,
                   (SELECT CAST(COUNT(*) AS bigint)
                      FROM order_steps s
                     WHERE s.order_id = o.id AND s.step = 'cancelled') AS Cancelled
              FROM orders o
              JOIN conventions c ON c.id = o.convention_id
             WHERE (@Scope IS NULL OR o.authority_id = @Scope OR c.hub_id = @Scope)
               AND (@ConventionId IS NULL OR o.convention_id = @ConventionId)
               AND NOT EXISTS (SELECT 1 FROM replacement_orders p WHERE p.order_id = o.id)
               AND (@After IS NULL OR o.first_serial > @After)
             ORDER BY o.first_serial
            {limit}
            """;

        public const string Find = """
            SELECT o.id AS Id,
                   o.convention_id AS ConventionId,
                   o.authority_id AS AuthorityId,
                   o.first_serial AS FirstSerial,
                   o.last_serial AS LastSerial,
                   o.booklet_count AS BookletCount,
                   o.vouchers_per_booklet AS VouchersPerBooklet,
                   o.voucher_count AS VoucherCount,
                   o.face_cents AS FaceCents,
                   o.credit_minutes AS CreditMinutes,
                   CASE WHEN EXISTS (SELECT 1 FROM replacement_orders p WHERE p.order_id = o.id)
                        THEN CAST(0 AS bigint) ELSE o.total_cents END AS TotalCents,
                   o.valid_until_day AS ValidUntilDay,
                   o.ordered_day AS OrderedDay,
                   o.campaign AS Campaign,
                   o.wave AS Wave,
                   o.comment AS Comment,
                   o.terms_version AS TermsVersion,
                   o.recorded_ms AS RecordedMs,
                   (SELECT CAST(COALESCE(MAX(s.slot), 0) AS bigint)
                      FROM order_steps s
                     WHERE s.order_id = o.id) AS LastSlot,
                   (SELECT CAST(COUNT(*) AS bigint)
                      FROM order_steps s
                     WHERE s.order_id = o.id AND s.step = 'cancelled') AS Cancelled
              FROM orders o
              JOIN conventions c ON c.id = o.convention_id
             WHERE o.id = @Id AND (@Scope IS NULL OR o.authority_id = @Scope OR c.hub_id = @Scope)
            """;

        public const string Steps = """
            SELECT s.step AS Step,
                   s.on_day AS OnDay,
                   s.comment AS Comment,
                   m.name AS MemberName,
                   k.label AS KeyLabel,
                   s.recorded_ms AS RecordedMs
              FROM order_steps s
              LEFT JOIN members m ON m.id = s.actor_id
              LEFT JOIN api_keys k ON k.id = s.actor_id
             WHERE s.order_id = @Id
             ORDER BY s.slot
            """;

        public const string Lots = """
            WITH booklets AS (
                SELECT l.position AS position,
                       e.booklet AS booklet,
                       CAST(COALESCE(SUM(CASE e.kind WHEN 1 THEN 1 WHEN 2 THEN -1 ELSE 0 END), 0) AS bigint)
                           AS given,
                       CAST(COALESCE(SUM(CASE e.kind WHEN 3 THEN 1 ELSE 0 END), 0) AS bigint) AS returned,
                       CAST(COALESCE(MAX(CASE WHEN e.kind IN (5, 6, 7) THEN e.part ELSE 0 END), 0) AS bigint) AS moved
                  FROM lots l
                  JOIN booklet_entries e ON e.booklet >= l.first_serial AND e.booklet <= l.last_serial
                 WHERE l.order_id = @Id
                 GROUP BY l.position, e.booklet
            ), counts AS (
                SELECT k.position AS position,
                       CAST(COALESCE(SUM(CASE WHEN k.given > 0 THEN 1 ELSE 0 END), 0) AS bigint) AS given,
                       CAST(COALESCE(SUM(CASE WHEN k.returned > 0 THEN 1 ELSE 0 END), 0) AS bigint) AS returned,
                       CAST(COALESCE(SUM(CASE WHEN k.given > 0 OR k.returned > 0 THEN 1 ELSE 0 END), 0) AS bigint)
                           AS gone,
                       CAST(COALESCE(SUM(CASE WHEN k.given > 0 OR k.returned > 0 THEN 0
                                              WHEN m.kind = 5 OR m.point_id <> w.point_id THEN 1
                                              ELSE 0 END), 0) AS bigint) AS moved
                  FROM booklets k
                  JOIN lots w ON w.order_id = @Id AND w.position = k.position
                  LEFT JOIN booklet_entries m ON m.booklet = k.booklet AND m.part = k.moved
                 GROUP BY k.position
            )
            SELECT l.position AS Position,
                   l.point_id AS PointId,
                   p.name AS PointName,
                   l.first_serial AS FirstSerial,
                   l.last_serial AS LastSerial,
                   l.booklet_count AS Booklets,
                   l.pic_booklets AS PicBooklets,
                   COALESCE(n.given, 0) AS HandedOut,
                   COALESCE(n.returned, 0) AS Returned,
                   COALESCE(n.gone, 0) AS Gone,
                   COALESCE(n.moved, 0) AS Moved
              FROM lots l
              JOIN distribution_points p ON p.id = l.point_id
              LEFT JOIN counts n ON n.position = l.position
             WHERE l.order_id = @Id
             ORDER BY l.position
            """;

        public const string Extension = """
            SELECT valid_until_day AS ValidUntilDay,
                   reason AS Reason,
                   recorded_ms AS RecordedMs
              FROM order_extensions
             WHERE order_id = @Id
            """;

        public const string Derogation = """
            SELECT r.reason AS Reason,
                   r.recorded_ms AS RequestedMs,
                   d.exposure_cents AS ExposureCents,
                   d.recorded_ms AS ConfirmedMs
              FROM derogation_requests r
              LEFT JOIN derogations d ON d.order_id = r.order_id
             WHERE r.order_id = @Id
            """;
    }
}
