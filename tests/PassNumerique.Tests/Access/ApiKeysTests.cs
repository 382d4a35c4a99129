using NUnit.Framework;

namespace PassNumerique.Tests.Access;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ApiKeysTests(string engine)
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
    public async Task A_remembered_answer_shows_its_secret_again_but_the_store_does_not_hold_it()
    {
        using var client = _service.Operator();
        var organisation = await client.PostAsync("organisations", new { kind = "auditor", name = "Contrôle" });
        var body = new { organisationId = organisation.Id, role = "auditor", label = "audit" };
        var first = await client.PostAsync("api-keys", body, key: "secret-1");
        var second = await client.PostAsync("api-keys", body, key: "secret-1");
        Assert.That((second.Body, second.Replayed), Is.EqualTo((first.Body, true)));
        var kept = await _service.QueryAsync<string>("SELECT answer FROM idempotency_keys WHERE idempotency_key = 'secret-1'");
        Assert.That(kept.Single(), Does.Not.Contain(first["apiKey"].GetString()!).And.Not.Contain("apiKey"));
    }

    [Test]
    public async Task A_key_is_listed_without_its_secret()
    {
        var authorityId = await _scene.OrganisationAsync("authority");
        var key = await KeyAsync(authorityId, "authority");
        var authority = _service.Client(key["apiKey"].GetString());
        var list = await authority.ReadAsync("api-keys");
        var one = await authority.ReadAsync($"api-keys/{key.Id}");
        Assert.That(list["items"].EnumerateArray().Select(k => k.GetProperty("id").GetString()),
            Is.EqualTo(new[] { key.Id }));
        Assert.That(list.Body + one.Body, Does.Not.Contain("pn_").And.Not.Contain("secret"));
        Assert.That((one.Status, one["label"].GetString()), Is.EqualTo((200, "essai")));
    }

    [Test]
    public async Task A_revoked_key_is_worth_nothing_from_the_answer_on()
    {
        var authorityId = await _scene.OrganisationAsync("authority");
        var key = await KeyAsync(authorityId, "authority");
        var stolen = _service.Client(key["apiKey"].GetString());
        Assert.That((await stolen.ReadAsync("organisations")).Status, Is.EqualTo(200));
        var revoked = await _scene.Operator.RemoveAsync($"api-keys/{key.Id}");
        Assert.That((revoked.Status, revoked.Id), Is.EqualTo((200, key.Id)), revoked.ToString());
        Assert.That((await stolen.ReadAsync("organisations")).Problem, Is.EqualTo("sign-in-needed"));
        var again = await _scene.Operator.RemoveAsync($"api-keys/{key.Id}");
        Assert.That((again.Status, again["revokedAt"].GetString()),
            Is.EqualTo((200, revoked["revokedAt"].GetString())));
        var read = await _scene.Operator.ReadAsync($"api-keys/{key.Id}");
        Assert.That(read["revokedAt"].GetString(), Is.EqualTo(revoked["revokedAt"].GetString()));
    }

    [Test]
    public async Task An_authority_neither_sees_nor_revokes_the_keys_of_another()
    {
        var key = await KeyAsync(await _scene.OrganisationAsync("authority"), "authority");
        var other = await _scene.ClientAsync("authority");
        Assert.That((await other.ReadAsync($"api-keys/{key.Id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.RemoveAsync($"api-keys/{key.Id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await _service.Client(key["apiKey"].GetString()).ReadAsync("organisations")).Status,
            Is.EqualTo(200));
    }

    [Test]
    public async Task A_key_of_an_agent_names_a_point_of_its_authority()
    {
        var authorityId = await _scene.OrganisationAsync("authority");
        var foreign = await _scene.PointAsync(await _scene.OrganisationAsync("authority"));
        var without = await _scene.Operator.PostAsync("api-keys",
            new { organisationId = authorityId, role = "agent", label = "guichet" });
        var elsewhere = await _scene.Operator.PostAsync("api-keys",
            new { organisationId = authorityId, role = "agent", label = "guichet", placeId = foreign });
        var role = await _scene.Operator.PostAsync("api-keys",
            new { organisationId = authorityId, role = "hub", label = "guichet" });
        var unknown = await _scene.Operator.PostAsync("api-keys",
            new { organisationId = foreign, role = "hub", label = "guichet" });
        Assert.That((without.Status, without["errors"].TryGetProperty("placeId", out _)),
            Is.EqualTo((400, true)));
        Assert.That((elsewhere.Status, elsewhere.Problem), Is.EqualTo((404, "place-unknown")));
        Assert.That((role.Status, role.Problem), Is.EqualTo((409, "role-not-of-organisation")));
        Assert.That((unknown.Status, unknown.Problem), Is.EqualTo((404, "organisation-unknown")));
    }

    [Test]
    public async Task What_is_no_id_is_unknown_or_told()
    {
        Assert.That((await _scene.Operator.RemoveAsync("api-keys/none")).Problem, Is.EqualTo("not-found"));
        Assert.That((await _scene.Operator.ReadAsync("api-keys?organisationId=none")).Status,
            Is.EqualTo(400));
    }

    private async Task<Answer> KeyAsync(string organisationId, string role)
    {
        var key = await _scene.Operator.PostAsync("api-keys", new { organisationId, role, label = "essai" });
        Assert.That(key.Status, Is.EqualTo(201), key.ToString());
        return key;
    }
}
