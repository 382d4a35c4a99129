using System.Text.Json.Nodes;
using NUnit.Framework;
using PassNumerique.Access;

namespace PassNumerique.Tests.Redemption;

/// <summary>A device gives in its queue: each operation answered on its own, none twice, none lost.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class SyncDeviceTests(string engine)
{
    private TestService _service = null!;
    private Offline _offline = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _offline = await Offline.CreateAsync(_service);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private Scenario Scenario => _offline.Scenario;

    [Test]
    public async Task Each_operation_is_answered_on_its_own_and_in_the_order_given()
    {
        var device = Scenario.Site();
        var (good, spent, other) = (_offline.Fresh(), _offline.Fresh(), _offline.Fresh());
        Scenario.Ok(await device.PostAsync("redemptions", await Scenario.RedemptionAsync(spent)));
        var unread = JsonNode.Parse("""{"operationId":"0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4","code":7,"servise":"x"}""")!;
        var mistyped = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(await _offline.OperationAsync(other)))!;
        mistyped["codes"]![0] = "0000-0000-0000-0000-0001";
        var answer = await device.SyncAsync(
            await _offline.OperationAsync(good), unread, await _offline.OperationAsync(spent), mistyped,
            await _offline.OperationAsync(other, servedOn: Scenario.Today.AddDays(-8)), 17, await _offline.OperationAsync(other));
        Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
        Assert.That(answer.Results().Select(r => (r.GetProperty("status").GetInt64(), r.Outcome())), Is.EqualTo(new[]
        {
            (201L, "redeemed"), (400L, "refused"), (409L, "refused"), (400L, "refused"), (409L, "refused"), (400L, "refused"),
            (201L, "redeemed"),
        }), answer.ToString());
        var problems = answer.Results().Where(r => r.Outcome() == "refused").Select(r => r.Problem());
        Assert.That(problems, Is.EqualTo(new[]
        {
            "invalid-request", "voucher-spent", "invalid-request", "date-out-of-range", "invalid-request",
        }));
        Assert.That(answer.Results()[1].GetProperty("operationId").GetString(), Does.StartWith("0198c1d2"));
        var errors = answer.Results()[1].GetProperty("problem").GetProperty("errors");
        Assert.That(errors.EnumerateObject().Select(e => e.Name), Is.SupersetOf(new[] { "code", "servise" }));
    }

    [Test]
    public async Task No_answer_holds_a_code()
    {
        var (good, spent) = (_offline.Fresh(), await _offline.SpentAsync());
        var answer = await Scenario.Site().SyncAsync(
            await _offline.OperationAsync(good), await _offline.OperationAsync(spent), await _offline.OperationAsync(good));
        foreach (var serial in new[] { good, spent })
            Assert.That(answer.Body, Does.Not.Contain(await Scenario.CodeAsync(serial)));
    }

    [Test]
    public async Task The_same_batch_again_is_answered_the_same()
    {
        var operations = new[]
        {
            await _offline.OperationAsync(_offline.Fresh()), await _offline.OperationAsync(await _offline.SpentAsync()),
            await _offline.OperationAsync([_offline.Fresh(), await _offline.SpentAsync()], durationMinutes: 180),
        };
        var device = (await _offline.DeviceAsync()).Client;
        var first = await device.SyncAsync(operations);
        var committed = await _offline.CommittedAsync();
        var second = await device.SyncAsync(operations);
        Assert.That(first.Results().Select(r => r.Outcome()), Is.EqualTo(new[] { "redeemed", "guaranteed", "guaranteed" }),
            first.ToString());
        Assert.That(second.Lasting(), Is.EqualTo(first.Lasting()));
        Assert.That(first.Results().Select(r => r.GetProperty("replayed").GetBoolean()), Is.All.False);
        Assert.That(second.Results().Select(r => r.GetProperty("replayed").GetBoolean()), Is.All.True);
        Assert.That(await _offline.CommittedAsync(), Is.EqualTo(committed));
    }

    [Test]
    public async Task A_batch_that_was_cut_half_way_is_completed_by_sending_it_again()
    {
        var operations = new List<object>();
        for (var i = 0; i < 6; i++) operations.Add(await _offline.OperationAsync(_offline.Fresh()));
        var device = Scenario.Site();
        var half = await device.SyncAsync([.. operations.Take(3)]);
        var whole = await device.SyncAsync([.. operations]);
        Assert.That(whole.Results().Select(r => r.Outcome()), Is.All.EqualTo("redeemed"), whole.ToString());
        Assert.That(whole.Lasting().Take(3), Is.EqualTo(half.Lasting()));
        Assert.That(whole.Results().Select(r => r.GetProperty("replayed").GetBoolean()),
            Is.EqualTo(new[] { true, true, true, false, false, false }));
    }

    [Test]
    public async Task An_operation_id_serves_one_operation()
    {
        var (operation, device) = (Guid.NewGuid().ToString(), Scenario.Site());
        var answer = await device.SyncAsync(
            await _offline.OperationAsync(_offline.Fresh(), operation), await _offline.OperationAsync(_offline.Fresh(), operation));
        Assert.That(answer.Results()[0].Outcome(), Is.EqualTo("redeemed"), answer.ToString());
        Assert.That(answer.Results()[1].Problem(), Is.EqualTo("idempotency-key-reused"), answer.ToString());
        var guaranteed = Guid.NewGuid().ToString();
        await device.SyncAsync(await _offline.OperationAsync(await _offline.SpentAsync(), guaranteed));
        var reused = await device.SyncAsync(await _offline.OperationAsync(await _offline.SpentAsync(), guaranteed));
        Assert.That(reused.Results()[0].Problem(), Is.EqualTo("idempotency-key-reused"), reused.ToString());
    }

    [Test]
    public async Task An_operation_sent_by_both_ways_is_recorded_once()
    {
        var serial = _offline.Fresh();
        var body = await _offline.OperationAsync(serial);
        var single = await Scenario.Site().PostAsync("redemptions", body);
        var batch = await Scenario.Site().SyncAsync(body);
        Assert.That((batch.Results()[0].Outcome(), batch.Results()[0].GetProperty("replayed").GetBoolean()),
            Is.EqualTo(("redeemed", true)), batch.ToString());
        Assert.That(batch.Results()[0].GetProperty("redemption").GetRawText(), Is.EqualTo(single.Body));
        Assert.That(await _offline.CountAsync("voucher_entries", serial), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Five_hundred_operations_are_taken_and_one_more_is_not()
    {
        var offline = await Offline.CreateAsync(_service, booklets: 100);
        var operations = new List<object>();
        for (var i = 0; i < 500; i++) operations.Add(await offline.OperationAsync(offline.Fresh()));
        using var device = offline.Scenario.Site();
        device.Timeout = TimeSpan.FromMinutes(5);
        var answer = await device.SyncAsync([.. operations]);
        Assert.That(answer.Results().Select(r => r.Outcome()), Is.All.EqualTo("redeemed"));
        Assert.That(answer.Results(), Has.Count.EqualTo(500));
        var left = answer["guarantee"].EnumerateArray().Single();
        Assert.That((left.GetProperty("conventionId").GetString(), left.GetProperty("leftPasses").GetInt64()),
            Is.EqualTo((offline.Scenario.ConventionId, 5L)));
        var tooMany = await device.SyncAsync([.. operations, operations[0]]);
        Assert.That((tooMany.Status, tooMany["errors"].EnumerateObject().Single().Name), Is.EqualTo((400, "operations")));
    }

    [TestCase("{}")]
    [TestCase("""{"operations":[]}""")]
    [TestCase("""{"operations":{"operationId":"x"}}""")]
    [TestCase("""{"operations":[],"device":"x"}""")]
    public async Task A_batch_without_sense_is_a_400(string body) =>
        Assert.That((await Scenario.Site().PostTextAsync("redemptions/batch", body)).Status, Is.EqualTo(400));

    [Test]
    public async Task A_revoked_device_syncs_nothing_and_the_others_go_on()
    {
        var (device, keyId) = await _offline.DeviceAsync();
        var (before, after) = (_offline.Fresh(), _offline.Fresh());
        Assert.That((await device.SyncAsync(await _offline.OperationAsync(before))).Status, Is.EqualTo(200));
        Scenario.Ok(await _service.Operator().RemoveAsync($"api-keys/{keyId}"));
        var answer = await device.SyncAsync(await _offline.OperationAsync(after));
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((401, "sign-in-needed")));
        Assert.That(await _offline.CountAsync("voucher_entries", after), Is.Empty);
        Assert.That((await Scenario.Site().SyncAsync(await _offline.OperationAsync(after))).Results()[0].Outcome(),
            Is.EqualTo("redeemed"));
        var actors = await _service.QueryAsync<string>(
            "SELECT actor_id FROM voucher_entries WHERE serial = @Serial", new { Serial = before });
        Assert.That(actors, Is.EqualTo(new[] { keyId }));
    }

    [Test]
    public async Task A_person_signed_in_is_no_device()
    {
        var organisation = (await _service.QueryAsync<string>(
            "SELECT organisation_id FROM sites WHERE id = @SiteId", new { Scenario.SiteId })).Single();
        var login = await People.AddAsync(_service, organisation, "site", Scenario.SiteId);
        using var person = await SignedIn.Async(_service, login);
        var serial = _offline.Fresh();
        var answer = await person.SyncAsync(await _offline.OperationAsync(serial));
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((403, "device-key-needed")), answer.ToString());
        Assert.That((await person.ReadAsync("redemptions/guarantee")).Problem, Is.EqualTo("device-key-needed"));
        Assert.That(await _offline.CountAsync("voucher_entries", serial), Is.Empty);
    }

    [Test]
    public async Task Of_two_operations_on_one_pass_the_first_of_the_queue_is_first()
    {
        for (var round = 0; round < 5; round++)
        {
            var serial = _offline.Fresh();
            var answer = await Scenario.Site().SyncAsync(
                await _offline.OperationAsync(serial), await _offline.OperationAsync(serial));
            Assert.That(answer.Results().Select(r => r.Outcome()), Is.EqualTo(new[] { "redeemed", "refused" }));
            Assert.That(answer.Results()[1].Problem(), Is.EqualTo("voucher-spent"));
        }
    }
}

/// <summary>A person's session on the API: the cookie, and the token that goes with it.</summary>
internal static class SignedIn
{
    public static async Task<HttpClient> Async(TestService service, string login)
    {
        using var browser = new Browser(service);
        await browser.SignInAsync(login, People.Password);
        var token = browser.Cookies.GetCookies(new Uri(service.Address))[Gate.CookieName]!.Value;
        var client = service.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"{Gate.CookieName}={token}");
        client.DefaultRequestHeaders.Add(Gate.AntiforgeryHeader, Gate.Antiforgery(token));
        return client;
    }
}
