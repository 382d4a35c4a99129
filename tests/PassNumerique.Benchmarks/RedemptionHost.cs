using Microsoft.AspNetCore.Builder;
using PassNumerique.Access;
using PassNumerique.Platform;
using PassNumerique.Redemption;

namespace PassNumerique.Benchmarks;

/// <summary>
/// The service with one route more: the same body, the same access check and an answer of the same size, and
/// nothing in between. What a redemption costs beyond it is the redemption. Started by the run "redemption" as a
/// process of its own, with the settings in its environment.
/// </summary>
internal static class RedemptionHost
{
    public const string Name = "redemption-host";
    public const string EmptyPath = Api.Root + "/nothing";

    public static async Task<int> RunAsync()
    {
        await using var app = await PassNumerique.Program.BuildAsync([]);
        app.MapGroup(Api.Root).Ask<RedeemVouchers.Command, RedeemVouchers.Answer>("/nothing", Role.Site,
            static (_, _) => Task.FromResult<Result<RedeemVouchers.Answer>>(Answer));
        await app.RunAsync();
        return 0;
    }

    private static readonly RedeemVouchers.Answer Answer = new("00000000-0000-4000-8000-000000000000", true,
    [
        new(EntryIdText, 1_000_000, 120, 1_000, [new("Collectivité d'essai", 1_000)], 0, "2026-01-01T00:00:00.000Z",
            new DateOnly(2026, 2, 28)),
    ]);

    private const string EntryIdText = "00000000-0000-8000-8000-000000000000";
}
