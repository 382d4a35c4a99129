using PassNumerique.Platform.Data;

namespace PassNumerique.Platform;

/// <summary>Live: the process answers. Ready: the store is open, its head checked, and it can be read.</summary>
internal static class Health
{
    /// <summary>Shorter than the probe of whoever asks, so that the answer says why.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Stream("/health/live", Role.Anonymous, request => WriteAsync(request.Http, 200, "live"));
        app.Stream("/health/ready", Role.Anonymous, ReadyAsync);
    }

    private static async Task ReadyAsync(Request request)
    {
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted);
            patience.CancelAfter(Patience);
            await request.Service<Database>().LastSealAsync(patience.Token);
            await WriteAsync(request.Http, 200, "ready");
        }
        catch (Exception exception) when (exception is System.Data.Common.DbException or StoreUnavailableException
            || (exception is OperationCanceledException && !request.Aborted.IsCancellationRequested))
        {
            request.Http.Response.Headers.RetryAfter = "1";
            await WriteAsync(request.Http, 503, "store-unavailable");
        }
    }

    private static Task WriteAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        return http.Response.WriteAsync($$"""{"status":"{{text}}"}""");
    }
}
