using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Tests.Platform.Web;

namespace PassNumerique.Tests.Reports;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ReportPagesTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private Browser _browser = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service);
        await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(_scenario.FirstSerial));
        Scenario.Ok(await _scenario.Site().PostAsync("redemptions", await _scenario.RedemptionAsync(_scenario.FirstSerial)));
        _browser = new(_service);
        await _browser.SignInAsync(await People.AddAsync(_service, _scenario.AuthorityId, "authority"), People.Password);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _browser.Dispose();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task A_collectivite_reads_the_report_of_its_convention()
    {
        var list = await _browser.OpenAsync("/bilans");
        Rgaa.Check(list);
        var address = list.Document.QuerySelectorAll("main tbody a").Single().GetAttribute("href")!;
        var report = await _browser.OpenAsync(address);
        Rgaa.Check(report);
        Assert.That(report.Status, Is.EqualTo(200));
        Assert.That(report.Document.QuerySelectorAll("svg[role=img] title"), Has.Length.EqualTo(1));
        var json = (await _scenario.Authority().ReadAsync($"reports/conventions/{_scenario.ConventionId}")).Json;
        var rows = report.Document.QuerySelectorAll("table:has(#parcours) tbody tr");
        Assert.That(rows.Select(r => r.QuerySelector("td")!.TextContent),
            Is.EqualTo(json.GetProperty("funnel").EnumerateArray().Select(s => French.Count(s.GetProperty("passes").GetInt64()))));
    }

    [Test]
    public async Task A_cut_off_to_come_is_refused_above_the_last_known_state()
    {
        var day = Scenario.Today.AddDays(30).ToString("yyyy-MM-dd", null);
        var page = await _browser.OpenAsync($"/bilans/{_scenario.ConventionId}?asOf={day}");
        Assert.That((page.Status, page.RefusalCode), Is.EqualTo((409, "cut-off-not-sealed")));
        Assert.That(page.Document.QuerySelector("input[name=asOf]")!.GetAttribute("value"), Is.EqualTo(day));
        var wrong = await _browser.OpenAsync($"/bilans/{_scenario.ConventionId}?asOf=hier");
        Assert.That(wrong.Document.GetElementById("champ-asOf-erreur"), Is.Not.Null);
        Rgaa.Check(wrong);
    }

    [Test]
    public async Task A_convention_of_somebody_else_is_unknown()
    {
        var other = await Scenario.CreateAsync(_service, booklets: 0);
        Assert.That((await _browser.OpenAsync($"/bilans/{other.ConventionId}")).Status, Is.EqualTo(404));
    }
}
