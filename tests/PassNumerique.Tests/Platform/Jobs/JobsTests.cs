using NUnit.Framework;
using PassNumerique.Platform.Jobs;
using PassNumerique.Tests.Orders;
using PassNumerique.Tests.Platform.Web;

namespace PassNumerique.Tests.Platform.Jobs;

/// <summary>Who sees which job, what it tells, and what becomes of those of a process that died.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class JobsTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_job_is_for_who_began_it_and_the_operator()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var id = await FileAsync(world);
        var mine = await world.OverAsync(id);
        Assert.That((mine["by"].GetString(), mine["total"].GetInt64()), Is.EqualTo(("clé authority", 1)));
        Assert.That((await world.Operator.ReadAsync($"jobs/{id}")).Status, Is.EqualTo(200));
        Assert.That((await other.Authority.ReadAsync($"jobs/{id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.Authority.ReadAsync("jobs"))["items"].GetArrayLength(), Is.Zero);
        Assert.That((await world.Authority.ReadAsync("jobs"))["items"].EnumerateArray().Select(j => j.GetProperty("id").GetString()),
            Is.EqualTo(new[] { id }));
        Assert.That((await (await world.ClientOfNewAsync("hub")).ReadAsync("jobs")).Status, Is.EqualTo(403));
        Assert.That((await world.Authority.ReadAsync("jobs?after=x")).Status, Is.EqualTo(400));
        Assert.That((await world.Authority.ReadAsync("jobs/x")).Problem, Is.EqualTo("not-found"));
    }

    [Test]
    public async Task Jobs_come_in_pages_the_newest_first()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var ids = new List<string>();
        for (var wave = 0; wave < 3; wave++) ids.Add(await FileAsync(world, $"&wave={wave}"));
        var first = await world.Authority.ReadAsync("jobs?limit=2");
        var second = await world.Authority.ReadAsync($"jobs?limit=2&after={first["next"].GetString()}");
        Assert.That(first["items"].EnumerateArray().Concat(second["items"].EnumerateArray()).Select(j => j.GetProperty("id").GetString()),
            Is.EqualTo(ids.AsEnumerable().Reverse()));
    }

    [Test]
    public async Task A_page_has_a_bar_with_words_beside_it()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var id = await FileAsync(world);
        await world.OverAsync(id);
        using var browser = new Browser(_service);
        await browser.SignInAsync(await People.AddAsync(_service, world.AuthorityId, "authority"), People.Password);
        var list = await browser.OpenAsync("/travaux");
        Rgaa.Check(list);
        Assert.That(list.Text, Does.Contain("Commande par fichier").And.Contain("terminé"));
        var page = await browser.OpenAsync($"/travaux/{id}");
        Rgaa.Check(page);
        Assert.That(page.Document.QuerySelector("progress")!.GetAttribute("value"), Is.EqualTo("1"));
        Assert.That(page.Text, Does.Contain("Terminé : 1 sur 1 lignes (100 %)"));
        Assert.That((await browser.OpenAsync($"/travaux/{Guid.NewGuid()}")).Status, Is.EqualTo(404));
    }

    [TestCase(250, 1_000, 100, 1_500L, 100L, 8L, 25)]
    [TestCase(100, 1_000, 100, 1_500L, null, null, 10)]
    [TestCase(1_000, 1_000, 0, 2_000L, 500L, 0L, 100)]
    public void Rate_and_time_left_are_those_of_the_run_under_way(
        long done, long total, long runDone, long ranMs, long? rate, long? left, long percent)
    {
        var job = new Job("j", "k", "o", "a", "operator", "s", JobState.Running, 2, done, total, runDone, 10_000, null, null, null, 0,
            10_000 + ranMs);
        Assert.That((job.RatePerSecond, job.SecondsLeft, job.Percent), Is.EqualTo((rate, left, percent)));
    }

    /// <summary>As a process leaves them that was killed: under its own name, its lease over.</summary>
    [TestCase(2, "done")]
    [TestCase(1, "failed")]
    public async Task A_file_whose_process_died_is_ordered_if_all_its_lines_are_there(int staged, string state)
    {
        var folder = engine == Engines.Sqlite ? Path.Combine(Path.GetTempPath(), "pass-numerique-" + Guid.NewGuid().ToString("N")) : null;
        await using var service = await TestService.StartAsync(engine, folder: folder);
        var world = await ConventionWorld.CreateAsync(service);
        await LeaveBehindAsync(service, world, staged);
        var job = await world.OverAsync(JobId);
        Assert.That(job["state"].GetString(), Is.EqualTo(state), job.ToString());
        if (state == "failed") Assert.That(job["errorCode"].GetString(), Is.EqualTo("order-file-incomplete"));
        var orders = (await world.Authority.ReadAsync("orders"))["items"];
        Assert.That(orders.GetArrayLength(), Is.EqualTo(state == "done" ? 1 : 0));
        if (state == "done") Assert.That(orders[0].GetProperty("voucherCount").GetInt64(), Is.EqualTo(15));
        if (folder is not null) Directory.Delete(folder, recursive: true);
    }

    private const string JobId = "0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4";

    private static async Task LeaveBehindAsync(TestService service, ConventionWorld world, int staged)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var day = ConventionWorld.Today.AddYears(1).DayNumber - new DateOnly(1970, 1, 1).DayNumber;
        for (var i = 0; i < staged + 2; i++)
        {
            // Line by line, last the job, so that the runner sees it whole.
            var sql = i switch
            {
                0 => """
                    INSERT INTO jobs (id, kind, organisation_id, actor_id, role, subject_id, state, run, done, total, run_done, run_ms,
                                      owner_id, lease_ms, made_id, error_code, error, created_ms, changed_ms)
                    VALUES (@JobId, 'order-file', @OrganisationId, @ActorId, 'authority', @ConventionId, 'running', 1, 0, 2, 0, @NowMs,
                            @OwnerId, @LeaseMs, NULL, NULL, NULL, @NowMs, @NowMs)
                    """,
                1 => """
                    INSERT INTO order_file_stagings (job_id, fingerprint, convention_id, line_count, booklet_count, vouchers_per_booklet,
                                                     valid_until_day, campaign, wave, comment)
                    SELECT @JobId, @Fingerprint, @ConventionId, 2, 3, 5, @ValidUntilDay, NULL, NULL, NULL
                     WHERE EXISTS (SELECT 1 FROM jobs WHERE id = @JobId)
                    """,
                _ => """
                    INSERT INTO order_file_lines (job_id, position, point_id, booklets_before, booklet_count, pic_booklets)
                    VALUES (@JobId, @Position, @PointId, @BookletsBefore, @BookletCount, NULL)
                    """,
            };
            await service.ExecuteAsync(sql, new
            {
                JobId,
                OrganisationId = world.AuthorityId,
                ActorId = JobId,
                world.ConventionId,
                Fingerprint = new string('f', 64),
                ValidUntilDay = (long)day,
                NowMs = now,
                LeaseMs = now + 60_000,
                ((JobDesk)service.Services.GetService(typeof(JobDesk))!).OwnerId,
                Position = i - 1L,
                PointId = world.Points[i < 2 ? 0 : i - 2],
                BookletsBefore = i == 3 ? 1L : 0L,
                BookletCount = i == 3 ? 2L : 1L,
            });
        }

        await service.ExecuteAsync(
            "UPDATE jobs SET state = 'running', owner_id = @OwnerId, lease_ms = 1 WHERE id = @Id",
            new { Id = JobId, OwnerId = "0198c1d2-5a3e-7b4c-8d5e-000000000000" });
    }

    private static async Task<string> FileAsync(ConventionWorld world, string more = "")
    {
        var sent = await world.Authority.UploadAsync(world.FilePath("&dryRun=false" + more), "point;carnets\nMairie;1\n");
        return sent["jobId"].GetString() ?? throw new InvalidOperationException(sent.ToString());
    }
}
