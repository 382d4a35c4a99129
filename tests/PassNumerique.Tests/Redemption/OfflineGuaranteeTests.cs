using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Redemption;

/// <summary>First recorded wins; the second, honest service is paid within the guarantee, and never twice.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class OfflineGuaranteeTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task Two_devices_of_two_sites_with_one_pass_make_one_entry_and_one_guarantee()
    {
        var offline = await Offline.CreateAsync(_service);
        var (serial, before) = (offline.Fresh(), await offline.CommittedAsync());
        var first = await offline.Scenario.OtherSite().SyncAsync(await offline.OperationAsync(serial));
        var second = await offline.Scenario.Site().SyncAsync(await offline.OperationAsync(serial));
        Assert.That(first.Results()[0].Outcome(), Is.EqualTo("redeemed"), first.ToString());
        var line = second.Results()[0];
        Assert.That((line.GetProperty("status").GetInt64(), line.Outcome()), Is.EqualTo((201L, "guaranteed")), second.ToString());
        var guarantee = line.GetProperty("guarantees")[0];
        Assert.That((guarantee.GetProperty("minutes").GetInt64(), guarantee.GetProperty("valueCents").GetInt64(),
            guarantee.GetProperty("ordinal").GetInt64(), guarantee.GetProperty("refusal").GetString(),
            guarantee.GetProperty("month").GetString()), Is.EqualTo((120L, 1_000L, 1L, "voucher-spent", Offline.Month)));
        Assert.That(await offline.CommittedAsync(), Is.EqualTo(before + 1_000));
        Assert.That(await offline.CountAsync("voucher_entries", serial), Has.Count.EqualTo(1));
        Assert.That(await offline.CountAsync("offline_services", serial), Has.Count.EqualTo(1));
        var left = second["guarantee"].EnumerateArray().Single();
        Assert.That((left.GetProperty("limitPasses").GetInt64(), left.GetProperty("usedPasses").GetInt64(),
            left.GetProperty("leftPasses").GetInt64()), Is.EqualTo((5L, 1L, 4L)));
    }

    [Test]
    public async Task The_limit_is_told_beforehand()
    {
        var offline = await Offline.CreateAsync(_service);
        var device = offline.Scenario.Site();
        var before = await LimitAsync(device, offline);
        await offline.SecondAsync(device);
        var after = await LimitAsync(device, offline);
        Assert.That((before, after), Is.EqualTo(((5L, 0L, 5L), (5L, 1L, 4L))));
        var (tablet, _) = await offline.DeviceAsync();
        Assert.That(await LimitAsync(tablet, offline), Is.EqualTo((5L, 0L, 5L)), "each device has its own");
        Assert.That((await device.ReadAsync("redemptions/guarantee?after=x")).Status, Is.EqualTo(400));
        Assert.That((await offline.Scenario.Authority().ReadAsync("redemptions/guarantee")).Problem, Is.EqualTo("not-allowed"));
    }

    [Test]
    public async Task The_sixth_of_a_device_and_month_becomes_a_dispute()
    {
        var offline = await Offline.CreateAsync(_service);
        var device = offline.Scenario.Site();
        for (var ordinal = 1L; ordinal <= 5; ordinal++)
        {
            var line = await offline.SecondAsync(device);
            Assert.That(line.GetProperty("guarantees")[0].GetProperty("ordinal").GetInt64(), Is.EqualTo(ordinal), line.ToString());
        }

        var committed = await offline.CommittedAsync();
        var sixth = await offline.SecondAsync(device);
        Assert.That((sixth.GetProperty("status").GetInt64(), sixth.Outcome()), Is.EqualTo((202L, "disputed")), sixth.ToString());
        var dispute = sixth.GetProperty("disputes")[0];
        Assert.That((dispute.GetProperty("cause").GetString(), dispute.GetProperty("afterDeadline").GetString()),
            Is.EqualTo(("limit", "accepted")));
        Assert.That(await offline.CommittedAsync(), Is.EqualTo(committed));
        var (tablet, _) = await offline.DeviceAsync();
        Assert.That((await offline.SecondAsync(tablet)).Outcome(), Is.EqualTo("guaranteed"), "another device has its own five");
    }

    [Test]
    public async Task Without_money_that_is_not_committed_it_becomes_a_dispute()
    {
        var offline = await Offline.CreateAsync(_service, uncommittedCents: 1_500);
        Assert.That((await offline.SecondAsync(offline.Scenario.Site())).Outcome(), Is.EqualTo("guaranteed"));
        var second = await offline.SecondAsync(offline.Scenario.Site());
        Assert.That(second.Outcome(), Is.EqualTo("disputed"), second.ToString());
        Assert.That(second.GetProperty("disputes")[0].GetProperty("cause").GetString(), Is.EqualTo("funds"));
    }

    [Test]
    public async Task What_derogated_orders_wait_for_is_not_taken()
    {
        var offline = await Offline.CreateAsync(_service, uncommittedCents: 2_000);
        var scenario = offline.Scenario;
        var serial = await offline.SpentAsync();
        var operation = await offline.OperationAsync(serial);
        var order = (await scenario.OrderAsync(1, Scenario.Today.AddMonths(5), activate: false)).Id;
        await scenario.DeliverAsync(order);
        Scenario.Ok(await _service.Operator().PostAsync($"orders/{order}/derogation", new { reason = "virement en route" }));
        var second = (await _service.SendAsync(new PassNumerique.Access.CreateOrganisation.Command("state", "État"))).Value!.Id;
        var key = (await _service.SendAsync(new PassNumerique.Access.CreateApiKey.Command(second, "state", "essai"))).Value!;
        Scenario.Ok(await _service.Client(key.ApiKey).PostAsync($"orders/{order}/derogation/confirmation", new { }));
        var answer = await scenario.Site().SyncAsync(operation);
        Assert.That(answer.Results()[0].Outcome(), Is.EqualTo("disputed"), answer.ToString());
    }

    [Test]
    public async Task A_site_that_used_the_pass_itself_has_no_second_service()
    {
        var offline = await Offline.CreateAsync(_service);
        var (device, tablet) = (offline.Scenario.Site(), (await offline.DeviceAsync()).Client);
        var own = offline.Fresh();
        Scenario.Ok(await device.PostAsync("redemptions", await offline.Scenario.RedemptionAsync(own)));
        var again = await tablet.SyncAsync(await offline.OperationAsync(own));
        Assert.That(again.Results()[0].Problem(), Is.EqualTo("voucher-spent"), again.ToString());

        var elsewhere = await offline.SpentAsync();
        var first = await device.SyncAsync(await offline.OperationAsync(elsewhere));
        var second = await tablet.SyncAsync(await offline.OperationAsync(elsewhere));
        Assert.That(first.Results()[0].Outcome(), Is.EqualTo("guaranteed"), first.ToString());
        Assert.That(second.Results()[0].Problem(), Is.EqualTo("voucher-spent"), second.ToString());
        Assert.That(await offline.CountAsync("offline_services", elsewhere), Has.Count.EqualTo(1));
        Assert.That(await offline.CountAsync("offline_services", own), Is.Empty);
    }

    [Test]
    public async Task What_a_device_could_know_stays_refused()
    {
        var offline = await Offline.CreateAsync(_service);
        var scenario = offline.Scenario;
        var serial = await offline.SpentAsync();
        var (_, unlabelled) = await scenario.SiteAsync("Lieu sans label", "51454", labelled: false);
        var (_, far) = await scenario.SiteAsync("Lieu lointain", "01004");
        foreach (var (key, problem) in new[] { (unlabelled, "site-not-labelled"), (far, "outside-territory") })
        {
            var answer = await _service.Client(key).SyncAsync(await offline.OperationAsync(serial));
            Assert.That(answer.Results()[0].Problem(), Is.EqualTo(problem), answer.ToString());
        }

        var tooLong = await scenario.Site().SyncAsync(await offline.OperationAsync(serial, durationMinutes: 180));
        Assert.That(tooLong.Results()[0].Outcome(), Is.EqualTo("refused"), tooLong.ToString());
        var tooMuch = await scenario.Site().SyncAsync(await offline.OperationAsync(offline.Fresh(), durationMinutes: 180));
        Assert.That(tooMuch.Results()[0].Problem(), Is.EqualTo("credit-too-small"), tooMuch.ToString());
        Assert.That(await offline.CountAsync("offline_services", serial), Is.Empty);
    }

    [Test]
    public async Task A_part_used_pass_guarantees_what_others_left_too_little_for()
    {
        var offline = await Offline.CreateAsync(_service, wholeVouchersOnly: false);
        var scenario = offline.Scenario;
        var serial = await offline.SpentAsync(); // 60 of its 120 minutes
        var answer = await scenario.Site().SyncAsync(await offline.OperationAsync(serial, durationMinutes: 120));
        var guarantee = answer.Results()[0].GetProperty("guarantees")[0];
        Assert.That((guarantee.GetProperty("minutes").GetInt64(), guarantee.GetProperty("valueCents").GetInt64(),
            guarantee.GetProperty("refusal").GetString()), Is.EqualTo((120L, 1_000L, "credit-too-small")), answer.ToString());
        var rest = await scenario.OtherSite().PostAsync("redemptions", await scenario.RedemptionAsync(serial));
        Assert.That((rest.Status, rest["remainingMinutes"].GetInt64()), Is.EqualTo((201, 0L)), "its minutes did not move");
    }

    [Test]
    public async Task Good_passes_of_an_operation_are_redeemed_and_the_spent_one_is_guaranteed()
    {
        var offline = await Offline.CreateAsync(_service);
        var (good, spent) = (offline.Fresh(), await offline.SpentAsync());
        var answer = await offline.Scenario.Site().SyncAsync(await offline.OperationAsync([spent, good], durationMinutes: 240));
        var line = answer.Results()[0];
        Assert.That(line.Outcome(), Is.EqualTo("guaranteed"), answer.ToString());
        Assert.That(line.GetProperty("guarantees").EnumerateArray().Single().GetProperty("serial").GetInt64(), Is.EqualTo(spent));
        var redeemed = line.GetProperty("redemption").GetProperty("redemptions").EnumerateArray().Single();
        Assert.That((redeemed.GetProperty("serial").GetInt64(), redeemed.GetProperty("minutes").GetInt64()),
            Is.EqualTo((good, 120L)));
        var delivered = await _service.QueryAsync<long>(
            """
            SELECT e.duration_minutes + s.duration_minutes
              FROM voucher_entries e
              JOIN offline_services s ON s.organisation_id = e.organisation_id AND s.operation_id = e.operation_id
             WHERE e.serial = @Serial
            """, new { Serial = good });
        Assert.That(delivered, Is.EqualTo(new[] { 240L }), "the hours of one service count once");
    }

    [Test]
    public async Task A_second_service_stays_one_when_the_first_is_undone()
    {
        var offline = await Offline.CreateAsync(_service);
        var scenario = offline.Scenario;
        var serial = offline.Fresh();
        var first = Scenario.Ok(await scenario.OtherSite().PostAsync("redemptions", await scenario.RedemptionAsync(serial)));
        var body = await offline.OperationAsync(serial);
        var second = await scenario.Site().SyncAsync(body);
        Scenario.Ok(await scenario.OtherSite().PostAsync($"redemptions/{first.Id}/reversal", new { reason = "erreur" }));
        Assert.That((await scenario.Site().PostAsync("redemptions", body)).Problem, Is.EqualTo("operation-recorded-offline"));
        Assert.That((await scenario.Site().SyncAsync(body)).Lasting(), Is.EqualTo(second.Lasting()));
        var another = await scenario.Site().PostAsync("redemptions", await scenario.RedemptionAsync(serial));
        Assert.That(another.Status, Is.EqualTo(201), "the pass itself is free again");
    }

    [Test]
    public async Task A_device_that_was_made_after_the_service_has_to_explain_itself()
    {
        var offline = await Offline.CreateAsync(_service);
        var operation = await offline.OperationAsync(await offline.SpentAsync(), servedOn: Scenario.Today.AddDays(-2));
        var answer = await offline.Scenario.Site().SyncAsync(operation);
        Assert.That(answer.Results()[0].Outcome(), Is.EqualTo("disputed"), answer.ToString());
        Assert.That(answer.Results()[0].GetProperty("disputes")[0].GetProperty("cause").GetString(), Is.EqualTo("device"));
    }

    [Test]
    public async Task An_operation_sent_by_eight_at_once_is_one_guarantee()
    {
        var offline = await Offline.CreateAsync(_service);
        var (serial, before) = (await offline.SpentAsync(), await offline.CommittedAsync());
        var body = await offline.OperationAsync(serial);
        using var device = offline.Scenario.Site();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => device.SyncAsync(body))));
        var lines = answers.Select(a => a.Results()[0]).Where(r => r.Outcome() != "retry").ToList();
        Assert.That(lines, Is.Not.Empty);
        Assert.That(lines.Select(r => r.Outcome()), Is.All.EqualTo("guaranteed"), string.Join('\n', answers.Select(a => a.Body)));
        Assert.That(await offline.CountAsync("offline_services", serial), Has.Count.EqualTo(1));
        Assert.That(await offline.CommittedAsync(), Is.EqualTo(before + 1_000));
    }

    [Test]
    public async Task Batches_at_once_share_the_limit_of_their_device()
    {
        var offline = await Offline.CreateAsync(_service);
        var before = await offline.CommittedAsync();
        var operations = new List<object>();
        for (var i = 0; i < 9; i++) operations.Add(await offline.OperationAsync(await offline.SpentAsync()));
        using var device = offline.Scenario.Site();
        var lines = await SettledAsync(device, operations.Chunk(3));
        Assert.That(lines.Count(l => l == "guaranteed"), Is.EqualTo(5), string.Join(", ", lines));
        Assert.That(lines.Count(l => l == "disputed"), Is.EqualTo(4), string.Join(", ", lines));
        Assert.That(await offline.CommittedAsync(), Is.EqualTo(before + 5_000));
    }

    [Test]
    public async Task Two_devices_at_once_never_take_more_money_than_there_is()
    {
        var offline = await Offline.CreateAsync(_service, uncommittedCents: 1_000);
        var tablet = (await offline.DeviceAsync()).Client;
        using var device = offline.Scenario.Site();
        var bodies = new[]
        {
            await offline.OperationAsync(await offline.SpentAsync()), await offline.OperationAsync(await offline.SpentAsync()),
        };
        var lines = await Task.WhenAll(
            SettledAsync(device, [[bodies[0]]]), SettledAsync(tablet, [[bodies[1]]]));
        Assert.That(lines.SelectMany(l => l), Is.EquivalentTo(new[] { "guaranteed", "disputed" }));
    }

    [Test]
    public async Task Two_devices_of_one_site_with_one_pass_at_once_make_one_second_service()
    {
        var offline = await Offline.CreateAsync(_service);
        var tablet = (await offline.DeviceAsync()).Client;
        using var device = offline.Scenario.Site();
        for (var round = 0; round < 3; round++)
        {
            var serial = await offline.SpentAsync();
            var (mine, theirs) = (await offline.OperationAsync(serial), await offline.OperationAsync(serial));
            var lines = await Task.WhenAll(SettledAsync(device, [[mine]]), SettledAsync(tablet, [[theirs]]));
            Assert.That(lines.SelectMany(l => l), Is.EquivalentTo(new[] { "guaranteed", "refused" }));
            Assert.That(await offline.CountAsync("offline_services", serial), Has.Count.EqualTo(1));
        }
    }

    /// <summary>The outcomes of some batches at once; what was told to come again comes again.</summary>
    private static async Task<IReadOnlyList<string>> SettledAsync(HttpClient device, IEnumerable<object[]> batches)
    {
        var lines = await Task.WhenAll(batches.Select(operations => Task.Run(async () =>
        {
            for (var tries = 1; ; tries++)
            {
                var outcomes = (await device.SyncAsync(operations)).Results().Select(r => r.Outcome()).ToList();
                if (!outcomes.Contains("retry") || tries == 10) return outcomes;
            }
        })));
        return [.. lines.SelectMany(l => l)];
    }

    private static async Task<(long Limit, long Used, long Left)> LimitAsync(HttpClient device, Offline offline)
    {
        var answer = await device.ReadAsync("redemptions/guarantee?limit=200");
        Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
        var line = answer["items"].EnumerateArray()
            .Single(l => l.GetProperty("conventionId").GetString() == offline.Scenario.ConventionId);
        Assert.That(line.GetProperty("month").GetString(), Is.EqualTo(Offline.Month));
        return (line.GetProperty("limitPasses").GetInt64(), line.GetProperty("usedPasses").GetInt64(),
            line.GetProperty("leftPasses").GetInt64());
    }
}

