using System.Globalization;
using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PassNumerique.Access;
using PassNumerique.Tests.Platform.Data;
using SQLitePCL;

namespace PassNumerique.Tests.Platform;

/// <summary>
/// Each rule that money or trust rests on, with the constraint that holds it on both engines, and the attempt
/// of two connections to break it at the same moment: whatever the code above does, the store says no.
/// </summary>
internal sealed class ConstraintTests
{
    private static readonly Rule[] Rules =
    [
        new("Orders stay within the budget", "convention_balances check ordered_cents BETWEEN 0 AND budget_cents",
            "convention_balances_budget", 1,
            "INSERT INTO convention_balances VALUES ('c', 1000, 0, 0, 0, 0)",
            "UPDATE convention_balances SET ordered_cents = ordered_cents + 600 WHERE convention_id = 'c'"),
        new("Activation needs the money", "convention_balances check committed_cents BETWEEN 0 AND received_cents + derogated_cents",
            "convention_balances_funds", 1,
            "INSERT INTO convention_balances VALUES ('c', 2000, 1200, 700, 300, 0)",
            "UPDATE convention_balances SET committed_cents = committed_cents + 600 WHERE convention_id = 'c'"),
        new("An order is produced or cancelled", "order_steps primary key (order_id, slot)", null, 1, "",
            "INSERT INTO order_steps VALUES ('o', 3, 'produced', 1, NULL, 'a', 1, 1)",
            "INSERT INTO order_steps VALUES ('o', 3, 'cancelled', 1, NULL, 'b', 1, 1)"),
        new("A step is taken in its slot", "order_steps check ( slot = 1 AND step = 'approved' )"
            + " OR ( slot = 2 AND step = 'proof-approved' ) OR ( slot = 3 AND step IN ( 'produced' , 'cancelled' ) )"
            + " OR ( slot = 4 AND step = 'shipped' ) OR ( slot = 5 AND step = 'delivered' )"
            + " OR ( slot = 6 AND step = 'activated' )", null, 0, "",
            "INSERT INTO order_steps VALUES ('o', 6, 'cancelled', 1, NULL, 'a', 1, 1)"),
        new("A pass gives no more than its credit", "voucher_entries check used_after BETWEEN 0 AND credit_minutes",
            "voucher_entries_credit", 0, Entry(part: 1, minutes: 60, used: 60, operation: "p"),
            Entry(part: 2, minutes: 120, used: 180, operation: "a"), Entry(part: 2, minutes: 120, used: 180, operation: "b")),
        new("A pass gives no less than nothing", "voucher_entries check used_after BETWEEN 0 AND credit_minutes",
            "voucher_entries_credit", 0, Entry(part: 1, minutes: 60, used: 60, operation: "p"),
            Entry(part: 2, minutes: -120, used: -60, operation: "a"), Entry(part: 2, minutes: -120, used: -60, operation: "b")),
        new("What is left of a pass goes to one of two", "voucher_entries primary key (serial, part)", null, 1,
            Entry(part: 1, minutes: 60, used: 60, operation: "p"),
            Entry(part: 2, minutes: 60, used: 120, operation: "a"), Entry(part: 2, minutes: 60, used: 120, operation: "b")),
        new("What is left of a pass is held or spent", "voucher_entries primary key (serial, part)", null, 1, "",
            Entry(part: 1, minutes: 0, used: 0, operation: "a", kind: 3),
            Entry(part: 1, minutes: 120, used: 120, operation: "b")),
        new("A reservation ends once", "voucher_entries primary key (serial, part)", null, 1,
            Entry(part: 1, minutes: 0, used: 0, operation: "p", kind: 3),
            Entry(part: 2, minutes: 60, used: 60, operation: "a", kind: 2),
            Entry(part: 2, minutes: 0, used: 0, operation: "b", kind: 4)),
        new("A pass is spent once", "voucher_entries primary key (serial, part)", null, 1, "",
            Entry(part: 1, minutes: 120, used: 120, operation: "a"), Entry(part: 1, minutes: 120, used: 120, operation: "b")),
        new("An operation is recorded once",
            "voucher_entries unique index voucher_entries_operation_id (organisation_id, operation_id, line)", null, 1, "",
            Entry(part: 1, minutes: 60, used: 60, operation: "a"),
            Entry(part: 1, minutes: 60, used: 60, operation: "a", serial: 2)),
        new("A redemption is undone or paid", "redemption_outcomes primary key (serial, part)", null, 1, "",
            "INSERT INTO redemption_outcomes VALUES (1, 1, 'undone', NULL, 'a', 1, 1)",
            "INSERT INTO redemption_outcomes VALUES (1, 1, 'in-run', 'r', 'b', 1, 1)"),
        new("Two devices with one pass make the services of it one after the other",
            "offline_services primary key (serial, part)", null, 1, "", OfflineService("a"), OfflineService("b")),
        new("A queued operation is recorded once",
            "offline_services unique index offline_services_operation_id (organisation_id, operation_id, line)", null, 1, "",
            OfflineService("a"), OfflineService("a", serial: 2)),
        new("The n-th guarantee of a device and month is one",
            "guarantees unique index guarantees_ordinal (convention_id, device_id, month, ground, ordinal)", null, 1, "",
            "INSERT INTO guarantees VALUES (1, 1, 'c', 1, 's', 'd', 202611, 'limit', 5, 1000, 'a', 1, 1)",
            "INSERT INTO guarantees VALUES (2, 1, 'c', 1, 's', 'd', 202611, 'limit', 5, 1000, 'a', 1, 1)"),
        new("A dispute is decided once", "dispute_settlements primary key (serial, part)", null, 1, "",
            "INSERT INTO dispute_settlements VALUES (1, 1, 'paid', 'r', 'a', 1, 1)",
            "INSERT INTO dispute_settlements VALUES (1, 1, 'rejected', 'r', 'b', 1, 1)"),
        new("A guarantee is undone or paid", "guarantee_outcomes primary key (serial, part)", null, 1, "",
            "INSERT INTO guarantee_outcomes VALUES (1, 1, 'undone', NULL, 'x', 'a', 1, 1)",
            "INSERT INTO guarantee_outcomes VALUES (1, 1, 'in-run', 'r', NULL, 'b', 1, 1)"),
        new("A booklet is handed out once", "booklet_entries primary key (booklet, part)", null, 1, "",
            HandOut("a"), HandOut("b")),
        new("A hand-out is recorded once",
            "booklet_entries unique index booklet_entries_operation_id (organisation_id, operation_id)", null, 1, "",
            HandOut("a"), HandOut("a", booklet: 6)),
        new("A booklet is handed out or sent", "booklet_entries primary key (booklet, part)", null, 1, "",
            HandOut("a"), Move("b", kind: 5)),
        new("A booklet on its way is received or kept", "booklet_entries primary key (booklet, part)", null, 1,
            Move("a", kind: 5), Move("b", kind: 6, part: 2), Move("c", kind: 7, part: 2)),
        new("A booklet is returned or replaced", "booklet_entries primary key (booklet, part)", null, 1,
            HandOut("a"), Move("b", kind: 3, part: 2), Move("c", kind: 8, part: 2)),
        new("A story has no other kinds", "booklet_entries check kind IN ( 1 , 2 , 3 , 4 , 5 , 6 , 7 , 8 )", null, 0, "",
            Move("a", kind: 9)),
        new("A booklet leaves in one transfer",
            "transfer_booklets unique index transfer_booklets_sent_part (booklet, sent_part)", null, 1, "",
            "INSERT INTO transfer_booklets VALUES ('t', 1, 1, 'a', 1, 1)",
            "INSERT INTO transfer_booklets VALUES ('u', 1, 1, 'a', 1, 1)"),
        new("What is missing is explained", "transfer_receipts check missing_count = 0 OR explanation IS NOT NULL", null, 0, "",
            "INSERT INTO transfer_receipts VALUES ('t', 1, 2, 1, NULL, 1, 'a', 1, 1)"),
        new("A transfer goes from one point to another", "transfers check from_point_id <> to_point_id", null, 0, "",
            "INSERT INTO transfers VALUES ('t', 'x', 'p', 'p', 1, NULL, 1, 'a', 1, 1)"),
        new("A count that differs is explained",
            "inventories check expected_booklets = counted_booklets OR explanation IS NOT NULL", null, 0, "",
            "INSERT INTO inventories VALUES ('i', 'p', 1, 0, 5, 4, NULL, 'a', 1, 1)"),
        new("A booklet is replaced by one other",
            "replacement_orders unique index replacement_orders_replaced_booklet (replaced_booklet)", null, 1, "",
            "INSERT INTO replacement_orders VALUES ('o', 1, 'r', 'a', 1, 1)",
            "INSERT INTO replacement_orders VALUES ('p', 1, 'r', 'a', 1, 1)"),
        new("A pass is replaced by one other",
            "replacements unique index replacements_replaced_serial (replaced_serial)", null, 1, "",
            "INSERT INTO replacements VALUES (11, 1, 60, 500, 'a', 1, 1)",
            "INSERT INTO replacements VALUES (12, 1, 60, 500, 'a', 1, 1)"),
        new("What is left of a pass is scanned or moved to new paper", "voucher_entries primary key (serial, part)", null, 1, "",
            Entry(part: 1, minutes: 0, used: 0, operation: "a", kind: 5),
            Entry(part: 1, minutes: 120, used: 120, operation: "b")),
        new("A derogation needs a second person", "derogations check actor_id <> requested_by", null, 0, "",
            "INSERT INTO derogations VALUES ('o', 'a', 100, 'a', 1, 1)"),
        new("A derogation is confirmed once", "derogations primary key (order_id)", null, 1, "",
            "INSERT INTO derogations VALUES ('o', 'a', 100, 'b', 1, 1)",
            "INSERT INTO derogations VALUES ('o', 'a', 100, 'c', 1, 1)"),
        new("A SIRET is of one authority", "authority_sirets primary key (siret)", null, 1, "",
            "INSERT INTO authority_sirets VALUES ('1', 'a')", "INSERT INTO authority_sirets VALUES ('1', 'b')"),
        new("Five tries to sign in", "sign_in_attempts check tries BETWEEN 0 AND 5", "sign_in_attempts_tries", 1,
            "INSERT INTO sign_in_attempts VALUES ('d', 1, 4)",
            "UPDATE sign_in_attempts SET tries = tries + 1 WHERE name_digest = 'd'"),
        new("The codes of a lot leave freely once", "code_releases primary key (order_id, position, turn)", null, 1, "",
            "INSERT INTO code_releases VALUES ('o', 1, 1, 'e', 'a', 1, 1)",
            "INSERT INTO code_releases VALUES ('o', 1, 1, 'f', 'b', 1, 1)"),
        new("A reprint needs a second person", "reprints check actor_id <> requested_by", null, 0, "",
            "INSERT INTO reprints VALUES ('q', 'a', 'a', 1, 1)"),
        new("A reprint is confirmed once", "reprints primary key (request_id)", null, 1, "",
            "INSERT INTO reprints VALUES ('q', 'a', 'b', 1, 1)", "INSERT INTO reprints VALUES ('q', 'a', 'c', 1, 1)"),
        new("A permission is good for one export", "reprint_uses primary key (request_id)", null, 1, "",
            "INSERT INTO reprint_uses VALUES ('q', 'e', 'a', 1, 1)", "INSERT INTO reprint_uses VALUES ('q', 'f', 'a', 1, 1)"),
        new("A file gives one order", "order_files primary key (fingerprint, turn)", null, 1, "",
            "INSERT INTO order_files VALUES ('h', 1, 'o', 2, 'a', 1, 1)",
            "INSERT INTO order_files VALUES ('h', 1, 'p', 2, 'a', 1, 1)"),
        new("A file is on its way in once",
            "order_file_stagings unique index order_file_stagings_fingerprint (fingerprint)", null, 1, "",
            "INSERT INTO order_file_stagings VALUES ('j', 'h', 'c', 2, 2, 5, 9, NULL, NULL, NULL)",
            "INSERT INTO order_file_stagings VALUES ('k', 'h', 'c', 2, 2, 5, 9, NULL, NULL, NULL)"),
        new("A parcel leaves once", "dispatches primary key (order_id, point_id)", null, 1, "",
            "INSERT INTO dispatches VALUES ('o', 'p', 1, 5, NULL, NULL, 'a', 1, 1)",
            "INSERT INTO dispatches VALUES ('o', 'p', 2, 5, 'X', 'Y', 'b', 1, 1)"),
        new("A parcel is received once", "dispatch_receipts primary key (order_id, point_id)", null, 1,
            "INSERT INTO dispatches VALUES ('o', 'p', 1, 5, NULL, NULL, 'a', 1, 1)",
            "INSERT INTO dispatch_receipts VALUES ('o', 'p', 1, 5, 5, NULL, 'a', 1, 1)",
            "INSERT INTO dispatch_receipts VALUES ('o', 'p', 1, 5, 4, 'manque un carnet', 'b', 1, 1)"),
        new("A difference is explained", "dispatch_receipts check booklets = expected OR explanation IS NOT NULL",
            "dispatch_receipts_explained", 0,
            "INSERT INTO dispatches VALUES ('o', 'p', 1, 5, NULL, NULL, 'a', 1, 1)",
            "INSERT INTO dispatch_receipts VALUES ('o', 'p', 1, 5, 4, NULL, 'a', 1, 1)"),
        new("Serials are of one order", "orders unique index orders_first_serial (first_serial)", null, 1, "",
            Order("o"), Order("p")),
    ];

