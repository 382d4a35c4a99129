using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// What an experiment plays on: one convention, an activated order, a labelled site with its key. Passes of 120
/// minutes, used in parts: a redemption of an hour that happens twice is not stopped by an empty pass, so the
/// checker gets to see it.
/// </summary>
internal sealed record Stage(
    string OperatorKey, string SiteKey, string SiteId, long FirstSerial, int Passes, byte[] CodeKey, int KeyVersion,
    byte[] Salt)
{
    public const string Service = "Maîtrise des outils numériques du quotidien";
    public const int VouchersPerBooklet = 5;
    public const long CreditMinutes = 120;

    /// <summary>What is printed on a pass.</summary>
    public string Code(long serial) => VoucherCode.Compose(CodeKey, KeyVersion, serial, Salt);

    /// <summary>Sets the stage through the API, as its users would, on a service with an empty store.</summary>
    public static async Task<Stage> SetAsync(RunningService service, StoreFolder store, string operatorKey, int passes)
    {
        using var operators = Client(service, operatorKey);
        var today = Clock.ParisDay(TimeProvider.System.NowMs()).ToDate();
        var siret = DemoNames.Siret(1);
        var authority = await MadeAsync(operators, "organisations",
            new { kind = "authority", name = "Collectivité d'essai", siret });
        var authorityId = Id(authority);
        var convention = Id(await MadeAsync(operators, "conventions", Terms(siret, today, passes)));
        using var orderer = Client(service, await KeyAsync(operators, authorityId, "authority", null));
        var point = Id(await MadeAsync(orderer, "distribution-points",
            new { name = "CCAS d'essai", channel = "ccas", address = "1 rue de l'Essai", commune = "51454" }));
        var order = await OrderAsync(operators, orderer, convention, point, today, passes);
        var site = await SiteAsync(operators, today);
        var keys = KeyRing.Load(store.CodeKeyFile);
        return new(
            operatorKey, await KeyAsync(operators, site.Structure, "site", site.Site), site.Site,
            order.GetProperty("firstSerial").GetInt64(), passes,
            keys.Derive(keys.Current, KeyLabel.Code).ToArray(), keys.Current, StoreCheck.Salt(store.Store));
    }

    public static HttpClient Client(RunningService service, string? key, TimeSpan? patience = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{service.Port}/api/v1/")),
            Timeout = patience ?? TimeSpan.FromSeconds(60),
        };
        if (key is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>The terms of a convention, the longest body that the service reads.</summary>
    public static object Terms(string siret, DateOnly today, int passes) => new
    {
        reference = "ESSAI-PANNES",
        program = "AAP 2020",
        authority = new { siret, name = "Collectivité d'essai" },
        signedOn = today.AddDays(-40),
        startsOn = today.AddDays(-30),
        endsOn = today.AddYears(2),
        faceValueCents = 1_000,
        minutesPerVoucher = CreditMinutes,
        wholeVouchersOnly = false,
        tariffs = new[] { new { service = "*", kind = "individuel", debitMinutes = 60, perDurationMinutes = 60 } },
        funders = new[]
        {
            new { kind = "authority", name = "Collectivité", shareBasisPoints = 10_000, mode = "prefunding", @base = "bought" },
        },
        budgetCents = passes * 1_000L,
        territory = new[] { "51" },
        targetPublics = new[] { "seniors" },
        picQuotaBasisPoints = 5_000,
        picQuotaBase = "allocated",
        objectives = new[] { new { indicator = "use-rate-0", target = 6_000, by = today.AddYears(1) } },
        evaluation = new { questions = new[] { "Qui a été atteint ?" }, evaluator = "Cabinet d'essai" },
        upstreamFeeBasisPoints = 400,
        downstreamFeeBasisPoints = 400,
        feeVatBasisPoints = 2_000,
        requireHandOut = "accept-and-regularise",
    };

    private static async Task<JsonElement> OrderAsync(
        HttpClient operators, HttpClient orderer, string convention, string point, DateOnly today, int passes)
    {
        var booklets = passes / VouchersPerBooklet;
        var order = await MadeAsync(orderer, "orders", new
        {
            conventionId = convention,
            booklets,
            vouchersPerBooklet = VouchersPerBooklet,
            validUntil = today.AddMonths(10),
            distributionPoints = new[] { new { id = point, booklets } },
        });
        await MadeAsync(operators, $"orders/{Id(order)}/approval", new { });
        await MadeAsync(orderer, $"orders/{Id(order)}/proof-approval", new { });
        foreach (var step in (string[])["production", "shipment", "delivery"])
            await MadeAsync(operators, $"orders/{Id(order)}/{step}", new { });
        var cents = order.GetProperty("totalCents").GetInt64();
        await MadeAsync(operators, "funds-receipts", new
        {
            conventionId = convention,
            funder = "Collectivité",
            amountCents = cents,
            faceValueCents = cents,
            receivedOn = today,
            bankReference = "VIREMENT-1",
        });
        await MadeAsync(operators, $"orders/{Id(order)}/activation", new { });
        return order;
    }

    private static async Task<(string Structure, string Site)> SiteAsync(HttpClient operators, DateOnly today)
    {
        var structure = Id(await MadeAsync(operators, "organisations",
            new { kind = "structure", name = "Association d'essai", siret = DemoNames.Siret(2) }));
        var site = Id(await MadeAsync(operators, "sites", new
        {
            organisationId = structure,
            name = "Espace numérique d'essai",
            address = "2 rue de l'Essai",
            postcode = "51100",
            commune = "51454",
            services = new[] { Service },
        }));
        await MadeAsync(operators, $"sites/{site}/label",
            new { status = "labelled", from = today.AddDays(-20), reason = "dossier complet" });
        return (structure, site);
    }

    private static async Task<string> KeyAsync(HttpClient operators, string organisationId, string role, string? placeId) =>
        (await MadeAsync(operators, "api-keys", new { organisationId, role, label = $"essai {role}", placeId }))
        .GetProperty("apiKey").GetString()!;

    private static string Id(JsonElement made) => made.GetProperty("id").GetString()!;

    public static async Task<JsonElement> MadeAsync(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? JsonDocument.Parse(text).RootElement
            : throw new InvalidOperationException($"{path} was refused: {(int)response.StatusCode} {text}");
    }
}
