using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Jobs;

namespace PassNumerique.Orders;

/// <summary>
/// The lines of an order file on their way in: staged in small commands under a job, where they count for nothing,
/// then left to wait for the one that makes the order of them. A crash leaves lines that the next start removes, or
/// all of them, and then the order is made.
/// </summary>
internal sealed class StageOrderFile(Session db, JobDesk desk)
{
    private const int LinesAtOnce = 200;
    private const long MaxStagings = 100;

    internal static readonly Refusal TooMany = new("too-many-order-files", 503,
        "Trop de fichiers de commande sont en cours de traitement.", "Renvoyez le fichier dans quelques minutes.")
    {
        RetryAfterSeconds = 60,
    };

    /// <summary>What became of a file that comes again, as far as anything did.</summary>
    internal sealed record Known(string? OrderId, string? JobId);

    /// <summary>The order that was made of the same file and not cancelled, or the job that is at it.</summary>
    public async Task<Known?> FindKnownAsync(string fingerprint, CancellationToken ct)
    {
        var args = new { Fingerprint = fingerprint };
        if (await db.FindAsync<string>(Sql.Order, args, ct) is { } orderId) return new(orderId, null);
        return await db.FindAsync<string>(Sql.Job, args, ct) is { } jobId ? new(null, jobId) : null;
    }

    /// <summary>All lines of a file that holds; the id of its job, or of that of its twin which came first.</summary>
    public async Task<Result<Known>> StageAsync(
        OrderFileHead head, string fingerprint, IReadOnlyList<OrderFileShare> shares)
    {
        var jobId = Ids.New();
        var over = await db.ListAsync<string>(Sql.Over, new { Fingerprint = fingerprint });
        foreach (var id in over) await DropAsync(id);
        var begun = await BeginAsync(jobId, head, fingerprint, shares);
        if (begun.IsRefused || begun.Value!.JobId != jobId) return begun.AsReplay();
        await using var progress = new JobProgress(desk, jobId, run: 1, done: 0, CancellationToken.None);
        var before = 0L;
        foreach (var (chunk, index) in shares.Chunk(LinesAtOnce).Select((c, i) => (c, i)))
        {
            before = await InsertAsync(jobId, chunk, index * (long)LinesAtOnce, before);
            progress.Report((index * (long)LinesAtOnce) + chunk.Length);
        }

        await db.TransactAsync(async () =>
        {
            await JobDesk.QueueAsync(db, jobId, default);
            return new Result<Known>(begun.Value, null);
        });
        desk.Wake();
        return begun;
    }

    /// <summary>Takes away the lines of a job and what it said of them, some at a time.</summary>
    public async Task DropAsync(string jobId)
    {
        for (var position = 0L; ; position += LinesAtOnce)
        {
            var args = new { JobId = jobId, Through = position + LinesAtOnce };
            var left = await db.TransactAsync(async () =>
            {
                await db.ExecuteAsync(Sql.DropLines, args);
                return new Result<long>(await db.ExecuteAsync(Sql.Drop, args) == 1 ? 0 : 1, null);
            });
            if (left.Value == 0 || position > OrderFile.MaxPoints) return;
        }
    }

    /// <summary>What jobs left behind that are over.</summary>
    public async Task TidyAsync(CancellationToken ct)
    {
        var over = await db.ListAsync<string>(Sql.LeftBehind, new { Take = MaxStagings }, ct);
        foreach (var id in over) await DropAsync(id);
    }