    private static IEnumerable<TestCaseData> Cases => Rules.Select(r => new TestCaseData(r).SetArgDisplayNames(r.Name));

    private static IEnumerable<TestCaseData> Races =>
        from rule in Rules
        from begin in new[] { "BEGIN IMMEDIATE", "BEGIN DEFERRED" }
        select new TestCaseData(rule, begin).SetArgDisplayNames(rule.Name, begin);

    [TestCaseSource(nameof(Cases))]
    public void Both_engines_have_the_constraint(Rule rule)
    {
        Assert.That(SqliteSchema.Service.Value.Describe(), Has.Member(rule.Constraint));
        Assert.That(SqlSchema.Service.Value.Describe(), Has.Member(rule.Constraint));
        if (rule.Named is null) return;
        foreach (var engine in new[] { SqlMigrations.Sqlite, SqlMigrations.SqlServer })
            Assert.That(engine.Select(m => m.Text), Has.Exactly(1).Contains($"CONSTRAINT {rule.Named} CHECK"));
    }

    [TestCaseSource(nameof(Races))]
    public async Task Two_connections_at_once_break_it_in_vain(Rule rule, string begin)
    {
        using var folder = new TestFolder();
        await using (var database = folder.Database()) await database.MigrateAsync();
        if (rule.Given.Length > 0) folder.Execute(rule.Given);

        using var both = new Barrier(2);
        var first = Task.Run(() => Attempt(folder, begin, rule.First, both));
        var second = Task.Run(() => Attempt(folder, begin, rule.Second ?? rule.First, both));
        var codes = await Task.WhenAll(first, second);
        Assert.That(codes.Count(c => c == raw.SQLITE_OK), Is.EqualTo(rule.Successes), string.Join(", ", codes));
        Assert.That(codes.Where(c => c != raw.SQLITE_OK), Is.All.EqualTo(raw.SQLITE_CONSTRAINT));
    }

