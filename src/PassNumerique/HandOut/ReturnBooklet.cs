using FluentValidation;
using MediatR;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.HandOut;

/// <summary>
/// A booklet is given back: it can't be handed out again, and each of its passes is closed in its own story
/// with what was left, so that no scan at the same moment can use a pass that is already back. While one of
/// them is held for a session, the booklet waits for its end.
/// </summary>
internal static class ReturnBooklet
{
    internal sealed record Command(long BookletNumber, string Reason) : ICommand<Answer>;

    internal sealed record Answer(string Id, long BookletNumber, long ClosedVouchers, long ClosedMinutes, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder returns) => returns
        .Post("/", Role.Agent | Role.Authority, (Command body, Request _) => body);

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.BookletNumber).Between(1, uint.MaxValue);
            RuleFor(c => c.Reason).Name(400);
        }
    }

    internal sealed class Handler(Session db, OrderCards orders) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var booklet = command.BookletNumber;
            var order = await orders.FindAsync(db, booklet);
            if (order is null || order.AuthorityId != db.Caller.OrganisationId || !order.IsBooklet(booklet))
                return HandOutRefusals.UnknownBooklet;
            var state = await BookletState.ReadAsync(db, order, booklet);
            if (!db.Caller.Reaches(state.PointId, Role.Agent)) return HandOutRefusals.OtherPoint;
            if (state.Activated == 0) return HandOutRefusals.NotActive;

            var reason = command.Reason.Trim();
            var written = await db.ExecuteAsync(Sql.Return, Args(booklet, state.PointId, reason), ct);
            if (written == 0) return WhyNot(await BookletState.ReadAsync(db, order, booklet));
            var closed = await ClosedPasses.CloseAsync(db, order, booklet, reason, ct);
            if (closed.Refused is { } reserved) return reserved;
            var minutes = await db.FindAsync<long>(Sql.Closed,
                new { First = booklet, Last = booklet + order.VouchersPerBooklet - 1 }, ct);
            var part = await db.FindAsync<long>(CurrentHandOut.LastPart, new { Booklet = booklet }, ct);
            return new Answer(
                EntryId.Pack(booklet, part), booklet, closed.Value!.Count, minutes, Clock.InstantText(db.NowMs));
        }

        private static Refusal WhyNot(BookletState state) => state switch
        {
            { InTransit: > 0 } => HandOutRefusals.InTransit,
            { Replaced: > 0 } => HandOutRefusals.Replaced,
            _ => HandOutRefusals.Returned,
        };

        private object Args(long booklet, string pointId, string reason) => new
        {
            Booklet = booklet,
            PointId = pointId,
            Day = db.Today,
            Reason = reason,
            db.Caller.OrganisationId,
            OperationId = Ids.New(),
            db.BodyHash,
            db.ActorId,
            db.NowMs,
            db.Batch,
        };
    }

    private static class Sql
    {
        public const string Return = """
            INSERT INTO booklet_entries (
                   booklet, part, kind, point_id, day, reason, organisation_id, operation_id, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT @Booklet,
                   b.part + 1,
                   3,
                   @PointId,
                   @Day,
                   @Reason,
                   @OrganisationId,
                   @OperationId,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(MAX(CASE WHEN kind IN (5, 6, 7) THEN part ELSE 0 END), 0) AS bigint) AS moved,
                           CAST(COALESCE(SUM(CASE WHEN kind IN (3, 8) THEN 1 ELSE 0 END), 0) AS bigint) AS ended
                      FROM booklet_entries
                     WHERE booklet = @Booklet) b
             WHERE b.ended = 0
               AND NOT EXISTS (SELECT 1 FROM booklet_entries m
                                WHERE m.booklet = @Booklet AND m.part = b.moved AND m.kind = 5)
            """;

        public const string Closed = """
            SELECT CAST(COALESCE(SUM(closed_minutes), 0) AS bigint) AS Minutes
              FROM voucher_entries
             WHERE serial BETWEEN @First AND @Last
            """;
    }
}
