using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Pdf;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>
/// The proof that a collectivité approves before production: one booklet as it will be printed, marked SPECIMEN. Its
/// codes are made with a key that everybody knows and are refused at every till, so it is no secret.
/// </summary>
internal static class PrintSpecimen
{
    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Stream("/{id}/specimen.pdf", Role.Operator | Role.Authority | Role.State | Role.Agent, WriteAsync);

    /// <summary>The layout that a query asks for: <c>10</c>, <c>8</c> or <c>large</c>.</summary>
    private static SheetLayout LayoutOf(Request request) => request.Text("layout") switch
    {
        null or "10" => SheetLayout.Ten,
        "8" => SheetLayout.Eight,
        "large" => SheetLayout.Large,
        _ => throw new InvalidRequestException("layout", "Choisissez l'une de : 10, 8, large."),
    };

    private static async Task WriteAsync(Request request)
    {
        var (db, http, ct) = (request.Session, request.Http, request.Aborted);
        var layout = LayoutOf(request);
        var row = await db.FindAsync<SpecimenRow>(Sql.Order, new { OrderId = request.Id(), db.Caller.Scope }, ct)
            ?? throw new RefusedException(Problems.NotFound);
        var settings = await ReadPrintSettings.FindAsync(db, row.AuthorityId, ct);
        var order = new CodeOrder(
            row.VouchersPerBooklet, row.FaceCents, row.CreditMinutes, row.ValidUntilDay, [], KeyRing.SpecimenVersion,
            await request.Service<DemoState>().PrintedAsync(db, row.AuthorityName), settings?.Text, settings?.Telephone, settings?.Logo ?? []);
        var lot = new CodeLot(row.FirstSerial, row.FirstSerial + row.VouchersPerBooklet - 1, "Spécimen");
        await VoucherSheets.WriteAsync(PdfAnswer.Begin(http.Response, "specimen.pdf", isShown: true), order, [lot], layout, isSpecimen: true,
            request.Service<KeyRing>(), new Courtesy(request.Service<Database>()), progress: null, ct);
    }

    private sealed record SpecimenRow(
        string AuthorityId, string AuthorityName, long FirstSerial, long VouchersPerBooklet, long FaceCents,
        long CreditMinutes, long ValidUntilDay);

    private static class Sql
    {
        public const string Order = """
            SELECT o.authority_id AS AuthorityId,
                   a.name AS AuthorityName,
                   o.first_serial AS FirstSerial,
                   o.vouchers_per_booklet AS VouchersPerBooklet,
                   o.face_cents AS FaceCents,
                   o.credit_minutes AS CreditMinutes,
                   COALESCE(x.valid_until_day, o.valid_until_day) AS ValidUntilDay
              FROM orders o
              JOIN organisations a ON a.id = o.authority_id
              LEFT JOIN order_extensions x ON x.order_id = o.id
             WHERE o.id = @OrderId AND (@Scope IS NULL OR o.authority_id = @Scope)
            """;
    }
}
