using System.Text.Json;
using NUnit.Framework;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Redemption;

namespace PassNumerique.Tests.Conventions;

/// <summary>
/// Several copies of the service run on one store, and each remembers conventions: what another copy amended
/// holds here at once, whatever was remembered before.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ConventionCardsTests(string engine)
{
    private TestService _service = null!;
    private OtherCopy _other = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _other = new(_service);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _other.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task A_pass_is_redeemed_under_the_tariff_that_another_copy_recorded()
    {
        var scenario = await RedeemedOnceAsync();
        await AmendElsewhereAsync(scenario, Tariff(90));
        var redeemed = Scenario.Ok(await RedeemAsync(scenario, scenario.FirstSerial + 1));
        Assert.That(redeemed["minutes"].GetInt64(), Is.EqualTo(90));
        Assert.That(await VersionsAsync(scenario.FirstSerial + 1), Is.EqualTo(new[] { 2L }));
    }

    [Test]
    public async Task Several_passes_are_redeemed_under_the_tariff_that_another_copy_recorded()
    {
        var scenario = await RedeemedOnceAsync();
        await AmendElsewhereAsync(scenario, Tariff(240));
        var codes = new[]
        {
            await scenario.CodeAsync(scenario.FirstSerial + 1), await scenario.CodeAsync(scenario.FirstSerial + 2),
        };
        Scenario.Ok(await scenario.Site().PostAsync("redemptions", new
        {
            operationId = Guid.NewGuid(),
            codes,
            service = "Maîtrise des outils numériques du quotidien",
            activity = new { kind = "individuel", durationMinutes = 60 },
        }));
        Assert.That(await VersionsAsync(scenario.FirstSerial + 2), Is.EqualTo(new[] { 2L }));
    }

    [Test]
    public async Task A_territory_that_another_copy_changed_refuses_and_admits_at_once()
    {
        var scenario = await RedeemedOnceAsync();
        await AmendElsewhereAsync(scenario, """{ "territory": ["08"] }""");
        Assert.That((await RedeemAsync(scenario, scenario.FirstSerial + 1)).Problem, Is.EqualTo("outside-territory"));
        Assert.That((await CheckAsync(scenario))["reason"].GetString(), Is.EqualTo("outside-territory"));
        await AmendElsewhereAsync(scenario, """{ "territory": ["08", "51"] }""");
        Assert.That((await CheckAsync(scenario))["usableHere"].GetBoolean(), Is.True);
        Scenario.Ok(await RedeemAsync(scenario, scenario.FirstSerial + 1));
        Assert.That(await VersionsAsync(scenario.FirstSerial + 1), Is.EqualTo(new[] { 3L }));
    }

    [Test]
    public async Task A_hand_out_that_another_copy_made_unnecessary_is_not_asked_for()
    {
        var scenario = await Scenario.CreateAsync(_service, requireHandOut: "refuse");
        Assert.That((await RedeemAsync(scenario, scenario.FirstSerial)).Problem, Is.EqualTo("voucher-not-handed-out"));
        await AmendElsewhereAsync(scenario, """{ "requireHandOut": "accept-and-regularise" }""");
        Scenario.Ok(await RedeemAsync(scenario, scenario.FirstSerial));
    }

    [Test]
    public async Task An_operation_that_another_copy_recorded_under_its_amendment_gets_the_same_answer_here()
    {
        var scenario = await RedeemedOnceAsync();
        await AmendElsewhereAsync(scenario, Tariff(90));
        var operation = Guid.NewGuid().ToString();
        var structure = (await _service.QueryAsync<string>(
            "SELECT organisation_id FROM sites WHERE id = @SiteId", new { scenario.SiteId })).Single();
        var site = new Caller(structure, Role.Site, structure, [scenario.SiteId], "lieu");
        var there = await _other.SendAsync(new RedeemVouchers.Command(
            operation, "Maîtrise des outils numériques du quotidien", new("individuel", 60),
            await scenario.CodeAsync(scenario.FirstSerial + 1)), site);
        var here = await RedeemAsync(scenario, scenario.FirstSerial + 1, operation);
        Assert.That((here.Status, here.Replayed), Is.EqualTo((201, true)), here.ToString());
        Assert.That(here.Id, Is.EqualTo(there.Value!.Redemptions[0].Id));
    }

    [Test]
    public async Task An_order_is_placed_under_the_face_value_that_another_copy_recorded()
    {
        var scenario = await RedeemedOnceAsync();
        var login = await People.AddAsync(_service, scenario.AuthorityId, "authority");
        using var browser = new Browser(_service);
        await browser.SignInAsync(login, People.Password);
        Assert.That((await browser.OpenAsync("/commandes/nouvelle")).Text, Does.Contain("10,00 €"));
        await AmendElsewhereAsync(scenario, """{ "faceValueCents": 1250 }""");
        Assert.That((await browser.OpenAsync("/commandes/nouvelle")).Text, Does.Contain("12,50 €"));
        var order = await scenario.OrderAsync(1, Scenario.Today.AddMonths(5), activate: false);
        Assert.That(order["totalCents"].GetInt64(), Is.EqualTo(5 * 1_250));
    }

    /// <summary>The service remembers the convention from this redemption on.</summary>
    private async Task<Scenario> RedeemedOnceAsync()
    {
        var scenario = await Scenario.CreateAsync(_service, wholeVouchersOnly: false);
        Scenario.Ok(await RedeemAsync(scenario, scenario.FirstSerial));
        return scenario;
    }

    private async Task AmendElsewhereAsync(Scenario scenario, string changes)
    {
        var amended = await _other.SendAsync(new AmendConvention.Command(
            "Avenant", Scenario.Today, Scenario.Today, JsonDocument.Parse(changes).RootElement)
        { ConventionId = scenario.ConventionId });
        Assert.That(amended.Refused, Is.Null);
    }

    private static string Tariff(long minutes) =>
        $$"""{ "tariffs": [{ "service": "*", "kind": "*", "debitMinutes": {{minutes}}, "perDurationMinutes": 60 }] }""";

    private static async Task<Answer> RedeemAsync(Scenario scenario, long serial, string? operationId = null) =>
        await scenario.Site().PostAsync("redemptions", await scenario.RedemptionAsync(serial, operationId));

    private static async Task<Answer> CheckAsync(Scenario scenario) => Scenario.Ok(await scenario.Site().PostAsync(
        "vouchers/check", new { code = await scenario.CodeAsync(scenario.FirstSerial + 1) }));

    private Task<IReadOnlyList<long>> VersionsAsync(long serial) => _service.QueryAsync<long>(
        "SELECT terms_version FROM voucher_entries WHERE serial = @Serial", new { Serial = serial });
}
