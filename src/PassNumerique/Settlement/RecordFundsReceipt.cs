using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Settlement;

/// <summary>
/// Money of a funder on the account. Its face value part, when the funder is prefunding, is what orders may
/// be activated against; the rest is fees and VAT. A bank reference is recorded once.
/// </summary>
internal static class RecordFundsReceipt
{
    internal sealed record Command(
        string ConventionId, string Funder, long AmountCents, long FaceValueCents, DateOnly ReceivedOn,
        string BankReference) : ICommand<Answer>;

    internal sealed record Answer(
        string Id, string ConventionId, string Funder, long AmountCents, long FaceValueCents, DateOnly ReceivedOn,
        string BankReference, bool Prefunding, string RecordedAt);

    internal static readonly Refusal FunderUnknown = new("funder-unknown", 409,
        "Ce financeur n'est pas de la convention.",
        "Donnez son nom tel que la convention l'écrit (voir « funders »), ou ajoutez-le par un avenant.");

    internal static readonly Refusal AlreadyRecorded = new("receipt-already-recorded", 409,
        "Un versement de cette convention porte déjà cette référence bancaire.",
        "Vérifiez qu'il ne s'agit pas du même versement ; sinon, donnez la référence de l'autre.");

    internal static void Map(IEndpointRouteBuilder receipts)
    {
        receipts.Post("/", Role.Operator, (Command body, Request _) => body,
            location: a => $"{Api.Root}/funds-receipts/{a.Id}");
        receipts.Get("/", ReadConventions.Readers, ListAsync);
        receipts.Get("/{id}", ReadConventions.Readers, FindAsync);
    }

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.ConventionId).Uuid();
            RuleFor(c => c.Funder).Name(200);
            RuleFor(c => c.AmountCents).Between(1, TermsValidator.MaxCents);
            RuleFor(c => c.FaceValueCents).Between(0, TermsValidator.MaxCents);
            RuleFor(c => c.FaceValueCents).LessThanOrEqualTo(c => c.AmountCents)
                .WithMessage("La valeur faciale ne dépasse pas le montant versé : le reste est frais et TVA.");
            RuleFor(c => c.ReceivedOn).Sensible();
            RuleFor(c => c.BankReference).Reference(80);
        }
    }

    internal sealed class Handler(Session db, ConventionCards cards) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var conventionId = Ids.Normalise(command.ConventionId)!;
            if (await cards.FindLatestAsync(db, conventionId) is not { } card) return Refusals.ConventionUnknown;
            var funders = card.Latest.Terms.Funders;
            if (funders.FirstOrDefault(f => f.Name.Trim() == command.Funder.Trim()) is not { } funder)
                return FunderUnknown.With("funders", funders.Select(f => f.Name));
            var receivedDay = command.ReceivedOn.ToDay();
            if (receivedDay > db.Today) return Refusals.DateInFuture.With("receivedOn", command.ReceivedOn);

            var answer = new Answer(
                Ids.New(), conventionId, funder.Name, command.AmountCents, command.FaceValueCents,
                command.ReceivedOn, command.BankReference.Trim(), funder.IsPrefunding,
                Clock.InstantText(db.NowMs));
            var inserted = await db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                answer.ConventionId,
                answer.Funder,
                answer.AmountCents,
                answer.FaceValueCents,
                ReceivedDay = receivedDay,
                answer.BankReference,
                Prefunding = answer.Prefunding ? 1L : 0L,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (inserted == 0) return AlreadyRecorded;
            if (funder.IsPrefunding) await db.ExecuteAsync(Sql.Receive, answer, ct);
            return answer;
        }
    }

    private static async Task<Result<Page<Answer>>> ListAsync(Request request)
    {
        var rows = await request.Session.ListAsync<Row>(Sql.List, new
        {
            request.Caller.Scope,
            ConventionId = request.Text("conventionId"),
            request.After,
            Take = request.Limit + 1,
        }, request.Aborted);
        return Page<Answer>.Of([.. rows.Select(Show)], request.Limit, receipt => receipt.Id);
    }

    private static async Task<Result<Answer>> FindAsync(Request request)
    {
        var args = new { Id = request.Id(), request.Caller.Scope };
        return await request.Session.FindAsync<Row>(Sql.Find, args, request.Aborted) is { } row
            ? Show(row)
            : Problems.NotFound;
    }

    private static Answer Show(Row row) => new(
        row.Id, row.ConventionId, row.Funder, row.AmountCents, row.FaceValueCents, row.ReceivedDay.ToDate(),
        row.BankReference, row.Prefunding == 1, Clock.InstantText(row.RecordedMs));

    private sealed record Row(
        string Id, string ConventionId, string Funder, long AmountCents, long FaceValueCents, long ReceivedDay,
        string BankReference, long Prefunding, long RecordedMs);

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO funds_receipts (id, convention_id, funder, amount_cents, face_value_cents, received_day,
                                        bank_reference, prefunding, actor_id, recorded_ms, batch)
            SELECT @Id, @ConventionId, @Funder, @AmountCents, @FaceValueCents, @ReceivedDay,
                   @BankReference, @Prefunding, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM funds_receipts
                                WHERE convention_id = @ConventionId AND bank_reference = @BankReference)
            """;

        public const string Receive = """
            UPDATE convention_balances
               SET received_cents = received_cents + @FaceValueCents
             WHERE convention_id = @ConventionId
            """;

        public const string List = """
            SELECT f.id AS Id,
                   f.convention_id AS ConventionId,
                   f.funder AS Funder,
                   f.amount_cents AS AmountCents,
                   f.face_value_cents AS FaceValueCents,
                   f.received_day AS ReceivedDay,
                   f.bank_reference AS BankReference,
                   f.prefunding AS Prefunding,
                   f.recorded_ms AS RecordedMs
              FROM funds_receipts f
              JOIN conventions c ON c.id = f.convention_id
             WHERE (@Scope IS NULL OR c.authority_id = @Scope OR c.hub_id = @Scope)
               AND (@ConventionId IS NULL OR f.convention_id = @ConventionId)
               AND (@After IS NULL OR f.id > @After)
             ORDER BY f.id
            {limit}
            """;

        public const string Find = """
            SELECT f.id AS Id,
                   f.convention_id AS ConventionId,
                   f.funder AS Funder,
                   f.amount_cents AS AmountCents,
                   f.face_value_cents AS FaceValueCents,
                   f.received_day AS ReceivedDay,
                   f.bank_reference AS BankReference,
                   f.prefunding AS Prefunding,
                   f.recorded_ms AS RecordedMs
              FROM funds_receipts f
              JOIN conventions c ON c.id = f.convention_id
             WHERE f.id = @Id AND (@Scope IS NULL OR c.authority_id = @Scope OR c.hub_id = @Scope)
            """;
    }
}
