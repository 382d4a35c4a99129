using PassNumerique.Orders;
using PassNumerique.Platform;

namespace PassNumerique.Custody;

/// <summary>
/// The passes that stand for lost ones, printed where they are handed out: each with what was left of the old. Behind
/// the same gate as every code: once freely, then with a permission of two people.
/// </summary>
internal static class PrintReplacement
{
    internal static void Map(IEndpointRouteBuilder replacements) => replacements
        .Stream("/{id}/vouchers.pdf", Role.Agent | Role.Authority, WriteAsync);

    private static async Task WriteAsync(Request request)
    {
        var replacement = await ReadReplacements.FindAsync(request);
        if (replacement.Refused is { } refusal) throw new RefusedException(refusal);
        await PrintFile.WriteAsync(request, PrintKind.Sheets);
    }
}
