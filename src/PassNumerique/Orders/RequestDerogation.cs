using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// One person asks that an order in production be activated before its money is there. Nothing changes until
/// another person confirms it.
/// </summary>
internal static class RequestDerogation
{
    internal sealed record Command(string Reason) : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";
    }

    internal sealed record Answer(string OrderId, string Reason, long ExposureCents, string RecordedAt);

    internal static readonly Refusal AlreadyRequested = new("derogation-already-requested", 409,
        "Une dérogation est déjà demandée pour cette commande.", "Une seconde personne peut la confirmer.");

    internal static readonly Refusal NotNeeded = new("derogation-not-needed", 409,
        "Les fonds reçus suffisent : aucune dérogation n'est nécessaire.", "Activez la commande.");

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/derogation", Role.Operator | Role.Authority,
            (Command body, Request r) => body with { OrderId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.Reason).Name(400);
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;

            // From its production on an order can't be cancelled, so an exposure never outlives its order.
            var steps = await OrderSteps.ListAsync(db, order.Id, ct);
            if (steps.All(s => s.Slot != OrderStep.Produced || s.Step == OrderStep.Cancelled)
                || steps.Any(s => s.Slot == OrderStep.Activated))
                return WhyNot(steps);
            var exposure = (await OrderFunds.HoldAsync(db, order, ct)).ExposureCents(order.TotalCents);
            if (exposure <= 0) return NotNeeded;

            var answer = new Answer(order.Id, command.Reason.Trim(), exposure, Clock.InstantText(db.NowMs));
            var requested = await db.ExecuteAsync(Sql.Insert, new
            {
                answer.OrderId,
                answer.Reason,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (requested == 1) return answer;
            steps = await OrderSteps.ListAsync(db, order.Id, ct);
            return steps.Any(s => s.Slot == OrderStep.Activated) ? WhyNot(steps) : AlreadyRequested;
        }

        private Refusal WhyNot(IReadOnlyList<TakenStep> steps) =>
            OrderSteps.WhyNot(steps, OrderStep.Activated, OrderStep.Produced, db.Today, db.Today);
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO derogation_requests (order_id, reason, actor_id, recorded_ms, batch)
            SELECT @OrderId, @Reason, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM derogation_requests WHERE order_id = @OrderId)
               AND EXISTS (SELECT 1 FROM order_steps WHERE order_id = @OrderId AND slot = 3 AND step = 'produced')
               AND NOT EXISTS (SELECT 1 FROM order_steps WHERE order_id = @OrderId AND slot = 6)
            """;
    }
}
