using NUnit.Framework;

namespace PassNumerique.Tests.Redemption;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ReverseRedemptionTests(string engine)
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
    public async Task A_reversal_gives_back_exactly_what_was_taken()
    {
        var serial = _scenario.FirstSerial;
        var redemption = await RedeemAsync(serial);
        var reversal = await ReverseAsync(redemption.Id);
        Assert.That(reversal.Status, Is.EqualTo(201), reversal.ToString());
        Assert.That((reversal["minutes"].GetInt64(), reversal["valueCents"].GetInt64(), reversal["incident"].GetBoolean()),
            Is.EqualTo((120L, 1_000L, false)));
        Assert.That((await RedeemAsync(serial)).Status, Is.EqualTo(201));
        var net = await _service.QueryAsync<long>(
            "SELECT CAST(SUM(value_cents) AS bigint) FROM voucher_entries WHERE serial = @S", new { S = serial });
        Assert.That(net.Single(), Is.EqualTo(1_000));
    }

    /// <summary>What is remembered of a spent pass ends with its reversal, and tells a repetition until then.</summary>
    [Test]
    public async Task A_pass_that_was_scanned_in_vain_can_be_used_as_soon_as_it_is_reversed()
    {
        var serial = _scenario.FirstSerial + 9;
        var operation = Guid.NewGuid().ToString();
        var body = await _scenario.RedemptionAsync(serial, operation);
        var redemption = await _scenario.Site().PostAsync("redemptions", body);
        for (var i = 0; i < 4; i++) Assert.That((await RedeemAsync(serial)).Problem, Is.EqualTo("voucher-spent"));
        var again = await _scenario.Site().PostAsync("redemptions", body);
        Assert.That((again.Status, again.Body, again.Replayed), Is.EqualTo((201, redemption.Body, true)));
        var other = await _scenario.RedemptionAsync(serial, operation, durationMinutes: 90);
        Assert.That((await _scenario.Site().PostAsync("redemptions", other)).Problem, Is.EqualTo("idempotency-key-reused"));
        var elsewhere = await _scenario.OtherSite().PostAsync("redemptions", await _scenario.RedemptionAsync(serial));
        Assert.That((elsewhere.Problem, elsewhere["usedOn"].GetString(), elsewhere.Json.TryGetProperty("redemptionId", out _)),
            Is.EqualTo(("voucher-spent", Scenario.Today.ToString("yyyy-MM-dd"), false)));
        var (_, unlabelled) = await _scenario.SiteAsync("Lieu sans label", "51454", labelled: false);
        for (var i = 0; i < 3; i++) Assert.That((await RedeemAsync(serial)).Problem, Is.EqualTo("voucher-spent"));
        var late = await _service.Client(unlabelled).PostAsync("redemptions", await _scenario.RedemptionAsync(serial));
        Assert.That(late.Problem, Is.EqualTo("site-not-labelled"), "memory knows the order of reasons");
        Assert.That((await ReverseAsync(redemption.Id)).Status, Is.EqualTo(201));
        Assert.That((await RedeemAsync(serial)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_redemption_is_reversed_once()
    {
        var redemption = await RedeemAsync(_scenario.FirstSerial + 1);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => ReverseAsync(redemption.Id)));
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 201).Select(a => a.Problem), Is.All.EqualTo("redemption-already-reversed"));
    }

    [Test]
    public async Task Another_site_can_not_reverse_it()
    {
        var redemption = await RedeemAsync(_scenario.FirstSerial + 2);
        var answer = await _scenario.OtherSite().PostAsync($"redemptions/{redemption.Id}/reversal", new { reason = "erreur" });
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "not-found")));
        var unknown = await _scenario.Site().PostAsync($"redemptions/{Guid.NewGuid()}/reversal", new { reason = "erreur" });
        Assert.That(unknown.Status, Is.EqualTo(404));
    }

    [Test]
    public async Task A_reversal_needs_a_reason()
    {
        var redemption = await RedeemAsync(_scenario.FirstSerial + 3);
        var answer = await _scenario.Site().PostAsync($"redemptions/{redemption.Id}/reversal", new { });
        Assert.That((answer.Status, answer["errors"].EnumerateObject().Single().Name), Is.EqualTo((400, "reason")), answer.Body);
    }

    [Test]
    public async Task A_reversal_never_reopens_a_closed_pass()
    {
        var booklet = _scenario.FirstSerial + 10;
        var redemption = await RedeemAsync(booklet);
        Scenario.Ok(await _scenario.Agent().PostAsync("returns", new { bookletNumber = booklet, reason = "rendu" }));
        Scenario.Ok(await ReverseAsync(redemption.Id));
        var again = await RedeemAsync(booklet);
        Assert.That(again.Problem, Is.EqualTo("voucher-returned"), again.ToString());
    }

    [Test]
    public async Task A_list_shows_what_was_reversed()
    {
        var redemption = await RedeemAsync(_scenario.FirstSerial + 4);
        await ReverseAsync(redemption.Id);
        var one = await _scenario.Site().ReadAsync($"redemptions/{redemption.Id}");
        Assert.That(one["reversed"].GetBoolean(), Is.True, one.ToString());
        var seen = new List<string>();
        string? next = "";
        while (next is not null)
        {
            var page = await _scenario.Site().ReadAsync($"redemptions?limit=2{(next.Length > 0 ? "&after=" + next : "")}");
            seen.AddRange(page["items"].EnumerateArray().Select(i => i.GetProperty("id").GetString()!));
            next = page["next"].GetString();
        }

        Assert.That(seen, Does.Contain(redemption.Id));
        Assert.That(seen, Is.Unique);
    }

    private async Task<Answer> RedeemAsync(long serial) =>
        await _scenario.Site().PostAsync("redemptions", await _scenario.RedemptionAsync(serial));

    private async Task<Answer> ReverseAsync(string id) =>
        await _scenario.Site().PostAsync($"redemptions/{id}/reversal", new { reason = "erreur de saisie" });
}
