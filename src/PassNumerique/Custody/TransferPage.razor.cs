using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Custody;

/// <summary>One transfer: its booklets, the receipt of them, or its cancellation.</summary>
public partial class TransferPage
{
    internal sealed record View(ReadTransfers.Detail Transfer);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/stock/transferts/{id}", StockPage.Allowed, request => ShowAsync(request, Form.ForOperation()));
        app.Form("/stock/transferts/{id}/reception", Role.Agent | Role.Authority,
            (request, form) => TakeAsync(request, form, ConfirmationOf));
        app.Form("/stock/transferts/{id}/annulation", Role.Agent | Role.Authority,
            (request, form) => TakeAsync(request, form, (f, id) =>
                new CancelTransfer.Command(f.Value("reason")) { TransferId = id }));
    }

    internal static string StateOf(string state) => state switch
    {
        "in-transit" => "en route",
        "partly-received" => "reçu en partie",
        "received" => "reçu",
        _ => "annulé",
    };

    private static ConfirmTransfer.Command ConfirmationOf(Form form, string id)
    {
        if (form.Text("bookletNumbers") is null)
            return new(On: form.OptionalDate("on"), Explanation: form.Text("explanation")) { TransferId = id };
        var (numbers, ranges) = form.Booklets("bookletNumbers");
        return new(numbers, ranges, form.OptionalDate("on"), form.Text("explanation")) { TransferId = id };
    }

    private static async Task TakeAsync<T>(Request request, Form form, Func<Form, string, ICommand<T>> command) where T : class
    {
        var id = request.Id();
        if (await form.SendAsync(request, f => command(f, id)) is null) await ShowAsync(request, form);
        else await request.GoTo($"/stock/transferts/{id}");
    }

    private static async Task ShowAsync(Request request, Form form) => await request.ShowAsync<TransferPage, View>(
        new((await ReadTransfers.FindAsync(request)).OrThrow()), form);
}
