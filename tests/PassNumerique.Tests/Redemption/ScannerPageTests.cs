using NUnit.Framework;
using PassNumerique.Tests.Platform.Web;

namespace PassNumerique.Tests.Redemption;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ScannerPageTests(string engine)
{
    private const string Service = "Maîtrise des outils numériques du quotidien";

    private TestService _service = null!;
    private Scenario _scenario = null!;
    private Browser _browser = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, wholeVouchersOnly: false);
        _browser = new(_service);
        var structure = (await _service.QueryAsync<string>(
            "SELECT organisation_id FROM sites WHERE id = @Id", new { Id = _scenario.SiteId })).Single();
        await _browser.SignInAsync(
            await People.AddAsync(_service, structure, "site", _scenario.SiteId), People.Password);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _browser.Dispose();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task A_pass_is_checked_used_and_undone()
    {
        var code = await _scenario.CodeAsync(_scenario.FirstSerial);
        var page = await _browser.OpenAsync("/scanner");
        Rgaa.Check(page);
        var check = await _browser.SubmitAsync(page, "/scanner", Typed("verifier", code));
        Assert.That(check.Text, Does.Contain("Il vous reste 2 h sur ce pass").And.Contain("Rien n'a été débité"));
        Rgaa.Check(check);

        var used = await _browser.SubmitAsync(check, "/scanner", Typed("utiliser", code.ToLowerInvariant()));
        Assert.That(used.Text, Does.Contain("C'est enregistré : 1 h").And.Contain("Il vous reste 1 h").And.Contain("5,00 €"), used.Text);
        Assert.That(used.Document.QuerySelector("textarea[name=codes]")!.TextContent, Is.Empty, "ready for the next pass");
        Rgaa.Check(used);

        var undone = await _browser.SubmitAsync(used, "/scanner/annulation");
        Assert.That(undone.Text, Does.Contain("Utilisation annulée").And.Contain("Il vous reste 2 h"));
        var again = await _browser.SubmitAsync(used, "/scanner/annulation");
        Assert.That((again.Status, again.RefusalCode), Is.EqualTo((409, "redemption-already-reversed")));
    }

    [Test]
    public async Task A_reload_of_the_answer_is_the_same_operation()
    {
        var page = await _browser.OpenAsync("/scanner");
        var typed = Typed("utiliser", await _scenario.CodeAsync(_scenario.FirstSerial + 1));
        var first = await _browser.SubmitAsync(page, "/scanner", typed);
        var second = await _browser.SubmitAsync(page, "/scanner", typed);
        Assert.That((first.Status, second.Status), Is.EqualTo((200, 200)));
        var rows = await _service.QueryAsync<long>(
            "SELECT part FROM voucher_entries WHERE serial = @Serial", new { Serial = _scenario.FirstSerial + 1 });
        Assert.That(rows, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Several_passes_of_one_person_are_used_together()
    {
        var codes = await _scenario.CodeAsync(_scenario.FirstSerial + 2) + "\n" + await _scenario.CodeAsync(_scenario.FirstSerial + 3);
        var typed = Typed("utiliser", codes);
        typed["activity.durationMinutes"] = "180";
        var used = await _browser.SubmitAsync(await _browser.OpenAsync("/scanner"), "/scanner", typed);
        Assert.That(used.Text, Does.Contain("C'est enregistré : 3 h"), used.Text);
        Assert.That(used.Document.QuerySelectorAll("form[action='/scanner/annulation']"), Has.Length.EqualTo(2));
    }

    [Test]
    public async Task The_wrong_line_is_named()
    {
        var codes = await _scenario.CodeAsync(_scenario.FirstSerial + 4) + "\nABCD";
        foreach (var action in new[] { "utiliser", "verifier" })
        {
            var page = await _browser.SubmitAsync(await _browser.OpenAsync("/scanner"), "/scanner", Typed(action, codes));
            Assert.That(page.Status, Is.EqualTo(400));
            Assert.That(page.Document.GetElementById("champ-codes-erreur")!.TextContent, Does.Contain("Ligne 2 : Un code a 20 signes"));
            Assert.That(page.Document.QuerySelector("textarea")!.TextContent.Split('\n'), Has.Length.EqualTo(2), "nothing typed is lost");
            Rgaa.Check(page);
        }
    }

    [Test]
    public async Task A_pass_without_credit_is_refused_with_what_to_do()
    {
        var typed = Typed("utiliser", await _scenario.CodeAsync(_scenario.FirstSerial + 5));
        typed["activity.durationMinutes"] = "120";
        await _browser.SubmitAsync(await _browser.OpenAsync("/scanner"), "/scanner", typed);
        var spent = await _browser.SubmitAsync(await _browser.OpenAsync("/scanner"), "/scanner", typed);
        Assert.That((spent.Status, spent.RefusalCode), Is.EqualTo((409, "voucher-spent")));
        var check = await _browser.SubmitAsync(spent, "/scanner", new Dictionary<string, string> { ["action"] = "verifier" });
        Assert.That(check.Text, Does.Contain("entièrement utilisé").And.Contain("Demandez un autre pass"));
    }

    [Test]
    public async Task A_pass_is_held_for_a_session_that_ends_without_its_code()
    {
        var code = await _scenario.CodeAsync(_scenario.FirstSerial + 6);
        var held = await _browser.SubmitAsync(await _browser.OpenAsync("/scanner"), "/scanner", Typed("reserver", code));
        Assert.That(held.Text, Does.Contain("réservé : 2 h").And.Contain("Rien n'est débité"), held.Text);
        Rgaa.Check(held);
        var session = held.Document.QuerySelectorAll("#champ-reservationId option").Last().GetAttribute("value")!;

        var again = await _browser.SubmitAsync(held, "/scanner", Typed("utiliser", code));
        Assert.That((again.Status, again.RefusalCode), Is.EqualTo((409, "voucher-reserved-here")));
        var check = await _browser.SubmitAsync(again, "/scanner", Typed("verifier", code));
        Assert.That(check.Text, Does.Contain("2 h de ce pass, réservé").And.Contain("réservé par votre propre lieu"), check.Text);

        var typed = Typed("utiliser", "");
        typed["reservationId"] = session;
        var used = await _browser.SubmitAsync(check, "/scanner", typed);
        Assert.That(used.Text, Does.Contain("C'est enregistré : 1 h").And.Contain("Il vous reste 1 h"), used.Text);
        Assert.That(used.Document.QuerySelector("#champ-reservationId"), Is.Null, "no session is left to end");
        Rgaa.Check(used);
    }

    [Test]
    public async Task A_pass_that_is_held_in_vain_is_released()
    {
        var code = await _scenario.CodeAsync(_scenario.FirstSerial + 7);
        var held = await _browser.SubmitAsync(await _browser.OpenAsync("/scanner"), "/scanner", Typed("reserver", code));
        var released = await _browser.SubmitAsync(held, "/scanner/liberation");
        Assert.That(released.Text, Does.Contain("libéré").And.Contain("Il vous reste 2 h"), released.Text);
        Rgaa.Check(released);
        foreach (var wrong in new[] { "ABCD", code + "\n" + code })
        {
            var page = await _browser.SubmitAsync(released, "/scanner", Typed("reserver", wrong));
            Assert.That(page.Status, Is.EqualTo(400));
            Assert.That(page.Document.GetElementById("champ-codes-erreur")!.TextContent, Does.Contain("code"));
            Rgaa.Check(page);
        }
    }

    [Test]
    public async Task An_agent_may_not_scan()
    {
        using var browser = new Browser(_service);
        await browser.SignInAsync(
            await People.AddAsync(_service, _scenario.AuthorityId, "agent", _scenario.PointId), People.Password);
        Assert.That((await browser.OpenAsync("/scanner")).Status, Is.EqualTo(403));
    }

    private static Dictionary<string, string> Typed(string action, string codes) => new()
    {
        ["action"] = action,
        ["codes"] = codes,
        ["service"] = Service,
    };
}