/// <summary>What others did before the day of the service, and since.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class OfflineWithdrawalTests(string engine)
{
    private readonly ManualClock _clock = new(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine, _clock);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_pass_withdrawn_since_the_day_of_the_service_is_guaranteed_and_one_withdrawn_before_is_refused()
    {
        var offline = await Offline.CreateAsync(_service);
        var scenario = offline.Scenario;
        var (blocked, returned) = (scenario.FirstSerial, scenario.FirstSerial + 5);
        var served = Clock.ParisDay(_clock.NowMs).ToDate();
        _clock.NowMs += Clock.DayMs;
        Scenario.Ok(await scenario.Authority().PostAsync("blocks",
            new { firstSerial = blocked, lastSerial = blocked + 1, reason = "perte" }));
        Scenario.Ok(await scenario.Agent().PostAsync("returns", new { bookletNumber = returned, reason = "carnet rendu" }));
        _clock.NowMs += Clock.DayMs;
        var late = Clock.ParisDay(_clock.NowMs).ToDate();
        var answer = await scenario.Site().SyncAsync(
            await offline.OperationAsync(blocked, servedOn: served), await offline.OperationAsync(returned, servedOn: served),
            await offline.OperationAsync(blocked + 1, servedOn: late), await offline.OperationAsync(returned + 1, servedOn: late));
        Assert.That(answer.Results().Select(r => r.Outcome()),
            Is.EqualTo(new[] { "guaranteed", "guaranteed", "refused", "refused" }), answer.ToString());
        Assert.That(answer.Results().Take(2).Select(r => r.GetProperty("guarantees")[0].GetProperty("refusal").GetString()),
            Is.EqualTo(new[] { "voucher-blocked", "voucher-returned" }));
        Assert.That(answer.Results().Skip(2).Select(r => r.Problem()),
            Is.EqualTo(new[] { "voucher-blocked", "voucher-returned" }));
    }

    [Test]
    public async Task A_new_month_brings_a_new_guarantee()
    {
        var offline = await Offline.CreateAsync(_service, booklets: 4);
        using var device = offline.Scenario.Site();
        for (var i = 0; i < 6; i++) await offline.SecondAsync(device);
        var month = Clock.Month(Clock.ParisDay(_clock.NowMs));
        while (Clock.Month(Clock.ParisDay(_clock.NowMs)) == month) _clock.NowMs += Clock.DayMs;
        var line = await offline.SecondAsync(device);
        Assert.That(line.GetProperty("guarantees")[0].GetProperty("ordinal").GetInt64(), Is.EqualTo(1), line.ToString());
    }
}
