using System.Text.Json;
using NUnit.Framework;

namespace PassNumerique.Tests.Sites;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class SitesTests(string engine)
{
    private TestService _service = null!;
    private Scene _scene = null!;
    private string _structureId = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scene = new Scene(_service);
        _structureId = await _scene.OrganisationAsync("structure");
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task The_operator_opens_a_site_and_everybody_finds_it()
    {
        var made = await _scene.Operator.PostAsync("sites", new
        {
            organisationId = _structureId.ToUpperInvariant(),
            name = "La Fabrique",
            address = "3 rue du Numérique",
            postcode = "23000",
            commune = "23096",
            services = new[] { "Accès internet et matériel informatique" },
            phone = "+33 5 55 51 00 00",
            hours = "Mo-Fr 09:00-12:00",
        });
        Assert.That((made.Status, made["communeName"].GetString(), made["label"].GetString()),
            Is.EqualTo((201, "Guéret", "none")), made.ToString());
        var agent = await _scene.ClientAsync("agent");
        Assert.That((await agent.ReadAsync($"sites/{made.Id}")).Body, Is.EqualTo(made.Body));
        var found = await _service.Client().ReadAsync("sites?commune=23096&limit=200");
        Assert.That(Ids(found), Does.Contain(made.Id));
    }

    [Test]
    public async Task Sql_and_html_are_only_text()
    {
        const string name = "x'); DELETE FROM sites;-- <b onclick=\"a()\">&amp;</b>";
        var id = await _scene.SiteAsync(_structureId, name);
        Assert.That((await _scene.Operator.ReadAsync($"sites/{id}"))["name"].GetString(), Is.EqualTo(name));
    }

    [Test]
    public async Task Every_mistake_is_told_at_once()
    {
        var answer = await _scene.Operator.PostAsync("sites", new
        {
            organisationId = "12",
            name = "",
            address = "a\u0000b",
            postcode = "2300A",
            commune = "23999",
            services = new[] { "Coiffure", null, "Coiffure" },
            phone = "appelez-nous",
            hours = new string('x', 401),
        });
        Assert.That(answer.Status, Is.EqualTo(400));
        var errors = answer["errors"].EnumerateObject().Select(e => e.Name).ToList();
        Assert.That(errors, Is.EquivalentTo(new[]
        {
            "organisationId", "name", "address", "postcode", "commune", "services", "services[0]",
                "services[1]",
            "services[2]", "phone", "hours",
        }), answer.Body);
        Assert.That(answer["errors"].GetProperty("commune")[0].GetString(),
            Does.StartWith("Cette commune n'existe pas"));
    }

    [Test]
    public async Task Wrong_types_and_unknown_members_are_told_by_name()
    {
        var answer = await _scene.Operator.PostTextAsync("sites",
            """
            {"organisationId":1,"name":"x","address":"y","postcode":23000,"commune":"23096","services":"tous",
             "iban":"FR"}
            """);
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "organisationId", "postcode", "services", "iban" }), answer.Body);
    }

    [Test]
    public async Task A_site_belongs_to_a_structure()
    {
        var authorityId = await _scene.OrganisationAsync("authority");
        foreach (var id in new[] { authorityId, Guid.NewGuid().ToString() })
        {
            var answer = await _scene.Operator.PostAsync("sites", Scene.SiteBody(id, "Nulle part"));
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "structure-unknown")));
        }
    }

    [Test]
    public async Task Nobody_but_the_operator_opens_a_site()
    {
        var site = await _scene.ClientAsync("site");
        Assert.That((await site.PostAsync("sites", Scene.SiteBody(_structureId, "À moi"))).Problem,
            Is.EqualTo("not-allowed"));
        Assert.That((await _service.Client().ReadAsync($"sites/{Guid.NewGuid()}")).Problem,
            Is.EqualTo("sign-in-needed"));
        Assert.That((await site.ReadAsync($"sites/{Guid.NewGuid()}")).Problem, Is.EqualTo("not-found"));
    }

    [Test]
    public async Task A_city_is_searched_with_its_arrondissements()
    {
        var first = await _scene.SiteAsync(_structureId, "Lyon 1", "69381");
        var ninth = await _scene.SiteAsync(_structureId, "Lyon 9", "69389");
        var city = await _service.Client().ReadAsync("sites?commune=69123");
        var one = await _service.Client().ReadAsync("sites?commune=69381");
        Assert.That(Ids(city), Is.EquivalentTo(new[] { first, ninth }));
        Assert.That(Ids(one), Is.EqualTo(new[] { first }));
    }

    [Test]
    public async Task A_search_by_service_goes_page_by_page_and_misses_nothing()
    {
        const string service = "Parentalité et éducation avec le numérique";
        var expected = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            await _scene.SiteAsync(_structureId, $"Sans {i}", "2A004");
            expected.Add(await _scene.MadeAsync("sites", new
            {
                organisationId = _structureId,
                name = $"Avec {i}",
                address = "1 cours Napoléon",
                postcode = "20000",
                commune = "2A004",
                services = new[] { "Loisirs et créations numériques", service },
            }));
        }

        var (seen, after) = (new List<string>(), "");
        do
        {
            var page = await _service.Client()
                .ReadAsync($"sites?limit=2&service={Uri.EscapeDataString(service)}{after}");
            seen.AddRange(Ids(page));
            after = page["next"].GetString() is { } next ? "&after=" + next : "";
        }
        while (after.Length > 0);
        Assert.That(seen, Is.EqualTo(expected.Order(StringComparer.Ordinal)), "two of one millisecond in the order of their ids");
    }

    [Test]
    public async Task A_filter_that_is_none_is_told()
    {
        Assert.That((await _service.Client().ReadAsync("sites?service=Coiffure")).Status, Is.EqualTo(400));
        Assert.That((await _service.Client().ReadAsync("sites?commune=99999")).Status, Is.EqualTo(400));
        Assert.That((await _service.Client().ReadAsync("sites?limit=201")).Status, Is.EqualTo(400));
    }

    private static IReadOnlyList<string> Ids(Answer page) =>
        [.. page["items"].EnumerateArray().Select(s => s.GetProperty("id").GetString()!)];
}
