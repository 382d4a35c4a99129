using NUnit.Framework;
using PassNumerique.Tests.Orders;

namespace PassNumerique.Tests.Conventions;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class AmendConventionTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task An_amendment_changes_what_it_names_and_nothing_else()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var amended = await AmendAsync(world, new { faceValueCents = 1_200, territory = new[] { "47", "33" } });
        Assert.That(amended.Status, Is.EqualTo(201), amended.ToString());
        var read = await world.Authority.ReadAsync($"conventions/{world.ConventionId}");
        var (first, second) = (read["versions"][0].GetProperty("terms"), read["versions"][1].GetProperty("terms"));
        Assert.That(first.GetProperty("faceValueCents").GetInt64(), Is.EqualTo(1_000));
        Assert.That(second.GetProperty("faceValueCents").GetInt64(), Is.EqualTo(1_200));
        Assert.That(second.GetProperty("territory").GetArrayLength(), Is.EqualTo(2));
        Assert.That(second.GetProperty("funders").GetRawText(), Is.EqualTo(first.GetProperty("funders").GetRawText()));
        Assert.That(read["versionInForce"].GetInt64(), Is.EqualTo(2));
    }

    [Test]
    public async Task Null_returns_a_term_to_its_default()
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["toleranceDays"] = 60);
        var amended = await AmendAsync(world, new { toleranceDays = (long?)null, program = (string?)null });
        var terms = amended["terms"];
        Assert.That((terms.GetProperty("toleranceDays").GetInt64(), terms.GetProperty("program").GetString()),
            Is.EqualTo((30, (string?)null)));
    }

    [Test]
    public async Task An_order_keeps_the_face_value_it_was_placed_with()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var before = await world.PlaceAsync();
        await AmendAsync(world, new { faceValueCents = 2_000, minutesPerVoucher = 90 });
        var after = await world.PlaceAsync();
        var kept = await world.Authority.ReadAsync($"orders/{before.Id}");
        var later = await world.Authority.ReadAsync($"orders/{after.Id}");
        Assert.That((kept["faceValueCents"].GetInt64(), kept["minutesPerVoucher"].GetInt64(),
            kept["termsVersion"].GetInt64()), Is.EqualTo((1_000, 60, 1)));
        Assert.That((later["faceValueCents"].GetInt64(), later["minutesPerVoucher"].GetInt64(),
            later["termsVersion"].GetInt64()), Is.EqualTo((2_000, 90, 2)));
    }

    [Test]
    public async Task An_amendment_of_tomorrow_does_not_judge_today()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        await AmendAsync(world, new { faceValueCents = 2_000 }, ConventionWorld.Today.AddDays(3));
        var order = await world.PlaceAsync();
        Assert.That(order["totalCents"].GetInt64(), Is.EqualTo(10_000));
    }

    [Test]
    public async Task More_budget_can_be_ordered_and_less_than_ordered_is_refused()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        await world.PlaceAsync(booklets: 20);
        Assert.That((await world.Authority.PostAsync("orders", world.Order(1))).Problem, Is.EqualTo("budget-exceeded"));
        var less = await AmendAsync(world, new { budgetCents = 99_999 });
        Assert.That((less.Status, less.Problem, less["orderedCents"].GetInt64()),
            Is.EqualTo((409, "budget-below-ordered", 100_000)));
        Assert.That((await AmendAsync(world, new { budgetCents = 200_000 })).Status, Is.EqualTo(201));
        await world.PlaceAsync(booklets: 1);
        var versions = (await world.Operator.ReadAsync($"conventions/{world.ConventionId}"))["versions"];
        Assert.That(versions.GetArrayLength(), Is.EqualTo(2), "the refused amendment left no version");
    }

    [Test]
    public async Task An_amendment_takes_no_effect_before_the_one_before()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        await AmendAsync(world, new { toleranceDays = 10 });
        var early = await AmendAsync(world, new { toleranceDays = 20 }, ConventionWorld.Today.AddDays(-1));
        Assert.That((early.Status, early.Problem), Is.EqualTo((409, "effective-too-early")));
    }

    [Test]
    public async Task Two_people_do_not_amend_past_each_other()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            AmendAsync(world, new { toleranceDays = i }, knownVersion: 1)));
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 201).Select(a => a.Problem), Is.All.EqualTo("amended-meanwhile"));
    }

    [Test]
    public async Task Without_a_known_version_every_amendment_follows_the_last()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => AmendAsync(world, new { offlineDays = i })));
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(201), string.Join('\n', answers.AsEnumerable()));
        Assert.That(answers.Select(a => a["version"].GetInt64()).Order(), Is.EqualTo(Enumerable.Range(2, 8)));
    }

    [TestCase("""{"sharez":1}""", "changes.sharez")]
    [TestCase("""{"endsOn":null}""", "changes.endsOn")]
    [TestCase("""{"endsOn":"hier"}""", "changes.endsOn")]
    [TestCase("""{"endsOn":"2001-01-01"}""", "changes.endsOn")]
    [TestCase("""{"territory":["99999"]}""", "changes.territory[0]")]
    [TestCase("""{"funders":[{"kind":"state","name":"A","shareBasisPoints":1,"mode":"prefunding"}]}""", "changes.funders")]
    [TestCase("{}", "changes")]
    [TestCase("[]", "changes")]
    [TestCase("null", "changes")]
    public async Task Each_mistake_is_named_within_the_changes(string changes, string member)
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var today = ConventionWorld.Today;
        var answer = await world.Operator.PostTextAsync($"conventions/{world.ConventionId}/amendments",
            $$"""{"reference":"A","signedOn":"{{today:yyyy-MM-dd}}","effectiveFrom":"{{today:yyyy-MM-dd}}","changes":{{changes}}}""");
        Assert.That(answer.Status, Is.EqualTo(400), answer.ToString());
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[] { member }), answer.Body);
    }

    [Test]
    public async Task Another_authority_amends_nothing()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var answer = await other.Authority.PostAsync($"conventions/{world.ConventionId}/amendments", new
        {
            reference = "A-1",
            signedOn = ConventionWorld.Today,
            effectiveFrom = ConventionWorld.Today,
            changes = new { toleranceDays = 1 },
        });
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "not-found")));
    }

    private static Task<Answer> AmendAsync(
        ConventionWorld world, object changes, DateOnly? effectiveFrom = null, long? knownVersion = null) =>
        world.Operator.PostAsync($"conventions/{world.ConventionId}/amendments", new
        {
            reference = "Avenant",
            signedOn = ConventionWorld.Today,
            effectiveFrom = effectiveFrom ?? ConventionWorld.Today,
            changes,
            knownVersion,
        });
}
