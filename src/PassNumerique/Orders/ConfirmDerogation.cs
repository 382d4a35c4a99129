using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// Another person confirms a derogation: what money received does not cover of the order becomes a traced
/// exposure, and its activation goes through.
/// </summary>
internal static class ConfirmDerogation
{
    internal sealed record Command : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";
    }

    internal sealed record Answer(string OrderId, long ExposureCents, string RecordedAt);

    internal static readonly Refusal NotRequested = new("derogation-not-requested", 409,
        "Aucune dérogation n'est demandée pour cette commande.", "Une première personne doit la demander.");

    internal static readonly Refusal SecondPersonNeeded = new("second-person-needed", 409,
        "Une dérogation se confirme par une autre personne que celle qui l'a demandée.",
        "Faites-la confirmer par quelqu'un d'autre, chez l'opérateur ou à l'État.");

    internal static readonly Refusal AlreadyConfirmed = new("derogation-already-confirmed", 409,
        "Cette dérogation est déjà confirmée.", "La commande peut être activée une fois livrée.");

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/derogation/confirmation", Role.Operator | Role.State,
            (Command body, Request r) => body with { OrderId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;
            var args = new { OrderId = order.Id };
            if (await db.FindAsync<string>(Sql.RequestedBy, args, ct) is not { } requestedBy) return NotRequested;
            if (requestedBy == db.ActorId) return SecondPersonNeeded;

            var exposure = (await OrderFunds.HoldAsync(db, order, ct)).ExposureCents(order.TotalCents);
            var confirmed = await db.ExecuteAsync(Sql.Insert, new
            {
                OrderId = order.Id,
                ExposureCents = exposure,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (confirmed == 0) return await WhyNotAsync(args, exposure, ct);
            await db.ExecuteAsync(Sql.Expose, new { order.ConventionId, ExposureCents = exposure }, ct);
            return new Answer(order.Id, exposure, Clock.InstantText(db.NowMs));
        }

        private async Task<Refusal> WhyNotAsync(object args, long exposure, CancellationToken ct)
        {
            if (await db.FindAsync<string>(Sql.ConfirmedBy, args, ct) is not null) return AlreadyConfirmed;
            return exposure <= 0 ? RequestDerogation.NotNeeded : OrderSteps.AlreadyDone;
        }
    }

    private static class Sql
    {
        public const string RequestedBy = """
            SELECT actor_id
              FROM derogation_requests
             WHERE order_id = @OrderId
            """;

        public const string ConfirmedBy = """
            SELECT actor_id
              FROM derogations
             WHERE order_id = @OrderId
            """;

        public const string Insert = """
            INSERT INTO derogations (order_id, requested_by, exposure_cents, actor_id, recorded_ms, batch)
            SELECT r.order_id, r.actor_id, @ExposureCents, @ActorId, @NowMs, @Batch
              FROM derogation_requests r
             WHERE r.order_id = @OrderId
               AND r.actor_id <> @ActorId
               AND @ExposureCents > 0
               AND NOT EXISTS (SELECT 1 FROM derogations d WHERE d.order_id = @OrderId)
               AND NOT EXISTS (SELECT 1 FROM order_steps s WHERE s.order_id = @OrderId AND s.slot = 6)
            """;

        public const string Expose = """
            UPDATE convention_balances
               SET derogated_cents = derogated_cents + @ExposureCents
             WHERE convention_id = @ConventionId
            """;
    }
}
