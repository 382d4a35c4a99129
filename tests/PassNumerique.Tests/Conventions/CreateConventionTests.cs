using System.Text.Json.Nodes;
using NUnit.Framework;
using PassNumerique.Tests.Orders;

namespace PassNumerique.Tests.Conventions;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class CreateConventionTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_convention_makes_its_authority_known_and_opens_its_budget()
    {
        var body = ConventionWorld.Convention();
        var created = await _service.Operator().PostAsync("conventions", body);
        Assert.That(created.Status, Is.EqualTo(201), created.ToString());
        var read = await _service.Operator().ReadAsync($"conventions/{created.Id}");
        Assert.That(read["authority"].GetProperty("siret").GetString(), Is.EqualTo((string)body["authority"]!["siret"]!));
        Assert.That(read["balances"].GetProperty("leftCents").GetInt64(), Is.EqualTo(100_000));
        var terms = read["versions"][0].GetProperty("terms");
        Assert.That((terms.GetProperty("faceValueCents").GetInt64(), terms.GetProperty("toleranceDays").GetInt64(),
            read["versionInForce"].GetInt64()), Is.EqualTo((1_000, 30, 1)));
    }

    [Test]
    public async Task The_second_convention_of_a_siret_is_of_the_same_authority()
    {
        var (first, second) = (ConventionWorld.Convention(), ConventionWorld.Convention());
        second["authority"] = first["authority"]!.DeepClone();
        var one = await _service.Operator().PostAsync("conventions", first);
        var two = await _service.Operator().PostAsync("conventions", second);
        Assert.That(two["authorityId"].GetString(), Is.EqualTo(one["authorityId"].GetString()));
    }

    [Test]
    public async Task First_conventions_of_a_siret_at_the_same_moment_are_of_one_authority()
    {
        var first = ConventionWorld.Convention();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var body = ConventionWorld.Convention();
            body["authority"] = first["authority"]!.DeepClone();
            return await _service.Operator().PostAsync("conventions", body);
        }));
        Assert.That(answers.Select(a => a["authorityId"].GetString()).Distinct().Count(), Is.EqualTo(1));
        var authorities = await _service.QueryAsync<string>(
            "SELECT id FROM organisations WHERE siret = @Siret", new { Siret = (string)first["authority"]!["siret"]! });
        Assert.That(authorities, Is.EqualTo(new[] { answers[0]["authorityId"].GetString() }));
    }

    [Test]
    public async Task The_first_convention_of_an_authority_that_is_known_is_its_own()
    {
        var body = ConventionWorld.Convention();
        var (siret, name) = ((string)body["authority"]!["siret"]!, "Sous un autre nom");
        var authority = await _service.Operator().PostAsync("organisations", new { kind = "authority", name, siret });
        var convention = await _service.Operator().PostAsync("conventions", body);
        Assert.That(convention["authorityId"].GetString(), Is.EqualTo(authority.Id));
    }

    [Test]
    public async Task A_reference_is_taken_once()
    {
        var (first, second) = (ConventionWorld.Convention(), ConventionWorld.Convention());
        second["reference"] = (string)first["reference"]!;
        await _service.Operator().PostAsync("conventions", first);
        var answer = await _service.Operator().PostAsync("conventions", second);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "reference-taken")));
        var authorities = await _service.QueryAsync<string>(
            "SELECT id FROM organisations WHERE siret = @Siret", new { Siret = (string)second["authority"]!["siret"]! });
        Assert.That(authorities, Is.Empty, "a refused convention leaves no authority behind");
    }

    [Test]
    public async Task A_hub_that_is_none_is_refused()
    {
        var body = ConventionWorld.Convention();
        body["hubId"] = "0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4";
        var answer = await _service.Operator().PostAsync("conventions", body);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "hub-unknown")));
    }

    [Test]
    public async Task An_authority_records_its_own_conventions_only()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var own = ConventionWorld.Convention();
        own["authority"]!["siret"] = world.Siret;
        Assert.That((await world.Authority.PostAsync("conventions", own)).Status, Is.EqualTo(201));
        var others = await world.Authority.PostAsync("conventions", ConventionWorld.Convention());
        Assert.That((others.Status, others.Problem), Is.EqualTo((409, "authority-not-own")));
    }

    [Test]
    public async Task Conventions_are_read_by_their_parties_only()
    {
        var hub = await _service.Operator().PostAsync("organisations", new { kind = "hub", name = "Hub" });
        var world = await ConventionWorld.CreateAsync(_service, body => body["hubId"] = hub.Id);
        var other = await ConventionWorld.CreateAsync(_service);
        var hubClient = await world.ClientAsync(hub.Id, "hub");
        foreach (var client in new[] { world.Authority, hubClient })
        {
            var list = await client.ReadAsync("conventions");
            var ids = list["items"].EnumerateArray().Select(c => c.GetProperty("id").GetString());
            Assert.That(ids, Is.EqualTo(new[] { world.ConventionId }), list.Body);
            Assert.That((await client.ReadAsync($"conventions/{world.ConventionId}")).Status, Is.EqualTo(200));
            Assert.That((await client.ReadAsync($"conventions/{other.ConventionId}")).Problem, Is.EqualTo("not-found"));
        }

        var agents = await _service.Operator().PostAsync("api-keys",
            new { organisationId = world.AuthorityId, role = "agent", label = "guichet", placeId = world.Points[0] });
        var agent = _service.Client(agents["apiKey"].GetString());
        Assert.That((await agent.ReadAsync("conventions")).Status, Is.EqualTo(403));
        Assert.That((await agent.ReadAsync("orders")).Status, Is.EqualTo(403));
    }

    [Test]
    public async Task Lists_come_in_pages()
    {
        await ConventionWorld.CreateAsync(_service);
        await ConventionWorld.CreateAsync(_service);
        var first = await _service.Operator().ReadAsync("conventions?limit=1");
        var second = await _service.Operator().ReadAsync($"conventions?limit=1&after={first["next"].GetString()}");
        Assert.That(second["items"][0].GetProperty("id").GetString(),
            Is.GreaterThan(first["items"][0].GetProperty("id").GetString()!));
    }

    [Test]
    public async Task Names_with_sql_and_html_come_back_as_they_were()
    {
        const string name = "<script>alert(1)</script>'); DROP TABLE orders; --";
        var body = ConventionWorld.Convention();
        body["authority"]!["name"] = name;
        var created = await _service.Operator().PostAsync("conventions", body);
        var read = await _service.Operator().ReadAsync($"conventions/{created.Id}");
        Assert.That(read["authority"].GetProperty("name").GetString(), Is.EqualTo(name));
    }

    [TestCase("""{"sharez":1}""", "sharez")]
    [TestCase("""{"faceValueCents":"10"}""", "faceValueCents")]
    [TestCase("""{"faceValueCents":10.5}""", "faceValueCents")]
    [TestCase("""{"faceValueCents":0}""", "faceValueCents")]
    [TestCase("""{"minutesPerVoucher":6001}""", "minutesPerVoucher")]
    [TestCase("""{"budgetCents":0}""", "budgetCents")]
    [TestCase("""{"minimumOrderCents":100001}""", "minimumOrderCents")]
    [TestCase("""{"startsOn":"2030-01-01","endsOn":"2029-01-01"}""", "endsOn")]
    [TestCase("""{"signedOn":"2099-01-01"}""", "signedOn")]
    [TestCase("""{"endsOn":"3000-01-01"}""", "endsOn")]
    [TestCase("""{"authority":{"siret":"43493312300028","name":"X"}}""", "authority.siret")]
    [TestCase("""{"reference":" "}""", "reference")]
    [TestCase("""{"hubId":"x"}""", "hubId")]
    [TestCase("""{"tariffs":[]}""", "tariffs")]
    [TestCase("""{"tariffs":[null]}""", "tariffs")]
    [TestCase("""{"tariffs":[{"service":"Massage","kind":"*","debitMinutes":60,"perDurationMinutes":60}]}""",
        "tariffs[0].service")]
    [TestCase("""{"tariffs":[{"service":"*","kind":"*","debitMinutes":0,"perDurationMinutes":1441}]}""",
        "tariffs[0].debitMinutes", "tariffs[0].perDurationMinutes")]
    [TestCase("""{"funders":[]}""", "funders")]
    [TestCase("""{"funders":[{"kind":"state","name":"État","shareBasisPoints":9999,"mode":"prefunding"}]}""", "funders")]
    [TestCase("""{"funders":[{"kind":"state","name":"État","shareBasisPoints":10000,"mode":"reimbursing"}]}""", "funders")]
    [TestCase("""
        {"funders":[{"kind":"state","name":"A","shareBasisPoints":5000,"mode":"prefunding"},
                    {"kind":"authority","name":"A","shareBasisPoints":5000,"mode":"prefunding"}]}
        """, "funders")]
    [TestCase("""
        {"funders":[{"kind":"king","name":"A","shareBasisPoints":9223372036854775807,"mode":"later","base":"x",
                     "siret":"1","capCents":-1},
                    {"kind":"state","name":"B","shareBasisPoints":9223372036854775807,"mode":"prefunding"}]}
        """, "funders", "funders[0].kind", "funders[0].shareBasisPoints", "funders[0].mode", "funders[0].base",
        "funders[0].siret", "funders[0].capCents", "funders[1].shareBasisPoints")]
    [TestCase("""{"territory":["47001","47999","2C","200000009","x",null]}""",
        "territory", "territory[1]", "territory[2]", "territory[3]", "territory[4]")]
    [TestCase("""{"targetPublics":["martiens"]}""", "targetPublics[0]")]
    [TestCase("""
        {"targetPopulations":[{"public":"x","territory":"99","persons":0,"source":"","date":"1900-01-01"}]}
        """, "targetPopulations[0].public", "targetPopulations[0].territory", "targetPopulations[0].persons",
        "targetPopulations[0].source", "targetPopulations[0].date")]
    [TestCase("""{"picQuotaBasisPoints":5000}""", "picQuotaBase")]
    [TestCase("""{"picQuotaBasisPoints":5000,"picQuotaBase":"moon"}""", "picQuotaBase")]
    [TestCase("""{"objectives":[{"indicator":"luck","target":-1,"by":"2030-01-01"}]}""",
        "objectives[0].indicator", "objectives[0].target")]
    [TestCase("""{"evaluation":{"questions":[],"evaluator":""}}""", "evaluation.questions", "evaluation.evaluator")]
    [TestCase("""{"upstreamFeeBasisPoints":10001,"downstreamFeeBasisPoints":-1,"feeVatBasisPoints":10001}""",
        "upstreamFeeBasisPoints", "downstreamFeeBasisPoints", "feeVatBasisPoints")]
    [TestCase("""{"toleranceDays":366,"offlineDays":61,"offlineGuaranteePasses":-1,"requireHandOut":"never"}""",
        "toleranceDays", "offlineDays", "offlineGuaranteePasses", "requireHandOut")]
    [TestCase("""{"debtorIban":"FR7630006000011234567890188"}""", "debtorIban")]
    public async Task Each_mistake_is_named(string changes, params string[] members)
    {
        var body = ConventionWorld.Convention();
        foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject()) body[name] = value?.DeepClone();
        var answer = await _service.Operator().PostAsync("conventions", body);
        Assert.That(answer.Status, Is.EqualTo(400), answer.ToString());
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(members), answer.Body);
    }

    [Test]
    public async Task An_unknown_commune_is_told_by_its_code()
    {
        var body = ConventionWorld.Convention();
        body["territory"] = new JsonArray("47999");
        var answer = await _service.Operator().PostAsync("conventions", body);
        Assert.That(answer["errors"].GetProperty("territory[0]")[0].GetString(),
            Is.EqualTo("La commune 47999 n'existe pas au code officiel géographique."));
    }

    [Test]
    public async Task Nobody_else_may_record_one()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var hub = await world.ClientOfNewAsync("hub");
        Assert.That((await hub.PostAsync("conventions", ConventionWorld.Convention())).Status, Is.EqualTo(403));
        Assert.That((await _service.Client().ReadAsync("conventions")).Status, Is.EqualTo(401));
    }
}
