using NUnit.Framework;

namespace PassNumerique.Tests.HandOut;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class HandOutTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private long _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, booklets: 40);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private long NextBooklet() => _scenario.FirstSerial + (5 * _next++);

    private Task<Answer> GiveAsync(long booklet, string? operationId = null, string? reference = null) =>
        _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet, operationId, reference));

    [Test]
    public async Task A_booklet_is_handed_out_with_its_coded_facts()
    {
        var booklet = NextBooklet();
        var answer = await GiveAsync(booklet, reference: "dossier 12");
        Assert.That(answer.Status, Is.EqualTo(201), answer.ToString());
        Assert.That((answer["bookletNumber"].GetInt64(), answer["lastSerial"].GetInt64(), answer["anonymous"].GetBoolean()),
            Is.EqualTo((booklet, booklet + 4, false)));
        var read = await _scenario.Agent().ReadAsync($"hand-outs/{answer.Id}");
        Assert.That(read["current"].GetBoolean(), Is.True);
    }

    [Test]
    public async Task The_same_operation_again_gives_the_same_answer_and_another_body_is_refused()
    {
        var (booklet, operation) = (NextBooklet(), Guid.NewGuid().ToString());
        var first = await GiveAsync(booklet, operation);
        var second = await GiveAsync(booklet, operation);
        var other = await GiveAsync(NextBooklet(), operation);
        Assert.That((second.Body, second.Replayed), Is.EqualTo((first.Body, true)));
        Assert.That((other.Status, other.Problem), Is.EqualTo((422, "idempotency-key-reused")));
    }

    [Test]
    public async Task Of_many_agents_one_hands_the_booklet_out()
    {
        var booklet = NextBooklet();
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => GiveAsync(booklet)));
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 201).Select(a => a.Problem), Is.All.EqualTo("booklet-already-handed-out"));
    }

    [Test]
    public async Task The_same_reference_is_the_same_person()
    {
        var first = await GiveAsync(NextBooklet(), reference: "Dossier A ");
        var second = await GiveAsync(NextBooklet(), reference: "dossier a");
        var third = await GiveAsync(NextBooklet());
        var number = first["personNumber"].GetInt64();
        Assert.That(second["personNumber"].GetInt64(), Is.EqualTo(number));
        Assert.That(third["personNumber"].GetInt64(), Is.Not.EqualTo(number));
        Assert.That(third["anonymous"].GetBoolean(), Is.True);
    }

    [Test]
    public async Task A_hand_out_is_undone_until_a_pass_has_served()
    {
        var booklet = NextBooklet();
        var handOut = await GiveAsync(booklet);
        var undone = await _scenario.Agent().PostAsync($"hand-outs/{handOut.Id}/reversal", new { reason = "mauvais numéro" });
        Assert.That(undone.Status, Is.EqualTo(201), undone.ToString());
        var twice = await _scenario.Agent().PostAsync($"hand-outs/{handOut.Id}/reversal", new { reason = "mauvais numéro" });
        Assert.That(twice.Problem, Is.EqualTo("hand-out-not-current"));

        var again = await GiveAsync(booklet);
        Assert.That(again.Status, Is.EqualTo(201), again.ToString());
        Scenario.Ok(await _scenario.Site().PostAsync("redemptions", await _scenario.RedemptionAsync(booklet)));
        var used = await _scenario.Agent().PostAsync($"hand-outs/{again.Id}/reversal", new { reason = "trop tard" });
        Assert.That(used.Problem, Is.EqualTo("hand-out-used"), used.ToString());
    }

    [Test]
    public async Task A_correction_stands_after_what_it_corrects()
    {
        var handOut = await GiveAsync(NextBooklet());
        var correction = await _scenario.Agent().PostAsync($"hand-outs/{handOut.Id}/correction", new
        {
            reason = "tranche d'âge erronée",
            person = new { ageBand = "soixante_soixante_neuf" },
            eligibility = new { picGround = "jobseeker-no-diploma", evidence = "document-seen" },
        });
        Assert.That(correction.Status, Is.EqualTo(201), correction.ToString());
        var kinds = await _service.QueryAsync<long>(
            "SELECT kind FROM booklet_entries WHERE booklet = @B ORDER BY part",
            new { B = handOut["bookletNumber"].GetInt64() });
        Assert.That(kinds, Is.EqualTo(new[] { 1L, 4L }));
    }

    [Test]
    public async Task A_batch_answers_each_line_on_its_own()
    {
        var good = NextBooklet();
        var answer = await _scenario.Agent().PostAsync("hand-outs/batch", new
        {
            handOuts = new[] { Scenario.HandOut(good), Scenario.HandOut(good), Scenario.HandOut(999_999_999) },
        });
        Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
        Assert.That(answer["results"].EnumerateArray().Select(r => r.GetProperty("status").GetInt64()),
            Is.EqualTo(new[] { 201L, 409L, 404L }));
    }

    [Test]
    public async Task A_booklet_that_is_not_ours_to_give_is_refused_with_the_reason()
    {
        var returned = NextBooklet();
        Scenario.Ok(await _scenario.Agent().PostAsync("returns", new { bookletNumber = returned, reason = "abîmé" }));
        Assert.That((await GiveAsync(returned)).Problem, Is.EqualTo("booklet-returned"));
        var again = await _scenario.Agent().PostAsync("returns", new { bookletNumber = returned, reason = "abîmé" });
        Assert.That(again.Problem, Is.EqualTo("booklet-returned"));

        var waiting = await Scenario.CreateAsync(_service, booklets: 2, activate: false);
        var early = await waiting.Agent().PostAsync("hand-outs", Scenario.HandOut(waiting.FirstSerial));
        Assert.That(early.Problem, Is.EqualTo("booklet-not-active"), early.ToString());
        Assert.That((await GiveAsync(waiting.FirstSerial)).Problem, Is.EqualTo("booklet-unknown"));
        Assert.That((await GiveAsync(_scenario.FirstSerial + 1)).Problem, Is.EqualTo("booklet-unknown"));

        var elsewhere = await _scenario.Authority().PostAsync("hand-outs", new
        {
            operationId = Guid.NewGuid(),
            bookletNumber = NextBooklet(),
            distributionPointId = _scenario.OtherPointId,
            handedOutOn = Scenario.Today,
        });
        Assert.That(elsewhere.Problem, Is.EqualTo("booklet-of-another-point"), elsewhere.ToString());
        var foreign = await _scenario.Agent().PostAsync("hand-outs", new
        {
            operationId = Guid.NewGuid(),
            bookletNumber = NextBooklet(),
            distributionPointId = waiting.PointId,
            handedOutOn = Scenario.Today,
        });
        Assert.That((foreign.Status, foreign.Problem), Is.EqualTo((404, "point-unknown")));

        var blocked = NextBooklet();
        Scenario.Ok(await _scenario.Authority().PostAsync("blocks",
            new { firstSerial = blocked + 2, lastSerial = blocked + 2, reason = "perte" }));
        Assert.That((await GiveAsync(blocked)).Problem, Is.EqualTo("booklet-blocked"));
    }

    [Test]
    public async Task Bad_shapes_are_told_at_once()
    {
        var answer = await _scenario.Agent().PostAsync("hand-outs", new
        {
            operationId = "x",
            bookletNumber = 0,
            handedOutOn = "1926-01-01",
            person = new { ageBand = "vieux", commune = "99999", publics = new[] { "personnes-exilees" } },
            eligibility = new { picGround = "oui" },
        });
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[]
        {
            "operationId", "bookletNumber", "handedOutOn", "person.ageBand", "person.commune", "person.publics[0]",
            "eligibility.picGround",
        }), answer.Body);
        var future = await _scenario.Agent().PostAsync("hand-outs", new
        {
            operationId = Guid.NewGuid(),
            bookletNumber = NextBooklet(),
            handedOutOn = Scenario.Today.AddDays(1),
        });
        Assert.That(future.Problem, Is.EqualTo("date-out-of-range"));
    }

    [Test]
    public async Task A_scan_without_hand_out_becomes_a_task_of_the_distributor()
    {
        var own = await Scenario.CreateAsync(_service, booklets: 3);
        Scenario.Ok(await own.Site().PostAsync("redemptions", await own.RedemptionAsync(own.FirstSerial + 6)));
        var tasks = await own.Agent().ReadAsync("hand-outs/missing");
        Assert.That(tasks["items"].EnumerateArray().Single().GetProperty("bookletNumber").GetInt64(),
            Is.EqualTo(own.FirstSerial + 5), tasks.ToString());
        Scenario.Ok(await own.Agent().PostAsync("hand-outs", Scenario.HandOut(own.FirstSerial + 5)));
        Assert.That((await own.Agent().ReadAsync("hand-outs/missing"))["items"].GetArrayLength(), Is.Zero);
    }

    [Test]
    public async Task The_stock_of_a_point_counts_what_left_it()
    {
        var own = await Scenario.CreateAsync(_service, booklets: 6);
        Scenario.Ok(await own.Agent().PostAsync("hand-outs", Scenario.HandOut(own.FirstSerial)));
        Scenario.Ok(await own.Agent().PostAsync("returns", new { bookletNumber = own.FirstSerial + 5, reason = "abîmé" }));
        var stock = await own.Agent().ReadAsync($"distribution-points/{own.PointId}/stock");
        var lot = stock["lots"][0];
        Assert.That((lot.GetProperty("received").GetInt64(), lot.GetProperty("handedOut").GetInt64(),
            lot.GetProperty("returned").GetInt64(), stock["booklets"].GetInt64()), Is.EqualTo((6L, 1L, 1L, 4L)), stock.ToString());
    }

    [Test]
    public async Task Erasing_a_person_moves_no_fact()
    {
        var handOut = await GiveAsync(NextBooklet(), reference: "à effacer");
        var facts = await _service.QueryAsync<long>("SELECT COUNT(*) FROM booklet_entries");
        var erased = await _scenario.Authority().PostAsync("persons/erasures",
            new { conventionId = _scenario.ConventionId, bookletNumber = handOut["bookletNumber"].GetInt64() });
        Assert.That((erased.Status, erased["links"].GetInt64()), Is.EqualTo((200, 1L)), erased.ToString());
        Assert.That(await _service.QueryAsync<long>("SELECT COUNT(*) FROM booklet_entries"), Is.EqualTo(facts));
        var unknown = await _scenario.Authority().PostAsync("persons/erasures",
            new { conventionId = _scenario.ConventionId, reference = "à effacer" });
        Assert.That(unknown.Problem, Is.EqualTo("person-unknown"));
    }

    [Test]
    public async Task Assessments_are_kept_under_the_persons_number()
    {
        var handOut = await GiveAsync(NextBooklet(), reference: "évaluée");
        var t1 = await _scenario.Agent().PostAsync("assessments", new
        {
            reference = "évaluée",
            conventionId = _scenario.ConventionId,
            instrument = "abc-pix",
            version = "1",
            phase = "t1",
            score = 12,
            maxScore = 20,
            mode = "assisted",
            takenOn = Scenario.Today,
        });
        Assert.That((t1.Status, t1["personNumber"].GetInt64()), Is.EqualTo((201, handOut["personNumber"].GetInt64())), t1.ToString());
        var bad = await _scenario.Agent().PostAsync("assessments", new
        {
            reference = "évaluée",
            conventionId = _scenario.ConventionId,
            instrument = "abc-pix",
            version = "1",
            phase = "t9",
            score = 30,
            maxScore = 20,
            mode = "assisted",
            takenOn = Scenario.Today,
        });
        Assert.That(bad["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[] { "phase", "score" }), bad.Body);
    }
}
