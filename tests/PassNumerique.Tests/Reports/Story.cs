using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using PassNumerique.Access;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Reports;

/// <summary>A clock that stands where a test put it.</summary>
internal sealed class StandingClock(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}

/// <summary>
/// A history written as facts, each day in a sealed batch of its own, without any other slice: what a test of
/// a report says happened.
/// </summary>
internal sealed class Story
{
    public const string Actor = "00000000-0000-7000-8000-00000000aaaa";
    private static long _ids;
    private readonly List<(long SealedMs, List<(string Table, object?[] Values)> Rows)> _batches = [];
    private readonly Dictionary<long, (long Part, long Minutes, long Cents)> _passes = [];
    private readonly Dictionary<long, long> _bookletParts = [];
    private readonly Dictionary<long, long> _secondParts = [];
    private readonly Dictionary<long, (long Credit, long Face, string ConventionId)> _worth = [];
    private long _day;
    private long _guarantees;

    public static string NewId() => string.Create(
        CultureInfo.InvariantCulture, $"00000000-0000-7000-8000-{Interlocked.Increment(ref _ids):x12}");

    /// <summary>What follows is known, and by default happens, on this day at noon.</summary>
    public Story On(string date)
    {
        _day = Day(date);
        var noon = Clock.ParisMidnightMs(_day) + (Clock.DayMs / 2);
        _batches.Add((_batches.Count == 0 ? noon : Math.Max(noon, _batches[^1].SealedMs + 1), []));
        return this;
    }

    public Story On(long day) => On(Clock.DateText(day));

    public static long Day(string date) => DateOnly.ParseExact(date, "yyyy-MM-dd", CultureInfo.InvariantCulture).ToDay();

    public void Add(string table, params (string Column, object? Value)[] values)
    {
        var columns = PassNumerique.Audit.Journal.Tables[table].Columns;
        var row = new object?[columns.Count];
        foreach (var (column, value) in values.Append(("actor_id", Actor)).Append(("recorded_ms", _batches[^1].SealedMs)))
        {
            var place = columns.ToList().IndexOf(column);
            if (place < 0) throw new ArgumentException($"{table} has no {column}");
            row[place] = value is int number ? (long)number : value;
        }

        _batches[^1].Rows.Add((table, row));
    }

    public string Organisation(string kind, string name = "Organisation")
    {
        var id = NewId();
        Add("organisations", ("id", id), ("kind", kind), ("name", name));
        return id;
    }

    public string Site(string organisationId, string name = "Lieu", string commune = "23096")
    {
        var id = NewId();
        Add("sites", ("id", id), ("organisation_id", organisationId), ("name", name), ("address", "1 rue de l'Essai"),
            ("postcode", "23000"), ("commune", commune), ("services", "*"));
        Add("site_labels", ("site_id", id), ("position", 1), ("status", "labelled"), ("from_day", _day), ("reason", "essai"));
        return id;
    }

    public string Point(string authorityId, string name = "Point", string channel = "ccas")
    {
        var id = NewId();
        Add("distribution_points", ("id", id), ("authority_id", authorityId), ("name", name), ("channel", channel),
            ("address", "2 rue de l'Essai"), ("commune", "23096"));
        return id;
    }

    public string Convention(string authorityId, Terms terms, string? hubId = null)
    {
        var id = NewId();
        Add("conventions", ("id", id), ("reference", "C-" + id[^4..]), ("authority_id", authorityId), ("hub_id", hubId));
        Version(id, 1, terms, _day);
        return id;
    }

    public void Version(string conventionId, long version, Terms terms, long effectiveDay) => Add("convention_terms",
        ("convention_id", conventionId), ("version", version), ("reference", "v" + version), ("signed_day", _day),
        ("effective_day", effectiveDay), ("terms", terms.ToDocument()));

    public string Order(
        string conventionId, string authorityId, long first, long booklets, string validUntil, string pointId,
        long? picBooklets = null, long perBooklet = 5, long face = 1_000, long credit = 120)
    {
        var id = NewId();
        var count = booklets * perBooklet;
        Add("orders", ("id", id), ("convention_id", conventionId), ("authority_id", authorityId), ("first_serial", first),
            ("last_serial", first + count - 1), ("booklet_count", booklets), ("vouchers_per_booklet", perBooklet),
            ("voucher_count", count), ("face_cents", face), ("credit_minutes", credit), ("total_cents", count * face),
            ("valid_until_day", Day(validUntil)), ("terms_version", 1), ("salt", new byte[16]), ("key_version", 1),
            ("ordered_day", _day));
        Add("lots", ("order_id", id), ("position", 1), ("first_serial", first), ("last_serial", first + count - 1),
            ("booklet_count", booklets), ("pic_booklets", picBooklets), ("point_id", pointId));
        for (var serial = first; count <= 10_000 && serial < first + count; serial++)
            _worth[serial] = (credit, face, conventionId);
        return id;
    }

