using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Vouchers;
using static PassNumerique.Redemption.RedeemVouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// What an honest device cannot know while it is offline: what others did to the pass. Everything else is
/// printed on the pass, told by the convention or done by the site itself, and stays refused.
/// </summary>
internal static class OfflineRules
{
    private static readonly HashSet<string> OfOthers = new(StringComparer.Ordinal)
    {
        Refusals.Spent.Code, Refusals.CreditTooSmall(0, 0).Code, Refusals.Reserved.Code, Refusals.Blocked.Code,
        Refusals.Replaced.Code, Refusals.Returned.Code,
    };

    /// <summary>Whether a refusal may be the doing of others. Whether it is, the store says.</summary>
    public static bool MayBeSecond(Refusal refusal) => OfOthers.Contains(refusal.Code);

    /// <summary>The pass as the device had to believe it: with what its own site did, and nothing else.</summary>
    public static VoucherState AsBelieved(VoucherState state, long ownMinutes, long ownHeldMinutes) => state with
    {
        Used = ownMinutes,
        Held = ownHeldMinutes,
        Closed = 0,
        Returned = 0,
        Replaced = 0,
        Blocked = 0,
    };

    /// <summary>
    /// The debit of the operation on the passes as they were believed. Passes beyond those that it then needs
    /// were brought for what others had taken: they are left alone.
    /// </summary>
    public static Result<IReadOnlyList<Debit>> Debits(Command command, Terms terms, IReadOnlyList<VoucherState> states)
    {
        var rest = command.Minutes
            ?? terms.TariffOf(command.Service, command.Activity.Kind)!.Debit(command.Activity.DurationMinutes);
        var needed = 0;
        for (; needed < states.Count && rest > 0; needed++)
            rest -= states[needed].RemainingMinutes - states[needed].Held;
        return RedemptionRules.Debits(command, terms, [.. states.Take(needed)]);
    }

    /// <summary>The refusal that stands against this pass now, as a record of why the service came second.</summary>
    public static string Reason(VoucherState state, Terms terms, long today, long serviceDay, long minutes)
    {
        if (RedemptionRules.WhyNot(state, terms, today, serviceDay) is { } refusal) return refusal.Code;
        return (state.Held > 0 && minutes <= state.RemainingMinutes
            ? Refusals.Reserved
            : Refusals.CreditTooSmall(minutes, state.RemainingMinutes)).Code;
    }

    /// <summary>Why a service that came second is not within the guarantee.</summary>
    public static string Cause(bool isDeviceNew, long used, long limit) =>
        isDeviceNew ? "device" : used >= limit ? "limit" : "funds";
}