    /// <summary>
    /// Both have read the same state before either writes. Whoever finds the store busy begins again, as a
    /// caller would; the answer is that of the constraint.
    /// </summary>
    private static int Attempt(TestFolder folder, string begin, string write, Barrier both)
    {
        using var connection = folder.Open();
        Exec(connection, "PRAGMA busy_timeout = 5000");
        if (begin == "BEGIN DEFERRED") Exec(connection, begin);
        Exec(connection, "SELECT COUNT(*) FROM voucher_entries");
        both.SignalAndWait();
        if (begin == "BEGIN IMMEDIATE") Exec(connection, begin);
        while (true)
        {
            var code = Exec(connection, write);
            if (code == raw.SQLITE_OK) return Exec(connection, "COMMIT");
            Exec(connection, "ROLLBACK");
            if (code != raw.SQLITE_BUSY) return code;
            Exec(connection, "BEGIN IMMEDIATE");
        }
    }

    private static int Exec(SqliteConnection connection, string sql) => raw.sqlite3_exec(connection.Handle, sql) & 0xff;

    private static string Entry(long part, long minutes, long used, string operation, long serial = 1, long kind = 1) =>
        "INSERT INTO voucher_entries (serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes,"
        + " closed_minutes, convention_id, terms_version, duration_minutes, service_day, month, organisation_id,"
        + " operation_id, line, body_hash, actor_id, recorded_ms, batch)"
        + $" VALUES ({serial}, {part}, {kind}, {minutes}, {used}, 120, 0, 0, 0, 'c', 1, 60, 1, 202611, 's',"
        + $" '{operation}', 0, 'h', 'a', 1, 1)";

