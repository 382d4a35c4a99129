using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Jobs;

namespace PassNumerique.Orders;

/// <summary>
/// One short command makes the order of a file whose lines are all staged: its serials, its lots in one statement,
/// and the note of the file by which it is recognised. Until then nothing of it counts; after it, all.
/// </summary>
internal static class PlaceOrderFile
{
    private const int MaxTries = 3;

    internal sealed record Command(string JobId) : ICommand<PlaceOrder.Answer>;

    internal static readonly Refusal Incomplete = new("order-file-incomplete", 409,
        "L'envoi de ce fichier s'est interrompu avant sa dernière ligne.", "Rien n'est commandé : renvoyez le fichier.");

    internal static readonly Refusal AlreadyOrdered = new("order-file-known", 409,
        "Ce fichier a déjà donné une commande.",
        "Consultez-la ; pour en passer une autre, changez la vague ou la campagne.");

    /// <summary>An order file as long work, gone on with by the service itself after a crash.</summary>
    internal static readonly JobKind Job = new("order-file", "Commande par fichier", "lignes",
        job => job.MadeId is { } id ? $"/orders/{id}" : null, job => job.MadeId is { } id ? $"/commandes/{id}" : null)
    {
        RunAsync = RunAsync,
        TidyAsync = (services, ct) => services.GetRequiredService<StageOrderFile>().TidyAsync(ct),
    };

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db, ConventionCards conventions, KeyRing keys)
        : IRequestHandler<Command, Result<PlaceOrder.Answer>>
    {
        public async Task<Result<PlaceOrder.Answer>> Handle(Command command, CancellationToken ct)
        {
            var staged = await db.FindAsync<Staged>(Sql.Staged, command, ct);
            if (staged is null || staged.StagedLines != staged.LineCount || staged.StagedBooklets != staged.BookletCount)
                return Incomplete;
            var order = new PlaceOrder.Command(
                staged.ConventionId, staged.BookletCount, staged.VouchersPerBooklet, staged.ValidUntilDay.ToDate(), [],
                staged.Campaign, staged.Wave, staged.Comment);
            return await new PlaceOrder.Handler(db, conventions, keys).PlaceAsync(
                order, (convention, placed) => FillAsync(command, staged, convention.AuthorityId, placed, ct), ct);
        }

        private async Task<Refusal?> FillAsync(
            Command command, Staged staged, string authorityId, PlaceOrder.Answer order, CancellationToken ct)
        {
            var args = new
            {
                command.JobId,
                OrderId = order.Id,
                order.FirstSerial,
                staged.VouchersPerBooklet,
                staged.LineCount,
                staged.Fingerprint,
                AuthorityId = authorityId,
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
            if (await db.ExecuteAsync(Sql.InsertLots, args, ct) != staged.LineCount) return PlaceOrder.PointUnknown;
            if (await db.ExecuteAsync(Sql.InsertFile, args, ct) == 0) return AlreadyOrdered;
            await JobDesk.FinishAsync(db, command.JobId, order.Id, ct);
            return null;
        }
    }

    /// <summary>As the one who sent the file. What the terms or the budget refuse by now fails the job.</summary>
    private static async Task RunAsync(IServiceProvider services, Job job, CancellationToken ct)
    {
        services.GetRequiredService<Session>().Caller =
            new(job.ActorId, Roles.Parse(job.Role), job.OrganisationId, [], "");
        var made = await PlaceAsync(services.GetRequiredService<IMediator>(), job, ct);
        if (made.Refused is { } refusal) await services.GetRequiredService<JobDesk>().FailAsync(job, refusal);
        await services.GetRequiredService<StageOrderFile>().DropAsync(job.Id);
    }

    /// <summary>Terms that were amended in between are read anew.</summary>
    private static async Task<Result<PlaceOrder.Answer>> PlaceAsync(IMediator mediator, Job job, CancellationToken ct)
    {
        for (var tries = 1; ; tries++)
        {
            var made = await mediator.Send(new Command(job.Id), ct);
            if (tries == MaxTries || made.Refused?.Code != AmendConvention.AmendedMeanwhile.Code) return made;
        }
    }

    private sealed record Staged(
        string ConventionId, string Fingerprint, long LineCount, long BookletCount, long VouchersPerBooklet,
        long ValidUntilDay, string? Campaign, string? Wave, string? Comment, long StagedLines, long StagedBooklets);

    private static class Sql
    {
        public const string Staged = """
            SELECT g.convention_id AS ConventionId,
                   g.fingerprint AS Fingerprint,
                   g.line_count AS LineCount,
                   g.booklet_count AS BookletCount,
                   g.vouchers_per_booklet AS VouchersPerBooklet,
                   g.valid_until_day AS ValidUntilDay,
                   g.campaign AS Campaign,
                   g.wave AS Wave,
                   g.comment AS Comment,
                   (SELECT CAST(COUNT(*) AS bigint) FROM order_file_lines n WHERE n.job_id = g.job_id) AS StagedLines,
                   (SELECT CAST(COALESCE(SUM(b.booklet_count), 0) AS bigint)
                      FROM order_file_lines b
                     WHERE b.job_id = g.job_id) AS StagedBooklets
              FROM order_file_stagings g
             WHERE g.job_id = @JobId
            """;

        public const string InsertLots = """
            INSERT INTO lots (order_id, position, first_serial, last_serial, booklet_count, pic_booklets, point_id,
                              actor_id, recorded_ms, batch)
            SELECT @OrderId, s.position,
                   @FirstSerial + s.booklets_before * @VouchersPerBooklet,
                   @FirstSerial + (s.booklets_before + s.booklet_count) * @VouchersPerBooklet - 1,
                   s.booklet_count, s.pic_booklets, p.id, @ActorId, @NowMs, @Batch
              FROM order_file_lines s
              JOIN distribution_points p ON p.id = s.point_id
             WHERE s.job_id = @JobId AND p.authority_id = @AuthorityId
            """;

        /// <summary>The key lets one of two at the same moment be the next turn.</summary>
        public const string InsertFile = """
            INSERT INTO order_files (fingerprint, turn, order_id, line_count, actor_id, recorded_ms, batch)
            SELECT @Fingerprint,
                   1 + (SELECT COALESCE(MAX(f.turn), 0) FROM order_files f WHERE f.fingerprint = @Fingerprint),
                   @OrderId, @LineCount, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1
                                 FROM order_files k
                                WHERE k.fingerprint = @Fingerprint
                                  AND NOT EXISTS (SELECT 1
                                                    FROM order_steps s
                                                   WHERE s.order_id = k.order_id AND s.step = 'cancelled'))
            """;
    }
}
