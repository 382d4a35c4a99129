using PassNumerique.Vouchers;

namespace PassNumerique.Reports;

/// <summary>
/// Walks the entries of a convention once, in the order of serials, and keeps sums and the touched booklets:
/// an untouched pass costs nothing, however many were ordered. Every sum is of whole numbers, so that the
/// order of the facts can't change a figure.
/// </summary>
internal sealed class PassTally(IReadOnlyList<ReplacementRow> replacements)
{
    private readonly Dictionary<long, ReplacementRow> _replacedBy = replacements.ToDictionary(r => r.ReplacedSerial);
    private readonly Dictionary<long, ReplacementRow> _replacing = replacements.ToDictionary(r => r.Serial);
    private readonly Dictionary<long, Paper> _chained = [];
    private readonly List<Booklet> _booklets = [];
    private readonly List<EntryRow> _serialEntries = [];
    private readonly Dictionary<long, Paper> _papers = [];

    public Amounts[] ByClass { get; } = [.. PassClasses.All.Select(_ => new Amounts(0, 0, 0))];

    public Amounts Issued { get; private set; } = new(0, 0, 0);

    public Amounts Redeemed { get; private set; } = new(0, 0, 0);

    public long HandedOutPasses { get; private set; }

    public long PaidPasses { get; private set; }

    public long ReplacedPapers { get; private set; }

    public MoneyTally Money { get; } = new();

    public HoursTally Hours { get; } = new();

    /// <summary>Offline services that are paid though they came second; null where there are none.</summary>
    public OfflineGuarantee? Guarantee { get; private set; }

    public List<IssuedOrder> Orders { get; } = [];

    public IReadOnlyList<Booklet> Booklets => _booklets;

    public long ReplacementPapersIn(OrderRow order) =>
        _replacing.Keys.LongCount(s => s >= order.FirstSerial && s <= order.LastSerial);

    public async Task AddAsync(
        IssuedOrder order, IAsyncEnumerable<BookletRow> bookletRows, IAsyncEnumerable<EntryRow> entryRows,
        IEnumerable<GuaranteeRow> guarantees)
    {
        if (!order.Row.IsReplacement) Orders.Add(order);
        var booklets = new Dictionary<long, Booklet>();
        await foreach (var row in bookletRows) Touch(booklets, order, row.Booklet).Apply(row);
        foreach (var serial in _replacing.Keys.Concat(_replacedBy.Keys))
        {
            if (serial >= order.Row.FirstSerial && serial <= order.Row.LastSerial)
                Touch(booklets, order, order.Row.BookletOf(serial));
        }

        foreach (var row in guarantees) Add(Touch(booklets, order, order.Row.BookletOf(row.Serial)), row);
        var scanned = await ScanAsync(order, booklets, entryRows);
        foreach (var booklet in booklets.Values.Where(b => !scanned.Contains(b.Number))) Close(booklet);
        AddUntouched(order, booklets.Values);
        _booklets.AddRange(booklets.Values);
    }

    /// <summary>Passes with replacements are one issued pass each: done once all papers have been seen.</summary>
    public void Finish()
    {
        foreach (var original in _chained.Values.Where(p => !_replacing.ContainsKey(p.Serial)))
        {
            var papers = new List<Paper> { original };
            while (_replacedBy.TryGetValue(papers[^1].Serial, out var next)
                && _chained.TryGetValue(next.Serial, out var paper) && papers.Count <= _chained.Count)
                papers.Add(paper);
            ReplacedPapers += papers.Count - 1;
            Fold(papers);
        }

        foreach (var booklet in _booklets)
        {
            booklet.Order.FirstHandOutDay = Earlier(booklet.Order.FirstHandOutDay, booklet.HandedOutDay);
            booklet.Order.FirstServiceDay = Earlier(booklet.Order.FirstServiceDay, booklet.FirstUse?.ServiceDay);
        }
    }

    public static long? Earlier(long? a, long? b) => a is null ? b : b is null ? a : Math.Min(a.Value, b.Value);

    private async Task<HashSet<long>> ScanAsync(
        IssuedOrder order, Dictionary<long, Booklet> booklets, IAsyncEnumerable<EntryRow> entryRows)
    {
        var scanned = new HashSet<long>();
        Booklet? current = null;
        await foreach (var entry in entryRows)
        {
            if (_serialEntries.Count > 0 && _serialEntries[0].Serial != entry.Serial) EndSerial(order, current!);
            var number = order.Row.BookletOf(entry.Serial);
            if (current is not null && current.Number != number) Close(current);
            if (current?.Number != number)
            {
                current = Touch(booklets, order, number);
                scanned.Add(number);
            }

            _serialEntries.Add(entry);
        }

        if (current is null) return scanned;
        EndSerial(order, current);
        Close(current);
        return scanned;
    }

    private static Booklet Touch(Dictionary<long, Booklet> booklets, IssuedOrder order, long number)
    {
        if (!booklets.TryGetValue(number, out var booklet)) booklets[number] = booklet = new(number, order);
        return booklet;
    }

