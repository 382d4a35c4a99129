using PassNumerique.Platform.Data;

namespace PassNumerique.Platform;

/// <summary>Live: the process answers. Ready: the store is open, its head checked, and it can be read.</summary>
internal static class Health
{
    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Stream("/health/live", Role.Anonymous, request => WriteAsync(request.Http, 200, "live"));
        app.Stream("/health/ready", Role.Anonymous, ReadyAsync);
    }

    private static async Task ReadyAsync(Request request)
    {
        try
        {
            await request.Service<Database>().LastSealAsync(request.Aborted);
            await WriteAsync(request.Http, 200, "ready");
        }
        catch (System.Data.Common.DbException)
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
