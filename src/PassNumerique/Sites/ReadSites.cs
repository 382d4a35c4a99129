using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Sites;

/// <summary>
/// A site as everybody may see it. <paramref name="Label"/> is its label today: <c>labelled</c>,
/// <c>suspended</c>, <c>withdrawn</c> or <c>none</c>.
/// </summary>
internal sealed record SiteView(
    string Id, string OrganisationId, string Name, string Address, string Postcode, string Commune,
    string CommuneName, IReadOnlyList<string> Services, string? Phone, string? Hours, string Label);

/// <summary>A site as it is stored; its services joined by <c>|</c>, as in the national standard.</summary>
internal sealed record SiteRow(
    string Id, string OrganisationId, string Name, string Address, string Postcode, string Commune,
    string Services, string? Phone, string? Hours)
{
    public IReadOnlyList<string> ServiceList => Services.Split('|');

    public static string Join(IEnumerable<string> services) => string.Join('|', services);

    public SiteView Show(string label) => new(Id, OrganisationId, Name, Address, Postcode, Commune,
        Territories.Name(Commune), ServiceList, Phone, Hours, label);
}

/// <summary>Where a pass can be spent: a public search by commune and by service, and one site.</summary>
internal static class ReadSites
{
    internal static void Map(IEndpointRouteBuilder sites)
    {
        sites.Get("/", Role.Anonymous, SearchAsync);
        sites.Get("/{id}", Role.Everyone, FindAsync);
    }

    private static async Task<Result<Page<SiteView>>> SearchAsync(Request request)
    {
        var service = ServiceOf(request);
        var commune = CommuneOf(request);
        var args = new { commune?.First, commune?.Last, request.After };
        var rows = request.Session.StreamAsync<SiteRow>(Sql.Search, args, request.Aborted);
        var page = await Page<SiteRow>.OfAsync(
            rows, site => service is null || site.ServiceList.Contains(service), request.Limit,
            site => site.Id);
        if (page.Items.Count == 0) return page.To(site => site.Show(SiteLabels.None));

        var range = new { First = page.Items[0].Id, Last = page.Items[^1].Id };
        var labels = (await request.Session.ListAsync<LabelRow>(Sql.Labels, range, request.Aborted))
            .ToLookup(line => line.SiteId);
        var now = request.Session.NowMs;
        return page.To(site => site.Show(SiteLabels.On(Places.Today(site.Commune, now), labels[site.Id])));
    }

    private static async Task<Result<SiteView>> FindAsync(Request request)
    {
        var db = request.Session;
        var site = await db.FindAsync<SiteRow>(Sql.Find, new { Id = request.Id() }, request.Aborted);
        if (site is null) return Problems.NotFound;
        var today = Places.Today(site.Commune, db.NowMs);
        return site.Show(await SiteLabels.OnAsync(db, site.Id, today, request.Aborted));
    }

    private static string? ServiceOf(Request request) => request.Text("service") switch
    {
        null => null,
        var service when Vocabularies.Services.Has(service) => service,
        _ => throw new InvalidRequestException(
            "service", $"Choisissez l'un de : {string.Join(", ", Vocabularies.Services.Codes)}."),
    };

    private static (string First, string Last)? CommuneOf(Request request) => request.Text("commune") switch
    {
        null => null,
        var commune when Territories.FindCommune(commune) is not null => Places.Within(commune),
        _ => throw new InvalidRequestException(
            "commune", "Un code INSEE de commune est attendu, par exemple 23096."),
    };

    private static class Sql
    {
        public const string Search = """
            SELECT id AS Id,
                   organisation_id AS OrganisationId,
                   name AS Name,
                   address AS Address,
                   postcode AS Postcode,
                   commune AS Commune,
                   services AS Services,
                   phone AS Phone,
                   hours AS Hours
              FROM sites
             WHERE (@First IS NULL OR (commune >= @First AND commune <= @Last))
               AND (@After IS NULL OR id > @After)
             ORDER BY id
            """;

        public const string Find = """
            SELECT id AS Id,
                   organisation_id AS OrganisationId,
                   name AS Name,
                   address AS Address,
                   postcode AS Postcode,
                   commune AS Commune,
                   services AS Services,
                   phone AS Phone,
                   hours AS Hours
              FROM sites
             WHERE id = @Id
            """;

        /// <summary>The label histories of one page of sites, whose ids are a range.</summary>
        public const string Labels = """
            SELECT site_id AS SiteId,
                   position AS Position,
                   status AS Status,
                   from_day AS FromDay,
                   until_day AS UntilDay
              FROM site_labels
             WHERE site_id >= @First AND site_id <= @Last
             ORDER BY site_id, position
            """;
    }
}
