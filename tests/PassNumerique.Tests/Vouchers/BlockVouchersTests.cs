using NUnit.Framework;
using PassNumerique.Tests.Orders;

namespace PassNumerique.Tests.Vouchers;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class BlockVouchersTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_range_is_cut_at_the_borders_of_orders()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var (one, two) = (await world.PlaceAsync(), await world.PlaceAsync());
        var (from, to) = (one["firstSerial"].GetInt64() + 3, two["firstSerial"].GetInt64() + 4);
        var blocked = await BlockAsync(world.Authority, from, to);
        Assert.That((blocked.Status, blocked["voucherCount"].GetInt64()), Is.EqualTo((201, 12)), blocked.ToString());
        var parts = blocked["blocks"].EnumerateArray().Select(b => (
            b.GetProperty("orderId").GetString(), b.GetProperty("firstSerial").GetInt64(),
            b.GetProperty("lastSerial").GetInt64()));
        Assert.That(parts, Is.EqualTo(new[]
        {
            (one.Id, from, one["lastSerial"].GetInt64()), (two.Id, two["firstSerial"].GetInt64(), to),
        }));
        var read = await world.Operator.ReadAsync($"blocks/{blocked.Id}");
        Assert.That((read["orderId"].GetString(), read["lifted"].GetBoolean()), Is.EqualTo((one.Id, false)));
    }

    [Test]
    public async Task A_serial_of_nobody_or_of_somebody_else_is_unknown()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var (own, others) = (await world.PlaceAsync(), await other.PlaceAsync());
        var first = own["firstSerial"].GetInt64();
        var across = await BlockAsync(world.Authority, first, others["firstSerial"].GetInt64());
        Assert.That((across.Status, across.Problem, across["serial"].GetInt64()),
            Is.EqualTo((404, "serial-unknown", others["firstSerial"].GetInt64())));
        Assert.That((await BlockAsync(world.Operator, first, 4_000_000_000)).Problem, Is.EqualTo("serial-unknown"));
        Assert.That((await BlockAsync(other.Authority, first, first)).Problem, Is.EqualTo("serial-unknown"));
        Assert.That((await world.Authority.ReadAsync("blocks"))["items"].GetArrayLength(), Is.Zero);
    }

    [Test]
    public async Task A_block_is_lifted_once()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var first = (await world.PlaceAsync())["firstSerial"].GetInt64();
        var blocked = await BlockAsync(world.Authority, first, first + 4);
        var path = $"blocks/{blocked.Id}?reason=Retrouv%C3%A9";
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => world.Authority.RemoveAsync(path)));
        Assert.That(answers.Count(a => a.Status == 200), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 200).Select(a => a.Problem), Is.All.EqualTo("block-already-lifted"));
        var line = (await world.Authority.ReadAsync("blocks"))["items"][0];
        Assert.That((line.GetProperty("lifted").GetBoolean(), line.GetProperty("liftReason").GetString()),
            Is.EqualTo((true, "Retrouvé")));
    }

    [Test]
    public async Task Another_authority_neither_sees_nor_lifts_it()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var first = (await world.PlaceAsync())["firstSerial"].GetInt64();
        var blocked = await BlockAsync(world.Authority, first, first);
        Assert.That((await other.Authority.ReadAsync($"blocks/{blocked.Id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.Authority.RemoveAsync($"blocks/{blocked.Id}")).Problem, Is.EqualTo("not-found"));
        var state = await world.ClientOfNewAsync("state");
        Assert.That((await state.RemoveAsync($"blocks/{blocked.Id}")).Status, Is.EqualTo(403));
        Assert.That((await state.ReadAsync($"blocks/{blocked.Id}")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Each_mistake_is_named()
    {
        var answer = await _service.Operator().PostAsync("blocks", new { firstSerial = 5, lastSerial = 0, reason = "" });
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "lastSerial", "reason" }), answer.Body);
        var lifted = await _service.Operator().RemoveAsync(
            $"blocks/0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4?reason={new string('x', 401)}");
        Assert.That(lifted["errors"].EnumerateObject().Select(e => e.Name), Is.EqualTo(new[] { "reason" }), lifted.Body);
    }

    [Test]
    public async Task A_range_over_too_many_orders_is_told_in_parts()
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 1_000_000);
        var answers = await Task.WhenAll(Enumerable.Range(0, 201).Select(_ => world.PlaceAsync(1, 1)));
        var serials = answers.Select(a => a["firstSerial"].GetInt64()).ToList();
        var answer = await BlockAsync(world.Authority, serials.Min(), serials.Max());
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "too-many-orders")));
    }

    private static Task<Answer> BlockAsync(HttpClient client, long firstSerial, long lastSerial) =>
        client.PostAsync("blocks", new { firstSerial, lastSerial, reason = "Carton perdu" });
}
