using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Reports;

/// <summary>Days between signature, first order, activation, hand-out and hour delivered.</summary>
internal static class LeadTimes
{
    public static LeadTimeTable Table(PassTally tally, ConventionCard card)
    {
        var orders = tally.Orders;
        long? signed = card.Versions[0].SignedDay;
        var ordered = First(orders, o => o.Row.OrderedDay);
        var activated = First(orders, o => o.Row.ActivatedDay);
        var handedOut = First(orders, o => o.FirstHandOutDay);
        var served = First(orders, o => o.FirstServiceDay);
        return new(
        [
            Step("signature-to-order", "De la signature à la première commande", signed, ordered),
            Step("order-to-activation", "De la première commande à la première activation", ordered, activated),
            Step("activation-to-hand-out", "De la première activation à la première remise", activated, handedOut),
            Step("hand-out-to-hour", "De la première remise à la première heure", handedOut, served),
            Step("signature-to-hour", "De la signature à la première heure", signed, served),
        ],
        [
            .. orders.Select(o => new OrderDates(
                o.Row.Id, o.Row.OrderedDay.ToDate(), o.Row.DeliveredDay?.ToDate(), o.Row.ActivatedDay?.ToDate(),
                o.FirstHandOutDay?.ToDate(), o.FirstServiceDay?.ToDate(), o.Row.ValidUntilDay.ToDate()))
        ]);
    }

    private static long? First(IEnumerable<IssuedOrder> orders, Func<IssuedOrder, long?> day) => orders.Select(day).Min();

    private static LeadTime Step(string code, string label, long? from, long? to) =>
        new(code, label, from?.ToDate(), to?.ToDate(), to - from);
}
