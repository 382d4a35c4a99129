using NUnit.Framework;
using PassNumerique.Access;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Access;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class AddUserTests(string engine)
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

    [TestCase("operator")]
    [TestCase("state")]
    [TestCase("auditor")]
    [TestCase("hub")]
    public async Task The_first_person_comes_with_the_organisation_and_a_key_that_works(string role)
    {
        var added = await _service.SendAsync(new AddUser.Command(role, $"Maison {role}", $"Premier.{role}"));
        Assert.That(added.Refused, Is.Null);
        var user = added.Value!;
        Assert.That((user.Role, user.Login), Is.EqualTo((role, $"premier.{role}")));
        var mine = await _service.Client(user.ApiKey).ReadAsync($"organisations/{user.OrganisationId}");
        Assert.That((mine.Status, mine["name"].GetString()), Is.EqualTo((200, $"Maison {role}")));
        var hash = await _service.QueryAsync<string>(
            "SELECT password_hash FROM members WHERE id = @Id", new { Id = user.MemberId });
        Assert.That(Passwords.Verify(hash.Single(), user.Password));
    }

    [Test]
    public async Task The_second_person_joins_the_organisation_that_is_there()
    {
        var siret = Scene.NextSiret();
        var first = await _service.SendAsync(new AddUser.Command("authority", "Ville A", "a1@ville.fr",
            siret));
        var second = await _service.SendAsync(new AddUser.Command("authority", " Ville A ", "a2@ville.fr"));
        var namesake = await _service.SendAsync(new AddUser.Command("authority", "Ville A", "a3@ville.fr",
            Scene.NextSiret()));
        Assert.That(second.Value!.OrganisationId, Is.EqualTo(first.Value!.OrganisationId));
        Assert.That(namesake.Value!.OrganisationId, Is.Not.EqualTo(first.Value.OrganisationId));
    }

    [Test]
    public async Task An_agent_works_at_a_point_of_the_authority()
    {
        var authorityId = await _scene.OrganisationAsync("authority", "Ville B");
        var pointId = await _scene.PointAsync(authorityId);
        var agent = await _service.SendAsync(new AddUser.Command("agent", "Ville B", "b@ville.fr",
            PlaceId: pointId));
        Assert.That(agent.Value!.OrganisationId, Is.EqualTo(authorityId));
        var points = await _service.Client(agent.Value.ApiKey).ReadAsync("distribution-points");
        Assert.That(points["items"][0].GetProperty("id").GetString(), Is.EqualTo(pointId));
    }

    [Test]
    public async Task A_new_authority_needs_its_siret()
    {
        var refused = await _service.SendAsync(new AddUser.Command("authority", "Ville sans SIRET",
            "c@ville.fr"));
        Assert.That(refused.Refused!.Code, Is.EqualTo("siret-needed"));
    }

    [Test]
    public async Task A_taken_login_leaves_no_organisation_behind()
    {
        await _service.SendAsync(new AddUser.Command("hub", "Hub D", "d@hub.fr"));
        var refused = await _service.SendAsync(new AddUser.Command("hub", "Hub E", "D@hub.fr"));
        Assert.That(refused.Refused!.Code, Is.EqualTo("login-taken"));
        var hubs = await _scene.Operator.ReadAsync("hubs?limit=200");
        Assert.That(hubs["items"].EnumerateArray().Select(h => h.GetProperty("name").GetString()),
            Has.None.EqualTo("Hub E"));
    }

    [Test]
    public async Task A_point_of_another_authority_is_refused()
    {
        var pointId = await _scene.PointAsync(await _scene.OrganisationAsync("authority"));
        var refused = await _service.SendAsync(
            new AddUser.Command("agent", "Ville F", "f@ville.fr", Scene.NextSiret(), pointId));
        Assert.That(refused.Refused!.Code, Is.EqualTo("place-unknown"));
    }

    [Test]
    public void Every_mistake_is_told_at_once()
    {
        var invalid = Assert.ThrowsAsync<InvalidRequestException>(
            () => _service.SendAsync(new AddUser.Command("chef", "", "x", "123", DummyPlace)))!;
        Assert.That(invalid.Errors.Keys,
            Is.EquivalentTo(new[] { "role", "organisation", "login", "siret", "placeId" }));
    }

    private const string DummyPlace = "0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4";
}