    private static string OfflineService(string operation, long serial = 1) =>
        "INSERT INTO offline_services (serial, part, refusal, minutes, value_cents, convention_id, terms_version, site_id,"
        + " device_id, service, activity_kind, duration_minutes, service_day, month, organisation_id, operation_id, line,"
        + " body_hash, actor_id, recorded_ms, batch)"
        + $" VALUES ({serial}, 1, 'voucher-spent', 120, 1000, 'c', 1, 's', 'd', 'x', 'individuel', 60, 1, 202611, 's',"
        + $" '{operation}', 0, 'h', 'a', 1, 1)";

    private static string HandOut(string operation, long booklet = 1) =>
        "INSERT INTO booklet_entries (booklet, part, kind, point_id, day, person_number, organisation_id, operation_id,"
        + $" body_hash, actor_id, recorded_ms, batch) VALUES ({booklet}, 1, 1, 'p', 1, 1, 's', '{operation}', 'h', 'a', 1, 1)";

    private static string Move(string operation, long kind, long part = 1) =>
        "INSERT INTO booklet_entries (booklet, part, kind, point_id, day, organisation_id, operation_id, body_hash, actor_id,"
        + $" recorded_ms, batch) VALUES (1, {part}, {kind}, 'p', 1, 's', '{operation}', 'h', 'a', 1, 1)";

