using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.HandOut;

/// <summary>Undoes a hand-out typed by mistake, as long as none of its passes has served.</summary>
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
            var (order, booklet, part, pointId) = handOut.Value!;
            var state = await BookletState.ReadAsync(db, order, booklet);
            if (state.GivenPart != part || state.Returned > 0) return HandOutRefusals.NotHandedOut;
            if (state.UsedMinutes > 0) return HandOutRefusals.Used;

            var written = await db.ExecuteAsync(Sql.Insert, new
            {
                Booklet = booklet,
                LastSerial = booklet + order.VouchersPerBooklet - 1,
                Part = part,
                PointId = pointId,
                Day = db.Today,
                Reason = command.Reason.Trim(),
                db.Caller.OrganisationId,
                OperationId = Ids.New(),
                db.BodyHash,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (written == 0) return HandOutRefusals.NotHandedOut;
            var last = await db.FindAsync<long>(CurrentHandOut.LastPart, new { Booklet = booklet }, ct);
            return new Answer(EntryId.Pack(booklet, last), command.HandOutId, booklet, Clock.InstantText(db.NowMs));
        }
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
                           CAST(COALESCE(MAX(CASE WHEN kind IN (2, 3) THEN part ELSE 0 END), 0) AS bigint) AS ended
                      FROM booklet_entries
                     WHERE booklet = @Booklet) b
             WHERE b.given = @Part AND b.ended < @Part
               AND (SELECT CAST(COALESCE(SUM(e.minutes), 0) AS bigint) FROM voucher_entries e
                     WHERE e.serial BETWEEN @Booklet AND @LastSerial) = 0
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
        return db.Caller.Is(Role.Agent) && !db.Caller.PlaceIds.Contains(pointId)
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
