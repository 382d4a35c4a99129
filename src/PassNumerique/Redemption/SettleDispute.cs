using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Settlement;

namespace PassNumerique.Redemption;

/// <summary>
/// Decides a dispute, once. Until the deadline the collectivité whose money it is decides, or the State; nobody
/// in his own case. After it silence means yes: it can only be paid, and the site itself may ask for that.
/// Nothing happens by itself: the deadline is compared with the instant of the decision.
/// </summary>
internal static class SettleDispute
{
    public const string Paid = "paid";
    public const string Rejected = "rejected";

    /// <summary>What becomes of a dispute that nobody decided.</summary>
    public const string AfterDeadline = "accepted";

    internal sealed record Command(string Decision, string Reason) : ICommand<Answer>
    {
        [JsonIgnore]
        public string DisputeId { get; init; } = "";
    }

    internal sealed record Answer(
        string Id, string Decision, string Reason, long ValueCents, string? PaidInMonth, string DecidedAt);

    internal static readonly Refusal NotTheJudge = new("not-the-judge", 409, "Ce litige n'est pas à vous de trancher.",
        "Jusqu'à l'échéance, la collectivité de la convention le tranche, ou l'État s'il est le sien ; ensuite il est "
        + "accepté, et le lieu peut demander lui-même son paiement.");

    internal static readonly Refusal DeadlinePassed = new("dispute-deadline-passed", 409,
        "L'échéance est passée : ce litige est accepté, il ne peut plus être rejeté.",
        "Enregistrez la décision « paid ».");

    internal static readonly Refusal AlreadySettled = new("dispute-already-settled", 409, "Ce litige est déjà tranché.",
        "Il n'y a rien à refaire : consultez la décision.");

    internal static readonly Refusal FundsMissing = new("guarantee-funds-missing", 409,
        "La convention n'a plus assez d'argent reçu et non engagé.",
        "Enregistrez le versement attendu, puis tranchez à nouveau ; d'ici là le litige reste ouvert.");

    internal static void Map(IEndpointRouteBuilder disputes) => disputes
        .Post("/{id}/settlement", Role.Authority | Role.State | Role.Operator | Role.Site,
            (Command body, Request request) => body with { DisputeId = request.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Decision).OneOf([Paid, Rejected]);
            RuleFor(c => c.Reason).Name(400);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            if (OfflineServices.ReadId(command.DisputeId) is not var (serial, part)) return Problems.NotFound;
            var dispute = await db.FindAsync<Dispute>(Sql.Find, new { Serial = serial, Part = part }, ct);
            if (dispute is null || !dispute.IsVisibleTo(db.Caller)) return Problems.NotFound;
            if (dispute.Decision is { } decision) return AlreadySettled.With("decision", decision);
            var isOpen = db.NowMs < dispute.DeadlineMs;
            if (isOpen && !dispute.MayBeJudgedBy(db.Caller))
                return NotTheJudge.With("deadline", Clock.InstantText(dispute.DeadlineMs));
            if (!isOpen && command.Decision == Rejected) return DeadlinePassed;

            var settled = await db.ExecuteAsync(Sql.Settle, new
            {
                Serial = serial,
                Part = part,
                command.Decision,
                Reason = command.Reason.Trim(),
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (settled == 0) return AlreadySettled;
            var month = Clock.Month(db.Today);
            if (command.Decision == Paid)
            {
                var owed = new GuaranteeFunds.Owed(
                    serial, part, dispute.ConventionId, dispute.DeviceId, dispute.ValueCents, month,
                    GuaranteeFunds.Settlement, long.MaxValue);
                if (!await GuaranteeFunds.TakeAsync(db, owed, ct)) return FundsMissing;
            }

            return new Answer(
                command.DisputeId, command.Decision, command.Reason.Trim(), dispute.ValueCents,
                command.Decision == Paid ? ListPayables.MonthText(month) : null, Clock.InstantText(db.NowMs));
        }
    }

    private sealed record Dispute(
        string ConventionId, string AuthorityId, string? AuthoritySiret, string SiteId, string? StructureSiret,
        string DeviceId, long ValueCents, long DeadlineMs, string? Decision)
    {
        public bool IsVisibleTo(Caller caller) => caller.Scope is null
            || (caller.Is(Role.Site) ? caller.PlaceIds.Contains(SiteId) : caller.OrganisationId == AuthorityId);

        /// <summary>A collectivité that runs the site itself would judge its own case: then the State does.</summary>
        public bool MayBeJudgedBy(Caller caller) => caller.Is(Role.State)
            || (caller.Is(Role.Authority) && (AuthoritySiret is null || AuthoritySiret != StructureSiret));
    }

    private static class Sql
    {
        public const string Find = """
            SELECT d.convention_id AS ConventionId,
                   c.authority_id AS AuthorityId,
                   a.siret AS AuthoritySiret,
                   d.site_id AS SiteId,
                   o.siret AS StructureSiret,
                   s.device_id AS DeviceId,
                   s.value_cents AS ValueCents,
                   d.deadline_ms AS DeadlineMs,
                   t.decision AS Decision
              FROM disputes d
              JOIN offline_services s ON s.serial = d.serial AND s.part = d.part
              JOIN conventions c ON c.id = d.convention_id
              JOIN organisations a ON a.id = c.authority_id
              JOIN sites p ON p.id = d.site_id
              JOIN organisations o ON o.id = p.organisation_id
              LEFT JOIN dispute_settlements t ON t.serial = d.serial AND t.part = d.part
             WHERE d.serial = @Serial AND d.part = @Part
            """;

        public const string Settle = """
            INSERT INTO dispute_settlements (serial, part, decision, reason, actor_id, recorded_ms, batch)
            SELECT d.serial, d.part, @Decision, @Reason, @ActorId, @NowMs, @Batch
              FROM disputes d
             WHERE d.serial = @Serial AND d.part = @Part
               AND (@Decision = 'paid' OR d.deadline_ms > @NowMs)
               AND NOT EXISTS (SELECT 1 FROM dispute_settlements t
                                WHERE t.serial = d.serial AND t.part = d.part)
            """;
    }
}
