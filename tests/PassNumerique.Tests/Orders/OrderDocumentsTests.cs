using NUnit.Framework;
using PassNumerique.Orders;
using PassNumerique.Tests.Platform.Pdf;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class OrderDocumentsTests(string engine)
{
    private TestService _service = null!;
    private ConventionWorld _world = null!;
    private string _order = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _world = await ConventionWorld.CreateAsync(_service, body =>
        {
            body["budgetCents"] = 10_000_000;
            body["upstreamFeeBasisPoints"] = 450;
            body["feeVatBasisPoints"] = 2_000;
        });
        _order = Scenario.Ok(await _world.Authority.PostAsync("orders", new
        {
            conventionId = _world.ConventionId,
            booklets = 75,
            vouchersPerBooklet = 5,
            validUntil = new DateOnly(2099, 12, 31),
            campaign = "Rentrée",
            distributionPoints = new object[]
            {
                new { id = _world.Points[0], booklets = 5, picBooklets = 2 },
                new { id = _world.Points[1], booklets = 70 },
            },
        })).Id;
        await _world.AdvanceAsync(_order, through: "production");
        Scenario.Ok(await _world.Operator.PostAsync($"orders/{_order}/dispatches", new
        {
            distributionPointId = _world.Points[0],
            carrier = "Messagerie d'essai",
            trackingReference = "6A-123",
        }));
        Scenario.Ok(await _world.Authority.PostAsync($"orders/{_order}/dispatches/{_world.Points[0]}/receipt",
            new { booklets = 4, explanation = "un carnet manque" }));
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task The_order_form_says_what_is_ordered_what_it_costs_and_who_pays()
    {
        var pdf = await ReadAsync(_world.Authority, "order-form.pdf");
        await PdfTools.CheckAsync(pdf);
        var text = await PdfTools.TextAsync(pdf);
        Assert.That(text, Does.Contain("Bon de commande n°").And.Contain($"SIRET {_world.Siret}").And.Contain("CONV-")
            .And.Contain("3 750,00 €").And.Contain("4,5 %").And.Contain("168,75 €").And.Contain("33,75 €")
            .And.Contain("3 952,50 €"), "375 passes of 10 €, 4,5 % of it, 20 % of that");
        Assert.That(text, Does.Contain("Département 65 % 2 437,50 €").And.Contain("État 35 % 1 312,50 €")
            .And.Contain("avancé par Département").And.Contain("Rentrée").And.Contain("31 décembre 2099"));
        Assert.That(text, Does.Contain("Bon à tirer donné").And.Contain("clé authority").And.Contain("Envoyée à Mairie")
            .And.Contain("4 carnets sur 5 : un carnet manque"));
    }

    [Test]
    public async Task Its_tables_are_tables_for_a_screen_reader()
    {
        var pdf = await ReadAsync(_world.Authority, "order-form.pdf");
        var structure = await PdfTools.StructureAsync(pdf);
        foreach (var tag in new[] { "H1", "H2", "Table", "TR", "TH", "TD" })
            Assert.That(structure, Does.Match($@"(?m)^\s*{tag}\b"), structure);
    }

    [Test]
    public async Task A_delivery_note_lists_the_booklets_of_each_point_to_be_counted()
    {
        var pdf = await ReadAsync(_world.Operator, "delivery-note.pdf");
        await PdfTools.CheckAsync(pdf);
        var text = await PdfTools.TextAsync(pdf);
        Assert.That(text, Does.Contain("Mairie, 1 rue de la Mairie").And.Contain("=1+1, CCAS").And.Contain("Messagerie d'essai")
            .And.Contain("suivi 6A-123").And.Contain("pas encore enregistré").And.Contain("Date et signature :"));
        var one = await PdfTools.TextAsync(await ReadAsync(_world.Authority, $"delivery-note.pdf?point={_world.Points[1]}"));
        Assert.That(one, Does.Contain("=1+1, CCAS").And.Not.Contain("Messagerie").And.Contain("70 carnets de 5 pass, soit 350 pass"));
    }

    [Test]
    public async Task An_agent_gets_the_note_of_their_own_point()
    {
        var agent = await new Scene(_service).ClientAsync("agent", _world.AuthorityId, _world.Points[0]);
        var own = await PdfTools.TextAsync(await ReadAsync(agent, "delivery-note.pdf"));
        Assert.That(own, Does.Contain("Mairie").And.Not.Contain("CCAS"));
        var other = await agent.ReadAsync($"orders/{_order}/delivery-note.pdf?point={_world.Points[1]}");
        Assert.That((other.Status, other.Problem), Is.EqualTo((404, "point-not-in-order")));
        Assert.That((await agent.ReadAsync($"orders/{_order}/order-form.pdf")).Status, Is.EqualTo(403));
    }

    [TestCase("order-form.pdf")]
    [TestCase("delivery-note.pdf")]
    public async Task A_document_is_of_those_who_may_read_the_order(string document)
    {
        var other = await ConventionWorld.CreateAsync(_service);
        var answer = await other.Authority.ReadAsync($"orders/{_order}/{document}");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "not-found")));
        Assert.That((await _service.Client().ReadAsync($"orders/{_order}/{document}")).Status, Is.EqualTo(401));
        var state = await _world.ClientOfNewAsync("state");
        Assert.That((await state.ReadAsync($"orders/{_order}/{document}")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_point_that_is_none_is_refused()
    {
        var wrong = await _world.Authority.ReadAsync($"orders/{_order}/delivery-note.pdf?point=mairie");
        Assert.That((wrong.Status, wrong["errors"].TryGetProperty("point", out _)), Is.EqualTo((400, true)), wrong.ToString());
        var unknown = await _world.Authority.ReadAsync($"orders/{_order}/delivery-note.pdf?point={Guid.NewGuid()}");
        Assert.That((unknown.Status, unknown.Problem), Is.EqualTo((404, "point-not-in-order")));
    }

    [Test]
    public async Task A_cancelled_order_is_not_delivered()
    {
        var order = (await _world.PlaceAsync()).Id;
        await _world.Authority.PostAsync($"orders/{order}/cancellation", new { });
        var answer = await _world.Authority.ReadAsync($"orders/{order}/delivery-note.pdf");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "order-cancelled")));
        Assert.That((await _world.Authority.ReadAsync($"orders/{order}/order-form.pdf")).Status, Is.EqualTo(200));
    }

    [TestCase(1, 1, 1)]
    [TestCase(60, 60, 1)]
    [TestCase(61, 13, 5)]
    [TestCase(1_000_000, 50, 20_000)]
    public void A_list_is_short_enough_to_be_counted(long booklets, int rows, long most)
    {
        var point = new OrderPoint("p", "Mairie", "1 rue", "47001", 101, 100 + (5 * booklets), booklets, null);
        var list = DeliveryNote.Rows(point, 5);
        Assert.That((list.Count, list.Max(r => r.Booklets), list.Sum(r => r.Booklets)), Is.EqualTo((rows, most, booklets)));
        Assert.That((list[0].First, list[^1].Last), Is.EqualTo((101L, 100 + (5 * booklets) - 4)));
        Assert.That(list.Skip(1).Select((r, i) => r.First - list[i].Last), Is.All.EqualTo(5));
    }

    private async Task<byte[]> ReadAsync(HttpClient client, string document)
    {
        using var response = await client.GetAsync($"orders/{_order}/{document}");
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.That(((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType),
            Is.EqualTo((200, "application/pdf")), System.Text.Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 400)]));
        return bytes;
    }
}
