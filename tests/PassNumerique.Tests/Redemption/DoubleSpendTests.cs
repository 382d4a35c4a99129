using NUnit.Framework;

namespace PassNumerique.Tests.Redemption;

/// <summary>Never twice: many clients at the same moment, on one voucher and on one operation.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class DoubleSpendTests(string engine)
{
    private const int Clients = 64;
    private TestService _service = null!;
    private Scenario _scenario = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, booklets: 10);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_voucher_is_spent_once_when_64_clients_scan_it_at_the_same_time()
    {
        for (var round = 0; round < 5; round++)
        {
            var serial = _scenario.FirstSerial + round;
            var bodies = new List<object>();
            for (var i = 0; i < Clients; i++) bodies.Add(await _scenario.RedemptionAsync(serial));
            var answers = await AtOnceAsync(bodies);
            Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
            Assert.That(answers.Where(a => a.Status != 201).Select(a => (a.Status, a.Problem)),
                Is.All.EqualTo((409, "voucher-spent")));
            Assert.That(await _service.QueryAsync<long>(
                "SELECT part FROM voucher_entries WHERE serial = @S", new { S = serial }), Has.Count.EqualTo(1));
        }
    }

    [Test]
    public async Task One_operation_repeated_by_64_clients_is_one_row_and_one_answer()
    {
        var serial = _scenario.FirstSerial + 10;
        var body = await _scenario.RedemptionAsync(serial);
        var answers = await AtOnceAsync(Enumerable.Repeat(body, Clients).ToList());
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(201));
        Assert.That(answers.Select(a => a.Body).Distinct().Count(), Is.EqualTo(1));
        Assert.That(answers.Count(a => !a.Replayed), Is.EqualTo(1));
        Assert.That(await _service.QueryAsync<long>(
            "SELECT part FROM voucher_entries WHERE serial = @S", new { S = serial }), Has.Count.EqualTo(1));
    }

    private async Task<Answer[]> AtOnceAsync(IReadOnlyList<object> bodies)
    {
        using var client = _scenario.Site();
        var gate = new TaskCompletionSource();
        var calls = bodies.Select(async body =>
        {
            await gate.Task;
            return await client.PostUntilTakenAsync("redemptions", body);
        }).ToList();
        gate.SetResult();
        return await Task.WhenAll(calls);
    }
}
