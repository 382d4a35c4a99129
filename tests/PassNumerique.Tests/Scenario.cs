using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests;

/// <summary>
/// A convention of an invented collectivité with an activated order, a distribution point and two labelled
/// sites, made through the API as its users would. Each scenario is an organisation tree of its own, so that
/// tests share a store without meeting.
/// </summary>
internal sealed class Scenario
{
    private static long _siret = 500_000;

    private Scenario(TestService service) => Service = service;

    public TestService Service { get; }

    public string AuthorityId { get; private set; } = "";

    public string ConventionId { get; private set; } = "";

    public string OrderId { get; private set; } = "";

    public string PointId { get; private set; } = "";

    public string OtherPointId { get; private set; } = "";

    public string SiteId { get; private set; } = "";

    public string OtherSiteId { get; private set; } = "";

    public long FirstSerial { get; private set; }

    public long LastSerial { get; private set; }

    public string AuthorityKey { get; private set; } = "";

    public string AgentKey { get; private set; } = "";

    public string SiteKey { get; private set; } = "";

    public string OtherSiteKey { get; private set; } = "";

    public HttpClient Authority() => Service.Client(AuthorityKey);

    public HttpClient Agent() => Service.Client(AgentKey);

    public HttpClient Site() => Service.Client(SiteKey);

    public HttpClient OtherSite() => Service.Client(OtherSiteKey);

    public static DateOnly Today => Clock.ParisDay(TimeProvider.System.NowMs()).ToDate();

    /// <summary>Everything up to an active order of <paramref name="booklets"/> × 5 passes of 10 € and 120 minutes.</summary>
    public static async Task<Scenario> CreateAsync(
        TestService service, long booklets = 10, bool wholeVouchersOnly = true, string requireHandOut = "accept-and-regularise",
        bool activate = true, long budgetCents = 10_000_000, DateOnly? validUntil = null)
    {
        var scenario = new Scenario(service);
        await scenario.CreatePeopleAsync();
        scenario.ConventionId = (await scenario.CreateConventionAsync(wholeVouchersOnly, requireHandOut, budgetCents)).Id;
        await scenario.CreatePlacesAsync();
        if (booklets > 0) await scenario.OrderAsync(booklets, validUntil ?? Today.AddMonths(10), activate);
        return scenario;
    }

    /// <summary>The code of a voucher, derived as the printing house's file has it.</summary>
    public async Task<string> CodeAsync(long serial)
    {
        var order = (await Service.QueryAsync<Salted>(
            "SELECT salt AS Salt, key_version AS KeyVersion FROM orders WHERE first_serial <= @Serial AND last_serial >= @Serial",
            new { Serial = serial })).Single();
        var keys = (KeyRing)Service.Services.GetService(typeof(KeyRing))!;
        return VoucherCode.Compose(
            keys.Derive((int)order.KeyVersion, KeyLabel.Code), (int)order.KeyVersion, serial, order.Salt);
    }

    /// <summary>The body of a redemption of one pass, an individual hour.</summary>
    public async Task<object> RedemptionAsync(long serial, string? operationId = null, long durationMinutes = 60) => new
    {
        operationId = operationId ?? Guid.NewGuid().ToString(),
        code = await CodeAsync(serial),
        service = "Maîtrise des outils numériques du quotidien",
        activity = new { kind = "individuel", durationMinutes },
    };

    public static object HandOut(long booklet, string? operationId = null, string? reference = null) => new
    {
        operationId = operationId ?? Guid.NewGuid().ToString(),
        bookletNumber = booklet,
        handedOutOn = Today,
        person = new { reference, ageBand = "soixante_dix_plus", gender = "feminin", publics = new[] { "seniors" } },
        eligibility = new { picGround = "none", evidence = "declared" },
        needs = new[] { "email" },
        notice = new { version = "2026-1", given = true },
    };

    public static object Terms(string reference, string siret, long budgetCents, bool wholeVouchersOnly, string requireHandOut) => new
    {
        reference,
        program = "AAP 2020",
        authority = new { siret, name = "Communauté de communes d'essai " + reference },
        signedOn = Today.AddDays(-40),
        startsOn = Today.AddDays(-30),
        endsOn = Today.AddYears(2),
        faceValueCents = 1_000,
        minutesPerVoucher = 120,
        wholeVouchersOnly,
        tariffs = new[]
        {
            new { service = "*", kind = "individuel", debitMinutes = 60, perDurationMinutes = 60 },
            new { service = "*", kind = "collectif", debitMinutes = 30, perDurationMinutes = 60 },
        },
        funders = new object[]
        {
            new { kind = "authority", name = "Collectivité", shareBasisPoints = 6_500, mode = "prefunding", @base = "bought" },
            new { kind = "state", name = "État", shareBasisPoints = 3_500, mode = "reimbursing", advancedBy = "Collectivité", @base = "used" },
        },
        budgetCents,
        territory = new[] { "51" },
        targetPublics = new[] { "seniors", "demandeurs-emploi" },
        picQuotaBasisPoints = 5_000,
        picQuotaBase = "allocated",
        objectives = new[] { new { indicator = "use-rate-0", target = 6_000, by = Today.AddYears(1) } },
        evaluation = new { questions = new[] { "Qui a été atteint ?" }, evaluator = "Cabinet d'essai" },
        upstreamFeeBasisPoints = 400,
        downstreamFeeBasisPoints = 400,
        feeVatBasisPoints = 2_000,
        requireHandOut,
    };

