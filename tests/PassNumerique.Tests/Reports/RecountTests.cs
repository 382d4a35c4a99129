using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PassNumerique.Conventions;

namespace PassNumerique.Tests.Reports;

/// <summary>
/// Random histories, counted a second time from the exported journal, pass by pass, with loops that share
/// nothing with the report but the definitions in words.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class RecountTests(string engine)
{
    /// <summary>A failure prints the seed that made it: the history can be told again from it.</summary>
    [Test]
    public void The_report_is_what_anybody_counts_from_the_journal() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(6),
        Prop.ForAll(Arb.From(Gen.Choose(1, int.MaxValue)), seed => RecountAsync(seed).GetAwaiter().GetResult()));

    private async Task RecountAsync(int seed)
    {
        var clock = new StandingClock(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var service = await TestService.StartAsync(engine, clock: clock);
        clock.Now = new(2026, 12, 31, 0, 0, 0, TimeSpan.Zero);
        var story = new Story();
        var convention = new RandomHistory(seed, story).Tell();
        await story.LoadAsync(service);
        using var client = service.Operator();

        foreach (var day in new[] { "2026-05-15", "2026-07-20", "2026-10-01", "2026-12-20" })
        {
            var answer = await client.ReadAsync($"reports/conventions/{convention}?asOf={day}");
            Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
            var report = answer.Json;
            var batch = report.GetProperty("cutOff").GetProperty("batch").GetInt64();
            var journal = (await client.ReadAsync($"exports/journal?conventionId={convention}")).Body
                .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)
                .Where(l => l.GetProperty("batch").GetInt64() <= batch).ToList();
            var count = new Recount(journal, Story.Day(day));
            Assert.Multiple(() => Compare(report, count, $"seed {seed}, {day}"));
        }
    }

    /// <summary>Holds a report against an independent count, figure by figure.</summary>
    public static void Compare(JsonElement report, Recount count, string when)
    {
        var classes = report.GetProperty("classes");
        foreach (var line in classes.GetProperty("classes").EnumerateArray())
        {
            var code = line.GetProperty("code").GetString()!;
            Assert.That(Amounts(line), Is.EqualTo(count.Classes.GetValueOrDefault(code)), $"{when}: {code}");
        }

        Assert.That(Amounts(classes.GetProperty("issued")), Is.EqualTo(count.Issued), when);
        Assert.That(Amounts(classes.GetProperty("redeemed")), Is.EqualTo(count.Redeemed), when);
        var all = classes.GetProperty("classes").EnumerateArray().Select(Amounts).ToList();
        Assert.That(all.Sum(a => a.Passes), Is.EqualTo(count.Issued.Passes), when);
        Assert.That(all.Sum(a => a.Minutes) + count.Redeemed.Minutes, Is.EqualTo(count.Issued.Minutes), when);
        Assert.That(all.Sum(a => a.Cents) + count.Redeemed.Cents, Is.EqualTo(count.Issued.Cents), when);

        var money = report.GetProperty("money");
        Assert.That(Sum(money.GetProperty("shares"), "cents"), Is.EqualTo(count.Redeemed.Cents), when);
        Assert.That(Sum(money.GetProperty("funders"), "redeemedCents"), Is.EqualTo(count.Redeemed.Cents), when);
        Assert.That(Sum(money.GetProperty("siteMonths"), "cents"), Is.EqualTo(count.Redeemed.Cents), when);
        Assert.That(Sum(report.GetProperty("sites"), "cents"), Is.EqualTo(count.Redeemed.Cents), when);
        Assert.That(money.GetProperty("paidCents").GetInt64(), Is.EqualTo(count.PaidCents), when);

        foreach (var (code, numerator, denominator) in count.Rates)
        {
            var rate = report.GetProperty("rates").EnumerateArray().Single(r => r.GetProperty("code").GetString() == code);
            Assert.That((rate.GetProperty("numerator").GetInt64(), rate.GetProperty("denominator").GetInt64()),
                Is.EqualTo((numerator, denominator)), $"{when}: {code}");
        }

        Assert.That(report.GetProperty("persons").GetProperty("total").GetInt64(), Is.EqualTo(count.Persons), when);
        Assert.That(report.GetProperty("hours").GetProperty("personMinutes").GetInt64(), Is.EqualTo(count.DeliveredMinutes), when);
        Assert.That(Guarantee(report), Is.EqualTo(count.Guarantee), when);
    }

    private static (long, long, long, long) Guarantee(JsonElement report) =>
        report.TryGetProperty("offlineGuarantee", out var g)
            ? (g.GetProperty("passes").GetInt64(), g.GetProperty("minutes").GetInt64(), g.GetProperty("cents").GetInt64(),
                g.GetProperty("paidCents").GetInt64())
            : default;

    private static (long Passes, long Minutes, long Cents) Amounts(JsonElement e) => (
        e.GetProperty("passes").GetInt64(), e.GetProperty("minutes").GetInt64(), e.GetProperty("cents").GetInt64());

    private static long Sum(JsonElement list, string member) => list.EnumerateArray().Sum(e => e.GetProperty(member).GetInt64());
}

