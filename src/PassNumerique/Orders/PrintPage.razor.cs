using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>What may leave of the codes of an order, what did, and who allowed it once more.</summary>
public partial class PrintPage
{
    internal sealed record View(
        ReadOrders.Detail Order, IReadOnlyList<ReadCodeExports.Export> Exports,
        IReadOnlyList<ReadCodeExports.Reprint> Reprints);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/commandes/{id}/impression", ReadCodeExports.Readers,
            request => ShowAsync(request, Form.ForOperation()));
        app.Form("/commandes/{id}/impression", PrintFile.Allowed, RequestAsync);
        app.Form("/commandes/{id}/impression/{reprintId}", ConfirmReprint.Confirmers, ConfirmAsync);
    }

    private static async Task RequestAsync(Request request, Form form)
    {
        var id = request.Id();
        var asked = await form.SendAsync(request, f =>
        {
            if (f.Text("reason") is null) f.Mark("reason", "Dites pourquoi ces codes doivent sortir encore.");
            return new RequestReprint.Command(f.Value("reason"), PointId: f.Text("pointId")) { OrderId = id };
        });
        await AfterAsync(request, form, asked);
    }

    private static async Task ConfirmAsync(Request request, Form form)
    {
        var (id, reprintId) = (request.Id(), request.Id("reprintId"));
        await AfterAsync(request, form, await form.SendAsync(
            request, _ => new ConfirmReprint.Command { OrderId = id, RequestId = reprintId }));
    }

    private static Task AfterAsync(Request request, Form form, object? answer) => answer is null
        ? ShowAsync(request, form)
        : request.GoTo($"/commandes/{request.Id()}/impression");

    private static async Task ShowAsync(Request request, Form form)
    {
        var order = (await ReadOrders.FindAsync(request)).OrThrow();
        var exports = (await ReadCodeExports.ExportsAsync(request)).OrThrow();
        var reprints = (await ReadCodeExports.ReprintsAsync(request)).OrThrow();
        await request.ShowAsync<PrintPage, View>(new(order, exports.Items, reprints.Items), form);
    }
}
