using NUnit.Framework;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ActivateOrderTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task No_pass_without_the_money_in_the_account()
    {
        var (world, orders) = await DeliveredAsync(1);
        await world.ReceiveAsync(9_999);
        var missing = await ActivateAsync(world, orders[0]);
        Assert.That((missing.Status, missing.Problem, missing["missingCents"].GetInt64(),
            missing["receivedCents"].GetInt64(), missing["committedCents"].GetInt64()),
            Is.EqualTo((409, "funds-missing", 1, 9_999, 0)));
        Assert.That((await world.Authority.ReadAsync($"orders/{orders[0]}"))["state"].GetString(), Is.EqualTo("delivered"));
        await world.ReceiveAsync(1, reference: "VIR-2");
        Assert.That((await ActivateAsync(world, orders[0])).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task Money_for_one_activates_one_of_two()
    {
        var (world, orders) = await DeliveredAsync(2);
        await world.ReceiveAsync(10_000);
        var answers = await Task.WhenAll(orders.Select(o => ActivateAsync(world, o)));
        Assert.That(answers.Select(a => a.Status).Order(), Is.EqualTo(new[] { 201, 409 }));
        Assert.That(answers.Single(a => a.Status == 409).Problem, Is.EqualTo("funds-missing"));
        Assert.That((await world.BalancesAsync()).GetProperty("committedCents").GetInt64(), Is.EqualTo(10_000));
    }

    [Test]
    public async Task Two_people_may_derogate_and_the_exposure_is_traced()
    {
        var (world, orders) = await DeliveredAsync(1);
        await world.ReceiveAsync(4_000);
        var requested = await RequestAsync(world.Authority, orders[0]);
        Assert.That((requested.Status, requested["exposureCents"].GetInt64()), Is.EqualTo((201, 6_000)), requested.ToString());
        Assert.That((await ActivateAsync(world, orders[0])).Problem, Is.EqualTo("funds-missing"));
        var confirmed = await ConfirmAsync(world.Operator, orders[0]);
        Assert.That((confirmed.Status, confirmed["exposureCents"].GetInt64()), Is.EqualTo((201, 6_000)));
        Assert.That((await ActivateAsync(world, orders[0])).Status, Is.EqualTo(201));
        var balances = await world.BalancesAsync();
        Assert.That((balances.GetProperty("derogatedCents").GetInt64(), balances.GetProperty("committedCents").GetInt64()),
            Is.EqualTo((6_000, 10_000)));
        var read = await world.Authority.ReadAsync($"orders/{orders[0]}");
        Assert.That(read["derogation"].GetProperty("exposureCents").GetInt64(), Is.EqualTo(6_000));
    }

    [Test]
    public async Task Who_asked_cannot_confirm()
    {
        var (world, orders) = await DeliveredAsync(1);
        await RequestAsync(world.Operator, orders[0]);
        var alone = await ConfirmAsync(world.Operator, orders[0]);
        Assert.That((alone.Status, alone.Problem), Is.EqualTo((409, "second-person-needed")));
        Assert.That((await ConfirmAsync(world.SecondOperator, orders[0])).Status, Is.EqualTo(201));
        var again = await ConfirmAsync(world.SecondOperator, orders[0]);
        Assert.That((again.Status, again.Problem), Is.EqualTo((409, "derogation-already-confirmed")));
        Assert.That((await world.BalancesAsync()).GetProperty("derogatedCents").GetInt64(), Is.EqualTo(10_000));
    }

    [Test]
    public async Task A_derogation_is_asked_for_once_and_before_it_is_confirmed()
    {
        var (world, orders) = await DeliveredAsync(1);
        Assert.That((await ConfirmAsync(world.Operator, orders[0])).Problem, Is.EqualTo("derogation-not-requested"));
        await RequestAsync(world.Authority, orders[0]);
        var again = await RequestAsync(world.Operator, orders[0]);
        Assert.That((again.Status, again.Problem), Is.EqualTo((409, "derogation-already-requested")));
        var invalid = await world.Operator.PostAsync($"orders/{orders[0]}/derogation", new { reason = "" });
        Assert.That(invalid["errors"].EnumerateObject().Select(e => e.Name), Is.EqualTo(new[] { "reason" }));
    }

    [Test]
    public async Task A_derogation_needs_a_produced_order_and_missing_money()
    {
        var (world, orders) = await DeliveredAsync(1);
        var fresh = await world.PlaceAsync();
        Assert.That((await RequestAsync(world.Operator, fresh.Id)).Problem, Is.EqualTo("step-out-of-order"));
        await world.Operator.PostAsync($"orders/{fresh.Id}/cancellation", new { });
        Assert.That((await RequestAsync(world.Operator, fresh.Id)).Problem, Is.EqualTo("order-cancelled"));
        await world.ReceiveAsync(10_000);
        Assert.That((await RequestAsync(world.Operator, orders[0])).Problem, Is.EqualTo("derogation-not-needed"));
        await ActivateAsync(world, orders[0]);
        Assert.That((await RequestAsync(world.Operator, orders[0])).Problem, Is.EqualTo("step-already-done"));
    }

    [Test]
    public async Task A_request_that_money_overtook_is_not_confirmed()
    {
        var (world, orders) = await DeliveredAsync(2);
        await RequestAsync(world.Authority, orders[0]);
        await RequestAsync(world.Authority, orders[1]);
        await world.ReceiveAsync(10_000);
        Assert.That((await ConfirmAsync(world.Operator, orders[0])).Problem, Is.EqualTo("derogation-not-needed"));
        await ActivateAsync(world, orders[0]);
        Assert.That((await ConfirmAsync(world.Operator, orders[0])).Problem, Is.EqualTo("step-already-done"));
    }

    [Test]
    public async Task A_derogation_belongs_to_its_order_alone()
    {
        var (world, orders) = await DeliveredAsync(2);
        await RequestAsync(world.Authority, orders[0]);
        await ConfirmAsync(world.Operator, orders[0]);
        Assert.That((await ActivateAsync(world, orders[1])).Problem, Is.EqualTo("funds-missing"));
        Assert.That((await ActivateAsync(world, orders[0])).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task Money_that_comes_later_covers_the_exposed_order_first()
    {
        var (world, orders) = await DeliveredAsync(2);
        await RequestAsync(world.Authority, orders[0]);
        await ConfirmAsync(world.Operator, orders[0]);
        await ActivateAsync(world, orders[0]);
        await world.ReceiveAsync(10_000);
        var second = await ActivateAsync(world, orders[1]);
        Assert.That((second.Problem, second["missingCents"].GetInt64()), Is.EqualTo(("funds-missing", 10_000)));
        await world.ReceiveAsync(10_000, reference: "VIR-2");
        Assert.That((await ActivateAsync(world, orders[1])).Status, Is.EqualTo(201));
    }

    private async Task<(ConventionWorld World, string[] Orders)> DeliveredAsync(int count)
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var orders = new string[count];
        for (var i = 0; i < count; i++)
        {
            orders[i] = (await world.PlaceAsync()).Id;
            await world.AdvanceAsync(orders[i]);
        }

        return (world, orders);
    }

    private static Task<Answer> ActivateAsync(ConventionWorld world, string orderId) =>
        world.Operator.PostAsync($"orders/{orderId}/activation", new { });

    private static Task<Answer> RequestAsync(HttpClient client, string orderId) =>
        client.PostAsync($"orders/{orderId}/derogation", new { reason = "Virement annoncé pour lundi" });

    private static Task<Answer> ConfirmAsync(HttpClient client, string orderId) =>
        client.PostAsync($"orders/{orderId}/derogation/confirmation", new { });
}