/// <summary>A convention of which anything may have happened, deterministic in its seed.</summary>
internal sealed class RandomHistory(int seed, Story story)
{
    private readonly Random _random = new(seed);
    private readonly List<(long Serial, long Part, long Minutes, long Cents, long Day, long Version)> _redemptions = [];
    private readonly HashSet<long> _closed = [];
    private readonly HashSet<long> _reversed = [];
    private readonly HashSet<long> _inRun = [];
    private readonly List<long> _handedOut = [];
    private string _site = "";
    private string _point = "";
    private long _today = Story.Day("2026-02-01");
    private long _nextPaper = 9_001;

    public string Tell()
    {
        story.On(_today);
        var authority = story.Organisation("authority");
        _site = story.Site(story.Organisation("structure"));
        _point = story.Point(authority);
        var first = _random.Next(0, 10_001);
        var terms = Story.Terms(("État", first), ("CAF", (10_000 - first) / 3), ("Département", 10_000 - first - ((10_000 - first) / 3)));
        var convention = story.Convention(authority, terms);
        story.Version(convention, 2, terms with { ToleranceDays = 15, Funders = [.. terms.Funders.Reverse()] }, Story.Day("2026-06-01"));
        var orders = new[]
        {
            story.Order(convention, authority, 1_001, 12, "2026-06-30", _point, face: 1_000, credit: 120),
            story.Order(convention, authority, 2_001, 12, "2026-09-30", _point, face: 997, credit: 90),
            story.Order(convention, authority, 3_001, 4, "2026-09-30", _point),
            story.Order(convention, authority, 4_001, 4, "2026-09-30", _point),
            story.Order(convention, authority, 9_001, 4, "2026-12-31", _point),
        };
        foreach (var order in orders[..2].Append(orders[4])) story.Activate(order);
        story.Step(orders[2], "approved");
        story.Step(orders[3], "approved", "cancelled");
        var run = Story.NewId();
        for (var i = 0; i < 160; i++)
        {
            _today += _random.Next(0, 3);
            story.On(_today);
            Something(run);
        }

        story.Add("payment_runs", ("id", run), ("month", 202612), ("line_count", 0), ("total_cents", 0));
        story.Add("payment_confirmations", ("run_id", run), ("paid_day", _today), ("bank_reference", "VIR"));
        return convention;
    }

    private void Something(string run)
    {
        switch (_random.Next(0, 13))
        {
            case <= 3:
                HandOut();
                break;
            case <= 8:
                Redeem();
                break;
            case 9:
                Undo(run);
                break;
            case 10:
                Close();
                break;
            case 11:
                Guarantee(run);
                break;
            default:
                var start = Serial();
                if (_random.Next(3) == 0) story.Block(start < 2_000 ? 1_001 : 2_001, start, Math.Min(start + 3, start < 2_000 ? 1_060 : 2_060));
                break;
        }
    }

    private long Serial() => (_random.Next(2) == 0 ? 1_001 : 2_001) + _random.Next(0, 60);

