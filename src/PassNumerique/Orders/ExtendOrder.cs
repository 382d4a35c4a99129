using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// A later end of validity for one order: once, by the collectivité that ordered, at its charge and traced.
/// The order's own date stays as it was; whoever judges a day reads the extension beside it.
/// </summary>
internal static class ExtendOrder
{
    internal sealed record Command(DateOnly ValidUntil, string Reason) : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";
    }

    internal sealed record Answer(string OrderId, DateOnly ValidUntil, string Reason, string RecordedAt);

    internal static readonly Refusal AlreadyExtended = new("order-already-extended", 409,
        "Cette commande a déjà été prolongée une fois.", "Une seconde prolongation n'est pas possible.");

    internal static readonly Refusal NotLater = new("extension-not-later", 409,
        "Une prolongation ne peut que repousser la fin de validité.",
        "Donnez une date à venir, après la date de fin actuelle.");

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/extension", Role.Authority, (Command body, Request r) => body with { OrderId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.ValidUntil).Sensible();
            RuleFor(c => c.Reason).Name(400);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;
            var day = command.ValidUntil.ToDay();
            if (day <= order.ValidUntilDay || day <= db.Today)
                return NotLater.With("validUntil", order.ValidUntilDay.ToDate());

            var answer = new Answer(
                order.Id, command.ValidUntil, command.Reason.Trim(), Clock.InstantText(db.NowMs));
            var extended = await db.ExecuteAsync(Sql.Insert, new
            {
                answer.OrderId,
                ValidUntilDay = day,
                answer.Reason,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (extended == 1) return answer;
            var steps = await OrderSteps.ListAsync(db, order.Id, ct);
            return steps.Any(s => s.Step == OrderStep.Cancelled) ? OrderSteps.Cancelled : AlreadyExtended;
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO order_extensions (order_id, valid_until_day, reason, actor_id, recorded_ms, batch)
            SELECT @OrderId, @ValidUntilDay, @Reason, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM order_extensions WHERE order_id = @OrderId)
               AND NOT EXISTS (SELECT 1 FROM order_steps WHERE order_id = @OrderId AND step = 'cancelled')
            """;
    }
}
