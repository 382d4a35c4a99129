using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>
/// Passes lost or stolen, by the range of serials printed beside the codes. The range is cut at the borders
/// of orders, so that a redemption looks at the blocks of its own order alone.
/// </summary>
internal static class BlockVouchers
{
    /// <summary>Orders a range may touch; a loss of more is told in parts.</summary>
    public const long MaxOrders = 200;

    internal sealed record Command(long FirstSerial, long LastSerial, string Reason) : ICommand<Answer>;

    /// <summary><paramref name="Id"/> is the block of the first order; most ranges touch one.</summary>
    internal sealed record Answer(
        string Id, long FirstSerial, long LastSerial, long VoucherCount, IReadOnlyList<Part> Blocks);

    internal sealed record Part(string Id, string OrderId, long FirstSerial, long LastSerial);

    internal static readonly Refusal SerialUnknown = new("serial-unknown", 404,
        "Un de ces numéros n'est celui d'aucun pass que vous pouvez voir.",
        "Vérifiez les deux numéros imprimés : le premier et le dernier de la série perdue.");

    internal static readonly Refusal TooManyOrders = new("too-many-orders", 409,
        "Cette série touche trop de commandes à la fois.", "Découpez-la en séries plus courtes.");

    internal static void Map(IEndpointRouteBuilder blocks) => blocks
        .Post("/", Role.Operator | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/blocks/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.FirstSerial).Between(1, VoucherCode.SerialMax);
            RuleFor(c => c.LastSerial).Between(1, VoucherCode.SerialMax);
            RuleFor(c => c.LastSerial).GreaterThanOrEqualTo(c => c.FirstSerial)
                .WithMessage("Le dernier numéro précède le premier : vérifiez « firstSerial » et « lastSerial ».");
            RuleFor(c => c.Reason).Name(400);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var orders = await db.ListAsync<OrderRange>(Sql.Orders, new
            {
                command.FirstSerial,
                command.LastSerial,
                db.Caller.Scope,
                Take = MaxOrders + 1,
            }, ct);
            if (orders.Count > MaxOrders) return TooManyOrders.With("maxOrders", MaxOrders);
            if (FirstHole(orders, command.FirstSerial, command.LastSerial) is { } hole)
                return SerialUnknown.With("serial", hole);

            var parts = new List<Part>(orders.Count);
            foreach (var order in orders)
            {
                var part = new Part(
                    Ids.New(), order.Id, Math.Max(order.FirstSerial, command.FirstSerial),
                    Math.Min(order.LastSerial, command.LastSerial));
                await db.ExecuteAsync(Sql.Insert, new
                {
                    part.Id,
                    OrderSerial = order.FirstSerial,
                    part.FirstSerial,
                    part.LastSerial,
                    Reason = command.Reason.Trim(),
                    db.ActorId,
                    db.NowMs,
                    db.Batch,
                }, ct);
                parts.Add(part);
            }

            return new Answer(
                parts[0].Id, command.FirstSerial, command.LastSerial,
                command.LastSerial - command.FirstSerial + 1, parts);
        }
    }

    /// <summary>The first serial of a range that none of the orders holds; orders ascending.</summary>
    internal static long? FirstHole(IReadOnlyList<OrderRange> orders, long first, long last)
    {
        var next = first;
        foreach (var order in orders)
        {
            if (order.FirstSerial > next) return next;
            next = order.LastSerial + 1;
        }

        return next > last ? null : next;
    }

    internal sealed record OrderRange(string Id, long FirstSerial, long LastSerial);

    private static class Sql
    {
        public const string Orders = """
            SELECT id AS Id,
                   first_serial AS FirstSerial,
                   last_serial AS LastSerial
              FROM orders
             WHERE first_serial >= (SELECT COALESCE(MAX(p.first_serial), 0)
                                      FROM orders p
                                     WHERE p.first_serial <= @FirstSerial)
               AND first_serial <= @LastSerial
               AND last_serial >= @FirstSerial
               AND (@Scope IS NULL OR authority_id = @Scope)
             ORDER BY first_serial
            {limit}
            """;

        public const string Insert = """
            INSERT INTO blocks (id, order_serial, first_serial, last_serial, reason, actor_id, recorded_ms, batch)
            VALUES (@Id, @OrderSerial, @FirstSerial, @LastSerial, @Reason, @ActorId, @NowMs, @Batch)
            """;
    }
}