    private void HandOut()
    {
        var serial = Serial();
        var booklet = serial - ((serial - 1) % 5);
        if (_handedOut.Contains(booklet) && _random.Next(4) == 0)
        {
            story.HandOut(booklet, _point, null, kind: 2);
            _handedOut.Remove(booklet);
        }
        else if (!_handedOut.Contains(booklet))
        {
            story.HandOut(booklet, _point, _random.Next(3) == 0 ? null : _random.Next(1, 9), day: _today - _random.Next(0, 4));
            _handedOut.Add(booklet);
        }
    }

    private void Redeem()
    {
        var serial = _nextPaper > 9_001 && _random.Next(4) == 0 ? _random.NextInt64(9_001, _nextPaper) : Serial();
        var left = story.CreditOf(serial) - story.MinutesOf(serial);
        if (_closed.Contains(serial) || left <= 0) return;
        var minutes = _random.Next(3) == 0 ? left : _random.NextInt64(1, left + 1);
        var day = _today - _random.Next(0, 8);
        var version = day >= Story.Day("2026-06-01") ? 2 : 1;
        var cents = story.CentsOf(serial);
        var part = story.Redeem(serial, _site, minutes, day, version, duration: _random.Next(15, 121));
        _redemptions.Add((serial, part, minutes, story.CentsOf(serial) - cents, day, version));
    }

    private void Guarantee(string run)
    {
        var serial = Serial();
        var day = _today - _random.Next(0, 8);
        var part = story.Guarantee(serial, _site, _random.NextInt64(1, story.CreditOf(serial) + 1), day,
            day >= Story.Day("2026-06-01") ? 2 : 1, duration: _random.Next(15, 121));
        var outcome = _random.Next(4) switch { 0 => "undone", 1 => "in-run", _ => null };
        if (outcome is null) return;
        story.On(_today);
        story.Add("guarantee_outcomes", ("serial", serial), ("part", part), ("outcome", outcome),
            ("run_id", outcome == "in-run" ? run : null), ("reason", outcome == "undone" ? "erreur" : null));
    }

    private void Undo(string run)
    {
        if (_redemptions.Count == 0) return;
        var place = _random.Next(_redemptions.Count);
        var (serial, part, minutes, cents, day, version) = _redemptions[place];
        if (_random.Next(2) == 0 && !_reversed.Contains(place) && _inRun.Add(place))
        {
            story.Add("redemption_outcomes", ("serial", serial), ("part", part), ("outcome", "in-run"), ("run_id", run));
        }
        else if (_reversed.Add(place))
        {
            story.Reverse(serial, part, _site, minutes, cents, undone: !_inRun.Contains(place), day: day, version: version);
        }
    }

    private void Close()
    {
        var serial = Serial();
        if (story.CreditOf(serial) == story.MinutesOf(serial) || !_closed.Add(serial)) return;
        if (_random.Next(2) == 0 && _nextPaper < 9_015) story.Replace(serial, _nextPaper++);
        else story.Close(serial);
    }
}

/// <summary>The second count: every pass of every order, one after the other.</summary>
internal sealed class Recount
{
    private readonly List<JsonElement> _journal;
    private readonly long _day;
    private readonly Dictionary<long, JsonElement> _replacedBy = [];
    private readonly HashSet<long> _papers = [];
    private readonly Dictionary<long, List<JsonElement>> _entries = [];
    private readonly Dictionary<long, (long Day, string Person)> _handedOut = [];
    private readonly HashSet<string> _paidRuns;

    public Recount(List<JsonElement> journal, long day)
    {
        (_journal, _day) = (journal, day);
        foreach (var row in Rows("replacements"))
        {
            _replacedBy[N(row, "replaced_serial")] = row;
            _papers.Add(N(row, "serial"));
        }

        foreach (var group in Rows("voucher_entries").GroupBy(r => N(r, "serial")))
            _entries[group.Key] = [.. group.OrderBy(r => N(r, "part"))];
        _paidRuns = [.. Rows("payment_confirmations").Select(r => r.GetProperty("run_id").GetString()!)];
        foreach (var order in IssuedOrders()) HandOuts(order);
        foreach (var order in IssuedOrders()) Passes(order);
        Guarantees();
    }

    public Dictionary<string, (long Passes, long Minutes, long Cents)> Classes { get; } = [];

