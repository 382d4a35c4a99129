using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// What left of the codes of an order: who took what, when, in how many transfers, whether to the last byte, and
/// by which permission; and the permissions themselves. For those who may take them, and those who oversee.
/// </summary>
internal static class ReadCodeExports
{
    internal const Role Readers = Role.Overseers | Role.Authority;

    internal sealed record Export(
        string Id, string Kind, string? PointId, string? PointName, long VoucherCount, string? By, string RecordedAt,
        long Transfers, string? CompletedAt, long? ByteCount, string? ReprintId);

    internal sealed record Reprint(
        string Id, string? PointId, string? PointName, string? Kind, string Reason, string? RequestedBy, string RecordedAt,
        string? ConfirmedBy, string? ConfirmedAt, string? ExportId, bool MayConfirm);

    internal static void Map(IEndpointRouteBuilder orders)
    {
        orders.Get("/{id}/code-exports", Readers, ExportsAsync);
        orders.Get("/{id}/code-exports/{exportId}", Readers,
            request => OneAsync<ExportRow, Export>(request, Sql.Exports, request.Id("exportId"), Show));
        orders.Get("/{id}/reprints", Readers, ReprintsAsync);
        orders.Get("/{id}/reprints/{reprintId}", Readers,
            request => OneAsync<ReprintRow, Reprint>(
                request, Sql.Reprints, request.Id("reprintId"), row => Show(row, request)));
    }

    internal static Task<Result<Page<Export>>> ExportsAsync(Request request) =>
        ListAsync<ExportRow, Export>(request, Sql.Exports, Show, export => export.Id);

    internal static Task<Result<Page<Reprint>>> ReprintsAsync(Request request) =>
        ListAsync<ReprintRow, Reprint>(request, Sql.Reprints, row => Show(row, request), reprint => reprint.Id);

    private static async Task<Result<Page<TLine>>> ListAsync<TRow, TLine>(
        Request request, string sql, Func<TRow, TLine> show, Func<TLine, string> cursor)
    {
        var db = request.Session;
        if (await OrderSteps.FindAsync(db, request.Id(), request.Aborted) is not { } order) return Problems.NotFound;
        var args = new { OrderId = order.Id, Id = (string?)null, After = request.After ?? "", Take = request.Limit + 1 };
        var rows = await db.ListAsync<TRow>(sql, args, request.Aborted);
        return Page<TLine>.Of([.. rows.Select(show)], request.Limit, cursor);
    }

    private static async Task<Result<TLine>> OneAsync<TRow, TLine>(
        Request request, string sql, string id, Func<TRow, TLine> show) where TRow : class
    {
        var db = request.Session;
        var args = new { OrderId = request.Id(), Id = id, After = "", Take = 1L };
        if (await OrderSteps.FindAsync(db, request.Id(), request.Aborted) is null) return Problems.NotFound;
        return await db.FindAsync<TRow>(sql, args, request.Aborted) is { } row ? show(row) : Problems.NotFound;
    }

    /// <summary>An export of one lot of several is that of its point; of all of them, of the whole order.</summary>
    private static Export Show(ExportRow row) => new(
        row.Id, row.Kind, row.IsPart == 1 ? row.PointId : null, row.IsPart == 1 ? row.PointName : null, row.VoucherCount,
        row.MemberName ?? row.KeyLabel, Clock.InstantText(row.RecordedMs), row.Transfers,
        row.EndedMs is { } ms ? Clock.InstantText(ms) : null, row.ByteCount, row.ReprintId);

    private static Reprint Show(ReprintRow row, Request request) => new(
        row.Id, row.PointId, row.PointName, row.Kind, row.Reason, row.MemberName ?? row.KeyLabel,
        Clock.InstantText(row.RecordedMs), row.ConfirmingMember ?? row.ConfirmingKey,
        row.ConfirmedMs is { } ms ? Clock.InstantText(ms) : null, row.ExportId,
        request.Caller.Is(ConfirmReprint.Confirmers)
            && ConfirmReprint.WhyNot(new(row.ActorId, row.RecordedMs, row.ConfirmedMs), request.Session) is null);

    private sealed record ExportRow(
        string Id, string Kind, string? PointId, string? PointName, long IsPart, long VoucherCount, string? MemberName,
        string? KeyLabel, long RecordedMs, long Transfers, long? EndedMs, long? ByteCount, string? ReprintId);

    private sealed record ReprintRow(
        string Id, string? PointId, string? PointName, string? Kind, string Reason, string ActorId, string? MemberName,
        string? KeyLabel, long RecordedMs, string? ConfirmingMember, string? ConfirmingKey, long? ConfirmedMs, string? ExportId);

    private static class Sql
    {
        public const string Exports = """
            SELECT e.id AS Id,
                   e.kind AS Kind,
                   p.id AS PointId,
                   p.name AS PointName,
                   CASE WHEN e.voucher_count < o.voucher_count THEN CAST(1 AS bigint)
                        ELSE CAST(0 AS bigint) END AS IsPart,
                   e.voucher_count AS VoucherCount,
                   m.name AS MemberName,
                   k.label AS KeyLabel,
                   e.recorded_ms AS RecordedMs,
                   (SELECT CAST(COUNT(*) AS bigint) FROM code_transfers t WHERE t.export_id = e.id) AS Transfers,
                   d.recorded_ms AS EndedMs,
                   d.byte_count AS ByteCount,
                   u.request_id AS ReprintId
              FROM code_exports e
              JOIN orders o ON o.id = e.order_id
              LEFT JOIN lots l
                ON l.order_id = e.order_id
               AND l.position = (SELECT MIN(r.position) FROM code_releases r WHERE r.export_id = e.id)
              LEFT JOIN distribution_points p ON p.id = l.point_id
              LEFT JOIN code_export_ends d ON d.export_id = e.id
              LEFT JOIN reprint_uses u ON u.export_id = e.id
              LEFT JOIN members m ON m.id = e.actor_id
              LEFT JOIN api_keys k ON k.id = e.actor_id
             WHERE e.order_id = @OrderId AND e.id > @After AND (@Id IS NULL OR e.id = @Id)
             ORDER BY e.id
            {limit}
            """;

        public const string Reprints = """
            SELECT q.id AS Id,
                   q.point_id AS PointId,
                   i.name AS PointName,
                   q.kind AS Kind,
                   q.reason AS Reason,
                   q.actor_id AS ActorId,
                   m.name AS MemberName,
                   k.label AS KeyLabel,
                   q.recorded_ms AS RecordedMs,
                   n.name AS ConfirmingMember,
                   g.label AS ConfirmingKey,
                   p.recorded_ms AS ConfirmedMs,
                   u.export_id AS ExportId
              FROM reprint_requests q
              LEFT JOIN distribution_points i ON i.id = q.point_id
              LEFT JOIN reprints p ON p.request_id = q.id
              LEFT JOIN reprint_uses u ON u.request_id = q.id
              LEFT JOIN members m ON m.id = q.actor_id
              LEFT JOIN api_keys k ON k.id = q.actor_id
              LEFT JOIN members n ON n.id = p.actor_id
              LEFT JOIN api_keys g ON g.id = p.actor_id
             WHERE q.order_id = @OrderId AND q.id > @After AND (@Id IS NULL OR q.id = @Id)
             ORDER BY q.id
            {limit}
            """;
    }
}
