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

            var written = await db.ExecuteAsync(Sql.Return, Args(command, order, state.PointId, booklet), ct);
            if (written == 0) return HandOutRefusals.Returned;
            var closed = 0L;
            for (var serial = booklet; serial < booklet + order.VouchersPerBooklet; serial++)
                closed += await db.ExecuteAsync(Sql.Close, Args(command, order, state.PointId, serial), ct);
            if (await HandOutRefusals.ReservedAsync(db, order, booklet, ct) is { } reserved) return reserved;
            var minutes = await db.FindAsync<long>(Sql.Closed,
                new { First = booklet, Last = booklet + order.VouchersPerBooklet - 1 }, ct);
            var part = await db.FindAsync<long>(CurrentHandOut.LastPart, new { Booklet = booklet }, ct);
            return new Answer(EntryId.Pack(booklet, part), booklet, closed, minutes, Clock.InstantText(db.NowMs));
        }

        private object Args(Command command, OrderCard order, string pointId, long serial) => new
        {
            Booklet = command.BookletNumber,
            Serial = serial,
            order.CreditMinutes,
            order.ConventionId,
            PointId = pointId,
            Day = db.Today,
            Month = Clock.Month(db.Today),
            Reason = command.Reason.Trim(),
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
                           CAST(COALESCE(SUM(CASE WHEN kind = 3 THEN 1 ELSE 0 END), 0) AS bigint) AS returned
                      FROM booklet_entries
                     WHERE booklet = @Booklet) b
             WHERE b.returned = 0
            """;

        public const string Close = """
            INSERT INTO voucher_entries (
                   serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, closed_minutes,
                   convention_id, terms_version, duration_minutes, service_day, month, reason, organisation_id,
                   operation_id, line, body_hash, actor_id, recorded_ms, batch)
            SELECT @Serial,
                   v.part + 1,
                   5,
                   0,
                   v.used,
                   COALESCE(r.credit_minutes, @CreditMinutes),
                   0,
                   0,
                   COALESCE(r.credit_minutes, @CreditMinutes) - v.used,
                   @ConventionId,
                   1,
                   0,
                   @Day,
                   @Month,
                   @Reason,
                   @OrganisationId,
                   @OperationId,
                   0,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used,
                           CAST(COALESCE(SUM(CASE WHEN kind = 5 THEN 1 ELSE 0 END), 0) AS bigint) AS closed
                      FROM voucher_entries
                     WHERE serial = @Serial) v
              LEFT JOIN replacements r ON r.serial = @Serial
             WHERE v.closed = 0 AND v.used < COALESCE(r.credit_minutes, @CreditMinutes)
            """;

        public const string Closed = """
            SELECT CAST(COALESCE(SUM(closed_minutes), 0) AS bigint) AS Minutes
              FROM voucher_entries
             WHERE serial BETWEEN @First AND @Last
            """;
    }
}