    public void Step(string orderId, params string[] steps)
    {
        foreach (var step in steps)
            Add("order_steps", ("order_id", orderId), ("slot", SlotOf(step)), ("step", step), ("on_day", _day));
    }

    public void Activate(string orderId) => Step(orderId, "approved", "produced", "delivered", "activated");

    public void HandOut(
        long booklet, string pointId, long? person, long? day = null, string? pic = null, string? age = null,
        string? publics = null, long kind = 1)
    {
        Add("booklet_entries", ("booklet", booklet), ("part", NextPart(booklet)), ("kind", kind), ("point_id", pointId),
            ("day", day ?? _day), ("person_number", kind is 1 or 4 ? person ?? 9_000_000 + booklet : null),
            ("anonymous", kind is 1 or 4 ? person is null ? 1L : 0L : null), ("age_band", age), ("publics", publics),
            ("pic_ground", pic), ("organisation_id", Actor), ("operation_id", NewId()), ("body_hash", new string('0', 64)));
    }

    /// <summary>Debits as the redemption does: the value is what the net minutes after are worth, less before.</summary>
    public long Redeem(
        long serial, string siteId, long minutes, long? day = null, long version = 1, string kind = "individuel",
        string? workshopId = null, string firstVisit = "unknown", long? duration = null)
    {
        var (credit, face, _) = _worth[serial];
        var (part, used, cents) = _passes.GetValueOrDefault(serial);
        var value = VoucherValue.Of(used + minutes, face, credit) - cents;
        Entry(serial, 1, minutes, used + minutes, value, siteId, day, version, kind, workshopId, firstVisit, duration ?? minutes);
        return part + 1;
    }

    /// <summary>Takes back exactly what a redemption took; free of a run, it is marked undone.</summary>
    public void Reverse(long serial, long part, string siteId, long minutes, long cents, bool undone = true, long? day = null, long version = 1)
    {
        var used = _passes[serial].Minutes - minutes;
        Entry(serial, 6, -minutes, used, -cents, siteId, day, version, null, null, null, -minutes, part);
        if (undone) Add("redemption_outcomes", ("serial", serial), ("part", part), ("outcome", "undone"));
    }

    /// <summary>A service that came second, and is owed all the same. Gives its part among those of the pass.</summary>
    public long Guarantee(long serial, string siteId, long minutes, long? day = null, long version = 1, long? duration = null)
    {
        var (credit, face, convention) = _worth[serial];
        var part = _secondParts[serial] = _secondParts.GetValueOrDefault(serial) + 1;
        var cents = VoucherValue.Of(minutes, face, credit);
        Add("offline_services", ("serial", serial), ("part", part), ("refusal", "voucher-spent"), ("minutes", minutes),
            ("value_cents", cents), ("convention_id", convention), ("terms_version", version), ("site_id", siteId),
            ("device_id", Actor), ("service", "Aide aux démarches administratives"), ("activity_kind", "individuel"),
            ("duration_minutes", duration ?? minutes), ("service_day", day ?? _day), ("month", Clock.Month(_day)),
            ("organisation_id", Actor), ("operation_id", NewId()), ("line", 0), ("body_hash", new string('0', 64)));
        Add("guarantees", ("serial", serial), ("part", part), ("convention_id", convention), ("terms_version", version),
            ("site_id", siteId), ("device_id", Actor), ("month", Clock.Month(_day)), ("ground", "limit"),
            ("ordinal", ++_guarantees), ("value_cents", cents));
        return part;
    }

    public long CentsOf(long serial) => _passes.GetValueOrDefault(serial).Cents;

    public long CreditOf(long serial) => _worth[serial].Credit;

    public long MinutesOf(long serial) => _passes.GetValueOrDefault(serial).Minutes;

    public void Close(long serial) => Entry(serial, 5, 0, MinutesOf(serial), 0, null, null, 1, null, null, null, 0);

