using System.Net;
using NUnit.Framework;
using PassNumerique.Access;
using PassNumerique.Platform;
using PassNumerique.Tests.Platform.Web;

namespace PassNumerique.Tests.Access;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class SignInTests(string engine)
{
    private TestService _service = null!;
    private string _organisation = "";

    [SetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        var answer = await _service.Operator().PostAsync("organisations", new { kind = "state", name = "Préfecture <d'essai>" });
        _organisation = answer.Id;
    }

    [TearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_person_signs_in_sees_who_they_are_and_signs_out()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        using var browser = new Browser(_service);
        var home = await browser.SignInAsync(login, People.Password);
        Assert.That(home.Text, Does.Contain("Camille state Préfecture <d'essai>"));
        Assert.That(home.Html, Does.Not.Contain("<d'essai>"));
        Rgaa.Check(home);

        var cookie = browser.Cookies.GetAllCookies().Single(c => c.Name == Gate.CookieName);
        Assert.That((cookie.HttpOnly, cookie.Value.Length), Is.EqualTo((true, 43)));
        var kept = await _service.QueryAsync<string>("SELECT token_hash FROM web_sessions");
        Assert.That(kept.Single(), Is.Not.EqualTo(cookie.Value));

        var left = await browser.SubmitAsync(home, "/deconnexion");
        Assert.That(left.Document.QuerySelector("header a[href='/connexion']"), Is.Not.Null);
        Assert.That(await _service.QueryAsync<string>("SELECT token_hash FROM web_sessions"), Is.Empty);
    }

