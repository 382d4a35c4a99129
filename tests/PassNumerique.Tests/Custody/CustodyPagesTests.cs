using NUnit.Framework;
using PassNumerique.Tests.Platform.Web;

namespace PassNumerique.Tests.Custody;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class CustodyPagesTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private Browser _agent = null!;
    private Browser _authority = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, booklets: 20);
        (_agent, _authority) = (new(_service), new(_service));
        await _agent.SignInAsync(
            await People.AddAsync(_service, _scenario.AuthorityId, "agent", _scenario.PointId), People.Password);
        await _authority.SignInAsync(await People.AddAsync(_service, _scenario.AuthorityId, "authority"), People.Password);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _agent.Dispose();
        _authority.Dispose();
        await _service.DisposeAsync();
    }

    private static Dictionary<string, string> Typed(params (string Name, string Value)[] fields) =>
        fields.ToDictionary(f => f.Name, f => f.Value);

    [Test]
    public async Task Booklets_are_sent_from_the_stock_and_received()
    {
        var stock = await _agent.OpenAsync("/stock");
        Rgaa.Check(stock);
        Assert.That(stock.Document.QuerySelectorAll("nav.menu a").Select(a => a.TextContent),
            Is.SupersetOf(new[] { "Stock", "Carnet perdu", "Suivre un pass" }));
        var path = $"/stock/{_scenario.PointId}";
        var point = await _agent.OpenAsync(path);
        Rgaa.Check(point);
        var first = _scenario.FirstSerial;
        var wrong = await _agent.SubmitAsync(point, path, Typed(("toPointId", _scenario.OtherPointId), ("bookletNumbers", "douze")));
        Assert.That((wrong.Status, wrong.Document.GetElementById("champ-bookletNumbers-erreur")!.TextContent.Contains("douze", StringComparison.Ordinal)),
            Is.EqualTo((400, true)));
        Rgaa.Check(wrong);
        var unknown = await _agent.SubmitAsync(point, path, Typed(("toPointId", _scenario.OtherPointId), ("bookletNumbers", $"{first + 1}")));
        Assert.That((unknown.Status, unknown.RefusalCode, unknown.Text.Contains($"Numéros concernés : {first + 1}.", StringComparison.Ordinal)),
            Is.EqualTo((404, "booklet-unknown", true)), unknown.Text);
        var sent = await _agent.SubmitAsync(point, path,
            Typed(("toPointId", _scenario.OtherPointId), ("bookletNumbers", $"{first}-{first + 10}")));
        Assert.That((sent.Status, sent.Text.Contains("en route", StringComparison.Ordinal)), Is.EqualTo((200, true)), sent.Text);
        Rgaa.Check(sent);
        var confirm = sent.Path + "/reception";
        var mine = await _agent.SubmitAsync(sent, confirm);
        Assert.That((mine.Status, mine.RefusalCode), Is.EqualTo((409, "transfer-not-yours-to-confirm")));
        var theirs = await _authority.OpenAsync(sent.Path);
        var short1 = await _authority.SubmitAsync(theirs, confirm, Typed(("bookletNumbers", $"{first} {first + 5}")));
        Assert.That((short1.RefusalCode, short1.Text.Contains($"Numéros manquants : {first + 10}.", StringComparison.Ordinal)),
            Is.EqualTo(("transfer-incomplete", true)), short1.Text);
        Rgaa.Check(short1);
        var received = await _authority.SubmitAsync(short1, confirm);
        Assert.That(received.RefusalCode, Is.EqualTo("transfer-incomplete"));
        var done = await _authority.SubmitAsync(received, confirm, Typed(("bookletNumbers", "")));
        Assert.That((done.Status, done.Text.Contains("reçu le", StringComparison.Ordinal)), Is.EqualTo((200, true)), done.Text);
        var list = await _authority.OpenAsync("/stock/transferts");
        Rgaa.Check(list);
        Assert.That(list.Text, Does.Contain("CCAS d'essai").And.Contain("reçu"));
    }

    [Test]
    public async Task A_transfer_is_cancelled_with_a_reason()
    {
        var path = $"/stock/{_scenario.PointId}";
        var sent = await _agent.SubmitAsync(await _agent.OpenAsync(path), path,
            Typed(("toPointId", _scenario.OtherPointId), ("bookletNumbers", $"{_scenario.FirstSerial + 20}")));
        var cancelled = await _agent.SubmitAsync(sent, sent.Path + "/annulation", Typed(("reason", "resté au bureau")));
        Assert.That((cancelled.Status, cancelled.Text.Contains("resté au point de départ", StringComparison.Ordinal)),
            Is.EqualTo((200, true)), cancelled.Text);
    }

    [Test]
    public async Task An_inventory_shows_the_difference_and_takes_the_explanation()
    {
        var path = $"/stock/{_scenario.PointId}/inventaire";
        var page = await _agent.OpenAsync(path);
        Rgaa.Check(page);
        var differs = await _agent.SubmitAsync(page, path, Typed(("counted", "999")));
        Assert.That((differs.Status, differs.RefusalCode, differs.Text.Contains("Comptés : 999", StringComparison.Ordinal)),
            Is.EqualTo((409, "inventory-differs", true)), differs.Text);
        Rgaa.Check(differs);
        var done = await _agent.SubmitAsync(differs, path, Typed(("explanation", "essai")));
        Assert.That((done.Status, done.Text.Contains("Inventaire enregistré", StringComparison.Ordinal)), Is.EqualTo((200, true)), done.Text);
        Rgaa.Check(done);
        var empty = await _agent.SubmitAsync(page, path);
        Assert.That(empty.Status, Is.EqualTo(400));
    }

    [Test]
    public async Task Returns_and_reminders_have_their_pages()
    {
        var page = await _agent.OpenAsync("/stock/retours");
        Rgaa.Check(page);
        var booklet = _scenario.FirstSerial + 30;
        var done = await _agent.SubmitAsync(page, "/stock/retours", Typed(("bookletNumbers", $"{booklet}"), ("reason", "inutilisé")));
        Assert.That((done.Status, done.Text.Contains("1 carnet rendu", StringComparison.Ordinal)), Is.EqualTo((200, true)), done.Text);
        var again = await _agent.SubmitAsync(done, "/stock/retours", Typed(("bookletNumbers", $"{booklet}"), ("reason", "inutilisé")));
        Assert.That(again.Text, Does.Contain("1 refusé").And.Contain("Ce carnet a été rendu."));
        Rgaa.Check(again);
        Assert.That((await _agent.SubmitAsync(page, "/stock/retours")).Status, Is.EqualTo(400));
        var reminders = await _authority.OpenAsync("/stock/rappels?days=0");
        Rgaa.Check(reminders);
        Assert.That(reminders.Text, Does.Contain("Il vous reste"));
        Assert.That((await _authority.OpenAsync("/stock/rappels?days=x")).Status, Is.EqualTo(400));
    }

    [Test]
    public async Task A_lost_booklet_is_replaced_at_the_desk()
    {
        var booklet = _scenario.FirstSerial + 40;
        Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet, reference: "page-1")));
        var page = await _agent.OpenAsync("/carnet-perdu");
        Rgaa.Check(page);
        var none = await _agent.SubmitAsync(page, "/carnet-perdu", Typed(("reason", "perdu")));
        Assert.That(none.Status, Is.EqualTo(400));
        Rgaa.Check(none);
        var done = await _agent.SubmitAsync(page, "/carnet-perdu", Typed(
            ("pointId", _scenario.PointId), ("handedOutOn", Scenario.Today.ToString("yyyy-MM-dd", null)), ("reference", "page-1"),
            ("reason", "perdu")));
        Assert.That((done.Status, done.Text.Contains($"en remplacement du n° {booklet}", StringComparison.Ordinal)),
            Is.EqualTo((200, true)), done.Text);
        Rgaa.Check(done);
        var history = await _agent.OpenAsync($"/pass/{booklet}");
        Assert.That(history.Text, Does.Contain("carnet déclaré perdu et remplacé").And.Contain("remplacé par le pass"));
        Rgaa.Check(history);
    }

    [Test]
    public async Task A_pass_is_found_by_its_number_and_a_site_only_by_who_may_know_it()
    {
        var serial = _scenario.FirstSerial + 50;
        Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(serial, reference: "D-secret")));
        Scenario.Ok(await _scenario.Site().PostAsync("redemptions", await _scenario.RedemptionAsync(serial)));
        var search = await _authority.OpenAsync("/pass");
        Rgaa.Check(search);
        var found = await _authority.OpenAsync($"/pass?numero={serial}");
        Assert.That((found.Path, found.Title), Is.EqualTo(($"/pass/{serial}", $"Pass n° {serial}")));
        Assert.That(found.Text, Does.Contain("utilisé, Espace numérique d'essai").And.Contain("CCAS d'essai").And.Not.Contain("D-secret"));
        var agents = await _agent.OpenAsync($"/pass/{serial}");
        Assert.That(agents.Text, Does.Contain("utilisé").And.Not.Contain("Espace numérique d'essai"));
        var nobody = await _agent.OpenAsync("/pass?numero=4294967295");
        Assert.That((nobody.Status, nobody.Text.Contains("Aucun pass", StringComparison.Ordinal)), Is.EqualTo((400, true)));
        Rgaa.Check(nobody);
        Assert.That((await _agent.OpenAsync("/pass/4294967295")).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task Lost_stock_is_blocked_and_unblocked_on_a_page()
    {
        var other = await Scenario.CreateAsync(_service, booklets: 2);
        using var browser = new Browser(_service);
        await browser.SignInAsync(await People.AddAsync(_service, other.AuthorityId, "authority"), People.Password);
        var page = await browser.OpenAsync("/blocages");
        Rgaa.Check(page);
        Assert.That((await browser.SubmitAsync(page, "/blocages", Typed(("reason", "vol")))).Status, Is.EqualTo(400));
        var done = await browser.SubmitAsync(page, "/blocages", Typed(("pointId", other.PointId), ("reason", "vol")));
        Assert.That((done.Status, done.Text.Contains("10 pass bloqués", StringComparison.Ordinal)), Is.EqualTo((200, true)), done.Text);
        Rgaa.Check(done);
        var lift = done.Document.Forms.Select(f => f.GetAttribute("action")!).Single(a => a.EndsWith("/levee", StringComparison.Ordinal));
        var lifted = await browser.SubmitAsync(done, lift);
        Assert.That((lifted.Status, lifted.Text.Contains("levé le", StringComparison.Ordinal)), Is.EqualTo((200, true)), lifted.Text);
        var twice = await browser.SubmitAsync(done, lift);
        Assert.That((twice.Status, twice.RefusalCode), Is.EqualTo((409, "block-already-lifted")));
        Assert.That((await _agent.OpenAsync("/blocages")).Status, Is.EqualTo(403));
    }

    [Test]
    public async Task The_operator_chooses_a_collectivite()
    {
        using var browser = new Browser(_service);
        var organisation = (await _service.QueryAsync<string>("SELECT id FROM organisations WHERE kind = 'operator'"))[0];
        await browser.SignInAsync(await People.AddAsync(_service, organisation, "operator"), People.Password);
        var page = await browser.OpenAsync("/stock");
        Rgaa.Check(page);
        Assert.That(page.Document.QuerySelector($"option[value='{_scenario.AuthorityId}']"), Is.Not.Null);
        var stock = await browser.OpenAsync($"/stock?authorityId={_scenario.AuthorityId}");
        Assert.That(stock.Text, Does.Contain("CCAS d'essai"));
        Rgaa.Check(stock);
        Rgaa.Check(await browser.OpenAsync($"/stock/rappels?authorityId={_scenario.AuthorityId}&days=0"));
    }
}