    /// <summary>The key lets one of two uploads of the same file in; the other one hears of it.</summary>
    private Task<Result<Known>> BeginAsync(
        string jobId, OrderFileHead head, string fingerprint, IReadOnlyList<OrderFileShare> shares) =>
        db.TransactAsync<Result<Known>>(async () =>
        {
            if (await FindKnownAsync(fingerprint, default) is { } known) return known;
            if (await db.FindAsync<long>(Sql.Count, new { }) >= MaxStagings) return TooMany;
            await desk.BeginAsync(db, jobId, PlaceOrderFile.Job.Name, head.ConventionId, shares.Count, default);
            await db.ExecuteAsync(Sql.Insert, new
            {
                JobId = jobId,
                Fingerprint = fingerprint,
                head.ConventionId,
                LineCount = (long)shares.Count,
                BookletCount = shares.Sum(s => s.Booklets),
                head.VouchersPerBooklet,
                ValidUntilDay = head.ValidUntil.ToDay(),
                head.Campaign,
                head.Wave,
                head.Comment,
            });
            return new Known(null, jobId);
        });

    /// <summary>A chunk, and the number of booklets before the next one.</summary>
    private async Task<long> InsertAsync(string jobId, OrderFileShare[] chunk, long position, long before)
    {
        await db.TransactAsync(async () =>
        {
            var (at, booklets) = (position, before);
            foreach (var share in chunk)
            {
                await db.ExecuteAsync(Sql.InsertLine, new
                {
                    JobId = jobId,
                    Position = ++at,
                    share.PointId,
                    BookletsBefore = booklets,
                    BookletCount = share.Booklets,
                    share.PicBooklets,
                });
                booklets += share.Booklets;
            }

            return new Result<long>(booklets, null);
        });
        return before + chunk.Sum(s => s.Booklets);
    }

    private static class Sql
    {
        public const string Order = """
            SELECT f.order_id
              FROM order_files f
             WHERE f.fingerprint = @Fingerprint
               AND NOT EXISTS (SELECT 1
                                 FROM order_steps s
                                WHERE s.order_id = f.order_id AND s.step = 'cancelled')
            """;

        public const string Job = """
            SELECT g.job_id
              FROM order_file_stagings g
              JOIN jobs j ON j.id = g.job_id
             WHERE g.fingerprint = @Fingerprint AND j.state IN ('queued', 'running')
            """;

        public const string Count = """
            SELECT CAST(COUNT(*) AS bigint) AS StagingCount
              FROM order_file_stagings
            """;

        public const string Insert = """
            INSERT INTO order_file_stagings (job_id, fingerprint, convention_id, line_count, booklet_count,
                                             vouchers_per_booklet, valid_until_day, campaign, wave, comment)
            VALUES (@JobId, @Fingerprint, @ConventionId, @LineCount, @BookletCount,
                    @VouchersPerBooklet, @ValidUntilDay, @Campaign, @Wave, @Comment)
            """;

        /// <summary>A chunk that is sent once more finds its lines there.</summary>
        public const string InsertLine = """
            INSERT INTO order_file_lines (job_id, position, point_id, booklets_before, booklet_count, pic_booklets)
            SELECT @JobId, @Position, @PointId, @BookletsBefore, @BookletCount, @PicBooklets
             WHERE NOT EXISTS (SELECT 1 FROM order_file_lines WHERE job_id = @JobId AND position = @Position)
            """;

        public const string DropLines = """
            DELETE FROM order_file_lines
             WHERE job_id = @JobId AND position <= @Through
            """;

        public const string Drop = """
            DELETE FROM order_file_stagings
             WHERE job_id = @JobId
               AND NOT EXISTS (SELECT 1 FROM order_file_lines WHERE job_id = @JobId)
            """;

        /// <summary>At most one, by its key: a file that failed, and comes again before it was tidied away.</summary>
        public const string Over = """
            SELECT g.job_id
              FROM order_file_stagings g
              JOIN jobs j ON j.id = g.job_id
             WHERE g.fingerprint = @Fingerprint AND j.state IN ('done', 'failed', 'interrupted')
            """;

        public const string LeftBehind = """
            SELECT g.job_id
              FROM order_file_stagings g
              JOIN jobs j ON j.id = g.job_id
             WHERE j.state IN ('done', 'failed', 'interrupted')
             ORDER BY g.job_id
            {limit}
            """;
    }
}
