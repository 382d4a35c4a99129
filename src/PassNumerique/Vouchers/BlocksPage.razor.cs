using PassNumerique.Custody;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Vouchers;

/// <summary>Loss and theft: a range of serials, the drawer of a point or a transfer that never came, in one action.</summary>
public partial class BlocksPage
{
    internal sealed record View(
        Page<ReadBlocks.Line> Blocks, IReadOnlyList<KeyValuePair<string, string>> Points,
        IReadOnlyList<KeyValuePair<string, string>> Transfers, BlockVouchers.Answer? Done = null);

    private const Role Allowed = Role.Operator | Role.Authority;

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/blocages", Allowed, request => ShowAsync(request, Form.ForOperation()), menu: "Pertes et vols");
        app.Form("/blocages", Allowed, BlockAsync);
        app.Form("/blocages/{id}/levee", Allowed, LiftAsync);
    }

    private static async Task BlockAsync(Request request, Form form)
    {
        var done = await form.SendAsync(request, f => new BlockVouchers.Command(
            f.Value("reason"), f.OptionalNumber("firstSerial"), f.OptionalNumber("lastSerial"), f.Text("pointId"),
            f.Text("transferId")));
        await ShowAsync(request, done is null ? form : Form.ForOperation(), done);
    }

    private static async Task LiftAsync(Request request, Form form)
    {
        var id = request.Id();
        if (await form.SendAsync(request, _ => new LiftBlock.Command(null) { BlockId = id }) is null)
            await ShowAsync(request, Form.ForOperation().Telling(form));
        else await request.GoTo("/blocages");
    }

    private static async Task ShowAsync(Request request, Form form, BlockVouchers.Answer? done = null)
    {
        var blocks = (await ReadBlocks.ListAsync(request)).OrThrow();
        var points = request.Caller.Scope is not { } authorityId
            ? []
            : (await CustodyPoint.ListAsync(request.Session, authorityId, request.Aborted))
                .OrderBy(p => p.Name, FrenchOrder.Instance).Select(p => KeyValuePair.Create(p.Id, p.Name)).ToList();
        var transfers = await ReadTransfers.OnTheWayAsync(request);
        await request.ShowAsync<BlocksPage, View>(
            new(blocks, points,
            [
                .. transfers.Select(t => KeyValuePair.Create(t.Id,
                    $"{t.FromName} vers {t.ToName}, {French.Date(t.SentOn.ToDay())}, {French.Count(t.MissingBooklets)} carnets")),
            ], done), form);
    }
}