    public (long Passes, long Minutes, long Cents) Issued { get; private set; }

    public (long Passes, long Minutes, long Cents) Redeemed { get; private set; }

    public long PaidCents { get; private set; }

    public long DeliveredMinutes { get; private set; }

    public (long Passes, long Minutes, long Cents, long PaidCents) Guarantee { get; private set; }

    public long HandedOutPasses { get; private set; }

    public long ActivatedPasses { get; private set; }

    public long Persons => _handedOut.Where(h => !IsOnlyPapers(h.Key) || h.Value.Person[0] == 'p')
        .Select(h => h.Value.Person).Distinct().Count();

    public IEnumerable<(string, long, long)> Rates =>
    [
        ("use-rate-0", Redeemed.Passes, Issued.Passes),
        ("use-rate-a", Redeemed.Passes, ActivatedPasses),
        ("use-rate-b", Redeemed.Passes, HandedOutPasses),
        ("value-rate", Redeemed.Cents, Issued.Cents),
        ("distribution-rate", HandedOutPasses, ActivatedPasses),
    ];

    private IEnumerable<JsonElement> Rows(string table) =>
        _journal.Where(l => l.GetProperty("table").GetString() == table).Select(l => l.GetProperty("row"));

    private static long N(JsonElement row, string column) => row.GetProperty(column).GetInt64();

    private IEnumerable<JsonElement> Steps(JsonElement order, string step) => Rows("order_steps").Where(s =>
        s.GetProperty("order_id").GetString() == order.GetProperty("id").GetString()
        && s.GetProperty("step").GetString() == step && N(s, "on_day") <= _day);

    private IEnumerable<JsonElement> IssuedOrders() => Rows("orders")
        .Where(o => N(o, "ordered_day") <= _day && Steps(o, "approved").Any() && !Steps(o, "cancelled").Any());

    private bool IsOnlyPapers(long booklet) => Enumerable.Range(0, 5).All(i => _papers.Contains(booklet + i));

    /// <summary>Redemptions that stand: served by the day, and named by no reversal.</summary>
    private IEnumerable<JsonElement> Standing(long serial)
    {
        var entries = _entries.GetValueOrDefault(serial) ?? [];
        var undone = entries.Where(e => N(e, "kind") == 6).Select(e => N(e, "reversed_part")).ToHashSet();
        return entries.Where(e => N(e, "kind") is 1 or 2 && N(e, "service_day") <= _day && !undone.Contains(N(e, "part")));
    }

    private void HandOuts(JsonElement order)
    {
        var size = N(order, "vouchers_per_booklet");
        for (var booklet = N(order, "first_serial"); booklet <= N(order, "last_serial"); booklet += size)
        {
            foreach (var row in Rows("booklet_entries").Where(r => N(r, "booklet") == booklet && N(r, "day") <= _day).OrderBy(r => N(r, "part")))
            {
                if (N(row, "kind") == 2) _handedOut.Remove(booklet);
                if (N(row, "kind") == 1)
                    _handedOut[booklet] = (N(row, "day"), N(row, "anonymous") == 1 ? "a" + booklet : "p" + N(row, "person_number"));
            }

            var uses = Enumerable.Range(0, (int)size).SelectMany(i => Standing(booklet + i)).ToList();
            if (uses.Count > 0 && !_handedOut.ContainsKey(booklet))
                _handedOut[booklet] = (uses.Min(u => N(u, "service_day")), "a" + booklet);
        }
    }

    private void Passes(JsonElement order)
    {
        for (var serial = N(order, "first_serial"); serial <= N(order, "last_serial"); serial++)
        {
            foreach (var use in Standing(serial)) Delivered(use);
            if (!_papers.Contains(serial)) Pass(order, serial);
        }
    }

