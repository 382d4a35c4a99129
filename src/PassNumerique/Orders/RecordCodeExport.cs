using System.Globalization;
using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// The codes of an order for the printing house, as CSV of any size. Only between approval and activation,
/// only for the collectivité that ordered and the operator; who took them is on record before the first byte
/// leaves.
/// </summary>
internal static class RecordCodeExport
{
    internal sealed record Command : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";

        /// <summary>What left: <c>csv</c>, or pictures as <c>png</c> or <c>svg</c>.</summary>
        [JsonIgnore]
        public string Kind { get; init; } = "csv";
    }

    internal sealed record Answer(string Id, string OrderId, long VoucherCount);

    internal static readonly Refusal NotAvailable = new("codes-not-available", 409,
        "Les codes de cette commande ne sont pas disponibles.",
        "Ils sortent entre son approbation et son activation.");

    internal static void Map(IEndpointRouteBuilder orders)
    {
        orders.Stream("/{id}/vouchers.csv", Role.Operator | Role.Authority, WriteAsync);
        orders.Stream("/{id}/codes.zip", Role.Operator | Role.Authority, WriteImagesAsync);
    }

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;
            var answer = new Answer(Ids.New(), order.Id, order.VoucherCount);
            var recorded = await db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                answer.OrderId,
                answer.VoucherCount,
                command.Kind,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return recorded == 1 ? answer : WhyNot(await OrderSteps.ListAsync(db, order.Id, ct));
        }
    }

    internal static Refusal WhyNot(IReadOnlyList<TakenStep> steps)
    {
        if (steps.Any(s => s.Step == OrderStep.Cancelled)) return NotAvailable.Because("La commande est annulée.");
        return steps.Any(s => s.Slot == OrderStep.Activated)
            ? NotAvailable.Because("La commande est activée : ses codes valent de l'argent et ne sortent plus.")
            : NotAvailable.Because("La commande n'est pas encore approuvée : demandez d'abord son approbation.");
    }

    private static async Task WriteAsync(Request request)
    {
        if (await TakeAsync(request, "csv") is not (var order, var lots)) return;
        Announce(request, lots, Csv.ContentType, "csv");
        await CodeSheet.WriteAsync(request.Http.Response.BodyWriter, order, lots, request.Service<KeyRing>(),
            new Courtesy(request.Service<Database>()), request.Aborted);
    }

    private static async Task WriteImagesAsync(Request request)
    {
        var format = FormatOf(request);
        var kind = format == CodeImageFormat.Png ? "png" : "svg";
        if (await TakeAsync(request, kind) is not (var order, var lots)) return;
        Announce(request, lots, CodeImages.ContentType, "zip");
        await CodeImages.WriteAsync(request.Http.Response.BodyWriter, order, lots, format, request.Service<KeyRing>(),
            new Courtesy(request.Service<Database>()), progress: null, request.Aborted);
    }

    /// <summary>Writes down who takes the codes; null where he may not, and was told so.</summary>
    private static async Task<(CodeOrder Order, IReadOnlyList<CodeLot> Lots)?> TakeAsync(Request request, string kind)
    {
        var (db, ct, orderId) = (request.Session, request.Aborted, request.Id());
        var recorded = await request.Service<IMediator>().Send(new Command { OrderId = orderId, Kind = kind }, ct);
        if (recorded.Refused is { } refusal)
        {
            await Problems.WriteAsync(request.Http, refusal);
            return null;
        }

        var order = (await db.FindAsync<CodeOrder>(Sql.Order, new { OrderId = orderId }, ct))!;
        return (order, await db.ListAsync<CodeLot>(Sql.Lots, new { OrderId = orderId }, ct));
    }

    private static void Announce(Request request, IReadOnlyList<CodeLot> lots, string contentType, string extension)
    {
        var first = lots[0].FirstSerial.ToString(CultureInfo.InvariantCulture);
        var response = request.Http.Response;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition = $"attachment; filename=\"pass-{first}.{extension}\"";
    }

    private static CodeImageFormat FormatOf(Request request) => request.Text("format") switch
    {
        null or "png" => CodeImageFormat.Png,
        "svg" => CodeImageFormat.Svg,
        _ => throw new InvalidRequestException("format", "Choisissez png ou svg."),
    };

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO code_exports (id, order_id, kind, voucher_count, actor_id, recorded_ms, batch)
            SELECT @Id, @OrderId, @Kind, @VoucherCount, @ActorId, @NowMs, @Batch
             WHERE EXISTS (SELECT 1 FROM order_steps a WHERE a.order_id = @OrderId AND a.slot = 1)
               AND NOT EXISTS (SELECT 1
                                 FROM order_steps s
                                WHERE s.order_id = @OrderId AND (s.slot = 6 OR s.step = 'cancelled'))
            """;

        public const string Order = """
            SELECT o.vouchers_per_booklet AS VouchersPerBooklet,
                   o.face_cents AS FaceCents,
                   o.credit_minutes AS CreditMinutes,
                   COALESCE(x.valid_until_day, o.valid_until_day) AS ValidUntilDay,
                   o.salt AS Salt,
                   o.key_version AS KeyVersion,
                   a.name AS AuthorityName
              FROM orders o
              JOIN organisations a ON a.id = o.authority_id
              LEFT JOIN order_extensions x ON x.order_id = o.id
             WHERE o.id = @OrderId
            """;

        public const string Lots = """
            SELECT l.first_serial AS FirstSerial,
                   l.last_serial AS LastSerial,
                   p.name AS PointName
              FROM lots l
              JOIN distribution_points p ON p.id = l.point_id
             WHERE l.order_id = @OrderId
             ORDER BY l.position
            """;
    }
}
