using PassNumerique.Platform;

namespace PassNumerique.Vouchers;

/// <summary>Checking a pass, its history, blocks.</summary>
internal static class VouchersEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var vouchers = api.MapGroup("/vouchers");
        CheckVoucher.Map(vouchers);
        ShowHistory.Map(vouchers);
        var blocks = api.MapGroup("/blocks");
        BlockVouchers.Map(blocks);
        LiftBlock.Map(blocks);
        ReadBlocks.Map(blocks);
    }
}
