using NUnit.Framework;

namespace PassNumerique.Tests.Sites;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class WorkshopsTests(string engine)
{
    private const string Service = "Maîtrise des outils numériques du quotidien";

    private TestService _service = null!;
    private Scene _scene = null!;
    private string _structureId = "";
    private string _siteId = "";
    private HttpClient _site = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scene = new Scene(_service);
        _structureId = await _scene.OrganisationAsync("structure");
        _siteId = await _scene.SiteAsync(_structureId);
        _site = await _scene.ClientAsync("site", _structureId, _siteId);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_site_of_one_place_need_not_name_it()
    {
        var made = await _site.PostAsync("workshops",
            new { on = "2026-03-04", service = Service, durationMinutes = 120, title = "Premiers pas <1>" });
        Assert.That((made.Status, made["siteId"].GetString()), Is.EqualTo((201, _siteId)), made.ToString());
        Assert.That((await _site.ReadAsync($"workshops/{made.Id}")).Body, Is.EqualTo(made.Body));
        var list = await _scene.Operator.ReadAsync($"workshops?siteId={_siteId}");
        Assert.That(list["items"].EnumerateArray().Select(w => w.GetProperty("id").GetString()),
            Does.Contain(made.Id));
    }

    [Test]
    public async Task Every_mistake_is_told_at_once()
    {
        var answer = await _site.PostAsync("workshops",
            new
            {
                siteId = "x",
                on = "0026-03-04",
                service = "Coiffure",
                durationMinutes = 0,
                title = new string('x', 201)
            });
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "siteId", "on", "service", "durationMinutes", "title" }), answer.Body);
        var decimals = await _site.PostTextAsync("workshops",
            """{"on":"2026-03-04","service":"Coiffure","durationMinutes":"60"}""");
        Assert.That((decimals.Status, decimals["errors"].TryGetProperty("durationMinutes", out _)),
            Is.EqualTo((400, true)));
    }

    [Test]
    public async Task A_workshop_of_another_place_is_refused_and_hidden()
    {
        var other = await _scene.SiteAsync(_structureId);
        var colleague = await _scene.ClientAsync("site", _structureId, other);
        var refused = await colleague.PostAsync("workshops",
            new { siteId = _siteId, on = "2026-03-04", service = Service, durationMinutes = 60 });
        Assert.That((refused.Status, refused.Problem), Is.EqualTo((404, "site-unknown")));
        var made = await _site.PostAsync("workshops",
            new { on = "2026-03-05", service = Service, durationMinutes = 60 });
        Assert.That((await colleague.ReadAsync($"workshops/{made.Id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await colleague.ReadAsync("workshops"))["items"].GetArrayLength(), Is.Zero);
        var stranger = await _scene.ClientAsync("site");
        Assert.That((await stranger.ReadAsync($"workshops/{made.Id}")).Problem, Is.EqualTo("not-found"));
    }

    [Test]
    public async Task Only_a_site_holds_workshops()
    {
        var answer = await _scene.Operator.PostAsync("workshops",
            new { siteId = _siteId, on = "2026-03-04", service = Service, durationMinutes = 60 });
        Assert.That(answer.Problem, Is.EqualTo("not-allowed"));
    }
}
