using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Settlement;

/// <summary>
/// The bank has paid a run: said by another person than the one who made it. Its lines are paid from here on.
/// </summary>
internal static class ConfirmPaymentRun
{
    internal sealed record Command(DateOnly PaidOn, string BankReference) : ICommand<PaymentRun>
    {
        [JsonIgnore]
        public string RunId { get; init; } = "";
    }

    internal static readonly Refusal SecondPerson = new("second-person-needed", 409,
        "Une autre personne doit confirmer ce paiement.",
        "Demandez à une personne qui n'a pas préparé ce paiement de le confirmer avec ses propres accès.");

    internal static readonly Refusal AlreadyConfirmed = new("payment-run-already-confirmed", 409,
        "Ce paiement est déjà confirmé.", "Il n'y a rien à refaire : sa date figure dans « paidOn ».");

    internal static readonly Refusal OutOfRange = new("date-out-of-range", 409,
        "Cette date de paiement n'est pas possible.",
        "Donnez la date de l'opération bancaire : du jour où le paiement a été préparé à aujourd'hui.");

    internal static void Map(IEndpointRouteBuilder runs) => runs
        .Post("/{id}/approval", Role.Operator, (Command body, Request r) => body with { RunId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.PaidOn).Sensible();
            RuleFor(c => c.BankReference).Reference(80);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<PaymentRun>>
    {
        public async Task<Result<PaymentRun>> Handle(Command command, CancellationToken ct)
        {
            var run = await ListPaymentRuns.FindAsync(db, command.RunId, ct);
            if (run is null) return Problems.NotFound;
            var day = command.PaidOn.ToDay();
            if (day > db.Today || day < Clock.ParisDay(run.RecordedMs)) return OutOfRange;
            var written = await db.ExecuteAsync(Sql.Confirm, new
            {
                command.RunId,
                PaidDay = day,
                BankReference = command.BankReference.Trim(),
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (written == 0) return await WhyNotAsync(command.RunId, ct);
            var confirmed = run with { PaidDay = day, BankReference = command.BankReference.Trim() };
            return await ListPaymentRuns.ShowAsync(db, confirmed, ct) is { } shown ? shown : Problems.NotFound;
        }

        private async Task<Refusal> WhyNotAsync(string runId, CancellationToken ct)
        {
            var run = await ListPaymentRuns.FindAsync(db, runId, ct);
            return run?.PaidDay is { } day ? AlreadyConfirmed.With("paidOn", day.ToDate()) : SecondPerson;
        }
    }

    private static class Sql
    {
        public const string Confirm = """
            INSERT INTO payment_confirmations (run_id, paid_day, bank_reference, actor_id, recorded_ms, batch)
            SELECT r.id, @PaidDay, @BankReference, @ActorId, @NowMs, @Batch
              FROM payment_runs r
             WHERE r.id = @RunId AND r.actor_id <> @ActorId
               AND NOT EXISTS (SELECT 1
                                 FROM payment_confirmations c
                                WHERE c.run_id = r.id)
            """;
    }
}
