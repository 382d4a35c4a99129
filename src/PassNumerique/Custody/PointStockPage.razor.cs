using PassNumerique.HandOut;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Custody;

/// <summary>One point: what lies there, lot by lot, and the form that sends booklets to another point.</summary>
public partial class PointStockPage
{
    internal sealed record View(ShowStock.Answer Stock, IReadOnlyList<KeyValuePair<string, string>> Others);

    private const Role Readers = Role.Agent | Role.Authority | Role.Operator;

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/stock/{id}", Readers, request => ShowAsync(request, Form.ForOperation()));
        app.Form("/stock/{id}", Role.Agent | Role.Authority, SendAsync);
    }

    private static async Task SendAsync(Request request, Form form)
    {
        var id = request.Id();
        if (await form.SendAsync(request, f => CommandOf(f, id)) is { } sent) await request.GoTo($"/stock/transferts/{sent.Id}");
        else await ShowAsync(request, form);
    }

    private static SendTransfer.Command CommandOf(Form form, string id)
    {
        var (numbers, ranges) = form.Booklets("bookletNumbers");
        if (form.Text("toPointId") is null) form.Mark("toPointId", "Choisissez le point d'arrivée.");
        return new(id, form.Value("toPointId"), numbers, ranges, form.Text("comment"));
    }

    private static async Task ShowAsync(Request request, Form form)
    {
        var stock = (await ShowStock.ReadAsync(request)).OrThrow();
        var others = request.Caller.Scope is not { } authorityId
            ? []
            : (await CustodyPoint.ListAsync(request.Session, authorityId, request.Aborted))
                .Where(p => p.Id != stock.DistributionPointId)
                .OrderBy(p => p.Name, FrenchOrder.Instance).Select(p => KeyValuePair.Create(p.Id, p.Name)).ToList();
        await request.ShowAsync<PointStockPage, View>(new(stock, others), form);
    }
}

/// <summary>The field in which people type booklets.</summary>
internal static class BookletField
{
    /// <summary>What was typed; a word that is no number is marked at the field.</summary>
    public static (IReadOnlyList<long> Numbers, IReadOnlyList<BookletRange> Ranges) Booklets(this Form form, string name)
    {
        var (numbers, ranges) = (new List<long>(), new List<BookletRange>());
        if (BookletNumbers.Read(form.Value(name), numbers, ranges) is { } word)
            form.Mark(name, $"« {word} » n'est ni un numéro ni une série : écrivez par exemple 101, ou 101-156.");
        return (numbers, ranges);
    }
}
