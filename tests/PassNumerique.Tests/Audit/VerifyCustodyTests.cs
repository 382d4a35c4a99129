using System.Globalization;
using NUnit.Framework;
using PassNumerique.Tests.Custody;

namespace PassNumerique.Tests.Audit;

/// <summary>A store with transfers, inventories and replacements verifies; facts that contradict each other are named.</summary>
internal sealed class VerifyCustodyTests
{
    private readonly TestFolder _folder = new();
    private long _first;
    private long _fresh;

    [OneTimeSetUp]
    public async Task Live()
    {
        await using var service = await TestService.StartAsync(folder: _folder.Data);
        var scenario = await Scenario.CreateAsync(service, booklets: 8, wholeVouchersOnly: false);
        _first = scenario.FirstSerial;
        var receiver = await TransferTests.ReceiverAsync(scenario);
        async Task<Answer> SendAsync(params long[] booklets) => Scenario.Ok(await scenario.Agent().PostAsync("transfers",
            new { fromPointId = scenario.PointId, toPointId = scenario.OtherPointId, bookletNumbers = booklets }));
        var sent = await SendAsync(_first, _first + 5, _first + 10);
        Scenario.Ok(await receiver.PostAsync($"transfers/{sent.Id}/confirmation",
            new { bookletNumbers = new[] { _first, _first + 5 }, explanation = "un carnet manque" }));
        var kept = await SendAsync(_first + 15);
        Scenario.Ok(await scenario.Agent().PostAsync($"transfers/{kept.Id}/cancellation", new { reason = "erreur" }));
        Scenario.Ok(await receiver.PostAsync("hand-outs", Scenario.HandOut(_first)));
        Scenario.Ok(await scenario.Agent().PostAsync("inventories", new
        {
            pointId = scenario.PointId,
            on = Scenario.Today,
            bookletNumbers = new[] { _first + 15 },
            explanation = "les autres sont au coffre",
        }));
        Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(_first + 20, reference: "A-1")));
        Scenario.Ok(await scenario.Site().PostAsync("redemptions", await scenario.RedemptionAsync(_first + 20)));
        _fresh = Scenario.Ok(await scenario.Agent().PostAsync("replacements",
            new { bookletNumber = _first + 20, reason = "perdu" }))["bookletNumber"].GetInt64();
        Scenario.Ok(await scenario.Site().PostAsync("redemptions", await scenario.RedemptionAsync(_fresh)));
    }

    [OneTimeTearDown]
    public void Leave() => _folder.Dispose();

    [Test]
    public async Task An_honest_store_holds() =>
        Assert.That((await VerifyStoreTests.VerifyAsync(_folder)).Problems, Is.Empty);

    [TestCase("UPDATE transfers SET from_point_id = to_point_id, to_point_id = from_point_id WHERE booklet_count = 3",
        "booklet_entries (booklet {0}, part 1)")]
    [TestCase("DELETE FROM transfer_booklets WHERE booklet = {0}", "booklet_entries (booklet {0}, part 1)")]
    [TestCase("UPDATE booklet_entries SET point_id = (SELECT from_point_id FROM transfers LIMIT 1) WHERE booklet = {0} AND part = 2",
        "booklet_entries (booklet {0}, part 2)")]
    [TestCase("UPDATE booklet_entries SET point_id = (SELECT from_point_id FROM transfers LIMIT 1) WHERE booklet = {0} AND part = 3",
        "booklet_entries (booklet {0}, part 3)")]
    [TestCase("UPDATE booklet_entries SET kind = 7 WHERE booklet = {0} AND part = 2", "booklet_entries (booklet {0}, part 2)")]
    [TestCase("DELETE FROM booklet_entries WHERE booklet = {1} AND part = 2", "transfer_receipts (transfer_id ")]
    [TestCase("UPDATE transfers SET booklet_count = 4 WHERE booklet_count = 3", "transfers (id ")]
    [TestCase("UPDATE transfer_receipts SET received_count = 3", "transfer_receipts (transfer_id ")]
    [TestCase("DELETE FROM booklet_entries WHERE kind = 7", "transfer_cancellations (transfer_id ")]
    [TestCase("UPDATE inventories SET counted_booklets = counted_booklets + 1", "inventories (id ")]
    [TestCase("DELETE FROM inventory_differences WHERE booklet = {0} + 20", "inventories (id ")]
    [TestCase("DELETE FROM booklet_entries WHERE kind = 8", "booklet_entries (booklet {2}, part 1)")]
    [TestCase("UPDATE replacement_orders SET replaced_booklet = replaced_booklet + 5", "booklet_entries (booklet {2}, part 2)")]
    [TestCase("UPDATE replacements SET credit_minutes = credit_minutes + 60, face_cents = face_cents + 500 WHERE serial = {3}",
        "replacements (serial {3})")]
    [TestCase("UPDATE replacements SET face_cents = face_cents + 1 WHERE serial = {3} + 1", "replacements (serial ")]
    [TestCase("DELETE FROM voucher_entries WHERE kind = 5 AND serial = {2}", "replacements (serial {3})")]
    [TestCase("DELETE FROM replacements WHERE serial = {3} + 1", "replacement_orders (order_id ")]
    [TestCase("DELETE FROM replacement_orders", "convention_balances (convention_id ")]
    public async Task Facts_that_contradict_each_other_are_named_under_good_seals(string change, string place)
    {
        using var copy = _folder.Copy();
        Assert.That(copy.Execute(Fill(change)), Is.Positive);
        await VerifyStoreTests.SealAgainAsync(copy);
        var outcome = await VerifyStoreTests.VerifyAsync(copy, withHead: false);
        Assert.That(outcome.Problems.Select(p => p.Place), Has.Some.Contains(Fill(place)), string.Join('\n', outcome.Problems));
        Assert.That(outcome.Problems.Select(p => p.Place), Has.None.StartsWith("lot "));
    }

    private string Fill(string text) =>
        string.Format(CultureInfo.InvariantCulture, text, _first, _first + 5, _first + 20, _fresh);
}
