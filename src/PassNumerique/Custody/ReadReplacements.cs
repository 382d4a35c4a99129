using System.Globalization;
using PassNumerique.Platform;

namespace PassNumerique.Custody;

/// <summary>Booklets that stand for lost ones, with what was left of them.</summary>
internal static class ReadReplacements
{
    internal sealed record Item(
        string Id, long ReplacedBookletNumber, long BookletNumber, long FirstSerial, long LastSerial, long VoucherCount,
        long Minutes, long ValueCents, string DistributionPointId, string PointName, DateOnly ValidUntil, string Reason,
        string RecordedAt);

    internal static void Map(IEndpointRouteBuilder replacements)
    {
        replacements.Get("/", ListStock.Readers, ListAsync);
        replacements.Get("/{id}", ListStock.Readers, FindAsync);
    }

    /// <summary>By the number of the new booklet.</summary>
    private static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var args = new { request.Caller.Scope, After = request.Cursor(1)?[0] ?? 0 };
        var rows = request.Session.StreamAsync<Row>(Sql.List, args, request.Aborted);
        var page = await Page<Row>.OfAsync(rows, r => request.Caller.Reaches(r.PointId, Role.Agent), request.Limit,
            r => r.FirstSerial.ToString(CultureInfo.InvariantCulture));
        return page.To(Show);
    }

    internal static async Task<Result<Item>> FindAsync(Request request)
    {
        var args = new { Id = request.Id(), request.Caller.Scope };
        return await request.Session.FindAsync<Row>(Sql.Find, args, request.Aborted) is { } row
            && request.Caller.Reaches(row.PointId, Role.Agent)
            ? Show(row)
            : Problems.NotFound;
    }

    private static Item Show(Row r) => new(
        r.Id, r.ReplacedBooklet, r.FirstSerial, r.FirstSerial, r.LastSerial, r.VoucherCount, r.Minutes, r.Cents, r.PointId,
        r.PointName, r.ValidUntilDay.ToDate(), r.Reason, Clock.InstantText(r.RecordedMs));

    private sealed record Row(
        string Id, long ReplacedBooklet, long FirstSerial, long LastSerial, long VoucherCount, long Minutes, long Cents,
        string PointId, string PointName, long ValidUntilDay, string Reason, long RecordedMs);

    private static class Sql
    {
        private const string Columns = """
            SELECT r.order_id AS Id,
                   r.replaced_booklet AS ReplacedBooklet,
                   o.first_serial AS FirstSerial,
                   o.last_serial AS LastSerial,
                   o.voucher_count AS VoucherCount,
                   (SELECT CAST(COALESCE(SUM(p.credit_minutes), 0) AS bigint) FROM replacements p
                     WHERE p.serial BETWEEN o.first_serial AND o.last_serial) AS Minutes,
                   (SELECT CAST(COALESCE(SUM(p.face_cents), 0) AS bigint) FROM replacements p
                     WHERE p.serial BETWEEN o.first_serial AND o.last_serial) AS Cents,
                   l.point_id AS PointId,
                   d.name AS PointName,
                   COALESCE(x.valid_until_day, o.valid_until_day) AS ValidUntilDay,
                   r.reason AS Reason,
                   r.recorded_ms AS RecordedMs
              FROM replacement_orders r
              JOIN orders o ON o.id = r.order_id
              JOIN lots l ON l.order_id = o.id AND l.position = 1
              JOIN distribution_points d ON d.id = l.point_id
              LEFT JOIN order_extensions x ON x.order_id = o.id
            """;

        public const string List = Columns + """

             WHERE (@Scope IS NULL OR o.authority_id = @Scope) AND o.first_serial > @After
             ORDER BY o.first_serial
            """;

        public const string Find = Columns + """

             WHERE r.order_id = @Id AND (@Scope IS NULL OR o.authority_id = @Scope)
            """;
    }
}
