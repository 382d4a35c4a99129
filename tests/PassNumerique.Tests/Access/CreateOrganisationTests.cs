using NUnit.Framework;

namespace PassNumerique.Tests.Access;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class CreateOrganisationTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task The_operator_adds_a_structure()
    {
        var answer = await _service.Operator().PostAsync("organisations",
            new { kind = "structure", name = "Association Clic & Lien", siret = "43493312300029" });
        Assert.That(answer.Status, Is.EqualTo(201), answer.ToString());
        Assert.That(answer["name"].GetString(), Is.EqualTo("Association Clic & Lien"));
    }

    [Test]
    public async Task Every_mistake_is_told_at_once()
    {
        var answer = await _service.Operator().PostTextAsync("organisations",
            """{"kinde":"structure","name":12,"siret":"43493312300029"}""");
        Assert.That(answer.Status, Is.EqualTo(400));
        var errors = answer["errors"].EnumerateObject().Select(e => e.Name);
        Assert.That(errors, Is.EquivalentTo(new[] { "kind", "kinde", "name" }), answer.Body);
    }

    [Test]
    public async Task A_wrong_siret_is_told()
    {
        var answer = await _service.Operator().PostAsync("organisations",
            new { kind = "structure", name = "Association", siret = "43493312300028" });
        Assert.That((answer.Status, answer["errors"].GetProperty("siret")[0].GetString()),
            Is.EqualTo((400, "Ce SIRET n'est pas valable : 14 chiffres, dont la clé de contrôle.")));
    }

    [Test]
    public async Task A_siret_is_of_one_authority()
    {
        var siret = Scene.NextSiret();
        var first = await _service.Operator().PostAsync("organisations", new { kind = "authority", name = "Ville", siret });
        var second = await _service.Operator().PostAsync("organisations", new { kind = "authority", name = "CCAS", siret });
        Assert.That((second.Status, second.Problem), Is.EqualTo((409, "siret-taken")));
        Assert.That(second["organisationId"].GetString(), Is.EqualTo(first.Id));
        foreach (var kind in new[] { "structure", "structure", "hub" })
        {
            var other = await _service.Operator().PostAsync("organisations", new { kind, name = "Régie", siret });
            Assert.That(other.Status, Is.EqualTo(201), "what one legal person runs may have its SIRET");
        }
    }

    [Test]
    public async Task Authorities_of_an_older_store_keep_their_siret_the_first_where_two_have_the_same()
    {
        using var folder = new TestFolder();
        await using (var database = folder.Database()) await database.MigrateAsync();
        folder.Execute("""
            DROP TABLE authority_sirets;
            DELETE FROM migrations WHERE name = '0010_authority_sirets.sql';
            INSERT INTO organisations VALUES ('b', 'authority', 'B', '1', 'x', 1, NULL), ('a', 'authority', 'A', '1', 'x', 1, NULL),
                ('c', 'structure', 'C', '1', 'x', 1, NULL), ('d', 'authority', 'D', NULL, 'x', 1, NULL),
                ('e', 'authority', 'E', '2', 'x', 1, NULL);
            """);
        await using (var database = folder.Database()) await database.MigrateAsync();
        using var connection = folder.Open(readOnly: true);
        using var read = connection.CreateCommand();
        read.CommandText = "SELECT group_concat(siret || organisation_id) FROM (SELECT * FROM authority_sirets ORDER BY siret)";
        Assert.That(read.ExecuteScalar(), Is.EqualTo("1a,2e"));
    }

    [Test]
    public async Task Nobody_else_may()
    {
        var body = new { kind = "structure", name = "Association", siret = "43493312300029" };
        Assert.That((await _service.Client().PostAsync("organisations", body)).Problem, Is.EqualTo("sign-in-needed"));
        Assert.That((await _service.Client("pn_wrong_wrong_wrong_wrong_wrong").PostAsync("organisations", body)).Status,
            Is.EqualTo(401));
    }
}
