using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>An order given up before its production: its budget can be ordered again, its serials never.</summary>
internal static class CancelOrder
{
    internal sealed record Command(DateOnly? On = null, string? Comment = null) : ICommand<StepAnswer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";
    }

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/cancellation", Role.Operator | Role.Authority,
            (Command body, Request r) => body with { OrderId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.Comment).Note(400);
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<StepAnswer>>
    {
        public async Task<Result<StepAnswer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;
            var cancelled = await OrderSteps.TakeAsync(
                db, order, OrderStep.Produced, OrderStep.Cancelled, command.On, command.Comment, ct);
            if (!cancelled.IsRefused) await db.ExecuteAsync(Sql.GiveBack, order, ct);
            return cancelled;
        }
    }

    private static class Sql
    {
        public const string GiveBack = """
            UPDATE convention_balances
               SET ordered_cents = ordered_cents - @TotalCents
             WHERE convention_id = @ConventionId
            """;
    }
}
