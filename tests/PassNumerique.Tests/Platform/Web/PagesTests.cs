using System.Net;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Web;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class PagesTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [TestCase("/")]
    [TestCase("/connexion")]
    [TestCase("/accessibilite")]
    public async Task A_public_page_is_for_everybody(string path)
    {
        using var browser = new Browser(_service);
        var page = await browser.OpenAsync(path);
        Assert.That(page.Status, Is.EqualTo(200));
        Rgaa.Check(page);
    }

    [Test]
    public async Task An_unknown_address_is_explained_to_a_person()
    {
        using var browser = new Browser(_service);
        var page = await browser.OpenAsync("/nulle-part");
        Assert.That((page.Status, page.Title), Is.EqualTo((404, "Introuvable.")));
        Rgaa.Check(page);
    }

    [Test]
    public async Task A_program_gets_a_problem_at_the_same_address()
    {
        var answer = await _service.Client().ReadAsync(_service.Address + "/nulle-part");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "not-found")));
    }

    [Test]
    public async Task The_api_never_answers_with_a_page()
    {
        using var browser = new Browser(_service);
        var seen = await browser.OpenAsync("/api/v1/organisations/x");
        Assert.That(seen.Response.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
    }

    [Test]
    public async Task A_page_behind_the_gate_asks_to_sign_in_and_comes_back()
    {
        using var browser = new Browser(_service);
        var page = await browser.OpenAsync("/scanner?x=1");
        Assert.That(page.Path, Is.EqualTo("/connexion?retour=%2Fscanner%3Fx%3D1"));
        Assert.That(page.Document.QuerySelector("input[name=retour]")!.GetAttribute("value"), Is.EqualTo("/scanner?x=1"));
    }

    [Test]
    public async Task An_asset_is_kept_for_a_year_under_the_digest_of_its_content()
    {
        using var browser = new Browser(_service);
        var address = (await browser.OpenAsync("/")).Document.QuerySelector("link[rel=stylesheet]")!.GetAttribute("href")!;
        using var client = new HttpClient { BaseAddress = new Uri(_service.Address) };
        using var first = await client.GetAsync(address);
        Assert.That(first.Content.Headers.ContentType?.MediaType, Is.EqualTo("text/css"));
        Assert.That(first.Headers.CacheControl?.ToString(), Is.EqualTo("public, max-age=31536000, immutable"));

        using var again = new HttpRequestMessage(HttpMethod.Get, address);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await client.SendAsync(again);
        Assert.That(second.StatusCode, Is.EqualTo(HttpStatusCode.NotModified));
        using var bare = await client.GetAsync(address.Split('?')[0]);
        Assert.That(bare.Headers.CacheControl?.ToString(), Is.EqualTo("no-cache"));
    }

    [Test]
    public async Task An_unknown_asset_is_not_found()
    {
        var answer = await _service.Client().ReadAsync(_service.Address + "/assets/autre.css");
        Assert.That(answer.Problem, Is.EqualTo("not-found"));
    }

    [Test]
    public async Task A_form_address_takes_forms_only()
    {
        var answer = await _service.Client().PostTextAsync(_service.Address + "/connexion", "{}");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((415, "not-form")));
    }
}
