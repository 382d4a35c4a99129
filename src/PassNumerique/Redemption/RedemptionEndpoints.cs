using PassNumerique.Platform;

namespace PassNumerique.Redemption;

/// <summary>Redemptions and their reversals; a device's offline queue, what it is guaranteed, what is disputed.</summary>
internal static class RedemptionEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var redemptions = api.MapGroup("/redemptions");
        RedeemVouchers.Map(redemptions);
        ReverseRedemption.Map(redemptions);
        SyncDevice.Map(redemptions);
        ShowGuarantee.Map(redemptions);
        ListRedemptions.Map(redemptions);

        var guarantees = api.MapGroup("/guarantees");
        ReadGuarantees.Map(guarantees);
        ReverseGuarantee.Map(guarantees);

        var disputes = api.MapGroup("/disputes");
        ReadDisputes.Map(disputes);
        SettleDispute.Map(disputes);
    }
}
