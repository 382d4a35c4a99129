using System.Net;
using AngleSharp;
using NUnit.Framework;
using PassNumerique.Tests.Redemption;

namespace PassNumerique.Tests.Platform;

/// <summary>
/// Copies of the service on one server, each a process of its own, behind nothing but luck: any of them answers
/// any request.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Server))]
internal sealed class CopiesTests(string engine)
{
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
        var clients = Clients();
        for (var round = 0; round < 5; round++)
            await DoubleSpend.IsSpentOnceAsync(_service, _scenario, _scenario.FirstSerial + round, clients);
    }

    [Test]
    public async Task One_operation_repeated_at_two_copies_is_one_row_and_one_answer() =>
        await DoubleSpend.IsRecordedOnceAsync(_service, _scenario, _scenario.FirstSerial + 10, Clients());

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

    private HttpClient[] Clients() => [.. _copies.Select(c => c.Client(_scenario.SiteKey))];
}
