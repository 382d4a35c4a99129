using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>The orders of a collectivité; of all of them for those who oversee.</summary>
public partial class OrdersPage
{
    internal sealed record View(Page<ReadOrders.Line> Orders, IReadOnlyDictionary<string, string> References);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/commandes", ReadConventions.Readers, ShowAsync, menu: "Commandes");
        OrderFormPage.Map(app);
        OrderFilePage.Map(app);
        PaperPage.Map(app);
        PrintPage.Map(app);
        OrderPage.Map(app);
    }

    private static async Task ShowAsync(Request request)
    {
        var orders = (await ReadOrders.ListAsync(request)).OrThrow();
        var references = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var id in orders.Items.Select(o => o.ConventionId).Distinct(StringComparer.Ordinal))
        {
            var convention = await request.Service<ConventionCards>().FindAsync(request.Session, id);
            references[id] = convention?.Reference ?? id;
        }

        await request.ShowAsync<OrdersPage, View>(new(orders, references));
    }
}