    public async Task<Answer> CreateConventionAsync(bool wholeVouchersOnly, string requireHandOut, long budgetCents)
    {
        var reference = "ESSAI-" + Guid.NewGuid().ToString("N")[..12];
        var answer = await Service.Operator().PostAsync(
            "conventions", Terms(reference, _authoritySiret, budgetCents, wholeVouchersOnly, requireHandOut));
        return Ok(answer);
    }

    /// <summary>Orders, and takes the order through its steps with the money received.</summary>
    public async Task<Answer> OrderAsync(long booklets, DateOnly validUntil, bool activate = true)
    {
        var order = Ok(await Authority().PostAsync("orders", new
        {
            conventionId = ConventionId,
            booklets,
            vouchersPerBooklet = 5,
            validUntil,
            distributionPoints = new[] { new { id = PointId, booklets, picBooklets = booklets / 2 } },
        }));
        (OrderId, FirstSerial, LastSerial) = (order.Id, order["firstSerial"].GetInt64(), order["lastSerial"].GetInt64());
        if (!activate) return order;
        await DeliverAsync(order.Id);
        await FundAsync(order["totalCents"].GetInt64());
        Ok(await Service.Operator().PostAsync($"orders/{order.Id}/activation", new { }));
        return order;
    }

    public async Task DeliverAsync(string orderId)
    {
        Ok(await Service.Operator().PostAsync($"orders/{orderId}/approval", new { }));
        Ok(await Authority().PostAsync($"orders/{orderId}/proof-approval", new { }));
        foreach (var step in new[] { "production", "shipment", "delivery" })
            Ok(await Service.Operator().PostAsync($"orders/{orderId}/{step}", new { }));
    }

    public async Task FundAsync(long cents) => Ok(await Service.Operator().PostAsync("funds-receipts", new
    {
        conventionId = ConventionId,
        funder = "Collectivité",
        amountCents = cents,
        faceValueCents = cents,
        receivedOn = Today,
        bankReference = Guid.NewGuid().ToString("N"),
    }));

    public static Answer Ok(Answer answer) => answer.Status is 200 or 201
        ? answer
        : throw new InvalidOperationException($"The scenario could not be set up: {answer}");

    private string _authoritySiret = "";

    private async Task CreatePeopleAsync()
    {
        _authoritySiret = DemoNames.Siret(Interlocked.Increment(ref _siret));
        AuthorityId = Ok(await Service.Operator().PostAsync("organisations",
            new { kind = "authority", name = "Collectivité d'essai", siret = _authoritySiret })).Id;
        AuthorityKey = await KeyAsync(AuthorityId, "authority", null);
    }

    private async Task CreatePlacesAsync()
    {
        PointId = await PointAsync("CCAS d'essai");
        OtherPointId = await PointAsync("Mairie d'essai");
        AgentKey = await KeyAsync(AuthorityId, "agent", PointId);
        (SiteId, SiteKey) = await SiteAsync("Espace numérique d'essai", "51454");
        (OtherSiteId, OtherSiteKey) = await SiteAsync("Autre espace d'essai", "51108");
    }

    private async Task<string> PointAsync(string name) => Ok(await Authority().PostAsync("distribution-points",
        new { name, channel = "ccas", address = "1 rue de l'Essai", commune = "51454" })).Id;

    /// <summary>A structure with one labelled site, and the site's key.</summary>
    public async Task<(string Id, string Key)> SiteAsync(string name, string commune, bool labelled = true)
    {
        var structure = Ok(await Service.Operator().PostAsync("organisations", new
        {
            kind = "structure",
            name = "Association " + name,
            siret = DemoNames.Siret(Interlocked.Increment(ref _siret)),
        })).Id;
        var site = Ok(await Service.Operator().PostAsync("sites", new
        {
            organisationId = structure,
            name,
            address = "2 rue de l'Essai",
            postcode = "51100",
            commune,
            services = new[] { "Maîtrise des outils numériques du quotidien" },
        })).Id;
        if (labelled)
        {
            Ok(await Service.Operator().PostAsync($"sites/{site}/label",
                new { status = "labelled", from = Today.AddDays(-20), reason = "dossier complet" }));
        }

        return (site, await KeyAsync(structure, "site", site));
    }

    private async Task<string> KeyAsync(string organisationId, string role, string? placeId) =>
        Ok(await Service.Operator().PostAsync("api-keys",
            new { organisationId, role, label = $"essai {role}", placeId }))["apiKey"].GetString()!;

    private sealed record Salted(byte[] Salt, long KeyVersion);
}
