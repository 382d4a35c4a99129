using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Sites;

/// <summary>What never changes of a site, in memory: its organisation, its commune, its legal day.</summary>
internal sealed record SiteCard(string Id, string OrganisationId, string Name, string Commune)
{
    public TimeZoneInfo Zone { get; } = Clock.Zone(Territories.TimeZone(Commune));

    /// <summary>The legal day of the site: that of its département.</summary>
    public long Today(long nowMs) => Clock.Day(nowMs, Zone);
}

internal sealed class SiteCards
{
    private readonly Remembered<string, SiteCard> _known = new(LoadAsync);

    public ValueTask<SiteCard?> FindAsync(Session session, string id) => _known.FindAsync(session, id);

    /// <summary>The site a caller acts for: the one of his own that he names, or the only one he has; else null.</summary>
    /// <exception cref="InvalidRequestException">He has several and names none.</exception>
    public async ValueTask<SiteCard?> OfCallerAsync(Session session, string? asked)
    {
        var places = session.Caller.PlaceIds;
        var id = Ids.Normalise(asked) ?? (places.Count == 1 ? places[0] : null);
        if (id is null)
            throw new InvalidRequestException("siteId", "Vous travaillez dans plusieurs lieux : dites lequel.");
        return places.Contains(id) ? await FindAsync(session, id) : null;
    }

    private static async Task<(SiteCard, long?)?> LoadAsync(Session session, string id)
    {
        var row = await session.FindAsync<Row>(Sql.Find, new { Id = id });
        return row is null ? null : (new(row.Id, row.OrganisationId, row.Name, row.Commune), row.Batch);
    }

    private sealed record Row(string Id, string OrganisationId, string Name, string Commune, long? Batch);

    private static class Sql
    {
        public const string Find = """
            SELECT id AS Id,
                   organisation_id AS OrganisationId,
                   name AS Name,
                   commune AS Commune,
                   batch AS Batch
              FROM sites
             WHERE id = @Id
            """;
    }
}
