using PassNumerique.Platform;

namespace PassNumerique.Orders;

/// <summary>Orders, their steps, and everything that is printed for them.</summary>
internal static class OrdersEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var orders = api.MapGroup("/orders");
        PlaceOrder.Map(orders);
        ReadOrders.Map(orders);
        AdvanceOrder.Map(orders);
        CancelOrder.Map(orders);
        ActivateOrder.Map(orders);
        RequestDerogation.Map(orders);
        ConfirmDerogation.Map(orders);
        ExtendOrder.Map(orders);
        PrintSpecimen.Map(orders);
        PrintFile.Map(orders);
        ReadCodeExports.Map(orders);
        RequestReprint.Map(orders);
        ConfirmReprint.Map(orders);
        CheckOrderFile.Map(orders);
        RecordDispatch.Map(orders);
        ReceiveDispatch.Map(orders);
        PrintLetters.Map(orders);
        PrintOrderForm.Map(orders);
        PrintDeliveryNote.Map(orders);

        var settings = api.MapGroup("/print-settings");
        SetPrintSettings.Map(settings);
        ReadPrintSettings.Map(settings);
    }
}
