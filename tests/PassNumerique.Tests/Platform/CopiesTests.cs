using System.Net;
using AngleSharp;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform;

/// <summary>
/// Copies of the service on one server, each a process of its own, behind nothing but luck: any of them answers
/// any request.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Server))]
internal sealed class CopiesTests(string engine)
{
    private const int Clients = 64;
    private readonly TestFolder _folder = new();
    private Scenario _scenario = null!;
    private TestService _service = null!;
    private ServiceProcess[] _copies = [];

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, folder: _folder.Data);
        _scenario = await Scenario.CreateAsync(_service, booklets: 20);
        var connection = TestServer.For(_folder.Data);
        var starting = Enumerable.Range(0, 2).Select(_ => ServiceProcess.StartAsync(_folder.Data, connection)).ToList();
        try
        {
            _copies = await Task.WhenAll(starting);
        }
        catch
        {
            foreach (var copy in starting.Where(s => s.IsCompletedSuccessfully)) (await copy).Dispose();
            throw;
        }
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        foreach (var copy in _copies) copy.Dispose();
        await _service.DisposeAsync();
        await TestServer.DropAsync(_folder.Data);
        _folder.Dispose();
    }

    [Test]
    public async Task A_voucher_is_spent_once_when_64_clients_scan_it_at_two_copies()
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
            Assert.That(await EntriesAsync(serial), Has.Count.EqualTo(1));
        }
    }

    [Test]
    public async Task One_operation_repeated_at_two_copies_is_one_row_and_one_answer()
    {
        var serial = _scenario.FirstSerial + 10;
        var body = await _scenario.RedemptionAsync(serial);
        var answers = await AtOnceAsync([.. Enumerable.Repeat(body, Clients)]);
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(201));
        Assert.That(answers.Select(a => a.Body).Distinct().Count(), Is.EqualTo(1));
        Assert.That(answers.Count(a => !a.Replayed), Is.EqualTo(1));
        Assert.That(await EntriesAsync(serial), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_session_opened_at_one_copy_works_its_forms_at_the_other()
    {
        var login = await People.AddAsync(_service, _scenario.AuthorityId, "authority");
        var jar = new CookieContainer();
        using var client = new HttpClient(new HttpClientHandler { CookieContainer = jar, AllowAutoRedirect = true });
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var signIn = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["login"] = login,
            ["password"] = People.Password,
        });
        await client.PostAsync(_copies[0].Address + "/connexion", signIn);
        foreach (Cookie cookie in jar.GetCookies(new Uri(_copies[0].Address)))
            jar.Add(new Uri(_copies[1].Address), new Cookie(cookie.Name, cookie.Value));

        var page = await client.GetStringAsync(_copies[1].Address + "/commandes");
        var document = await BrowsingContext.New(Configuration.Default).OpenAsync(r => r.Content(page));
        var token = document.QuerySelector("form[action='/deconnexion'] input[name='_antiforgery']")!.GetAttribute("value")!;
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["_antiforgery"] = token });
        var left = await client.PostAsync(_copies[0].Address + "/deconnexion", form);
        Assert.That(left.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        var after = await client.GetAsync(_copies[0].Address + "/commandes");
        Assert.That(after.RequestMessage!.RequestUri!.AbsolutePath, Is.EqualTo("/connexion"));
    }

    [Test]
    public async Task All_copies_together_seal_each_fact_once()
    {
        for (var i = 0; i < 20; i++)
        {
            using var client = _copies[i % 2].Client(_scenario.SiteKey);
            Scenario.Ok(await client.PostAsync("redemptions", await _scenario.RedemptionAsync(_scenario.FirstSerial + 40 + i)));
        }

        await _service.SealAsync();
        var seals = await _service.QueryAsync<long>("SELECT batch FROM seals ORDER BY batch");
        Assert.That(seals, Is.EqualTo(Enumerable.Range(1, seals.Count).Select(b => (long)b)), "a batch is missing");
        var open = await _service.QueryAsync<long>("SELECT serial FROM voucher_entries WHERE batch IS NULL");
        Assert.That(open, Is.Empty);
        var verify = await ServiceProcess.RunOnAsync(_folder.Data, TestServer.For(_folder.Data), "verify");
        Assert.That(verify.Code, Is.Zero, verify.Output);
    }

    private Task<IReadOnlyList<long>> EntriesAsync(long serial) => _service.QueryAsync<long>(
        "SELECT part FROM voucher_entries WHERE serial = @S", new { S = serial });

    private async Task<Answer[]> AtOnceAsync(List<object> bodies)
    {
        var clients = _copies.Select(c => c.Client(_scenario.SiteKey)).ToArray();
        var gate = new TaskCompletionSource();
        var calls = bodies.Select(async (body, i) =>
        {
            await gate.Task;
            return await clients[i % clients.Length].PostUntilTakenAsync("redemptions", body);
        }).ToList();
        gate.SetResult();
        var answers = await Task.WhenAll(calls);
        foreach (var client in clients) client.Dispose();
        return answers;
    }
}
