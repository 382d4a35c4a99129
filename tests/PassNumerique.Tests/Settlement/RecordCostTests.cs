using NUnit.Framework;
using PassNumerique.Tests.Orders;

namespace PassNumerique.Tests.Settlement;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class RecordCostTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_cost_is_recorded_with_its_source_and_read_again()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var cost = await world.Authority.PostAsync("costs", Cost(world.ConventionId));
        Assert.That(cost.Status, Is.EqualTo(201), cost.ToString());
        Assert.That((await world.Operator.ReadAsync($"costs/{cost.Id}")).Body, Is.EqualTo(cost.Body));
        var list = await world.Authority.ReadAsync($"costs?conventionId={world.ConventionId}");
        Assert.That(list["items"][0].GetProperty("source").GetString(), Is.EqualTo("Facture 12"));
    }

    [Test]
    public async Task Each_mistake_is_named()
    {
        var answer = await _service.Operator().PostAsync("costs",
            new { conventionId = "x", kind = "champagne", amountCents = 0, on = "1900-01-01", source = "" });
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "conventionId", "kind", "amountCents", "on", "source" }), answer.Body);
    }

    [Test]
    public async Task A_cost_of_the_future_is_refused()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answer = await world.Operator.PostAsync("costs", Cost(world.ConventionId, inDays: 3));
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "date-in-future")));
    }

    [Test]
    public async Task Another_authority_neither_writes_nor_sees_it()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var cost = await world.Operator.PostAsync("costs", Cost(world.ConventionId));
        var written = await other.Authority.PostAsync("costs", Cost(world.ConventionId));
        Assert.That((written.Status, written.Problem), Is.EqualTo((404, "convention-unknown")));
        Assert.That((await other.Authority.ReadAsync($"costs/{cost.Id}")).Problem, Is.EqualTo("not-found"));
    }

    private static object Cost(string conventionId, int inDays = 0) => new
    {
        conventionId,
        kind = "printing",
        amountCents = 12_345,
        on = ConventionWorld.Today.AddDays(inDays),
        source = "Facture 12",
    };
}
