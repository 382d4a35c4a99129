using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Conventions;

/// <summary>
/// Conventions as their parties read them: the collectivité its own, a hub those it follows, the overseers
/// all. One is shown with every version of its terms and where its money stands.
/// </summary>
internal static class ReadConventions
{
    public const Role Readers = Role.Overseers | Role.Authority | Role.Hub;

    internal sealed record Line(
        string Id, string Reference, string AuthorityId, string AuthorityName, string? HubId, string? Program,
        DateOnly StartsOn, DateOnly EndsOn, long Version, Balances Balances);

    internal sealed record Detail(
        string Id, string Reference, Party Authority, Party? Hub, string RecordedAt, long VersionInForce,
        IReadOnlyList<Version> Versions, Balances Balances);

    internal sealed record Party(string Id, string Name, string? Siret);

    internal sealed record Version(
        long Number, string Reference, DateOnly SignedOn, DateOnly EffectiveFrom, string RecordedAt, Terms Terms);

    /// <summary>Cents; <paramref name="LeftCents"/> is what can still be ordered.</summary>
    internal sealed record Balances(
        long BudgetCents, long OrderedCents, long LeftCents, long ReceivedCents, long DerogatedCents,
        long CommittedCents);

    internal static void Map(IEndpointRouteBuilder conventions)
    {
        conventions.Get("/", Readers, ListAsync);
        conventions.Get("/{id}", Readers, FindAsync);
    }

    internal static async Task<Result<Page<Line>>> ListAsync(Request request)
    {
        var rows = await request.Session.ListAsync<LineRow>(Sql.List, new
        {
            request.Caller.Scope,
            request.After,
            Take = request.Limit + 1,
        }, request.Aborted);
        return Page<Line>.Of([.. rows.Select(Show)], request.Limit, line => line.Id);
    }

    private static async Task<Result<Detail>> FindAsync(Request request)
    {
        var args = new { Id = request.Id(), request.Caller.Scope };
        var session = request.Session;
        var row = await session.FindAsync<DetailRow>(Sql.Find, args, request.Aborted);
        if (row is null) return Problems.NotFound;
        var rows = await session.ListAsync<VersionRow>(Sql.Versions, args, request.Aborted);
        var versions = rows.Select(Show).ToList();
        var today = session.Today.ToDate();
        return new Detail(
            row.Id,
            row.Reference,
            new(row.AuthorityId, row.AuthorityName, row.AuthoritySiret),
            row.HubId is null ? null : new(row.HubId, row.HubName!, null),
            Clock.InstantText(row.RecordedMs),
            (versions.LastOrDefault(v => v.EffectiveFrom <= today) ?? versions[0]).Number,
            versions,
            Show(row.BudgetCents, row.OrderedCents, row.ReceivedCents, row.DerogatedCents, row.CommittedCents));
    }

    private static Line Show(LineRow row)
    {
        var terms = Terms.Parse(row.Document);
        return new(
            row.Id, row.Reference, row.AuthorityId, row.AuthorityName, row.HubId, terms.Program, terms.StartsOn,
            terms.EndsOn, row.Version,
            Show(row.BudgetCents, row.OrderedCents, row.ReceivedCents, row.DerogatedCents, row.CommittedCents));
    }

    private static Version Show(VersionRow row) => new(
        row.Version, row.Reference, row.SignedDay.ToDate(), row.EffectiveDay.ToDate(),
        Clock.InstantText(row.RecordedMs), Terms.Parse(row.Document));

    private static Balances Show(long budget, long ordered, long received, long derogated, long committed) =>
        new(budget, ordered, budget - ordered, received, derogated, committed);

    private sealed record LineRow(
        string Id, string Reference, string AuthorityId, string AuthorityName, string? HubId, long Version,
        string Document, long BudgetCents, long OrderedCents, long ReceivedCents, long DerogatedCents,
        long CommittedCents);

    private sealed record DetailRow(
        string Id, string Reference, string AuthorityId, string AuthorityName, string? AuthoritySiret,
        string? HubId, string? HubName, long RecordedMs, long BudgetCents, long OrderedCents, long ReceivedCents,
        long DerogatedCents, long CommittedCents);

    private sealed record VersionRow(
        long Version, string Reference, long SignedDay, long EffectiveDay, string Document, long RecordedMs);

    private static class Sql
    {
        public const string List = """
            SELECT c.id AS Id,
                   c.reference AS Reference,
                   c.authority_id AS AuthorityId,
                   a.name AS AuthorityName,
                   c.hub_id AS HubId,
                   t.version AS Version,
                   t.terms AS Document,
                   b.budget_cents AS BudgetCents,
                   b.ordered_cents AS OrderedCents,
                   b.received_cents AS ReceivedCents,
                   b.derogated_cents AS DerogatedCents,
                   b.committed_cents AS CommittedCents
              FROM conventions c
              JOIN organisations a ON a.id = c.authority_id
              JOIN convention_balances b ON b.convention_id = c.id
              JOIN convention_terms t ON t.convention_id = c.id
             WHERE t.version = (SELECT MAX(v.version) FROM convention_terms v WHERE v.convention_id = c.id)
               AND (@Scope IS NULL OR c.authority_id = @Scope OR c.hub_id = @Scope)
               AND (@After IS NULL OR c.id > @After)
             ORDER BY c.id
            {limit}
            """;

        public const string Find = """
            SELECT c.id AS Id,
                   c.reference AS Reference,
                   c.authority_id AS AuthorityId,
                   a.name AS AuthorityName,
                   a.siret AS AuthoritySiret,
                   c.hub_id AS HubId,
                   h.name AS HubName,
                   c.recorded_ms AS RecordedMs,
                   b.budget_cents AS BudgetCents,
                   b.ordered_cents AS OrderedCents,
                   b.received_cents AS ReceivedCents,
                   b.derogated_cents AS DerogatedCents,
                   b.committed_cents AS CommittedCents
              FROM conventions c
              JOIN organisations a ON a.id = c.authority_id
              JOIN convention_balances b ON b.convention_id = c.id
              LEFT JOIN organisations h ON h.id = c.hub_id
             WHERE c.id = @Id AND (@Scope IS NULL OR c.authority_id = @Scope OR c.hub_id = @Scope)
            """;

        public const string Versions = """
            SELECT version AS Version,
                   reference AS Reference,
                   signed_day AS SignedDay,
                   effective_day AS EffectiveDay,
                   terms AS Document,
                   recorded_ms AS RecordedMs
              FROM convention_terms
             WHERE convention_id = @Id
             ORDER BY version
            """;
    }
}
