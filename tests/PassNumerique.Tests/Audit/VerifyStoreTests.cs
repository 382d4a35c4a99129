using System.Globalization;
using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Redemption;

namespace PassNumerique.Tests.Audit;

/// <summary>A store with the whole life of some passes in it verifies; one changed value is named.</summary>
internal sealed class VerifyStoreTests
{
    private static readonly string NoMac = new('0', 64);
    private readonly TestFolder _folder = new();
    private long _first;
    private string _convention = "";

    [OneTimeSetUp]
    public async Task Live()
    {
        await using var service = await TestService.StartAsync(folder: _folder.Data);
        var scenario = await Scenario.CreateAsync(service, booklets: 10, wholeVouchersOnly: false);
        (_first, _convention) = (scenario.FirstSerial, scenario.ConventionId);
        var cancelled = await scenario.OrderAsync(3, Scenario.Today.AddMonths(3), activate: false);
        Scenario.Ok(await service.Operator().PostAsync($"orders/{cancelled.Id}/cancellation", new { comment = "doublon" }));
        Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(_first, reference: "A-1")));
        Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(_first + 5)));
        for (var serial = _first; serial < _first + 4; serial++)
            Scenario.Ok(await scenario.Site().PostAsync("redemptions", await scenario.RedemptionAsync(serial)));
        var second = Scenario.Ok(await scenario.Site().PostAsync("redemptions", await scenario.RedemptionAsync(_first)));
        Scenario.Ok(await scenario.Site().PostAsync($"redemptions/{second.Id}/reversal", new { reason = "erreur" }));
        var held = Scenario.Ok(await scenario.ReserveAsync(scenario.Site(), _first + 15, minutes: 90));
        Scenario.Ok(await scenario.CaptureAsync(scenario.Site(), held.Id, minutes: 60));
        var released = Scenario.Ok(await scenario.ReserveAsync(scenario.Site(), _first + 15));
        Scenario.Ok(await scenario.Site().RemoveAsync($"reservations/{released.Id}"));
        Scenario.Ok(await scenario.ReserveAsync(scenario.Site(), _first + 16));
        Scenario.Ok(await service.Operator().PostAsync(
            "payment-runs", new { month = Scenario.Today.ToString("yyyy-MM", CultureInfo.InvariantCulture) }));
        Scenario.Ok(await scenario.Authority().PostAsync("returns", new { bookletNumber = _first + 5, reason = "non utilisé" }));
    }

    [OneTimeTearDown]
    public void Leave() => _folder.Dispose();

    [Test]
    public async Task An_honest_store_holds()
    {
        var text = new StringWriter();
        var outcome = await VerifyAsync(_folder, text);
        Assert.That(outcome.Problems, Is.Empty);
        using var connection = _folder.Open(readOnly: true);
        using var count = connection.CreateCommand();
        count.CommandText = "SELECT SUM(leaf_count) FROM seals";
        Assert.That(outcome.Facts, Is.EqualTo(count.ExecuteScalar()).And.GreaterThan(30));
        count.CommandText = "SELECT COUNT(*) FROM seals";
        Assert.That(outcome.Batches, Is.EqualTo(count.ExecuteScalar()).And.GreaterThan(20));
        Assert.That(text.ToString(), Does.Contain("Tout est conforme."));
    }

    [TestCase("UPDATE voucher_entries SET minutes = 61 WHERE serial = {0} AND part = 1",
        "voucher_entries (serial {0}, part 1)")]
    [TestCase("UPDATE voucher_entries SET reason = NULL WHERE serial = {0} AND part = 3",
        "voucher_entries (serial {0}, part 3)")]
    [TestCase("UPDATE booklet_entries SET gender = 'masculin' WHERE booklet = {0}",
        "booklet_entries (booklet {0}, part 1)")]
    [TestCase("UPDATE orders SET salt = zeroblob(16) WHERE first_serial = {0}", "orders (id ")]
    [TestCase("DELETE FROM voucher_entries WHERE serial = {0} + 1", "aucune ligne")]
    [TestCase("DELETE FROM seals WHERE batch = 7", "lot 7")]
    [TestCase("DELETE FROM seals WHERE batch = 1", "lot 1")]
    [TestCase("UPDATE seals SET batch = 900 WHERE batch = 4; UPDATE seals SET batch = 4 WHERE batch = 5; "
        + "UPDATE seals SET batch = 5 WHERE batch = 900", "lot 4")]
    [TestCase("UPDATE seals SET sealed_ms = 1 WHERE batch = 6", "lot 6")]
    [TestCase("UPDATE seals SET leaf_count = leaf_count + 1 WHERE batch = 6", "lot 6")]
    [TestCase("UPDATE seals SET key_version = 2 WHERE batch = 6", "lot 6")]
    [TestCase("UPDATE seals SET mac = '{2}' WHERE batch = 6", "lot 6")]
    [TestCase("UPDATE voucher_entries SET batch = 900 WHERE serial = {0} AND part = 1", "voucher_entries")]
    [TestCase("UPDATE sites SET batch = NULL", "sites")]
    public async Task One_changed_fact_or_seal_is_named(string change, string place)
    {
        using var copy = Changed(change);
        var outcome = await VerifyAsync(copy);
        var places = outcome.Problems.Select(p => p.Place).ToList();
        Assert.That(places, Has.Some.Contains(Fill(place)), string.Join('\n', outcome.Problems));
    }

    [TestCase("ordered_cents = ordered_cents - 1000", "commandé")]
    [TestCase("received_cents = received_cents + 1000", "reçu")]
    [TestCase("derogated_cents = derogated_cents + 1000", "dérogé")]
    [TestCase("committed_cents = committed_cents - 1000", "engagé")]
    [TestCase("budget_cents = budget_cents + 1000", "budget")]
    public async Task A_balance_that_is_not_the_sum_of_its_facts_is_named(string change, string what)
    {
        using var copy = Changed($"UPDATE convention_balances SET {change}");
        var problem = (await VerifyAsync(copy)).Problems.Single();
        Assert.That(problem.Place, Is.EqualTo($"convention_balances (convention_id {_convention})"));
        Assert.That(problem.What, Does.Contain(what));
    }

    /// <summary>Who holds the key could seal anything: the facts must still agree with each other.</summary>
    [TestCase("UPDATE voucher_entries SET part = 9 WHERE serial = {0} AND part = 3",
        "voucher_entries (serial {0}, part 9)")]
    [TestCase("UPDATE voucher_entries SET used_after = 0 WHERE serial = {0} + 1",
        "voucher_entries (serial {1}, part 1)")]
    [TestCase("UPDATE voucher_entries SET value_cents = 501 WHERE serial = {0} + 1",
        "voucher_entries (serial {1})")]
    [TestCase("UPDATE voucher_entries SET credit_minutes = 240 WHERE serial = {0} + 1",
        "voucher_entries (serial {1}, part 1)")]
    [TestCase("UPDATE voucher_entries SET serial = 900 WHERE serial = {0} + 1",
        "voucher_entries (serial 900, part 1)")]
    [TestCase("UPDATE voucher_entries SET serial = 70000 WHERE serial = {0} + 1",
        "voucher_entries (serial 70000, part 1)")]
    [TestCase("UPDATE voucher_entries SET value_cents = -499 WHERE serial = {0} AND part = 3",
        "voucher_entries (serial {0}, part 3)")]
    [TestCase("UPDATE voucher_entries SET reversed_part = 1, minutes = -60 WHERE serial = {0} AND part = 3",
        "redemption_outcomes (serial {0}, part 2)")]
    [TestCase("UPDATE voucher_entries SET hold_minutes = -60 WHERE serial = {3} AND part = 2",
        "voucher_entries (serial {3}, part 2)")]
    [TestCase("UPDATE voucher_entries SET hold_until_ms = hold_until_ms + 1 WHERE serial = {3} AND part = 4",
        "voucher_entries (serial {3}, part 4)")]
    [TestCase("UPDATE voucher_entries SET reversed_part = 1 WHERE serial = {3} AND part = 4",
        "voucher_entries (serial {3}, part 4)")]
    [TestCase("UPDATE voucher_entries SET site_id = organisation_id WHERE serial = {3} AND part = 4",
        "voucher_entries (serial {3}, part 4)")]
    [TestCase("UPDATE voucher_entries SET hold_minutes = 2 * hold_minutes WHERE serial = {3} AND part > 2",
        "voucher_entries (serial {3}, part 3)")]
    [TestCase("UPDATE voucher_entries SET minutes = 91, used_after = 91 WHERE serial = {3} AND part = 2",
        "voucher_entries (serial {3}, part 2)")]
    [TestCase("DELETE FROM redemption_outcomes", "voucher_entries (serial {0}, part 2)")]
    [TestCase("UPDATE booklet_entries SET booklet = booklet + 1 WHERE booklet = {0}",
        "booklet_entries (booklet {1})")]
    [TestCase("UPDATE booklet_entries SET part = 7 WHERE booklet = {0} + 5 AND part = 2", "part 7)")]
    [TestCase("UPDATE lots SET booklet_count = booklet_count - 1 WHERE first_serial = {0}",
        "lots (order_id ")]
    [TestCase("DELETE FROM lots", "orders (id ")]
    [TestCase("UPDATE orders SET first_serial = first_serial - 5, last_serial = last_serial - 5 "
        + "WHERE first_serial > {0}",
        "orders (id ")]
    [TestCase("UPDATE counters SET next_value = next_value - 1 WHERE name = 'serial'",
        "counters (name serial)")]
    [TestCase("UPDATE counters SET next_value = 1 WHERE name <> 'serial'", "counters (name person:")]
    [TestCase("DELETE FROM convention_balances", "convention_balances (convention_id ")]
    [TestCase("DELETE FROM authority_sirets", "authority_sirets (siret ")]
    [TestCase("UPDATE authority_sirets SET siret = '1'", "authority_sirets (siret 1)")]
    [TestCase("UPDATE authority_sirets SET organisation_id = (SELECT id FROM organisations WHERE kind = 'structure')",
        "authority_sirets (siret ")]
    [TestCase("UPDATE redemption_outcomes SET outcome = 'in-run', run_id = 'r'",
        "redemption_outcomes (serial {0}, part 1)")]
    [TestCase("UPDATE redemption_outcomes SET outcome = 'undone', run_id = NULL",
        "redemption_outcomes (serial {0}, part 1)")]
    [TestCase("UPDATE payouts SET gross_cents = gross_cents + 1, net_cents = net_cents + 1",
        "payouts (run_id ")]
    [TestCase("UPDATE payouts SET line_count = line_count + 1", "payouts (run_id ")]
    [TestCase("UPDATE payment_runs SET total_cents = total_cents + 1", "payment_runs (id ")]
    [TestCase("INSERT INTO payment_runs (id, month, line_count, total_cents, actor_id, recorded_ms, batch) "
        + "VALUES ('r', 202611, 1, 500, 'a', 1, 1)", "payment_runs (id r)")]
    [TestCase("INSERT INTO payment_runs (id, month, line_count, total_cents, actor_id, recorded_ms, batch) "
        + "VALUES ('r', 202611, 1, 500, 'a', 1, 1); "
        + "INSERT INTO payouts (run_id, site_id, line_count, gross_cents, fee_cents, net_cents, actor_id, recorded_ms, batch) "
        + "VALUES ('r', 's', 1, 500, 0, 500, 'a', 1, 1)", "payouts (run_id r, site_id s)")]
    public async Task Facts_that_contradict_each_other_are_named_under_good_seals(string change, string place)
    {
        using var copy = Changed(change);
        await SealAgainAsync(copy);
        var outcome = await VerifyAsync(copy, withHead: false);
        Assert.That(outcome.Problems.Select(p => p.Place), Has.Some.Contains(Fill(place)));
        Assert.That(outcome.Problems.Select(p => p.Place), Has.None.StartsWith("lot "));
    }

    /// <summary>As a page does that was written over by another: no statement of SQL could.</summary>
    [TestCase("voucher_entries", "minutes", "1.5")]
    [TestCase("convention_balances", "budget_cents", "'abc'")]
    [TestCase("convention_terms", "terms", "'{\"a' || char(0)")]
    public async Task A_value_that_does_not_fit_its_column_is_told_in_one_line(string table, string column, string value)
    {
        using var copy = Changed($"PRAGMA writable_schema = ON; "
            + $"UPDATE sqlite_master SET sql = REPLACE(REPLACE(sql, 'STRICT', ''), ' INTEGER ', ' BLOB ') WHERE name = '{table}'");
        copy.Execute($"UPDATE {table} SET {column} = {value}");
        var text = new StringWriter();
        Assert.That((await VerifyAsync(copy, text)).Holds, Is.False);
        Assert.That(text.ToString(), Does.Contain("n'a pas la forme de sa colonne").And.Not.Contain("Tout est conforme."));
    }

    [Test]
    public async Task A_store_sealed_again_from_the_start_is_not_the_one_that_the_head_saw()
    {
        using var copy = Changed("UPDATE voucher_entries SET service = 'x' WHERE kind = 1");
        await SealAgainAsync(copy);
        Assert.That((await VerifyAsync(copy, withHead: false)).Problems, Is.Empty);
        Assert.That((await VerifyAsync(copy)).Problems.Single().What, Does.Contain("journal de tête"));
        Assert.That(() => TestService.StartAsync(folder: copy.Data),
            Throws.TypeOf<StartException>().With.Message.Contains("a été modifié"));
    }

    /// <summary>Bytes that no statement can have written: of a table that forbids them, made anew without its rules.</summary>
    [TestCase("DROP TABLE migrations; CREATE TABLE migrations (name); INSERT INTO migrations VALUES (NULL)")]
    [TestCase("UPDATE store_settings SET name = 'key-check-x' WHERE name LIKE 'key-check-%'")]
    [TestCase("UPDATE store_settings SET name = 'key-check-99999999999' WHERE name LIKE 'key-check-%'")]
    public void A_store_that_does_not_tell_its_version_and_keys_is_told_to_be_damaged(string change)
    {
        using var copy = Changed(change);
        Assert.That(() => TestService.StartAsync(folder: copy.Data), Throws.TypeOf<StartException>()
            .With.Message.Contains("est abîmé").And.Message.Contains("Restaurez"));
        Assert.That(async () =>
        {
            await using var database = copy.Database();
            await database.ThrowIfNotReadableAsync();
        }, Throws.TypeOf<StartException>().With.Message.Contains("est abîmé"));
    }

    [Test]
    public async Task A_store_cut_off_behind_its_head_does_not_start()
    {
        using var copy = Changed("DELETE FROM voucher_entries WHERE batch = (SELECT MAX(batch) FROM seals); "
            + "DELETE FROM booklet_entries WHERE batch = (SELECT MAX(batch) FROM seals); "
            + "DELETE FROM seals WHERE batch = (SELECT MAX(batch) FROM seals)");
        Assert.That(() => TestService.StartAsync(folder: copy.Data),
            Throws.TypeOf<StartException>().With.Message.Contains("des écritures confirmées manquent"));
        var outcome = await VerifyAsync(copy);
        Assert.That(outcome.Problems.Single().What, Does.Contain("le magasin s'arrête au lot"));
    }

    [Test]
    public async Task It_runs_beside_a_service_that_goes_on_writing()
    {
        using var folder = new TestFolder();
        await using var service = await TestService.StartAsync(folder: folder.Data);
        var scenario = await Scenario.CreateAsync(service, booklets: 60);
        using var site = scenario.Site();
        var redeem = Task.Run(async () =>
        {
            for (var serial = scenario.FirstSerial; serial < scenario.FirstSerial + 300; serial++)
                Scenario.Ok(await site.PostAsync("redemptions", await scenario.RedemptionAsync(serial)));
        });
        do Assert.That((await VerifyAsync(folder)).Problems, Is.Empty);
        while (!redeem.IsCompleted);
        await redeem;
        var last = await VerifyAsync(folder);
        Assert.That((last.Problems.Count, last.Facts > 300), Is.EqualTo((0, true)));
    }

    private string Fill(string text) => string.Format(
        CultureInfo.InvariantCulture, text, _first, _first + 1, NoMac, _first + 15);

    private TestFolder Changed(string change)
    {
        var copy = _folder.Copy();
        Assert.That(copy.Execute(Fill(change)), Is.Positive);
        return copy;
    }

    internal static async Task<VerifyStore.Outcome> VerifyAsync(
        TestFolder folder, TextWriter? text = null, bool withHead = true)
    {
        await using var database = folder.Database();
        return await VerifyStore.RunAsync(
            database, KeyRing.Load(folder.Keys), Journal.Tables, withHead ? folder.Head : null, text ?? TextWriter.Null);
    }

    /// <summary>Seals every batch again over the rows as they are now.</summary>
    internal static async Task SealAgainAsync(TestFolder folder)
    {
        await using var connection = folder.Open();
        var keys = KeyRing.Load(folder.Keys);
        await using var read = connection.CreateCommand();
        read.CommandText = "SELECT batch, sealed_ms, leaf_count, root, chain, key_version, mac FROM seals ORDER BY batch";
        var seals = new List<Seal>();
        await using (var row = await read.ExecuteReaderAsync())
            while (await row.ReadAsync()) seals.Add(Sealing.From(row));
        read.CommandText = "DELETE FROM seals";
        await read.ExecuteNonQueryAsync();
        var last = Seal.None;
        foreach (var seal in seals)
            last = await Sealing.CloseAsync(connection, null, Journal.Tables.All, Journal.Tables, last, seal.SealedMs, keys);
    }
}
