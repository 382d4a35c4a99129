using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Sites;

/// <summary>How far a site is: the commune, then those that share its EPCI, then its département.</summary>
internal enum SiteDistance
{
    SameCommune,
    SameGroup,
    SameDepartement,
}

/// <summary>A site that takes the passes of a convention today, seen from a commune.</summary>
internal sealed record SiteNear(
    SiteDistance Distance, string Name, string Address, string Postcode, string CommuneName,
    IReadOnlyList<string> Services, string? Phone, string? Hours);

/// <summary>
/// Where the passes of a convention can be spent, seen from a commune: sites labelled today, in the convention's
/// territory, for services that it has a tariff for; the nearest first, in French order.
/// </summary>
internal sealed class SitesNear
{
    private readonly IReadOnlyList<SiteRow> _sites;
    private readonly Terms _terms;

    private SitesNear(IReadOnlyList<SiteRow> sites, Terms terms) => (_sites, _terms) = (sites, terms);

    /// <summary>The sites of a territory, read once for all communes that ask.</summary>
    public static async Task<SitesNear> ReadAsync(Session db, Terms terms, CancellationToken ct)
    {
        var sites = new List<SiteRow>();
        await foreach (var site in db.StreamAsync<SiteRow>(Sql.Sites, new { }, ct))
            if (Territories.Contains(terms.Territory, site.Commune)) sites.Add(site);
        var labels = new Dictionary<string, List<LabelRow>>(StringComparer.Ordinal);
        foreach (var site in sites) labels[site.Id] = [];
        await foreach (var line in db.StreamAsync<LabelRow>(Sql.Labels, new { }, ct))
            if (labels.TryGetValue(line.SiteId, out var lines)) lines.Add(line);
        var now = db.NowMs;
        return new(
            [.. sites.Where(s => SiteLabels.On(Places.Today(s.Commune, now), labels[s.Id]) == SiteLabels.Labelled)],
            terms);
    }

    /// <summary>The sites of its commune, of its EPCI and of its département.</summary>
    public IReadOnlyList<SiteNear> From(string communeCode)
    {
        if (Territories.FindCommune(communeCode) is not { } here) return [];
        var near = new List<(SiteNear Site, string Id)>();
        foreach (var site in _sites)
        {
            var services = site.ServiceList.Where(IsPaid).ToList();
            if (services.Count == 0 || DistanceOf(here, site.Commune) is not { } distance) continue;
            near.Add((new(distance, site.Name, site.Address, site.Postcode, Territories.Name(site.Commune), services,
                site.Phone, site.Hours), site.Id));
        }

        return
        [
            .. near.OrderBy(n => n.Site.Distance)
                .ThenBy(n => n.Site.Distance == SiteDistance.SameCommune ? "" : n.Site.CommuneName, FrenchOrder.Instance)
                .ThenBy(n => n.Site.Name, FrenchOrder.Instance)
                .ThenBy(n => n.Id, StringComparer.Ordinal)
                .Select(n => n.Site),
        ];
    }

    /// <summary>The name of the place that a distance speaks of.</summary>
    public static string PlaceName(SiteDistance distance, string communeCode)
    {
        var here = Territories.FindCommune(communeCode);
        return distance switch
        {
            SiteDistance.SameGroup when EpciOf(here) is { } epci => Territories.Name(epci),
            SiteDistance.SameDepartement when here is not null => Territories.Name(here.Departement),
            _ => Territories.Name(communeCode),
        };
    }

    private bool IsPaid(string service) =>
        _terms.Tariffs.Any(t => t.Service == "*" || t.Service == service);

    private static SiteDistance? DistanceOf(Commune here, string communeCode)
    {
        if (Territories.FindCommune(communeCode) is not { } there) return null;
        if (CityOf(here) == CityOf(there)) return SiteDistance.SameCommune;
        if (EpciOf(here) is { } epci && epci == EpciOf(there)) return SiteDistance.SameGroup;
        return here.Departement == there.Departement ? SiteDistance.SameDepartement : null;
    }

    /// <summary>An arrondissement of Paris, Lyon or Marseille is its city.</summary>
    private static string CityOf(Commune commune) => commune.Parent ?? commune.Code;

    private static string? EpciOf(Commune? commune) => commune?.Epci
        ?? (commune?.Parent is { } city ? Territories.FindCommune(city)?.Epci : null);

    private static class Sql
    {
        public const string Sites = """
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
             ORDER BY id
            """;

        public const string Labels = """
            SELECT site_id AS SiteId,
                   position AS Position,
                   status AS Status,
                   from_day AS FromDay,
                   until_day AS UntilDay
              FROM site_labels
             ORDER BY site_id, position
            """;
    }
}
