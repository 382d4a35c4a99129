using FluentValidation;
using MediatR;
using PassNumerique.HandOut;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>
/// Booklets leave one point of a collectivité for another. All of those named or none: one that can't leave is told
/// with its reason, beside all others that can't. Until its receipt is confirmed a booklet is nobody's to hand out.
/// </summary>
internal static class SendTransfer
{
    internal sealed record Command(
        string FromPointId, string ToPointId, IReadOnlyList<long>? BookletNumbers = null,
        IReadOnlyList<BookletRange>? Ranges = null, string? Comment = null) : ICommand<Answer>;

    internal sealed record Answer(
        string Id, string FromPointId, string ToPointId, long BookletCount, string State, DateOnly SentOn, string RecordedAt);

    /// <summary>A booklet that stands against the whole, and why.</summary>
    internal sealed record Stuck(long BookletNumber, string Problem, string Title, string Detail);

    internal static void Map(IEndpointRouteBuilder transfers) => transfers
        .Post("/", Role.Agent | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/transfers/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.FromPointId).Uuid();
            RuleFor(c => c.ToPointId).Uuid();
            RuleFor(c => c.Comment).Note(400);
        }
    }

    internal sealed class Handler(Session db, OrderCards orders) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var (from, to) = (Ids.Normalise(command.FromPointId)!, Ids.Normalise(command.ToPointId)!);
            if (await CustodyPoint.FindAsync(db, from, ct) is null || !db.Caller.Reaches(from, Role.Agent))
                return HandOutRefusals.UnknownPoint.Because("Vérifiez « fromPointId » : les carnets partent d'un point à vous.");
            if (await CustodyPoint.FindAsync(db, to, ct) is null)
                return HandOutRefusals.UnknownPoint.Because("Vérifiez « toPointId » : c'est un point de votre collectivité.");
            if (from == to) return TransferRefusals.SamePoint;
            var asked = await BookletNumbers.FindAsync(
                db, orders, command.BookletNumbers, command.Ranges, db.Caller.OrganisationId);
            if (asked.Refused is { } unknown) return unknown;

            var answer = new Answer(
                Ids.New(), from, to, asked.Value!.Count, "in-transit", db.Today.ToDate(), Clock.InstantText(db.NowMs));
            await InsertAsync(command, answer, ct);
            var stuck = new List<NumberedBooklet>();
            foreach (var booklet in asked.Value)
            {
                if (await Moves.SendAsync(db, booklet, from, ct)) await InsertLineAsync(answer, booklet, ct);
                else stuck.Add(booklet);
            }

            return stuck.Count == 0
                ? answer
                : TransferRefusals.NotTransferable.With("booklets", await ExplainAsync(stuck, from));
        }

        private Task<long> InsertAsync(Command command, Answer answer, CancellationToken ct) =>
            db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                AuthorityId = db.Caller.OrganisationId,
                answer.FromPointId,
                answer.ToPointId,
                answer.BookletCount,
                Comment = string.IsNullOrWhiteSpace(command.Comment) ? null : command.Comment.Trim(),
                SentDay = db.Today,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);

        private Task<long> InsertLineAsync(Answer answer, NumberedBooklet booklet, CancellationToken ct) =>
            db.ExecuteAsync(Sql.InsertLine, new
            {
                TransferId = answer.Id,
                Booklet = booklet.Number,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);

        private async Task<IReadOnlyList<Stuck>> ExplainAsync(IReadOnlyList<NumberedBooklet> stuck, string pointId)
        {
            var told = new List<Stuck>(stuck.Count);
            foreach (var booklet in stuck)
            {
                var state = await BookletState.ReadAsync(db, booklet.Order, booklet.Number);
                var why = TransferRefusals.WhyNot(state, pointId)
                    ?? throw new StoreUnavailableException("A booklet moved while it was sent.");
                told.Add(new(booklet.Number, Problems.Prefix + why.Code, why.Title, why.Detail));
            }

            return told;
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO transfers (id, authority_id, from_point_id, to_point_id, booklet_count, comment, sent_day,
                                   actor_id, recorded_ms, batch)
            VALUES (@Id, @AuthorityId, @FromPointId, @ToPointId, @BookletCount, @Comment, @SentDay,
                    @ActorId, @NowMs, @Batch)
            """;

        /// <summary>The part that the command has just taken is the last one of the booklet's story.</summary>
        public const string InsertLine = """
            INSERT INTO transfer_booklets (transfer_id, booklet, sent_part, actor_id, recorded_ms, batch)
            SELECT @TransferId,
                   b.booklet,
                   CAST(MAX(b.part) AS bigint),
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM booklet_entries b
             WHERE b.booklet = @Booklet
             GROUP BY b.booklet
            """;
    }
}

/// <summary>A point of the caller's collectivité; of any, for those who oversee.</summary>
internal sealed record CustodyPoint(
    string Id, string AuthorityId, string Name, string Channel, string Address, string Commune)
{
    public static Task<CustodyPoint?> FindAsync(Session db, string id, CancellationToken ct) =>
        db.FindAsync<CustodyPoint>(Sql.Find, new { Id = id, db.Caller.Scope }, ct);

    /// <summary>Those of a collectivité, by id.</summary>
    public static Task<IReadOnlyList<CustodyPoint>> ListAsync(Session db, string authorityId, CancellationToken ct) =>
        db.ListAsync<CustodyPoint>(Sql.List, new { AuthorityId = authorityId }, ct);

    private static class Sql
    {
        public const string Find = """
            SELECT id AS Id,
                   authority_id AS AuthorityId,
                   name AS Name,
                   channel AS Channel,
                   address AS Address,
                   commune AS Commune
              FROM distribution_points
             WHERE id = @Id AND (@Scope IS NULL OR authority_id = @Scope)
            """;

        public const string List = """
            SELECT id AS Id,
                   authority_id AS AuthorityId,
                   name AS Name,
                   channel AS Channel,
                   address AS Address,
                   commune AS Commune
              FROM distribution_points
             WHERE authority_id = @AuthorityId
             ORDER BY id
            """;
    }
}
