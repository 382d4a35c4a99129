using System.Text.Json.Nodes;
using System.Text.Json.Schema;

namespace PassNumerique.Platform.Web;

/// <summary>
/// <c>/openapi/v1.json</c>: made from the routes themselves and what each says of itself, so that it can't
/// name a route that is not there, nor forget one.
/// </summary>
internal static class OpenApi
{
    private const string Problem = "#/components/schemas/Problem";

    // Schemas nest deeper than any request may.
    private static readonly System.Text.Json.JsonSerializerOptions Written = new(Json.Indented) { MaxDepth = 64 };

    private static JsonObject? _document;

    internal static void Map(IEndpointRouteBuilder app) => app
        .Stream("/openapi/v1.json", Role.Anonymous, request =>
        {
            var document = _document ??= Describe(app.DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>());
            request.Http.Response.ContentType = "application/json; charset=utf-8";
            return request.Http.Response.WriteAsync(document.ToJsonString(Written));
        });

    private static JsonObject Describe(IEnumerable<RouteEndpoint> endpoints)
    {
        var paths = new JsonObject();
        var routes = endpoints
            .Where(e => e.RoutePattern.RawText!.StartsWith(Api.Root, StringComparison.Ordinal))
            .GroupBy(e => e.RoutePattern.RawText!.TrimEnd('/'))
            .OrderBy(g => g.Key, StringComparer.Ordinal);
        foreach (var route in routes)
        {
            var path = new JsonObject();
            foreach (var endpoint in route) path[MethodOf(endpoint)] = Operation(endpoint);
            paths[route.Key] = path;
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Pass numérique",
                ["version"] = "1",
                ["description"] = "Émettre, remettre et utiliser des pass numériques ; les erreurs suivent la RFC 9457. "
                    + "Un « operationId » est un UUID, de préférence de version 7 : dans l'ordre du temps, il s'enregistre plus vite.",
                ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
            },
            ["paths"] = paths,
            ["components"] = Components(),
        };
    }

    private static string MethodOf(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0].ToLowerInvariant();

    private static JsonObject Operation(RouteEndpoint endpoint)
    {
        var facts = endpoint.Metadata.GetMetadata<RouteFacts>()!;
        var operation = new JsonObject
        {
            ["tags"] = new JsonArray(endpoint.RoutePattern.RawText![(Api.Root.Length + 1)..].Split('/')[0]),
            ["description"] = (facts.Allow & Role.Anonymous) != 0 ? "Ouvert à tous." : "Rôles : " + RolesOf(facts.Allow) + ".",
            ["parameters"] = Parameters(endpoint, facts),
            ["responses"] = Responses(facts),
        };
        if ((facts.Allow & Role.Anonymous) == 0)
            operation["security"] = new JsonArray(new JsonObject { ["apiKey"] = new JsonArray() });
        if (facts.Body is { } body && body != typeof(Empty))
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content(body) };
        if (facts.Media is { } media)
        {
            operation["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = new JsonObject { [media] = new JsonObject { ["schema"] = Text() } },
            };
        }

        return operation;
    }

    private static string RolesOf(Role allow) =>
        string.Join(", ", Roles.Codes.Where(code => (allow & Roles.Parse(code)) != 0));

    private static JsonArray Parameters(RouteEndpoint endpoint, RouteFacts facts)
    {
        var parameters = new JsonArray([.. endpoint.RoutePattern.Parameters.Select(p => (JsonNode)Parameter(p.Name, "path"))]);
        var page = facts.Answer is { IsGenericType: true } answer && answer.GetGenericTypeDefinition() == typeof(Page<>);
        if (page) foreach (var name in new[] { "limit", "after" }) parameters.Add((JsonNode)Parameter(name, "query"));
        if (facts.Body is not null) parameters.Add((JsonNode)Parameter("Idempotency-Key", "header"));
        return parameters;
    }

    private static JsonObject Parameter(string name, string place) => new()
    {
        ["name"] = name,
        ["in"] = place,
        ["required"] = place == "path",
        ["schema"] = new JsonObject { ["type"] = name == "limit" ? "integer" : "string" },
    };

    private static JsonObject Responses(RouteFacts facts)
    {
        var success = new JsonObject { ["description"] = "Fait." };
        if (facts.Answer is { } answer) success["content"] = Content(answer);
        var responses = new JsonObject { [$"{facts.Status}"] = success };
        foreach (var (status, text) in new[]
        {
            ("400", "Demande mal formée : « errors » dit quoi, champ par champ."), ("401", "Identification nécessaire."),
            ("403", "Rôle insuffisant."), ("404", "Introuvable."), ("409", "Refusé : « type » porte le code, « detail » que faire."),
            ("422", "Clé d'idempotence déjà utilisée pour une autre demande."),
            ("429", "Trop d'essais : réessayez après « Retry-After » secondes."), ("503", "Saturé : réessayez."),
        })
        {
            if (facts.Body is null && facts.Media is null && status is "409" or "422" or "429") continue;
            responses[status] = new JsonObject
            {
                ["description"] = text,
                ["content"] = new JsonObject
                {
                    ["application/problem+json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = Problem } },
                },
            };
        }

        return responses;
    }

    private static JsonObject Content(Type type) => new()
    {
        ["application/json"] = new JsonObject { ["schema"] = Json.Options.GetJsonSchemaAsNode(type) },
    };

    private static JsonObject Components() => new()
    {
        ["securitySchemes"] = new JsonObject
        {
            ["apiKey"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
        },
        ["schemas"] = new JsonObject
        {
            ["Problem"] = new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("type", "title", "status", "detail", "traceId"),
                ["properties"] = new JsonObject
                {
                    ["type"] = Text(),
                    ["title"] = Text(),
                    ["status"] = new JsonObject { ["type"] = "integer" },
                    ["detail"] = Text(),
                    ["traceId"] = Text(),
                    ["errors"] = new JsonObject
                    {
                        ["type"] = "object",
                        ["additionalProperties"] = new JsonObject { ["type"] = "array", ["items"] = Text() },
                    },
                },
            },
        },
    };

    private static JsonObject Text() => new() { ["type"] = "string" };
}