    private static string Order(string id) =>
        "INSERT INTO orders (id, convention_id, authority_id, first_serial, last_serial, booklet_count, vouchers_per_booklet,"
        + " voucher_count, face_cents, credit_minutes, total_cents, valid_until_day, terms_version, salt, key_version,"
        + " ordered_day, actor_id, recorded_ms, batch)"
        + $" VALUES ('{id}', 'c', 'x', 1, 5, 1, 5, 5, 1000, 120, 5000, 9, 1, x'00', 1, 1, 'a', 1, 1)";

    /// <summary>
    /// A rule and what holds it: the constraint as both schemas describe it, and its name where it has one.
    /// Of two writes at once as many succeed as <paramref name="Successes"/> says: one, or none where each
    /// breaks the rule alone.
    /// </summary>
    internal sealed record Rule(
        string Name, string Constraint, string? Named, int Successes, string Given, string First, string? Second = null)
    {
        public override string ToString() => Name;
    }
}

/// <summary>The same rules through the API: two clients at the same moment, one gets it.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ConstraintRaceTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private long _first;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, booklets: 10, budgetCents: 200_000);
        _first = _scenario.FirstSerial;
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task Two_orders_at_once_do_not_exceed_the_budget()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 0, budgetCents: 100_000);
        var order = new
        {
            conventionId = scenario.ConventionId,
            booklets = 12,
            vouchersPerBooklet = 5,
            validUntil = Scenario.Today.AddMonths(5),
            distributionPoints = new[] { new { id = scenario.PointId, booklets = 12 } },
        };
        await OneOfTwoAsync(() => scenario.Authority().PostAsync("orders", order),
            () => scenario.Authority().PostAsync("orders", order), "budget-exceeded");
    }

    [Test]
    public async Task Money_for_one_order_activates_one_of_two()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 0);
        var until = Scenario.Today.AddMonths(5);
        var a = await scenario.OrderAsync(4, until, activate: false);
        var b = await scenario.OrderAsync(4, until, activate: false);
        await scenario.DeliverAsync(a.Id);
        await scenario.DeliverAsync(b.Id);
        await scenario.FundAsync(20_000);
        await OneOfTwoAsync(() => _service.Operator().PostAsync($"orders/{a.Id}/activation", new { }),
            () => _service.Operator().PostAsync($"orders/{b.Id}/activation", new { }), "funds-missing");
    }

    [Test]
    public async Task An_order_is_produced_or_cancelled()
    {
        var order = (await _scenario.OrderAsync(1, Scenario.Today.AddMonths(5), activate: false)).Id;
        Scenario.Ok(await _service.Operator().PostAsync($"orders/{order}/approval", new { }));
        Scenario.Ok(await _scenario.Authority().PostAsync($"orders/{order}/proof-approval", new { }));
        await OneOfTwoAsync(() => _service.Operator().PostAsync($"orders/{order}/production", new { }),
            () => _scenario.Authority().PostAsync($"orders/{order}/cancellation", new { comment = "doublon" }),
            "order-cancelled", "order-in-production");
    }

    [Test]
    public async Task A_pass_is_spent_at_one_of_two_sites()
    {
        var body = await _scenario.RedemptionAsync(_first);
        var other = await _scenario.RedemptionAsync(_first);
        await OneOfTwoAsync(() => _scenario.Site().PostAsync("redemptions", body),
            () => _scenario.OtherSite().PostAsync("redemptions", other), "voucher-spent");
    }

    [Test]
    public async Task An_operation_id_takes_one_of_two_passes()
    {
        var operation = Guid.NewGuid().ToString();
        var body = await _scenario.RedemptionAsync(_first + 1, operation);
        var other = await _scenario.RedemptionAsync(_first + 2, operation);
        await OneOfTwoAsync(() => _scenario.Site().PostAsync("redemptions", body),
            () => _scenario.Site().PostAsync("redemptions", other), "idempotency-key-reused");
    }

    [Test]
    public async Task A_redemption_is_undone_once()
    {
        var redemption = Scenario.Ok(await _scenario.Site().PostAsync(
            "redemptions", await _scenario.RedemptionAsync(_first + 3)));
        var path = $"redemptions/{redemption.Id}/reversal";
        await OneOfTwoAsync(() => _scenario.Site().PostAsync(path, new { reason = "erreur" }),
            () => _service.Operator().PostAsync(path, new { reason = "erreur" }), "redemption-already-reversed");
    }

    [Test]
    public async Task A_redemption_is_undone_or_paid()
    {
        var redemption = Scenario.Ok(await _scenario.Site().PostAsync(
            "redemptions", await _scenario.RedemptionAsync(_first + 4)));
        var month = Scenario.Today.ToString("yyyy-MM", CultureInfo.InvariantCulture);
        var (run, undo) = await AtOnceAsync(
            () => _service.Operator().PostAsync("payment-runs", new { month }),
            () => _scenario.Site().PostAsync($"redemptions/{redemption.Id}/reversal", new { reason = "erreur" }));
        var outcome = (await _service.QueryAsync<string>(
            "SELECT outcome FROM redemption_outcomes WHERE serial = @S AND part = 1", new { S = _first + 4 })).Single();
        Assert.That(undo.Status, Is.EqualTo(201), undo.ToString());
        Assert.That(undo["incident"].GetBoolean() ? "in-run" : "undone", Is.EqualTo(outcome));
        Assert.That(run.Status == 201 || run.Problem == "nothing-to-pay", run.ToString());
    }

    [Test]
    public async Task A_derogation_takes_a_second_person_and_is_confirmed_once()
    {
        var order = (await _scenario.OrderAsync(1, Scenario.Today.AddMonths(5), activate: false)).Id;
        await _scenario.DeliverAsync(order);
        Scenario.Ok(await _service.Operator().PostAsync($"orders/{order}/derogation", new { reason = "virement en route" }));
        var path = $"orders/{order}/derogation/confirmation";
        var (first, second) = await AtOnceAsync(
            () => _service.Operator().PostAsync(path, new { }), () => _service.Operator().PostAsync(path, new { }));
        Assert.That(new[] { first.Problem, second.Problem }, Is.All.EqualTo("second-person-needed"));
        var state = await _service.SendAsync(new CreateOrganisation.Command("state", "État d'essai"));
        var key = await _service.SendAsync(new CreateApiKey.Command(state.Value!.Id, "state", "essais"));
        await OneOfTwoAsync(() => _service.Client(key.Value!.ApiKey).PostAsync(path, new { }),
            () => _service.Client(key.Value!.ApiKey).PostAsync(path, new { }), "derogation-already-confirmed");
    }

    [Test]
    public async Task A_booklet_is_handed_out_once()
    {
        var booklet = _first + 5;
        await OneOfTwoAsync(() => _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet)),
            () => _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet)), "booklet-already-handed-out");
    }

    [Test]
    public async Task A_hand_out_is_undone_or_its_pass_is_used()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 4, requireHandOut: "refuse");
        for (var booklet = scenario.FirstSerial; booklet <= scenario.LastSerial; booklet += 5)
        {
            var handOut = Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet)));
            var redemption = await scenario.RedemptionAsync(booklet + 2);
            await OneOfTwoAsync(
                () => scenario.Agent().PostAsync($"hand-outs/{handOut.Id}/reversal", new { reason = "mauvais numéro" }),
                () => scenario.Site().PostAsync("redemptions", redemption), "hand-out-used", "voucher-not-handed-out");
        }
    }

    [Test]
    public async Task A_booklet_is_given_back_with_what_a_scan_left()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 1, wholeVouchersOnly: false);
        var redemption = await scenario.RedemptionAsync(scenario.FirstSerial);
        var (given, used) = await AtOnceAsync(
            () => scenario.Agent().PostAsync("returns", new { bookletNumber = scenario.FirstSerial, reason = "abîmé" }),
            () => scenario.Site().PostAsync("redemptions", redemption));
        Assert.That(given.Status, Is.EqualTo(201), given.ToString());
        Assert.That(used.Status == 201 || used.Problem == "voucher-returned", used.ToString());
        Assert.That(given["closedMinutes"].GetInt64(), Is.EqualTo(used.Status == 201 ? 540 : 600));
    }

    [Test]
    public async Task A_line_is_paid_by_one_of_two_runs()
    {
        Scenario.Ok(await _scenario.Site().PostAsync("redemptions", await _scenario.RedemptionAsync(_first + 10)));
        var month = Scenario.Today.ToString("yyyy-MM", CultureInfo.InvariantCulture);
        await OneOfTwoAsync(() => _service.Operator().PostAsync("payment-runs", new { month }),
            () => _service.Operator().PostAsync("payment-runs", new { month }), "nothing-to-pay");
    }

    [Test]
    public async Task A_contact_is_never_left_behind_by_the_erasure_of_its_person()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 4);
        for (var booklet = scenario.FirstSerial; booklet <= scenario.LastSerial; booklet += 10)
        {
            var reference = $"dossier {booklet}";
            Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet, reference: reference)));
            var (erased, given) = await AtOnceAsync(
                () => scenario.Authority().PostAsync(
                    "persons/erasures", new { conventionId = scenario.ConventionId, reference }),
                () => scenario.Agent().PostAsync("hand-outs", new
                {
                    operationId = Guid.NewGuid(),
                    bookletNumber = booklet + 5,
                    handedOutOn = Scenario.Today,
                    person = new { reference },
                    followUp = new { agreed = true, @for = "rappel", phone = "+33 3 26 00 00 00" },
                }));
            Assert.That((erased.Status, given.Status), Is.EqualTo((200, 201)), $"{erased}\n{given}");
            Assert.That(await _service.QueryAsync<string>(
                """
                SELECT c.id
                  FROM person_contacts c
                 WHERE c.convention_id = @ConventionId
                   AND NOT EXISTS (SELECT 1 FROM person_links l
                                    WHERE l.convention_id = c.convention_id AND l.person_number = c.person_number)
                """, new { scenario.ConventionId }), Is.Empty);
        }
    }

    [Test]
    public async Task Twins_at_once_get_one_answer_and_no_refusal()
    {
        var order = (await _scenario.OrderAsync(1, Scenario.Today.AddMonths(5), activate: false)).Id;
        var body = new { validUntil = Scenario.Today.AddMonths(7), reason = "retard de l'imprimeur" };
        await OneAnswerAsync(() => _scenario.Authority().PostAsync($"orders/{order}/extension", body, key: "prolongation"));
        await OneAnswerAsync(() => _service.Operator().PostAsync($"orders/{order}/approval", new { }, key: "validation"));
        var handOut = Scenario.HandOut(_first + 15);
        await OneAnswerAsync(() => _scenario.Agent().PostAsync("hand-outs", handOut));
    }

    [Test]
    public async Task A_step_waits_for_the_one_before_it_and_no_date_is_blamed()
    {
        for (var round = 0; round < 3; round++)
        {
            var order = (await _scenario.OrderAsync(1, Scenario.Today.AddMonths(5), activate: false)).Id;
            Scenario.Ok(await _service.Operator().PostAsync($"orders/{order}/approval", new { }));
            var (proof, production) = await AtOnceAsync(
                () => _scenario.Authority().PostAsync($"orders/{order}/proof-approval", new { }),
                () => _service.Operator().PostAsync($"orders/{order}/production", new { }));
            Assert.That(proof.Status, Is.EqualTo(201), proof.ToString());
            Assert.That(production.Status == 201 || production.Problem == "step-out-of-order", production.ToString());
        }
    }

    private static async Task OneAnswerAsync(Func<Task<Answer>> call)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(call)));
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(201), string.Join('\n', answers.AsEnumerable()));
        Assert.That(answers.Select(a => a.Body).Distinct().Count(), Is.EqualTo(1));
        Assert.That(answers.Count(a => !a.Replayed), Is.EqualTo(1));
    }

    private static async Task OneOfTwoAsync(
        Func<Task<Answer>> first, Func<Task<Answer>> second, params string[] refusals)
    {
        var (one, other) = await AtOnceAsync(first, second);
        Answer[] answers = [one, other];
        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(1), string.Join('\n', answers.AsEnumerable()));
        Assert.That(answers.Single(a => a.Status != 201).Problem, Is.AnyOf(refusals.Cast<object>().ToArray()));
    }

    internal static async Task<(Answer First, Answer Second)> AtOnceAsync(
        Func<Task<Answer>> first, Func<Task<Answer>> second)
    {
        using var both = new Barrier(2);
        var answers = await Task.WhenAll(new[] { first, second }.Select(call => Task.Factory.StartNew(async () =>
        {
            both.SignalAndWait();
            return await call();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));
        return (answers[0], answers[1]);
    }
}
