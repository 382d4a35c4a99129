using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Vouchers;
using static PassNumerique.Redemption.RedeemVouchers;

namespace PassNumerique.Redemption;

/// <summary>The rules of a redemption as pure functions: each refusal is one line of test.</summary>
internal static class RedemptionRules
{
    /// <summary>What the terms in force on the service date say, before the store is asked.</summary>
    public static Refusal? Judge(
        Terms terms, string commune, long today, long serviceDay, string service, string kind)
    {
        if (serviceDay > today || serviceDay < today - terms.OfflineDays) return Refusals.DateOutOfRange
            .With("earliest", (today - terms.OfflineDays).ToDate()).With("latest", today.ToDate());
        if (terms.TariffOf(service, kind) is null) return Refusals.ServiceNotCovered;
        return Territories.Contains([.. terms.Territory], commune) ? null : Refusals.OutsideTerritory;
    }

    /// <summary>What stands against using this voucher, the first that applies; null when nothing does.</summary>
    public static Refusal? WhyNot(VoucherState state, Terms terms, long today, long serviceDay)
    {
        if (!state.IsActive) return Refusals.NotActive;
        if (state.Blocked > 0) return Refusals.Blocked;
        if (state.Replaced > 0) return Refusals.Replaced;
        if (state.RemainingMinutes == 0) return Refusals.Spent;
        if (state.Closed > 0 || state.Returned > 0) return Refusals.Returned;
        if (state.IsExpired(today, terms.ToleranceDays) || serviceDay > state.UntilDay + terms.ToleranceDays)
            return Refusals.Expired.With("validUntil", state.UntilDay.ToDate());
        return state.IsHandedOut || terms.RequireHandOut != "refuse" ? null : Refusals.NotHandedOut;
    }

    /// <summary>
    /// How the debit is taken from the passes, in the order of the codes. With whole vouchers each pass is
    /// taken whole and untouched; else the first passes are emptied before the next ones are begun.
    /// </summary>
    public static Result<IReadOnlyList<Debit>> Debits(Command command, Terms terms, IReadOnlyList<VoucherState> states)
    {
        var tariff = terms.TariffOf(command.Service, command.Activity.Kind)!;
        var wanted = command.Minutes ?? tariff.Debit(command.Activity.DurationMinutes);
        var rest = wanted;
        var debits = new List<Debit>();
        for (var i = 0; i < states.Count; i++)
        {
            var state = states[i];
            if (rest <= 0) throw new InvalidRequestException(states.Count == 1 ? "code" : $"codes[{i}]",
                $"Ce pass n'est pas nécessaire : {French.Duration(wanted)} sont déjà couverts par les précédents.");
            var whole = terms.WholeVouchersOnly;
            if (whole && state.Used > 0) return Refusals.CreditTooSmall(wanted, Left(states, whole));
            var free = state.RemainingMinutes - state.Held;
            if (free <= 0 || (whole && state.Held > 0)) return Refusals.Reserved;
            var taken = whole ? state.CreditMinutes : Math.Min(free, rest);
            if (whole && command.Minutes is not null && taken > rest) return Refusals.WholeOnly(state.CreditMinutes);
            debits.Add(new(i, taken, i == 0 ? command.Activity.DurationMinutes : 0));
            rest -= taken;
        }

        if (rest <= 0) return debits;
        return rest <= states.Sum(s => s.Held)
            ? Refusals.Reserved
            : Refusals.CreditTooSmall(wanted, Left(states, terms.WholeVouchersOnly));
    }

    /// <summary>A month's redemptions are paid by the end of the next month.</summary>
    public static DateOnly PayableBy(long month) =>
        new DateOnly((int)(month / 100), (int)(month % 100), 1).AddMonths(2).AddDays(-1);

    private static long Left(IReadOnlyList<VoucherState> states, bool whole) =>
        states.Sum(s => whole && s.Used > 0 ? 0 : s.RemainingMinutes - s.Held);
}
