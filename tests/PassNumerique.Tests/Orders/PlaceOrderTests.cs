using System.Data.Common;
using NUnit.Framework;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class PlaceOrderTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task An_order_shares_its_serials_out_between_the_points()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var placed = await world.Authority.PostAsync("orders", new
        {
            conventionId = world.ConventionId,
            booklets = 3,
            vouchersPerBooklet = 10,
            validUntil = ConventionWorld.Today.AddYears(1),
            distributionPoints = new object[]
            {
                new { id = world.Points[1], booklets = 2, picBooklets = 1 },
                new { id = world.Points[0].ToUpperInvariant(), booklets = 1 },
            },
            campaign = "Printemps",
        });
        Assert.That(placed.Status, Is.EqualTo(201), placed.ToString());
        var first = placed["firstSerial"].GetInt64();
        Assert.That((placed["lastSerial"].GetInt64(), placed["bookletCount"].GetInt64(),
            placed["voucherCount"].GetInt64(), placed["totalCents"].GetInt64(), placed["state"].GetString()),
            Is.EqualTo((first + 29, 3, 30, 30_000, "ordered")));

        var read = await world.Authority.ReadAsync($"orders/{placed.Id}");
        var lots = read["lots"].EnumerateArray().Select(l => (
            l.GetProperty("pointId").GetString(),
            l.GetProperty("firstSerial").GetInt64(),
            l.GetProperty("lastSerial").GetInt64(),
            l.GetProperty("picBooklets").ToString(),
            l.GetProperty("stockBooklets").GetInt64()));
        Assert.That(lots, Is.EqualTo(new[]
        {
            (world.Points[1], first, first + 19, "1", 2L),
            (world.Points[0], first + 20, first + 29, "", 1L),
        }));
        Assert.That((read["stockBooklets"].GetInt64(), read["campaign"].GetString()), Is.EqualTo((3, "Printemps")));
    }

    [Test]
    public async Task A_million_passes_are_one_order_and_one_lot()
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 1_000_000_000);
        var placed = await world.Authority.PostAsync("orders", world.Order(booklets: 100_000, vouchersPerBooklet: 10));
        Assert.That((placed.Status, placed["voucherCount"].GetInt64()), Is.EqualTo((201, 1_000_000)), placed.ToString());
        var lots = await _service.QueryAsync<long>(
            "SELECT position FROM lots WHERE order_id = @Id", new { placed.Id });
        Assert.That(lots, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Serials_of_concurrent_orders_are_dense_and_never_shared()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.PlaceAsync(1)));
        var ranges = answers.Select(a => (First: a["firstSerial"].GetInt64(), Last: a["lastSerial"].GetInt64()))
            .OrderBy(r => r.First).ToList();
        var all = await _service.QueryAsync<long>("SELECT first_serial FROM orders", new { });
        Assert.That(ranges.Select(r => r.First).Distinct().Count(), Is.EqualTo(20));
        foreach (var range in ranges)
            Assert.That(all.Count(first => first >= range.First && first <= range.Last), Is.EqualTo(1));
    }

    [Test]
    public async Task A_budget_is_never_exceeded_by_orders_that_each_fit_alone()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            (i % 2 == 0 ? world.Authority : world.Operator).PostAsync("orders", world.Order(booklets: 6))));
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(3), "3 × 300 € of 1,000 €");
        Assert.That(answers.Where(a => a.Status != 201).Select(a => a.Problem), Is.All.EqualTo("budget-exceeded"));
        Assert.That((await world.BalancesAsync()).GetProperty("orderedCents").GetInt64(), Is.EqualTo(90_000));
        var orders = await world.Authority.ReadAsync($"orders?conventionId={world.ConventionId}");
        Assert.That(orders["items"].GetArrayLength(), Is.EqualTo(3));
    }

    [Test]
    public async Task The_refusal_says_what_is_left()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        await world.PlaceAsync(booklets: 2);
        var answer = await world.Authority.PostAsync("orders", world.Order(booklets: 19));
        Assert.That((answer.Status, answer.Problem, answer["remainingCents"].GetInt64(), answer["orderedCents"].GetInt64()),
            Is.EqualTo((409, "budget-exceeded", 90_000, 10_000)));
    }

    [Test]
    public async Task The_store_itself_refuses_what_exceeds_the_budget()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        Assert.That(
            () => _service.ExecuteAsync(
                "UPDATE convention_balances SET ordered_cents = budget_cents + 1 WHERE convention_id = @Id",
                new { Id = world.ConventionId }),
            Throws.InstanceOf<DbException>().With.Message.Contains("convention_balances_budget"));
    }

    [Test]
    public async Task An_order_below_the_minimum_is_refused()
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["minimumOrderCents"] = 10_001);
        var answer = await world.Authority.PostAsync("orders", world.Order(booklets: 2));
        Assert.That((answer.Status, answer.Problem, answer["minimumOrderCents"].GetInt64()),
            Is.EqualTo((409, "order-below-minimum", 10_001)));
    }

    [Test]
    public async Task Nothing_is_ordered_outside_the_dates_of_the_convention()
    {
        var world = await ConventionWorld.CreateAsync(_service, body =>
        {
            body["startsOn"] = $"{ConventionWorld.Today.AddDays(5):yyyy-MM-dd}";
        });
        var answer = await world.Authority.PostAsync("orders", world.Order());
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "convention-not-in-force")));
    }

    [Test]
    public async Task Passes_are_not_ordered_already_expired()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answer = await world.Authority.PostAsync("orders", world.Order(validUntil: ConventionWorld.Today));
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "valid-until-past")));
    }

    [Test]
    public async Task Ids_of_another_authority_are_unknown()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var convention = await other.Authority.PostAsync("orders", world.Order());
        Assert.That((convention.Status, convention.Problem), Is.EqualTo((404, "convention-unknown")));
        var point = await world.Authority.PostAsync("orders", new
        {
            conventionId = world.ConventionId,
            booklets = 2,
            vouchersPerBooklet = 5,
            validUntil = ConventionWorld.Today.AddYears(1),
            distributionPoints = new[] { new { id = world.Points[0], booklets = 1 }, new { id = other.Points[0], booklets = 1 } },
        });
        Assert.That((point.Status, point.Problem, point["pointId"].GetString()),
            Is.EqualTo((404, "point-unknown", other.Points[0])));
        Assert.That((await world.BalancesAsync()).GetProperty("orderedCents").GetInt64(), Is.Zero, "nothing half done");
        var placed = await world.PlaceAsync();
        Assert.That((await other.Authority.ReadAsync($"orders/{placed.Id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.Authority.ReadAsync("orders"))["items"].GetArrayLength(), Is.Zero);
        var cancelled = await other.Authority.PostAsync($"orders/{placed.Id}/cancellation", new { });
        Assert.That((cancelled.Status, cancelled.Problem), Is.EqualTo((404, "not-found")));
    }

    [Test]
    public async Task Each_mistake_is_named()
    {
        var (id, ok) = (Guid.NewGuid(), new { id = Guid.NewGuid(), booklets = 1L, picBooklets = (long?)2 });
        var answer = await _service.Operator().PostAsync("orders", new
        {
            conventionId = "x",
            booklets = 100_001,
            vouchersPerBooklet = 20,
            validUntil = "2101-01-01",
            distributionPoints = new object[] { new { id, booklets = 1 }, new { id, booklets = 0 }, ok },
            comment = new string('x', 401),
        });
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[]
        {
            "conventionId", "booklets", "validUntil", "distributionPoints", "distributionPoints[1].booklets",
            "distributionPoints[2].picBooklets", "comment",
        }), answer.Body);
    }

    [TestCase("[]")]
    [TestCase("[null]")]
    [TestCase("""[{"id":"0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4","booklets":1}]""")]
    public async Task The_points_must_hold_the_booklets(string points)
    {
        var answer = await _service.Operator().PostTextAsync("orders", $$"""
            {"conventionId":"0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4","booklets":2,"vouchersPerBooklet":5,
             "validUntil":"2030-01-01","distributionPoints":{{points}}}
            """);
        Assert.That(answer.Status, Is.EqualTo(400), answer.ToString());
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.EqualTo(new[] { "distributionPoints" }));
    }

    [Test]
    public async Task Orders_come_in_pages_by_serial()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var placed = new[] { await world.PlaceAsync(), await world.PlaceAsync(), await world.PlaceAsync() };
        var first = await world.Authority.ReadAsync("orders?limit=2");
        var second = await world.Authority.ReadAsync($"orders?limit=2&after={first["next"].GetString()}");
        var ids = first["items"].EnumerateArray().Concat(second["items"].EnumerateArray())
            .Select(o => o.GetProperty("id").GetString());
        Assert.That(ids, Is.EqualTo(placed.Select(p => p.Id)));
        Assert.That((await world.Authority.ReadAsync("orders?after=x")).Status, Is.EqualTo(400));
    }

    [Test]
    public async Task The_last_serial_is_the_last_of_all()
    {
        await using var service = await TestService.StartAsync(engine);
        var world = await ConventionWorld.CreateAsync(service);
        await service.ExecuteAsync("UPDATE counters SET next_value = 4294967291 WHERE name = 'serial'");

        var last = await world.PlaceAsync(booklets: 1);
        Assert.That(last["lastSerial"].GetInt64(), Is.EqualTo(4_294_967_295));
        var none = await world.Authority.PostAsync("orders", world.Order(booklets: 1, vouchersPerBooklet: 1));
        Assert.That((none.Status, none.Problem), Is.EqualTo((409, "serials-exhausted")));
    }
}
