using PassNumerique.Platform;

namespace PassNumerique.Redemption;

/// <summary>Redemptions, their reversals, reservations for a session; what devices did offline, and what is disputed of it.</summary>
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

        var reservations = api.MapGroup("/reservations");
        ReserveVoucher.Map(reservations);
        ReleaseReservation.Map(reservations);
        ListReservations.Map(reservations);

        var guarantees = api.MapGroup("/guarantees");
        ReadGuarantees.Map(guarantees);
        ReverseGuarantee.Map(guarantees);

        var disputes = api.MapGroup("/disputes");
        ReadDisputes.Map(disputes);
        SettleDispute.Map(disputes);
    }
}
