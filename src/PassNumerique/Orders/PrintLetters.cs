using System.Globalization;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Pdf;
using PassNumerique.Platform.Web;
using PassNumerique.Sites;

namespace PassNumerique.Orders;

/// <summary>
/// The covering letters of an order, one a booklet, in the language asked for; or that of one booklet, which the
/// agent of its distribution point may fetch too. A letter holds no code, so it is no secret.
/// </summary>
internal static class PrintLetters
{
    internal static readonly Refusal BookletUnknown = new("booklet-unknown", 404,
        "Ce carnet n'est pas de cette commande.",
        "Vérifiez « booklet » : c'est le numéro du premier pass du carnet, écrit sur le talon.");

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Stream("/{id}/letters.pdf", Role.Operator | Role.Authority | Role.Agent, WriteAsync);

    private static async Task WriteAsync(Request request)
    {
        var (db, ct) = (request.Session, request.Aborted);
        var text = LanguageOf(request);
        var args = new { OrderId = request.Id(), db.Caller.Scope };
        var order = await db.FindAsync<LetterOrder>(Sql.Order, args, ct)
            ?? throw new RefusedException(Problems.NotFound);
        order = order with { AuthorityName = await request.Service<DemoState>().PrintedAsync(db, order.AuthorityName) };
        if (order.Cancelled > 0) throw new RefusedException(OrderSteps.Cancelled);
        var lots = await db.ListAsync<LetterLot>(Sql.Lots, args, ct);
        if (BookletOf(request) is { } booklet) lots = [LotOf(lots, order, booklet, db.Caller)];
        else if (db.Caller.Is(Role.Agent))
            throw new InvalidRequestException("booklet", "Donnez le numéro du carnet dont vous voulez la lettre.");
        var font = text.IsRightToLeft ? ArabicFontOf(request) : null;

        var convention = (await request.Service<ConventionCards>().FindLatestAsync(db, order.ConventionId))!;
        var terms = convention.InForce(db.Today).Terms;
        var sites = await SitesNear.ReadAsync(db, terms, ct);
        var settings = await ReadPrintSettings.FindAsync(db, order.AuthorityId, ct);
        var output = PdfAnswer.Begin(request.Http.Response, string.Create(CultureInfo.InvariantCulture, $"lettres-{lots[0].FirstSerial}-{text.Code}.pdf"));
        await Letters.WriteAsync(
            output, order, lots, new(text, font, terms, sites, settings?.Telephone),
            new Courtesy(request.Service<Database>()), progress: null, ct);
    }

    private static LetterText LanguageOf(Request request) => request.Text("langue") is not { } code
        ? LetterText.Find("fr")!
        : LetterText.Find(code) ?? throw new InvalidRequestException(
            "langue", $"Choisissez l'une de : {string.Join(", ", LetterText.Codes)}.");

    private static long? BookletOf(Request request) => request.Text("booklet") is not { } text
        ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidRequestException("booklet", "Un numéro de carnet est attendu : un nombre entier.");

    private static TrueTypeFont ArabicFontOf(Request request) =>
        request.Service<ArabicFont>().Find() ?? throw new RefusedException(ArabicFont.Missing);

    /// <summary>The lot cut down to one booklet.</summary>
    private static LetterLot LotOf(IReadOnlyList<LetterLot> lots, LetterOrder order, long booklet, Caller caller)
    {
        var lot = lots.FirstOrDefault(l => l.FirstSerial <= booklet && l.LastSerial >= booklet
            && (booklet - l.FirstSerial) % order.VouchersPerBooklet == 0);
        return lot is not null && caller.Reaches(lot.PointId, Role.Agent)
            ? lot with { FirstSerial = booklet, LastSerial = booklet + order.VouchersPerBooklet - 1 }
            : throw new RefusedException(BookletUnknown);
    }

    private static class Sql
    {
        public const string Order = """
            SELECT o.id AS Id,
                   o.convention_id AS ConventionId,
                   o.authority_id AS AuthorityId,
                   o.vouchers_per_booklet AS VouchersPerBooklet,
                   o.credit_minutes AS CreditMinutes,
                   COALESCE(x.valid_until_day, o.valid_until_day) AS ValidUntilDay,
                   a.name AS AuthorityName,
                   (SELECT CAST(COUNT(*) AS bigint)
                      FROM order_steps s
                     WHERE s.order_id = o.id AND s.step = 'cancelled') AS Cancelled
              FROM orders o
              JOIN organisations a ON a.id = o.authority_id
              LEFT JOIN order_extensions x ON x.order_id = o.id
             WHERE o.id = @OrderId AND (@Scope IS NULL OR o.authority_id = @Scope)
            """;

        public const string Lots = """
            SELECT l.first_serial AS FirstSerial,
                   l.last_serial AS LastSerial,
                   l.point_id AS PointId,
                   p.name AS PointName,
                   p.address AS PointAddress,
                   p.commune AS PointCommune
              FROM lots l
              JOIN distribution_points p ON p.id = l.point_id
             WHERE l.order_id = @OrderId
             ORDER BY l.position
            """;
    }
}
