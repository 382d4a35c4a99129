using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// The operator sent a distribution point its part of an order: once, after production, with all booklets of
/// the point's lot.
/// </summary>
internal static class RecordDispatch
{
    internal sealed record Command(
        string DistributionPointId, DateOnly? On = null, string? Carrier = null, string? TrackingReference = null)
        : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";
    }

    internal sealed record Answer(
        string OrderId, string DistributionPointId, DateOnly On, long Booklets, long FirstSerial, long LastSerial,
        string RecordedAt);

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/dispatches", Role.Operator, (Command body, Request r) => body with { OrderId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.DistributionPointId).Uuid();
            RuleFor(c => c.Carrier).Note(80);
            RuleFor(c => c.TrackingReference).Note(80);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;
            var args = new
            {
                OrderId = order.Id,
                PointId = Ids.Normalise(command.DistributionPointId),
                OnDay = command.On?.ToDay() ?? db.Today,
                db.Today,
                Carrier = Tidy(command.Carrier),
                TrackingReference = Tidy(command.TrackingReference),
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
            if (await db.FindAsync<Lot>(Sql.Lot, args, ct) is not { } lot) return Dispatches.PointNotInOrder;
            if (await db.ExecuteAsync(Sql.Insert, args, ct) == 0)
                return WhyNot(await OrderSteps.ListAsync(db, order.Id, ct), args.OnDay, db.Today);
            return new Answer(
                order.Id, args.PointId!, args.OnDay.ToDate(), lot.Booklets, lot.FirstSerial, lot.LastSerial,
                Clock.InstantText(db.NowMs));
        }

        private static string? Tidy(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
    }

    /// <summary>The reason a parcel could not be recorded: nothing is sent before it is produced.</summary>
    internal static Refusal WhyNot(IReadOnlyList<TakenStep> steps, long onDay, long today)
    {
        if (steps.Any(s => s.Step == OrderStep.Cancelled)) return OrderSteps.Cancelled;
        if (steps.FirstOrDefault(s => s.Slot == OrderStep.Produced) is not { } produced)
            return OrderSteps.OutOfOrder.With("missingStep", OrderStep.Name(OrderStep.Produced));
        return onDay < produced.OnDay || onDay > today
            ? OrderSteps.DateOutOfRange.With("earliest", produced.OnDay.ToDate()).With("latest", today.ToDate())
            : Dispatches.AlreadySent;
    }

    private sealed record Lot(long Booklets, long FirstSerial, long LastSerial);

    private static class Sql
    {
        public const string Lot = """
            SELECT booklet_count AS Booklets,
                   first_serial AS FirstSerial,
                   last_serial AS LastSerial
              FROM lots
             WHERE order_id = @OrderId AND point_id = @PointId
            """;

        public const string Insert = """
            INSERT INTO dispatches (order_id, point_id, on_day, booklets, carrier, tracking_reference,
                                    actor_id, recorded_ms, batch)
            SELECT l.order_id, l.point_id, @OnDay, l.booklet_count, @Carrier, @TrackingReference,
                   @ActorId, @NowMs, @Batch
              FROM lots l
             WHERE l.order_id = @OrderId
               AND l.point_id = @PointId
               AND @OnDay <= @Today
               AND EXISTS (SELECT 1
                             FROM order_steps s
                            WHERE s.order_id = @OrderId AND s.step = 'produced' AND s.on_day <= @OnDay)
               AND NOT EXISTS (SELECT 1
                                 FROM dispatches d
                                WHERE d.order_id = @OrderId AND d.point_id = @PointId)
            """;
    }
}
