using PassNumerique.Platform;

namespace PassNumerique.Sites;

/// <summary>A workshop as it is shown.</summary>
internal sealed record WorkshopView(
    string Id, string SiteId, DateOnly On, string Service, long DurationMinutes, string? Title);

internal sealed record WorkshopRow(
    string Id, string SiteId, long OnDay, string Service, long DurationMinutes, string? Title)
{
    public WorkshopView Show() => new(Id, SiteId, OnDay.ToDate(), Service, DurationMinutes, Title);
}

/// <summary>Workshops: those who work at a site see the site's.</summary>
internal static class ReadWorkshops
{
    internal static void Map(IEndpointRouteBuilder workshops)
    {
        workshops.Get("/", Role.Overseers | Role.Site, ListAsync);
        workshops.Get("/{id}", Role.Overseers | Role.Site, FindAsync);
    }

    private static async Task<Result<Page<WorkshopView>>> ListAsync(Request request)
    {
        var caller = request.Caller;
        var args = new { caller.Scope, SiteId = request.FilterId("siteId"), request.After };
        var rows = request.Session.StreamAsync<WorkshopRow>(Sql.List, args, request.Aborted);
        var page = await Page<WorkshopRow>.OfAsync(rows, w => caller.Reaches(w.SiteId, Role.Site), request.Limit, w => w.Id);
        return page.To(w => w.Show());
    }

    private static async Task<Result<WorkshopView>> FindAsync(Request request)
    {
        var row = await request.Session.FindAsync<WorkshopRow>(
            Sql.Find, new { request.Caller.Scope, Id = request.Id() }, request.Aborted);
        return row is null || !request.Caller.Reaches(row.SiteId, Role.Site) ? Problems.NotFound : row.Show();
    }

    private static class Sql
    {
        public const string List = """
            SELECT w.id AS Id,
                   w.site_id AS SiteId,
                   w.on_day AS OnDay,
                   w.service AS Service,
                   w.duration_minutes AS DurationMinutes,
                   w.title AS Title
              FROM workshops w
              JOIN sites s ON s.id = w.site_id
             WHERE (@Scope IS NULL OR s.organisation_id = @Scope)
               AND (@SiteId IS NULL OR w.site_id = @SiteId)
               AND (@After IS NULL OR w.id > @After)
             ORDER BY w.id
            """;

        public const string Find = """
            SELECT w.id AS Id,
                   w.site_id AS SiteId,
                   w.on_day AS OnDay,
                   w.service AS Service,
                   w.duration_minutes AS DurationMinutes,
                   w.title AS Title
              FROM workshops w
              JOIN sites s ON s.id = w.site_id
             WHERE w.id = @Id AND (@Scope IS NULL OR s.organisation_id = @Scope)
            """;
    }
}
