using System.Globalization;
using System.Text;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>A file is chosen, checked, and only then ordered, by a second button under what it would do.</summary>
public partial class OrderFilePage
{
    internal sealed record View(
        IReadOnlyList<KeyValuePair<string, string>> Conventions, CheckOrderFile.Outcome? Outcome);

    private const string Path = "/commandes/fichier";
    private const string Content = "content";

    internal static readonly IReadOnlyList<KeyValuePair<string, string>> Sizes =
        [new("5", "5 pass"), new("10", "10 pass")];

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page(Path, OrderFormPage.Allowed, request =>
            ShowAsync(request, new Form().With("vouchersPerBooklet", "5"), null));
        app.Form(Path, OrderFormPage.Allowed, TryAsync, Api.MaxFileBytes);
        app.Form(Path + "/erreurs", OrderFormPage.Allowed, ErrorsAsync, Api.MaxFileBytes);
        app.Form(Path + "/confirmation", OrderFormPage.Allowed, ConfirmAsync);
    }

    /// <summary>What the second form sends along: the shares as they were checked, under the same head.</summary>
    internal static IEnumerable<KeyValuePair<string, string>> Hidden(CheckOrderFile.Outcome outcome)
    {
        var head = outcome.Head;
        yield return new("conventionId", head.ConventionId);
        yield return new("vouchersPerBooklet", head.VouchersPerBooklet.ToString(CultureInfo.InvariantCulture));
        yield return new("validUntil", Clock.DateText(head.ValidUntil.ToDay()));
        if (head.Campaign is { } campaign) yield return new("campaign", campaign);
        if (head.Wave is { } wave) yield return new("wave", wave);
        yield return new(Content, OrderFile.Write(outcome.File.Shares));
    }

    private static async Task TryAsync(Request request, Form form) =>
        await ShowAsync(request, form, await CheckAsync(request, form, await form.FileAsync(FileText.Member)));

    private static async Task ErrorsAsync(Request request, Form form)
    {
        if (await CheckAsync(request, form, await form.FileAsync(FileText.Member)) is { } outcome)
            await CheckOrderFile.WriteTableAsync(request.Http, outcome.File);
        else await ShowAsync(request, form, null);
    }

    private static async Task ConfirmAsync(Request request, Form form)
    {
        if (await CheckAsync(request, form, Encoding.UTF8.GetBytes(form.Value(Content))) is not { } outcome)
        {
            await ShowAsync(request, form, null);
            return;
        }

        var ordered = await CheckOrderFile.OrderAsync(request, outcome);
        if (ordered.Refused is { } refusal) form.Refuse(refusal);
        if (ordered.Value is { } accepted)
            await request.GoTo(accepted.OrderId is { } order ? $"/commandes/{order}" : $"/travaux/{accepted.JobId}");
        else await ShowAsync(request, form, outcome);
    }

    /// <summary>Null where something is wrong: the form then knows what.</summary>
    private static async Task<CheckOrderFile.Outcome?> CheckAsync(Request request, Form form, byte[]? bytes)
    {
        var head = new OrderFileHead(
            form.Value("conventionId"), form.Number("vouchersPerBooklet", "Choisissez le nombre de pass par carnet."),
            form.Date("validUntil", "Donnez la fin de validité."), form.Text("campaign"), form.Text("wave"));
        if (bytes is null) form.Mark(FileText.Member, "Choisissez un fichier CSV.");
        if (form.IsWrong) return null;
        try
        {
            var outcome = await CheckOrderFile.CheckAsync(request, head, bytes!);
            if (outcome.Refused is { } refusal) form.Refuse(refusal);
            return outcome.Value;
        }
        catch (InvalidRequestException invalid)
        {
            foreach (var (name, messages) in invalid.Errors)
                foreach (var message in messages) form.Mark(name, message);
            return null;
        }
    }

    private static async Task ShowAsync(Request request, Form form, CheckOrderFile.Outcome? outcome)
    {
        var conventions = (await ReadConventions.ListAsync(request)).OrThrow().Items;
        var choices = conventions.Select(c => KeyValuePair.Create(c.Id, $"{c.Reference}, {c.AuthorityName}"));
        await request.ShowAsync<OrderFilePage, View>(new([.. choices], outcome), form);
    }
}
