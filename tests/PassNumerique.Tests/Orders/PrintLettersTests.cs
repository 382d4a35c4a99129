using NUnit.Framework;
using PassNumerique.Platform.Pdf;
using PassNumerique.Tests.Platform.Pdf;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class PrintLettersTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, booklets: 3, activate: false);
        await SiteAsync("Zone d'essai", "51454", "Mo-Fr 09:00-12:00,14:00-17:30; PH off", "+33 3 26 00 00 01");
        await SiteAsync("Éco-lieu", "51573", hours: null, phone: null);
        await SiteAsync("Loin", "51230", "le matin", phone: null);
        await SiteAsync("Ailleurs", "75056", hours: null, phone: null);
        await _scenario.SiteAsync("Jamais labellisé", "51454", labelled: false);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task Each_booklet_has_its_letter()
    {
        var pdf = await ReadAsync(_scenario.Authority(), "");
        await PdfTools.CheckAsync(pdf);
        var info = await PdfTools.InfoAsync(pdf);
        Assert.That(info, Does.Match("Title: +Vos pass numériques").And.Match("Tagged: +yes").And.Match("Pages: +6"));
        var text = await PdfTools.TextAsync(pdf);
        foreach (var booklet in Enumerable.Range(0, 3).Select(i => _scenario.FirstSerial + (5 * i)))
            Assert.That(text, Does.Contain($"Carnet n° {booklet}").And.Contain($"Votre carnet a le n° {booklet}."));
        Assert.That(text, Does.Contain("Un pass donne droit à 2 heures d'aide ou de cours.")
            .And.Contain("CCAS d'essai, 1 rue de l'Essai").And.Contain("Date :").And.Contain("Heure :").And.Contain("Lieu :"));
    }

    [Test]
    public async Task It_lists_the_labelled_sites_the_nearest_first()
    {
        var text = await PdfTools.TextAsync(await ReadAsync(_scenario.Authority(), $"?booklet={_scenario.FirstSerial}"));
        string[] order =
        [
            "Dans la commune : Reims", "Espace numérique d'essai", "Zone d'essai", "Téléphone : 03 26 00 00 01",
            "Du lundi au vendredi : de 9 h à 12 h et de 14 h à 17 h 30", "Fermé les jours fériés.",
            "On vous aide pour : Maîtrise des outils numériques du quotidien", "Tout près : CU du Grand Reims", "Éco-lieu",
            "Plus loin : Marne", "Autre espace d'essai", "Loin", "Horaires : le matin",
        ];
        var places = order.Select(o => text.IndexOf(o, StringComparison.Ordinal)).ToList();
        Assert.That(places, Has.None.Negative.And.Ordered, $"{string.Join(' ', places)}\n{text}");
        Assert.That(text, Does.Not.Contain("Jamais labellisé").And.Not.Contain("Ailleurs"));
    }

    [Test]
    public async Task The_same_letter_in_english()
    {
        var text = await PdfTools.TextAsync(await ReadAsync(_scenario.Authority(), $"?langue=en&booklet={_scenario.FirstSerial}"));
        Assert.That(text, Does.Contain("Your digital passes").And.Contain($"Booklet no. {_scenario.FirstSerial}")
            .And.Contain("Monday to Friday: 9:00 to 12:00 and 14:00 to 17:30")
            .And.Contain("They help you with: using a computer and a phone every day"));
    }

    [Test]
    public async Task The_same_letter_in_arabic_from_right_to_left()
    {
        if (!ArabicFont.UsualPaths.Any(File.Exists)) Assert.Ignore("no Arabic font here: install fonts-dejavu-core");
        var pdf = await ReadAsync(_scenario.Authority(), $"?langue=ar&booklet={_scenario.FirstSerial}");
        await PdfTools.CheckAsync(pdf);
        Assert.That(pdf, Has.Length.LessThan(120_000), "only the glyphs in use are in it");
        var read = await PdfTools.TextAsync(pdf);
        Assert.That(read, Does.Contain("ما هي القسيمة الرقمية").And.Contain("قسائم").And.Contain("لمدة ساعتين")
            .And.Contain("Espace numérique d'essai").And.Contain("03 26 00 00 01"));
        var aloud = await PdfTools.SpokenAsync(pdf);
        Assert.That(aloud, Does.Contain("في هذا الدفتر 5 قسائم.").And.Contain("يساعدك شخص في استعمال الحاسوب والهاتف والإنترنت.")
            .And.Contain("الهاتف: 03 26 00 00 01"));
    }

    [Test]
    public async Task The_same_letters_are_the_same_bytes() =>
        Assert.That(await ReadAsync(_scenario.Authority(), ""), Is.EqualTo(await ReadAsync(_service.Operator(), "")));

    [Test]
    public async Task An_agent_gets_the_letter_of_a_booklet_of_their_own_point()
    {
        var agent = _scenario.Agent();
        var pdf = await ReadAsync(agent, $"?booklet={_scenario.FirstSerial + 5}");
        Assert.That(await PdfTools.TextAsync(pdf), Does.Contain($"Carnet n° {_scenario.FirstSerial + 5}"));
        var all = await agent.ReadAsync(Path(""));
        Assert.That((all.Status, all["errors"].TryGetProperty("booklet", out _)), Is.EqualTo((400, true)), all.ToString());
        var other = await Scenario.CreateAsync(_service, booklets: 1, activate: false);
        var elsewhere = await agent.ReadAsync($"orders/{other.OrderId}/letters.pdf?booklet={other.FirstSerial}");
        Assert.That((elsewhere.Status, elsewhere.Problem), Is.EqualTo((404, "not-found")));
        var desk = await new Scene(_service).ClientAsync("agent", _scenario.AuthorityId, _scenario.OtherPointId);
        var notTheirs = await desk.ReadAsync(Path($"?booklet={_scenario.FirstSerial}"));
        Assert.That((notTheirs.Status, notTheirs.Problem), Is.EqualTo((404, "booklet-unknown")));
    }

    [TestCase("?langue=de", "langue")]
    [TestCase("?booklet=douze", "booklet")]
    public async Task A_mistake_is_named(string query, string field)
    {
        var answer = await _scenario.Authority().ReadAsync(Path(query));
        Assert.That((answer.Status, answer["errors"].TryGetProperty(field, out _)), Is.EqualTo((400, true)), answer.ToString());
    }

    [Test]
    public async Task A_number_that_begins_no_booklet_is_unknown()
    {
        foreach (var number in new[] { _scenario.FirstSerial + 1, _scenario.LastSerial + 1, 0 })
        {
            var answer = await _scenario.Authority().ReadAsync(Path($"?booklet={number}"));
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "booklet-unknown")), $"{number}");
        }
    }

    [Test]
    public async Task It_says_whom_to_call_where_the_collectivite_said_so()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 1, activate: false);
        Scenario.Ok(await scenario.Authority().PostAsync("print-settings", new { telephone = "+33 3 26 00 00 09" }));
        var pdf = await scenario.Authority().GetByteArrayAsync($"orders/{scenario.OrderId}/letters.pdf");
        Assert.That(await PdfTools.TextAsync(pdf),
            Does.Contain("Appelez vite le 03 26 00 00 09.").And.Not.Contain("Prévenez vite"));
    }

    [Test]
    public async Task A_cancelled_order_has_no_letters()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 1, activate: false);
        await scenario.Authority().PostAsync($"orders/{scenario.OrderId}/cancellation", new { });
        var answer = await scenario.Authority().ReadAsync($"orders/{scenario.OrderId}/letters.pdf");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "order-cancelled")));
    }

    private string Path(string query) => $"orders/{_scenario.OrderId}/letters.pdf{query}";

    private async Task<byte[]> ReadAsync(HttpClient client, string query)
    {
        using var response = await client.GetAsync(Path(query));
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.That(((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType),
            Is.EqualTo((200, "application/pdf")), System.Text.Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 400)]));
        Assert.That(System.Text.Encoding.ASCII.GetString(bytes[..5]), Is.EqualTo("%PDF-"));
        return bytes;
    }

    private async Task SiteAsync(string name, string commune, string? hours, string? phone)
    {
        var structure = await new Scene(_service).OrganisationAsync("structure");
        var site = Scenario.Ok(await _service.Operator().PostAsync("sites", new
        {
            organisationId = structure,
            name,
            address = "2 rue de l'Essai",
            postcode = "51100",
            commune,
            services = new[] { "Maîtrise des outils numériques du quotidien" },
            phone,
            hours,
        })).Id;
        Scenario.Ok(await _service.Operator().PostAsync($"sites/{site}/label",
            new { status = "labelled", from = Scenario.Today.AddDays(-20), reason = "dossier complet" }));
    }
}

