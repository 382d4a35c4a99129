using FluentValidation;
using MediatR;
using PassNumerique.HandOut;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>
/// A point counts its drawer, by a number of booklets or number by number. What the facts say lay there at the end of
/// that day stands beside it; a difference is refused with what was expected, until somebody explains it. An inventory
/// moves nothing: a lost booklet is blocked, a found one is where its story says.
/// </summary>
internal static class RecordInventory
{
    /// <summary>A count is typed in on the day, or soon after: facts typed in late would change what was expected.</summary>
    public const long MaxDaysAgo = 7;

    /// <summary>Numbers of a kind of difference that an answer lists; their count is always given.</summary>
    private const int MaxTold = 200;

    internal sealed record Command(
        string PointId, DateOnly On, long? Counted = null, IReadOnlyList<long>? BookletNumbers = null,
        IReadOnlyList<BookletRange>? Ranges = null, string? Explanation = null) : ICommand<Answer>
    {
        internal bool IsByNumber => BookletNumbers is not null || Ranges is not null;
    }

    internal sealed record Answer(
        string Id, string PointId, DateOnly On, long ExpectedBooklets, long CountedBooklets, long Difference,
        IReadOnlyList<long> MissingBookletNumbers, IReadOnlyList<long> SurplusBookletNumbers, string? Explanation,
        string RecordedAt);

    internal static readonly Refusal Differs = new("inventory-differs", 409,
        "Le compte n'est pas celui qui est attendu.",
        "Recomptez ; si la différence demeure, dites pourquoi dans « explanation ». Un carnet perdu ou volé se bloque.");

    internal static readonly Refusal DateOutOfRange = new("inventory-date-out-of-range", 409,
        "La date de l'inventaire n'est pas acceptée.", "Elle est au plus aujourd'hui, et au plus sept jours plus tôt.");

    internal static void Map(IEndpointRouteBuilder inventories) => inventories
        .Post("/", Role.Agent | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/inventories/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.PointId).Uuid();
            RuleFor(c => c.On).Sensible();
            RuleFor(c => c.Counted).Between(0, PlaceOrder.MaxVouchers);
            RuleFor(c => c.Counted).Must((c, counted) => counted is null == c.IsByNumber)
                .WithMessage("Donnez soit « counted », le nombre de carnets, soit leurs numéros (« bookletNumbers » ou « ranges »).");
            RuleFor(c => c.Explanation).Note(400);
        }
    }

    internal sealed class Handler(Session db, OrderCards orders) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var (id, day) = (Ids.Normalise(command.PointId)!, command.On.ToDay());
            if (await CustodyPoint.FindAsync(db, id, ct) is not { } point || !db.Caller.Reaches(id, Role.Agent))
                return HandOutRefusals.UnknownPoint.Because("Vérifiez « pointId ».");
            if (day > db.Today || day < db.Today - MaxDaysAgo) return DateOutOfRange
                .With("earliest", (db.Today - MaxDaysAgo).ToDate()).With("latest", db.Today.ToDate());
            var found = await CountAsync(command, point, day, ct);
            if (found.Refused is { } unknown) return unknown;
            var (expected, counted, missing, surplus) = found.Value!;
            var explanation = string.IsNullOrWhiteSpace(command.Explanation) ? null : command.Explanation.Trim();
            if (explanation is null && (expected != counted || missing.Count + surplus.Count > 0))
                return Refuse(command.IsByNumber, found.Value!);

            var answer = new Answer(
                Ids.New(), id, command.On, expected, counted, counted - expected, missing, surplus, explanation,
                Clock.InstantText(db.NowMs));
            await InsertAsync(command, answer, ct);
            return answer;
        }

        private async Task<Result<Counts>> CountAsync(Command command, CustodyPoint point, long day, CancellationToken ct)
        {
            if (command.Counted is { } counted)
            {
                var lines = await Stock.ReadAsync(db, point.AuthorityId, point.Id, day, ct);
                return new Counts(lines.Sum(l => l.Left), counted, [], []);
            }

            var seen = await SeenAsync(command);
            if (seen.Refused is { } unknown) return unknown;
            var here = (await Stock.RangesAsync(db, point.AuthorityId, point.Id, day, ct)).SelectMany(r => r.Numbers).ToHashSet();
            return new Counts(
                here.Count, seen.Value!.Count, [.. here.Where(n => !seen.Value.Contains(n)).Order()],
                [.. seen.Value.Where(n => !here.Contains(n)).Order()]);
        }

        /// <summary>The numbers read in the drawer; an empty list is an empty drawer.</summary>
        private async Task<Result<HashSet<long>>> SeenAsync(Command command)
        {
            if (command.BookletNumbers is null or { Count: 0 } && command.Ranges is null or { Count: 0 }) return new HashSet<long>();
            var named = await BookletNumbers.FindAsync(
                db, orders, command.BookletNumbers, command.Ranges, db.Caller.OrganisationId);
            return named.Refused is { } unknown ? unknown : named.Value!.Select(b => b.Number).ToHashSet();
        }

        private static Refusal Refuse(bool isByNumber, Counts counts)
        {
            var refusal = Differs.With("expectedBooklets", counts.Expected).With("countedBooklets", counts.Counted);
            return isByNumber
                ? refusal.With("missing", counts.Missing.Count).With("surplus", counts.Surplus.Count)
                    .With("missingBookletNumbers", counts.Missing.Take(MaxTold).ToList())
                    .With("surplusBookletNumbers", counts.Surplus.Take(MaxTold).ToList())
                : refusal;
        }

        private async Task InsertAsync(Command command, Answer answer, CancellationToken ct)
        {
            await db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                answer.PointId,
                OnDay = command.On.ToDay(),
                ByNumber = command.IsByNumber ? 1L : 0L,
                answer.ExpectedBooklets,
                answer.CountedBooklets,
                answer.Explanation,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            var differences = answer.MissingBookletNumbers.Select(n => (n, "missing"))
                .Concat(answer.SurplusBookletNumbers.Select(n => (n, "surplus")));
            foreach (var (booklet, difference) in differences)
            {
                await db.ExecuteAsync(Sql.InsertDifference, new
                {
                    InventoryId = answer.Id,
                    Booklet = booklet,
                    Difference = difference,
                    db.ActorId,
                    db.NowMs,
                    db.Batch,
                }, ct);
            }
        }
    }

    private sealed record Counts(long Expected, long Counted, IReadOnlyList<long> Missing, IReadOnlyList<long> Surplus);

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO inventories (id, point_id, on_day, by_number, expected_booklets, counted_booklets, explanation,
                                     actor_id, recorded_ms, batch)
            VALUES (@Id, @PointId, @OnDay, @ByNumber, @ExpectedBooklets, @CountedBooklets, @Explanation,
                    @ActorId, @NowMs, @Batch)
            """;

        public const string InsertDifference = """
            INSERT INTO inventory_differences (inventory_id, booklet, difference, actor_id, recorded_ms, batch)
            VALUES (@InventoryId, @Booklet, @Difference, @ActorId, @NowMs, @Batch)
            """;
    }
}
