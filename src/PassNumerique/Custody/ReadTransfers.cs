using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>Transfers of a collectivité's points, those still on their way among them; one with its booklets.</summary>
internal static class ReadTransfers
{
    internal const Role Readers = Role.Overseers | Role.Authority | Role.Agent;

    internal record Item(
        string Id, string FromPointId, string FromName, string ToPointId, string ToName, long BookletCount,
        long ReceivedBooklets, long MissingBooklets, string State, DateOnly SentOn, string? Comment, string RecordedAt);

    internal sealed record Detail : Item
    {
        public Detail(Item item) : base(item) { }

        public required IReadOnlyList<BookletLine> Booklets { get; init; }

        public required IReadOnlyList<Receipt> Receipts { get; init; }

        public required string? CancelReason { get; init; }

        public required string? CancelledAt { get; init; }
    }

    internal sealed record BookletLine(long BookletNumber, long Passes, string State, DateOnly? EndedOn);

    internal sealed record Receipt(
        long ReceivedBooklets, long MissingBooklets, string? Explanation, DateOnly ReceivedOn, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder transfers)
    {
        transfers.Get("/", Readers, ListAsync);
        transfers.Get("/{id}", Readers, FindAsync);
    }

    /// <summary><c>?pointId=</c> those of one point, <c>?open=true</c> those not yet received in full.</summary>
    internal static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var args = new { request.Caller.Scope, PointId = request.FilterId("pointId"), request.After };
        var open = request.Text("open") == "true";
        var rows = request.Session.StreamAsync<Transfer>(Sql.List, args, request.Aborted);
        var page = await Page<Transfer>.OfAsync(rows,
            t => t.IsSeenBy(request.Caller) && (!open || t.MissingBooklets > 0), request.Limit, t => t.Id);
        return page.To(Show);
    }

    /// <summary>Transfers of which something has not arrived, the latest first; the first hundred of them.</summary>
    internal static async Task<IReadOnlyList<Item>> OnTheWayAsync(Request request)
    {
        var args = new { request.Caller.Scope, Take = 100L };
        return [.. (await request.Session.ListAsync<Transfer>(Sql.OnTheWay, args, request.Aborted)).Select(Show)];
    }

    internal static async Task<Result<Detail>> FindAsync(Request request)
    {
        var (db, ct) = (request.Session, request.Aborted);
        if (await Transfer.FindAsync(db, request.Id(), ct) is not { } transfer) return Problems.NotFound;
        var lines = await Transfer.LinesAsync(db, transfer.Id, ct);
        var receipts = await db.ListAsync<ReceiptRow>(Sql.Receipts, new { TransferId = transfer.Id }, ct);
        return new Detail(Show(transfer))
        {
            Booklets = [.. lines.Select(l => new BookletLine(
                l.Booklet, l.VouchersPerBooklet, l.Kind switch { 6 => "received", 7 => "kept", _ => "in-transit" },
                l.EndedDay?.ToDate()))],
            Receipts = [.. receipts.Select(r => new Receipt(
                r.Received, r.Missing, r.Explanation, r.ReceivedDay.ToDate(), Clock.InstantText(r.RecordedMs)))],
            CancelReason = transfer.CancelReason,
            CancelledAt = transfer.CancelledMs is { } ms ? Clock.InstantText(ms) : null,
        };
    }

    private static Item Show(Transfer t) => new(
        t.Id, t.FromPointId, t.FromName, t.ToPointId, t.ToName, t.BookletCount, t.ReceivedBooklets, t.MissingBooklets,
        t.State, t.SentDay.ToDate(), t.Comment, Clock.InstantText(t.SentMs));

    private sealed record ReceiptRow(long Received, long Missing, string? Explanation, long ReceivedDay, long RecordedMs);

    private static class Sql
    {
        public const string List = Transfer.Sql.Columns + """

             WHERE (@Scope IS NULL OR t.authority_id = @Scope)
               AND (@PointId IS NULL OR t.from_point_id = @PointId OR t.to_point_id = @PointId)
               AND (@After IS NULL OR t.id > @After)
             ORDER BY t.id
            """;

        public const string OnTheWay = Transfer.Sql.Columns + """

             WHERE (@Scope IS NULL OR t.authority_id = @Scope)
               AND c.transfer_id IS NULL
               AND t.booklet_count > (SELECT COALESCE(SUM(q.received_count), 0) FROM transfer_receipts q
                                       WHERE q.transfer_id = t.id)
             ORDER BY t.id DESC
            {limit}
            """;

        public const string Receipts = """
            SELECT received_count AS Received,
                   missing_count AS Missing,
                   explanation AS Explanation,
                   received_day AS ReceivedDay,
                   recorded_ms AS RecordedMs
              FROM transfer_receipts
             WHERE transfer_id = @TransferId
             ORDER BY position
            """;
    }
}
