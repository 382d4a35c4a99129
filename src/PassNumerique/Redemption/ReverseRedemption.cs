using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// Undoes a redemption, with a trace and never a rewrite: exactly its minutes and its cents are given back.
/// Free until the payment run; after it, an incident line that the next run takes back.
/// </summary>
internal static class ReverseRedemption
{
    internal sealed record Command(string Reason) : ICommand<Answer>
    {
        [JsonIgnore]
        public string RedemptionId { get; init; } = "";
    }

    internal sealed record Answer(
        string Id, string RedemptionId, long Serial, long Minutes, long ValueCents, long RemainingMinutes, string RecordedAt,
        bool Incident);

    internal static readonly Refusal AlreadyReversed = new("redemption-already-reversed", 409,
        "Cette utilisation est déjà annulée.", "Il n'y a rien à refaire.");

    internal static void Map(IEndpointRouteBuilder redemptions) => redemptions
        .Post("/{id}/reversal", Role.Site | Role.Operator,
            (Command body, Request request) => body with { RedemptionId = request.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.Reason).Name(400);
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            if (EntryId.Read(command.RedemptionId) is not var (serial, part)) return Problems.NotFound;
            var key = new { Serial = serial, Part = part };
            var redemption = await db.FindAsync<Redeemed>(Sql.Find, key, ct);
            if (redemption is null || !IsMine(redemption)) return Problems.NotFound;

            var written = await db.ExecuteAsync(Sql.Reverse, new
            {
                Serial = serial,
                Part = part,
                Reason = command.Reason.Trim(),
                Month = Clock.Month(db.Today),
                db.Caller.OrganisationId,
                OperationId = Ids.New(),
                db.BodyHash,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (written == 0) return AlreadyReversed;

            var undone = await db.ExecuteAsync(
                Sql.Undo, new { Serial = serial, Part = part, db.ActorId, db.NowMs, db.Batch }, ct);
            var row = await db.FindAsync<Reversed>(Sql.Reversal, key, ct);
            return new Answer(
                EntryId.Pack(serial, row!.Part), command.RedemptionId, serial, -row.Minutes, -row.ValueCents,
                row.CreditMinutes - row.UsedAfter, Clock.InstantText(row.RecordedMs), Incident: undone == 0);
        }

        private bool IsMine(Redeemed redemption) =>
            db.Caller.Is(Role.Operator) || db.Caller.PlaceIds.Contains(redemption.SiteId);
    }

    private sealed record Redeemed(string SiteId, long Minutes);

    private sealed record Reversed(
        long Part, long Minutes, long ValueCents, long UsedAfter, long CreditMinutes, long RecordedMs);

    private static class Sql
    {
        public const string Find = """
            SELECT site_id AS SiteId,
                   minutes AS Minutes
              FROM voucher_entries
             WHERE serial = @Serial AND part = @Part AND kind IN (1, 2)
            """;

        public const string Reverse = """
            INSERT INTO voucher_entries (
                   serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, closed_minutes,
                   reversed_part, convention_id, terms_version, site_id, service, activity_kind, duration_minutes,
                   workshop_id, service_day, month, reason, organisation_id, operation_id, line, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT e.serial,
                   v.part + 1,
                   6,
                   -e.minutes,
                   v.used - e.minutes,
                   e.credit_minutes,
                   -e.value_cents,
                   0,
                   0,
                   e.part,
                   e.convention_id,
                   e.terms_version,
                   e.site_id,
                   e.service,
                   e.activity_kind,
                   -e.duration_minutes,
                   e.workshop_id,
                   e.service_day,
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
                           CAST(COALESCE(SUM(CASE WHEN reversed_part = @Part THEN 1 ELSE 0 END), 0) AS bigint) AS undone
                      FROM voucher_entries
                     WHERE serial = @Serial) v
             CROSS JOIN voucher_entries e
             WHERE e.serial = @Serial AND e.part = @Part AND e.kind IN (1, 2) AND v.undone = 0
            """;

        public const string Undo = """
            INSERT INTO redemption_outcomes (serial, part, outcome, actor_id, recorded_ms, batch)
            SELECT @Serial, @Part, 'undone', @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM redemption_outcomes o WHERE o.serial = @Serial AND o.part = @Part)
            """;

        public const string Reversal = """
            SELECT part AS Part,
                   minutes AS Minutes,
                   value_cents AS ValueCents,
                   used_after AS UsedAfter,
                   credit_minutes AS CreditMinutes,
                   recorded_ms AS RecordedMs
              FROM voucher_entries
             WHERE serial = @Serial AND reversed_part = @Part
            """;
    }
}
