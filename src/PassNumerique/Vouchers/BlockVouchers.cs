using FluentValidation;
using MediatR;
using PassNumerique.Custody;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>
/// Passes lost or stolen, by the range of serials printed beside the codes; or all that lies in the drawer of a point, or
/// is still on its way in a transfer, in one action. Ranges are cut at the borders of orders, so that a redemption looks
/// at the blocks of its own order alone.
/// </summary>
internal static class BlockVouchers
{
    /// <summary>Orders a range may touch; a loss of more is told in parts.</summary>
    public const long MaxOrders = 200;

    /// <summary>Blocks that one action may make: a drawer of scattered booklets has one for each run of numbers.</summary>
    public const long MaxBlocks = 1_000;

    internal sealed record Command(
        string Reason, long? FirstSerial = null, long? LastSerial = null, string? PointId = null,
        string? TransferId = null) : ICommand<Answer>
    {
        internal bool IsRange => FirstSerial is not null || LastSerial is not null;
    }

    /// <summary>
    /// <paramref name="Id"/> is the first block; most ranges make one. Where a point or a transfer was named, other
    /// passes may lie between the first serial and the last.
    /// </summary>
    internal sealed record Answer(
        string Id, long FirstSerial, long LastSerial, long VoucherCount, IReadOnlyList<Part> Blocks);

    internal sealed record Part(string Id, string OrderId, long FirstSerial, long LastSerial);

    internal static readonly Refusal SerialUnknown = new("serial-unknown", 404,
        "Un de ces numéros n'est celui d'aucun pass que vous pouvez voir.",
        "Vérifiez les deux numéros imprimés : le premier et le dernier de la série perdue.");

    internal static readonly Refusal TooManyOrders = new("too-many-orders", 409,
        "Cette série touche trop de commandes à la fois.", "Découpez-la en séries plus courtes.");

    internal static readonly Refusal TooManyBlocks = new("too-many-blocks", 409,
        "Les carnets de ce point sont trop dispersés pour un seul blocage.", "Bloquez-les par séries de numéros.");

    internal static readonly Refusal PointUnknown = new("point-unknown", 404, "Ce point de remise n'est pas le vôtre.",
        "Vérifiez « pointId ».");

    internal static readonly Refusal TransferUnknown = new("transfer-unknown", 404, "Ce transfert n'est pas le vôtre.",
        "Vérifiez « transferId ».");

    internal static readonly Refusal NothingThere = new("nothing-to-block", 409, "Il n'y a aucun carnet à bloquer.",
        "Le stock de ce point est vide, ou tous les carnets de ce transfert sont arrivés : bloquez par numéros.");

    internal static void Map(IEndpointRouteBuilder blocks) => blocks
        .Post("/", Role.Operator | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/blocks/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        private static readonly string SerialMessage =
            $"Un nombre de 1 à {French.Count(VoucherCode.SerialMax)} est attendu.";

        public Validator()
        {
            RuleFor(c => c.FirstSerial).Must((c, _) =>
                    (c.IsRange ? 1 : 0) + (c.PointId is null ? 0 : 1) + (c.TransferId is null ? 0 : 1) == 1)
                .WithMessage("Donnez soit « firstSerial » et « lastSerial », soit « pointId », soit « transferId ».");
            RuleFor(c => c.FirstSerial).Must(n => n is >= 1 and <= VoucherCode.SerialMax).When(c => c.IsRange)
                .WithMessage(SerialMessage);
            RuleFor(c => c.LastSerial).Must(n => n is >= 1 and <= VoucherCode.SerialMax).When(c => c.IsRange)
                .WithMessage(SerialMessage);
            RuleFor(c => c.LastSerial).Must((c, last) => last is null || c.FirstSerial is null || last >= c.FirstSerial)
                .WithMessage("Le dernier numéro précède le premier : vérifiez « firstSerial » et « lastSerial ».");
            RuleFor(c => c.PointId).Uuid().When(c => c.PointId is not null);
            RuleFor(c => c.TransferId).Uuid().When(c => c.TransferId is not null);
            RuleFor(c => c.Reason).Name(400);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var asked = await RangesAsync(command, ct);
            if (asked.Refused is { } none) return none;
            var parts = new List<Part>();
            foreach (var (first, last) in asked.Value!)
            {
                var cut = await CutAsync(first, last, ct);
                if (cut.Refused is { } refused) return refused;
                parts.AddRange(cut.Value!.Select(c => c.Part));
                if (parts.Count > MaxBlocks) return TooManyBlocks.With("maxBlocks", MaxBlocks);
                foreach (var (part, orderSerial) in cut.Value!) await InsertAsync(part, orderSerial, command.Reason.Trim(), ct);
            }

            return new Answer(
                parts[0].Id, parts[0].FirstSerial, parts[^1].LastSerial,
                parts.Sum(p => p.LastSerial - p.FirstSerial + 1), parts);
        }

        /// <summary>What is lost: the serials named, the stock of a point, or what a transfer has not brought.</summary>
        private async Task<Result<IReadOnlyList<(long First, long Last)>>> RangesAsync(Command command, CancellationToken ct)
        {
            if (command.IsRange) return new List<(long, long)> { (command.FirstSerial!.Value, command.LastSerial!.Value) };
            IReadOnlyList<StockedRange> lying;
            if (command.PointId is not null)
            {
                var point = await CustodyPoint.FindAsync(db, Ids.Normalise(command.PointId)!, ct);
                if (point is null) return PointUnknown;
                lying = await Stock.RangesAsync(db, point.AuthorityId, point.Id, db.Today, ct);
            }
            else
            {
                var transfer = await Transfer.FindAsync(db, Ids.Normalise(command.TransferId)!, ct);
                if (transfer is null) return TransferUnknown;
                var lines = await Transfer.LinesAsync(db, transfer.Id, ct);
                lying = Stock.Join(lines.Where(l => l.Kind == 0).Select(l => new Stock.Brought(l.Booklet, l.VouchersPerBooklet)));
            }

            return lying.Count == 0 ? NothingThere : lying.Select(r => (r.FirstBooklet, r.LastSerial)).ToList();
        }

        private async Task<Result<IReadOnlyList<(Part Part, long OrderSerial)>>> CutAsync(
            long first, long last, CancellationToken ct)
        {
            var orders = await db.ListAsync<OrderRange>(Sql.Orders, new
            {
                FirstSerial = first,
                LastSerial = last,
                db.Caller.Scope,
                Take = MaxOrders + 1,
            }, ct);
            if (orders.Count > MaxOrders) return TooManyOrders.With("maxOrders", MaxOrders);
            if (FirstHole(orders, first, last) is { } hole) return SerialUnknown.With("serial", hole);
            return orders.Select(o => (
                new Part(Ids.New(), o.Id, Math.Max(o.FirstSerial, first), Math.Min(o.LastSerial, last)),
                o.FirstSerial)).ToList();
        }

        private Task<long> InsertAsync(Part part, long orderSerial, string reason, CancellationToken ct) =>
            db.ExecuteAsync(Sql.Insert, new
            {
                part.Id,
                OrderSerial = orderSerial,
                part.FirstSerial,
                part.LastSerial,
                Reason = reason,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
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
