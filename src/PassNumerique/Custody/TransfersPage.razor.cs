using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Custody;

/// <summary>The transfers of a collectivité's points, or of an agent's own.</summary>
public partial class TransfersPage
{
    internal sealed record View(Page<ReadTransfers.Item> Transfers, string? PointId);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/stock/transferts", StockPage.Allowed, async request => await request.ShowAsync<TransfersPage, View>(
            new((await ReadTransfers.ListAsync(request)).OrThrow(), request.FilterId("pointId"))));
        TransferPage.Map(app);
    }
}
