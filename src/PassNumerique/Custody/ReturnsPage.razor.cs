using PassNumerique.HandOut;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Custody;

/// <summary>Several booklets given back at once; each is answered.</summary>
public partial class ReturnsPage
{
    internal sealed record View(ReturnBooklets.Answer? Done = null);

    internal const Role Allowed = Role.Agent | Role.Authority;

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/stock/retours", Allowed, request => request.ShowAsync<ReturnsPage, View>(new()));
        app.Form("/stock/retours", Allowed, SubmitAsync);
    }

    private static async Task SubmitAsync(Request request, Form form)
    {
        var (numbers, ranges) = form.Booklets("bookletNumbers");
        if (form.Text("reason") is null) form.Mark("reason", "Dites pourquoi ces carnets sont rendus.");
        var done = form.IsWrong ? null : await RunAsync(request, form, new(form.Value("reason"), numbers, ranges));
        await request.ShowAsync<ReturnsPage, View>(new(done), done is null ? form : new Form());
    }

    private static async Task<ReturnBooklets.Answer?> RunAsync(Request request, Form form, ReturnBooklets.Question question)
    {
        try
        {
            var result = await ReturnBooklets.RunAsync(question, request);
            if (result.Refused is { } refused) form.Refuse(refused);
            return result.Value;
        }
        catch (InvalidRequestException invalid)
        {
            foreach (var (name, messages) in invalid.Errors)
                foreach (var message in messages) form.Mark(name, message);
            return null;
        }
    }
}