/// <summary>Where the machine has no Arabic font that would do.</summary>
[TestFixture]
internal sealed class LettersWithoutFontTests
{
    [Test]
    public async Task A_letter_in_arabic_is_refused_with_what_to_install()
    {
        using var folder = new TestFolder();
        var noFont = System.IO.Path.Combine(folder.Data, "police.ttf");
        await File.WriteAllTextAsync(noFont, "pas une police");
        await using var service = await TestService.StartAsync(
            settings: new Dictionary<string, string?> { ["PassNumerique:ArabicFont"] = noFont });
        var scenario = await Scenario.CreateAsync(service, booklets: 1, activate: false);
        var answer = await scenario.Authority().ReadAsync($"orders/{scenario.OrderId}/letters.pdf?langue=ar");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "arabic-font-missing")), answer.ToString());
        Assert.That(answer["detail"].GetString(), Does.Contain("fonts-dejavu-core").And.Contain("PassNumerique__ArabicFont"));
        Assert.That((await scenario.Authority().ReadAsync($"orders/{scenario.OrderId}/letters.pdf")).Status, Is.EqualTo(200));
    }

    [Test]
    public void A_setting_that_names_no_file_stops_the_start() =>
        Assert.ThrowsAsync<PassNumerique.Platform.Data.StartException>(() => TestService.StartAsync(
            settings: new Dictionary<string, string?> { ["PassNumerique:ArabicFont"] = "/nulle/part.ttf" }));
}
