using System.Text.Json.Nodes;
using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Orders;

/// <summary>
/// A convention of a collectivité of its own, with keys for its people and two distribution points: what the
/// tests of conventions, orders and blocks begin with. Each has its own organisations in a shared service.
/// </summary>
internal sealed class ConventionWorld
{
    private static long _lastNumber;

    private ConventionWorld(TestService service) => Service = service;

    public TestService Service { get; }

    public string ConventionId { get; private set; } = "";

    public string AuthorityId { get; private set; } = "";

    public string Siret { get; private set; } = "";

    public HttpClient Operator => Service.Operator();

    /// <summary>Another person of the operator.</summary>
    public HttpClient SecondOperator { get; private set; } = null!;

    public HttpClient Authority { get; private set; } = null!;

    public IReadOnlyList<string> Points { get; private set; } = [];

    public static DateOnly Today => Scenario.Today;

    public static async Task<ConventionWorld> CreateAsync(TestService service, Action<JsonObject>? change = null)
    {
        var body = Convention();
        change?.Invoke(body);
        var world = new ConventionWorld(service) { Siret = (string)body["authority"]!["siret"]! };
        var created = await service.Operator().PostAsync("conventions", body);
        if (created.Status != 201) throw new InvalidOperationException(created.ToString());
        world.ConventionId = created.Id;
        world.AuthorityId = created["authorityId"].GetString()!;
        world.Authority = await world.ClientAsync(world.AuthorityId, "authority");
        var organisation = await service.Operator().PostAsync("organisations", new { kind = "operator", name = "Second" });
        world.SecondOperator = await world.ClientAsync(organisation.Id, "operator");
        world.Points = [await world.AddPointAsync("Mairie"), await world.AddPointAsync("=1+1, CCAS \"Sud\"")];
        return world;
    }

    /// <summary>A complete, valid convention: 10 € and 60 minutes a pass, a budget of 1,000 €.</summary>
    public static JsonObject Convention()
    {
        var number = Interlocked.Increment(ref _lastNumber);
        var today = Today;
        return JsonNode.Parse($$"""
            {
              "reference": "CONV-{{number}}", "program": "AAP 2020", "signedOn": "{{today.AddDays(-30):yyyy-MM-dd}}",
              "authority": { "siret": "{{NewSiret(number)}}", "name": "Département d'essai {{number}}" },
              "startsOn": "{{today.AddDays(-20):yyyy-MM-dd}}", "endsOn": "{{today.AddYears(2):yyyy-MM-dd}}",
              "faceValueCents": 1000, "minutesPerVoucher": 60, "budgetCents": 100000,
              "tariffs": [{ "service": "*", "kind": "*", "debitMinutes": 60, "perDurationMinutes": 60 }],
              "funders": [
                { "kind": "authority", "name": "Département", "shareBasisPoints": 6500, "mode": "prefunding" },
                { "kind": "state", "name": "État", "shareBasisPoints": 3500, "mode": "reimbursing",
                  "advancedBy": "Département" }
              ],
              "territory": ["47"]
            }
            """)!.AsObject();
    }

    public static string NewSiret(long number)
    {
        var siren = (10_000_000 + number).ToString(System.Globalization.CultureInfo.InvariantCulture);
        siren += Identifiers.LuhnKey(siren);
        return siren + "0001" + Identifiers.LuhnKey(siren + "0001");
    }

    /// <summary>A client with a key of its own: its holder is another person for the service.</summary>
    public async Task<HttpClient> ClientAsync(string organisationId, string role)
    {
        var key = await Operator.PostAsync("api-keys", new { organisationId, role, label = $"clé {role}" });
        return Service.Client(key["apiKey"].GetString());
    }

    public async Task<HttpClient> ClientOfNewAsync(string kind)
    {
        var organisation = await Operator.PostAsync("organisations",
            new { kind, name = kind, siret = NewSiret(Interlocked.Increment(ref _lastNumber)) });
        return await ClientAsync(organisation.Id, kind);
    }

