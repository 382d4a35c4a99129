using PassNumerique.Platform.Data;

namespace PassNumerique.Platform.Jobs;

/// <summary>
/// The rows of jobs: begun inside the command that they belong to, kept by the process that does the work. A row
/// names its owner and an instant until which he is believed to live; who does not say so anew loses it.
/// </summary>
internal sealed class JobDesk(Database database, TimeProvider clock)
{
    private const long LeaseMs = 30_000;
    private const long AtOnce = 100;

    private readonly SemaphoreSlim _waiting = new(0);

    /// <summary>This process, among those that may work on the same store.</summary>
    public string OwnerId { get; } = Ids.New();

    /// <summary>Whether other processes work on the same store.</summary>
    public bool IsShared => database.Version is null;

    /// <summary>Of the store or the network: the same may succeed in a moment.</summary>
    public bool MayPass(Exception e) =>
        e is StoreUnavailableException or OutcomeUnknownException || database.IsTransient(e);

    /// <summary>Inside a command: a job that runs from now on, in this process, for whoever asks.</summary>
    public Task BeginAsync(Session db, string id, string kind, string subjectId, long total, CancellationToken ct) =>
        db.ExecuteAsync(Sql.Insert, new
        {
            Id = id,
            Kind = kind,
            db.Caller.OrganisationId,
            db.ActorId,
            Role = Roles.Code(db.Caller.Role),
            SubjectId = subjectId,
            Total = total,
            OwnerId,
            LeaseMs = db.NowMs + LeaseMs,
            db.NowMs,
        }, ct);

    /// <summary>Inside a command: the next run of a job; its number, by which a former run knows that it is over.</summary>
    public async Task<long> BeginAgainAsync(Session db, string id, long done, CancellationToken ct)
    {
        await db.ExecuteAsync(
            Sql.BeginAgain, new { Id = id, Done = done, OwnerId, LeaseMs = db.NowMs + LeaseMs, db.NowMs }, ct);
        return await db.FindAsync<long>(Sql.Run, new { Id = id }, ct);
    }

    /// <summary>Inside a command: it waits for whoever works off what waits.</summary>
    public static Task QueueAsync(Session db, string id, CancellationToken ct) =>
        db.ExecuteAsync(Sql.Queue, new { Id = id, db.NowMs }, ct);

    /// <summary>Inside a command: it is done, and made something.</summary>
    public static Task FinishAsync(Session db, string id, string? madeId, CancellationToken ct) =>
        db.ExecuteAsync(Sql.Finish, new { Id = id, MadeId = madeId, db.NowMs }, ct);

    /// <summary>Something waits, as of a commit that is behind us.</summary>
    public void Wake() => _waiting.Release();

    /// <summary>Until something waits, or so long.</summary>
    public Task WaitAsync(TimeSpan pause, CancellationToken ct) => _waiting.WaitAsync(pause, ct);

    /// <summary>How far a run is; false where it is no longer the one that counts.</summary>
    public async Task<bool> TellAsync(string id, long run, long done) => await WriteAsync(db => db.ExecuteAsync(
        Sql.Tell, new { Id = id, Run = run, Done = done, LeaseMs = db.NowMs + LeaseMs, db.NowMs })) == 1;

    /// <summary>A run stopped before its end, at a point from which somebody may have it go on.</summary>
    public Task InterruptAsync(string id, long run, long done) => WriteAsync(db => db.ExecuteAsync(Sql.Stop, new
    {
        Id = id,
        Run = run,
        Done = done,
        State = JobState.Interrupted,
        ErrorCode = (string?)null,
        Error = (string?)null,
        db.NowMs,
    }));

    /// <summary>A run that the business refused, or that broke.</summary>
    public Task FailAsync(Job job, Refusal refusal) => WriteAsync(db => db.ExecuteAsync(Sql.Stop, new
    {
        job.Id,
        job.Run,
        job.Done,
        State = JobState.Failed,
        ErrorCode = refusal.Code,
        Error = refusal.Detail.Length == 0 ? refusal.Title : $"{refusal.Title} {refusal.Detail}",
        db.NowMs,
    }));

    /// <summary>
    /// Jobs of processes that are gone: what goes on by itself waits again, the rest is interrupted. One process
    /// owns an embedded store, so all other owners are gone; on a server, those whose lease lapsed.
    /// </summary>
    public async Task ReclaimAsync(Func<string, bool> goesOnByItself, CancellationToken ct)
    {
        var db = NewSession();
        var args = new { OwnerId, db.NowMs, Alone = IsShared ? 0L : 1L, Take = AtOnce };
        foreach (var orphan in await db.ListAsync<Orphan>(Sql.Orphans, args, ct))
        {
            var state = goesOnByItself(orphan.Kind) ? JobState.Queued : JobState.Interrupted;
            await WriteAsync(s => s.ExecuteAsync(Sql.Reclaim, new { orphan.Id, orphan.Run, State = state, s.NowMs }));
        }
    }

