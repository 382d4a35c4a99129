using PassNumerique.Platform;

namespace PassNumerique.Access;

/// <summary>
/// Organisations, as a list and one by one: all of them for those who oversee, their own for the others.
/// Hubs and structures have paths of their own, for whoever looks for one to name it.
/// </summary>
internal static class ReadOrganisations
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        MapKind(api.MapGroup("/organisations"), null);
        MapKind(api.MapGroup("/hubs"), "hub");
        MapKind(api.MapGroup("/structures"), "structure");
    }

    private static void MapKind(IEndpointRouteBuilder group, string? kind)
    {
        group.Get("/", Role.Everyone, r => ListAsync(r, kind ?? KindOf(r)));
        group.Get("/{id}", Role.Everyone, r => FindAsync(r, kind));
    }

    private static string? KindOf(Request request) => request.Text("kind") switch
    {
        null => null,
        var kind when OrganisationKinds.Has(kind) => kind,
        _ => throw new InvalidRequestException(
            "kind", $"Choisissez l'un de : {string.Join(", ", OrganisationKinds.Codes)}."),
    };

    private static async Task<Result<Page<CreateOrganisation.Answer>>> ListAsync(
        Request request, string? kind)
    {
        var limit = request.Limit;
        var rows = await request.Session.ListAsync<CreateOrganisation.Answer>(Sql.List,
            new { request.Caller.Scope, Kind = kind, request.After, Take = limit + 1 }, request.Aborted);
        return Page<CreateOrganisation.Answer>.Of(rows, limit, o => o.Id);
    }

    private static async Task<Result<CreateOrganisation.Answer>> FindAsync(Request request, string? kind)
    {
        var row = await request.Session.FindAsync<CreateOrganisation.Answer>(Sql.Find,
            new { request.Caller.Scope, Kind = kind, Id = request.Id() }, request.Aborted);
        return row is null ? Problems.NotFound : row;
    }

    private static class Sql
    {
        public const string List = """
            SELECT id AS Id,
                   kind AS Kind,
                   name AS Name,
                   siret AS Siret
              FROM organisations
             WHERE (@Scope IS NULL OR id = @Scope)
               AND (@Kind IS NULL OR kind = @Kind)
               AND (@After IS NULL OR id > @After)
             ORDER BY id
            {limit}
            """;

        public const string Find = """
            SELECT id AS Id,
                   kind AS Kind,
                   name AS Name,
                   siret AS Siret
              FROM organisations
             WHERE id = @Id
               AND (@Scope IS NULL OR id = @Scope)
               AND (@Kind IS NULL OR kind = @Kind)
            """;
    }
}
