using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Jobs;

namespace PassNumerique.Orders;

/// <summary>
/// The gate before every code that leaves the house, whatever its form: of each lot once freely, between approval
/// and activation, then only with a permission of two people, good for one export. Who takes them is on record
/// before the first byte leaves.
/// </summary>
internal static class RecordCodeExport
{
    /// <summary>How long a permission waits to be used.</summary>
    public const long PermissionMs = 7 * Clock.DayMs;

    internal sealed record Command(string Kind, string? PointId) : ICommand<Answer>
    {
        [JsonIgnore]
        public string OrderId { get; init; } = "";
    }

    internal sealed record Answer(string Id, string OrderId, long VoucherCount, long RecordedMs);

    internal static readonly Refusal NotAvailable = new("codes-not-available", 409,
        "Les codes de cette commande ne sont pas disponibles.",
        "Ils sortent entre son approbation et son activation.");

    internal static readonly Refusal PermissionNeeded = new("print-needs-permission", 409,
        "Ces codes sont déjà sortis : une autorisation est nécessaire.",
        "Demandez une réimpression en disant pourquoi ; une seconde personne la confirmera.");

    /// <summary>An export as long work: percent and time left, and where it goes on when it broke off.</summary>
    internal static readonly JobKind Job = new("code-export", "Codes pour l'impression", "pass",
        job => $"/orders/{job.SubjectId}/code-exports/{job.Id}/file", job => $"/commandes/{job.SubjectId}/impression");

