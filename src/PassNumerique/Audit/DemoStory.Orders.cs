using PassNumerique.Orders;
using PassNumerique.Platform;

namespace PassNumerique.Audit;

/// <summary>Orders, their steps, and the money that activates them.</summary>
internal sealed partial class DemoStory
{
    private static readonly string[] Steps = ["approved", "proof-approved", "produced", "shipped", "delivered"];

    /// <summary>Booklets of the two orders of each convention; they sum to 5,000.</summary>
    private static (long First, long Second) Booklets(int index) => index switch
    {
        0 => (150, 350),
        1 => (60, 190),
        ConventionCount - 1 => (40, 50 + 4_250 - (90 * (ConventionCount - 2))),
        _ => (40, 50),
    };

    private void TellOrders(Convention convention)
    {
        var (first, second) = Booklets(convention.Index);
        var start = convention.StartDay + _random.Between(20, 50);
        // The second order of two conventions is still on its way to the money: passes that are not active yet.
        var waits = convention.Index is 2 or 3;
        TellOrder(convention, first, start, start + 400, waits: false);
        TellOrder(convention, second, waits ? _lastDay - 30 : start + _random.Between(190, 240),
            waits ? _lastDay + 500 : Math.Max(start + 900, _lastDay + _random.Between(60, 400)), waits);
    }

    private void TellOrder(Convention convention, long booklets, long day, long untilDay, bool waits)
    {
        var count = booklets * VouchersPerBooklet;
        var card = new OrderCard(
            _random.Id(), convention.Id, convention.Authority.Id, _serial, _serial + count - 1, VouchersPerBooklet,
            FaceCents, CreditMinutes, untilDay, _random.Bytes(16), _keys.Current);
        _serial += count;
        Rows.Fact("orders", At(day), convention.ActorId,
            ("id", card.Id), ("convention_id", convention.Id), ("authority_id", convention.Authority.Id),
            ("first_serial", card.FirstSerial), ("last_serial", card.LastSerial), ("booklet_count", booklets),
            ("vouchers_per_booklet", VouchersPerBooklet), ("voucher_count", count), ("face_cents", FaceCents),
            ("credit_minutes", CreditMinutes), ("total_cents", count * FaceCents), ("valid_until_day", untilDay),
            ("terms_version", 1L), ("salt", card.Salt), ("key_version", card.KeyVersion), ("ordered_day", day),
            ("campaign", "Campagne de démonstration"), ("wave", $"vague {convention.Orders.Count + 1}"));
        convention.OrderedCents += count * FaceCents;
        var lots = TellLots(convention, card, booklets, At(day));
        var activated = waits ? TellWaiting(card, day) : TellSteps(convention, card, day, count * FaceCents);
        convention.Orders.Add(new(card, activated, lots));
    }

    private List<Lot> TellLots(Convention convention, OrderCard card, long booklets, long atMs)
    {
        var (lots, first, left) = (new List<Lot>(), card.FirstSerial, booklets);
        for (var i = 0; i < convention.Points.Count; i++)
        {
            var share = i == convention.Points.Count - 1 ? left : booklets / convention.Points.Count;
            var lot = new Lot(convention.Points[i], first, share);
            Rows.Fact("lots", atMs, convention.ActorId,
                ("order_id", card.Id), ("position", i + 1L), ("first_serial", first),
                ("last_serial", first + (share * VouchersPerBooklet) - 1), ("booklet_count", share),
                ("pic_booklets", i == 1 ? null : share * _random.Between(40, 60) / 100), ("point_id", lot.Point.Id));
            lots.Add(lot);
            first += share * VouchersPerBooklet;
            left -= share;
        }

        return lots;
    }

    private long TellWaiting(OrderCard card, long day)
    {
        Step(card, 1, "approved", day + 4);
        Step(card, 2, "proof-approved", day + 9);
        return 0;
    }

    private long TellSteps(Convention convention, OrderCard card, long day, long totalCents)
    {
        for (var i = 0; i < Steps.Length; i++) Step(card, i + 1, Steps[i], day += _random.Between(3, 9));
        day += _random.Between(1, 6);
        TellReceipt(convention, day, totalCents);
        Step(card, 6, "activated", day += 1);
        convention.CommittedCents += totalCents;
        return day;
    }

    private void Step(OrderCard card, long slot, string step, long day) =>
        Rows.Fact("order_steps", At(day), _operatorId,
            ("order_id", card.Id), ("slot", slot), ("step", step), ("on_day", day));

    /// <summary>The prefunding payers send the face value with the upstream fee and its VAT.</summary>
    private void TellReceipt(Convention convention, long day, long totalCents)
    {
        var payers = convention.Terms.Funders.Where(f => f.IsPrefunding).ToList();
        var rest = totalCents;
        for (var i = payers.Count - 1; i >= 0; i--)
        {
            var face = i == 0 ? rest : totalCents * payers[i].ShareBasisPoints / 10_000;
            rest -= face;
            var fee = face * convention.Terms.UpstreamFeeBasisPoints / 10_000;
            AddReceipt(convention, payers[i].Name, day, face + fee + (fee * convention.Terms.FeeVatBasisPoints / 10_000), face, prefunding: true);
        }

        convention.ReceivedCents += totalCents;
    }

    private void AddReceipt(Convention convention, string funder, long day, long amountCents, long faceCents, bool prefunding) =>
        Rows.Fact("funds_receipts", At(day), _operatorId,
            ("id", _random.Id()), ("convention_id", convention.Id), ("funder", funder), ("amount_cents", amountCents),
            ("face_value_cents", faceCents), ("received_day", day), ("bank_reference", $"VIR-{_random.Between(1_000_000_000, 9_999_999_999)}"),
            ("prefunding", prefunding ? 1L : 0L));

    /// <summary>What the instrument costs besides, and what the State pays back of what was used.</summary>
    private void TellMoney(Convention convention)
    {
        var day = convention.StartDay + 60;
        foreach (var (kind, cents) in new[] { ("printing", 120_000L), ("logistics", 60_000L), ("administration", 450_000L) })
        {
            Rows.Fact("costs", At(day), convention.ActorId,
                ("id", _random.Id()), ("convention_id", convention.Id), ("kind", kind),
                ("amount_cents", cents + _random.Between(-20_000, 20_000)), ("on_day", day), ("source", "Facture de démonstration"));
        }

        var used = _redeemed.Where(r => r.Convention == convention && !r.Undone).Sum(r => r.Cents);
        var paid = used * 3_500 / 10_000 * 8 / 10;
        if (paid > 0) AddReceipt(convention, "État", _lastDay - _random.Between(2, 20), paid, paid, prefunding: false);
        Rows.Plain("convention_balances",
            ("convention_id", convention.Id), ("budget_cents", convention.Terms.BudgetCents), ("ordered_cents", convention.OrderedCents),
            ("received_cents", convention.ReceivedCents), ("derogated_cents", 0L), ("committed_cents", convention.CommittedCents));
        if (convention.Persons > 0)
            Rows.Plain("counters", ("name", $"person:{convention.Id}"), ("next_value", convention.Persons + 1));
    }
}
