using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Redemption;

/// <summary>
/// A site undoes an offline service that was owed to it by mistake: its money is the convention's again. Only
/// until a payment run has it; its place among the device's passes of the month stays taken.
/// </summary>
internal static class ReverseGuarantee
{
    internal sealed record Command(string Reason) : ICommand<Answer>
    {
        [JsonIgnore]
        public string GuaranteeId { get; init; } = "";
    }

    internal sealed record Answer(string Id, long ValueCents, string RecordedAt);

    internal static readonly Refusal AlreadyUndone = new("guarantee-already-reversed", 409,
        "Cette garantie est déjà annulée.", "Il n'y a rien à refaire.");

    internal static readonly Refusal InRun = new("guarantee-in-run", 409, "Cette garantie est déjà dans un paiement.",
        "Elle ne s'annule plus : convenez du remboursement avec l'opérateur.");

    internal static void Map(IEndpointRouteBuilder guarantees) => guarantees
        .Post("/{id}/reversal", Role.Site | Role.Operator,
            (Command body, Request request) => body with { GuaranteeId = request.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.Reason).Name(400);
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            if (OfflineServices.ReadId(command.GuaranteeId) is not var (serial, part)) return Problems.NotFound;
            var key = new { Serial = serial, Part = part };
            var guarantee = await db.FindAsync<Guarantee>(Sql.Find, key, ct);
            if (guarantee is null || !IsMine(guarantee)) return Problems.NotFound;
            var undone = await db.ExecuteAsync(Sql.Undo, new
            {
                Serial = serial,
                Part = part,
                Reason = command.Reason.Trim(),
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (undone == 0) return await db.FindAsync<string>(Sql.Outcome, key, ct) == "undone" ? AlreadyUndone : InRun;
            await db.ExecuteAsync(Sql.GiveBack, guarantee, ct);
            return new Answer(command.GuaranteeId, guarantee.ValueCents, Clock.InstantText(db.NowMs));
        }

        private bool IsMine(Guarantee guarantee) =>
            db.Caller.Is(Role.Operator) || db.Caller.PlaceIds.Contains(guarantee.SiteId);
    }

    private sealed record Guarantee(string ConventionId, string SiteId, long ValueCents);

    private static class Sql
    {
        public const string Find = """
            SELECT convention_id AS ConventionId,
                   site_id AS SiteId,
                   value_cents AS ValueCents
              FROM guarantees
             WHERE serial = @Serial AND part = @Part
            """;

        public const string Undo = """
            INSERT INTO guarantee_outcomes (serial, part, outcome, reason, actor_id, recorded_ms, batch)
            SELECT @Serial, @Part, 'undone', @Reason, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM guarantee_outcomes o WHERE o.serial = @Serial AND o.part = @Part)
            """;

        public const string GiveBack = """
            UPDATE convention_balances
               SET committed_cents = committed_cents - @ValueCents
             WHERE convention_id = @ConventionId
            """;

        public const string Outcome = """
            SELECT outcome AS Outcome
              FROM guarantee_outcomes
             WHERE serial = @Serial AND part = @Part
            """;
    }
}