    internal static readonly Refusal PrintedAtTheDesk = new("replacement-printed-at-desk", 409,
        "Un carnet de remplacement s'imprime au point qui le remet.",
        "Demandez « /replacements/{id}/vouchers.pdf » : chaque pass y porte ce qui restait de l'ancien.");

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db, JobDesk desk) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var order = await OrderSteps.FindAsync(db, command.OrderId, ct);
            if (order is null) return Problems.NotFound;
            var part = (await db.FindAsync<Part>(Sql.Part, command, ct))!;
            if (part.LotCount == 0) return Problems.NotFound;
            var steps = await OrderSteps.ListAsync(db, order.Id, ct);
            if (!CanLeave(steps)) return WhyNot(steps);

            // Papers that stand for others are active from the first moment, and printed where they are handed out.
            var isActive = steps.Any(s => s.Slot == OrderStep.Activated) && part.ReplacementCount == 0;
            if (part.ReplacementCount > 0 && command.Kind != PrintKind.Sheets.Name) return PrintedAtTheDesk;
            var permission = part.IsOut || isActive ? await FindPermissionAsync(command, ct) : null;
            if (permission is null && isActive) return WhyNot(steps);
            if (permission is null && part.IsOut) return PermissionNeeded;
            var answer = new Answer(Ids.New(), order.Id, part.VoucherCount, db.NowMs);
            return await InsertAsync(command, answer, permission, ct) ? answer : PermissionNeeded;
        }

        private Task<string?> FindPermissionAsync(Command command, CancellationToken ct) => db.FindAsync<string>(
            Sql.Permission, new
            {
                command.OrderId,
                command.Kind,
                command.PointId,
                db.Caller.OrganisationId,
                Since = db.NowMs - PermissionMs,
                Take = 1L,
            }, ct);

        /// <summary>False where the order moved on, or the permission went to somebody else.</summary>
        private async Task<bool> InsertAsync(Command command, Answer answer, string? permission, CancellationToken ct)
        {
            var args = new
            {
                ExportId = answer.Id,
                command.OrderId,
                command.Kind,
                command.PointId,
                answer.VoucherCount,
                RequestId = permission,
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
            if (await db.ExecuteAsync(Sql.Insert, args, ct) == 0) return false;
            if (permission is not null && await db.ExecuteAsync(Sql.Use, args, ct) == 0) return false;
            await db.ExecuteAsync(permission is null ? Sql.ReleaseFirst : Sql.ReleaseAgain, args, ct);
            await db.ExecuteAsync(Sql.Transfer, args, ct);
            await desk.BeginAsync(db, answer.Id, Job.Name, answer.OrderId, answer.VoucherCount, ct);
            return true;
        }
    }

    /// <summary>Approved and not cancelled: anything else is nobody's secret yet, or never one.</summary>
    internal static bool CanLeave(IReadOnlyList<TakenStep> steps) =>
        steps.Any(s => s.Slot == OrderStep.Approved) && steps.All(s => s.Step != OrderStep.Cancelled);

    internal static Refusal WhyNot(IReadOnlyList<TakenStep> steps)
    {
        if (steps.Any(s => s.Step == OrderStep.Cancelled)) return NotAvailable.Because("La commande est annulée.");
        return steps.Any(s => s.Slot == OrderStep.Activated)
            ? NotAvailable.Because("La commande est activée : ses codes valent de l'argent et ne sortent plus, sauf "
                + "réimpression demandée par une personne et confirmée par une autre.")
            : NotAvailable.Because("La commande n'est pas encore approuvée : demandez d'abord son approbation.");
    }

    /// <summary>
    /// The lots that are asked for, and how many of them are out. An export from before lots were noted counts for
    /// all of its order.
    /// </summary>
    private sealed record Part(
        long LotCount, long VoucherCount, long OutCount, long UnnotedCount, long ReplacementCount)
    {
        public bool IsOut => OutCount + UnnotedCount > 0;
    }

    private static class Sql
    {
        public const string Part = """
            SELECT CAST(COUNT(*) AS bigint) AS LotCount,
                   CAST(COALESCE(SUM(l.last_serial - l.first_serial + 1), 0) AS bigint) AS VoucherCount,
                   CAST(COALESCE(SUM(CASE WHEN r.export_id IS NULL THEN 0 ELSE 1 END), 0) AS bigint) AS OutCount,
                   (SELECT CAST(COUNT(*) AS bigint)
                      FROM code_exports e
                     WHERE e.order_id = @OrderId
                       AND NOT EXISTS (SELECT 1 FROM code_releases n WHERE n.export_id = e.id)) AS UnnotedCount,
                   (SELECT CAST(COUNT(*) AS bigint)
                      FROM replacement_orders p
                     WHERE p.order_id = @OrderId) AS ReplacementCount
              FROM lots l
              LEFT JOIN code_releases r ON r.order_id = l.order_id AND r.position = l.position AND r.turn = 1
             WHERE l.order_id = @OrderId AND (@PointId IS NULL OR l.point_id = @PointId)
            """;

        public const string Permission = """
            SELECT q.id
              FROM reprint_requests q
              JOIN reprints p ON p.request_id = q.id
             WHERE q.order_id = @OrderId
               AND q.organisation_id = @OrganisationId
               AND (q.kind IS NULL OR q.kind = @Kind)
               AND (q.point_id IS NULL OR q.point_id = @PointId)
               AND p.recorded_ms > @Since
               AND NOT EXISTS (SELECT 1 FROM reprint_uses u WHERE u.request_id = q.id)
             ORDER BY CASE WHEN q.point_id IS NULL THEN 1 ELSE 0 END, q.id
            {limit}
            """;

        public const string Insert = """
            INSERT INTO code_exports (id, order_id, kind, voucher_count, actor_id, recorded_ms, batch)
            SELECT @ExportId, @OrderId, @Kind, @VoucherCount, @ActorId, @NowMs, @Batch
             WHERE EXISTS (SELECT 1 FROM order_steps a WHERE a.order_id = @OrderId AND a.slot = 1)
               AND NOT EXISTS (SELECT 1
                                 FROM order_steps s
                                WHERE s.order_id = @OrderId
                                  AND (s.step = 'cancelled'
                                       OR (s.slot = 6 AND @RequestId IS NULL
                                           AND NOT EXISTS (SELECT 1
                                                             FROM replacement_orders p
                                                            WHERE p.order_id = @OrderId))))
            """;

        public const string Use = """
            INSERT INTO reprint_uses (request_id, export_id, actor_id, recorded_ms, batch)
            SELECT @RequestId, @ExportId, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM reprint_uses WHERE request_id = @RequestId)
            """;

        /// <summary>The key lets one of two at the same moment be the first.</summary>
        public const string ReleaseFirst = """
            INSERT INTO code_releases (order_id, position, turn, export_id, actor_id, recorded_ms, batch)
            SELECT l.order_id, l.position, 1, @ExportId, @ActorId, @NowMs, @Batch
              FROM lots l
             WHERE l.order_id = @OrderId AND (@PointId IS NULL OR l.point_id = @PointId)
            """;

        public const string ReleaseAgain = """
            INSERT INTO code_releases (order_id, position, turn, export_id, actor_id, recorded_ms, batch)
            SELECT l.order_id, l.position,
                   1 + (SELECT COALESCE(MAX(r.turn), 0)
                          FROM code_releases r
                         WHERE r.order_id = l.order_id AND r.position = l.position),
                   @ExportId, @ActorId, @NowMs, @Batch
              FROM lots l
             WHERE l.order_id = @OrderId AND (@PointId IS NULL OR l.point_id = @PointId)
            """;

        public const string Transfer = """
            INSERT INTO code_transfers (export_id, part, from_byte, actor_id, recorded_ms, batch)
            VALUES (@ExportId, 1, 0, @ActorId, @NowMs, @Batch)
            """;
    }
}
