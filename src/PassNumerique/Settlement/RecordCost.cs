using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Settlement;

/// <summary>
/// What a convention cost besides the passes themselves, with where the number comes from: without it the
/// full cost of an hour is unknown, and the instrument cannot be judged.
/// </summary>
internal static class RecordCost
{
    internal sealed record Command(string ConventionId, string Kind, long AmountCents, DateOnly On, string Source)
        : ICommand<Answer>;

    internal sealed record Answer(
        string Id, string ConventionId, string Kind, long AmountCents, DateOnly On, string Source,
        string RecordedAt);

    /// <summary>Printing, logistics and fees are the instrument's own cost; the rest is the programme's.</summary>
    internal static readonly Vocabulary Kinds = new(
        ("printing", "Impression"),
        ("logistics", "Logistique"),
        ("administration", "Administration"),
        ("training", "Formation des prescripteurs"),
        ("evaluation", "Évaluation"),
        ("fees", "Commissions"),
        ("other", "Autre"));

    internal static void Map(IEndpointRouteBuilder costs)
    {
        costs.Post("/", Role.Operator | Role.State | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/costs/{a.Id}");
        costs.Get("/", ReadConventions.Readers, ListAsync);
        costs.Get("/{id}", ReadConventions.Readers, FindAsync);
    }

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.ConventionId).Uuid();
            RuleFor(c => c.Kind).OneOf(Kinds.Codes);
            RuleFor(c => c.AmountCents).Between(1, TermsValidator.MaxCents);
            RuleFor(c => c.On).Sensible();
            RuleFor(c => c.Source).Name(400);
        }
    }

    internal sealed class Handler(Session db, ConventionCards cards) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var conventionId = Ids.Normalise(command.ConventionId)!;
            var card = await cards.FindAsync(db, conventionId);
            if (card is null || (db.Caller.Scope is { } scope && scope != card.AuthorityId))
                return Refusals.ConventionUnknown;
            if (command.On.ToDay() > db.Today) return Refusals.DateInFuture.With("on", command.On);

            var answer = new Answer(
                Ids.New(), conventionId, command.Kind, command.AmountCents, command.On, command.Source.Trim(),
                Clock.InstantText(db.NowMs));
            await db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                answer.ConventionId,
                answer.Kind,
                answer.AmountCents,
                OnDay = answer.On.ToDay(),
                answer.Source,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
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
        return Page<Answer>.Of([.. rows.Select(Show)], request.Limit, cost => cost.Id);
    }

    private static async Task<Result<Answer>> FindAsync(Request request)
    {
        var args = new { Id = request.Id(), request.Caller.Scope };
        return await request.Session.FindAsync<Row>(Sql.Find, args, request.Aborted) is { } row
            ? Show(row)
            : Problems.NotFound;
    }

    private static Answer Show(Row row) => new(
        row.Id, row.ConventionId, row.Kind, row.AmountCents, row.OnDay.ToDate(), row.Source,
        Clock.InstantText(row.RecordedMs));

    private sealed record Row(
        string Id, string ConventionId, string Kind, long AmountCents, long OnDay, string Source, long RecordedMs);

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO costs (id, convention_id, kind, amount_cents, on_day, source, actor_id, recorded_ms, batch)
            VALUES (@Id, @ConventionId, @Kind, @AmountCents, @OnDay, @Source, @ActorId, @NowMs, @Batch)
            """;

        public const string List = """
            SELECT k.id AS Id,
                   k.convention_id AS ConventionId,
                   k.kind AS Kind,
                   k.amount_cents AS AmountCents,
                   k.on_day AS OnDay,
                   k.source AS Source,
                   k.recorded_ms AS RecordedMs
              FROM costs k
              JOIN conventions c ON c.id = k.convention_id
             WHERE (@Scope IS NULL OR c.authority_id = @Scope OR c.hub_id = @Scope)
               AND (@ConventionId IS NULL OR k.convention_id = @ConventionId)
               AND (@After IS NULL OR k.id > @After)
             ORDER BY k.id
            {limit}
            """;

        public const string Find = """
            SELECT k.id AS Id,
                   k.convention_id AS ConventionId,
                   k.kind AS Kind,
                   k.amount_cents AS AmountCents,
                   k.on_day AS OnDay,
                   k.source AS Source,
                   k.recorded_ms AS RecordedMs
              FROM costs k
              JOIN conventions c ON c.id = k.convention_id
             WHERE k.id = @Id AND (@Scope IS NULL OR c.authority_id = @Scope OR c.hub_id = @Scope)
            """;
    }
}
