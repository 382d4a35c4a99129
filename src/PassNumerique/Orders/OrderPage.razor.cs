using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>One order: what it holds, where it stands, where its booklets lie, and the next step to take.</summary>
public partial class OrderPage
{
    internal sealed record View(ReadOrders.Detail Order, string Reference);

    /// <summary>
    /// A step that a person may take here. <paramref name="After"/> is the number of steps that must be done;
    /// cancelling needs less than production.
    /// </summary>
    internal sealed record StepForm(
        string Path, string Label, Role Allow, int After, Func<Form, string, ICommand<StepAnswer>> Command)
    {
        public bool IsDanger => Path == "annulation";

        public bool Fits(int done, string state) =>
            state != OrderStep.Cancelled && (IsDanger ? done < OrderStep.Produced : done == After);
    }

    internal static readonly IReadOnlyList<StepForm> Forms =
    [
        Advance("approbation", "Approuver la commande", Role.Operator | Role.State, OrderStep.Approved),
        Advance("bon-a-tirer", "Donner le bon à tirer", Role.Authority, OrderStep.ProofApproved),
        Advance("production", "Noter la production", Role.Operator, OrderStep.Produced),
        Advance("expedition", "Noter l'expédition", Role.Operator, OrderStep.Shipped),
        Advance("livraison", "Noter la livraison", Role.Operator, OrderStep.Delivered),
        new("activation", "Activer les pass", Role.Operator, (int)OrderStep.Delivered, (form, id) =>
            new ActivateOrder.Command(form.OptionalDate("on"), form.Text("comment")) { OrderId = id }),
        new("annulation", "Annuler la commande", Role.Operator | Role.Authority, 0, (form, id) =>
            new CancelOrder.Command(form.OptionalDate("on"), form.Text("comment")) { OrderId = id }),
    ];

    private static readonly string[] Steps =
        ["approved", "proof-approved", "produced", "shipped", "delivered", "active"];

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/commandes/{id}", ReadConventions.Readers, request => ShowAsync(request, Form.ForOperation()));
        foreach (var step in Forms)
            app.Form($"/commandes/{{id}}/{step.Path}", step.Allow, (request, form) => TakeAsync(request, form, step));
        app.Form("/commandes/{id}/envoi", Role.Operator, SendParcelAsync);
        app.Form("/commandes/{id}/reception", Role.Authority, ReceiveParcelAsync);
    }

    internal static string StateOf(string state, bool capital = false)
    {
        var label = state switch
        {
            "ordered" => "commandée",
            "approved" => "approuvée",
            "proof-approved" => "bon à tirer donné",
            "produced" => "produite",
            "shipped" => "expédiée",
            "delivered" => "livrée",
            "active" => "activée",
            "cancelled" => "annulée",
            _ => state,
        };
        return capital ? char.ToUpperInvariant(label[0]) + label[1..] : label;
    }

    private static StepForm Advance(string path, string label, Role allow, long slot) =>
        new(path, label, allow, (int)slot - 1, (form, id) => new AdvanceOrder.Command(
            form.OptionalDate("on"), form.Text("comment"))
        { OrderId = id, Slot = slot });

    private static async Task TakeAsync(Request request, Form form, StepForm step)
    {
        var id = request.Id();
        if (await form.SendAsync(request, f => step.Command(f, id)) is null) await ShowAsync(request, form);
        else await request.GoTo($"/commandes/{id}");
    }

    private static async Task SendParcelAsync(Request request, Form form)
    {
        var sent = await form.SendAsync(request, f => new RecordDispatch.Command(
            f.Value("distributionPointId"), f.OptionalDate("on"), f.Text("carrier"), f.Text("trackingReference"))
        { OrderId = request.Id() });
        if (sent is null) await ShowAsync(request, form);
        else await request.GoTo($"/commandes/{request.Id()}#envois");
    }

    private static async Task ReceiveParcelAsync(Request request, Form form)
    {
        var received = await form.SendAsync(request, f => new ReceiveDispatch.Command(
            f.Number("booklets", "Donnez le nombre de carnets comptés."), f.OptionalDate("on"), f.Text("explanation"))
        { OrderId = request.Id(), PointId = Ids.Normalise(f.Text("pointId")) ?? "" });
        if (received is null) await ShowAsync(request, form);
        else await request.GoTo($"/commandes/{request.Id()}#envois");
    }

    private static async Task ShowAsync(Request request, Form form)
    {
        var order = (await ReadOrders.FindAsync(request)).OrThrow();
        var convention = await request.Service<ConventionCards>().FindAsync(request.Session, order.ConventionId);
        await request.ShowAsync<OrderPage, View>(new(order, convention?.Reference ?? ""), form);
    }
}
