using PassNumerique.HandOut;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Custody;

/// <summary>A point counts its drawer; a difference is shown and waits for an explanation.</summary>
public partial class InventoryPage
{
    internal sealed record View(
        string PointId, string PointName, IReadOnlyList<ReadInventories.Item> Before, RecordInventory.Answer? Done = null);

    private const Role Allowed = Role.Agent | Role.Authority;

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/stock/{id}/inventaire", Allowed, request => ShowAsync(request, Blank(request)));
        app.Form("/stock/{id}/inventaire", Allowed, SubmitAsync);
    }

    private static Form Blank(Request request) =>
        Form.ForOperation().With("on", Clock.DateText(request.Session.Today));

    private static async Task SubmitAsync(Request request, Form form)
    {
        var id = request.Id();
        var done = await form.SendAsync(request, f => CommandOf(f, id));
        await ShowAsync(request, done is null ? form : Blank(request), done);
    }

    private static RecordInventory.Command CommandOf(Form form, string id)
    {
        var (numbers, ranges) = form.Booklets("bookletNumbers");
        var isByNumber = numbers.Count + ranges.Count > 0;
        return new(
            id, form.Date("on", "Donnez la date du comptage."), form.OptionalNumber("counted"), isByNumber ? numbers : null,
            isByNumber ? ranges : null, form.Text("explanation"));
    }

    private static async Task ShowAsync(Request request, Form form, RecordInventory.Answer? done = null)
    {
        var stock = (await ShowStock.ReadAsync(request)).OrThrow();
        var before = await ReadInventories.OfPointAsync(request, stock.DistributionPointId);
        await request.ShowAsync<InventoryPage, View>(new(stock.DistributionPointId, stock.PointName, before, done), form);
    }
}
