using System.Globalization;
using System.Text.Json;
using NUnit.Framework;
using PassNumerique.Access;

namespace PassNumerique.Tests.Redemption;

/// <summary>What is owed for second services: read, undone while no run has it, paid like redemptions, reported apart.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class GuaranteesTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private static string ThisMonth => Scenario.Today.ToString("yyyy-MM", CultureInfo.InvariantCulture);

    [Test]
    public async Task A_guarantee_is_seen_by_its_site_its_authority_and_the_overseers()
    {
        var offline = await Offline.CreateAsync(_service);
        var scenario = offline.Scenario;
        var id = IdOf(await offline.SecondAsync(scenario.Site()));
        await offline.SecondAsync(scenario.Site());
        foreach (var reader in new[] { scenario.Site(), scenario.Authority(), _service.Operator() })
        {
            var one = await reader.ReadAsync($"guarantees/{id}");
            Assert.That((one.Status, one["status"].GetString(), one["siteId"].GetString(), one["month"].GetString()),
                Is.EqualTo((200, "owed", scenario.SiteId, ThisMonth)), one.ToString());
            var path = $"guarantees?conventionId={scenario.ConventionId}&month={ThisMonth}&limit=1";
            var first = await reader.ReadAsync(path);
            var second = await reader.ReadAsync($"{path}&after={first["next"].GetString()}");
            Assert.That((first["items"].GetArrayLength(), second["items"].GetArrayLength(), second["next"].ValueKind),
                Is.EqualTo((1, 1, JsonValueKind.Null)), second.ToString());
        }

        Assert.That((await scenario.OtherSite().ReadAsync($"guarantees/{id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await scenario.OtherSite().ReadAsync("guarantees"))["items"].GetArrayLength(), Is.Zero);
        Assert.That((await scenario.Site().ReadAsync("guarantees?month=mars")).Status, Is.EqualTo(400));
        Assert.That((await scenario.Agent().ReadAsync("guarantees")).Problem, Is.EqualTo("not-allowed"));
        var history = await scenario.Authority().ReadAsync($"vouchers/{scenario.FirstSerial}/history");
        Assert.That(history["events"].EnumerateArray().Select(e => e.GetProperty("what").GetString()),
            Does.Contain("redeemed").And.Contain("guaranteed"));
    }

    [Test]
    public async Task A_site_undoes_its_guarantee_and_the_money_is_free_again()
    {
        var offline = await Offline.CreateAsync(_service);
        var committed = await offline.CommittedAsync();
        var site = offline.Scenario.Site();
        var path = $"guarantees/{IdOf(await offline.SecondAsync(site))}/reversal";
        Assert.That(await offline.CommittedAsync(), Is.EqualTo(committed + 1_000));
        Assert.That((await offline.Scenario.OtherSite().PostAsync(path, new { reason = "x" })).Problem, Is.EqualTo("not-found"));
        Assert.That((await site.PostAsync(path, new { reason = "" })).Status, Is.EqualTo(400));
        var undone = await site.PostAsync(path, new { reason = "mauvaise personne" });
        Assert.That((undone.Status, undone["valueCents"].GetInt64()), Is.EqualTo((201, 1_000L)), undone.ToString());
        Assert.That(await offline.CommittedAsync(), Is.EqualTo(committed));
        Assert.That((await site.PostAsync(path, new { reason = "encore" })).Problem, Is.EqualTo("guarantee-already-reversed"));
        Assert.That((await site.PostAsync($"guarantees/{Guid.NewGuid()}/reversal", new { reason = "x" })).Problem,
            Is.EqualTo("not-found"));
        var payables = await site.ReadAsync($"sites/{offline.Scenario.SiteId}/payables?month={ThisMonth}");
        Assert.That(payables["count"].GetInt64(), Is.Zero);
    }

    [Test]
    public async Task Guarantees_are_paid_in_the_run_of_their_month_and_reported_apart()
    {
        await using var service = await TestService.StartAsync(engine);
        var offline = await Offline.CreateAsync(service);
        var scenario = offline.Scenario;
        var site = scenario.Site();
        Scenario.Ok(await site.PostAsync("redemptions", await scenario.RedemptionAsync(offline.Fresh())));
        var without = await ReportAsync(offline);
        Assert.That(without.TryGetProperty("offlineGuarantee", out _), Is.False);
        var id = IdOf(await offline.SecondAsync(site));
        await offline.SecondAsync(site);
        var undone = IdOf(await offline.SecondAsync(site));
        Scenario.Ok(await site.PostAsync($"guarantees/{undone}/reversal", new { reason = "erreur" }));

        var payables = await site.ReadAsync($"sites/{scenario.SiteId}/payables?month={ThisMonth}");
        Assert.That((payables["count"].GetInt64(), payables["totalCents"].GetInt64()), Is.EqualTo((3L, 3_000L)), payables.Body);
        Assert.That(await KindsAsync(site, scenario.SiteId), Is.EquivalentTo(new[] { "redemption", "guarantee", "guarantee" }));

        var run = await service.Operator().PostAsync("payment-runs", new { month = ThisMonth });
        var payout = run["payouts"].EnumerateArray().Single(p => p.GetProperty("siteId").GetString() == scenario.SiteId);
        Assert.That((payout.GetProperty("lineCount").GetInt64(), payout.GetProperty("grossCents").GetInt64(),
            payout.GetProperty("feeCents").GetInt64(), payout.GetProperty("netCents").GetInt64()),
            Is.EqualTo((3L, 3_000L, 144L, 2_856L)), run.ToString());
        Assert.That(run["grossCents"].GetInt64(), Is.EqualTo(6_000), "and the three of the other site");
        Assert.That((await site.PostAsync($"guarantees/{id}/reversal", new { reason = "trop tard" })).Problem,
            Is.EqualTo("guarantee-in-run"));
        Assert.That((await service.Operator().PostAsync("payment-runs", new { month = ThisMonth })).Problem,
            Is.EqualTo("nothing-to-pay"));
        await ConfirmAsync(service, run.Id);
        Assert.That((await site.ReadAsync($"guarantees/{id}"))["status"].GetString(), Is.EqualTo("paid"));

        var with = await ReportAsync(offline);
        Assert.That(with.GetProperty("offlineGuarantee").ToString(), Is.EqualTo(
            """{"passes":2,"minutes":240,"deliveredMinutes":120,"cents":2000,"paidCents":2000}"""));
        Assert.That(Hours(with) - Hours(without), Is.EqualTo(2 * 60 + 3 * 60), "two guaranteed hours, three of the other site");
        Assert.That(with.GetProperty("classes").GetProperty("redeemed").GetProperty("passes").GetInt64(), Is.EqualTo(4));
        Assert.That(with.GetProperty("money").GetProperty("shares").EnumerateArray().Sum(s => s.GetProperty("cents").GetInt64()),
            Is.EqualTo(4_000));
        var csv = await service.Operator().ReadAsync($"reports/conventions/{scenario.ConventionId}.csv");
        Assert.That(csv.Body, Does.Contain("offline-guarantee,cents,,\"Garantie hors ligne, montant\",2000,,,cents"));
    }

    [Test]
    public async Task A_guarantee_waits_where_its_site_would_end_below_zero_and_covers_what_it_can()
    {
        await using var service = await TestService.StartAsync(engine);
        var offline = await Offline.CreateAsync(service);
        var (scenario, site) = (offline.Scenario, offline.Scenario.Site());
        var ids = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            ids.Add(Scenario.Ok(await site.PostAsync("redemptions", await scenario.RedemptionAsync(offline.Fresh()))).Id);
        }

        Scenario.Ok(await service.Operator().PostAsync("payment-runs", new { month = ThisMonth }));
        foreach (var id in ids) Scenario.Ok(await site.PostAsync($"redemptions/{id}/reversal", new { reason = "erreur" }));
        await offline.SecondAsync(site);
        var other = Scenario.Ok(await service.Operator().PostAsync("payment-runs", new { month = ThisMonth }));
        Assert.That(other["payouts"].EnumerateArray().Select(p => p.GetProperty("siteId").GetString()),
            Is.EqualTo(new[] { scenario.OtherSiteId }), "1 000 owed, 2 000 to take back");
        await offline.SecondAsync(site);
        await offline.SecondAsync(site);
        var run = Scenario.Ok(await service.Operator().PostAsync("payment-runs", new { month = ThisMonth }));
        var payout = run["payouts"].EnumerateArray().Single(p => p.GetProperty("siteId").GetString() == scenario.SiteId);
        Assert.That((payout.GetProperty("lineCount").GetInt64(), payout.GetProperty("grossCents").GetInt64()),
            Is.EqualTo((5L, 1_000L)), run.ToString());
    }

    private static async Task<IReadOnlyList<string?>> KindsAsync(HttpClient site, string siteId)
    {
        var kinds = new List<string?>();
        var after = "";
        do
        {
            var page = await site.ReadAsync($"sites/{siteId}/payables?month={ThisMonth}&limit=1{after}");
            kinds.AddRange(page["items"].EnumerateArray().Select(l => l.GetProperty("kind").GetString()));
            after = page["next"].GetString() is { } next ? $"&after={next}" : null;
        }
        while (after is not null);
        return kinds;
    }

    private static string IdOf(JsonElement line) => line.GetProperty("guarantees")[0].GetProperty("id").GetString()!;

    private static long Hours(JsonElement report) => report.GetProperty("hours").GetProperty("personMinutes").GetInt64();

    private static async Task<JsonElement> ReportAsync(Offline offline)
    {
        var scenario = offline.Scenario;
        return (await scenario.Service.Operator().ReadAsync($"reports/conventions/{scenario.ConventionId}")).Json;
    }

    private static async Task ConfirmAsync(TestService service, string runId)
    {
        var organisation = await service.SendAsync(new CreateOrganisation.Command("operator", "Deuxième personne"));
        var key = await service.SendAsync(new CreateApiKey.Command(organisation.Value!.Id, "operator", "essai"));
        Scenario.Ok(await service.Client(key.Value!.ApiKey).PostAsync($"payment-runs/{runId}/approval",
            new { paidOn = Scenario.Today, bankReference = "VIR-42" }));
    }
}
