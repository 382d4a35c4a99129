using System.Text.Json;
using NUnit.Framework;
using PassNumerique.Access;
using PassNumerique.Tests.Reports;

namespace PassNumerique.Tests.Settlement;

/// <summary>Money to the sites: what is due, one run a line, four eyes, and what came undone afterwards.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class PaymentRunTests(string engine)
{
    private readonly StandingClock _clock = new(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private const long First = 1_001;
    private Story _story = null!;
    private TestService _service = null!;
    private HttpClient _maker = null!;
    private HttpClient _checker = null!;
    private HttpClient _siteA = null!;
    private string _structure = "";
    private string _a = "";
    private string _b = "";
    private long _incidentPart;

    [SetUp]
    public async Task Start()
    {
        _clock.Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        _service = await TestService.StartAsync(engine, clock: _clock);
        _clock.Now = new(2026, 4, 5, 9, 0, 0, TimeSpan.Zero);
        _story = new Story().On("2026-02-01");
        var authority = _story.Organisation("authority");
        _structure = _story.Organisation("structure");
        _a = _story.Site(_structure, "Lieu A");
        _b = _story.Site(_structure, "Lieu B");
        var terms = Story.Terms(("État", 10_000)) with { DownstreamFeeBasisPoints = 400, FeeVatBasisPoints = 2_000 };
        var convention = _story.Convention(authority, terms);
        var order = _story.Order(convention, authority, First, 2, "2026-12-31", _story.Point(authority));
        _story.Activate(order);
        _story.On("2026-03-10");
        _incidentPart = _story.Redeem(First, _a, 120);
        _story.Redeem(First + 1, _a, 60);
        var undone = _story.Redeem(First + 2, _a, 120);
        _story.Redeem(First + 3, _b, 120);
        _story.Reverse(First + 2, undone, _a, 120, 1_000);
        await _story.LoadAsync(_service);
        _maker = _service.Operator();
        var organisation = await _service.SendAsync(new CreateOrganisation.Command("operator", "Opérateur, deuxième personne"));
        _checker = await Story.ClientAsync(_service, organisation.Value!.Id, "operator");
        _siteA = await Story.ClientAsync(_service, _structure, "site", _a);
    }

    [TearDown]
    public async Task Stop()
    {
        _maker.Dispose();
        _checker.Dispose();
        _siteA.Dispose();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task A_site_sees_what_it_is_owed()
    {
        var answer = await _siteA.ReadAsync($"sites/{_a}/payables?month=2026-03&limit=3");
        Assert.That((answer.Status, answer["count"].GetInt64(), answer["totalCents"].GetInt64()), Is.EqualTo((200, 4L, 1_500L)), answer.Body);
        Assert.That((answer["feeCents"].GetInt64(), answer["feeVatCents"].GetInt64(), answer["netCents"].GetInt64()),
            Is.EqualTo((60L, 12L, 1_428L)));
        Assert.That(answer["byStatus"].ToString(),
            Is.EqualTo("""[{"status":"payable","count":2,"cents":1500},{"status":"reversed","count":2,"cents":0}]"""));
        var rest = await _siteA.ReadAsync($"sites/{_a}/payables?month=2026-03&limit=3&after={answer["next"].GetString()}");
        Assert.That((rest["items"].GetArrayLength(), rest["next"].ValueKind), Is.EqualTo((1, JsonValueKind.Null)));
    }

    [Test]
    public async Task Payables_are_for_the_site_and_the_overseers()
    {
        Assert.That((await _siteA.ReadAsync($"sites/{_b}/payables?month=2026-03")).Problem, Is.EqualTo("not-found"));
        Assert.That((await _siteA.ReadAsync($"sites/{_a}/payables?month=mars")).Status, Is.EqualTo(400));
        Assert.That((await _siteA.ReadAsync($"sites/{_a}/payables")).Status, Is.EqualTo(400));
        Assert.That((await _siteA.ReadAsync($"sites/{_a}/payables?month=2026-03&after=x")).Status, Is.EqualTo(400));
        Assert.That((await _maker.ReadAsync($"sites/{_a}/payables?month=2026-03")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_run_takes_each_line_once_and_another_person_confirms_it()
    {
        var run = await _maker.PostAsync("payment-runs", new { month = "2026-03" });
        Assert.That((run.Status, run["lineCount"].GetInt64(), run["grossCents"].GetInt64(), run["feeCents"].GetInt64(),
            run["netCents"].GetInt64()), Is.EqualTo((201, 3L, 2_500L, 72L + 48, 2_500L - 120)), run.ToString());
        Assert.That((await _maker.PostAsync("payment-runs", new { month = "2026-03" })).Problem, Is.EqualTo("nothing-to-pay"));
        var paid = new { paidOn = "2026-04-05", bankReference = "VIR-42" };
        Assert.That((await _maker.PostAsync($"payment-runs/{run.Id}/approval", paid)).Problem, Is.EqualTo("second-person-needed"));
        Assert.That((await _checker.PostAsync($"payment-runs/{run.Id}/approval", paid with { paidOn = "2026-04-06" })).Problem,
            Is.EqualTo("date-out-of-range"));
        var confirmed = await _checker.PostAsync($"payment-runs/{run.Id}/approval", paid);
        Assert.That((confirmed.Status, confirmed["status"].GetString()), Is.EqualTo((201, "paid")), confirmed.ToString());
        Assert.That((await _checker.PostAsync($"payment-runs/{run.Id}/approval", paid)).Problem,
            Is.EqualTo("payment-run-already-confirmed"));
        Assert.That((await _siteA.ReadAsync($"sites/{_a}/payables?month=2026-03"))["byStatus"][0].ToString(),
            Is.EqualTo("""{"status":"paid","count":2,"cents":1500}"""));
    }

    [Test]
    public async Task A_reversal_after_the_run_waits_until_the_site_is_owed_more()
    {
        Assert.That((await _maker.PostAsync("payment-runs", new { month = "2026-03" })).Status, Is.EqualTo(201));
        _clock.Now = new(2026, 5, 20, 9, 0, 0, TimeSpan.Zero);
        _story.On("2026-05-02").Reverse(First, _incidentPart, _a, 120, 1_000, undone: false);
        _story.On("2026-05-03").Redeem(First + 4, _a, 60);
        await _story.LoadAsync(_service);
        Assert.That((await _maker.PostAsync("payment-runs", new { month = "2026-05" })).Problem, Is.EqualTo("nothing-to-pay"),
            "500 due, 1 000 to take back");
        _story.On("2026-05-04").Redeem(First + 5, _a, 120);
        await _story.LoadAsync(_service);
        var run = await _maker.PostAsync("payment-runs", new { month = "2026-05" });
        Assert.That((run.Status, run["lineCount"].GetInt64(), run["grossCents"].GetInt64()), Is.EqualTo((201, 3L, 500L)), run.ToString());
    }

    [Test]
    public async Task A_site_sees_its_own_payouts_only()
    {
        var run = await _maker.PostAsync("payment-runs", new { month = "2026-03" });
        var seen = await _siteA.ReadAsync($"payment-runs/{run.Id}");
        Assert.That((seen["grossCents"].GetInt64(), seen["payouts"].GetArrayLength()), Is.EqualTo((1_500L, 1)), seen.Body);
        Assert.That((await _siteA.ReadAsync("payment-runs"))["items"].GetArrayLength(), Is.EqualTo(1));
        var other = await _service.SendAsync(new CreateOrganisation.Command("structure", "Autre", "43493312300029"));
        using var stranger = await StrangerAsync(other.Value!.Id);
        Assert.That((await stranger.ReadAsync($"payment-runs/{run.Id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await stranger.ReadAsync("payment-runs"))["items"].GetArrayLength(), Is.Zero);
        Assert.That((await _siteA.PostAsync("payment-runs", new { month = "2026-03" })).Problem, Is.EqualTo("not-allowed"));
    }

    [Test]
    public async Task A_month_without_sense_is_refused()
    {
        Assert.That((await _maker.PostAsync("payment-runs", new { month = "2026-3" })).Status, Is.EqualTo(400));
        Assert.That((await _maker.PostAsync("payment-runs", new { month = "2026-05" })).Problem, Is.EqualTo("month-to-come"));
        Assert.That((await _checker.PostAsync($"payment-runs/{Story.NewId()}/approval",
            new { paidOn = "2026-04-05", bankReference = "VIR" })).Problem, Is.EqualTo("not-found"));
        Assert.That((await _checker.PostAsync($"payment-runs/{Story.NewId()}/approval",
            new { paidOn = "1926-04-05", bankReference = "" })).Status, Is.EqualTo(400));
        Assert.That((await _maker.ReadAsync("payment-runs?after=x")).Status, Is.EqualTo(400));
    }

    private async Task<HttpClient> StrangerAsync(string organisationId)
    {
        _story.On("2026-03-20");
        var site = _story.Site(organisationId, "Lieu d'une autre structure");
        await _story.LoadAsync(_service);
        return await Story.ClientAsync(_service, organisationId, "site", site);
    }
}
