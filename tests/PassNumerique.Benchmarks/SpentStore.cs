using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using PassNumerique.Audit;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Benchmarks;

/// <summary>
/// A store in which every voucher was ordered, paid for, handed out, redeemed and paid to its site, sealed in
/// small batches as they are in service: every leaf, root and chain holds. The vouchers of an order are spent
/// in no order and under random operation ids, so that indexes are filled as they are in service. Orders that
/// were handed out and not yet used may follow, with a key for each site. It is built once and kept; other
/// migrations, another shape or another size build it anew.
/// </summary>
internal sealed class SpentStore
{
    public const long VouchersPerOrder = 50_000;
    public const int Sites = 64;
    public const string Service = "Aide aux démarches administratives";
    private const long VouchersPerBooklet = 10;
    private const long BookletsPerOrder = VouchersPerOrder / VouchersPerBooklet;
    private const long FaceCents = 1_000;
    private const long CreditMinutes = 120;
    private const int FactsPerBatch = 250;
    private const long BatchMs = 1_000;
    private const string Reference = "ESSAI-1";

    /// <summary>A convention with nothing ordered yet, whose budget never ends.</summary>
    public const string OpenReference = "ESSAI-2";

    /// <summary>The key of an operator of this store.</summary>
    public const string OperatorKey = "pn_essai_essai_essai_operateur";

    private const long OpenCents = 1_000_000_000_000;

    /// <summary>Counts up when the rows change, so that a kept store is built anew.</summary>
    private const int Shape = 4;

    private static readonly DateOnly FirstDay = new(2025, 1, 6);
    private static readonly DateOnly ValidUntil = new(2030, 12, 31);

    private readonly long _vouchers;
    private readonly long _unspent;
    private readonly FactLoader _facts;
    private readonly KeyRing _keys;
    private readonly Random _random = new(1);
    private readonly string _authority;
    private readonly string _structure;
    private readonly string[] _sites = new string[Sites];
    private readonly string _point;
    private readonly string _convention;
    private readonly string _open;
    private readonly string _operator;
    private long _lastId;

    private SpentStore(long vouchers, long unspent, KeyRing keys)
    {
        (_vouchers, _unspent, _keys) = (vouchers, unspent, keys);
        var midnight = new DateTimeOffset(FirstDay, TimeOnly.MinValue, TimeSpan.Zero);
        _facts = new FactLoader(keys, NewId(), midnight.ToUnixTimeMilliseconds(), BatchMs);
        (_authority, _structure, _point, _convention) = (NewId(), NewId(), NewId(), NewId());
        (_open, _operator) = (NewId(), NewId());
        for (var i = 0; i < _sites.Length; i++) _sites[i] = NewId();
    }

    /// <summary>Builds the store unless the folder has it already.</summary>
    /// <param name="vouchers">How many passes are spent, in whole orders.</param>
    /// <param name="unspent">How many more are handed out, in whole orders.</param>
    public static async Task EnsureAsync(StoreFolder folder, long vouchers, long unspent = 0)
    {
        var marker = Path.Combine(folder.Root, "complete");
        var wanted = string.Create(CultureInfo.InvariantCulture, $"{vouchers} {unspent} {Shape} {MigrationsDigest()}");
        if (File.Exists(marker) && await File.ReadAllTextAsync(marker) == wanted) return;
        if (Directory.Exists(folder.Data) && !File.Exists(marker))
            throw new OptionException($"{folder.Data} exists and was not finished by this program: delete it first");

        Console.WriteLine($"Building a store of {vouchers} spent and {unspent} unspent vouchers in {folder.Root}…");
        var watch = Stopwatch.StartNew();
        foreach (var old in (string[])[folder.Data, Path.GetDirectoryName(folder.CodeKeyFile)!])
            if (Directory.Exists(old)) Directory.Delete(old, recursive: true);
        Directory.CreateDirectory(Path.GetDirectoryName(folder.CodeKeyFile)!);
        File.Delete(marker);
        var keys = KeyRing.Create(folder.CodeKeyFile);
        await using (var database = new SqliteDatabase(
            folder.Data, folder.HeadFile, Journal.Tables, TimeProvider.System, keys))
        {
            await database.MigrateAsync();
            await new SpentStore(vouchers, unspent, keys).FillAsync(database);
        }

        TakeSerials(folder, vouchers + unspent);
        await File.WriteAllTextAsync(marker, wanted);
        Console.WriteLine($"Built in {watch.Elapsed.TotalSeconds:0} s.");
    }

