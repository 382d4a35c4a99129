using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Benchmarks;
using PassNumerique.Platform;
using PassNumerique.Tests.Platform.Web;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Vouchers;

/// <summary>Guessing codes through HTTP: what is answered, to whom, and who is not disturbed by it.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class GuessDefenceTests(string engine)
{
    private const string Service = "Maîtrise des outils numériques du quotidien";
    private const int PerSite = 10;
    private const int PerAddress = 14;

    private readonly ManualClock _clock = new(TimeProvider.System.NowMs());
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private long _used;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, _clock, settings: new Dictionary<string, string?>
        {
            ["PassNumerique:GuessesPerAddress"] = $"{PerAddress}",
        });
        _scenario = await Scenario.CreateAsync(_service, booklets: 40);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    /// <summary>What another test guessed is forgotten.</summary>
    [SetUp]
    public void NextMinute() => _clock.NowMs += 60_000;

    [Test]
    public async Task Whatever_is_wrong_with_a_code_the_answer_is_the_same()
    {
        var codes = await WrongCodesAsync();
        foreach (var (route, client, body) in SiteRoutes().Append(("vouchers/check", _scenario.Agent(), Check)))
        {
            NextMinute();
            var answers = new List<string>();
            foreach (var (what, code) in codes)
            {
                using var content = JsonContent.Create(body(code));
                using var response = await client.PostAsync(route, content);
                var answer = await Answer.FromAsync(response);
                Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "voucher-unknown")), $"{route}, {what}: {answer}");
                var headers = response.Headers.Concat(response.Content.Headers).Where(h => h.Key != "Date")
                    .Select(h => $"{h.Key}: {string.Join(", ", h.Value)}");
                var traceId = answer["traceId"].GetString()!;
                answers.Add($"{string.Join("\n", headers)}\n\n{answer.Body.Replace(traceId, new('0', traceId.Length), StringComparison.Ordinal)}");
                Assert.That(answers[^1], Is.EqualTo(answers[0]), $"{route}, {what}");
            }
        }
    }

    [Test]
    public async Task A_site_that_guesses_waits_even_with_a_right_code()
    {
        var (right, wrong) = (await RightAsync(), await ForgedAsync());
        for (var i = 0; i < PerSite; i++) Assert.That((await RedeemAsync(_scenario.Site(), wrong)).Status, Is.EqualTo(404));
        _clock.NowMs += 15_000;
        foreach (var code in new[] { wrong, right })
        {
            var answer = await RedeemAsync(_scenario.Site(), code);
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((429, "guesses-too-many")), answer.ToString());
            Assert.That(answer.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(45)));
            Assert.That(answer["detail"].GetString(), Does.StartWith("Attendez 45 secondes, puis présentez le pass à nouveau"));
            Assert.That(answer["retryAfterSeconds"].GetInt64(), Is.EqualTo(45));
        }

        Assert.That((await CheckAsync(_scenario.Site(), right)).Status, Is.EqualTo(429), "no other route tells it");
        Assert.That((await RedeemAsync(_scenario.Site(), right[..^1])).Status, Is.EqualTo(400), "a typing error is told as ever");
        _clock.NowMs += 45_000;
        Assert.That((await RedeemAsync(_scenario.Site(), right)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_site_is_served_while_another_guesses_at_its_address()
    {
        var wrong = await ForgedAsync();
        var (_, third) = await _scenario.SiteAsync("Troisième espace", "51454");
        NextMinute();
        for (var i = 0; i < PerSite; i++) Assert.That((await CheckAsync(_scenario.OtherSite(), wrong)).Status, Is.EqualTo(404));
        Assert.That((await RedeemAsync(_scenario.OtherSite(), await RightAsync())).Status, Is.EqualTo(429), "who guesses waits");
        for (var i = PerSite; i < PerAddress; i++) Assert.That((await CheckAsync(_service.Client(third), wrong)).Status, Is.EqualTo(404));
        var waits = await CheckAsync(_service.Client(third), await RightAsync());
        Assert.That((waits.Status, waits.Headers.RetryAfter is not null), Is.EqualTo((429, true)), "now the address is full");

        for (var i = 0; i < Guesses.OwnShare; i++)
        {
            Assert.That((await RedeemAsync(_scenario.Site(), await RightAsync())).Status, Is.EqualTo(201));
            Assert.That((await CheckAsync(_scenario.Site(), await RightAsync())).Status, Is.EqualTo(200));
            Assert.That((await RedeemAsync(_scenario.Site(), wrong)).Status, Is.EqualTo(404), "its share of wrong codes");
        }

        Assert.That((await RedeemAsync(_scenario.Site(), await RightAsync())).Status, Is.EqualTo(429), "three wrong codes are a guesser's");
        Assert.That((await CheckAsync(_scenario.Agent(), await RightAsync())).Status, Is.EqualTo(200), "the agent's point is another place");
    }

    [Test]
    public async Task Every_route_that_takes_a_code_counts_in_the_same_place()
    {
        var (right, wrong) = (await RightAsync(), await ForgedAsync());
        var routes = SiteRoutes();
        for (var i = 0; i < PerSite; i++)
        {
            var (route, client, body) = routes[i % routes.Count];
            Assert.That((await client.PostAsync(route, body(wrong))).Status, Is.EqualTo(404), route);
        }

        foreach (var (route, client, body) in routes)
        {
            var answer = await client.PostAsync(route, body(right));
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((429, "guesses-too-many")), route);
        }
    }

    [Test]
    public async Task Typing_errors_and_specimens_are_no_guesses()
    {
        var right = await RightAsync();
        var specimen = VoucherCode.Compose(Keys.Derive(0, KeyLabel.Code), 0, 1, new byte[VoucherCode.SaltBytes]);
        for (var i = 0; i < 2 * PerAddress; i++)
        {
            Assert.That((await CheckAsync(_scenario.Site(), right[1..] + right[0])).Status, Is.EqualTo(400));
            Assert.That((await CheckAsync(_scenario.Site(), specimen)).Problem, Is.EqualTo("voucher-specimen"));
        }

        Assert.That((await CheckAsync(_scenario.Site(), right)).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_site_that_waits_still_learns_that_its_redemption_was_recorded()
    {
        var body = Redemption(await RightAsync());
        var first = await _scenario.Site().PostAsync("redemptions", body);
        var wrong = await ForgedAsync();
        for (var i = 0; i < PerSite; i++) await CheckAsync(_scenario.Site(), wrong);
        Assert.That((await CheckAsync(_scenario.Site(), wrong)).Status, Is.EqualTo(429));
        var again = await _scenario.Site().PostAsync("redemptions", body);
        Assert.That((again.Status, again.Body, again.Replayed), Is.EqualTo((201, first.Body, true)), again.ToString());
    }

    [Test]
    public async Task Of_many_guesses_at_once_ten_are_told()
    {
        var wrong = await ForgedAsync();
        using var site = _scenario.Site();
        await CheckAsync(site, wrong);
        NextMinute();
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => CheckAsync(site, wrong)));
        Assert.That(answers.Count(a => a.Status == 404), Is.EqualTo(PerSite));
        Assert.That(answers.Count(a => a.Status == 429), Is.EqualTo(40 - PerSite));
    }

    [Test]
    public async Task Several_codes_in_one_request_are_one_guess()
    {
        var codes = new[] { await RightAsync(), await ForgedAsync(), await ForgedAsync() };
        for (var i = 0; i < PerSite; i++)
        {
            var answer = await _scenario.Site().PostAsync("redemptions", new
            {
                operationId = Guid.NewGuid(),
                codes,
                service = Service,
                activity = new { kind = "individuel", durationMinutes = 60 },
            });
            Assert.That(answer.Status, Is.EqualTo(404), "it tells of the first wrong one, and of no other");
        }

        Assert.That((await CheckAsync(_scenario.Site(), codes[0])).Status, Is.EqualTo(429));
    }

    [Test]
    public async Task The_scanner_page_says_how_long_to_wait()
    {
        using var browser = new Browser(_service);
        var structure = (await _service.QueryAsync<string>(
            "SELECT organisation_id FROM sites WHERE id = @Id", new { Id = _scenario.SiteId })).Single();
        await browser.SignInAsync(await People.AddAsync(_service, structure, "site", _scenario.SiteId), People.Password);
        var wrong = await ForgedAsync();
        for (var i = 0; i < PerSite; i++) await CheckAsync(_scenario.Site(), wrong);
        foreach (var action in new[] { "verifier", "utiliser" })
        {
            var page = await browser.SubmitAsync(await browser.OpenAsync("/scanner"), "/scanner", new Dictionary<string, string>
            {
                ["action"] = action,
                ["codes"] = await RightAsync(),
                ["service"] = Service,
            });
            Assert.That((page.Status, page.RefusalCode), Is.EqualTo((429, "guesses-too-many")), action);
            Assert.That(page.Response.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(60)));
            Assert.That(page.Text, Does.Contain("Attendez 60 secondes"));
            Rgaa.Check(page);
        }
    }

    private KeyRing Keys => _service.Services.GetRequiredService<KeyRing>();

    private List<(string Route, HttpClient Client, Func<string, object> Body)> SiteRoutes()
    {
        var site = _scenario.Site();
        return [("redemptions", site, Redemption), ("vouchers/check", site, Check), ("assessments", site, Assessment)];
    }

    private async Task<List<(string What, string Code)>> WrongCodesAsync()
    {
        var right = await RightAsync();
        _ = VoucherCode.TryRead(right, out var code, out _);
        var (salt, foreign) = (new byte[VoucherCode.SaltBytes], new byte[VoucherCode.KeyBytes]);
        var key = Keys.Derive(1, KeyLabel.Code).ToArray();
        return
        [
            ("an order's serial, another tag", CutTag.Forge(right)),
            ("a serial of nobody", VoucherCode.Compose(key, 1, 4_000_000_000, salt)),
            ("the last serial", VoucherCode.Compose(key, 1, VoucherCode.SerialMax, salt)),
            ("serial 0", VoucherCode.Compose(key, 1, 0, salt)),
            ("a key version of nobody", VoucherCode.Compose(foreign, 5, code.Serial, salt)),
            ("a serial and a key version of nobody", VoucherCode.Compose(foreign, 7, 4_000_000_000, salt)),
            ("another house's key", VoucherCode.Compose(foreign, 1, code.Serial, salt)),
        ];
    }

    private Task<string> RightAsync() => _scenario.CodeAsync(_scenario.FirstSerial + _used++);

    private async Task<string> ForgedAsync() => CutTag.Forge(await RightAsync());

    private static Task<Answer> RedeemAsync(HttpClient client, string code) => client.PostAsync("redemptions", Redemption(code));

    private static Task<Answer> CheckAsync(HttpClient client, string code) => client.PostAsync("vouchers/check", Check(code));

    private static object Check(string code) => new { code };

    private static object Redemption(string code) => new
    {
        operationId = Guid.NewGuid(),
        code,
        service = Service,
        activity = new { kind = "individuel", durationMinutes = 60 },
    };

    private static object Assessment(string code) => new
    {
        code,
        instrument = "abc-pix",
        version = "1",
        phase = "t1",
        score = 3,
        maxScore = 5,
        mode = "assisted",
        takenOn = Scenario.Today,
    };
}
