using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// An order on its way to the desks: approved by the operator or the State, its proof approved by the
/// collectivité that pays for it, then produced, shipped and delivered.
/// </summary>
internal static class AdvanceOrder
{
    internal sealed record Command(DateOnly? On = null, string? Comment = null) : ICommand<StepAnswer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";

        [JsonIgnore]
        public long Slot { get; init; }
    }

    internal static void Map(IEndpointRouteBuilder orders)
    {
        Step("/{id}/approval", Role.Operator | Role.State, OrderStep.Approved);
        Step("/{id}/proof-approval", Role.Authority, OrderStep.ProofApproved);
        Step("/{id}/production", Role.Operator, OrderStep.Produced);
        Step("/{id}/shipment", Role.Operator, OrderStep.Shipped);
        Step("/{id}/delivery", Role.Operator, OrderStep.Delivered);

        void Step(string path, Role allow, long slot) => orders.Post(
            path, allow, (Command body, Request r) => body with { OrderId = r.Id(), Slot = slot });
    }

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
            var (slot, step) = (command.Slot, OrderStep.Name(command.Slot));
            return await OrderSteps.TakeAsync(db, order, slot, step, command.On, command.Comment, ct);
        }
    }
}