    private static string MigrationsDigest() => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.UTF8.GetBytes(string.Concat(Migrations.Names("sqlite").Select(Migrations.Text)))));

    private static void TakeSerials(StoreFolder folder, long vouchers)
    {
        using var connection = new SqliteConnection(
            $"Data Source={Path.Combine(folder.Data, SqliteDatabase.FileName)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "UPDATE counters SET next_value = @Next WHERE name = 'serial'";
        command.Parameters.AddWithValue("@Next", vouchers + 1);
        command.ExecuteNonQuery();
    }

    private async Task FillAsync(Database database)
    {
        AddConvention();
        var total = (_vouchers + _unspent) * FaceCents;
        _facts.AddState("convention_balances",
            ["convention_id", "budget_cents", "ordered_cents", "received_cents", "derogated_cents", "committed_cents"],
            [_convention, total, total, total, 0L, total], [_open, OpenCents, 0L, 0L, 0L, 0L]);
        _facts.AddState("counters", ["name", "next_value"], [$"person:{_convention}", ((_vouchers + _unspent) / VouchersPerBooklet) + 2]);
        if (_vouchers + _unspent == 0) await _facts.LoadAsync(database);
        for (var first = 1L; first <= _vouchers; first += VouchersPerOrder)
        {
            AddOrder(first);
            AddHandOuts(first);
            AddRedemptions(first);
            AddPaymentRuns(first);
            await _facts.LoadAsync(database);
        }

        for (var first = _vouchers + 1; first <= _vouchers + _unspent; first += VouchersPerOrder)
        {
            AddOrder(first);
            AddHandOuts(first);
            await _facts.LoadAsync(database);
        }
    }

    private void AddConvention()
    {
        var day = FirstDay.ToDay();
        _facts.Add("organisations",
            ("id", _authority), ("kind", "authority"), ("name", "Collectivité d'essai"), ("siret", null));
        _facts.Add("organisations",
            ("id", _structure), ("kind", "structure"), ("name", "Structure d'essai"), ("siret", null));
        _facts.Add("organisations",
            ("id", _operator), ("kind", "operator"), ("name", "Opérateur d'essai"), ("siret", null));
        AddKey(_operator, "operator", null, OperatorKey);
        for (var i = 0; i < _sites.Length; i++) AddSite(_sites[i], i, day);
        _facts.Add("distribution_points",
            ("id", _point), ("authority_id", _authority), ("name", "Guichet d'essai"), ("channel", "mairie"),
            ("address", "2 rue de l'Essai"), ("commune", "23096"));
        AddTerms(_convention, Reference, (_vouchers + _unspent) * FaceCents);
        AddTerms(_open, OpenReference, OpenCents);
        if (_vouchers + _unspent > 0) _facts.Add("funds_receipts",
            ("id", NewId()), ("convention_id", _convention), ("funder", "Collectivité d'essai"),
            ("amount_cents", (_vouchers + _unspent) * FaceCents),
            ("face_value_cents", (_vouchers + _unspent) * FaceCents),
            ("received_day", day), ("bank_reference", "VIR-1"), ("prefunding", 1L));
        _facts.CloseBatch();
    }

    private void AddTerms(string convention, string reference, long budgetCents)
    {
        var day = FirstDay.ToDay();
        _facts.Add("conventions", ("id", convention), ("reference", reference), ("authority_id", _authority));
        _facts.Add("convention_terms",
            ("convention_id", convention), ("version", 1L), ("reference", reference), ("signed_day", day),
            ("effective_day", day), ("terms", TermsDocument(budgetCents)));
    }

    private void AddSite(string site, int number, long day)
    {
        _facts.Add("sites",
            ("id", site), ("organisation_id", _structure), ("name", $"Lieu d'essai {number}"),
            ("address", "1 rue de l'Essai"), ("postcode", "23000"), ("commune", "23096"),
            ("services", string.Join('|', Vocabularies.Services.Codes)));
        _facts.Add("site_labels",
            ("site_id", site), ("position", 1L), ("status", "labelled"), ("from_day", day), ("reason", "essai"));
        AddKey(_structure, "site", site, SiteKey(number));
    }

    private void AddKey(string organisation, string role, string? place, string key) => _facts.AddState("api_keys",
        ["id", "organisation_id", "role", "place_id", "label", "secret_hash", "created_ms"],
        [NewId(), organisation, role, place, "essai", _keys.SecretHash(key), 0L]);

    /// <summary>The key of a site of this store.</summary>
    public static string SiteKey(int number) => string.Create(CultureInfo.InvariantCulture, $"pn_essai_essai_essai_{number:000}");

    private static string TermsDocument(long budgetCents) => new Terms
    {
        StartsOn = FirstDay,
        EndsOn = ValidUntil,
        FaceValueCents = FaceCents,
        MinutesPerVoucher = CreditMinutes,
        Tariffs = [new("*", "*", CreditMinutes, CreditMinutes)],
        Funders = [new("authority", "Collectivité d'essai", 10_000, "prefunding")],
        BudgetCents = budgetCents,
        Territory = ["23"],
    }.ToDocument();

    private void AddOrder(long first)
    {
        var (id, last, day) = (NewId(), first + VouchersPerOrder - 1, FirstDay.ToDay());
        _facts.Add("orders",
            ("id", id), ("convention_id", _convention), ("authority_id", _authority), ("first_serial", first),
            ("last_serial", last), ("booklet_count", BookletsPerOrder), ("vouchers_per_booklet", VouchersPerBooklet),
            ("voucher_count", VouchersPerOrder), ("face_cents", FaceCents), ("credit_minutes", CreditMinutes),
            ("total_cents", VouchersPerOrder * FaceCents), ("valid_until_day", ValidUntil.ToDay()),
            ("terms_version", 1L), ("salt", RandomNumberGenerator.GetBytes(16)), ("key_version", 1L),
            ("ordered_day", day));
        _facts.Add("lots",
            ("order_id", id), ("position", 1L), ("first_serial", first), ("last_serial", last),
            ("booklet_count", BookletsPerOrder), ("point_id", _point));
        string[] steps = ["approved", "proof-approved", "produced", "shipped", "delivered", "activated"];
        foreach (var (index, step) in steps.Index())
            _facts.Add("order_steps", ("order_id", id), ("slot", index + 1L), ("step", step), ("on_day", day));
        _facts.CloseBatch();
    }

    private void AddHandOuts(long first)
    {
        var links = new List<object?[]>();
        for (var i = 0L; i < BookletsPerOrder; i++)
        {
            var booklet = first + (i * VouchersPerBooklet);
            var (operation, person) = (NewOperation(), (booklet / VouchersPerBooklet) + 1);
            _facts.Add("booklet_entries",
                ("booklet", booklet), ("part", 1L), ("kind", 1L), ("point_id", _point), ("day", FirstDay.ToDay()),
                ("person_number", person), ("anonymous", 0L), ("age_band", Of(Vocabularies.AgeBands)),
                ("gender", Of(Vocabularies.Genders)), ("social_status", Of(Vocabularies.SocialStatuses)),
                ("commune", "23096"), ("publics", Of(Vocabularies.PersonPublics)), ("channel", "mairie"),
                ("pic_ground", "none"), ("pic_evidence", "unknown"), ("needs", Of(Vocabularies.Thematiques)),
                ("oriented_site_id", _sites[0]), ("notice_version", "2024-1"), ("notice_given", 1L),
                ("organisation_id", _authority), ("operation_id", operation), ("body_hash", Digest(operation)));
            links.Add([_convention, _keys.PersonDigest(_convention, operation), person, 0L]);
            if ((i + 1) % FactsPerBatch == 0) _facts.CloseBatch();
        }

        _facts.AddState(
            "person_links", ["convention_id", "reference_digest", "person_number", "created_ms"], [.. links]);
    }

    private void AddRedemptions(long first)
    {
        var serials = new long[VouchersPerOrder];
        for (var i = 0; i < serials.Length; i++) serials[i] = first + i;
        _random.Shuffle(serials);
        foreach (var batch in serials.Chunk(FactsPerBatch))
        {
            foreach (var serial in batch.Order()) AddRedemption(serial);
            _facts.CloseBatch();
        }
    }

    private void AddRedemption(long serial)
    {
        var (operation, day) = (NewOperation(), ServiceDay(serial));
        _facts.Add("voucher_entries",
            ("serial", serial), ("part", 1L), ("kind", 1L), ("minutes", CreditMinutes),
            ("used_after", CreditMinutes), ("credit_minutes", CreditMinutes), ("value_cents", FaceCents),
            ("hold_minutes", 0L), ("closed_minutes", 0L), ("convention_id", _convention), ("terms_version", 1L),
            ("site_id", _sites[0]), ("service", Of(Vocabularies.Services)), ("activity_kind", "individuel"),
            ("duration_minutes", CreditMinutes), ("thematiques", Of(Vocabularies.Thematiques)),
            ("level", Of(Vocabularies.Levels)), ("autonomy", Of(Vocabularies.Autonomy)), ("first_visit", "no"),
            ("service_day", day), ("month", Clock.Month(day)), ("organisation_id", _structure),
            ("operation_id", operation), ("line", 1L), ("body_hash", Digest(operation)));
    }

    /// <summary>One run a month of service, each with all its redemptions of this order.</summary>
    private void AddPaymentRuns(long first)
    {
        var months = Enumerable.Range(0, (int)VouchersPerOrder).Select(i => first + i)
            .GroupBy(serial => Clock.Month(ServiceDay(serial))).OrderBy(month => month.Key);
        foreach (var month in months)
        {
            var (run, count) = (NewId(), (long)month.Count());
            _facts.Add("payment_runs",
                ("id", run), ("month", month.Key), ("line_count", count), ("total_cents", count * FaceCents));
            _facts.Add("payouts",
                ("run_id", run), ("site_id", _sites[0]), ("line_count", count), ("gross_cents", count * FaceCents),
                ("fee_cents", 0L), ("net_cents", count * FaceCents));
            foreach (var serial in month)
                _facts.Add("redemption_outcomes", ("serial", serial), ("part", 1L), ("outcome", "in-run"), ("run_id", run));
            _facts.CloseBatch();
        }
    }

    private static long ServiceDay(long serial) => FirstDay.AddDays((int)(serial % 360) + 1).ToDay();

    private string Of(Vocabulary vocabulary) => vocabulary.Codes[_random.Next(vocabulary.Codes.Count)];

    // Made by whoever sends the request: in no order.
    private string NewOperation()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes).ToString();
    }

    // In the order of time, like the service's own: rows of one batch are hashed in the order of their keys.
    private string NewId() => string.Create(CultureInfo.InvariantCulture, $"00000000-0000-8000-8000-{++_lastId:x12}");

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));
}
