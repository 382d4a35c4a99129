using NUnit.Framework;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class OrderStepsTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task An_order_goes_from_hand_to_hand_until_it_is_active()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        await world.ReceiveAsync(10_000);
        var states = new List<string?>();
        foreach (var step in new[] { "approval", "proof-approval", "production", "shipment", "delivery", "activation" })
        {
            var client = step == "proof-approval" ? world.Authority : world.Operator;
            var answer = await client.PostAsync($"orders/{order.Id}/{step}", new { comment = "Fait" });
            Assert.That(answer.Status, Is.EqualTo(201), answer.ToString());
            states.Add((await world.Authority.ReadAsync($"orders/{order.Id}"))["state"].GetString());
        }

        Assert.That(states,
            Is.EqualTo(new[] { "approved", "proof-approved", "produced", "shipped", "delivered", "active" }));
        var steps = (await world.Authority.ReadAsync($"orders/{order.Id}"))["steps"].EnumerateArray().ToList();
        Assert.That(steps.Select(s => s.GetProperty("name").GetString()),
            Is.EqualTo(new[] { "approved", "proof-approved", "produced", "shipped", "delivered", "activated" }));
        Assert.That((steps[1].GetProperty("by").GetString(), steps[1].GetProperty("comment").GetString()),
            Is.EqualTo(("clé authority", "Fait")));
        Assert.That((await world.BalancesAsync()).GetProperty("committedCents").GetInt64(), Is.EqualTo(10_000));
    }

    [TestCase("proof-approval", "approved")]
    [TestCase("production", "approved")]
    [TestCase("shipment", "approved")]
    [TestCase("delivery", "approved")]
    [TestCase("activation", "approved")]
    public async Task A_step_needs_the_ones_before(string step, string missing)
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        var client = step == "proof-approval" ? world.Authority : world.Operator;
        var answer = await client.PostAsync($"orders/{order.Id}/{step}", new { });
        Assert.That((answer.Status, answer.Problem, answer["missingStep"].GetString()),
            Is.EqualTo((409, "step-out-of-order", missing)));
    }

    [Test]
    public async Task A_step_is_taken_once()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
            world.Operator.PostAsync($"orders/{order.Id}/approval", new { })));
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 201).Select(a => a.Problem), Is.All.EqualTo("step-already-done"));
    }

    [Test]
    public async Task A_step_is_of_its_day()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        foreach (var on in new[] { ConventionWorld.Today.AddDays(3), ConventionWorld.Today.AddDays(-3) })
        {
            var answer = await world.Operator.PostAsync($"orders/{order.Id}/approval", new { on });
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "step-date-out-of-range")));
        }
    }

    [Test]
    public async Task Each_step_has_its_role()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        foreach (var step in new[] { "approval", "production", "shipment", "delivery", "activation", "derogation/confirmation" })
            Assert.That((await world.Authority.PostAsync($"orders/{order.Id}/{step}", new { })).Status, Is.EqualTo(403), step);
        foreach (var step in new[] { "proof-approval", "extension" })
            Assert.That((await world.Operator.PostAsync($"orders/{order.Id}/{step}", new { })).Status, Is.EqualTo(403), step);
        var state = await world.ClientOfNewAsync("state");
        Assert.That((await state.PostAsync($"orders/{order.Id}/approval", new { })).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_mistake_in_a_step_is_named()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        var answer = await world.Operator.PostAsync($"orders/{order.Id}/approval", new { comments = "x" });
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.EqualTo(new[] { "comments" }));
        var cancelled = await world.Operator.PostAsync($"orders/{order.Id}/cancellation", new { on = "hier" });
        Assert.That(cancelled["errors"].EnumerateObject().Select(e => e.Name), Is.EqualTo(new[] { "on" }));
        var activated = await world.Operator.PostAsync($"orders/{order.Id}/activation", new { comment = new string('x', 401) });
        Assert.That(activated["errors"].EnumerateObject().Select(e => e.Name), Is.EqualTo(new[] { "comment" }));
    }

    [Test]
    public async Task A_cancelled_order_gives_its_budget_back_and_goes_nowhere()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        await world.AdvanceAsync(order.Id, through: "proof-approval");
        var cancelled = await world.Authority.PostAsync($"orders/{order.Id}/cancellation", new { comment = "Erreur" });
        Assert.That((cancelled.Status, cancelled["state"].GetString()), Is.EqualTo((201, "cancelled")));
        Assert.That((await world.BalancesAsync()).GetProperty("orderedCents").GetInt64(), Is.Zero);
        foreach (var step in new[] { "production", "cancellation", "activation" })
        {
            var answer = await world.Operator.PostAsync($"orders/{order.Id}/{step}", new { });
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "order-cancelled")), step);
        }

        Assert.That((await world.BalancesAsync()).GetProperty("orderedCents").GetInt64(), Is.Zero);
    }

    [Test]
    public async Task What_is_produced_is_not_cancelled()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        await world.AdvanceAsync(order.Id, through: "production");
        var answer = await world.Authority.PostAsync($"orders/{order.Id}/cancellation", new { });
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "order-in-production")));
    }

    [Test]
    public async Task Production_and_cancellation_exclude_each_other()
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 1_000_000);
        for (var i = 0; i < 10; i++)
        {
            var order = await world.PlaceAsync(1);
            await world.AdvanceAsync(order.Id, through: "proof-approval");
            var answers = await Task.WhenAll(
                world.Operator.PostAsync($"orders/{order.Id}/production", new { }),
                world.Authority.PostAsync($"orders/{order.Id}/cancellation", new { }));
            Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
            Assert.That(answers.Single(a => a.Status != 201).Problem,
                Is.EqualTo(answers[0].Status == 201 ? "order-in-production" : "order-cancelled"));
        }

        var orders = await world.Authority.ReadAsync($"orders?conventionId={world.ConventionId}");
        var produced = orders["items"].EnumerateArray().Count(o => o.GetProperty("state").GetString() == "produced");
        Assert.That((await world.BalancesAsync()).GetProperty("orderedCents").GetInt64(), Is.EqualTo(5_000 * produced));
    }

    [Test]
    public async Task An_extension_moves_the_end_later_and_only_once()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        var later = ConventionWorld.Today.AddYears(1).AddDays(30);
        var earlier = await ExtendAsync(world, order.Id, ConventionWorld.Today.AddYears(1));
        Assert.That((earlier.Status, earlier.Problem), Is.EqualTo((409, "extension-not-later")));
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ExtendAsync(world, order.Id, later)));
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 201).Select(a => a.Problem), Is.All.EqualTo("order-already-extended"));
        var read = await world.Authority.ReadAsync($"orders/{order.Id}");
        Assert.That(read["extension"].GetProperty("validUntil").GetString(), Is.EqualTo($"{later:yyyy-MM-dd}"));
    }

    [Test]
    public async Task A_cancelled_order_is_not_extended()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        await world.Authority.PostAsync($"orders/{order.Id}/cancellation", new { });
        var answer = await ExtendAsync(world, order.Id, ConventionWorld.Today.AddYears(2));
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "order-cancelled")));
        var invalid = await world.Authority.PostAsync($"orders/{order.Id}/extension",
            new { validUntil = "2101-01-01", reason = "" });
        Assert.That(invalid["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "validUntil", "reason" }));
    }

    private static Task<Answer> ExtendAsync(ConventionWorld world, string orderId, DateOnly validUntil) =>
        world.Authority.PostAsync($"orders/{orderId}/extension", new { validUntil, reason = "Grève postale" });
}
