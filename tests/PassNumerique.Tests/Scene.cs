using PassNumerique.Audit;

namespace PassNumerique.Tests;

/// <summary>Who is who in a test, made through the API: organisations, places, a client for each.</summary>
internal sealed class Scene(TestService service)
{
    private static int _sirets = 1_000;

    public static string NextSiret() => DemoNames.Siret(Interlocked.Increment(ref _sirets));

    public HttpClient Operator { get; } = service.Operator();

    public async Task<string> OrganisationAsync(string kind, string name = "Organisation d'essai")
    {
        var siret = kind is "authority" or "structure" ? NextSiret() : null;
        return await MadeAsync("organisations", new { kind, name, siret });
    }

    public Task<string> PointAsync(string authorityId, string name = "CCAS d'essai") => MadeAsync(
        "distribution-points",
        new { authorityId, name, channel = "ccas", address = "1 place de la Mairie", commune = "23096" });

    public Task<string> SiteAsync(string structureId, string name = "Espace d'essai",
        string commune = "23096") =>
        MadeAsync("sites", SiteBody(structureId, name, commune));

    public static object SiteBody(string structureId, string name, string commune = "23096") => new
    {
        organisationId = structureId,
        name,
        address = "3 rue du Numérique",
        postcode = "23000",
        commune,
        services = new[] { "Aide aux démarches administratives", "Accès internet et matériel informatique" },
    };

    /// <summary>A client with a key of that role, of a new organisation where none is named.</summary>
    public async Task<HttpClient> ClientAsync(string role, string? organisationId = null,
        string? placeId = null)
    {
        var kind = role switch { "agent" => "authority", "site" => "structure", _ => role };
        organisationId ??= await OrganisationAsync(kind);
        placeId ??= role switch
        {
            "agent" => await PointAsync(organisationId),
            "site" => await SiteAsync(organisationId),
            _ => null,
        };
        var key = await Operator.PostAsync("api-keys",
            new { organisationId, role, label = "essai", placeId });
        return service.Client(Expect(key)["apiKey"].GetString());
    }

    /// <summary>The id of what was made; where it was not, the test stops with the whole answer.</summary>
    public async Task<string> MadeAsync(string path, object body) =>
        Expect(await Operator.PostAsync(path, body)).Id;

    private static Answer Expect(Answer answer) =>
        answer.Status == 201 ? answer : throw new InvalidOperationException(answer.ToString());
}
