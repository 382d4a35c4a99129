using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// A distribution point counted the booklets that came: as many as were sent, or the difference is explained
/// and stays on record.
/// </summary>
internal static class ReceiveDispatch
{
    internal sealed record Command(long Booklets, DateOnly? On = null, string? Explanation = null) : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";

        [JsonIgnore]
        public string PointId { get; init; } = "";
    }

    internal sealed record Answer(
        string OrderId, string DistributionPointId, DateOnly On, long ExpectedBooklets, long Booklets,
        string? Explanation, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/{id}/dispatches/{pointId}/receipt", Role.Agent | Role.Authority,
            (Command body, Request r) => body with { OrderId = r.Id(), PointId = r.Id("pointId") });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Booklets).Between(0, PlaceOrder.MaxVouchers);
            RuleFor(c => c.Explanation).Note(400);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null || !db.Caller.Reaches(command.PointId, Role.Agent)) return Problems.NotFound;
            var args = new
            {
                OrderId = order.Id,
                command.PointId,
                OnDay = command.On?.ToDay() ?? db.Today,
                db.Today,
                command.Booklets,
                Explanation = string.IsNullOrWhiteSpace(command.Explanation) ? null : command.Explanation.Trim(),
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
            if (await db.FindAsync<Sent>(Sql.Sent, args, ct) is not { } sent) return Dispatches.NotSent;
            if (await db.ExecuteAsync(Sql.Insert, args, ct) == 0)
                return WhyNot(sent, args.OnDay, db.Today, command.Booklets, args.Explanation);
            return new Answer(
                order.Id, args.PointId, args.OnDay.ToDate(), sent.Booklets, args.Booklets, args.Explanation,
                Clock.InstantText(db.NowMs));
        }
    }

    internal static Refusal WhyNot(Sent sent, long onDay, long today, long booklets, string? explanation)
    {
        if (sent.Received > 0) return Dispatches.AlreadyReceived;
        if (onDay < sent.OnDay || onDay > today)
            return OrderSteps.DateOutOfRange.With("earliest", sent.OnDay.ToDate()).With("latest", today.ToDate());
        return booklets != sent.Booklets && explanation is null
            ? Dispatches.CountDiffers.With("expectedBooklets", sent.Booklets).With("booklets", booklets)
            : Dispatches.AlreadyReceived;
    }

    /// <summary>A parcel as it was sent, and whether it was received before.</summary>
    internal sealed record Sent(long OnDay, long Booklets, long Received);

    private static class Sql
    {
        public const string Sent = """
            SELECT d.on_day AS OnDay,
                   d.booklets AS Booklets,
                   (SELECT CAST(COUNT(*) AS bigint)
                      FROM dispatch_receipts r
                     WHERE r.order_id = d.order_id AND r.point_id = d.point_id) AS Received
              FROM dispatches d
             WHERE d.order_id = @OrderId AND d.point_id = @PointId
            """;

        public const string Insert = """
            INSERT INTO dispatch_receipts (order_id, point_id, on_day, expected, booklets, explanation,
                                           actor_id, recorded_ms, batch)
            SELECT d.order_id, d.point_id, @OnDay, d.booklets, @Booklets, @Explanation, @ActorId, @NowMs, @Batch
              FROM dispatches d
             WHERE d.order_id = @OrderId
               AND d.point_id = @PointId
               AND d.on_day <= @OnDay
               AND @OnDay <= @Today
               AND (d.booklets = @Booklets OR @Explanation IS NOT NULL)
               AND NOT EXISTS (SELECT 1
                                 FROM dispatch_receipts r
                                WHERE r.order_id = @OrderId AND r.point_id = @PointId)
            """;
    }
}