    [Test]
    public async Task A_copied_cookie_opens_nothing_after_signing_out()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        using var browser = new Browser(_service);
        var home = await browser.SignInAsync(login, People.Password);
        using var thief = new Browser(_service);
        thief.Cookies.SetCookies(new Uri(_service.Address), browser.Cookies.GetCookieHeader(new Uri(_service.Address)));
        Assert.That((await thief.OpenAsync("/")).Text, Does.Contain("Se déconnecter"));
        await browser.SubmitAsync(home, "/deconnexion");
        Assert.That((await thief.OpenAsync("/")).Text, Does.Not.Contain("Se déconnecter"));
    }

    [Test]
    public async Task A_wrong_password_and_an_unknown_login_get_the_same_answer()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        using var browser = new Browser(_service);
        var wrong = await browser.SignInAsync(login, "pas le bon mot");
        var unknown = await browser.SignInAsync("personne", "pas le bon mot");
        Assert.That((wrong.Status, wrong.RefusalCode), Is.EqualTo((401, "sign-in-wrong")));
        Assert.That((unknown.Status, unknown.RefusalCode), Is.EqualTo((401, "sign-in-wrong")));
        Assert.That(wrong.Document.QuerySelector("input[name=login]")!.GetAttribute("value"), Is.EqualTo(login), "nothing typed is lost");
        Assert.That(wrong.Document.QuerySelector("input[name=password]")!.HasAttribute("value"), Is.False, "but the password");
        Rgaa.Check(wrong);
    }

    [Test]
    public async Task The_sixth_try_within_a_minute_waits_even_with_the_right_password()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        using var browser = new Browser(_service);
        for (var i = 0; i < BeginSignIn.MaxPerMinute; i++)
            Assert.That((await browser.SignInAsync(login, $"essai {i} essai")).Status, Is.EqualTo(401));
        var sixth = await browser.SignInAsync(login, People.Password);
        Assert.That((sixth.Status, sixth.RefusalCode), Is.EqualTo((429, "sign-in-too-many")));
        Assert.That(sixth.Response.Headers.RetryAfter?.ToString(), Is.EqualTo("60"));
    }

    [Test]
    public async Task Of_many_tries_at_once_five_get_through()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        var statuses = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            using var browser = new Browser(_service);
            return (await browser.SignInAsync(login, $"essai {i} essai")).Status;
        }));
        Assert.That(statuses.Count(s => s == 401), Is.EqualTo(5), string.Join(", ", statuses));
        Assert.That(statuses.Count(s => s == 429), Is.EqualTo(7), string.Join(", ", statuses));
    }

    [Test]
    public async Task A_form_that_calls_each_try_the_same_operation_is_counted_all_the_same()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        using var browser = new Browser(_service);
        var fields = new Dictionary<string, string>
        {
            ["login"] = login,
            ["password"] = "pas le bon mot",
            ["operationId"] = Guid.NewGuid().ToString(),
        };
        for (var i = 0; i < BeginSignIn.MaxPerMinute; i++)
            Assert.That((await browser.PostAsync("/connexion", fields)).Status, Is.EqualTo(401));
        Assert.That((await browser.PostAsync("/connexion", fields)).Status, Is.EqualTo(429));
    }

    [Test]
    public async Task Copies_of_the_service_count_together()
    {
        await using var other = new OtherCopy(_service);
        for (var i = 0; i < 3; i++) Assert.That((await TryAsync("a", $"{i}")).Refused, Is.Null);
        for (var i = 3; i < 5; i++)
            Assert.That((await other.SendAsync(new BeginSignIn.Command("a", $"{i}"))).Refused, Is.Null);
        Assert.That((await other.SendAsync(new BeginSignIn.Command("a", "9"))).Refused?.Code, Is.EqualTo("sign-in-too-many"));
        Assert.That((await TryAsync("a", "9")).Refused?.Code, Is.EqualTo("sign-in-too-many"));
    }

    [Test]
    public async Task What_an_address_refuses_is_not_counted_for_the_login()
    {
        for (var i = 0; i < BeginSignIn.MaxPerMinute; i++) Assert.That((await TryAsync($"l{i}", "9")).Refused, Is.Null);
        for (var i = 0; i < 20; i++)
            Assert.That((await TryAsync("a", "9")).Refused?.Status, Is.EqualTo(429), "an address, with any login");
        for (var i = 0; i < BeginSignIn.MaxPerMinute; i++)
            Assert.That((await TryAsync("a", $"{i}")).Refused, Is.Null, "the login still has its five");
    }

    private Task<Result<BeginSignIn.Answer>> TryAsync(string login, string address) =>
        _service.SendAsync(new BeginSignIn.Command(login, address));

    [Test]
    public async Task Empty_fields_are_told_beside_each_of_them()
    {
        using var browser = new Browser(_service);
        var page = await browser.SignInAsync("", "");
        Assert.That(page.Status, Is.EqualTo(400));
        var login = page.Document.GetElementById("champ-login")!;
        Assert.That(login.GetAttribute("aria-describedby"), Is.EqualTo("champ-login-erreur"));
        Assert.That(login.GetAttribute("aria-invalid"), Is.EqualTo("true"));
        Assert.That(page.Document.QuerySelectorAll("#erreurs a[href='#champ-password']"), Has.Length.EqualTo(1));
        Assert.That(page.Document.Title, Does.StartWith("Erreur : "));
        Rgaa.Check(page);
    }

    [TestCase("Origin", "https://ailleurs.example")]
    [TestCase("Origin", "null")]
    [TestCase("Sec-Fetch-Site", "cross-site")]
    [TestCase("Sec-Fetch-Site", "same-site")]
    public async Task Another_site_cannot_sign_a_person_in(string header, string value)
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        using var browser = new Browser(_service);
        var page = await browser.PostAsync("/connexion",
            new Dictionary<string, string> { ["login"] = login, ["password"] = People.Password }, (header, value));
        Assert.That(page.Status, Is.EqualTo(403));
        Assert.That(browser.Cookies.Count, Is.Zero);
    }

    [Test]
    public async Task A_form_without_its_token_is_refused_and_changes_nothing()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        using var browser = new Browser(_service);
        await browser.SignInAsync(login, People.Password);
        var page = await browser.PostAsync("/deconnexion", []);
        Assert.That((page.Status, page.Title), Is.EqualTo((401, "Identification nécessaire.")));
        var forged = await browser.PostAsync("/deconnexion", new Dictionary<string, string> { [Gate.AntiforgeryField] = new('0', 64) });
        Assert.That(forged.Status, Is.EqualTo(401));
        Assert.That(await _service.QueryAsync<string>("SELECT token_hash FROM web_sessions"), Has.Count.EqualTo(1));
        Rgaa.Check(page);
    }

    [Test]
    public async Task Somebody_disabled_does_not_sign_in()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        var id = (await _service.QueryAsync<string>("SELECT id FROM members WHERE login = @Login", new { Login = login })).Single();
        using var browser = new Browser(_service);
        var begun = new BeginSignIn.Answer(new('c', 64), new('d', 64));
        var refused = await _service.SendAsync(new SignIn.Command(Guid.NewGuid().ToString(), new('a', 64), begun));
        Assert.That(refused.Refused?.Code, Is.EqualTo("sign-in-wrong"), "a member who is gone by then");
        var known = await _service.SendAsync(new SignIn.Command(id, new('b', 64), begun));
        Assert.That(known.Refused, Is.Null);
    }

    [TestCase("/scanner", "/scanner")]
    [TestCase("/bilans/x?asOf=2026-01-01", "/bilans/x?asOf=2026-01-01")]
    [TestCase("//ailleurs.example", null)]
    [TestCase("/\\ailleurs.example", null)]
    [TestCase("https://ailleurs.example", null)]
    [TestCase("/a\r\nSet-Cookie: x", null)]
    [TestCase("", null)]
    public void Nobody_is_sent_elsewhere_after_signing_in(string asked, string? expected) =>
        Assert.That(SignInPage.LocalPath(asked), Is.EqualTo(expected));

    [Test]
    public async Task The_cookie_stays_on_this_site()
    {
        var login = await People.AddAsync(_service, _organisation, "state");
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(_service.Address) };
        using var content = new FormUrlEncodedContent(
            new Dictionary<string, string> { ["login"] = login, ["password"] = People.Password, ["retour"] = "//ailleurs.example" });
        using var response = await client.PostAsync("/connexion", content);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.SeeOther));
        Assert.That(response.Headers.Location!.OriginalString, Does.Not.Contain("ailleurs"));
        var cookie = response.Headers.GetValues("Set-Cookie").Single();
        Assert.That(cookie, Does.Contain("httponly").And.Contain("samesite=lax").And.Contain("path=/"));
        Assert.That(cookie, Does.Not.Contain("secure"), "the test speaks plain HTTP");
    }
}
