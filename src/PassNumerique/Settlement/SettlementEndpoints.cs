using PassNumerique.Platform;

namespace PassNumerique.Settlement;

/// <summary>Money in and out: receipts, costs, payables, payment runs.</summary>
internal static class SettlementEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        RecordFundsReceipt.Map(api.MapGroup("/funds-receipts"));
        RecordCost.Map(api.MapGroup("/costs"));
        ListPayables.Map(api.MapGroup("/sites"));

        var runs = api.MapGroup("/payment-runs");
        CreatePaymentRun.Map(runs);
        ConfirmPaymentRun.Map(runs);
        ListPaymentRuns.Map(runs);
    }
}
