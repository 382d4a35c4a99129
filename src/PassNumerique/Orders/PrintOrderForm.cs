using System.Globalization;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Pdf;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>
/// The order form (bon de commande) as PDF: what is ordered under which convention, what it costs with fees and
/// VAT, who pays which part, where the booklets go, and who did what when.
/// </summary>
internal static class PrintOrderForm
{
    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Stream("/{id}/order-form.pdf", ReadConventions.Readers, WriteAsync);

    private static async Task WriteAsync(Request request)
    {
        var (db, ct) = (request.Session, request.Aborted);
        var order = (await ReadOrders.FindAsync(request)).OrThrow();
        var convention = (await request.Service<ConventionCards>()
            .FindAsync(db, order.ConventionId, order.TermsVersion))!;
        var head = (await db.FindAsync<OrderHeading>(Sql.Heading, new { OrderId = order.Id }, ct))!;
        head = head with { AuthorityName = await request.Service<DemoState>().PrintedAsync(db, head.AuthorityName) };
        var points = await OrderPoints.ListAsync(db, order.Id, ct);
        var version = convention.Versions.Single(v => v.Version == order.TermsVersion);
        var output = PdfAnswer.Begin(request.Http.Response, string.Create(CultureInfo.InvariantCulture, $"bon-de-commande-{order.FirstSerial}.pdf"));
        await OrderForm.WriteAsync(output, new(order, head, convention.Reference, version, points), ct);
    }

    private static class Sql
    {
        public const string Heading = """
            SELECT a.name AS AuthorityName,
                   a.siret AS AuthoritySiret,
                   m.name AS OrderedBy,
                   k.label AS OrderedByKey
              FROM orders o
              JOIN organisations a ON a.id = o.authority_id
              LEFT JOIN members m ON m.id = o.actor_id
              LEFT JOIN api_keys k ON k.id = o.actor_id
             WHERE o.id = @OrderId
            """;
    }
}

/// <summary>Who ordered.</summary>
internal sealed record OrderHeading(string AuthorityName, string? AuthoritySiret, string? OrderedBy, string? OrderedByKey);

/// <summary>A distribution point as an address, with its lot.</summary>
internal sealed record OrderPoint(
    string PointId, string Name, string Address, string Commune, long FirstSerial, long LastSerial, long Booklets,
    long? PicBooklets);

internal static class OrderPoints
{
    public static Task<IReadOnlyList<OrderPoint>> ListAsync(Session db, string orderId, CancellationToken ct) =>
        db.ListAsync<OrderPoint>(Sql.List, new { OrderId = orderId }, ct);

    private static class Sql
    {
        public const string List = """
            SELECT l.point_id AS PointId,
                   p.name AS Name,
                   p.address AS Address,
                   p.commune AS Commune,
                   l.first_serial AS FirstSerial,
                   l.last_serial AS LastSerial,
                   l.booklet_count AS Booklets,
                   l.pic_booklets AS PicBooklets
              FROM lots l
              JOIN distribution_points p ON p.id = l.point_id
             WHERE l.order_id = @OrderId
             ORDER BY l.position
            """;
    }
}
