using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// The passes of a delivered order become spendable: only against money received, or with a derogation that
/// a second person confirmed. No pass without the money in the account.
/// </summary>
internal static class ActivateOrder
{
    internal sealed record Command(DateOnly? On = null, string? Comment = null) : ICommand<StepAnswer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";
    }

    internal static readonly Refusal FundsMissing = new("funds-missing", 409,
        "Les fonds reçus ne couvrent pas cette commande.",
        "Enregistrez le versement attendu, ou demandez une dérogation qu'une seconde personne confirmera.");

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/activation", Role.Operator, (Command body, Request r) => body with { OrderId = r.Id() });

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
            var activated = await OrderSteps.TakeAsync(
                db, order, OrderStep.Activated, OrderStep.Name(OrderStep.Activated), command.On, command.Comment,
                ct);
            if (activated.IsRefused) return activated;

            var funds = await OrderFunds.HoldAsync(db, order, ct);
            var committed = await db.ExecuteAsync(Sql.Commit, new
            {
                OrderId = order.Id,
                order.ConventionId,
                order.TotalCents,
                funds.ReservedCents,
            }, ct);
            if (committed == 1) return activated;
            return FundsMissing
                .With("missingCents", funds.MissingCents(order.TotalCents))
                .With("receivedCents", funds.ReceivedCents)
                .With("committedCents", funds.CommittedCents);
        }
    }

    private static class Sql
    {
        public const string Commit = """
            UPDATE convention_balances
               SET committed_cents = committed_cents + @TotalCents
             WHERE convention_id = @ConventionId
               AND (committed_cents + @ReservedCents + @TotalCents <= received_cents
                    OR (committed_cents + @ReservedCents + @TotalCents <= received_cents + derogated_cents
                        AND EXISTS (SELECT 1 FROM derogations d WHERE d.order_id = @OrderId)))
            """;
    }
}
