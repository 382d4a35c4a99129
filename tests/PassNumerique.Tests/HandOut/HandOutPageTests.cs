using NUnit.Framework;
using PassNumerique.Tests.Platform.Web;

namespace PassNumerique.Tests.HandOut;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class HandOutPageTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private Browser _browser = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service);
        _browser = new(_service);
        await _browser.SignInAsync(
            await People.AddAsync(_service, _scenario.AuthorityId, "agent", _scenario.PointId), People.Password);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _browser.Dispose();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task The_number_alone_is_enough_and_the_agent_can_undo()
    {
        var page = await _browser.OpenAsync("/remise");
        Rgaa.Check(page);
        var done = await _browser.SubmitAsync(page, "/remise", Typed(_scenario.FirstSerial));
        Assert.That((done.Status, done.Title), Is.EqualTo((200, $"Carnet n° {_scenario.FirstSerial} remis")), done.Text);
        Assert.That(done.Text, Does.Contain("5 pass de 2 h chacun"));
        Rgaa.Check(done);

        var undone = await _browser.SubmitAsync(done, "/remise/annulation");
        Assert.That(undone.Text, Does.Contain("Remise annulée"));
        var again = await _browser.SubmitAsync(done, "/remise/annulation");
        Assert.That((again.Status, again.RefusalCode), Is.EqualTo((409, "hand-out-not-current")));
        Rgaa.Check(again);
    }

    [Test]
    public async Task The_person_is_told_where_to_go()
    {
        var page = await _browser.OpenAsync("/remise");
        var option = page.Document.QuerySelectorAll("select[name='orientedTo.siteId'] option")
            .Single(o => o.GetAttribute("value") == _scenario.SiteId);
        Assert.That(option.TextContent, Is.EqualTo("Espace numérique d'essai, 2 rue de l'Essai, Reims"));
        var done = await _browser.SubmitAsync(page, "/remise", Typed(_scenario.FirstSerial + 5, ("orientedTo.siteId", _scenario.SiteId)));
        Assert.That(done.Document.QuerySelector("address")!.TextContent, Does.Contain("Espace numérique d'essai"));
    }

    [Test]
    public async Task A_double_click_is_one_hand_out()
    {
        var page = await _browser.OpenAsync("/remise");
        var typed = Typed(_scenario.FirstSerial + 10);
        var first = await _browser.SubmitAsync(page, "/remise", typed);
        var second = await _browser.SubmitAsync(page, "/remise", typed);
        Assert.That((first.Status, second.Status, second.Title), Is.EqualTo((200, 200, first.Title)));
        var rows = await _service.QueryAsync<long>(
            "SELECT part FROM booklet_entries WHERE booklet = @Booklet", new { Booklet = _scenario.FirstSerial + 10 });
        Assert.That(rows, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task The_same_form_with_other_answers_is_shown_again_as_another_operation()
    {
        var page = await _browser.OpenAsync("/remise");
        await _browser.SubmitAsync(page, "/remise", Typed(_scenario.FirstSerial + 15));
        var other = await _browser.SubmitAsync(page, "/remise", Typed(_scenario.FirstSerial + 20));
        Assert.That((other.Status, other.RefusalCode), Is.EqualTo((422, "idempotency-key-reused")));
        var sent = await _browser.SubmitAsync(other, "/remise");
        Assert.That(sent.Title, Is.EqualTo($"Carnet n° {_scenario.FirstSerial + 20} remis"));
    }

    [Test]
    public async Task What_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost()
    {
        var page = await _browser.SubmitAsync(await _browser.OpenAsync("/remise"), "/remise", new Dictionary<string, string>
        {
            ["bookletNumber"] = "douze",
            ["person.commune"] = "Sainte-Colombe",
            ["person.reference"] = "D-<12>",
        });
        Assert.That(page.Status, Is.EqualTo(400));
        Assert.That(page.Document.GetElementById("champ-bookletNumber-erreur")!.TextContent, Does.Contain("nombre entier"));
        Assert.That(page.Document.GetElementById("champ-person-commune-erreur")!.TextContent, Does.Contain("code INSEE"));
        Assert.That(page.Document.QuerySelector("input[name='person.reference']")!.GetAttribute("value"), Is.EqualTo("D-<12>"));
        Rgaa.Check(page);
    }

    [Test]
    public async Task A_booklet_that_does_not_exist_is_refused_in_words()
    {
        var page = await _browser.SubmitAsync(await _browser.OpenAsync("/remise"), "/remise", Typed(3_999_999_999));
        Assert.That((page.Status, page.RefusalCode), Is.EqualTo((404, "booklet-unknown")));
        Assert.That(page.Document.QuerySelector("#erreurs[autofocus][tabindex='-1']"), Is.Not.Null);
    }

    [Test]
    public async Task A_site_may_not_hand_out()
    {
        using var browser = new Browser(_service);
        var structure = (await _service.QueryAsync<string>(
            "SELECT organisation_id FROM sites WHERE id = @Id", new { Id = _scenario.SiteId })).Single();
        await browser.SignInAsync(await People.AddAsync(_service, structure, "site", _scenario.SiteId), People.Password);
        var page = await browser.OpenAsync("/remise");
        Assert.That(page.Status, Is.EqualTo(403));
        Rgaa.Check(page);
    }

    private static Dictionary<string, string> Typed(long booklet, params (string Name, string Value)[] more) =>
        more.Append(("bookletNumber", $"{booklet}")).ToDictionary(f => f.Item1, f => f.Item2);
}
