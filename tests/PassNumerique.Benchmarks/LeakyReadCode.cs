using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>
/// <see cref="ReadCode"/> with the fault it must not have: a serial of nobody is refused as soon as the store says
/// so, one MAC too early. Whatever says that all wrong codes cost the same has to find this one.
/// </summary>
internal sealed class LeakyReadCode(OrderCards orders, KeyRing keys, Guesses guesses, ReadCode honest)
{
    private static readonly byte[] NoSalt = new byte[VoucherCode.SaltBytes];

    public async ValueTask<Result<ReadCode.Found>> FindAsync(Session session, string typed)
    {
        if (!VoucherCode.TryRead(typed, out var code, out _)) throw new ArgumentException("No code.", nameof(typed));
        if (guesses.WhyNot(session) is { } early) return early;
        if (orders.Known(code.Serial) is { } known && known.Holds(code.Serial)) return await honest.FindAsync(session, typed);
        code.Matches(keys.Derive(keys.Current, KeyLabel.Code), NoSalt);
        var asked = await orders.AskAsync(session, code.Serial);
        if (asked is null || !asked.Card.Holds(code.Serial)) return guesses.Count(session) ?? ReadCode.Unknown;
        return await honest.FindAsync(session, typed);
    }
}
