using System.Diagnostics;
using NUnit.Framework;
using PassNumerique.Tests.Platform.Pdf;

namespace PassNumerique.Tests.Orders;

/// <summary>Sheets for the desk printer as a printer, a scanner and a screen reader meet them.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class VoucherSheetsTests(string engine)
{
    private TestService _service = null!;
    private ConventionWorld _world = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 10_000_000);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [TestCase("vouchers.pdf", 5, 3, 2)]
    [TestCase("vouchers.pdf", 10, 2, 2)]
    [TestCase("vouchers.pdf", 7, 2, 2)]
    [TestCase("vouchers.pdf", 20, 1, 2)]
    [TestCase("vouchers-8.pdf", 8, 2, 2)]
    [TestCase("vouchers-8.pdf", 5, 2, 2)]
    [TestCase("vouchers-large.pdf", 5, 2, 4)]
    public async Task Every_code_is_read_back_from_the_paper_and_beside_it_in_letters(
        string file, long perBooklet, long booklets, int pages)
    {
        var order = await ApprovedAsync(booklets, perBooklet);
        var pdf = await ReadAsync(order, file);
        await PdfTools.CheckAsync(pdf);
        Assert.That(await PdfTools.InfoAsync(pdf), Does.Match($"Pages: +{pages}").And.Match("Tagged: +yes"));
        var codes = await CodesAsync(order);
        Assert.That(codes, Has.Count.EqualTo((int)(booklets * perBooklet)));
        var text = await PdfTools.TextAsync(pdf);
        foreach (var code in codes) Assert.That(text, Does.Contain(Grouped(code)));
        Assert.That(await ScanAsync(pdf), Is.EquivalentTo(codes));
    }

    [Test]
    public async Task A_sheet_says_what_somebody_needs_and_not_why_he_got_it()
    {
        await SetAsync(new { text = "Un service du Département", telephone = "05 53 00 00 00", logo = Logo });
        var order = await ApprovedAsync(2, 5);
        var pdf = await ReadAsync(order, "vouchers.pdf");
        var text = await PdfTools.TextAsync(pdf);
        var first = order["firstSerial"].GetInt64();
        Assert.Multiple(() =>
        {
            Assert.That(text, Does.Contain($"TALON – Carnet n° {first}"));
            Assert.That(text, Does.Contain($"Pass n° {first + 6}, carnet {first + 5}, 2 sur 5"));
            Assert.That(text, Does.Contain("Valable jusqu'au").And.Contain("inclus").And.Contain("05 53 00 00 00")
                .And.Contain("Un service du Département").And.Contain("Utilisé :"));
            Assert.That(text, Does.Not.Contain("insertion").IgnoreCase.And.Not.Contain("demandeur").IgnoreCase.And.Not.Contain("PIC"));
        });
        var read = await PdfTools.StructureAsync(pdf);
        var at = -1;
        for (var i = 0; i < 10; i++)
        {
            var next = read.IndexOf($"Pass n° {first + i},", StringComparison.Ordinal);
            Assert.That(next, Is.GreaterThan(at), "passes are read in their order");
            at = next;
        }
    }

    [Test]
    public async Task A_broken_print_goes_on_at_its_byte_even_when_the_logo_changed_meanwhile()
    {
        await SetAsync(new { text = "Avant", logo = "" });
        var order = await ApprovedAsync(4, 5);
        using var whole = await _world.Authority.GetAsync($"orders/{order.Id}/vouchers.pdf");
        var bytes = await whole.Content.ReadAsByteArrayAsync();
        await SetAsync(new { text = "Après", logo = Logo });
        var again = await _world.Authority.ReadAsync($"orders/{order.Id}/vouchers.pdf");
        Assert.That(again.Problem, Is.EqualTo("print-needs-permission"), "it was whole");
        Assert.That(await PdfTools.TextAsync(bytes), Does.Contain("Avant").And.Not.Contain("Après"));
    }

    [Test]
    public async Task A_specimen_is_one_booklet_whose_codes_no_till_takes()
    {
        var order = await _world.PlaceAsync();
        using var response = await _world.Authority.GetAsync($"orders/{order.Id}/specimen.pdf");
        Assert.That(((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType), Is.EqualTo((200, "application/pdf")));
        var pdf = await response.Content.ReadAsByteArrayAsync();
        await PdfTools.CheckAsync(pdf);
        Assert.That(await PdfTools.TextAsync(pdf), Does.Contain("SPÉCIMEN"));
        var codes = await ScanAsync(pdf);
        Assert.That(codes, Has.Count.EqualTo(5));
        var agent = await _service.Operator().PostAsync("vouchers/check", new { code = codes[0] });
        var told = agent.Problem ?? agent["reason"].GetString();
        Assert.That(told, Is.EqualTo("voucher-specimen"), agent.ToString());
        var real = await _world.Authority.ReadAsync($"orders/{(await ApprovedAsync(2, 5)).Id}/vouchers.csv");
        Assert.That(codes, Has.None.Matches<string>(real.Body.Contains));
    }

    [Test]
    public async Task A_specimen_of_another_layout_or_of_somebody_else_is_refused()
    {
        var order = await _world.PlaceAsync();
        foreach (var layout in new[] { "10", "8", "large" })
            Assert.That((await _world.Authority.ReadAsync($"orders/{order.Id}/specimen.pdf?layout={layout}")).Status, Is.EqualTo(200));
        var odd = await _world.Authority.ReadAsync($"orders/{order.Id}/specimen.pdf?layout=12");
        Assert.That((odd.Status, odd["errors"].GetProperty("layout")[0].GetString()), Is.EqualTo((400, "Choisissez l'une de : 10, 8, large.")));
        var other = await ConventionWorld.CreateAsync(_service);
        Assert.That((await other.Authority.ReadAsync($"orders/{order.Id}/specimen.pdf")).Problem, Is.EqualTo("not-found"));
    }

    [Test]
    public async Task Settings_are_kept_replaced_and_read_by_those_they_belong_to()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var none = await world.Authority.ReadAsync("print-settings");
        Assert.That((none.Status, none["telephone"].ValueKind), Is.EqualTo((200, System.Text.Json.JsonValueKind.Null)), none.ToString());
        var set = await world.Authority.PostAsync("print-settings", new { text = " Bonjour ", telephone = "+33 5 53 00 00 00", logo = Logo });
        Assert.That((set.Status, set["text"].GetString(), set["logo"].GetString()), Is.EqualTo((201, "Bonjour", Logo)), set.ToString());
        var kept = await world.Operator.PostAsync("print-settings", new { authorityId = world.AuthorityId, text = "Deux" });
        Assert.That((kept["logo"].GetString(), kept["telephone"].ValueKind), Is.EqualTo((Logo, System.Text.Json.JsonValueKind.Null)));
        await world.Authority.PostAsync("print-settings", new { logo = "" });
        var last = await world.Operator.ReadAsync($"print-settings?authorityId={world.AuthorityId}");
        Assert.That((last["logo"].GetString(), last["text"].ValueKind), Is.EqualTo(("", System.Text.Json.JsonValueKind.Null)));
    }

    [Test]
    public async Task Settings_that_cannot_be_printed_are_refused_with_the_reason()
    {
        var answer = await _world.Authority.PostAsync("print-settings",
            new { text = "مرحبا", telephone = "appelez-nous", logo = Convert.ToBase64String("GIF89a"u8) });
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.Multiple(() =>
        {
            Assert.That(answer["errors"].GetProperty("text")[0].GetString(), Does.Contain("lettres latines"));
            Assert.That(answer["errors"].GetProperty("telephone")[0].GetString(), Does.Contain("numéro de téléphone"));
            Assert.That(answer["errors"].GetProperty("logo")[0].GetString(), Does.Contain("ni un PNG ni un JPEG"));
        });
        var large = await _world.Authority.PostAsync("print-settings", new { logo = new string('A', 400_000) });
        Assert.That(large["errors"].GetProperty("logo")[0].GetString(), Does.Contain("256 Kio"));
        var other = await ConventionWorld.CreateAsync(_service);
        var foreign = await other.Authority.PostAsync("print-settings", new { authorityId = _world.AuthorityId, text = "X" });
        Assert.That((foreign.Status, foreign.Problem), Is.EqualTo((404, "authority-unknown")));
        Assert.That((await other.Authority.ReadAsync($"print-settings?authorityId={_world.AuthorityId}")).Problem, Is.EqualTo("authority-unknown"));
        Assert.That((await _world.Operator.PostAsync("print-settings", new { text = "X" }))["errors"].GetProperty("authorityId")[0].GetString(),
            Does.Contain("collectivité"));
    }

    /// <summary>A black dot.</summary>
    private const string Logo = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

    private async Task SetAsync(object settings) => Scenario.Ok(await _world.Authority.PostAsync("print-settings", settings));

    private async Task<Answer> ApprovedAsync(long booklets, long perBooklet)
    {
        var order = await _world.PlaceAsync(booklets, perBooklet);
        await _world.AdvanceAsync(order.Id, through: "approval");
        return order;
    }

    private async Task<byte[]> ReadAsync(Answer order, string file)
    {
        using var response = await _world.Authority.GetAsync($"orders/{order.Id}/{file}");
        Assert.That(((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType), Is.EqualTo((200, "application/pdf")));
        return await response.Content.ReadAsByteArrayAsync();
    }

    /// <summary>The codes as the printing house would get them, with a permission where they are out already.</summary>
    private async Task<IReadOnlyList<string>> CodesAsync(Answer order)
    {
        var asked = Scenario.Ok(await _world.Operator.PostAsync($"orders/{order.Id}/reprints", new { reason = "Essai", kind = "csv" }));
        Scenario.Ok(await _world.Authority.PostAsync($"orders/{order.Id}/reprints/{asked.Id}/confirmation", new { }));
        var sheet = await _world.Operator.ReadAsync($"orders/{order.Id}/vouchers.csv");
        Assert.That(sheet.Status, Is.EqualTo(200), sheet.ToString());
        return [.. sheet.Body.Split("\r\n")[1..^1].Select(l => l.Split(',')[4])];
    }

    private static string Grouped(string code) => string.Join('-', Enumerable.Range(0, 5).Select(i => code.Substring(i * 4, 4)));

    /// <summary>What zbarimg reads from the pages as pdftoppm paints them.</summary>
    private static async Task<IReadOnlyList<string>> ScanAsync(byte[] pdf)
    {
        if (!File.Exists("/usr/bin/zbarimg")) Assert.Ignore("zbarimg is not here: install zbar-tools");
        if (!File.Exists("/usr/bin/pdftoppm")) Assert.Ignore("pdftoppm is not here: install poppler-utils");
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.Data);
        var file = Path.Combine(folder.Data, "sheets.pdf");
        await File.WriteAllBytesAsync(file, pdf);
        await RunAsync("/usr/bin/pdftoppm", ["-r", "150", "-gray", file, Path.Combine(folder.Data, "page")]);
        var read = await RunAsync("/usr/bin/zbarimg", ["--quiet", "--raw", .. Directory.GetFiles(folder.Data, "*.pgm").Order()]);
        return read.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, wrong) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, await wrong);
        return await said;
    }
}
