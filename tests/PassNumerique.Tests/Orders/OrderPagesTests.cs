using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Tests.Platform.Web;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class OrderPagesTests(string engine)
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
        await _browser.SignInAsync(await People.AddAsync(_service, _scenario.AuthorityId, "authority"), People.Password);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _browser.Dispose();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task A_collectivite_reads_its_orders_and_their_stock()
    {
        var list = await _browser.OpenAsync("/commandes");
        Rgaa.Check(list);
        var order = await _browser.OpenAsync($"/commandes/{_scenario.OrderId}");
        Rgaa.Check(order);
        Assert.That(order.Text, Does.Contain("10 carnets de 5 pass").And.Contain("500,00 €").And.Contain("CCAS d'essai"));
        Assert.That(order.Document.QuerySelectorAll(".timeline .done"), Has.Length.EqualTo(7));
    }

    [Test]
    public async Task A_collectivite_sets_what_its_passes_say()
    {
        var form = await _browser.OpenAsync("/commandes/papier");
        Rgaa.Check(form);
        var typed = new Dictionary<string, string> { ["text"] = "Avec l'État", ["telephone"] = "05 53 00 00 00" };
        var wrong = await _browser.UploadAsync(form, "/commandes/papier", typed, "logo", "GIF89a"u8.ToArray());
        Assert.That(wrong.Status, Is.EqualTo(400));
        Assert.That(wrong.Text, Does.Contain("ni un PNG ni un JPEG"));
        var set = await _browser.UploadAsync(wrong, "/commandes/papier", typed, "logo", Convert.FromBase64String(VoucherSheetsTests.Logo));
        Rgaa.Check(set);
        Assert.That(set.Text, Does.Contain("C'est enregistré").And.Contain("Retirer le logo enregistré"));
        var kept = await _browser.UploadAsync(set, "/commandes/papier", typed, "logo", []);
        Assert.That(kept.Text, Does.Contain("Retirer le logo enregistré"));
    }

    [Test]
    public async Task A_collectivite_orders_and_cancels()
    {
        var form = await _browser.OpenAsync("/commandes/nouvelle");
        Rgaa.Check(form);
        var typed = new Dictionary<string, string>
        {
            ["validUntil"] = Scenario.Today.AddMonths(6).ToString("yyyy-MM-dd", null),
            [$"points.{_scenario.PointId}.booklets"] = "3",
            [$"points.{_scenario.OtherPointId}.booklets"] = "2",
            [$"points.{_scenario.OtherPointId}.pic"] = "1",
        };
        var order = await _browser.SubmitAsync(form, "/commandes/nouvelle", typed);
        Assert.That(order.Path, Does.StartWith("/commandes/"), order.Text);
        Assert.That(order.Text, Does.Contain("5 carnets de 5 pass"));
        var twice = await _browser.SubmitAsync(form, "/commandes/nouvelle", typed);
        Assert.That(twice.Path, Is.EqualTo(order.Path), "a double click is one order");

        var cancelled = await _browser.SubmitAsync(order, order.Path + "/annulation");
        Assert.That(cancelled.Text, Does.Contain("annulée"));
        var again = await _browser.SubmitAsync(order, order.Path + "/annulation",
            new Dictionary<string, string> { [PassNumerique.Platform.Web.Form.Operation] = Guid.NewGuid().ToString() });
        Assert.That((again.Status, again.RefusalCode), Is.EqualTo((409, "order-cancelled")));
    }

    [Test]
    public async Task An_order_for_nobody_is_told_where_to_correct_it()
    {
        var page = await _browser.SubmitAsync(await _browser.OpenAsync("/commandes/nouvelle"), "/commandes/nouvelle");
        Assert.That(page.Status, Is.EqualTo(400));
        Assert.That(page.Document.GetElementById("champ-distributionPoints-erreur"), Is.Not.Null);
        Assert.That(page.Document.GetElementById("champ-validUntil-erreur"), Is.Not.Null);
        Rgaa.Check(page);
    }

    [Test]
    public async Task A_file_is_checked_on_the_page_and_ordered_by_a_second_button()
    {
        var form = await _browser.OpenAsync("/commandes/fichier");
        Rgaa.Check(form);
        var typed = new Dictionary<string, string>
        {
            ["conventionId"] = _scenario.ConventionId,
            ["vouchersPerBooklet"] = "5",
            ["validUntil"] = Scenario.Today.AddMonths(6).ToString("yyyy-MM-dd", null),
            ["wave"] = "fichier",
        };
        var wrong = await _browser.UploadAsync(form, "/commandes/fichier", typed, "file",
            System.Text.Encoding.UTF8.GetBytes($"point;carnets\n{_scenario.PointId};2\n{_scenario.PointId};1\nAilleurs;0\n"));
        Rgaa.Check(wrong);
        Assert.That(wrong.Text, Does.Contain("3 erreurs").And.Contain("Points donnés plusieurs fois").And.Contain("2, 3"));
        Assert.That(wrong.Document.QuerySelector("form[action='/commandes/fichier/confirmation']"), Is.Null);

        var good = System.Text.Encoding.UTF8.GetBytes($"point;carnets;carnets_pic\n{_scenario.PointId};2;1\n{_scenario.OtherPointId};1;\n");
        var trial = await _browser.UploadAsync(form, "/commandes/fichier", typed, "file", good);
        Rgaa.Check(trial);
        Assert.That(trial.Text, Does.Contain("rien n'est encore commandé").And.Contain("15 pass").And.Contain("150,00 €"));
        var job = await _browser.SubmitAsync(trial, "/commandes/fichier/confirmation");
        Assert.That(job.Path, Does.StartWith("/travaux/"), job.Text);
        for (var tries = 0; !job.Text.Contains("Terminé", StringComparison.Ordinal) && tries < 200; tries++)
        {
            await Task.Delay(50);
            job = await _browser.OpenAsync(job.Path);
        }

        var order = await _browser.OpenAsync(job.Document.QuerySelector("a[href^='/commandes/']")!.GetAttribute("href")!);
        Assert.That(order.Text, Does.Contain("3 carnets de 5 pass"));
        var again = await _browser.UploadAsync(form, "/commandes/fichier", typed, "file", good);
        Assert.That(again.Text, Does.Contain("a déjà donné une commande"));
        Assert.That((await _browser.SubmitAsync(trial, "/commandes/fichier/confirmation")).Path, Is.EqualTo(order.Path));
    }

    [Test]
    public async Task A_file_that_is_missing_or_none_is_told_at_its_field_and_all_errors_can_be_had_as_a_table()
    {
        var form = await _browser.OpenAsync("/commandes/fichier");
        var typed = new Dictionary<string, string>
        {
            ["conventionId"] = _scenario.ConventionId,
            ["validUntil"] = Scenario.Today.AddMonths(6).ToString("yyyy-MM-dd", null),
        };
        var none = await _browser.UploadAsync(form, "/commandes/fichier", typed, "file", []);
        Assert.That(none.Status, Is.EqualTo(400));
        Assert.That(none.Document.GetElementById("champ-file-erreur")!.TextContent, Does.Contain("Choisissez un fichier CSV."));
        var header = await _browser.UploadAsync(form, "/commandes/fichier", typed, "file", "lieu;nombre\n"u8.ToArray());
        Assert.That(header.Document.GetElementById("champ-file-erreur")!.TextContent, Does.Contain("« lieu »"));
        Rgaa.Check(header);
        var table = await _browser.UploadAsync(
            form, "/commandes/fichier", typed, "file", "point;carnets\nAilleurs;0\n"u8.ToArray(), to: "/commandes/fichier/erreurs");
        Assert.That(table.Html.Split("\r\n"), Has.Length.EqualTo(4));
        var large = await _browser.UploadAsync(form, "/commandes/fichier", typed, "file", [.. "point;carnets\n"u8, .. new byte[2_000_000].Select(_ => (byte)'\n')]);
        Assert.That(large.Text, Does.Contain("pas de ligne"), "more than a form without a file may have");
    }

    [Test]
    public async Task What_left_of_the_codes_and_who_allowed_it_again_is_on_a_page()
    {
        var scenario = await Scenario.CreateAsync(_service, activate: false);
        Scenario.Ok(await _service.Operator().PostAsync($"orders/{scenario.OrderId}/approval", new { }));
        using var browser = new Browser(_service);
        await browser.SignInAsync(await People.AddAsync(_service, scenario.AuthorityId, "authority"), People.Password);
        var page = await browser.OpenAsync($"/commandes/{scenario.OrderId}/impression");
        Rgaa.Check(page);
        var link = page.Document.QuerySelector("a[href$='vouchers.csv']")!.GetAttribute("href")!;
        Assert.That((await browser.OpenAsync(link)).Status, Is.EqualTo(200));
        var asked = await browser.SubmitAsync(page, $"/commandes/{scenario.OrderId}/impression",
            new Dictionary<string, string> { ["reason"] = "Encre pâle" });
        Assert.That(asked.Text, Does.Contain("Encre pâle").And.Contain("à confirmer par une autre personne").And.Contain("complète"));
        Rgaa.Check(asked);
        Assert.That(Confirmations(asked), Is.Empty, "of whoever asked");
        using var other = new Browser(_service);
        await other.SignInAsync(await People.AddAsync(_service, scenario.AuthorityId, "authority"), People.Password);
        var seen = await other.OpenAsync($"/commandes/{scenario.OrderId}/impression");
        Rgaa.Check(seen);
        var confirmed = await other.SubmitAsync(seen, Confirmations(seen).Single());
        Assert.That(confirmed.Text, Does.Contain("elle sert à un téléchargement"));
        Assert.That(Confirmations(confirmed), Is.Empty);
        Assert.That((await browser.OpenAsync(link)).Status, Is.EqualTo(200));

        static IEnumerable<string> Confirmations(Seen page) => page.Document.Forms
            .Select(f => f.GetAttribute("action")!).Where(a => a.Contains("/impression/", StringComparison.Ordinal));
    }

    [Test]
    public async Task An_order_of_another_collectivite_is_unknown()
    {
        var other = await Scenario.CreateAsync(_service, booklets: 1);
        var page = await _browser.OpenAsync($"/commandes/{other.OrderId}");
        Assert.That((page.Status, page.Title), Is.EqualTo((404, "Introuvable.")));
    }

    [Test]
    public void A_step_lets_in_the_same_roles_as_in_the_api()
    {
        string[] names = ["approval", "proof-approval", "production", "shipment", "delivery", "activation", "cancellation"];
        var routes = _service.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToList();
        var api = names.Select(n => routes.Single(r => r.RoutePattern.RawText == $"/api/v1/orders/{{id}}/{n}")
            .Metadata.GetRequiredMetadata<RouteFacts>().Allow);
        Assert.That(OrderPage.Forms.Select(f => f.Allow), Is.EqualTo(api));
    }
}
