using System.Globalization;
using PassNumerique.Platform;

namespace PassNumerique.Sites;

/// <summary>
/// The label history of a site with its reasons, in the order it was written: for those who oversee, for
/// hubs, and for the site itself.
/// </summary>
internal static class ReadLabels
{
    internal static void Map(IEndpointRouteBuilder sites) =>
        sites.Get("/{id}/labels", Role.Overseers | Role.Hub | Role.Site, ListAsync);

    private static async Task<Result<Page<LabelView>>> ListAsync(Request request)
    {
        var (siteId, limit, caller) = (request.Id(), request.Limit, request.Caller);
        var site = await request.Service<SiteCards>().FindAsync(request.Session, siteId);
        if (site is null || !caller.Reaches(siteId, Role.Site))
            return Problems.NotFound;
        var rows = await request.Session.ListAsync<Row>(
            Sql.List, new { SiteId = siteId, After = After(request), Take = limit + 1 }, request.Aborted);
        return Page<Row>.Of(rows, limit, l => l.Position.ToString(CultureInfo.InvariantCulture))
            .To(l => l.Show(siteId));
    }

    private static long After(Request request) => request.After is not { } after
        ? 0
        : long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? position
            : throw new InvalidRequestException(
                "after", "Le repère « next » de la page précédente est attendu.");

    private sealed record Row(
        long Position, string Status, long FromDay, long? UntilDay, string Reason, long RecordedMs)
    {
        public LabelView Show(string siteId) => new(
            siteId, Position, Status, FromDay.ToDate(), UntilDay?.ToDate(), Reason,
                Clock.InstantText(RecordedMs));
    }

    private static class Sql
    {
        public const string List = """
            SELECT position AS Position,
                   status AS Status,
                   from_day AS FromDay,
                   until_day AS UntilDay,
                   reason AS Reason,
                   recorded_ms AS RecordedMs
              FROM site_labels
             WHERE site_id = @SiteId AND position > @After
             ORDER BY position
            {limit}
            """;
    }
}