    /// <summary>Services that came second and are owed all the same: their hours count, their passes don't.</summary>
    private void Guarantees()
    {
        foreach (var service in Rows("offline_services").Where(s => N(s, "service_day") <= _day))
        {
            bool Same(JsonElement row) => N(row, "serial") == N(service, "serial") && N(row, "part") == N(service, "part");
            if (!Rows("guarantees").Any(Same)) continue;
            var outcome = Rows("guarantee_outcomes").FirstOrDefault(Same);
            var said = outcome.ValueKind == JsonValueKind.Object ? outcome.GetProperty("outcome").GetString() : null;
            if (said == "undone") continue;
            var isPaid = said == "in-run" && _paidRuns.Contains(outcome.GetProperty("run_id").GetString()!);
            DeliveredMinutes += N(service, "duration_minutes");
            Guarantee = (Guarantee.Passes + 1, Guarantee.Minutes + N(service, "minutes"),
                Guarantee.Cents + N(service, "value_cents"), Guarantee.PaidCents + (isPaid ? N(service, "value_cents") : 0));
        }
    }

    private void Delivered(JsonElement use)
    {
        DeliveredMinutes += N(use, "duration_minutes");
        var outcome = Rows("redemption_outcomes").FirstOrDefault(o =>
            N(o, "serial") == N(use, "serial") && N(o, "part") == N(use, "part"));
        if (outcome.ValueKind == JsonValueKind.Object && outcome.GetProperty("outcome").GetString() == "in-run"
            && _paidRuns.Contains(outcome.GetProperty("run_id").GetString()!))
            PaidCents += N(use, "value_cents");
    }

    private void Pass(JsonElement order, long serial)
    {
        var papers = new List<long> { serial };
        while (_replacedBy.TryGetValue(papers[^1], out var next)) papers.Add(N(next, "serial"));
        var minutes = papers.SelectMany(Standing).Sum(e => N(e, "minutes"));
        var cents = papers.SelectMany(Standing).Sum(e => N(e, "value_cents"));
        var (credit, face) = (N(order, "credit_minutes"), N(order, "face_cents"));
        Issued = (Issued.Passes + 1, Issued.Minutes + credit, Issued.Cents + face);
        Redeemed = (Redeemed.Passes + (minutes > 0 ? 1 : 0), Redeemed.Minutes + minutes, Redeemed.Cents + cents);
        if (Steps(order, "activated").Any()) ActivatedPasses++;
        if (papers.Any(p => _handedOut.ContainsKey(BookletOf(p)))) HandedOutPasses++;
        var code = ClassOf(papers[^1], credit);
        var sum = Classes.GetValueOrDefault(code);
        Classes[code] = (sum.Passes + 1, sum.Minutes + credit - minutes, sum.Cents + face - cents);
    }

    private JsonElement OrderOf(long serial) => Rows("orders").Single(o => N(o, "first_serial") <= serial && serial <= N(o, "last_serial"));

    private long BookletOf(long serial)
    {
        var order = OrderOf(serial);
        return serial - ((serial - N(order, "first_serial")) % N(order, "vouchers_per_booklet"));
    }

    private string ClassOf(long serial, long credit)
    {
        var order = OrderOf(serial);
        if (!Steps(order, "activated").Any()) return "not-activated";
        var lifted = Rows("block_lifts").Select(l => l.GetProperty("block_id").GetString()).ToHashSet();
        if (Rows("blocks").Any(b => N(b, "first_serial") <= serial && serial <= N(b, "last_serial")
            && !lifted.Contains(b.GetProperty("id").GetString()))) return "blocked";
        var own = _replacedBy.Values.Where(r => N(r, "serial") == serial).Select(r => N(r, "credit_minutes")).FirstOrDefault(credit);
        if (Standing(serial).Sum(e => N(e, "minutes")) >= own) return "spent";
        if (_entries.GetValueOrDefault(serial)?.Any(e => N(e, "kind") == 5 && N(e, "service_day") <= _day) == true) return "returned";
        var until = N(order, "valid_until_day");
        var inTime = _handedOut.TryGetValue(BookletOf(serial), out var handOut) && handOut.Day <= until;
        var tolerance = Rows("convention_terms").Where(t => N(t, "effective_day") <= _day).OrderBy(t => N(t, "version"))
            .Select(t => Terms.Parse(t.GetProperty("terms").GetString()!).ToleranceDays).Last();
        return _day > until + (inTime ? tolerance + 7 : 0) ? "expired" : "live";
    }
}
