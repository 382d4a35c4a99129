using System.Text;
using NUnit.Framework;
using PassNumerique.Orders;

namespace PassNumerique.Tests.Orders;

/// <summary>A file of points and booklets: tried first, all its errors at once, ordered once.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class OrderFileTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_trial_shows_what_would_be_ordered_and_writes_nothing()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answer = await world.Authority.UploadAsync(
            world.FilePath(), $"point;carnets;carnets_pic\n{world.Points[1]};2;1\nMairie;1 ;\n\n");
        Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
        Assert.That((answer["dryRun"].GetBoolean(), answer["valid"].GetBoolean(), answer["lineCount"].GetInt64(),
            answer["booklets"].GetInt64(), answer["picBooklets"].GetInt64(), answer["vouchers"].GetInt64(),
            answer["totalCents"].GetInt64(), answer["remainingCents"].GetInt64()),
            Is.EqualTo((true, true, 2, 3, 1, 15, 15_000, 100_000)));
        Assert.That(answer["points"].EnumerateArray().Select(p => p.GetProperty("pointId").GetString()),
            Is.EqualTo(new[] { world.Points[1], world.Points[0] }));
        Assert.That((await world.Authority.ReadAsync("orders"))["items"].GetArrayLength(), Is.Zero);
        Assert.That((await world.Authority.ReadAsync("jobs"))["items"].GetArrayLength(), Is.Zero);
        Assert.That((await world.BalancesAsync()).GetProperty("orderedCents").GetInt64(), Is.Zero);
    }

    [Test]
    public async Task A_file_becomes_one_order_with_its_lots_as_a_job()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var sent = await world.Authority.UploadAsync(
            world.FilePath("&dryRun=false&campaign=Printemps"), $"booklets,point,pic_booklets\r\n2,{world.Points[1]},1\r\n1,Mairie,\r\n");
        Assert.That(sent.Status, Is.EqualTo(202), sent.ToString());
        Assert.That(sent.Headers.Location!.ToString(), Is.EqualTo($"/api/v1/jobs/{sent["jobId"].GetString()}"));
        var job = await world.OverAsync(sent["jobId"].GetString()!);
        Assert.That((job["state"].GetString(), job["kind"].GetString(), job["done"].GetInt64(), job["percent"].GetInt64()),
            Is.EqualTo(("done", "order-file", 2, 100)), job.ToString());
        var order = await world.Authority.ReadAsync(job["link"].GetString()!["/api/v1/".Length..]);
        var first = order["firstSerial"].GetInt64();
        Assert.That((order["voucherCount"].GetInt64(), order["totalCents"].GetInt64(), order["campaign"].GetString()),
            Is.EqualTo((15, 15_000, "Printemps")));
        Assert.That(order["lots"].EnumerateArray().Select(l => (
            l.GetProperty("pointId").GetString(), l.GetProperty("firstSerial").GetInt64(), l.GetProperty("lastSerial").GetInt64(),
            l.GetProperty("picBooklets").ToString())), Is.EqualTo(new[]
            {
                (world.Points[1], first, first + 9, "1"), (world.Points[0], first + 10, first + 14, ""),
            }));
        await NothingStagedAsync();
    }

    [Test]
    public async Task The_same_file_again_is_recognised_however_it_is_written()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await OrderAsync(world, "point;carnets\nMairie;2\n");
        var again = await world.Operator.UploadAsync(
            world.FilePath("&dryRun=false"), [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes($"booklets,point\r\n\"2\",{world.Points[0]}\r\n")]);
        Assert.That((again.Status, again.Replayed, again["orderId"].GetString()), Is.EqualTo((200, true, order)), again.ToString());
        Assert.That(again.Headers.Location!.ToString(), Is.EqualTo($"/api/v1/orders/{order}"));
        var trial = await world.Authority.UploadAsync(world.FilePath(), "point;carnets\nMairie;2\n");
        Assert.That((trial["knownOrderId"].GetString(), trial["valid"].GetBoolean()), Is.EqualTo((order, true)));
        Assert.That((await world.Authority.ReadAsync("orders"))["items"].GetArrayLength(), Is.EqualTo(1));

        var wave = await world.Authority.UploadAsync(world.FilePath("&dryRun=false&wave=2"), "point;carnets\nMairie;2\n");
        Assert.That(wave.Status, Is.EqualTo(202), "another wave is another order");
        await world.OverAsync(wave["jobId"].GetString()!);
        Assert.That((await world.Authority.PostAsync($"orders/{order}/cancellation", new { })).Status, Is.EqualTo(201));
        Assert.That(await OrderAsync(world, "point;carnets\nMairie;2\n"), Is.Not.EqualTo(order), "a cancelled one may come again");
    }

    [Test]
    public async Task The_same_file_sent_many_times_at_once_is_one_order()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? world.Authority : world.Operator)
            .UploadAsync(world.FilePath("&dryRun=false"), "point;carnets\nMairie;2\n")));
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(202).Or.EqualTo(200));
        foreach (var job in answers.Select(a => a["jobId"].GetString()).OfType<string>().Distinct())
            Assert.That((await world.OverAsync(job, world.Operator))["state"].GetString(), Is.EqualTo("done"));
        Assert.That((await world.Authority.ReadAsync("orders"))["items"].GetArrayLength(), Is.EqualTo(1));
        Assert.That((await world.BalancesAsync()).GetProperty("orderedCents").GetInt64(), Is.EqualTo(10_000));
    }

    [Test]
    public async Task All_errors_of_all_lines_come_at_once()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var twin = await world.AddPointAsync("Jumeau");
        await world.AddPointAsync("Jumeau");
        var file = $"""
            point;carnets;carnets_pic
            Mairie;2;
            Inconnu;0;
            {other.Points[0]};1;
            mairie;-3;
            {twin};1;2
            Mairie;1;
            Jumeau;deux;x
            {world.Points[1]};1
            """;
        var answer = await world.Authority.UploadAsync(world.FilePath(), file);
        Assert.That((answer.Status, answer["valid"].GetBoolean()), Is.EqualTo((200, false)), answer.ToString());
        Assert.That(answer["errors"].EnumerateArray().Select(e => (e.GetProperty("line").GetInt64(), e.GetProperty("kind").GetString())),
            Is.EqualTo(new[]
            {
                (3L, "point-unknown"), (3L, "booklets-invalid"), (4L, "point-unknown"), (5L, "point-unknown"), (5L, "booklets-invalid"),
                (6L, "pic-invalid"), (7L, "duplicate"), (8L, "point-ambiguous"), (8L, "booklets-invalid"), (8L, "pic-invalid"),
                (9L, "columns"),
            }));
        Assert.That(answer["errorCounts"].GetProperty("point-unknown").GetInt64(), Is.EqualTo(3));
        var duplicate = answer["duplicates"].EnumerateArray().Single();
        Assert.That(duplicate.GetProperty("lines").EnumerateArray().Select(l => l.GetInt64()), Is.EqualTo(new[] { 2L, 7L }));
        var refused = await world.Authority.UploadAsync(world.FilePath("&dryRun=false"), file);
        Assert.That((refused.Status, refused.Problem, refused["errorCount"].GetInt64()), Is.EqualTo((409, "order-file-invalid", 11)));
        var table = await world.Authority.UploadAsync(world.FilePath().Replace("orders/file", "orders/file/errors.csv", StringComparison.Ordinal), file);
        Assert.That((table.Status, table.ContentType, table.Body.Split("\r\n").Length), Is.EqualTo((200, "text/csv", 13)));
    }

    [Test]
    public async Task A_hundred_thousand_bad_lines_are_all_counted_and_all_in_the_table()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var file = new StringBuilder("point;carnets\n");
        for (var i = 0; i < 100_000; i++) file.Append("Nulle part ").Append(i).Append(";0\n");
        var answer = await world.Authority.UploadAsync(world.FilePath(), file.ToString());
        Assert.That((answer.Status, answer["lineCount"].GetInt64(), answer["errorCount"].GetInt64(), answer["errors"].GetArrayLength()),
            Is.EqualTo((200, 100_000, 200_000, 1_000)));
        Assert.That(answer["errorCounts"].GetProperty("booklets-invalid").GetInt64(), Is.EqualTo(100_000));
        var table = await world.Authority.UploadAsync(
            world.FilePath().Replace("orders/file", "orders/file/errors.csv", StringComparison.Ordinal), file.ToString());
        Assert.That(table.Body.Split("\r\n"), Has.Length.EqualTo(200_002));
    }

    [TestCase("lieu;carnets\nMairie;2\n", "« lieu »")]
    [TestCase("point\nMairie\n", "il manque")]
    [TestCase("point;carnets;booklets\nMairie;2;2\n", "deux fois")]
    [TestCase("Mairie;2\n", "« Mairie », « 2 »")]
    [TestCase("point;carnets\n", "pas de ligne")]
    [TestCase("  ", "vide")]
    [TestCase("point;carnets\nMairie;\"2\n", "Ligne 2 : un guillemet")]
    public async Task A_file_that_is_none_is_refused_with_what_is_expected(string file, string said)
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var answer = await world.Authority.UploadAsync(world.FilePath(), file);
        Assert.That(answer.Status, Is.EqualTo(400), answer.ToString());
        Assert.That(answer["errors"].GetProperty("file")[0].GetString(), Does.Contain(said));
    }

    [Test]
    public async Task Encodings_are_read_where_there_is_no_doubt_and_refused_with_the_line_where_they_mix()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        await world.AddPointAsync("Médiathèque d’Œuilly");
        byte[] windows = [.. "point;carnets\nM"u8, 0xE9, .. "diath"u8, 0xE8, .. "que d"u8, 0x92, 0x8C, .. "uilly;1\n"u8];
        Assert.That((await world.Authority.UploadAsync(world.FilePath(), windows))["valid"].GetBoolean(), Is.True);
        Assert.That((await world.Authority.UploadAsync(world.FilePath(), "point;carnets\nMédiathèque d’Œuilly;1\n"))["valid"].GetBoolean(), Is.True);
        var mixed = await world.Authority.UploadAsync(
            world.FilePath(), [.. Encoding.UTF8.GetBytes("point;carnets\nMairie;1\nMédiathèque;1\nM"), 0xE9, .. "dia;1\n"u8]);
        Assert.That((mixed.Status, mixed["errors"].GetProperty("file")[0].GetString()![..9]), Is.EqualTo((400, "Ligne 4 :")), mixed.ToString());
        var wide = await world.Authority.UploadAsync(world.FilePath(), [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("point;carnets\n")]);
        Assert.That(wide["errors"].GetProperty("file")[0].GetString(), Does.Contain("CSV UTF-8"));
    }

    [Test]
    public async Task What_stands_against_the_whole_order_is_told_in_the_trial_and_refuses_it()
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["minimumOrderCents"] = 5_001);
        foreach (var (file, code) in new[] { ("point;carnets\nMairie;1\n", "order-below-minimum"), ("point;carnets\nMairie;21\n", "budget-exceeded"),
            ("point;carnets\nMairie;200001\n", "order-too-large") })
        {
            var trial = await world.Authority.UploadAsync(world.FilePath(), file);
            Assert.That((trial["valid"].GetBoolean(), trial["problems"][0].GetProperty("code").GetString()), Is.EqualTo((false, code)), trial.ToString());
            var refused = await world.Authority.UploadAsync(world.FilePath("&dryRun=false"), file);
            Assert.That((refused.Status, refused.Problem), Is.EqualTo((409, code)));
        }

        var past = await world.Authority.UploadAsync(world.FilePath(validUntil: ConventionWorld.Today), "point;carnets\nMairie;2\n");
        Assert.That(past["problems"][0].GetProperty("code").GetString(), Is.EqualTo("valid-until-past"));
        Assert.That((await world.BalancesAsync()).GetProperty("orderedCents").GetInt64(), Is.Zero, "nothing half done");
        await NothingStagedAsync();
    }

    [Test]
    public async Task What_the_budget_refuses_by_the_time_the_order_is_made_fails_the_job_in_words()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        await world.PlaceAsync(booklets: 10);
        var files = Enumerable.Range(0, 4).Select(i => world.Authority.UploadAsync(world.FilePath($"&dryRun=false&wave={i}"), "point;carnets\nMairie;5\n"));
        var answers = await Task.WhenAll(files);
        var jobs = new List<Answer>();
        foreach (var answer in answers.Where(a => a.Status == 202)) jobs.Add(await world.OverAsync(answer["jobId"].GetString()!));
        Assert.That(jobs.Count(j => j["state"].GetString() == "done"), Is.EqualTo(2), "500 € of 1,000 € were left, each takes 250 €");
        foreach (var failed in jobs.Where(j => j["state"].GetString() == "failed"))
            Assert.That((failed["errorCode"].GetString(), failed["error"].GetString()),
                Is.EqualTo(("budget-exceeded", PlaceOrder.BudgetExceeded.Title + " " + PlaceOrder.BudgetExceeded.Detail)));
        await NothingStagedAsync();
    }

    [Test]
    public async Task Each_mistake_of_the_head_is_named_and_others_conventions_are_unknown()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var bare = await world.Authority.UploadAsync("orders/file", "point;carnets\n");
        Assert.That(bare["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "conventionId", "vouchersPerBooklet", "validUntil" }));
        var wrong = await world.Authority.UploadAsync(
            $"orders/file?conventionId=x&vouchersPerBooklet=21&validUntil=2101-01-01&wave={new string('x', 81)}", "point;carnets\n");
        Assert.That(wrong["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "conventionId", "vouchersPerBooklet", "validUntil", "wave" }));
        Assert.That((await world.Authority.UploadAsync(world.FilePath("&dryRun=non"), "point;carnets\n")).Status, Is.EqualTo(400));
        Assert.That((await other.Authority.UploadAsync(world.FilePath(), "point;carnets\nMairie;1\n")).Problem, Is.EqualTo("convention-unknown"));
        Assert.That((await world.Authority.UploadAsync(world.FilePath(), "{}"u8.ToArray(), "application/json")).Problem, Is.EqualTo("not-file"));
        Assert.That((await (await world.ClientOfNewAsync("state")).UploadAsync(world.FilePath(), "point")).Status, Is.EqualTo(403));
        var large = await world.Authority.UploadAsync(world.FilePath(), new byte[(16 * 1_048_576) + 1]);
        Assert.That((large.Status, large.Problem), Is.EqualTo((413, "body-too-large")));
    }

    [Test]
    public async Task Two_thousand_points_are_one_order_by_one_short_command()
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 100_000_000);
        var file = new StringBuilder("point;carnets\n");
        for (var i = 0; i < 2_000; i++) file.Append(await world.AddPointAsync($"Point {i}")).Append(";1\n");
        var order = await OrderAsync(world, file.ToString());
        var lots = await _service.QueryAsync<long>(
            "SELECT last_serial - first_serial FROM lots WHERE order_id = @Id", new { Id = order });
        Assert.That((lots.Count, lots.Distinct().Single()), Is.EqualTo((2_000, 4)));
        var longer = file + $"{world.Points[0]};1\n";
        var refused = await world.Authority.UploadAsync(world.FilePath("&dryRun=false"), longer);
        Assert.That(refused.Problem, Is.EqualTo("order-too-large"));
    }

    private async Task<string> OrderAsync(ConventionWorld world, string file)
    {
        var sent = await world.Authority.UploadAsync(world.FilePath("&dryRun=false"), file);
        if (sent.Status != 202) throw new InvalidOperationException(sent.ToString());
        var job = await world.OverAsync(sent["jobId"].GetString()!);
        return job["link"].GetString()!.Split('/')[^1];
    }

    /// <summary>Removed once the job is over, a moment later.</summary>
    private async Task NothingStagedAsync()
    {
        for (var tries = 0; ; tries++)
        {
            var left = (await _service.QueryAsync<long>("""
                SELECT CAST(COUNT(*) AS bigint) + (SELECT CAST(COUNT(*) AS bigint) FROM order_file_stagings) FROM order_file_lines
                """))[0];
            if (left == 0) return;
            if (tries == 200) Assert.Fail($"{left} staged rows are left.");
            await Task.Delay(50);
        }
    }
}
