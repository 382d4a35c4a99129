using PassNumerique.Platform;

namespace PassNumerique.Access;

/// <summary>A person as their organisation sees them; neither password nor its hash ever leaves.</summary>
internal sealed record MemberView(
    string Id, string OrganisationId, string Role, string Login, string Name, IReadOnlyList<string> PlaceIds,
    string CreatedAt, string? DisabledAt);

/// <summary>The people of an organisation, with the places they work at.</summary>
internal static class ReadMembers
{
    internal static void Map(IEndpointRouteBuilder members)
    {
        members.Get("/", Role.Operator | Role.Authority, ListAsync);
        members.Get("/{id}", Role.Operator | Role.Authority, FindAsync);
    }

    private static async Task<Result<Page<MemberView>>> ListAsync(Request request)
    {
        var limit = request.Limit;
        var rows = await request.Session.ListAsync<Row>(Sql.List, new
        {
            request.Caller.Scope,
            OrganisationId = request.FilterId("organisationId"),
            request.After,
            Take = limit + 1,
        }, request.Aborted);
        var page = Page<Row>.Of(rows, limit, m => m.Id);
        if (page.Items.Count == 0) return page.To(m => m.Show([]));
        var places = await PlacesAsync(request, page.Items[0].Id, page.Items[^1].Id);
        return page.To(m => m.Show([.. places[m.Id]]));
    }

    private static async Task<Result<MemberView>> FindAsync(Request request)
    {
        var id = request.Id();
        var row = await request.Session.FindAsync<Row>(
            Sql.Find, new { request.Caller.Scope, Id = id }, request.Aborted);
        if (row is null) return Problems.NotFound;
        return row.Show([.. (await PlacesAsync(request, id, id))[id]]);
    }

    private static async Task<ILookup<string, string>> PlacesAsync(Request request, string first, string last)
    {
        var rows = await request.Session.ListAsync<Place>(
            Sql.Places, new { request.Caller.Scope, First = first, Last = last }, request.Aborted);
        return rows.ToLookup(p => p.MemberId, p => p.PlaceId);
    }

    private sealed record Place(string MemberId, string PlaceId);

    private sealed record Row(
        string Id, string OrganisationId, string Role, string Login, string Name, long CreatedMs,
        long? DisabledMs)
    {
        public MemberView Show(IReadOnlyList<string> places) => new(
            Id, OrganisationId, Role, Login, Name, places,
            Clock.InstantText(CreatedMs), DisabledMs is { } ms ? Clock.InstantText(ms) : null);
    }

    private static class Sql
    {
        public const string List = """
            SELECT id AS Id,
                   organisation_id AS OrganisationId,
                   role AS Role,
                   login AS Login,
                   name AS Name,
                   created_ms AS CreatedMs,
                   disabled_ms AS DisabledMs
              FROM members
             WHERE (@Scope IS NULL OR organisation_id = @Scope)
               AND (@OrganisationId IS NULL OR organisation_id = @OrganisationId)
               AND (@After IS NULL OR id > @After)
             ORDER BY id
            {limit}
            """;

        public const string Find = """
            SELECT id AS Id,
                   organisation_id AS OrganisationId,
                   role AS Role,
                   login AS Login,
                   name AS Name,
                   created_ms AS CreatedMs,
                   disabled_ms AS DisabledMs
              FROM members
             WHERE id = @Id AND (@Scope IS NULL OR organisation_id = @Scope)
            """;

        /// <summary>The places of the members of one page, whose ids are a range.</summary>
        public const string Places = """
            SELECT p.member_id AS MemberId,
                   p.place_id AS PlaceId
              FROM member_places p
              JOIN members m ON m.id = p.member_id
             WHERE p.member_id >= @First AND p.member_id <= @Last
               AND (@Scope IS NULL OR m.organisation_id = @Scope)
             ORDER BY p.member_id, p.place_id
            """;
    }
}
