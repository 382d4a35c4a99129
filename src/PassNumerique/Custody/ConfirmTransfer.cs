using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Custody;

/// <summary>
/// The receiving point counts what arrived: all of it, or the booklets named, with an explanation for those that are
/// missing. These stay in transit and may be confirmed later.
/// </summary>
internal static class ConfirmTransfer
{
    internal sealed record Command(
        IReadOnlyList<long>? BookletNumbers = null, IReadOnlyList<BookletRange>? Ranges = null, DateOnly? On = null,
        string? Explanation = null) : ICommand<Answer>
    {
        [JsonIgnore]
        public string TransferId { get; init; } = "";
    }

    /// <summary><paramref name="Missing"/> are the numbers of the booklets that are still on their way.</summary>
    internal sealed record Answer(
        string TransferId, long ReceivedNow, long ReceivedBooklets, IReadOnlyList<long> Missing, string State, string RecordedAt);

    internal static readonly Refusal DateOutOfRange = new("transfer-date-out-of-range", 409,
        "La date de réception n'est pas possible.", "Elle est au plus aujourd'hui, et pas avant le départ des carnets.");

    internal static void Map(IEndpointRouteBuilder transfers) => transfers
        .Post("/{id}/confirmation", Role.Agent | Role.Authority,
            (Command body, Request r) => body with { TransferId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.On).Must(d => d is null || d.Value.Year is >= 2000 and <= 2100)
                .WithMessage("Une date entre 2000 et 2100 est attendue.");
            RuleFor(c => c.Explanation).Note(400);
        }
    }

    internal sealed class Handler(Session db, OrderCards orders) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            if (await Transfer.FindAsync(db, command.TransferId, ct) is not { } transfer) return Problems.NotFound;
            if (!db.Caller.Reaches(transfer.ToPointId, Role.Agent)) return TransferRefusals.NotReceiver;
            if (transfer.State == "cancelled") return TransferRefusals.Cancelled;
            if (transfer.MissingBooklets == 0) return TransferRefusals.NothingLeft;
            var day = command.On?.ToDay() ?? db.Today;
            if (day < transfer.SentDay || day > db.Today)
                return DateOutOfRange.With("earliest", transfer.SentDay.ToDate()).With("latest", db.Today.ToDate());

            var waiting = (await Transfer.LinesAsync(db, transfer.Id, ct)).Where(l => l.Kind == 0).ToList();
            var chosen = await ChooseAsync(command, waiting);
            if (chosen.Refused is { } refused) return refused;
            var received = chosen.Value!;
            var missing = waiting.Where(l => !received.Contains(l)).Select(l => l.Booklet).ToList();
            var explanation = string.IsNullOrWhiteSpace(command.Explanation) ? null : command.Explanation.Trim();
            if (missing.Count > 0 && explanation is null)
                return TransferRefusals.Incomplete.With("missingBookletNumbers", missing).With("missing", missing.Count);

            await InsertAsync(transfer, received.Count, missing.Count, explanation, day, ct);
            foreach (var line in received)
            {
                if (!await Moves.EndAsync(
                    db, line.Booklet, line.SentPart, BookletKind.Arrival, transfer.ToPointId, day, ct))
                    throw new StoreUnavailableException("A booklet moved while its receipt was confirmed.");
            }

            var after = transfer with { ReceivedBooklets = transfer.ReceivedBooklets + received.Count };
            return new Answer(
                transfer.Id, received.Count, after.ReceivedBooklets, missing, after.State, Clock.InstantText(db.NowMs));
        }

        /// <summary>What is said to have arrived: everything, where no booklet is named.</summary>
        private async Task<Result<IReadOnlyList<Transfer.Line>>> ChooseAsync(Command command, List<Transfer.Line> waiting)
        {
            if (command.BookletNumbers is null && command.Ranges is null) return waiting;

            // Nothing at all arrived: an empty list says so, and its explanation is kept.
            if (command.BookletNumbers is { Count: 0 } && command.Ranges is null or { Count: 0 }) return new List<Transfer.Line>();
            var named = await BookletNumbers.FindAsync(
                db, orders, command.BookletNumbers, command.Ranges, db.Caller.OrganisationId);
            if (named.Refused is { } unknown) return unknown;
            var byNumber = waiting.ToDictionary(l => l.Booklet);
            var strangers = named.Value!.Where(b => !byNumber.ContainsKey(b.Number)).Select(b => b.Number).ToList();
            return strangers.Count > 0
                ? TransferRefusals.NotInTransfer.With("bookletNumbers", strangers)
                : named.Value!.Select(b => byNumber[b.Number]).ToList();
        }

        private Task<long> InsertAsync(
            Transfer transfer, long received, long missing, string? explanation, long day, CancellationToken ct) =>
            db.ExecuteAsync(Sql.Insert, new
            {
                TransferId = transfer.Id,
                ReceivedCount = received,
                MissingCount = missing,
                Explanation = missing == 0 ? null : explanation,
                ReceivedDay = day,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
    }

    private static class Sql
    {
        /// <summary>The next receipt; none after a cancellation, whose key is another table's.</summary>
        public const string Insert = """
            INSERT INTO transfer_receipts (transfer_id, position, received_count, missing_count, explanation,
                                           received_day, actor_id, recorded_ms, batch)
            SELECT @TransferId,
                   n.position + 1,
                   @ReceivedCount,
                   @MissingCount,
                   @Explanation,
                   @ReceivedDay,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(position), 0) AS bigint) AS position
                      FROM transfer_receipts
                     WHERE transfer_id = @TransferId) n
            """;
    }
}
