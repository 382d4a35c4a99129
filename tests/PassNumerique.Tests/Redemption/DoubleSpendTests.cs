using NUnit.Framework;

namespace PassNumerique.Tests.Redemption;

/// <summary>Never twice: many clients at the same moment, on one voucher and on one operation.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class DoubleSpendTests(string engine)
{
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
        using var client = _scenario.Site();
        for (var round = 0; round < 5; round++)
            await DoubleSpend.IsSpentOnceAsync(_service, _scenario, _scenario.FirstSerial + round, client);
    }

    [Test]
    public async Task One_operation_repeated_by_64_clients_is_one_row_and_one_answer()
    {
        using var client = _scenario.Site();
        await DoubleSpend.IsRecordedOnceAsync(_service, _scenario, _scenario.FirstSerial + 10, client);
    }

    /// <summary>Who comes too late is answered from a read; that read must see all that a write would.</summary>
    [Test]
    public async Task A_pass_that_was_just_refused_hears_of_all_that_happens_to_it()
    {
        using var client = _scenario.Site();
        using var other = _scenario.OtherSite();
        var serial = _scenario.FirstSerial + 20;
        var first = await _scenario.RedemptionAsync(serial);
        var redeemed = Scenario.Ok(await client.PostAsync("redemptions", first));
        for (var i = 0; i < 3; i++)
        {
            var late = await other.PostAsync("redemptions", await _scenario.RedemptionAsync(serial));
            Assert.That((late.Status, late.Problem), Is.EqualTo((409, "voucher-spent")));
            Assert.That(late.Json.TryGetProperty("operationId", out _), Is.False, "another site learns the date alone");
        }

        var again = await client.PostAsync("redemptions", first);
        Assert.That((again.Status, again.Replayed, again.Body), Is.EqualTo((201, true, redeemed.Body)));
        var operation = (string)first.GetType().GetProperty("operationId")!.GetValue(first)!;
        var reused = await client.PostAsync("redemptions", await _scenario.RedemptionAsync(serial, operation, durationMinutes: 90));
        Assert.That((reused.Status, reused.Problem), Is.EqualTo((422, "idempotency-key-reused")));

        Scenario.Ok(await client.PostAsync($"redemptions/{redeemed.Id}/reversal", new { reason = "erreur de saisie" }));
        Scenario.Ok(await other.PostAsync("redemptions", await _scenario.RedemptionAsync(serial)));
        Assert.That((await client.PostAsync("redemptions", first)).Body, Is.EqualTo(redeemed.Body), "once answered, for ever");
    }
}

/// <summary>What 64 clients at the same moment must see, at one copy of the service or at several.</summary>
internal static class DoubleSpend
{
    private const int Clients = 64;

    /// <summary>64 operations on one pass: one of them succeeds.</summary>
    public static async Task IsSpentOnceAsync(
        TestService service, Scenario scenario, long serial, params HttpClient[] copies)
    {
        var bodies = new List<object>();
        for (var i = 0; i < Clients; i++) bodies.Add(await scenario.RedemptionAsync(serial));
        var answers = await AtOnceAsync(bodies, copies);
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 201).Select(a => (a.Status, a.Problem)),
            Is.All.EqualTo((409, "voucher-spent")));
        Assert.That(await PartsAsync(service, serial), Has.Count.EqualTo(1));
    }

    /// <summary>One operation 64 times: one row, and the same answer for all.</summary>
    public static async Task IsRecordedOnceAsync(
        TestService service, Scenario scenario, long serial, params HttpClient[] copies)
    {
        var body = await scenario.RedemptionAsync(serial);
        var answers = await AtOnceAsync([.. Enumerable.Repeat(body, Clients)], copies);
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(201));
        Assert.That(answers.Select(a => a.Body).Distinct().Count(), Is.EqualTo(1));
        Assert.That(answers.Count(a => !a.Replayed), Is.EqualTo(1));
        Assert.That(await PartsAsync(service, serial), Has.Count.EqualTo(1));
    }

    private static Task<IReadOnlyList<long>> PartsAsync(TestService service, long serial) =>
        service.QueryAsync<long>("SELECT part FROM voucher_entries WHERE serial = @S", new { S = serial });

    private static async Task<Answer[]> AtOnceAsync(List<object> bodies, HttpClient[] copies)
    {
        var gate = new TaskCompletionSource();
        var calls = bodies.Select(async (body, i) =>
        {
            await gate.Task;
            return await copies[i % copies.Length].PostUntilTakenAsync("redemptions", body);
        }).ToList();
        gate.SetResult();
        return await Task.WhenAll(calls);
    }
}
