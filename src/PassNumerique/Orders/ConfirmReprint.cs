using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// Another person allows a reprint: whoever asked may take the codes once more, in one export within seven days.
/// </summary>
internal static class ConfirmReprint
{
    internal sealed record Command : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";

        [JsonIgnore]
        public string RequestId { get; init; } = "";
    }

    internal sealed record Answer(string Id, string OrderId, string RecordedAt, string ExpiresAt);

    internal const Role Confirmers = Role.Operator | Role.Authority | Role.State;

    internal static readonly Refusal SecondPersonNeeded = new("second-person-needed", 409,
        "Une réimpression se confirme par une autre personne que celle qui l'a demandée.",
        "Faites-la confirmer par quelqu'un d'autre, chez la collectivité, chez l'opérateur ou à l'État.");

    internal static readonly Refusal AlreadyConfirmed = new("reprint-already-confirmed", 409,
        "Cette réimpression est déjà confirmée.", "Elle sert à un téléchargement, par l'organisation qui l'a demandée.");

    internal static readonly Refusal Lapsed = new("reprint-lapsed", 409,
        "Cette demande de réimpression a plus de sept jours.", "Demandez-la de nouveau, en disant pourquoi.");

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/reprints/{reprintId}/confirmation", Confirmers,
            (Command body, Request r) => body with { OrderId = r.Id(), RequestId = r.Id("reprintId") });

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;
            var args = new
            {
                OrderId = order.Id,
                command.RequestId,
                Since = db.NowMs - RecordCodeExport.PermissionMs,
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
            if (await db.FindAsync<Asked>(Sql.Find, args, ct) is not { } asked) return Problems.NotFound;
            if (WhyNot(asked, db) is { } why) return why;
            var steps = await OrderSteps.ListAsync(db, order.Id, ct);
            if (!RecordCodeExport.CanLeave(steps)) return RecordCodeExport.WhyNot(steps);
            return await db.ExecuteAsync(Sql.Insert, args, ct) == 0
                ? AlreadyConfirmed
                : new Answer(
                    command.RequestId, order.Id, Clock.InstantText(db.NowMs),
                    Clock.InstantText(db.NowMs + RecordCodeExport.PermissionMs));
        }
    }

    /// <summary>What is against it, of who asked and who confirms now; nothing where he may.</summary>
    internal static Refusal? WhyNot(Asked asked, Session db)
    {
        if (asked.ConfirmedMs is not null) return AlreadyConfirmed;
        if (asked.ActorId == db.ActorId) return SecondPersonNeeded;
        return asked.RecordedMs <= db.NowMs - RecordCodeExport.PermissionMs ? Lapsed : null;
    }

    internal sealed record Asked(string ActorId, long RecordedMs, long? ConfirmedMs);

    private static class Sql
    {
        public const string Find = """
            SELECT q.actor_id AS ActorId,
                   q.recorded_ms AS RecordedMs,
                   p.recorded_ms AS ConfirmedMs
              FROM reprint_requests q
              LEFT JOIN reprints p ON p.request_id = q.id
             WHERE q.id = @RequestId AND q.order_id = @OrderId
            """;

        public const string Insert = """
            INSERT INTO reprints (request_id, requested_by, actor_id, recorded_ms, batch)
            SELECT q.id, q.actor_id, @ActorId, @NowMs, @Batch
              FROM reprint_requests q
             WHERE q.id = @RequestId
               AND q.order_id = @OrderId
               AND q.actor_id <> @ActorId
               AND q.recorded_ms > @Since
               AND NOT EXISTS (SELECT 1 FROM reprints p WHERE p.request_id = q.id)
            """;
    }
}
