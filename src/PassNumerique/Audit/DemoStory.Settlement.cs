using PassNumerique.Platform;
using PassNumerique.Settlement;
using PassNumerique.Vouchers;

namespace PassNumerique.Audit;

/// <summary>Monthly payment runs with their confirmations, and the file with codes to try.</summary>
internal sealed partial class DemoStory
{
    /// <summary>A run on the tenth of the next month pays what was recorded in the month and not undone.</summary>
    private void TellPaymentRuns()
    {
        foreach (var month in _redeemed.GroupBy(r => r.Month).OrderBy(g => g.Key))
        {
            var runDay = new DateOnly((int)(month.Key / 100), (int)(month.Key % 100), 10).AddMonths(1).ToDay();
            var lines = month.Where(r => !r.Undone).ToList();
            if (runDay + 6 > _lastDay || lines.Count == 0) continue;
            TellPaymentRun(month.Key, runDay, lines);
        }
    }

    private void TellPaymentRun(long month, long runDay, List<Redeemed> lines)
    {
        var (id, at) = (_random.Id(), At(runDay));
        Rows.Fact("payment_runs", at, _operatorId,
            ("id", id), ("month", month), ("line_count", (long)lines.Count), ("total_cents", lines.Sum(l => l.Cents)));
        foreach (var site in lines.GroupBy(l => l.Site).OrderBy(g => g.Key.Index))
        {
            var gross = site.Sum(l => l.Cents);
            var fee = site.GroupBy(l => l.Convention)
                .Sum(c => DownstreamFee.Of(c.Sum(l => l.Cents), c.Key.Terms).Cents);
            Rows.Fact("payouts", at, _operatorId,
                ("run_id", id), ("site_id", site.Key.Id), ("line_count", (long)site.Count()), ("gross_cents", gross),
                ("fee_cents", fee), ("net_cents", gross - fee));
        }

        foreach (var line in lines)
        {
            Rows.Fact("redemption_outcomes", at, _operatorId,
                ("serial", line.Serial), ("part", line.Part), ("outcome", "in-run"), ("run_id", id));
        }

        Rows.Fact("payment_confirmations", At(runDay + 5), _secondOperatorId,
            ("run_id", id), ("paid_day", runDay + 5), ("bank_reference", $"LOT-{month}"));
    }

    private DemoFile WriteFile() => new(
        _users,
        new(_codes.FreshCodes, _codes.StartedCodes, _codes.SpentCodes, _codes.ExpiredCodes, _codes.BlockedCodes, _codes.NotHandedOutCodes),
        [.. _conventions.Select(c => new DemoConvention(c.Id, c.Reference))],
        [.. _conventions.SelectMany(c => c.Sites).Select(s => new DemoPlace(s.Id, s.Name, s.ApiKey))],
        [.. _conventions.SelectMany(c => c.Points).Select(p => new DemoPlace(p.Id, p.Name, p.ApiKey))]);

    private string Code(Order order, long serial) => VoucherCode.Compose(
        _keys.Derive((int)order.Card.KeyVersion, KeyLabel.Code), (int)order.Card.KeyVersion, serial, order.Card.Salt);

    /// <summary>
    /// Codes for <c>demo.json</c>, all of the two showcase conventions, so that the first site of the list can
    /// use every one that is usable.
    /// </summary>
    private sealed class DemoCodes
    {
        private const int Max = 300;

        public List<string> FreshCodes { get; } = [];

        public List<string> StartedCodes { get; } = [];

        public List<string> SpentCodes { get; } = [];

        public List<string> ExpiredCodes { get; } = [];

        public List<string> BlockedCodes { get; } = [];

        public List<string> NotHandedOutCodes { get; } = [];

        public void NotHandedOut(DemoStory story, Convention convention, Order order, long booklet)
        {
            if (convention.Index == 0) Take(story, order, IsOver(story, order, 0) ? ExpiredCodes : NotHandedOutCodes, booklet);
        }

        public void Unused(DemoStory story, Convention convention, Order order, long booklet)
        {
            if (convention.Index == 0) Take(story, order, IsOver(story, order, ToleranceDays + 7) ? ExpiredCodes : FreshCodes, booklet);
        }

        public void Blocked(DemoStory story, Convention convention, Order order, long booklet)
        {
            if (convention.Index == 0 && !IsOver(story, order, 0)) Take(story, order, BlockedCodes, booklet);
        }

        public void Used(DemoStory story, Convention convention, Order order, long booklet, long serial, long usedMinutes)
        {
            if (convention.Index == 0 && serial > booklet && SpentCodes.Count < Max) SpentCodes.Add(story.Code(order, booklet));
            if (convention.Index == 1 && usedMinutes is > 0 and < CreditMinutes && !IsOver(story, order, 0))
                StartedCodes.Add(story.Code(order, serial));
        }

        private static bool IsOver(DemoStory story, Order order, long days) => story._lastDay > order.Card.ValidUntilDay + days;

        private static void Take(DemoStory story, Order order, List<string> codes, long booklet)
        {
            for (var serial = booklet; serial < booklet + VouchersPerBooklet && codes.Count < Max; serial++)
                codes.Add(story.Code(order, serial));
        }
    }
}
