using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// Gives back what a reservation holds, before its instant: the session did not take place. Releasing it twice
/// gives the first answer again: whoever is not sure it worked may repeat it. The operator may do it for a site.
/// </summary>
internal static class ReleaseReservation
{
    internal sealed record Command(string ReservationId) : ICommand<Answer>;

    /// <param name="RemainingMinutes">What is left on the pass.</param>
    internal sealed record Answer(string Id, long Serial, long Minutes, long RemainingMinutes, string ReleasedAt);

    internal static void Map(IEndpointRouteBuilder reservations) => reservations
        .Delete("/{id}", Role.Site | Role.Operator, request => new Command(request.Id()));

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var held = await Reservation.FindAsync(db, command.ReservationId, ct);
            if (held is null || !IsMine(held)) return Problems.NotFound;
            await db.ExecuteAsync(Sql.Release, new
            {
                held.Serial,
                HoldPart = held.Part,
                ServiceDay = held.StartDay,
                Month = Clock.Month(db.Today),
                db.Caller.OrganisationId,
                OperationId = Ids.New(),
                db.BodyHash,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            var ended = (await Reservation.FindAsync(db, command.ReservationId, ct))!;
            if (ended.EndKind != EntryKind.Release) return ended.Ended();
            var releasedAt = Clock.InstantText(ended.EndedMs!.Value);
            return new Answer(ended.Id, ended.Serial, ended.Minutes, ended.LeftMinutes, releasedAt);
        }

        private bool IsMine(Reservation held) =>
            db.Caller.Is(Role.Operator) || db.Caller.PlaceIds.Contains(held.SiteId);
    }

    private static class Sql
    {
        public const string Release = """
            INSERT INTO voucher_entries (
                   serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, hold_until_ms,
                   closed_minutes, reversed_part, convention_id, terms_version, site_id, duration_minutes,
                   service_day, month, organisation_id, operation_id, line, body_hash, actor_id, recorded_ms, batch)
            SELECT h.serial,
                   v.part + 1,
                   4,
                   0,
                   v.used,
                   h.credit_minutes,
                   0,
                   -h.hold_minutes,
                   h.hold_until_ms,
                   0,
                   h.part,
                   h.convention_id,
                   h.terms_version,
                   h.site_id,
                   0,
                   @ServiceDay,
                   @Month,
                   @OrganisationId,
                   @OperationId,
                   0,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used,
                           CAST(COALESCE(SUM(CASE WHEN reversed_part = @HoldPart THEN 1 ELSE 0 END), 0)
                                AS bigint) AS ended
                      FROM voucher_entries
                     WHERE serial = @Serial) v
             CROSS JOIN voucher_entries h
             WHERE h.serial = @Serial AND h.part = @HoldPart AND h.kind = 3 AND v.ended = 0
            """;
    }
}
