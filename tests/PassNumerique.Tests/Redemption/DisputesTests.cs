using System.Text.Json;
using NUnit.Framework;
using PassNumerique.Access;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Redemption;

/// <summary>Above the guarantee somebody decides, once; after the deadline silence means yes.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class DisputesTests(string engine)
{
    private static readonly object Paid = new { decision = "paid", reason = "feuille d'émargement fournie" };
    private static readonly object Rejected = new { decision = "rejected", reason = "personne inconnue du lieu" };
    private readonly ManualClock _clock = new(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
    private TestService _service = null!;
    private HttpClient _state = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, _clock);
        var state = await _service.SendAsync(new CreateOrganisation.Command("state", "État d'essai"));
        var key = await _service.SendAsync(new CreateApiKey.Command(state.Value!.Id, "state", "essai"));
        _state = _service.Client(key.Value!.ApiKey);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _state.Dispose();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task A_dispute_is_seen_by_its_site_its_authority_and_the_overseers()
    {
        var (offline, id) = await DisputedAsync();
        var scenario = offline.Scenario;
        var (_, strangers) = await scenario.SiteAsync("Lieu étranger", "51454");
        foreach (var reader in new[] { scenario.Site(), scenario.Authority(), _service.Operator(), _state })
        {
            var one = await reader.ReadAsync($"disputes/{id}");
            Assert.That((one.Status, one["status"].GetString(), one["valueCents"].GetInt64(), one["cause"].GetString()),
                Is.EqualTo((200, "open", 1_000L, "funds")), one.ToString());
            var list = await reader.ReadAsync($"disputes?conventionId={scenario.ConventionId}&limit=1");
            Assert.That((list["items"].EnumerateArray().Single().GetProperty("id").GetString(), list["next"].ValueKind),
                Is.EqualTo((id, JsonValueKind.Null)), list.ToString());
        }

        foreach (var stranger in new[] { scenario.OtherSite(), _service.Client(strangers), (await Offline.CreateAsync(_service)).Scenario.Authority() })
        {
            Assert.That((await stranger.ReadAsync($"disputes/{id}")).Problem, Is.EqualTo("not-found"));
            Assert.That((await stranger.PostAsync($"disputes/{id}/settlement", Paid)).Problem, Is.EqualTo("not-found"));
            Assert.That((await stranger.ReadAsync("disputes"))["items"].GetArrayLength(), Is.Zero);
        }

        Assert.That((await scenario.Site().ReadAsync("disputes?after=x")).Status, Is.EqualTo(400));
        Assert.That((await scenario.Site().ReadAsync($"disputes/{Guid.NewGuid()}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await scenario.Agent().ReadAsync("disputes")).Problem, Is.EqualTo("not-allowed"));
    }

    [Test]
    public async Task The_authority_rejects_and_nothing_is_owed()
    {
        var (offline, id) = await DisputedAsync();
        var committed = await offline.CommittedAsync();
        var settled = await offline.Scenario.Authority().PostAsync($"disputes/{id}/settlement", Rejected);
        Assert.That((settled.Status, settled["decision"].GetString(), settled["paidInMonth"].ValueKind),
            Is.EqualTo((201, "rejected", JsonValueKind.Null)), settled.ToString());
        var read = await offline.Scenario.Site().ReadAsync($"disputes/{id}");
        Assert.That((read["status"].GetString(), read["reason"].GetString()),
            Is.EqualTo(("rejected", "personne inconnue du lieu")), read.ToString());
        Assert.That(await offline.CommittedAsync(), Is.EqualTo(committed));
        var again = await offline.Scenario.Authority().PostAsync($"disputes/{id}/settlement", Paid);
        Assert.That((again.Problem, again["decision"].GetString()), Is.EqualTo(("dispute-already-settled", "rejected")));
    }

    [Test]
    public async Task A_dispute_is_paid_when_there_is_money_for_it()
    {
        var (offline, id) = await DisputedAsync();
        var scenario = offline.Scenario;
        Assert.That((await scenario.Authority().PostAsync($"disputes/{id}/settlement", Paid)).Problem,
            Is.EqualTo("guarantee-funds-missing"));
        Assert.That((await scenario.Site().ReadAsync($"disputes/{id}"))["status"].GetString(), Is.EqualTo("open"));
        await scenario.FundAsync(1_000);
        var committed = await offline.CommittedAsync();
        var settled = await scenario.Authority().PostAsync($"disputes/{id}/settlement", Paid);
        Assert.That((settled.Status, settled["valueCents"].GetInt64()), Is.EqualTo((201, 1_000L)), settled.ToString());
        Assert.That(await offline.CommittedAsync(), Is.EqualTo(committed + 1_000));
        var guarantee = await scenario.Site().ReadAsync($"guarantees/{id}");
        Assert.That((guarantee["ground"].GetString(), guarantee["ordinal"].GetInt64(), guarantee["status"].GetString()),
            Is.EqualTo(("settlement", 1L, "owed")), guarantee.ToString());
        Assert.That((await scenario.Site().ReadAsync($"disputes/{id}"))["status"].GetString(), Is.EqualTo("paid"));
    }

    [Test]
    public async Task Nobody_judges_his_own_case()
    {
        var (offline, id) = await DisputedAsync();
        var path = $"disputes/{id}/settlement";
        foreach (var party in new[] { offline.Scenario.Site(), _service.Operator() })
            Assert.That((await party.PostAsync(path, Paid)).Problem, Is.EqualTo("not-the-judge"));

        // A collectivité that runs the site itself: another organisation of the same SIRET.
        var siret = (await _service.QueryAsync<string>(
            "SELECT siret FROM organisations WHERE id = @Id", new { Id = offline.Scenario.AuthorityId })).Single();
        var own = await SiteOfAsync(siret, offline);
        var line = (await own.SyncAsync(await offline.OperationAsync(await offline.SpentAsync()))).Results()[0];
        var ownPath = $"disputes/{line.GetProperty("disputes")[0].GetProperty("id").GetString()}/settlement";
        Assert.That((await offline.Scenario.Authority().PostAsync(ownPath, Rejected)).Problem, Is.EqualTo("not-the-judge"));
        Assert.That((await _state.PostAsync(ownPath, Rejected)).Status, Is.EqualTo(201));
        Assert.That((await offline.Scenario.Authority().PostAsync(path, Rejected)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task After_the_deadline_it_is_accepted_and_the_site_asks_for_its_payment()
    {
        var (offline, id) = await DisputedAsync();
        await offline.Scenario.FundAsync(1_000);
        var path = $"disputes/{id}/settlement";
        var deadline = (await offline.Scenario.Site().ReadAsync($"disputes/{id}"))["deadline"].GetDateTimeOffset();
        Assert.That(deadline.ToUnixTimeMilliseconds(), Is.EqualTo(
            Clock.ParisMidnightMs(Clock.ParisDay(_clock.NowMs) + 31)), "30 whole days, to the end of the last one");
        _clock.NowMs = deadline.ToUnixTimeMilliseconds() - 1;
        Assert.That((await offline.Scenario.Site().PostAsync(path, Paid)).Problem, Is.EqualTo("not-the-judge"));
        _clock.NowMs = deadline.ToUnixTimeMilliseconds();
        Assert.That((await offline.Scenario.Site().ReadAsync($"disputes/{id}"))["status"].GetString(), Is.EqualTo("accepted"));
        Assert.That((await offline.Scenario.Authority().PostAsync(path, Rejected)).Problem, Is.EqualTo("dispute-deadline-passed"));
        var paid = await offline.Scenario.Site().PostAsync(path, Paid);
        Assert.That(paid.Status, Is.EqualTo(201), paid.ToString());
    }

    [Test]
    public async Task A_dispute_is_decided_once_by_two_at_once()
    {
        for (var round = 0; round < 3; round++)
        {
            var (offline, id) = await DisputedAsync();
            await offline.Scenario.FundAsync(1_000);
            var path = $"disputes/{id}/settlement";
            using var authority = offline.Scenario.Authority();
            var answers = await Task.WhenAll(
                Task.Run(() => authority.PostUntilTakenAsync(path, Paid)), Task.Run(() => _state.PostUntilTakenAsync(path, Rejected)));
            Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1), string.Join('\n', answers.AsEnumerable()));
            Assert.That(answers.Single(a => a.Status != 201).Problem, Is.EqualTo("dispute-already-settled"));
        }
    }

    [TestCase("""{"decision":"perhaps","reason":"x"}""", "decision")]
    [TestCase("""{"decision":"paid","reason":" "}""", "reason")]
    [TestCase("""{"reason":"x"}""", "decision")]
    [TestCase("""{"decision":null,"reason":"x"}""", "decision")]
    public async Task A_decision_without_sense_is_told(string body, string member)
    {
        var answer = await _state.PostTextAsync($"disputes/{Guid.NewGuid()}/settlement", body);
        Assert.That((answer.Status, answer["errors"].EnumerateObject().Single().Name), Is.EqualTo((400, member)), answer.ToString());
    }

    /// <summary>A convention without money, and the dispute of its first site.</summary>
    private async Task<(Offline Offline, string Id)> DisputedAsync()
    {
        var offline = await Offline.CreateAsync(_service, uncommittedCents: 0, booklets: 2);
        var line = await offline.SecondAsync(offline.Scenario.Site());
        Assert.That(line.Outcome(), Is.EqualTo("disputed"), line.ToString());
        return (offline, line.GetProperty("disputes")[0].GetProperty("id").GetString()!);
    }

    private async Task<HttpClient> SiteOfAsync(string siret, Offline offline)
    {
        var structure = Scenario.Ok(await _service.Operator().PostAsync(
            "organisations", new { kind = "structure", name = "Régie", siret })).Id;
        var site = Scenario.Ok(await _service.Operator().PostAsync("sites", new
        {
            organisationId = structure,
            name = "Espace en régie",
            address = "2 rue de l'Essai",
            postcode = "51100",
            commune = "51454",
            services = new[] { "Maîtrise des outils numériques du quotidien" },
        })).Id;
        Scenario.Ok(await _service.Operator().PostAsync($"sites/{site}/label",
            new { status = "labelled", from = Scenario.Today.AddDays(-20), reason = "dossier complet" }));
        var key = Scenario.Ok(await _service.Operator().PostAsync("api-keys",
            new { organisationId = structure, role = "site", label = "tablette", placeId = site }));
        return offline.Scenario.Service.Client(key["apiKey"].GetString());
    }
}
