using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Custody;

/// <summary>A person comes back without the booklet: what was left of it goes to a new one.</summary>
public partial class LostBookletPage
{
    /// <summary><paramref name="Desks"/> are the points that may give the new booklet: those of the person signed in.</summary>
    internal sealed record View(
        IReadOnlyList<KeyValuePair<string, string>> Points, IReadOnlyList<KeyValuePair<string, string>> Desks,
        ReplaceBooklet.Answer? Done = null);

    private const Role Allowed = Role.Agent | Role.Authority;

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/carnet-perdu", Allowed, request => ShowAsync(request, Form.ForOperation()), menu: "Carnet perdu");
        app.Form("/carnet-perdu", Allowed, SubmitAsync);
    }

    private static async Task SubmitAsync(Request request, Form form)
    {
        var done = await form.SendAsync(request, f => CommandOf(request, f));
        await ShowAsync(request, done is null ? form : Form.ForOperation(), done);
    }

    private static ReplaceBooklet.Command CommandOf(Request request, Form form)
    {
        var desk = form.Text("distributionPointId");
        if (desk is null && request.Caller.PlaceIds.Count != 1) form.Mark("distributionPointId", "Choisissez le point qui le remet.");
        return new(
            form.Value("reason"), form.OptionalNumber("bookletNumber"), form.Text("pointId"), form.OptionalDate("handedOutOn"),
            form.Text("reference"), desk);
    }

    private static async Task ShowAsync(Request request, Form form, ReplaceBooklet.Answer? done = null)
    {
        var all = await CustodyPoint.ListAsync(request.Session, request.Caller.OrganisationId, request.Aborted);
        var desks = all.Where(p => request.Caller.Reaches(p.Id, Role.Agent));
        await request.ShowAsync<LostBookletPage, View>(new(Options(all), Options(desks), done), form);
    }

    private static List<KeyValuePair<string, string>> Options(IEnumerable<CustodyPoint> points) =>
        [.. points.OrderBy(p => p.Name, FrenchOrder.Instance).Select(p => KeyValuePair.Create(p.Id, p.Name))];
}
