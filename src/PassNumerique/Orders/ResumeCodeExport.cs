using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Jobs;

namespace PassNumerique.Orders;

/// <summary>
/// A transfer that broke off goes on, for the organisation that began it, within a day and until the file left
/// whole once: the same codes to the same hands, so no new permission; who goes on, and from which byte, is on
/// record before a byte leaves. The very end may be fetched once more even then: it is on record before the last byte
/// leaves, and whoever the process died under would else miss that byte.
/// </summary>
internal static class ResumeCodeExport
{
    public const long OpenMs = Clock.DayMs;

    /// <summary>What may be fetched once more of a file that left whole: a few dozen codes, never its beginning.</summary>
    public const long TailBytes = 4_096;

    private const long MaxParts = 1_000;

    internal sealed record Command(string ExportId, long FromByte) : ICommand<Answer>
    {
        /// <summary>How many passes lie before that byte, as far as anybody knows: where the bar begins.</summary>
        [JsonIgnore]
        public long Done { get; init; }
    }

    /// <summary>The number of this run of the job.</summary>
    internal sealed record Answer(string ExportId, long Run);

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db, JobDesk desk) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var resumed = await db.ExecuteAsync(Sql.Insert, new
            {
                command.ExportId,
                command.FromByte,
                MaxParts,
                TailBytes,
                db.Caller.OrganisationId,
                Since = db.NowMs - OpenMs,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (resumed == 1)
                return new Answer(command.ExportId, await desk.BeginAgainAsync(db, command.ExportId, command.Done, ct));
            var orderId = await db.FindAsync<string>(
                Sql.Order, new { command.ExportId, db.Caller.OrganisationId }, ct);
            return orderId is null ? Problems.NotFound : await WhyNotAsync(orderId, ct);
        }

        private async Task<Refusal> WhyNotAsync(string orderId, CancellationToken ct)
        {
            var steps = await OrderSteps.ListAsync(db, orderId, ct);
            var isOpen = RecordCodeExport.CanLeave(steps) && steps.All(s => s.Slot != OrderStep.Activated);
            return isOpen ? RecordCodeExport.PermissionNeeded : RecordCodeExport.WhyNot(steps);
        }
    }

    private static class Sql
    {
        /// <summary>The key lets one of two at the same moment be the next part; the other one asks again.</summary>
        public const string Insert = """
            INSERT INTO code_transfers (export_id, part, from_byte, actor_id, recorded_ms, batch)
            SELECT e.id,
                   1 + (SELECT COALESCE(MAX(t.part), 0) FROM code_transfers t WHERE t.export_id = @ExportId),
                   @FromByte, @ActorId, @NowMs, @Batch
              FROM code_exports e
              JOIN jobs j ON j.id = e.id
             WHERE e.id = @ExportId
               AND e.recorded_ms > @Since
               AND j.organisation_id = @OrganisationId
               AND NOT EXISTS (SELECT 1
                                 FROM code_export_ends d
                                WHERE d.export_id = e.id
                                  AND (@FromByte = 0 OR @FromByte < d.byte_count - @TailBytes))
               AND NOT EXISTS (SELECT 1 FROM code_transfers m WHERE m.export_id = e.id AND m.part >= @MaxParts)
               AND NOT EXISTS (SELECT 1
                                 FROM order_steps s
                                WHERE s.order_id = e.order_id
                                  AND (s.step = 'cancelled'
                                       OR (s.slot = 6
                                           AND NOT EXISTS (SELECT 1 FROM reprint_uses u WHERE u.export_id = e.id))))
            """;

        public const string Order = """
            SELECT e.order_id
              FROM code_exports e
              JOIN jobs j ON j.id = e.id
             WHERE e.id = @ExportId AND j.organisation_id = @OrganisationId
            """;
    }
}
