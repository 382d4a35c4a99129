using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Jobs;

namespace PassNumerique.Orders;

/// <summary>The last byte of an export is about to leave: from here on, the same codes need a permission.</summary>
internal static class CompleteCodeExport
{
    internal sealed record Command(string ExportId, long ByteCount) : ICommand<Answer>;

    internal sealed record Answer(string ExportId);

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            await db.ExecuteAsync(Sql.Insert, new
            {
                command.ExportId,
                command.ByteCount,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);

            // A run that was superseded may have ended it a moment ago, or it is the end that is fetched once more.
            await JobDesk.FinishAsync(db, command.ExportId, madeId: null, ct);
            return new Answer(command.ExportId);
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO code_export_ends (export_id, byte_count, voucher_count, actor_id, recorded_ms, batch)
            SELECT e.id, @ByteCount, e.voucher_count, @ActorId, @NowMs, @Batch
              FROM code_exports e
             WHERE e.id = @ExportId
               AND NOT EXISTS (SELECT 1 FROM code_export_ends d WHERE d.export_id = e.id)
            """;
    }
}
