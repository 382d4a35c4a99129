namespace PassNumerique.Custody;

/// <summary>Where booklets lie, how they move, what is counted, what is lost and replaced.</summary>
internal static class CustodyEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        ListStock.Map(api.MapGroup("/stock"));
        ListReminders.Map(api);
        var transfers = api.MapGroup("/transfers");
        SendTransfer.Map(transfers);
        ConfirmTransfer.Map(transfers);
        CancelTransfer.Map(transfers);
        ReadTransfers.Map(transfers);
        var inventories = api.MapGroup("/inventories");
        RecordInventory.Map(inventories);
        ReadInventories.Map(inventories);
        var replacements = api.MapGroup("/replacements");
        ReplaceBooklet.Map(replacements);
        ReadReplacements.Map(replacements);
        PrintReplacement.Map(replacements);
    }
}
