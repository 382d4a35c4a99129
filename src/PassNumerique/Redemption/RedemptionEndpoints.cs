using PassNumerique.Platform;

namespace PassNumerique.Redemption;

/// <summary>Redemptions, their reversals, reservations for a session.</summary>
internal static class RedemptionEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var redemptions = api.MapGroup("/redemptions");
        RedeemVouchers.Map(redemptions);
        ReverseRedemption.Map(redemptions);
        ListRedemptions.Map(redemptions);
        var reservations = api.MapGroup("/reservations");
        ReserveVoucher.Map(reservations);
        ReleaseReservation.Map(reservations);
        ListReservations.Map(reservations);
    }
}