    /// <summary>
    /// Sums the entries of one pass. Only services up to the last day count; a reversal counts with the
    /// redemption it names, whatever its own day.
    /// </summary>
    private void EndSerial(IssuedOrder order, Booklet booklet)
    {
        var serial = _serialEntries[0].Serial;
        var paper = PaperOf(serial, booklet, order);
        var redemptions = new Dictionary<long, EntryRow>();
        var reversed = new HashSet<long>();
        foreach (var entry in _serialEntries)
        {
            switch (entry.Kind)
            {
                case EntryKind.Redemption or EntryKind.Capture when entry.ServiceDay <= order.Validity.Day:
                    redemptions[entry.Part] = entry;
                    Add(paper, entry, entry.TermsVersion);
                    break;
                case EntryKind.Reversal when entry.ReversedPart is { } part && redemptions.TryGetValue(part, out var named):
                    reversed.Add(part);
                    Add(paper, entry, named.TermsVersion);
                    break;
                case EntryKind.Closing when entry.ServiceDay <= order.Validity.Day:
                    paper.IsClosed = true;
                    break;
            }
        }

        foreach (var redemption in redemptions.Values.Where(r => !reversed.Contains(r.Part))) Stand(paper, redemption);
        _papers[serial] = paper;
        _serialEntries.Clear();
    }

    private void Add(Paper paper, EntryRow entry, long termsVersion)
    {
        paper.NetMinutes += entry.Minutes;
        paper.NetCents += entry.ValueCents;
        Money.Add(entry, termsVersion);
    }

    /// <summary>Its hours were delivered and it is owed to its site; no pass, rate or share moves.</summary>
    private void Add(Booklet booklet, GuaranteeRow row)
    {
        var sum = Guarantee ?? new(0, 0, 0, 0, 0);
        Guarantee = new(
            sum.Passes + 1, sum.Minutes + row.Minutes, sum.DeliveredMinutes + row.DurationMinutes, sum.Cents + row.ValueCents,
            sum.PaidCents + (row.Outcome == 2 ? row.ValueCents : 0));
        booklet.DeliveredMinutes += row.DurationMinutes;
        Money.Deliver(row.SiteId, row.DurationMinutes);
        Hours.Deliver(row.SiteId, row.ServiceDay, row.Service, row.ActivityKind, row.WorkshopId, row.DurationMinutes);
    }

    /// <summary>A redemption that was not undone: its hours, its site, its booklet.</summary>
    private void Stand(Paper paper, EntryRow redemption)
    {
        paper.Redemptions++;
        if (redemption.Outcome == 2) paper.PaidRedemptions++;
        paper.Booklet!.Use(redemption);
        paper.Booklet.DebitedMinutes += redemption.Minutes;
        paper.Booklet.DeliveredMinutes += redemption.DurationMinutes;
        Money.Stand(redemption);
        Hours.Stand(redemption);
    }

    /// <summary>Every paper of a touched booklet gets its class; those without entries are as ordered.</summary>
    private void Close(Booklet booklet)
    {
        var order = booklet.Order;
        for (var serial = booklet.Number; serial < booklet.Number + order.Row.VouchersPerBooklet; serial++)
        {
            var paper = _papers.GetValueOrDefault(serial) ?? PaperOf(serial, booklet, order);
            if (_replacedBy.ContainsKey(serial) || _replacing.ContainsKey(serial)) _chained[serial] = paper;
            else Fold([paper]);
        }

        _papers.Clear();
    }

    private Paper PaperOf(long serial, Booklet booklet, IssuedOrder order) =>
        new(serial, booklet, order, _replacing.GetValueOrDefault(serial)?.CreditMinutes ?? order.Row.CreditMinutes);

    /// <summary>One issued pass: the class of its last paper, the minutes and cents of all of them.</summary>
    private void Fold(List<Paper> papers)
    {
        var (first, last) = (papers[0], papers[^1]);
        var minutes = papers.Sum(p => p.NetMinutes);
        var cents = papers.Sum(p => p.NetCents);
        var order = first.Order.Row;
        var pass = PassClasses.Of(last.State, last.Order.Validity);
        Count(pass, 1, order.CreditMinutes - minutes, order.FaceCents - cents);
        Issued = Plus(Issued, 1, order.CreditMinutes, order.FaceCents);
        Redeemed = Plus(Redeemed, minutes > 0 ? 1 : 0, minutes, cents);
        var booklet = first.Booklet!;
        booklet.IssuedPasses++;
        if (last.CreditMinutes - last.NetMinutes <= 0) booklet.SpentPasses++;
        if (papers.Any(p => p.IsHandedOut)) HandedOutPasses++;
        if (minutes <= 0) return;
        booklet.RedeemedPasses++;
        if (papers.Sum(p => p.Redemptions) != papers.Sum(p => p.PaidRedemptions)) return;
        booklet.PaidPasses++;
        PaidPasses++;
    }

