using PassNumerique.Platform;

namespace PassNumerique.Redemption;

/// <summary>Redemptions and their reversals.</summary>
internal static class RedemptionEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var redemptions = api.MapGroup("/redemptions");
        RedeemVouchers.Map(redemptions);
        ReverseRedemption.Map(redemptions);
        ListRedemptions.Map(redemptions);
    }
}
