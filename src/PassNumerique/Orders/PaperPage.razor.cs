using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>A collectivité sets what its passes say of it, and sees the result on a specimen.</summary>
public partial class PaperPage
{
    internal sealed record View(bool HasLogo, bool IsDone);

    private const string Path = "/commandes/papier";
    private const string Logo = "logo";

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page(Path, Role.Authority, async request => await ShowAsync(request, form: null, isDone: false));
        app.Form(Path, Role.Authority, SubmitAsync);
    }

    private static async Task SubmitAsync(Request request, Form form)
    {
        var logo = await form.FileAsync(Logo);
        var text = logo is not null ? Convert.ToBase64String(logo) : form.IsChecked("noLogo") ? "" : null;
        var set = await form.SendAsync(request, f => new SetPrintSettings.Command(
            f.Text("text"), f.Text("telephone"), text, request.Caller.OrganisationId));
        await ShowAsync(request, set is null ? form : null, isDone: set is not null);
    }

    private static async Task ShowAsync(Request request, Form? form, bool isDone)
    {
        var now = await ReadPrintSettings.FindAsync(request.Session, request.Caller.OrganisationId, request.Aborted);
        var fresh = Form.ForOperation().With("text", now?.Text).With("telephone", now?.Telephone);
        await request.ShowAsync<PaperPage, View>(new(now?.Logo is { Length: > 0 }, isDone), form ?? fresh);
    }
}