    /// <summary>What nobody touched is counted by the arithmetic of ranges.</summary>
    private void AddUntouched(IssuedOrder order, IEnumerable<Booklet> touched)
    {
        var row = order.Row;
        var (count, blocked) = (row.VoucherCount, order.Blocked.Count);
        foreach (var booklet in touched)
        {
            count -= row.VouchersPerBooklet;
            for (var serial = booklet.Number; serial < booklet.Number + row.VouchersPerBooklet; serial++)
                blocked -= order.Blocked.Contains(serial) ? 1 : 0;
        }

        var free = PassClasses.Of(new(order.IsActivated, false, row.CreditMinutes, false, false), order.Validity);
        var held = PassClasses.Of(new(order.IsActivated, true, row.CreditMinutes, false, false), order.Validity);
        Count(free, count - blocked, (count - blocked) * row.CreditMinutes, (count - blocked) * row.FaceCents);
        Count(held, blocked, blocked * row.CreditMinutes, blocked * row.FaceCents);
        Issued = Plus(Issued, count, count * row.CreditMinutes, count * row.FaceCents);
    }

    private void Count(PassClass pass, long passes, long minutes, long cents) =>
        ByClass[(int)pass] = Plus(ByClass[(int)pass], passes, minutes, cents);

    private static Amounts Plus(Amounts sum, long passes, long minutes, long cents) =>
        new(sum.Passes + passes, sum.Minutes + minutes, sum.Cents + cents);
}

/// <summary>Value by version of the terms, by site and month, by site.</summary>
internal sealed class MoneyTally
{
    public sealed record SiteMonth(long Redemptions, long Reversals, long Minutes, long Cents);

    public sealed record SiteSum(long Redemptions, long Minutes, long DeliveredMinutes, long Cents, long PaidCents);

    public SortedDictionary<long, long> ByVersion { get; } = [];

    public Dictionary<(string SiteId, long Month), SiteMonth> BySiteMonth { get; } = [];

    public SortedDictionary<string, SiteSum> BySite { get; } = new(StringComparer.Ordinal);

    /// <summary>A redemption or a reversal, in its own month and in the version of the redemption.</summary>
    public void Add(EntryRow entry, long termsVersion)
    {
        ByVersion[termsVersion] = ByVersion.GetValueOrDefault(termsVersion) + entry.ValueCents;
        var key = (entry.SiteId ?? "", entry.Month);
        var sum = BySiteMonth.GetValueOrDefault(key) ?? new(0, 0, 0, 0);
        var isReversal = entry.Kind == EntryKind.Reversal;
        BySiteMonth[key] = new(
            sum.Redemptions + (isReversal ? 0 : 1), sum.Reversals + (isReversal ? 1 : 0),
            sum.Minutes + entry.Minutes, sum.Cents + entry.ValueCents);
    }

    public void Stand(EntryRow redemption)
    {
        var site = redemption.SiteId ?? "";
        var sum = BySite.GetValueOrDefault(site) ?? new(0, 0, 0, 0, 0);
        BySite[site] = new(
            sum.Redemptions + 1, sum.Minutes + redemption.Minutes, sum.DeliveredMinutes + redemption.DurationMinutes,
            sum.Cents + redemption.ValueCents,
            sum.PaidCents + (redemption.Outcome == 2 ? redemption.ValueCents : 0));
    }

    /// <summary>Time that a site delivered without a redemption.</summary>
    public void Deliver(string siteId, long minutes)
    {
        var sum = BySite.GetValueOrDefault(siteId) ?? new(0, 0, 0, 0, 0);
        BySite[siteId] = sum with { DeliveredMinutes = sum.DeliveredMinutes + minutes };
    }
}

/// <summary>
/// Time delivered. A workshop is one session whoever came; an individual redemption is a session of one; a
/// collective one without a workshop's id is one session per site, day, service and duration.
/// </summary>
internal sealed class HoursTally
{
    private readonly HashSet<(string?, long, string?, long)> _unnamed = [];

    public HashSet<string> Workshops { get; } = new(StringComparer.Ordinal);

    public long PersonMinutes { get; private set; }

    public long IndividualMinutes { get; private set; }

    public long CollectiveMinutes { get; private set; }

    public long Redemptions { get; private set; }

    public long DebitedMinutes { get; private set; }

    /// <summary>Sessions besides the workshops typed in.</summary>
    public long OtherSessions { get; private set; }

    public long OtherSessionMinutes { get; private set; }

    public void Stand(EntryRow redemption)
    {
        Redemptions++;
        DebitedMinutes += redemption.Minutes;
        Deliver(redemption.SiteId, redemption.ServiceDay, redemption.Service, redemption.ActivityKind,
            redemption.WorkshopId, redemption.DurationMinutes);
    }

    public void Deliver(
        string? siteId, long serviceDay, string? service, string? activityKind, string? workshopId, long minutes)
    {
        PersonMinutes += minutes;
        if (activityKind == "individuel") IndividualMinutes += minutes;
        if (activityKind == "collectif") CollectiveMinutes += minutes;
        if (workshopId is not null) Workshops.Add(workshopId);
        else if (minutes > 0 && (activityKind != "collectif" || _unnamed.Add((siteId, serviceDay, service, minutes))))
        {
            OtherSessions++;
            OtherSessionMinutes += minutes;
        }
    }
}
