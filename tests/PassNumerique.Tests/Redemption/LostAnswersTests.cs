using System.Collections.Concurrent;
using NUnit.Framework;
using PassNumerique.Tests.Platform.Data;

namespace PassNumerique.Tests.Redemption;

/// <summary>
/// Between the service and its server the network cuts: before a command arrives, or after it was done and before
/// its answer is heard. The service can't tell the two apart, and its clients must not have to.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Server))]
internal sealed class LostAnswersTests(string engine)
{
    private const long Seed = 20_261_125;
    private const int Clients = 8;
    private const long Unknown = 1_000;
    private const long Booklets = 1_600;
    private readonly TestFolder _folder = new();
    private TestService _direct = null!;
    private TestService _through = null!;
    private TdsFaultProxy _proxy = null!;
    private Scenario _scenario = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _direct = await TestService.StartAsync(engine, folder: _folder.Data);
        _scenario = await Scenario.CreateAsync(_direct, Booklets, budgetCents: 100_000_000);
        (_proxy, var connection) = TdsFaultProxy.Before(TestServer.For(_folder.Data), Seed, TdsFaults.None);
        _through = await TestService.StartAsync(engine, folder: _folder.Data, connectionString: connection);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _proxy.Faults = TdsFaults.None;
        await _through.DisposeAsync();
        await _proxy.DisposeAsync();
        await _direct.DisposeAsync();
        await TestServer.DropAsync(_folder.Data);
        _folder.Dispose();
    }

    [SetUp]
    public void Calm() => (_proxy.IsDown, _proxy.Faults) = (false, TdsFaults.None);

    [Test]
    public async Task Of_1000_lost_answers_no_redemption_is_lost_and_none_is_there_twice()
    {
        var (next, before) = (-1L, Cuts);
        var answered = new ConcurrentDictionary<string, string>();
        _proxy.Faults = new(Delay: 0.02, CutBefore: 0.1, CutAfter: 0.2, DelayMsMax: 20);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            using var client = _through.Client(_scenario.SiteKey, isPatient: false);
            while (Cuts - before < Unknown && Interlocked.Increment(ref next) is var n && n < (Booklets - 10) * 5)
            {
                var operation = Guid.NewGuid().ToString();
                var body = await _scenario.RedemptionAsync(_scenario.FirstSerial + n, operation);
                var answer = await client.PostUntilTakenAsync("redemptions", body);
                Assert.That(answer.Status, Is.EqualTo(201), answer.ToString());
                Assert.That(answered.TryAdd(operation, answer.Id), Is.True);
            }
        }));
        _proxy.Faults = TdsFaults.None;
        var rows = await _direct.QueryAsync<Entry>(
            "SELECT operation_id AS OperationId, serial AS Serial FROM voucher_entries WHERE serial < @Last",
            new { Last = _scenario.FirstSerial + ((Booklets - 10) * 5) });
        await TestContext.Progress.WriteLineAsync($"{answered.Count} redemptions, {rows.Count} rows; {_proxy}");
        Assert.That(Cuts - before, Is.GreaterThanOrEqualTo(Unknown), _proxy.ToString());
        Assert.That(_proxy.CutsAfter, Is.GreaterThan(Unknown / 2), "answers were to be lost");
        Assert.That(rows.Select(r => r.OperationId), Is.EquivalentTo(answered.Keys), "an operation is lost, or there twice");
        Assert.That(rows.Select(r => r.Serial), Is.Unique, "a pass is spent twice");
    }

    [Test]
    public async Task A_command_without_a_key_is_done_once_too()
    {
        var before = Cuts;
        _proxy.Faults = new(Delay: 0, CutBefore: 0.03, CutAfter: 0.06, DelayMsMax: 0);
        var (sent, client) = (0L, _through.Client(_direct.OperatorKey, isPatient: false));
        for (; Cuts - before < 20 && sent < 400; sent++)
        {
            var answer = await client.PostAsync("costs", new
            {
                conventionId = _scenario.ConventionId,
                kind = "printing",
                amountCents = 1_000 + sent,
                on = Scenario.Today,
                source = $"facture {sent}",
            });
            if (answer.Status != 201) Assert.That(answer.Status, Is.EqualTo(503), answer.ToString());
            if (answer.Status == 201) Assert.That(answer.Replayed, Is.False, "nobody asked twice");
        }

        _proxy.Faults = TdsFaults.None;
        client.Dispose();
        var amounts = await _direct.QueryAsync<long>("SELECT amount_cents FROM costs");
        Assert.That(Cuts - before, Is.GreaterThanOrEqualTo(20), _proxy.ToString());
        Assert.That(amounts, Is.Unique);
        Assert.That(amounts.Count, Is.GreaterThan(sent / 2).And.LessThanOrEqualTo(sent));
    }

    [Test]
    public async Task A_server_that_goes_away_is_told_and_comes_back_by_itself()
    {
        using var client = _through.Client(_scenario.SiteKey, isPatient: false);
        using var anonymous = new HttpClient();
        var serial = _scenario.LastSerial - 10;
        Scenario.Ok(await client.PostUntilTakenAsync("redemptions", await _scenario.RedemptionAsync(serial)));
        var waiting = await _scenario.RedemptionAsync(serial + 1);

        _proxy.IsDown = true;
        var refused = await client.PostAsync("redemptions", waiting);
        Assert.That((refused.Status, refused.Problem), Is.EqualTo((503, "store-unavailable")).Or.EqualTo((503, "outcome-unknown")));
        Assert.That(refused.Headers.RetryAfter, Is.Not.Null);
        var reading = await client.ReadAsync("redemptions");
        Assert.That((reading.Status, reading.Headers.RetryAfter is not null), Is.EqualTo((503, true)), reading.ToString());
        using var ready = await anonymous.GetAsync(_through.Address + "/health/ready");
        Assert.That(((int)ready.StatusCode, ready.Headers.RetryAfter is not null), Is.EqualTo((503, true)));
        using var live = await anonymous.GetAsync(_through.Address + "/health/live");
        Assert.That((int)live.StatusCode, Is.EqualTo(200));

        _proxy.IsDown = false;
        Scenario.Ok(await client.PostUntilTakenAsync("redemptions", waiting));
        using var again = await anonymous.GetAsync(_through.Address + "/health/ready");
        Assert.That((int)again.StatusCode, Is.EqualTo(200));
        var rows = await _direct.QueryAsync<long>(
            "SELECT serial FROM voucher_entries WHERE serial >= @Serial", new { Serial = serial });
        Assert.That(rows, Is.EquivalentTo(new[] { serial, serial + 1 }));
    }

    private long Cuts => _proxy.CutsBefore + _proxy.CutsAfter;

    private sealed record Entry(string OperationId, long Serial);
}
