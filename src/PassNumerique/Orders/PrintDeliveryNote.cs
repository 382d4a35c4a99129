using System.Globalization;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Pdf;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>
/// The delivery note (bon de livraison) of each distribution point of an order, or of one: its booklets to be
/// counted, its parcel as far as it is recorded, and a place to sign. An agent gets that of their own point.
/// </summary>
internal static class PrintDeliveryNote
{
    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Stream("/{id}/delivery-note.pdf", ReadConventions.Readers | Role.Agent, WriteAsync);

    private static async Task WriteAsync(Request request)
    {
        var (db, ct, point) = (request.Session, request.Aborted, request.FilterId("point"));
        var args = new { OrderId = request.Id(), db.Caller.Scope };
        var order = await db.FindAsync<DeliveryOrder>(Sql.Order, args, ct)
            ?? throw new RefusedException(Problems.NotFound);
        order = order with { AuthorityName = await request.Service<DemoState>().PrintedAsync(db, order.AuthorityName) };
        if (order.Cancelled > 0) throw new RefusedException(OrderSteps.Cancelled);
        var points = (await OrderPoints.ListAsync(db, args.OrderId, ct))
            .Where(p => (point is null || p.PointId == point) && db.Caller.Reaches(p.PointId, Role.Agent)).ToList();
        if (points.Count == 0) throw new RefusedException(Dispatches.PointNotInOrder);
        var dispatches = (await Dispatches.ListAsync(db, args.OrderId, ct)).ToDictionary(d => d.PointId);
        var output = PdfAnswer.Begin(request.Http.Response, string.Create(CultureInfo.InvariantCulture, $"bon-de-livraison-{points[0].FirstSerial}.pdf"));
        await DeliveryNote.WriteAsync(output, order, points, dispatches, ct);
    }

    private static class Sql
    {
        public const string Order = """
            SELECT o.first_serial AS FirstSerial,
                   o.ordered_day AS OrderedDay,
                   o.vouchers_per_booklet AS VouchersPerBooklet,
                   COALESCE(x.valid_until_day, o.valid_until_day) AS ValidUntilDay,
                   c.reference AS ConventionReference,
                   a.name AS AuthorityName,
                   (SELECT CAST(COUNT(*) AS bigint)
                      FROM order_steps s
                     WHERE s.order_id = o.id AND s.step = 'cancelled') AS Cancelled
              FROM orders o
              JOIN conventions c ON c.id = o.convention_id
              JOIN organisations a ON a.id = o.authority_id
              LEFT JOIN order_extensions x ON x.order_id = o.id
             WHERE o.id = @OrderId AND (@Scope IS NULL OR o.authority_id = @Scope OR c.hub_id = @Scope)
            """;
    }
}

/// <summary>What every delivery note of an order begins with.</summary>
internal sealed record DeliveryOrder(
    long FirstSerial, long OrderedDay, long VouchersPerBooklet, long ValidUntilDay, string ConventionReference,
    string AuthorityName, long Cancelled);