    public async Task<string> AddPointAsync(string name) =>
        (await Service.SendAsync(new AddPoint.Command(AuthorityId, name))).Value!;

    public object Order(long booklets = 2, long vouchersPerBooklet = 5, DateOnly? validUntil = null) => new
    {
        conventionId = ConventionId,
        booklets,
        vouchersPerBooklet,
        validUntil = validUntil ?? Today.AddYears(1),
        distributionPoints = new[] { new { id = Points[0], booklets } },
    };

    public async Task<Answer> PlaceAsync(long booklets = 2, long vouchersPerBooklet = 5)
    {
        var answer = await Authority.PostAsync("orders", Order(booklets, vouchersPerBooklet));
        if (answer.Status != 201) throw new InvalidOperationException(answer.ToString());
        return answer;
    }

    /// <summary>Takes the order's steps in order, through the named one.</summary>
    public async Task AdvanceAsync(string orderId, string through = "delivery")
    {
        foreach (var step in new[] { "approval", "proof-approval", "production", "shipment", "delivery" })
        {
            var client = step == "proof-approval" ? Authority : Operator;
            var answer = await client.PostAsync($"orders/{orderId}/{step}", new { });
            if (answer.Status != 201) throw new InvalidOperationException(answer.ToString());
            if (step == through) return;
        }
    }

    /// <summary>The operator asks that codes leave once more, the collectivité allows it; the id of the permission.</summary>
    public async Task<string> AllowReprintAsync(string orderId, object? body = null)
    {
        var asked = await Operator.PostAsync($"orders/{orderId}/reprints", body ?? new { reason = "Palette abîmée par l'eau" });
        if (asked.Status != 201) throw new InvalidOperationException(asked.ToString());
        var allowed = await Authority.PostAsync($"orders/{orderId}/reprints/{asked.Id}/confirmation", new { });
        if (allowed.Status != 201) throw new InvalidOperationException(allowed.ToString());
        return asked.Id;
    }

    /// <summary>The address of an order file, with its head in the query.</summary>
    public string FilePath(string more = "", string? conventionId = null, DateOnly? validUntil = null) =>
        $"orders/file?conventionId={conventionId ?? ConventionId}&vouchersPerBooklet=5"
        + $"&validUntil={validUntil ?? Today.AddYears(1):yyyy-MM-dd}{more}";

    /// <summary>Waits for a job to be over; the job as it then is.</summary>
    public async Task<Answer> OverAsync(string jobId, HttpClient? client = null)
    {
        for (var tries = 0; ; tries++)
        {
            var job = await (client ?? Authority).ReadAsync($"jobs/{jobId}");
            if (job["state"].GetString() is "done" or "failed") return job;
            if (tries == 600) throw new InvalidOperationException(job.ToString());
            await Task.Delay(50);
        }
    }

    public Task<Answer> ReceiveAsync(long cents, string reference = "VIR-1", string funder = "Département") =>
        Operator.PostAsync("funds-receipts", new
        {
            conventionId = ConventionId,
            funder,
            amountCents = cents,
            faceValueCents = cents,
            receivedOn = Today,
            bankReference = reference,
        });

    public async Task<System.Text.Json.JsonElement> BalancesAsync() =>
        (await Operator.ReadAsync($"conventions/{ConventionId}"))["balances"];
}

/// <summary>A distribution point, written as any fact is.</summary>
internal static class AddPoint
{
    internal sealed record Command(string AuthorityId, string Name) : ICommand<string>;

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<string>>
    {
        public async Task<Result<string>> Handle(Command command, CancellationToken ct)
        {
            var id = Ids.New();
            var args = new { Id = id, command.AuthorityId, command.Name, db.ActorId, db.NowMs, db.Batch };
            await db.ExecuteAsync(
                """
                INSERT INTO distribution_points (id, authority_id, name, channel, address, commune,
                                                 actor_id, recorded_ms, batch)
                VALUES (@Id, @AuthorityId, @Name, 'mairie', '1 rue de la Mairie', '47001', @ActorId, @NowMs, @Batch)
                """, args, ct);
            return id;
        }
    }
}
