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
