using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NUnit.Framework;

namespace PassNumerique.Tests.Reports;

/// <summary>One convention whose every figure can be counted on the fingers.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ConventionReportTests(string engine)
{
    private readonly StandingClock _clock = new(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private TestService _service = null!;
    private HttpClient _operator = null!;
    private Story _story = null!;
    private string _authority = "";
    private string _hub = "";
    private string _structure = "";
    private string _site = "";
    private string _point = "";
    private string _convention = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, clock: _clock);
        _clock.Now = new(2026, 12, 1, 9, 0, 0, TimeSpan.Zero);
        _operator = _service.Operator();
        _story = new Story().On("2026-02-01");
        _authority = _story.Organisation("authority", "Département d'essai");
        _hub = _story.Organisation("hub", "Hub d'essai");
        _structure = _story.Organisation("structure");
        _site = _story.Site(_structure);
        _point = _story.Point(_authority);
        var terms = Story.Terms(("État", 3_500), ("Département", 6_500)) with
        {
            PicQuotaBasisPoints = 5_000,
            PicQuotaBase = "handed-out",
            Objectives =
            [
                new("use-rate-0", 2_000, new(2026, 12, 31)), new("persons", 100, new(2026, 6, 30)),
                new("satisfaction", 9_000, new(2026, 12, 31)),
            ],
        };
        _convention = _story.Convention(_authority, terms, _hub);
        Tell();
        await _story.LoadAsync(_service);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _operator.Dispose();
        await _service.DisposeAsync();
    }

    /// <summary>Four booklets of five passes handed out or used, of ten; and an order nobody activated.</summary>
    private void Tell()
    {
        _story.On("2026-02-10");
        var order = _story.Order(_convention, _authority, 1_001, 10, "2026-09-30", _point, picBooklets: 4);
        var later = _story.Order(_convention, _authority, 2_001, 2, "2026-12-31", _point);
        var cancelled = _story.Order(_convention, _authority, 3_001, 2, "2026-12-31", _point);
        _story.On("2026-02-20").Activate(order);
        _story.Step(later, "approved");
        _story.Step(cancelled, "approved", "cancelled");
        _story.On("2026-03-01");
        _story.HandOut(1_001, _point, 1, pic: "jobseeker-no-diploma", age: "soixante_dix_plus", publics: "femmes|seniors");
        _story.HandOut(1_006, _point, null, pic: "none");
        _story.HandOut(1_011, _point, 1, pic: "unknown");
        _story.On("2026-03-11");
        _story.Redeem(1_001, _site, 120, firstVisit: "yes");
        _story.Redeem(1_002, _site, 60, kind: "collectif");
        _story.Redeem(1_016, _site, 120, firstVisit: "no"); // nobody recorded its hand-out
        var part = _story.Redeem(1_006, _site, 60);
        _story.On("2026-03-12").Reverse(1_006, part, _site, 60, 500);
        _story.Block(1_001, 1_021, 1_025);
        _story.Close(1_011);
        _story.Add("funds_receipts", ("id", Story.NewId()), ("convention_id", _convention), ("funder", "Département"),
            ("amount_cents", 52_496), ("face_value_cents", 50_000), ("received_day", Story.Day("2026-03-12")),
            ("bank_reference", "VIR-1"), ("prefunding", 1));
        _story.Add("costs", ("id", Story.NewId()), ("convention_id", _convention), ("kind", "printing"),
            ("amount_cents", 4_000), ("on_day", Story.Day("2026-03-12")), ("source", "facture"));
        Assess("t0", 4, 1);
        Assess("t1", 7, 1);
        Assess("t0", 5, 2);
    }

    private void Assess(string phase, long score, long person) => _story.Add("assessments", ("id", Story.NewId()),
        ("convention_id", _convention), ("person_number", person), ("instrument", "abc-pix"), ("instrument_version", "1"),
        ("phase", phase), ("score", score), ("max_score", 20), ("mode", "alone"), ("taken_day", Story.Day("2026-03-12")));

    private async Task<JsonElement> ReportAsync(string query = "asOf=2026-04-01")
    {
        var answer = await _operator.ReadAsync($"reports/conventions/{_convention}?{query}");
        Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
        return answer.Json;
    }

    private static JsonElement By(JsonElement list, string code) =>
        list.EnumerateArray().Single(e => e.GetProperty("code").GetString() == code);

    private static (long, long, long?) Of(JsonElement ratio) => (
        ratio.GetProperty("numerator").GetInt64(), ratio.GetProperty("denominator").GetInt64(),
        ratio.GetProperty("basisPoints").ValueKind == JsonValueKind.Null ? null : ratio.GetProperty("basisPoints").GetInt64());

    [Test]
    public async Task The_funnel_counts_passes_and_persons()
    {
        var funnel = (await ReportAsync()).GetProperty("funnel");
        Assert.That(funnel.EnumerateArray().Select(s => (
                s.GetProperty("code").GetString(), s.GetProperty("passes").GetInt64(),
                s.GetProperty("persons").ValueKind == JsonValueKind.Null ? -1 : s.GetProperty("persons").GetInt64())),
            Is.EqualTo(new[]
            {
                ("financed", 1_000L, -1L), ("ordered", 60, -1), ("delivered", 50, -1), ("activated", 50, -1),
                ("handed-out", 20, 3), ("started", 10, 2), ("redeemed", 3, 2), ("paid", 0, 0), ("expired", 0, -1),
                ("blocked", 5, -1), ("returned", 1, -1),
            }));
    }

    [Test]
    public async Task Each_pass_is_in_one_class()
    {
        var classes = (await ReportAsync()).GetProperty("classes");
        Assert.That(classes.GetProperty("classes").EnumerateArray().Select(c => (
                c.GetProperty("code").GetString(), c.GetProperty("passes").GetInt64(), c.GetProperty("minutes").GetInt64(),
                c.GetProperty("cents").GetInt64())),
            Is.EqualTo(new[]
            {
                ("not-activated", 10L, 1_200L, 10_000L), ("blocked", 5, 600, 5_000), ("spent", 2, 0, 0),
                ("returned", 1, 120, 1_000), ("expired", 0, 0, 0), ("live", 42, 4_980, 41_500),
            }));
        Assert.That(classes.GetProperty("redeemed").ToString(), Is.EqualTo("""{"passes":3,"minutes":300,"cents":2500}"""));
        Assert.That(classes.GetProperty("issued").ToString(), Is.EqualTo("""{"passes":60,"minutes":7200,"cents":60000}"""));
    }

    [Test]
    public async Task What_was_not_handed_out_expires_the_day_after_and_the_rest_after_the_tolerance()
    {
        async Task<long> Expired(string day) =>
            By((await ReportAsync($"asOf={day}")).GetProperty("funnel"), "expired").GetProperty("passes").GetInt64();
        Assert.That(await Expired("2026-09-30"), Is.Zero);
        Assert.That(await Expired("2026-10-01"), Is.EqualTo(50 - 20 - 5));
        Assert.That(await Expired("2026-11-06"), Is.EqualTo(25));
        Assert.That(await Expired("2026-11-07"), Is.EqualTo(42));
    }

    [Test]
    public async Task Rates_show_their_numerator_and_denominator()
    {
        var report = await ReportAsync();
        var rates = report.GetProperty("rates");
        Assert.That(Of(By(rates, "use-rate-0")), Is.EqualTo((3L, 60L, (long?)500)));
        Assert.That(Of(By(rates, "use-rate-a")), Is.EqualTo((3L, 50L, (long?)600)));
        Assert.That(Of(By(rates, "use-rate-b")), Is.EqualTo((3L, 20L, (long?)1_500)));
        Assert.That(Of(By(rates, "distribution-rate")), Is.EqualTo((20L, 50L, (long?)4_000)));
        Assert.That(Of(By(rates, "start-rate")), Is.EqualTo((2L, 4L, (long?)5_000)));
        Assert.That(By(rates, "passes-per-person").GetProperty("hundredths").GetInt64(), Is.EqualTo(150));
        var first = report.GetProperty("firstUse");
        Assert.That((first.GetProperty("booklets").GetInt64(), first.GetProperty("medianDays").GetString()), Is.EqualTo((1L, "10.0")));
    }

    [Test]
    public async Task A_forgotten_hand_out_and_an_anonymous_one_are_a_person_each()
    {
        var persons = (await ReportAsync()).GetProperty("persons");
        Assert.That((persons.GetProperty("total").GetInt64(), persons.GetProperty("anonymousBooklets").GetInt64(),
            persons.GetProperty("unrecordedHandOuts").GetInt64()), Is.EqualTo((3L, 2L, 1L)));
    }

    [Test]
    public async Task The_pic_public_is_counted_at_four_points_with_its_unknowns()
    {
        var lines = (await ReportAsync()).GetProperty("pic").GetProperty("lines");
        (long, long, long) Line(string code)
        {
            var line = By(lines, code);
            return (line.GetProperty("yes").GetInt64(), line.GetProperty("no").GetInt64(), line.GetProperty("unknown").GetInt64());
        }

        Assert.That(Line("allocated"), Is.EqualTo((20L, 30L, 10L)));
        Assert.That(Line("handed-out"), Is.EqualTo((5L, 5L, 10L)));
        Assert.That(Line("redeemed"), Is.EqualTo((2L, 0L, 1L)));
        Assert.That(Line("hours"), Is.EqualTo((180L, 0L, 120L)));
        Assert.That(By(lines, "handed-out").GetProperty("meetsQuota").GetBoolean(), Is.False);
    }

    [Test]
    public async Task Money_is_shared_once_and_shown_by_site_and_month()
    {
        var money = (await ReportAsync()).GetProperty("money");
        Assert.That(money.GetProperty("shares").EnumerateArray().Select(s => s.GetProperty("cents").GetInt64()),
            Is.EqualTo(new[] { 875L, 1_625L }));
        var line = money.GetProperty("siteMonths").EnumerateArray().Single();
        Assert.That((line.GetProperty("month").GetString(), line.GetProperty("redemptions").GetInt64(),
            line.GetProperty("reversals").GetInt64(), line.GetProperty("cents").GetInt64()), Is.EqualTo(("2026-03", 4L, 1L, 2_500L)));
        Assert.That(money.GetProperty("fullCost").GetProperty("centsPerHour").GetInt64(),
            Is.EqualTo((2_500 + 2_496 + 4_000) * 60 / 300 + 0), "of five hours");
    }

    [Test]
    public async Task Hours_scores_objectives_and_lead_times_are_there()
    {
        var report = await ReportAsync();
        var hours = report.GetProperty("hours");
        Assert.That((hours.GetProperty("personMinutes").GetInt64(), hours.GetProperty("collectiveMinutes").GetInt64(),
            hours.GetProperty("sessions").GetInt64(), hours.GetProperty("debitedMinutes").GetInt64()), Is.EqualTo((300L, 60L, 3L, 300L)));
        var gain = report.GetProperty("scoreGains").EnumerateArray().Single();
        Assert.That((gain.GetProperty("pairs").GetInt64(), gain.GetProperty("meanGain").GetProperty("hundredths").GetInt64(),
            gain.GetProperty("low95").ValueKind), Is.EqualTo((1L, 300L, JsonValueKind.Null)));
        Assert.That(report.GetProperty("objectives").EnumerateArray().Select(o =>
                (o.GetProperty("indicator").GetString(), o.GetProperty("status").GetString())),
            Is.EqualTo(new[] { ("persons", "en cours"), ("satisfaction", "non mesuré"), ("use-rate-0", "en cours") }));
        Assert.That(report.GetProperty("leadTimes").GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("days").GetInt64()),
            Is.EqualTo(new[] { 9L, 10L, 9L, 10L, 38L }));
    }

    [Test]
    public async Task The_day_served_and_the_moment_known_are_two_clocks()
    {
        var before = await ReportAsync("servedThrough=2026-03-10&knownAt=2026-03-31T00:00:00Z");
        Assert.That(By(before.GetProperty("funnel"), "redeemed").GetProperty("passes").GetInt64(), Is.Zero);
        var unaware = await ReportAsync("servedThrough=2026-03-31&knownAt=2026-03-11T20:00:00Z");
        Assert.That(By(unaware.GetProperty("funnel"), "redeemed").GetProperty("passes").GetInt64(), Is.EqualTo(4));
        var cut = unaware.GetProperty("cutOff");
        Assert.That((cut.GetProperty("servedThrough").GetString(), cut.GetProperty("knownAt").GetString()),
            Is.EqualTo(("2026-03-31", "2026-03-11T20:00:00.000Z")));
    }

    [TestCase("asOf=2026-12-01")]
    [TestCase("knownAt=2027-01-01T00:00:00Z")]
    [TestCase("servedThrough=2026-12-02")]
    public async Task A_cut_off_to_come_is_refused(string query)
    {
        var answer = await _operator.ReadAsync($"reports/conventions/{_convention}?{query}");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "cut-off-not-sealed")), answer.Body);
        Assert.That(answer["latest"].GetString(), Does.EndWith("Z"));
    }

    [TestCase("asOf=2026-13-01")]
    [TestCase("asOf=2026-03-01&knownAt=2026-03-01T00:00:00Z")]
    [TestCase("knownAt=hier")]
    [TestCase("asOf=0001-01-01")]
    public async Task A_cut_off_without_sense_is_invalid(string query) =>
        Assert.That((await _operator.ReadAsync($"reports/conventions/{_convention}?{query}")).Status, Is.EqualTo(400));

    [Test]
    public async Task The_same_cut_off_gives_the_same_bytes_whatever_came_later()
    {
        async Task<string> Digest(string path) => Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes((await _operator.ReadAsync(path)).Body)));
        string[] paths =
        [
            $"reports/conventions/{_convention}?asOf=2026-04-01",
            $"reports/conventions/{_convention}.csv?asOf=2026-04-01",
            $"reports/conventions/{_convention}?servedThrough=2026-03-31&knownAt=2026-03-11T20:00:00Z",
        ];
        var before = new List<string>();
        foreach (var path in paths) before.Add(await Digest(path));
        _story.On("2026-11-20");
        _story.HandOut(1_031, _point, 77, day: Story.Day("2026-03-02"));
        _story.Redeem(1_002, _site, 60, day: Story.Day("2026-03-20"));
        await _story.LoadAsync(_service);
        var after = new List<string>();
        foreach (var path in paths) after.Add(await Digest(path));
        Assert.That(after, Is.EqualTo(before));
        _clock.Now = _clock.Now.AddMinutes(30);
        var latest = await ReportAsync($"knownAt={_clock.Now.AddMinutes(-1):yyyy-MM-ddTHH:mm:ss}Z");
        Assert.That(By(latest.GetProperty("funnel"), "handed-out").GetProperty("passes").GetInt64(), Is.EqualTo(25));
    }

    [Test]
    public async Task The_table_is_one_figure_a_line()
    {
        var answer = await _operator.ReadAsync($"reports/conventions/{_convention}.csv?asOf=2026-04-01");
        Assert.That((answer.Status, answer.ContentType), Is.EqualTo((200, "text/csv")));
        var lines = answer.Body.Split("\r\n");
        Assert.That(lines[0], Is.EqualTo("section,indicator,key,label,value,numerator,denominator,unit"));
        Assert.That(lines, Does.Contain("rates,use-rate-0,,Taux d'usage 0,500,3,60,basis-points"));
        Assert.That(lines, Does.Contain("classes,live,passes,En circulation,42,,,passes"));
        Assert.That(lines, Does.Contain("by-public,persons,femmes,Femmes,1,,,persons"));
    }

    [Test]
    public async Task Only_those_of_the_convention_and_the_overseers_read_it()
    {
        var path = $"reports/conventions/{_convention}";
        var other = await _service.SendAsync(new PassNumerique.Access.CreateOrganisation.Command("authority", "Autre", "43493312300029"));
        var hub = await _service.SendAsync(new PassNumerique.Access.CreateOrganisation.Command("hub", "Autre hub"));
        async Task<int> Status(string organisation, string role, string? place = null) =>
            (await (await Story.ClientAsync(_service, organisation, role, place)).ReadAsync(path)).Status;
        Assert.That(await Status(_authority, "authority"), Is.EqualTo(200));
        Assert.That(await Status(_hub, "hub"), Is.EqualTo(200));
        Assert.That(await Status(other.Value!.Id, "authority"), Is.EqualTo(404));
        Assert.That(await Status(hub.Value!.Id, "hub"), Is.EqualTo(404));
        Assert.That(await Status(_structure, "site", _site), Is.EqualTo(403));
        Assert.That(await Status(_authority, "agent", _point), Is.EqualTo(403));
        Assert.That((await _service.Client().ReadAsync(path)).Status, Is.EqualTo(401));
        Assert.That((await _operator.ReadAsync("reports/conventions/rien")).Status, Is.EqualTo(404));
        Assert.That((await _operator.ReadAsync($"reports/conventions/{Story.NewId()}.csv")).Problem, Is.EqualTo("not-found"));
    }
}
