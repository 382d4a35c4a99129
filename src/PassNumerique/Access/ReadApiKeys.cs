using PassNumerique.Platform;

namespace PassNumerique.Access;

/// <summary>An API key without its secret, which nobody can read again.</summary>
internal sealed record ApiKeyView(
    string Id, string OrganisationId, string Role, string? PlaceId, string Label, string CreatedAt,
    string? RevokedAt);

/// <summary>
/// The keys of an organisation, revoked ones included: who could act, and until when. The people of a site see
/// those of the sites they work at, a site's key itself.
/// </summary>
internal static class ReadApiKeys
{
    internal static void Map(IEndpointRouteBuilder keys)
    {
        keys.Get("/", Role.Operator | Role.Authority | Role.Site, ListAsync);
        keys.Get("/{id}", Role.Operator | Role.Authority | Role.Site, FindAsync);
    }

    private static async Task<Result<Page<ApiKeyView>>> ListAsync(Request request)
    {
        var limit = request.Limit;
        var rows = await request.Session.ListAsync<Row>(Sql.List, new
        {
            request.Caller.Scope,
            MemberId = ConfinedTo(request.Caller),
            OrganisationId = request.FilterId("organisationId"),
            request.After,
            Take = limit + 1,
        }, request.Aborted);
        return Page<Row>.Of(rows, limit, k => k.Id).To(k => k.Show());
    }

    private static async Task<Result<ApiKeyView>> FindAsync(Request request)
    {
        var row = await request.Session.FindAsync<Row>(
            Sql.Find, new { request.Caller.Scope, MemberId = ConfinedTo(request.Caller), Id = request.Id() }, request.Aborted);
        return row is null ? Problems.NotFound : row.Show();
    }

    /// <summary>The member whose places, or the key whose self, bound what its caller sees; null for who sees more.</summary>
    internal static string? ConfinedTo(Caller caller) => caller.Is(Role.Site) ? caller.ActorId : null;

    private sealed record Row(
        string Id, string OrganisationId, string Role, string? PlaceId, string Label, long CreatedMs,
        long? RevokedMs)
    {
        public ApiKeyView Show() => new(
            Id, OrganisationId, Role, PlaceId, Label, Clock.InstantText(CreatedMs),
            RevokedMs is { } ms ? Clock.InstantText(ms) : null);
    }

    private static class Sql
    {
        public const string List = """
            SELECT id AS Id,
                   organisation_id AS OrganisationId,
                   role AS Role,
                   place_id AS PlaceId,
                   label AS Label,
                   created_ms AS CreatedMs,
                   revoked_ms AS RevokedMs
              FROM api_keys
             WHERE (@Scope IS NULL OR organisation_id = @Scope)
               AND (@OrganisationId IS NULL OR organisation_id = @OrganisationId)
               AND (@MemberId IS NULL OR id = @MemberId
                    OR place_id IN (SELECT p.place_id FROM member_places p WHERE p.member_id = @MemberId))
               AND (@After IS NULL OR id > @After)
             ORDER BY id
            {limit}
            """;

        public const string Find = """
            SELECT id AS Id,
                   organisation_id AS OrganisationId,
                   role AS Role,
                   place_id AS PlaceId,
                   label AS Label,
                   created_ms AS CreatedMs,
                   revoked_ms AS RevokedMs
              FROM api_keys
             WHERE id = @Id AND (@Scope IS NULL OR organisation_id = @Scope)
               AND (@MemberId IS NULL OR id = @MemberId
                    OR place_id IN (SELECT p.place_id FROM member_places p WHERE p.member_id = @MemberId))
            """;
    }
}
