using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Web;

namespace PassNumerique.Custody;

/// <summary>Where booklets lie: every point of a collectivité, and from here its moves, counts and reminders.</summary>
public partial class StockPage
{
    /// <summary><paramref name="Authorities"/> to choose from, where whoever oversees has named none.</summary>
    internal sealed record View(
        Page<ListStock.Item> Points, IReadOnlyList<KeyValuePair<string, string>>? Authorities, string? AuthorityId);

    internal const Role Allowed = Role.Operator | Role.Authority | Role.Agent;

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/stock", Allowed, ShowAsync, menu: "Stock");
        TransfersPage.Map(app);
        RemindersPage.Map(app);
        ReturnsPage.Map(app);
        PointStockPage.Map(app);
        InventoryPage.Map(app);
    }

    private static async Task ShowAsync(Request request)
    {
        var authorityId = request.FilterId("authorityId");
        var view = request.Caller.Scope is null && authorityId is null
            ? new View(new([], null), await AuthoritiesAsync(request), null)
            : new View((await ListStock.ListAsync(request)).OrThrow(), null, request.Caller.Scope is null ? authorityId : null);
        await request.ShowAsync<StockPage, View>(view);
    }

    internal static async Task<IReadOnlyList<KeyValuePair<string, string>>> AuthoritiesAsync(Request request)
    {
        var rows = await request.Session.ListAsync<Named>(Sql.Authorities, new { Take = 2_000L }, request.Aborted);
        return [.. rows.OrderBy(r => r.Name, FrenchOrder.Instance).Select(r => KeyValuePair.Create(r.Id, r.Name))];
    }

    private sealed record Named(string Id, string Name);

    private static class Sql
    {
        public const string Authorities = """
            SELECT id AS Id,
                   name AS Name
              FROM organisations
             WHERE kind = 'authority'
             ORDER BY id
            {limit}
            """;
    }
}
