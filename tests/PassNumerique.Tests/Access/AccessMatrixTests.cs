using System.Net.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Access;

/// <summary>Every route of the running service against every role: none is open by accident.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class AccessMatrixTests(string engine)
{
    private const string DummyId = "0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4";

    /// <summary>What the contract gives to everybody under /api/v1.</summary>
    private static readonly string[] PublicCalls =
    [
        "GET /api/v1/sites",
        "GET /api/v1/indicators",
        "POST /api/v1/public/voucher-value",
    ];

    /// <summary>What everybody may open besides: health, metrics, the API's document, signing in.</summary>
    private static readonly string[] PublicPaths =
        ["/", "/health/live", "/health/ready", "/metrics", "/openapi/v1.json", "/connexion", "/deconnexion",
            "/accessibilite", "/assets/{name}"];

    private static readonly string[] PublicFiles = [".css", ".js", ".svg", ".ico", ".woff2", ".wasm",
        ".webmanifest"];

    private TestService _service = null!;
    private Scene _scene = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scene = new Scene(_service);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public void Every_route_says_whom_it_lets_in()
    {
        var silent = Endpoints().Where(e => Facts(e) is null || Facts(e)!.Allow == Role.None).Select(NameOf);
        Assert.That(silent, Is.Empty);
        Assert.That(Endpoints(), Has.Count.GreaterThan(20));
    }

    [Test]
    public void Only_what_the_contract_lists_is_public()
    {
        var open = Endpoints().Where(e => (Facts(e)!.Allow & Role.Anonymous) != 0).Select(NameOf).ToList();
        Assert.That(open.Where(name => !IsPublic(name)), Is.Empty);
        Assert.That(open, Does.Contain("GET /api/v1/sites").And.Contain("GET /health/ready"));
    }

    [Test]
    public void A_route_that_is_public_names_no_role_besides()
    {
        var mixed = Endpoints().Where(e => (Facts(e)!.Allow & Role.Anonymous) != 0
            && Facts(e)!.Allow != Role.Anonymous);
        Assert.That(mixed.Select(NameOf), Is.Empty);
    }

    [TestCase("operator")]
    [TestCase("state")]
    [TestCase("authority")]
    [TestCase("agent")]
    [TestCase("site")]
    [TestCase("hub")]
    [TestCase("auditor")]
    public async Task A_role_is_forbidden_exactly_what_is_not_its_own(string role)
    {
        var client = await _scene.ClientAsync(role);
        var wrong = new List<string>();
        foreach (var endpoint in ApiEndpoints())
        {
            var allow = Facts(endpoint)!.Allow;
            var status = await CallAsync(client, endpoint);
            var isLetIn = (allow & (Roles.Parse(role) | Role.Anonymous)) != 0;
            if (isLetIn ? status is 401 or 403 or >= 500 : status != 403)
                wrong.Add($"{NameOf(endpoint)}: {status}");
        }

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public async Task Nobody_gets_in_without_a_key()
    {
        var wrong = new List<string>();
        foreach (var endpoint in ApiEndpoints())
        {
            var isPublic = (Facts(endpoint)!.Allow & Role.Anonymous) != 0;
            var status = await CallAsync(_service.Client(), endpoint);
            if (isPublic ? status is 401 or 403 or >= 500 : status != 401)
                wrong.Add($"{NameOf(endpoint)}: {status}");
        }

        Assert.That(wrong, Is.Empty);
    }

    private static bool IsPublic(string name)
    {
        var path = name[(name.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        return PublicCalls.Contains(name)
            || name.StartsWith("GET /api/v1/open-data/", StringComparison.Ordinal)
            || PublicPaths.Contains(path)
            || PublicFiles.Any(end => name.StartsWith("GET ", StringComparison.Ordinal)
                && path.EndsWith(end, StringComparison.Ordinal));
    }

    private static async Task<int> CallAsync(HttpClient client, RouteEndpoint endpoint)
    {
        using var request = new HttpRequestMessage(new HttpMethod(MethodOf(endpoint)), PathOf(endpoint));
        if (request.Method == HttpMethod.Post) request.Content = JsonContent.Create(new { });
        using var response = await client.SendAsync(request);
        return (int)response.StatusCode;
    }

    /// <summary>The path with ids that nobody has: a UUID where one is meant, a number elsewhere.</summary>
    private static string PathOf(RouteEndpoint endpoint)
    {
        var segments = endpoint.RoutePattern.PathSegments
            .Select(segment => string.Concat(segment.Parts.Select(TextOf)));
        return "/" + string.Join('/', segments);
    }

    private static string TextOf(RoutePatternPart part) => part switch
    {
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart { Name: "serial" or "number" } => "4294967295",
        _ => DummyId,
    };

    private IReadOnlyList<RouteEndpoint> Endpoints() =>
    [
        .. _service.Services.GetServices<EndpointDataSource>()
            .SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Distinct(),
    ];

    private IReadOnlyList<RouteEndpoint> ApiEndpoints() =>
        [.. Endpoints().Where(e => PathOf(e).StartsWith("/api/v1", StringComparison.Ordinal))];

    private static RouteFacts? Facts(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<RouteFacts>();

    private static string MethodOf(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0] ?? "GET";

    private static string NameOf(RouteEndpoint endpoint) =>
        $"{MethodOf(endpoint)} /{endpoint.RoutePattern.RawText!.Trim('/')}";
}
