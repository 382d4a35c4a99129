using System.Text.Json;
using NUnit.Framework;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class DispatchTests(string engine)
{
    private TestService _service = null!;
    private ConventionWorld _world = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 10_000_000);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_parcel_goes_to_its_point_and_is_counted_there()
    {
        var order = await ProducedAsync();
        var sent = await SendAsync(order, _world.Points[1], new
        {
            distributionPointId = _world.Points[1],
            on = ConventionWorld.Today,
            carrier = " Messagerie d'essai ",
            trackingReference = "6A-123",
        });
        Assert.That((sent.Status, sent["booklets"].GetInt64()), Is.EqualTo((201, 3L)), sent.ToString());
        Assert.That(sent["lastSerial"].GetInt64() - sent["firstSerial"].GetInt64(), Is.EqualTo(14));

        var agent = await AgentAsync(_world.Points[1]);
        var received = await ReceiveAsync(agent, order, _world.Points[1], new { booklets = 3 });
        Assert.That((received.Status, received["expectedBooklets"].GetInt64()), Is.EqualTo((201, 3L)), received.ToString());

        var read = await _world.Authority.ReadAsync($"orders/{order}");
        var parcel = read["dispatches"].EnumerateArray().Single();
        Assert.That(Texts(parcel, "pointId", "on", "carrier", "trackingReference", "by"), Is.EqualTo(new[]
        {
            _world.Points[1], $"{ConventionWorld.Today:yyyy-MM-dd}", "Messagerie d'essai", "6A-123", "essais",
        }));
        Assert.That(Texts(parcel.GetProperty("receipt"), "on", "explanation", "by"),
            Is.EqualTo(new[] { $"{ConventionWorld.Today:yyyy-MM-dd}", null, "essai" }));
        Assert.That(read["state"].GetString(), Is.EqualTo("produced"), "the order's own steps stay as they are");

        var history = await _world.Authority.ReadAsync($"vouchers/{sent["lastSerial"].GetInt64()}/history");
        Assert.That(history["events"].EnumerateArray().Select(e => e.GetProperty("what").GetString()),
            Does.Contain("dispatched").And.Contain("dispatch-received"));
        var other = await _world.Authority.ReadAsync($"vouchers/{sent["firstSerial"].GetInt64() - 1}/history");
        Assert.That(other["events"].EnumerateArray().Select(e => e.GetProperty("what").GetString()),
            Does.Not.Contain("dispatched"), "the other point's passes went nowhere yet");
    }

    [Test]
    public async Task A_parcel_leaves_once_and_is_received_once()
    {
        var order = await ProducedAsync();
        var sent = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SendAsync(order, _world.Points[0])));
        Assert.That(sent.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(sent.Where(a => a.Status != 201).Select(a => a.Problem), Is.All.EqualTo("dispatch-already-recorded"));
        var received = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
            ReceiveAsync(_world.Authority, order, _world.Points[0], new { booklets = 2 })));
        Assert.That(received.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(received.Where(a => a.Status != 201).Select(a => a.Problem),
            Is.All.EqualTo("dispatch-already-received"));
    }

    [Test]
    public async Task A_difference_is_refused_until_it_is_explained()
    {
        var order = await ProducedAsync();
        await SendAsync(order, _world.Points[0]);
        foreach (var body in new object[] { new { booklets = 1 }, new { booklets = 1, explanation = "  " } })
        {
            var refused = await ReceiveAsync(_world.Authority, order, _world.Points[0], body);
            Assert.That((refused.Status, refused.Problem, refused["expectedBooklets"].GetInt64()),
                Is.EqualTo((409, "dispatch-count-differs", 2L)), refused.ToString());
        }

        var explained = await ReceiveAsync(_world.Authority, order, _world.Points[0],
            new { booklets = 1, explanation = " Colis ouvert, un carnet manque " });
        Assert.That((explained.Status, explained["booklets"].GetInt64(), explained["explanation"].GetString()),
            Is.EqualTo((201, 1L, "Colis ouvert, un carnet manque")), explained.ToString());
    }

    [Test]
    public async Task Nothing_is_sent_before_it_is_produced_nor_received_before_it_is_sent()
    {
        var order = await PlaceAsync();
        await _world.AdvanceAsync(order, through: "proof-approval");
        var early = await SendAsync(order, _world.Points[0]);
        Assert.That((early.Status, early.Problem, early["missingStep"].GetString()),
            Is.EqualTo((409, "step-out-of-order", "produced")));
        var nothing = await ReceiveAsync(_world.Authority, order, _world.Points[0], new { booklets = 2 });
        Assert.That((nothing.Status, nothing.Problem), Is.EqualTo((409, "dispatch-not-recorded")));
        await _world.Authority.PostAsync($"orders/{order}/cancellation", new { });
        var cancelled = await SendAsync(order, _world.Points[0]);
        Assert.That((cancelled.Status, cancelled.Problem), Is.EqualTo((409, "order-cancelled")));
    }

    [Test]
    public async Task A_parcel_is_of_its_day()
    {
        var order = await ProducedAsync();
        foreach (var on in new[] { ConventionWorld.Today.AddDays(2), ConventionWorld.Today.AddDays(-9) })
        {
            var answer = await SendAsync(order, _world.Points[0], new { distributionPointId = _world.Points[0], on });
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "step-date-out-of-range")), answer.ToString());
        }

        await SendAsync(order, _world.Points[0]);
        foreach (var on in new[] { ConventionWorld.Today.AddDays(2), ConventionWorld.Today.AddDays(-9) })
        {
            var answer = await ReceiveAsync(_world.Authority, order, _world.Points[0], new { booklets = 2, on });
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "step-date-out-of-range")), answer.ToString());
        }
    }

    [Test]
    public async Task A_point_without_booklets_of_the_order_gets_no_parcel()
    {
        var order = await ProducedAsync();
        var other = await _world.AddPointAsync("Autre mairie");
        var answer = await SendAsync(order, other);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "point-not-in-order")));
    }

    [Test]
    public async Task Mistakes_are_named_all_at_once()
    {
        var order = await ProducedAsync();
        var sent = await SendAsync(order, "", new
        {
            distributionPointId = "mairie",
            carrier = new string('x', 81),
            trackingReference = new string('x', 81),
        });
        Assert.That((sent.Status, Errors(sent)), Is.EqualTo((400, "carrier distributionPointId trackingReference")));
        var received = await ReceiveAsync(_world.Authority, order, _world.Points[0],
            new { booklets = -1, explanation = new string('x', 401) });
        Assert.That((received.Status, Errors(received)), Is.EqualTo((400, "booklets explanation")));
    }

    [Test]
    public async Task A_parcel_is_of_those_whom_it_concerns()
    {
        var order = await ProducedAsync();
        var denied = await _world.Authority.PostAsync(
            $"orders/{order}/dispatches", new { distributionPointId = _world.Points[0] });
        Assert.That(denied.Status, Is.EqualTo(403));
        await SendAsync(order, _world.Points[0]);
        var other = await ConventionWorld.CreateAsync(_service);
        foreach (var client in new[] { other.Authority, await AgentAsync(_world.Points[1]) })
        {
            var answer = await ReceiveAsync(client, order, _world.Points[0], new { booklets = 2 });
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "not-found")), answer.ToString());
        }

        var operatorsOwn = await ReceiveAsync(_world.Operator, order, _world.Points[0], new { booklets = 2 });
        Assert.That(operatorsOwn.Status, Is.EqualTo(403));
    }

    private async Task<string> PlaceAsync() => Scenario.Ok(await _world.Authority.PostAsync("orders", new
    {
        conventionId = _world.ConventionId,
        booklets = 5,
        vouchersPerBooklet = 5,
        validUntil = ConventionWorld.Today.AddYears(1),
        distributionPoints = new[]
        {
            new { id = _world.Points[0], booklets = 2 },
            new { id = _world.Points[1], booklets = 3 },
        },
    })).Id;

    private async Task<string> ProducedAsync()
    {
        var order = await PlaceAsync();
        await _world.AdvanceAsync(order, through: "production");
        return order;
    }

    private Task<Answer> SendAsync(string order, string point, object? body = null) =>
        _world.Operator.PostAsync($"orders/{order}/dispatches", body ?? new { distributionPointId = point });

    private static Task<Answer> ReceiveAsync(HttpClient client, string order, string point, object body) =>
        client.PostAsync($"orders/{order}/dispatches/{point}/receipt", body);

    private async Task<HttpClient> AgentAsync(string point) =>
        await new Scene(_service).ClientAsync("agent", _world.AuthorityId, point);

    private static string?[] Texts(JsonElement element, params string[] names) =>
        [.. names.Select(n => element.GetProperty(n).GetString())];

    private static string Errors(Answer answer) =>
        string.Join(' ', answer["errors"].EnumerateObject().Select(e => e.Name).Order(StringComparer.Ordinal));
}