    /// <summary>The job that waits longest, now in the hands of this process; null where none waits.</summary>
    public async Task<Job?> ClaimAsync(CancellationToken ct)
    {
        var db = NewSession();
        foreach (var waiting in await db.ListAsync<string>(Sql.Waiting, new { Take = AtOnce }, ct))
        {
            var claimed = await WriteAsync(s => s.ExecuteAsync(
                Sql.Claim, new { Id = waiting, OwnerId, LeaseMs = s.NowMs + LeaseMs, s.NowMs }));
            if (claimed == 1) return await db.FindAsync<Job>(Sql.Find, new { Id = waiting }, ct);
        }

        return null;
    }

    private Session NewSession() => new(database, clock);

    private async Task<long> WriteAsync(Func<Session, Task<long>> write)
    {
        var db = NewSession();
        return (await database.CommandAsync(db, async () => new Result<long>(await write(db), null))).Value;
    }

    private sealed record Orphan(string Id, string Kind, long Run);

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO jobs (id, kind, organisation_id, actor_id, role, subject_id, state, run, done, total, run_done,
                              run_ms, owner_id, lease_ms, made_id, error_code, error, created_ms, changed_ms)
            VALUES (@Id, @Kind, @OrganisationId, @ActorId, @Role, @SubjectId, 'running', 1, 0, @Total, 0,
                    @NowMs, @OwnerId, @LeaseMs, NULL, NULL, NULL, @NowMs, @NowMs)
            """;

        public const string BeginAgain = """
            UPDATE jobs
               SET state = 'running',
                   run = run + 1,
                   done = @Done,
                   run_done = @Done,
                   run_ms = @NowMs,
                   owner_id = @OwnerId,
                   lease_ms = @LeaseMs,
                   changed_ms = @NowMs
             WHERE id = @Id
            """;

        public const string Run = """
            SELECT run
              FROM jobs
             WHERE id = @Id
            """;

        public const string Queue = """
            UPDATE jobs
               SET state = 'queued',
                   owner_id = NULL,
                   lease_ms = NULL,
                   changed_ms = @NowMs
             WHERE id = @Id
            """;

        public const string Finish = """
            UPDATE jobs
               SET state = 'done',
                   done = total,
                   made_id = @MadeId,
                   owner_id = NULL,
                   lease_ms = NULL,
                   changed_ms = @NowMs
             WHERE id = @Id
            """;

        public const string Tell = """
            UPDATE jobs
               SET done = @Done,
                   lease_ms = @LeaseMs,
                   changed_ms = @NowMs
             WHERE id = @Id AND run = @Run AND state = 'running'
            """;

        public const string Stop = """
            UPDATE jobs
               SET state = @State,
                   done = @Done,
                   error_code = @ErrorCode,
                   error = @Error,
                   owner_id = NULL,
                   lease_ms = NULL,
                   changed_ms = @NowMs
             WHERE id = @Id AND run = @Run AND state = 'running'
            """;

        public const string Orphans = """
            SELECT id AS Id,
                   kind AS Kind,
                   run AS Run
              FROM jobs
             WHERE state = 'running' AND (lease_ms < @NowMs OR (@Alone = 1 AND owner_id <> @OwnerId))
             ORDER BY id
            {limit}
            """;

        public const string Reclaim = """
            UPDATE jobs
               SET state = @State,
                   owner_id = NULL,
                   lease_ms = NULL,
                   changed_ms = @NowMs
             WHERE id = @Id AND run = @Run AND state = 'running'
            """;

        public const string Waiting = """
            SELECT id
              FROM jobs
             WHERE state = 'queued'
             ORDER BY id
            {limit}
            """;

        public const string Claim = """
            UPDATE jobs
               SET state = 'running',
                   run = run + 1,
                   run_done = done,
                   run_ms = @NowMs,
                   owner_id = @OwnerId,
                   lease_ms = @LeaseMs,
                   changed_ms = @NowMs
             WHERE id = @Id AND state = 'queued'
            """;

        public const string Find = """
            SELECT id AS Id,
                   kind AS Kind,
                   organisation_id AS OrganisationId,
                   actor_id AS ActorId,
                   role AS Role,
                   subject_id AS SubjectId,
                   state AS State,
                   run AS Run,
                   done AS Done,
                   total AS Total,
                   run_done AS RunDone,
                   run_ms AS RunMs,
                   made_id AS MadeId,
                   error_code AS ErrorCode,
                   error AS Error,
                   created_ms AS CreatedMs,
                   changed_ms AS ChangedMs
              FROM jobs
             WHERE id = @Id
            """;
    }
}
