using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Sites;

/// <summary>A distribution point as it is shown.</summary>
internal sealed record DistributionPointView(
    string Id, string AuthorityId, string Name, string Channel, string Address, string Commune,
    string CommuneName);

internal sealed record PointRow(
    string Id, string AuthorityId, string Name, string Channel, string Address, string Commune)
{
    public DistributionPointView Show() =>
        new(Id, AuthorityId, Name, Channel, Address, Commune, Territories.Name(Commune));
}

/// <summary>Distribution points: an authority sees its own, an agent those they work at.</summary>
internal static class ReadDistributionPoints
{
    private const Role Readers = Role.Overseers | Role.Authority | Role.Agent;

    internal static void Map(IEndpointRouteBuilder points)
    {
        points.Get("/", Readers, ListAsync);
        points.Get("/{id}", Readers, FindAsync);
    }

    private static async Task<Result<Page<DistributionPointView>>> ListAsync(Request request)
    {
        var caller = request.Caller;
        var args = new { caller.Scope, AuthorityId = request.FilterId("authorityId"), request.After };
        var rows = request.Session.StreamAsync<PointRow>(Sql.List, args, request.Aborted);
        var page = await Page<PointRow>.OfAsync(rows, p => caller.Reaches(p.Id, Role.Agent), request.Limit, p => p.Id);
        return page.To(p => p.Show());
    }

    private static async Task<Result<DistributionPointView>> FindAsync(Request request)
    {
        var id = request.Id();
        if (!request.Caller.Reaches(id, Role.Agent)) return Problems.NotFound;
        var row = await request.Session.FindAsync<PointRow>(
            Sql.Find, new { request.Caller.Scope, Id = id }, request.Aborted);
        return row is null ? Problems.NotFound : row.Show();
    }

    private static class Sql
    {
        public const string List = """
            SELECT id AS Id,
                   authority_id AS AuthorityId,
                   name AS Name,
                   channel AS Channel,
                   address AS Address,
                   commune AS Commune
              FROM distribution_points
             WHERE (@Scope IS NULL OR authority_id = @Scope)
               AND (@AuthorityId IS NULL OR authority_id = @AuthorityId)
               AND (@After IS NULL OR id > @After)
             ORDER BY id
            """;

        public const string Find = """
            SELECT id AS Id,
                   authority_id AS AuthorityId,
                   name AS Name,
                   channel AS Channel,
                   address AS Address,
                   commune AS Commune
              FROM distribution_points
             WHERE id = @Id AND (@Scope IS NULL OR authority_id = @Scope)
            """;
    }
}
