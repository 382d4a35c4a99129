using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// One person asks that codes which are out already leave once more: all of an order or one point's, in any form
/// or one. Nothing leaves until another person confirms it.
/// </summary>
internal static class RequestReprint
{
    internal sealed record Command(string Reason, string? Kind = null, string? PointId = null) : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";
    }

    internal sealed record Answer(
        string Id, string OrderId, string? PointId, string? Kind, string Reason, string RecordedAt);

    internal static readonly Refusal NotNeeded = new("reprint-not-needed", 409,
        "Ces codes ne sont pas encore sortis : aucune autorisation n'est nécessaire.", "Téléchargez le fichier.");

    internal static readonly Refusal AlreadyRequested = new("reprint-already-requested", 409,
        "Une réimpression est déjà demandée ou autorisée pour ces codes.",
        "Une seconde personne peut la confirmer ; confirmée, elle sert à un téléchargement.");

    internal static readonly Refusal PointNotServed = new("point-unknown", 404,
        "Ce point de remise n'a pas de carnets de cette commande.",
        "Vérifiez « pointId » parmi les lots de la commande, ou demandez toute la commande.");

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/reprints", PrintFile.Allowed, (Command body, Request r) => body with { OrderId = r.Id() },
            location: a => $"{Api.Root}/orders/{a.OrderId}/reprints/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Reason).Name(400);
            RuleFor(c => c.Kind).OneOf(PrintKind.Names);
            RuleFor(c => c.PointId).Uuid().When(c => c.PointId is not null);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;
            var answer = new Answer(
                Ids.New(), order.Id, Ids.Normalise(command.PointId), command.Kind, command.Reason.Trim(),
                Clock.InstantText(db.NowMs));
            if (await db.FindAsync<long>(Sql.LotCount, answer, ct) == 0) return PointNotServed;
            var steps = await OrderSteps.ListAsync(db, order.Id, ct);
            if (!RecordCodeExport.CanLeave(steps)) return RecordCodeExport.WhyNot(steps);
            var isActive = steps.Any(s => s.Slot == OrderStep.Activated);
            if (!isActive && await db.FindAsync<long>(Sql.OutCount, answer, ct) == 0) return NotNeeded;

            var requested = await db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                answer.OrderId,
                answer.PointId,
                answer.Kind,
                answer.Reason,
                db.Caller.OrganisationId,
                Since = db.NowMs - RecordCodeExport.PermissionMs,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return requested == 1 ? answer : AlreadyRequested;
        }
    }

    private static class Sql
    {
        public const string LotCount = """
            SELECT CAST(COUNT(*) AS bigint) AS LotCount
              FROM lots
             WHERE order_id = @OrderId AND (@PointId IS NULL OR point_id = @PointId)
            """;

        /// <summary>Exports from before lots were noted count for all of their order.</summary>
        public const string OutCount = """
            SELECT CAST(COUNT(*) AS bigint) AS OutCount
              FROM code_exports e
             WHERE e.order_id = @OrderId
               AND (NOT EXISTS (SELECT 1 FROM code_releases n WHERE n.export_id = e.id)
                    OR EXISTS (SELECT 1
                                 FROM code_releases r
                                 JOIN lots l ON l.order_id = r.order_id AND l.position = r.position
                                WHERE r.export_id = e.id AND (@PointId IS NULL OR l.point_id = @PointId)))
            """;

        /// <summary>One at a time of the same codes: asked for and waiting, or allowed and not used.</summary>
        public const string Insert = """
            INSERT INTO reprint_requests (id, order_id, point_id, kind, reason, organisation_id, actor_id, recorded_ms,
                                          batch)
            SELECT @Id, @OrderId, @PointId, @Kind, @Reason, @OrganisationId, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1
                                 FROM reprint_requests q
                                 LEFT JOIN reprints p ON p.request_id = q.id
                                WHERE q.order_id = @OrderId
                                  AND q.organisation_id = @OrganisationId
                                  AND ((q.point_id IS NULL AND @PointId IS NULL) OR q.point_id = @PointId)
                                  AND ((q.kind IS NULL AND @Kind IS NULL) OR q.kind = @Kind)
                                  AND COALESCE(p.recorded_ms, q.recorded_ms) > @Since
                                  AND NOT EXISTS (SELECT 1 FROM reprint_uses u WHERE u.request_id = q.id))
            """;
    }
}
