using NUnit.Framework;
using PassNumerique.Tests.Orders;

namespace PassNumerique.Tests.Settlement;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class RecordFundsReceiptTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task Prefunding_money_can_be_activated_against_and_its_fees_cannot()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var receipt = await world.Operator.PostAsync("funds-receipts", Receipt(world, amount: 10_480, face: 10_000));
        Assert.That((receipt.Status, receipt["prefunding"].GetBoolean()), Is.EqualTo((201, true)), receipt.ToString());
        Assert.That((await world.BalancesAsync()).GetProperty("receivedCents").GetInt64(), Is.EqualTo(10_000));
        var read = await world.Authority.ReadAsync($"funds-receipts/{receipt.Id}");
        Assert.That(read.Body, Is.EqualTo(receipt.Body));
    }

    [Test]
    public async Task Reimbursing_money_is_recorded_but_activates_nothing()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var receipt = await world.Operator.PostAsync("funds-receipts", Receipt(world, funder: "État"));
        Assert.That((receipt.Status, receipt["prefunding"].GetBoolean()), Is.EqualTo((201, false)));
        Assert.That((await world.BalancesAsync()).GetProperty("receivedCents").GetInt64(), Is.Zero);
    }

    [Test]
    public async Task A_bank_reference_counts_once_however_often_it_is_sent()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
            world.Operator.PostAsync("funds-receipts", Receipt(world))));
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 201).Select(a => a.Problem), Is.All.EqualTo("receipt-already-recorded"));
        Assert.That((await world.BalancesAsync()).GetProperty("receivedCents").GetInt64(), Is.EqualTo(10_000));
    }

    [Test]
    public async Task A_stranger_pays_nothing_in()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answer = await world.Operator.PostAsync("funds-receipts", Receipt(world, funder: "Mécène"));
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "funder-unknown")));
        Assert.That(answer["funders"].EnumerateArray().Select(f => f.GetString()), Is.EqualTo(new[] { "Département", "État" }));
    }

    [Test]
    public async Task Money_of_the_future_is_refused()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answer = await world.Operator.PostAsync("funds-receipts", Receipt(world, inDays: 3));
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "date-in-future")));
    }

    [Test]
    public async Task Each_mistake_is_named()
    {
        var answer = await _service.Operator().PostAsync("funds-receipts", new
        {
            conventionId = "x",
            funder = "",
            amountCents = 10,
            faceValueCents = 11,
            receivedOn = "1900-01-01",
            bankReference = "virement №1",
        });
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[]
        {
            "conventionId", "funder", "faceValueCents", "receivedOn", "bankReference",
        }), answer.Body);
    }

    [Test]
    public async Task Others_neither_write_nor_see_it()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var receipt = await world.Operator.PostAsync("funds-receipts", Receipt(world));
        Assert.That((await world.Authority.PostAsync("funds-receipts", Receipt(world))).Status, Is.EqualTo(403));
        Assert.That((await other.Authority.ReadAsync($"funds-receipts/{receipt.Id}")).Status, Is.EqualTo(404));
        Assert.That((await other.Authority.ReadAsync("funds-receipts"))["items"].GetArrayLength(), Is.Zero);
        var list = await world.Authority.ReadAsync($"funds-receipts?conventionId={world.ConventionId}");
        Assert.That(list["items"].GetArrayLength(), Is.EqualTo(1));
        var unknown = await world.Operator.PostAsync("funds-receipts",
            Receipt(world, convention: "0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4"));
        Assert.That((unknown.Status, unknown.Problem), Is.EqualTo((404, "convention-unknown")));
    }

    private static object Receipt(
        ConventionWorld world, long amount = 10_000, long face = 10_000, string funder = "Département", int inDays = 0,
        string? convention = null) => new
        {
            conventionId = convention ?? world.ConventionId,
            funder,
            amountCents = amount,
            faceValueCents = face,
            receivedOn = ConventionWorld.Today.AddDays(inDays),
            bankReference = "VIR-2026-11",
        };
}
