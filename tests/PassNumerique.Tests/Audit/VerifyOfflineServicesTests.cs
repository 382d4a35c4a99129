using System.Globalization;
using NUnit.Framework;
using PassNumerique.Tests.Redemption;

namespace PassNumerique.Tests.Audit;

/// <summary>Second services, what is owed for them and what was decided are held against each other too.</summary>
internal sealed class VerifyOfflineServicesTests
{
    private readonly TestFolder _folder = new();
    private readonly List<long> _serials = [];
    private string _convention = "";

    /// <summary>Two guarantees in a run, one undone, one dispute paid, one rejected, one open.</summary>
    [OneTimeSetUp]
    public async Task Live()
    {
        await using var service = await TestService.StartAsync(folder: _folder.Data);
        var offline = await Offline.CreateAsync(service, uncommittedCents: 3_000);
        var (scenario, site) = (offline.Scenario, offline.Scenario.Site());
        _convention = scenario.ConventionId;
        var lines = new List<System.Text.Json.JsonElement>();
        for (var i = 0; i < 6; i++) lines.Add(await offline.SecondAsync(site));
        Assert.That(lines.Select(l => l.Outcome()),
            Is.EqualTo(new[] { "guaranteed", "guaranteed", "guaranteed", "disputed", "disputed", "disputed" }));
        var ids = lines.Select(Receipt).Select(r => r.GetProperty("id").GetString()).ToList();
        _serials.AddRange(lines.Select(Receipt).Select(r => r.GetProperty("serial").GetInt64()));
        Scenario.Ok(await site.PostAsync($"guarantees/{ids[2]}/reversal", new { reason = "erreur" }));
        Scenario.Ok(await scenario.Authority().PostAsync($"disputes/{ids[3]}/settlement", new { decision = "paid", reason = "vu" }));
        Scenario.Ok(await scenario.Authority().PostAsync($"disputes/{ids[4]}/settlement", new { decision = "rejected", reason = "vu" }));
        Scenario.Ok(await service.Operator().PostAsync(
            "payment-runs", new { month = Scenario.Today.ToString("yyyy-MM", CultureInfo.InvariantCulture) }));
    }

    [OneTimeTearDown]
    public void Leave() => _folder.Dispose();

    [Test]
    public async Task An_honest_store_holds() =>
        Assert.That((await VerifyStoreTests.VerifyAsync(_folder)).Problems, Is.Empty);

    [TestCase("UPDATE offline_services SET minutes = 60 WHERE serial = {0}", "offline_services (serial {0}, part 1)")]
    [TestCase("UPDATE disputes SET deadline_ms = deadline_ms + 1 WHERE serial = {5}", "disputes (serial {5}, part 1)")]
    [TestCase("DELETE FROM guarantee_outcomes WHERE serial = {2}", "aucune ligne")]
    public async Task One_changed_fact_is_named(string change, string place)
    {
        using var copy = Changed(change);
        var places = (await VerifyStoreTests.VerifyAsync(copy)).Problems.Select(p => p.Place);
        Assert.That(places, Has.Some.Contains(Fill(place)));
    }

    [Test]
    public async Task A_balance_without_its_guarantees_is_named()
    {
        using var copy = Changed("UPDATE convention_balances SET committed_cents = committed_cents - 1000");
        var problem = (await VerifyStoreTests.VerifyAsync(copy)).Problems.Single();
        Assert.That((problem.Place, problem.What), Is.EqualTo((
            $"convention_balances (convention_id {_convention})",
            "le montant engagé n'est pas celui des activations et des garanties.")));
    }

    [TestCase("UPDATE offline_services SET part = 3 WHERE serial = {0}", "offline_services (serial {0}, part 3)")]
    [TestCase("UPDATE offline_services SET value_cents = 999 WHERE serial = {5}", "offline_services (serial {5}, part 1)")]
    [TestCase("UPDATE offline_services SET operation_id = (SELECT operation_id FROM voucher_entries WHERE serial = {0}), "
        + "organisation_id = (SELECT organisation_id FROM voucher_entries WHERE serial = {0}) WHERE serial = {5}",
        "offline_services (serial {5}, part 1)")]
    [TestCase("DELETE FROM guarantees WHERE serial = {1}", "offline_services (serial {1}, part 1)")]
    [TestCase("DELETE FROM disputes WHERE serial = {5}", "offline_services (serial {5}, part 1)")]
    [TestCase("UPDATE guarantees SET value_cents = 500 WHERE serial = {0}", "guarantees (serial {0}, part 1)")]
    [TestCase("UPDATE guarantees SET device_id = 'x' WHERE serial = {0}", "guarantees (serial {0}, part 1)")]
    [TestCase("DELETE FROM offline_services WHERE serial = {0}", "guarantees (serial {0}, part 1)")]
    [TestCase("DELETE FROM dispute_settlements WHERE serial = {3}", "guarantees (serial {3}, part 1)")]
    [TestCase("UPDATE dispute_settlements SET decision = 'paid' WHERE serial = {4}", "dispute_settlements (serial {4}, part 1)")]
    [TestCase("DELETE FROM disputes WHERE serial = {4}", "dispute_settlements (serial {4}, part 1)")]
    [TestCase("UPDATE guarantees SET ordinal = 9 WHERE serial = {1}", "guarantees (convention_id ")]
    [TestCase("DELETE FROM guarantee_outcomes WHERE serial = {2}", "convention_balances (convention_id ")]
    [TestCase("DELETE FROM guarantee_outcomes WHERE serial = {0}", "payouts (run_id ")]
    [TestCase("UPDATE guarantee_outcomes SET run_id = 'r' WHERE serial = {0}", "guarantee_outcomes (serial {0}, part 1)")]
    [TestCase("UPDATE guarantee_outcomes SET serial = 900 WHERE serial = {0}", "guarantee_outcomes (serial 900, part 1)")]
    public async Task Facts_that_contradict_each_other_are_named_under_good_seals(string change, string place)
    {
        using var copy = Changed(change);
        await VerifyStoreTests.SealAgainAsync(copy);
        var outcome = await VerifyStoreTests.VerifyAsync(copy, withHead: false);
        Assert.That(outcome.Problems.Select(p => p.Place), Has.Some.Contains(Fill(place)), string.Join('\n', outcome.Problems));
        Assert.That(outcome.Problems.Select(p => p.Place), Has.None.StartsWith("lot "));
    }

    private static System.Text.Json.JsonElement Receipt(System.Text.Json.JsonElement line) =>
        line.GetProperty(line.Outcome() == "disputed" ? "disputes" : "guarantees")[0];

    private string Fill(string text) => string.Format(
        CultureInfo.InvariantCulture, text, [.. _serials.Cast<object>()]);

    private TestFolder Changed(string change)
    {
        var copy = _folder.Copy();
        Assert.That(copy.Execute(Fill(change)), Is.Positive);
        return copy;
    }
}
