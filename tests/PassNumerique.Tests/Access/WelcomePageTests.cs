using NUnit.Framework;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Platform.Web;

namespace PassNumerique.Tests.Access;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class WelcomePageTests(string engine)
{
    private const string Accounts = """
        {"users":[{"role":"site","login":"lieu","password":"mot-de-passe-fictif","apiKey":"pn_x","organisation":"Association A & B"}],"vouchers":{}}
        """;

    [Test]
    public async Task Without_the_demonstration_there_is_a_way_in_and_no_account()
    {
        await using var service = await TestService.StartAsync(engine);
        await File.WriteAllTextAsync(Path.Combine(service.Folder, "demo.json"), Accounts);
        using var browser = new Browser(service);
        var page = await browser.OpenAsync("/");
        Assert.That(page.Text, Does.Not.Contain("fictif").And.Not.Contain("mot-de-passe"));
        Assert.That(page.Document.QuerySelector("main a[href='/connexion']"), Is.Not.Null);
    }

    [Test]
    public async Task With_the_demonstration_every_page_says_so_and_the_accounts_are_offered()
    {
        await using var service = await TestService.StartAsync(engine);
        await LoadAsync(service);
        await File.WriteAllTextAsync(Path.Combine(service.Folder, "demo.json"), Accounts);
        using var browser = new Browser(service);
        var page = await browser.OpenAsync("/");
        Rgaa.Check(page);
        Assert.That(page.Text, Does.Contain("Données fictives").And.Contain("Association A & B"));
        Assert.That(page.Document.QuerySelector("main form button")!.TextContent, Is.EqualTo("Se connecter comme lieu de médiation"));
        foreach (var path in new[] { "/connexion", "/accessibilite", "/nulle-part" })
            Assert.That((await browser.OpenAsync(path)).Text, Does.Contain("Données fictives"), path);
    }

    [Test]
    public async Task A_demonstration_account_signs_in_with_one_click()
    {
        await using var service = await TestService.StartAsync(engine);
        await LoadAsync(service);
        var organisation = (await service.Operator().PostAsync("organisations", new { kind = "state", name = "État" })).Id;
        var login = await People.AddAsync(service, organisation, "state");
        await File.WriteAllTextAsync(Path.Combine(service.Folder, "demo.json"),
            $$"""{"users":[{"role":"state","login":"{{login}}","password":"{{People.Password}}","apiKey":"x","organisation":"État"}]}""");
        using var browser = new Browser(service);
        var page = await browser.SubmitAsync(await browser.OpenAsync("/"), "/connexion");
        Assert.That(page.Text, Does.Contain("Camille state"));
    }

    [Test]
    public async Task A_demonstration_whose_file_is_gone_still_has_a_way_in()
    {
        await using var service = await TestService.StartAsync(engine);
        await LoadAsync(service);
        using var browser = new Browser(service);
        var page = await browser.OpenAsync("/");
        Assert.That(page.Document.QuerySelector("main a[href='/connexion']"), Is.Not.Null);
    }

    private static async Task LoadAsync(TestService service)
    {
        var database = (Database)service.Services.GetService(typeof(Database))!;
        await database.LoadAsync([new BulkRows("store_settings", ["name", "value"], [["demo", "true"]])]);
    }
}
