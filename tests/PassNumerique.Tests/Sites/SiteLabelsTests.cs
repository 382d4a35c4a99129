using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Platform.Data;
using PassNumerique.Sites;

namespace PassNumerique.Tests.Sites;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class SiteLabelsTests(string engine)
{
    private TestService _service = null!;
    private Scene _scene = null!;
    private string _structureId = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scene = new Scene(_service);
        _structureId = await _scene.OrganisationAsync("structure");
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [TestCase(9, "none")]
    [TestCase(10, "labelled")]
    [TestCase(19, "labelled")]
    [TestCase(20, "suspended")]
    [TestCase(29, "suspended")]
    [TestCase(30, "labelled")]
    [TestCase(40, "withdrawn")]
    [TestCase(4_000, "withdrawn")]
    public void The_last_line_that_covers_a_day_decides_it(long day, string status)
    {
        LabelRow[] lines = [new("s", 3, "withdrawn", 40, null), new("s", 1, "labelled", 10, null),
            new("s", 2, "suspended", 20, 29)];
        Assert.That(SiteLabels.On(day, lines), Is.EqualTo(status));
    }

    [Test]
    public async Task Lines_are_added_one_after_the_other_and_read_back()
    {
        var id = await _scene.SiteAsync(_structureId);
        var first = await LabelAsync(id, "labelled", "2025-01-01");
        var second = await LabelAsync(id, "suspended", "2025-03-01", "2025-03-31");
        Assert.That((first.Status, first["position"].GetInt64()), Is.EqualTo((201, 1)), first.ToString());
        Assert.That((second.Status, second["position"].GetInt64()), Is.EqualTo((201, 2)), second.ToString());
        var hub = await _scene.ClientAsync("hub");
        var page = await hub.ReadAsync($"sites/{id}/labels?limit=1");
        var rest = await hub.ReadAsync($"sites/{id}/labels?limit=1&after={page["next"].GetString()}");
        Assert.That(page["items"][0].GetRawText(), Is.EqualTo(first.Body));
        Assert.That(rest["items"][0].GetRawText(), Is.EqualTo(second.Body));
        Assert.That(rest["next"].GetString(), Is.Null);
        Assert.That((await _scene.Operator.ReadAsync($"sites/{id}"))["label"].GetString(),
            Is.EqualTo("labelled"));
        var listed = (await _service.Client().ReadAsync("sites?limit=200"))["items"].EnumerateArray()
            .Single(s => s.GetProperty("id").GetString() == id);
        Assert.That(listed.GetProperty("label").GetString(), Is.EqualTo("labelled"));
    }

    [Test]
    public async Task Two_at_once_take_two_positions()
    {
        var id = await _scene.SiteAsync(_structureId);
        var answers = await Task.WhenAll(Enumerable.Range(0,
            8).Select(_ => LabelAsync(id, "labelled", "2025-01-01")));
        Assert.That(answers.Select(a => a["position"].GetInt64()).Order(),
            Is.EqualTo(Enumerable.Range(1, 8)));
    }

    [Test]
    public async Task The_store_decides_a_day_as_the_rule_does()
    {
        var id = await _scene.SiteAsync(_structureId);
        var random = new Random(20_261_123);
        for (var i = 0; i < 12; i++)
        {
            var from = new DateOnly(2025, 1, 1).AddDays(random.Next(40));
            var until = random.Next(3) == 0 ? (DateOnly?)null : from.AddDays(random.Next(20));
            await LabelAsync(id, SiteLabels.Codes[random.Next(3)], $"{from:yyyy-MM-dd}",
                until is { } u ? $"{u:yyyy-MM-dd}" : null);
        }

        var lines = await _service.QueryAsync<LabelRow>(
            """
            SELECT site_id AS SiteId, position AS Position, status AS Status, from_day AS FromDay,
                until_day AS UntilDay
              FROM site_labels
             WHERE site_id = @Id
            """, new { Id = id });
        await using var scope = _service.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<Session>();
        for (var day = lines.Min(l => l.FromDay) - 2; day < lines.Max(l => l.FromDay) + 25; day++)
        {
            var expected = SiteLabels.On(day, lines);
            Assert.That(await SiteLabels.OnAsync(db, id, day), Is.EqualTo(expected));
            Assert.That(await SiteLabels.IsLabelledAsync(db, id, day), Is.EqualTo(expected == "labelled"));
        }
    }

    [Test]
    public async Task Every_mistake_is_told_at_once()
    {
        var id = await _scene.SiteAsync(_structureId);
        var answer = await _scene.Operator.PostAsync($"sites/{id}/label",
            new { status = "none", from = "1925-01-01", until = "1924-12-31", reason = "" });
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "status", "from", "until", "reason" }), answer.Body);
        var twice = await _scene.Operator.PostAsync($"sites/{id}/label",
            new { status = "labelled", from = "2025-01-01", reason = "x", siteId = id });
        Assert.That((twice.Status, twice["errors"].TryGetProperty("siteId", out _)), Is.EqualTo((400, true)),
            twice.Body);
        var type = await _scene.Operator.PostAsync($"sites/{id}/label",
            new { status = "labelled", from = "demain", reason = "x" });
        Assert.That((type.Status, type["errors"].TryGetProperty("from", out _)), Is.EqualTo((400, true)));
        Assert.That((await _scene.Operator.ReadAsync($"sites/{id}/labels?after=x")).Status, Is.EqualTo(400));
    }

    [Test]
    public async Task A_site_that_is_not_there_has_no_label()
    {
        var body = new { status = "labelled", from = "2025-01-01", reason = "Dossier complet" };
        var answer = await _scene.Operator.PostAsync($"sites/{Guid.NewGuid()}/label", body);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "not-found")));
    }

    [Test]
    public async Task A_site_reads_its_own_history_and_writes_none()
    {
        var (mine, other) = (await _scene.SiteAsync(_structureId), await _scene.SiteAsync(_structureId));
        var site = await _scene.ClientAsync("site", _structureId, mine);
        Assert.That((await site.ReadAsync($"sites/{mine}/labels")).Status, Is.EqualTo(200));
        Assert.That((await site.ReadAsync($"sites/{other}/labels")).Problem, Is.EqualTo("not-found"));
        var write = await site.PostAsync($"sites/{mine}/label",
            new { status = "labelled", from = "2025-01-01", reason = "moi" });
        Assert.That(write.Problem, Is.EqualTo("not-allowed"));
    }

    private Task<Answer> LabelAsync(string siteId, string status, string from, string? until = null) =>
        _scene.Operator.PostAsync($"sites/{siteId}/label",
            new { status, from, until, reason = "Comité du hub" });
}