    public void Replace(long replaced, long serial)
    {
        Close(replaced);
        var (credit, face, convention) = _worth[replaced];
        var (left, cents) = (credit - MinutesOf(replaced), face - CentsOf(replaced));
        Add("replacements", ("serial", serial), ("replaced_serial", replaced), ("credit_minutes", left), ("face_cents", cents));
        _worth[serial] = (left, cents, convention);
    }

    public string Block(long orderSerial, long first, long last)
    {
        var id = NewId();
        Add("blocks", ("id", id), ("order_serial", orderSerial), ("first_serial", first), ("last_serial", last), ("reason", "vol"));
        return id;
    }

    /// <summary>Writes everything, with the seals of its batches, behind what the store holds already.</summary>
    public async Task LoadAsync(TestService service)
    {
        var database = service.Services.GetRequiredService<Database>();
        var keys = service.Services.GetRequiredService<KeyRing>();
        var last = await database.LastSealAsync();
        var seals = new List<object?[]>();
        var rows = new List<(string Table, object?[] Values)>();
        foreach (var (sealedMs, facts) in _batches.Where(b => b.Rows.Count > 0))
        {
            var leaves = facts.Select(f => PassNumerique.Audit.Journal.Tables[f.Table].Leaf(f.Values)).ToList();
            last = Seal.After(last, Seal.NextInstant(last, sealedMs), leaves, keys);
            seals.Add(Sealing.Row(last));
            rows.AddRange(facts.Select(f => (f.Table, (object?[])[.. f.Values, last.Batch])));
        }

        var tables = PassNumerique.Audit.Journal.Tables.All
            .Select(t => new BulkRows(t.Name, [.. t.Columns, "batch"], [.. rows.Where(r => r.Table == t.Name).Select(r => r.Values)]))
            .Where(t => t.Rows.Count > 0);
        await database.LoadAsync([.. tables, new BulkRows("seals", Sealing.Columns, seals)]);
        _batches.Clear();
    }

    public static async Task<HttpClient> ClientAsync(TestService service, string organisationId, string role, string? placeId = null)
    {
        var key = await service.SendAsync(new CreateApiKey.Command(organisationId, role, "essai", placeId));
        return service.Client(key.Value!.ApiKey);
    }

    public static Terms Terms(params (string Name, long Share)[] funders) => new()
    {
        StartsOn = new(2026, 1, 1),
        EndsOn = new(2027, 12, 31),
        FaceValueCents = 1_000,
        MinutesPerVoucher = 120,
        Tariffs = [new("*", "*", 60, 60)],
        Funders = [.. funders.Select(f => new Funder(f.Name == "État" ? "state" : "authority", f.Name, f.Share, "prefunding"))],
        BudgetCents = 1_000_000,
        Territory = ["23"],
    };

    private void Entry(
        long serial, long kind, long minutes, long usedAfter, long cents, string? siteId, long? day, long version,
        string? activity, string? workshopId, string? firstVisit, long duration, long? reversedPart = null)
    {
        var (credit, _, convention) = _worth[serial];
        var (part, used, value) = _passes.GetValueOrDefault(serial);
        _passes[serial] = (part + 1, used + minutes, value + cents);
        Add("voucher_entries", ("serial", serial), ("part", part + 1), ("kind", kind), ("minutes", minutes),
            ("used_after", usedAfter), ("credit_minutes", credit), ("value_cents", cents), ("hold_minutes", 0),
            ("closed_minutes", kind == 5 ? credit - usedAfter : 0), ("reversed_part", reversedPart),
            ("convention_id", convention), ("terms_version", version), ("site_id", siteId), ("service", "Aide aux démarches administratives"),
            ("activity_kind", activity), ("duration_minutes", duration), ("workshop_id", workshopId), ("first_visit", firstVisit),
            ("service_day", day ?? _day), ("month", Clock.Month(_day)), ("organisation_id", Actor),
            ("operation_id", NewId()), ("line", 0), ("body_hash", new string('0', 64)));
    }

    private long NextPart(long booklet) => _bookletParts[booklet] = _bookletParts.GetValueOrDefault(booklet) + 1;

    private static long SlotOf(string step) => step switch
    {
        "approved" => 1,
        "proof-approved" => 2,
        "produced" or "cancelled" => 3,
        "shipped" => 4,
        "delivered" => 5,
        _ => 6,
    };
}
