using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>A collectivité orders booklets and shares them out between its distribution points.</summary>
public partial class OrderFormPage
{
    internal sealed record View(IReadOnlyList<KeyValuePair<string, string>> Conventions, Chosen? Chosen);

    internal sealed record Chosen(
        string Id, string Reference, long LeftCents, long FaceValueCents,
        IReadOnlyList<KeyValuePair<string, string>> Points);

    internal const Role Allowed = Role.Operator | Role.Authority;

    private const string Path = "/commandes/nouvelle";
    private const string DefaultSize = "5";

    private static readonly IReadOnlyList<KeyValuePair<string, string>> Sizes =
        [new("5", "5 pass"), new("10", "10 pass")];

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page(Path, Allowed, async request => await ShowAsync(
            request, Form.ForOperation().With("vouchersPerBooklet", DefaultSize), request.Text("convention")));
        app.Form(Path, Allowed, SubmitAsync);
    }

    private static async Task SubmitAsync(Request request, Form form)
    {
        if (await form.SendAsync(request, CommandOf) is { } order) await request.GoTo($"/commandes/{order.Id}");
        else await ShowAsync(request, form, form.Text("convention"));
    }

    private static PlaceOrder.Command CommandOf(Form form)
    {
        var shares = (
            from name in form.Names
            where name.StartsWith("points.", StringComparison.Ordinal)
                && name.EndsWith(".booklets", StringComparison.Ordinal)
            let id = name["points.".Length..^".booklets".Length]
            let booklets = form.OptionalNumber(name)
            where booklets is not null
            select new PlaceOrder.Share(id, booklets.Value, form.OptionalNumber($"points.{id}.pic"))).ToList();
        if (shares.Count == 0) form.Mark("distributionPoints", "Donnez au moins un carnet à un point de remise.");
        return new(
            form.Value("convention"), shares.Sum(s => Math.Clamp(s.Booklets, 0, PlaceOrder.MaxVouchers)),
            form.Number("vouchersPerBooklet", "Choisissez le nombre de pass par carnet."),
            form.Date("validUntil", "Donnez la fin de validité."), shares, form.Text("campaign"), form.Text("wave"),
            form.Text("comment"));
    }

    private static async Task ShowAsync(Request request, Form form, string? conventionId)
    {
        var conventions = (await ReadConventions.ListAsync(request)).OrThrow().Items;
        var id = conventionId is null && conventions.Count == 1 ? conventions[0].Id : Ids.Normalise(conventionId);
        var chosen = id is null ? null : await ChooseAsync(request, id);
        var choices = conventions.Select(c => KeyValuePair.Create(c.Id, $"{c.Reference}, {c.AuthorityName}"));
        await request.ShowAsync<OrderFormPage, View>(new([.. choices], chosen), form);
    }

    private static async Task<Chosen> ChooseAsync(Request request, string id)
    {
        var session = request.Session;
        var args = new { Id = id, request.Caller.Scope, Take = (long)PlaceOrder.MaxPoints };
        var left = await session.FindAsync<Left>(Sql.Left, args) ?? throw new RefusedException(Problems.NotFound);
        var convention = await request.Service<ConventionCards>().FindLatestAsync(session, id);
        var points = await session.ListAsync<Point>(Sql.Points, args);
        return new(
            id, convention!.Reference, left.LeftCents, convention.InForce(session.Today).Terms.FaceValueCents,
            [
                .. points.OrderBy(p => p.Name, FrenchOrder.Instance).ThenBy(p => p.Id, StringComparer.Ordinal)
                    .Select(p => KeyValuePair.Create(p.Id, p.Name)),
            ]);
    }

    private sealed record Left(long LeftCents);

    private sealed record Point(string Id, string Name);

    private static class Sql
    {
        public const string Left = """
            SELECT b.budget_cents - b.ordered_cents AS LeftCents
              FROM conventions c
              JOIN convention_balances b ON b.convention_id = c.id
             WHERE c.id = @Id AND (@Scope IS NULL OR c.authority_id = @Scope)
            """;

        public const string Points = """
            SELECT p.id AS Id,
                   p.name AS Name
              FROM distribution_points p
              JOIN conventions c ON c.authority_id = p.authority_id
             WHERE c.id = @Id AND (@Scope IS NULL OR c.authority_id = @Scope)
             ORDER BY p.id
            {limit}
            """;
    }
}
