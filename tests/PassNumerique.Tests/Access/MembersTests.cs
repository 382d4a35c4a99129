using NUnit.Framework;
using PassNumerique.Access;

namespace PassNumerique.Tests.Access;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class MembersTests(string engine)
{
    private TestService _service = null!;
    private Scene _scene = null!;
    private string _authorityId = "";
    private string _pointId = "";
    private HttpClient _authority = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scene = new Scene(_service);
        _authorityId = await _scene.OrganisationAsync("authority");
        _pointId = await _scene.PointAsync(_authorityId);
        _authority = await _scene.ClientAsync("authority", _authorityId);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task An_authority_adds_its_agent_and_the_password_is_shown_once()
    {
        var made = await _authority.PostAsync("members", Agent("Agent.Un@Ville.fr"));
        Assert.That((made.Status, made["login"].GetString()), Is.EqualTo((201, "agent.un@ville.fr")),
            made.ToString());
        var password = made["password"].GetString()!;
        Assert.That(password, Has.Length.GreaterThanOrEqualTo(Passwords.MinLength));
        Assert.That(Passwords.Verify(await HashOfAsync(made.Id), password));

        var read = await _authority.ReadAsync($"members/{made.Id}");
        Assert.That(read["placeIds"][0].GetString(), Is.EqualTo(_pointId));
        Assert.That(read.Body, Does.Not.Contain(password).And.Not.Contain("pbkdf2"));
    }

    [Test]
    public async Task A_chosen_password_is_never_given_back()
    {
        const string password = "douze signes au moins";
        var made = await _authority.PostAsync("members", new
        {
            organisationId = _authorityId,
            role = "authority",
            login = "elue@ville.fr",
            name = "Une élue",
            password,
        });
        Assert.That((made.Status, made["password"].GetString()), Is.EqualTo((201, (string?)null)),
            made.ToString());
        Assert.That(Passwords.Verify(await HashOfAsync(made.Id), password));
    }

    [Test]
    public async Task A_login_belongs_to_one_person_whatever_its_case()
    {
        Assert.That((await _authority.PostAsync("members", Agent("deux@ville.fr"))).Status, Is.EqualTo(201));
        var again = await _authority.PostAsync("members", Agent(" DEUX@ville.fr "));
        Assert.That((again.Status, again.Problem), Is.EqualTo((409, "login-taken")));
    }

    [Test]
    public async Task One_of_many_at_once_gets_the_login()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0,
            6).Select(_ => _authority.PostAsync("members", Agent("tous@ville.fr"))));
        Assert.That(answers.Select(a => a.Status).Order(),
            Is.EqualTo(new[] { 201, 409, 409, 409, 409, 409 }));
    }

    [Test]
    public async Task Every_mistake_is_told_at_once()
    {
        var answer = await _authority.PostAsync("members", new
        {
            organisationId = "12",
            role = "chef",
            login = "é",
            name = " ",
            password = "trop court",
            placeIds = new string?[] { null },
        });
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.SupersetOf(
            new[] { "organisationId", "role", "login", "name", "password", "placeIds[0]" }), answer.Body);
    }

    [Test]
    public async Task Who_works_at_a_place_names_it_and_nobody_else_does()
    {
        var without = await _authority.PostAsync("members",
            new { organisationId = _authorityId, role = "agent", login = "trois@ville.fr", name = "Trois" });
        var with = await _authority.PostAsync("members", new
        {
            organisationId = _authorityId,
            role = "authority",
            login = "trois@ville.fr",
            name = "Trois",
            placeIds = new[] { _pointId },
        });
        Assert.That((without.Status, with.Status), Is.EqualTo((400, 400)));
        Assert.That(without["errors"].TryGetProperty("placeIds", out _), without.Body);
    }

    [Test]
    public async Task Unknown_members_of_the_body_are_refused()
    {
        var answer = await _authority.PostAsync("members", new
        {
            organisationId = _authorityId,
            role = "authority",
            login = "quatre@ville.fr",
            name = "Quatre",
            newPassword = new { text = "x", hash = "y", isGenerated = true },
        });
        Assert.That((answer.Status, answer["errors"].TryGetProperty("newPassword", out _)),
            Is.EqualTo((400, true)), answer.Body);
    }

    [Test]
    public async Task An_authority_reaches_neither_another_organisation_nor_its_places()
    {
        var other = await _scene.OrganisationAsync("authority");
        var foreignPoint = await _scene.PointAsync(other);
        var abroad = await _authority.PostAsync("members",
            new { organisationId = other, role = "authority", login = "cinq@ville.fr", name = "Cinq" });
        var place = await _authority.PostAsync("members",
            Agent("cinq@ville.fr") with { PlaceIds = [foreignPoint] });
        Assert.That((abroad.Status, abroad.Problem), Is.EqualTo((404, "organisation-unknown")));
        Assert.That((place.Status, place.Problem), Is.EqualTo((404, "place-unknown")));
        Assert.That(place["placeId"].GetString(), Is.EqualTo(foreignPoint));

        var member = await _scene.MadeAsync("members",
            new { organisationId = other, role = "authority", login = "six@ville.fr", name = "Six" });
        Assert.That((await _authority.ReadAsync($"members/{member}")).Problem, Is.EqualTo("not-found"));
        var list = await _authority.ReadAsync("members");
        Assert.That(list["items"].EnumerateArray().Select(m => m.GetProperty("organisationId").GetString()),
            Is.All.EqualTo(_authorityId));
    }

    [Test]
    public async Task A_role_must_be_one_of_the_organisation()
    {
        var answer = await _authority.PostAsync("members",
            new { organisationId = _authorityId, role = "operator", login = "sept@ville.fr", name = "Sept" });
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "role-not-of-organisation")));
    }

    [Test]
    public async Task A_page_shows_the_places_of_each_member()
    {
        var (authorityId, second) = (await _scene.OrganisationAsync("authority"), "");
        var first = await _scene.PointAsync(authorityId);
        second = await _scene.PointAsync(authorityId);
        await _scene.MadeAsync("members",
            Agent("huit@ville.fr") with { OrganisationId = authorityId, PlaceIds = [first, second] });
        await _scene.MadeAsync("members",
            Agent("neuf@ville.fr") with { OrganisationId = authorityId, PlaceIds = [second] });
        var page = await _scene.Operator.ReadAsync($"members?organisationId={authorityId}");
        var places = page["items"].EnumerateArray()
            .Select(m => m.GetProperty("placeIds").EnumerateArray().Select(p => p.GetString()!).ToArray())
            .ToList();
        Assert.That(places, Has.Count.EqualTo(2));
        Assert.That(places[0], Is.EquivalentTo(new[] { first, second }));
        Assert.That(places[1], Is.EqualTo(new[] { second }));
    }

    [Test]
    public async Task Nobody_else_reads_names()
    {
        var site = await _scene.ClientAsync("site");
        Assert.That((await site.ReadAsync("members")).Problem, Is.EqualTo("not-allowed"));
    }

    private AgentBody Agent(string login) => new(_authorityId, "agent", login, "Un agent", [_pointId]);

    private async Task<string> HashOfAsync(string memberId) => (await _service.QueryAsync<string>(
        "SELECT password_hash FROM members WHERE id = @Id", new { Id = memberId })).Single();

    private sealed record AgentBody(string OrganisationId, string Role, string Login, string Name,
        string[] PlaceIds);
}
