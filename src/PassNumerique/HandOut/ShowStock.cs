using PassNumerique.Custody;
using PassNumerique.Platform;

namespace PassNumerique.HandOut;

/// <summary>
/// What lies in the drawers of a distribution point and since when: lot by lot, then what transfers brought; and what
/// is on its way to it or from it.
/// </summary>
internal static class ShowStock
{
    internal sealed record Answer(
        string DistributionPointId, string PointName, long Booklets, long Passes, long ValueCents, long ComingBooklets,
        long LeavingBooklets, IReadOnlyList<Lot> Lots);

    /// <summary>
    /// Booklets of a lot, or of one arrival: received, handed out (net of reversals), returned, sent to another point,
    /// and what is left. The age is that of the order's delivery, wherever the booklets went since.
    /// </summary>
    internal sealed record Lot(
        string OrderId, long FirstSerial, long LastSerial, long Received, long HandedOut, long Returned, long Sent,
        long Left, bool Active, DateOnly? DeliveredOn, DateOnly? TransferredOn, DateOnly ValidUntil, long? AgeDays);

    internal static void Map(IEndpointRouteBuilder points) => points
        .Get("/{id}/stock", Role.Agent | Role.Authority | Role.Operator, ReadAsync);

    internal static async Task<Result<Answer>> ReadAsync(Request request)
    {
        var (db, id, ct) = (request.Session, request.Id(), request.Aborted);
        var point = await CustodyPoint.FindAsync(db, id, ct);
        if (point is null || !request.Caller.Reaches(id, Role.Agent)) return Problems.NotFound;
        var lines = await Stock.ReadAsync(db, point.AuthorityId, id, db.Today, ct);
        var transit = await Stock.TransitAsync(db, point.AuthorityId, ct);
        return new Answer(
            id, point.Name, lines.Sum(l => l.Left), lines.Sum(l => l.Passes), lines.Sum(l => l.Cents),
            transit.Where(t => t.ToPointId == id).Sum(t => t.Booklets),
            transit.Where(t => t.FromPointId == id).Sum(t => t.Booklets), [.. lines.Select(l => Show(l, db.Today))]);
    }

    private static Lot Show(StockLine line, long today) => new(
        line.OrderId, line.FirstSerial, line.LastSerial, line.Received, line.HandedOut, line.Returned, line.Sent, line.Left,
        line.ActivatedDay > 0, line.IsDelivered ? line.DeliveredDay.ToDate() : null,
        line.ArrivedDay > 0 ? line.ArrivedDay.ToDate() : null, line.UntilDay.ToDate(), line.AgeDays(today));
}
