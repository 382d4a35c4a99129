using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Web;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class OpenApiTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task Every_route_of_the_api_is_described_with_its_body_and_answer()
    {
        var document = await _service.Client().ReadAsync("/openapi/v1.json");
        Assert.That((document.Status, document["openapi"].GetString()), Is.EqualTo((200, "3.1.0")));
        var paths = document["paths"];
        var routes = _service.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Select(e => e.RoutePattern.RawText!).Where(r => r.StartsWith("/api/v1", StringComparison.Ordinal)).ToList();
        Assert.That(routes, Has.Count.GreaterThan(40));
        foreach (var route in routes) Assert.That(paths.TryGetProperty(route.TrimEnd('/'), out _), route);

        var body = paths.GetProperty("/api/v1/redemptions").GetProperty("post").GetProperty("requestBody")
            .GetProperty("content").GetProperty("application/json").GetProperty("schema");
        Assert.That(body.GetProperty("required").EnumerateArray().Select(m => m.GetString()),
            Is.EquivalentTo(new[] { "operationId", "service", "activity" }), body.ToString());
    }
}
