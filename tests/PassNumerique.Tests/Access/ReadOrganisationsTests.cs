using NUnit.Framework;

namespace PassNumerique.Tests.Access;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ReadOrganisationsTests(string engine)
{
    private TestService _service = null!;
    private Scene _scene = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scene = new Scene(_service);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_hub_and_a_structure_are_organisations_of_that_kind()
    {
        var hub = await _scene.Operator.PostAsync("hubs", new { name = "Hub des Monts" });
        var structure = await _scene.Operator.PostAsync("structures",
            new { name = "La Souris", siret = Scene.NextSiret() });
        Assert.That((hub.Status, hub["kind"].GetString()), Is.EqualTo((201, "hub")));
        Assert.That((structure.Status, structure["kind"].GetString()), Is.EqualTo((201, "structure")));
        Assert.That((await _scene.Operator.ReadAsync($"hubs/{hub.Id}")).Body, Is.EqualTo(hub.Body));
        Assert.That((await _scene.Operator.ReadAsync($"organisations/{structure.Id}")).Body,
            Is.EqualTo(structure.Body));
        Assert.That((await _scene.Operator.ReadAsync($"structures/{hub.Id}")).Problem,
            Is.EqualTo("not-found"));
    }

    [Test]
    public async Task A_structure_needs_a_siret_that_passes_its_check()
    {
        var missing = await _scene.Operator.PostAsync("structures", new { name = "La Souris" });
        var wrong = await _scene.Operator.PostAsync("structures",
            new { name = "La Souris", siret = "43493312300028" });
        var kind = await _scene.Operator.PostAsync("hubs", new { kind = "operator", name = "Hub" });
        Assert.That((missing.Status, wrong.Status, kind.Status), Is.EqualTo((400, 400, 400)));
        Assert.That(wrong["errors"].TryGetProperty("siret", out _), wrong.Body);
        Assert.That(kind["errors"].TryGetProperty("kind", out _), kind.Body);
    }

    [Test]
    public async Task Sql_and_html_in_a_name_are_only_text()
    {
        const string name = "Robert'); DROP TABLE organisations;-- <script>alert(1)</script> & « Ça »";
        var made = await _scene.Operator.PostAsync("hubs", new { name });
        var read = await _scene.Operator.ReadAsync($"hubs/{made.Id}");
        Assert.That(read["name"].GetString(), Is.EqualTo(name));
    }

    [Test]
    public async Task An_authority_sees_itself_only_and_a_state_all()
    {
        var (mine, other) = (await _scene.OrganisationAsync("authority"),
            await _scene.OrganisationAsync("authority"));
        var authority = await _scene.ClientAsync("authority", mine);
        var list = await authority.ReadAsync("organisations");
        Assert.That(list["items"].EnumerateArray().Select(o => o.GetProperty("id").GetString()),
            Is.EqualTo(new[] { mine }));
        Assert.That((await authority.ReadAsync($"organisations/{mine}")).Status, Is.EqualTo(200));
        Assert.That((await authority.ReadAsync($"organisations/{other}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await authority.ReadAsync("hubs"))["items"].GetArrayLength(), Is.Zero);
        var state = await _scene.ClientAsync("state");
        Assert.That((await state.ReadAsync($"organisations/{other}")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_list_is_read_page_by_page_to_its_end()
    {
        for (var i = 0; i < 3; i++) await _scene.OrganisationAsync("auditor", $"Contrôle {i}");
        var (seen, after) = (new List<string>(), "");
        do
        {
            var page = await _scene.Operator.ReadAsync($"organisations?kind=auditor&limit=2{after}");
            Assert.That(page["items"].GetArrayLength(), Is.LessThanOrEqualTo(2));
            seen.AddRange(page["items"].EnumerateArray().Select(o => o.GetProperty("id").GetString()!));
            after = page["next"].GetString() is { } next ? "&after=" + next : "";
        }
        while (after.Length > 0);
        Assert.That(seen, Is.Unique.And.Count.GreaterThanOrEqualTo(3).And.Ordered);
    }

    [Test]
    public async Task A_filter_that_is_none_is_told()
    {
        Assert.That((await _scene.Operator.ReadAsync("organisations?kind=guild")).Status, Is.EqualTo(400));
        Assert.That((await _scene.Operator.ReadAsync("organisations?limit=0")).Status, Is.EqualTo(400));
        Assert.That((await _scene.Operator.ReadAsync("organisations/12")).Problem, Is.EqualTo("not-found"));
    }

    [Test]
    public async Task Only_the_operator_adds_a_hub()
    {
        var hub = await _scene.ClientAsync("hub");
        Assert.That((await hub.PostAsync("hubs", new { name = "Un autre" })).Problem,
            Is.EqualTo("not-allowed"));
    }
}
