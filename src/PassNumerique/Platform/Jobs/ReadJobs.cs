using PassNumerique.Platform.Data;

namespace PassNumerique.Platform.Jobs;

/// <summary>
/// How far long work is, for the organisation that began it and the operator: percent, rate and time left, and a
/// link to what it made or to where it goes on.
/// </summary>
internal static class ReadJobs
{
    internal const Role Readers = Role.Operator | Role.Authority;

    /// <param name="Id">Of the job.</param>
    /// <param name="Kind"><c>code-export</c> or <c>order-file</c>.</param>
    /// <param name="State"><c>queued</c>, <c>running</c>, <c>done</c>, <c>failed</c> or <c>interrupted</c>.</param>
    /// <param name="Done">Pieces done.</param>
    /// <param name="Total">Pieces in all.</param>
    /// <param name="Percent">0 to 100, rounded down.</param>
    /// <param name="RatePerSecond">Pieces a second of the run under way, or of the last one.</param>
    /// <param name="SecondsLeft">While it runs.</param>
    /// <param name="By">A person's name or a key's label.</param>
    /// <param name="Link">What it made, or where an interrupted one goes on.</param>
    /// <param name="Error">Why it failed, and what to do.</param>
    internal sealed record Line(
        string Id, string Kind, string State, long Done, long Total, long Percent, long? RatePerSecond, long? SecondsLeft,
        string CreatedAt, string? StartedAt, string ChangedAt, string? By, string? Link, string? ErrorCode, string? Error);

    /// <summary>A job with who began it.</summary>
    internal sealed record Shown(Job Job, string? By);

    internal static void Map(IEndpointRouteBuilder api)
    {
        var jobs = api.MapGroup("/jobs");
        jobs.Get("/", Readers, ListAsync);
        jobs.Get("/{id}", Readers, async request =>
            await FindAsync(request) is { } shown ? Show(request, shown) : (Result<Line>)Problems.NotFound);
    }

    /// <summary>The newest first.</summary>
    internal static async Task<IReadOnlyList<Shown>> RowsAsync(Request request)
    {
        var before = request.After is null ? null : Ids.Normalise(request.After)
            ?? throw new InvalidRequestException("after", "Ce curseur n'est pas de cette liste.");
        var rows = await request.Session.ListAsync<Row>(
            Sql.List, new { request.Caller.Scope, Last = before, Take = request.Limit + 1 }, request.Aborted);
        return [.. rows.Select(row => row.ToShown())];
    }

    internal static async Task<Shown?> FindAsync(Request request) => (await request.Session.FindAsync<Row>(
        Sql.Find, new { Id = request.Id(), request.Caller.Scope }, request.Aborted))?.ToShown();

    internal static JobKind? KindOf(Request request, Job job) =>
        request.Service<IEnumerable<JobKind>>().FirstOrDefault(k => k.Name == job.Kind);

    private static async Task<Result<Page<Line>>> ListAsync(Request request) =>
        Page<Shown>.Of(await RowsAsync(request), request.Limit, shown => shown.Job.Id)
            .To(shown => Show(request, shown));

    private static Line Show(Request request, Shown shown)
    {
        var (job, by) = shown;
        var link = KindOf(request, job)?.Link(job);
        return new(
            job.Id, job.Kind, job.State, job.Done, job.Total, job.Percent, job.RatePerSecond, job.SecondsLeft,
            Clock.InstantText(job.CreatedMs), job.RunMs is { } ms ? Clock.InstantText(ms) : null,
            Clock.InstantText(job.ChangedMs), by, link is null ? null : Api.Root + link, job.ErrorCode, job.Error);
    }

    private sealed record Row(
        string Id, string Kind, string OrganisationId, string ActorId, string Role, string SubjectId, string State,
        long Run, long Done, long Total, long RunDone, long? RunMs, string? MadeId, string? ErrorCode, string? Error,
        long CreatedMs, long ChangedMs, string? MemberName, string? KeyLabel)
    {
        public Shown ToShown() => new(
            new(Id, Kind, OrganisationId, ActorId, Role, SubjectId, State, Run, Done, Total, RunDone, RunMs, MadeId,
                ErrorCode, Error, CreatedMs, ChangedMs),
            MemberName ?? KeyLabel);
    }

    private static class Sql
    {
        private const string Columns = """
            SELECT j.id AS Id,
                   j.kind AS Kind,
                   j.organisation_id AS OrganisationId,
                   j.actor_id AS ActorId,
                   j.role AS Role,
                   j.subject_id AS SubjectId,
                   j.state AS State,
                   j.run AS Run,
                   j.done AS Done,
                   j.total AS Total,
                   j.run_done AS RunDone,
                   j.run_ms AS RunMs,
                   j.made_id AS MadeId,
                   j.error_code AS ErrorCode,
                   j.error AS Error,
                   j.created_ms AS CreatedMs,
                   j.changed_ms AS ChangedMs,
                   m.name AS MemberName,
                   k.label AS KeyLabel
              FROM jobs j
              LEFT JOIN members m ON m.id = j.actor_id
              LEFT JOIN api_keys k ON k.id = j.actor_id
            """;

        public const string List = Columns + """

             WHERE (@Scope IS NULL OR j.organisation_id = @Scope) AND (@Last IS NULL OR j.id < @Last)
             ORDER BY j.id DESC
            {limit}
            """;

        public const string Find = Columns + """

             WHERE j.id = @Id AND (@Scope IS NULL OR j.organisation_id = @Scope)
            """;
    }
}
