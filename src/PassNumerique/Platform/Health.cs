using System.Text.Json;
using System.Text.Json.Serialization;
using PassNumerique.Platform.Data;

namespace PassNumerique.Platform;

/// <summary>Live: the process answers. Ready: the store is open, its head checked, and it can be read.</summary>
internal static class Health
{
    /// <summary>Shorter than the probe of whoever asks, so that the answer says why.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Stream("/health/live", Role.Anonymous, request => WriteAsync(request.Http, 200, new Status("live")));
        app.Stream("/health/ready", Role.Anonymous, ReadyAsync);
    }

    private static async Task ReadyAsync(Request request)
    {
        var database = request.Service<Database>();
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted);
            patience.CancelAfter(Patience);
            await database.LastSealAsync(patience.Token);
            await WriteAsync(request.Http, 200, new Status("ready", database.Name, database.Durability));
        }
        catch (Exception exception) when (exception is System.Data.Common.DbException or StoreUnavailableException
            || database.IsTransient(exception) || (exception is OperationCanceledException && !request.Aborted.IsCancellationRequested))
        {
            Problems.TellWhen(request.Http.Response, Problems.Unavailable);
            await WriteAsync(request.Http, 503, new Status("store-unavailable"));
        }
    }

    private static Task WriteAsync(HttpContext http, int code, Status status)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = "application/json; charset=utf-8";
        return http.Response.WriteAsync(JsonSerializer.Serialize(status, Json.Options));
    }

    /// <summary><paramref name="Durability"/> is what the engine says of how it guards a commit.</summary>
    private sealed record Status(
        [property: JsonPropertyName("status")] string Text,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Store = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Durability = null);
}
