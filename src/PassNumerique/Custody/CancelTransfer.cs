using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Custody;

/// <summary>
/// A transfer given up by its sender before anything arrived: each booklet is where it was. A receipt at the same
/// moment takes the same part of the same stories, so that one of the two happens.
/// </summary>
internal static class CancelTransfer
{
    internal sealed record Command(string Reason) : ICommand<Answer>
    {
        [JsonIgnore]
        public string TransferId { get; init; } = "";
    }

    internal sealed record Answer(string TransferId, long BookletCount, string State, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder transfers) => transfers
        .Post("/{id}/cancellation", Role.Agent | Role.Authority,
            (Command body, Request r) => body with { TransferId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.Reason).Name(400);
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            if (await Transfer.FindAsync(db, command.TransferId, ct) is not { } transfer) return Problems.NotFound;
            if (!db.Caller.Reaches(transfer.FromPointId, Role.Agent)) return TransferRefusals.NotSender;
            if (transfer.State == "cancelled") return TransferRefusals.Cancelled;
            foreach (var line in await Transfer.LinesAsync(db, transfer.Id, ct))
            {
                if (!await Moves.EndAsync(
                    db, line.Booklet, line.SentPart, BookletKind.Kept, transfer.FromPointId, db.Today, ct))
                    return TransferRefusals.Begun;
            }

            await db.ExecuteAsync(Sql.Insert, new
            {
                TransferId = transfer.Id,
                Reason = command.Reason.Trim(),
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return new Answer(transfer.Id, transfer.BookletCount, "cancelled", Clock.InstantText(db.NowMs));
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO transfer_cancellations (transfer_id, reason, actor_id, recorded_ms, batch)
            VALUES (@TransferId, @Reason, @ActorId, @NowMs, @Batch)
            """;
    }
}
