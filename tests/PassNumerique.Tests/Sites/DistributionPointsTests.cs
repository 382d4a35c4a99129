using NUnit.Framework;

namespace PassNumerique.Tests.Sites;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class DistributionPointsTests(string engine)
{
    private TestService _service = null!;
    private Scene _scene = null!;
    private string _authorityId = "";
    private HttpClient _authority = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scene = new Scene(_service);
        _authorityId = await _scene.OrganisationAsync("authority");
        _authority = await _scene.ClientAsync("authority", _authorityId);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task An_authority_opens_its_own_point()
    {
        var made = await _authority.PostAsync("distribution-points",
            new
            {
                name = "Mairie <annexe>",
                channel = "mairie",
                address = "1 place de la Mairie",
                commune = "75056"
            });
        Assert.That((made.Status, made["authorityId"].GetString(), made["communeName"].GetString()),
            Is.EqualTo((201, _authorityId, "Paris")), made.ToString());
        Assert.That((await _authority.ReadAsync($"distribution-points/{made.Id}")).Body,
            Is.EqualTo(made.Body));
    }

    [Test]
    public async Task The_operator_names_the_authority()
    {
        var body = new { name = "CCAS", channel = "ccas", address = "1 rue", commune = "23096" };
        var without = await _scene.Operator.PostAsync("distribution-points", body);
        Assert.That((without.Status, without["errors"].TryGetProperty("authorityId", out _)),
            Is.EqualTo((400, true)));
        Assert.That(await _scene.PointAsync(_authorityId), Is.Not.Empty);
    }

    [Test]
    public async Task Every_mistake_is_told_at_once()
    {
        var answer = await _authority.PostAsync("distribution-points",
            new { authorityId = "x", name = "", channel = "pigeon", address = "", commune = "00000" });
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "authorityId", "name", "channel", "address", "commune" }), answer.Body);
    }

    [Test]
    public async Task A_point_belongs_to_an_authority_one_may_act_for()
    {
        var other = await _scene.OrganisationAsync("authority");
        var structure = await _scene.OrganisationAsync("structure");
        var body = new
        {
            authorityId = other,
            name = "CCAS",
            channel = "ccas",
            address = "1 rue",
            commune = "23096"
        };
        var foreign = await _authority.PostAsync("distribution-points", body);
        var kind = await _scene.Operator.PostAsync("distribution-points",
            body with { authorityId = structure });
        Assert.That((foreign.Status, foreign.Problem), Is.EqualTo((404, "authority-unknown")));
        Assert.That((kind.Status, kind.Problem), Is.EqualTo((404, "authority-unknown")));
    }

    [Test]
    public async Task An_authority_sees_its_points_and_an_agent_those_they_work_at()
    {
        var authorityId = await _scene.OrganisationAsync("authority");
        var (first, second) = (await _scene.PointAsync(authorityId), await _scene.PointAsync(authorityId));
        string[] byId = [.. new[] { first, second }.Order(StringComparer.Ordinal)]; // Of one millisecond in any order.
        var foreign = await _scene.PointAsync(_authorityId);
        var authority = await _scene.ClientAsync("authority", authorityId);
        var agent = await _scene.ClientAsync("agent", authorityId, second);
        Assert.That(await IdsAsync(authority, ""), Is.EqualTo(byId));
        Assert.That(await IdsAsync(agent, ""), Is.EqualTo(new[] { second }));
        Assert.That(await IdsAsync(_scene.Operator, $"?authorityId={authorityId}&limit=1"),
            Is.EqualTo(byId[..1]));
        Assert.That((await agent.ReadAsync($"distribution-points/{second}")).Status, Is.EqualTo(200));
        Assert.That((await agent.ReadAsync($"distribution-points/{first}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await authority.ReadAsync($"distribution-points/{foreign}")).Problem,
            Is.EqualTo("not-found"));
    }

    [Test]
    public async Task Trainings_are_recorded_and_read_by_the_authority()
    {
        var pointId = await _scene.PointAsync(_authorityId);
        var made = await _authority.PostAsync("trainings", new { pointId, on = "2025-02-03", agents = 7 });
        Assert.That((made.Status, made["agents"].GetInt64()), Is.EqualTo((201, 7)), made.ToString());
        var list = await _authority.ReadAsync($"trainings?pointId={pointId}");
        Assert.That(list["items"][0].GetRawText(), Is.EqualTo(made.Body));
        Assert.That((await _authority.ReadAsync($"trainings/{made.Id}")).Body, Is.EqualTo(made.Body));
        var other = await _scene.ClientAsync("authority");
        Assert.That((await other.ReadAsync($"trainings/{made.Id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.ReadAsync("trainings"))["items"].GetArrayLength(), Is.Zero);
    }

    [Test]
    public async Task A_training_of_nobody_of_another_point_or_of_tomorrow_is_not_recorded()
    {
        var (mine, foreign) = (await _scene.PointAsync(_authorityId),
            await _scene.PointAsync(await _scene.OrganisationAsync("authority")));
        var invalid = await _authority.PostAsync("trainings",
            new { pointId = "x", on = "1900-01-01", agents = 0 });
        Assert.That(invalid["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "pointId", "on", "agents" }));
        var unknown = await _authority.PostAsync("trainings",
            new { pointId = foreign, on = "2025-02-03", agents = 7 });
        Assert.That((unknown.Status, unknown.Problem), Is.EqualTo((404, "point-unknown")));
        var later = $"{DateTime.UtcNow.AddDays(2):yyyy-MM-dd}";
        var future = await _authority.PostAsync("trainings", new { pointId = mine, on = later, agents = 7 });
        Assert.That((future.Status, future.Problem), Is.EqualTo((409, "training-not-held-yet")));
        var agent = await _scene.ClientAsync("agent", _authorityId, mine);
        var forbidden = await agent.PostAsync("trainings",
            new { pointId = mine, on = "2025-02-03", agents = 7 });
        Assert.That(forbidden.Problem, Is.EqualTo("not-allowed"));
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(HttpClient client, string query) =>
        [.. (await client.ReadAsync("distribution-points" + query))["items"].EnumerateArray()
            .Select(p => p.GetProperty("id").GetString()!)];
}
