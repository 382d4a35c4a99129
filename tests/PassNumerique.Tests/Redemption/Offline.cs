using System.Globalization;
using System.Text.Json;
using NUnit.Framework;

namespace PassNumerique.Tests.Redemption;

/// <summary>A convention with money that no order took, and two sites whose devices were offline.</summary>
internal sealed class Offline(Scenario scenario)
{
    private long _next;

    public Scenario Scenario { get; } = scenario;

    public static async Task<Offline> CreateAsync(
        TestService service, long uncommittedCents = 100_000, long booklets = 20, bool wholeVouchersOnly = true)
    {
        var scenario = await Scenario.CreateAsync(service, booklets, wholeVouchersOnly);
        if (uncommittedCents > 0) await scenario.FundAsync(uncommittedCents);
        return new(scenario);
    }

    /// <summary>A pass that nobody touched.</summary>
    public long Fresh() => Scenario.FirstSerial + _next++;

    /// <summary>A pass that the other site used, recorded first.</summary>
    public async Task<long> SpentAsync()
    {
        var serial = Fresh();
        Scenario.Ok(await Scenario.OtherSite().PostAsync("redemptions", await Scenario.RedemptionAsync(serial)));
        return serial;
    }

    public async Task<object> OperationAsync(
        long serial, string? operationId = null, DateOnly? servedOn = null, long durationMinutes = 60) =>
        await OperationAsync([serial], operationId, servedOn, durationMinutes);

    /// <summary>What a device queued: one service, with as many passes as it took.</summary>
    public async Task<object> OperationAsync(
        IReadOnlyList<long> serials, string? operationId = null, DateOnly? servedOn = null, long durationMinutes = 60)
    {
        var codes = new List<string>();
        foreach (var serial in serials) codes.Add(await Scenario.CodeAsync(serial));
        return new
        {
            operationId = operationId ?? Guid.NewGuid().ToString(),
            codes,
            service = "Maîtrise des outils numériques du quotidien",
            activity = new { kind = "individuel", durationMinutes },
            servedOn,
            firstVisit = "unknown",
        };
    }

    /// <summary>The operation of a pass that the other site had used first, synchronised at once.</summary>
    public async Task<JsonElement> SecondAsync(HttpClient device)
    {
        var answer = await device.SyncAsync(await OperationAsync(await SpentAsync()));
        Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
        return answer["results"][0];
    }

    public async Task<long> CommittedAsync()
    {
        var convention = await Scenario.Service.Operator().ReadAsync($"conventions/{Scenario.ConventionId}");
        return convention["balances"].GetProperty("committedCents").GetInt64();
    }

    public Task<IReadOnlyList<long>> CountAsync(string table, long serial) => Scenario.Service.QueryAsync<long>(
        $"SELECT part FROM {table} WHERE serial = @Serial", new { Serial = serial });

    /// <summary>Another device of the first site.</summary>
    public async Task<(HttpClient Client, string KeyId)> DeviceAsync()
    {
        var organisation = (await Scenario.Service.QueryAsync<string>(
            "SELECT organisation_id FROM sites WHERE id = @SiteId", new { Scenario.SiteId })).Single();
        var key = Scenario.Ok(await Scenario.Service.Operator().PostAsync("api-keys",
            new { organisationId = organisation, role = "site", label = "tablette", placeId = Scenario.SiteId }));
        return (Scenario.Service.Client(key["apiKey"].GetString()), key.Id);
    }

    public static string Month => Scenario.Today.ToString("yyyy-MM", CultureInfo.InvariantCulture);
}

internal static class OfflineCalls
{
    public static Task<Answer> SyncAsync(this HttpClient device, params object[] operations) =>
        device.PostAsync("redemptions/batch", new { operations });

    public static string Outcome(this JsonElement line) => line.GetProperty("outcome").GetString()!;

    /// <summary>The refusal code of a line.</summary>
    public static string Problem(this JsonElement line) => line.GetProperty("problem").GetProperty("type").GetString()!
        .Replace("urn:pass-numerique:", "", StringComparison.Ordinal);

    public static IReadOnlyList<JsonElement> Results(this Answer answer) => [.. answer["results"].EnumerateArray()];

    /// <summary>What stays the same when an answer is given again.</summary>
    public static IReadOnlyList<string> Lasting(this Answer answer) =>
    [
        .. answer.Results().Select(line => string.Join('\n', line.EnumerateObject()
            .Where(member => member.Name != "replayed").Select(member => $"{member.Name} {member.Value.GetRawText()}"))),
    ];
}
