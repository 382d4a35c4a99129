using System.Text.Json;
using NUnit.Framework;
using PassNumerique.Tests.Custody;

namespace PassNumerique.Tests.Vouchers;

/// <summary>"Where have you been?", in one call.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ShowHistoryTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_pass_tells_its_whole_life_and_nobody_s_name()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 3, activate: false);
        var serial = scenario.FirstSerial + 1;
        Scenario.Ok(await _service.Operator().PostAsync($"orders/{scenario.OrderId}/approval", new { }));
        Assert.That((await _service.Operator().ReadAsync($"orders/{scenario.OrderId}/vouchers.csv")).Status, Is.EqualTo(200));
        Scenario.Ok(await scenario.Authority().PostAsync($"orders/{scenario.OrderId}/proof-approval", new { }));
        foreach (var step in new[] { "production", "shipment", "delivery" })
            Scenario.Ok(await _service.Operator().PostAsync($"orders/{scenario.OrderId}/{step}", new { }));
        await scenario.FundAsync(15_000);
        Scenario.Ok(await _service.Operator().PostAsync($"orders/{scenario.OrderId}/activation", new { }));
        var sent = Scenario.Ok(await scenario.Agent().PostAsync("transfers", new
        {
            fromPointId = scenario.PointId,
            toPointId = scenario.OtherPointId,
            bookletNumbers = new[] { scenario.FirstSerial },
        }));
        var receiver = await TransferTests.ReceiverAsync(scenario);
        Scenario.Ok(await receiver.PostAsync($"transfers/{sent.Id}/confirmation", new { }));
        var inventory = Scenario.Ok(await receiver.PostAsync("inventories", new
        {
            pointId = scenario.OtherPointId,
            on = Scenario.Today,
            bookletNumbers = Array.Empty<long>(),
            explanation = "tiroir fermé à clé",
        }));
        Scenario.Ok(await receiver.PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial, reference: "dossier secret")));
        Scenario.Ok(await scenario.Site().PostAsync("redemptions", await scenario.RedemptionAsync(serial)));

        var history = await scenario.Authority().ReadAsync($"vouchers/{serial}/history");
        Assert.That(history.Status, Is.EqualTo(200), history.ToString());
        var events = history["events"].EnumerateArray().ToList();
        Assert.That(events.Select(e => e.GetProperty("what").GetString()), Is.EqualTo(new[]
        {
            "ordered", "approved", "codes-exported", "proof-approved", "produced", "shipped", "delivered", "activated", "sent",
            "received", "inventory-missing", "handed-out", "redeemed",
        }), history.ToString());
        JsonElement Of(string what) => events.Single(e => e.GetProperty("what").GetString() == what);
        Assert.That(Of("sent").GetProperty("placeName").GetString(), Is.EqualTo("CCAS d'essai"));
        Assert.That(Of("received").GetProperty("relatedId").GetString(), Is.EqualTo(sent.Id));
        Assert.That(Of("inventory-missing").GetProperty("relatedId").GetString(), Is.EqualTo(inventory.Id));
        Assert.That(Of("redeemed").GetProperty("placeName").GetString(), Is.EqualTo("Espace numérique d'essai"));
        Assert.That((history["placeName"].GetString(), history["state"].GetString()), Is.EqualTo(("Mairie d'essai", "spent")));
        Assert.That(history.Body, Does.Not.Contain("secret").And.Not.Contain("personNumber"));

        var desk = await scenario.Agent().ReadAsync($"vouchers/{serial}/history");
        var used = desk["events"].EnumerateArray().Single(e => e.GetProperty("what").GetString() == "redeemed");
        Assert.That((used.GetProperty("placeId").ValueKind, used.GetProperty("actorId").GetString()),
            Is.EqualTo((JsonValueKind.Null, "")), "where somebody goes is not for the desk to know");
        Assert.That(desk.Body, Does.Not.Contain(scenario.SiteId));
    }

    [Test]
    public async Task A_pass_of_somebody_else_is_unknown()
    {
        var (scenario, other) = (await Scenario.CreateAsync(_service, booklets: 1), await Scenario.CreateAsync(_service, booklets: 0));
        var path = $"vouchers/{scenario.FirstSerial}/history";
        Assert.That((await other.Authority().ReadAsync(path)).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.Agent().ReadAsync(path)).Problem, Is.EqualTo("not-found"));
        Assert.That((await scenario.Site().ReadAsync(path)).Status, Is.EqualTo(403));
        Assert.That((await scenario.Authority().ReadAsync("vouchers/x/history")).Problem, Is.EqualTo("not-found"));
        Assert.That((await _service.Operator().ReadAsync(path)).Status, Is.EqualTo(200));
    }
}
