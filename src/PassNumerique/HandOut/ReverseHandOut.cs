using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.HandOut;

/// <summary>
/// Undoes a hand-out typed by mistake, as long as none of its passes has served or is held for a session. Each
/// pass is released in its own story, so that of a scan at the same moment and this, one comes first and the
/// other sees it.
/// </summary>
internal static class ReverseHandOut
{
    internal sealed record Command(string Reason) : ICommand<Answer>
    {
        [JsonIgnore]
        public string HandOutId { get; init; } = "";
    }

    internal sealed record Answer(string Id, string HandOutId, long BookletNumber, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder handOuts) => handOuts
        .Post("/{id}/reversal", Role.Agent | Role.Authority,
            (Command body, Request request) => body with { HandOutId = request.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.Reason).Name(400);
    }

    internal sealed class Handler(Session db, OrderCards orders) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var handOut = await CurrentHandOut.FindAsync(db, orders, command.HandOutId);
            if (handOut.Refused is { } refused) return refused;
            var found = handOut.Value!;
            var booklet = found.Booklet;
            var written = await db.ExecuteAsync(Sql.Insert, Args(command, found, booklet), ct);
            if (written == 0) return await WhyNotAsync(found, ct);
            for (var serial = booklet; serial < booklet + found.Order.VouchersPerBooklet; serial++)
            {
                var released = await db.ExecuteAsync(Sql.Release, Args(command, found, serial), ct);
                if (released == 0) return HandOutRefusals.Used;
            }

            if (await HandOutRefusals.ReservedAsync(db, found.Order, booklet, ct) is { } reserved) return reserved;
            var last = await db.FindAsync<long>(CurrentHandOut.LastPart, new { Booklet = booklet }, ct);
            return new Answer(EntryId.Pack(booklet, last), command.HandOutId, booklet, Clock.InstantText(db.NowMs));
        }

        private async Task<Refusal> WhyNotAsync(CurrentHandOut.Found found, CancellationToken ct)
        {
            var state = await BookletState.ReadAsync(db, found.Order, found.Booklet);
            if (state.Replaced > 0) return HandOutRefusals.Replaced;
            return await db.FindAsync<long>(Sql.Replacements, new { OrderId = found.Order.Id }, ct) > 0
                ? HandOutRefusals.IsReplacement
                : HandOutRefusals.NotHandedOut;
        }

        private object Args(Command command, CurrentHandOut.Found found, long serial) => new
        {
            OrderId = found.Order.Id,
            found.Booklet,
            found.Part,
            found.PointId,
            Serial = serial,
            found.Order.CreditMinutes,
            found.Order.ConventionId,
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
        public const string Insert = """
            INSERT INTO booklet_entries (
                   booklet, part, kind, point_id, day, reason, organisation_id, operation_id, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT @Booklet,
                   b.part + 1,
                   2,
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
                           CAST(COALESCE(MAX(CASE WHEN kind = 1 THEN part ELSE 0 END), 0) AS bigint) AS given,
                           CAST(COALESCE(MAX(CASE WHEN kind IN (2, 3, 8) THEN part ELSE 0 END), 0) AS bigint) AS ended
                      FROM booklet_entries
                     WHERE booklet = @Booklet) b
             WHERE b.given = @Part AND b.ended < @Part
               AND NOT EXISTS (SELECT 1 FROM replacement_orders p WHERE p.order_id = @OrderId)
            """;

        public const string Replacements = """
            SELECT CAST(COUNT(*) AS bigint) AS Orders
              FROM replacement_orders
             WHERE order_id = @OrderId
            """;

        public const string Release = """
            INSERT INTO voucher_entries (
                   serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, closed_minutes,
                   convention_id, terms_version, duration_minutes, service_day, month, reason, organisation_id,
                   operation_id, line, body_hash, actor_id, recorded_ms, batch)
            SELECT @Serial,
                   v.part + 1,
                   4,
                   0,
                   0,
                   COALESCE(r.credit_minutes, @CreditMinutes),
                   0,
                   0,
                   0,
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
                           CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used
                      FROM voucher_entries
                     WHERE serial = @Serial) v
              LEFT JOIN replacements r ON r.serial = @Serial
             WHERE v.used = 0
            """;
    }
}

/// <summary>The hand-out that an id names, within what the caller may see.</summary>
internal static class CurrentHandOut
{
    public const string LastPart = Sql.LastPart;

    public static async Task<Result<Found>> FindAsync(Session db, OrderCards orders, string handOutId)
    {
        if (EntryId.Read(handOutId) is not var (booklet, part)) return Problems.NotFound;
        var order = await orders.FindAsync(db, booklet);
        var pointId = await db.FindAsync<string>(Sql.Point, new { Booklet = booklet, Part = part });
        if (order is null || pointId is null || order.AuthorityId != db.Caller.OrganisationId) return Problems.NotFound;
        return !db.Caller.Reaches(pointId, Role.Agent)
            ? Problems.NotFound
            : new Found(order, booklet, part, pointId);
    }

    internal sealed record Found(OrderCard Order, long Booklet, long Part, string PointId);

    private static class Sql
    {
        public const string Point = """
            SELECT point_id AS PointId
              FROM booklet_entries
             WHERE booklet = @Booklet AND part = @Part AND kind = 1
            """;

        public const string LastPart = """
            SELECT CAST(MAX(part) AS bigint) AS Part
              FROM booklet_entries
             WHERE booklet = @Booklet
            """;
    }
}
