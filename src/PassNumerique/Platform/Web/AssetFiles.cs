using System.Collections.Frozen;
using System.Security.Cryptography;

namespace PassNumerique.Platform.Web;

/// <summary>
/// The style sheet, the script and the icon, out of the binary. Their address holds a digest of their
/// content, so that a browser keeps them for a year and still gets the next release at once.
/// </summary>
internal static class AssetFiles
{
    private const string Folder = "wwwroot/";

    private static readonly Lazy<FrozenDictionary<string, Asset>> Known = new(Load);

    internal static void Map(IEndpointRouteBuilder app) =>
        app.Stream("/assets/{name}", Role.Anonymous, WriteAsync);

    /// <summary><c>/assets/site.css?v=…</c></summary>
    public static string Address(string name) => $"/assets/{name}?v={Known.Value[name].Digest}";

    private static Task WriteAsync(Request request)
    {
        var (http, name) = (request.Http, request.Http.Request.RouteValues["name"] as string ?? "");
        if (!Known.Value.TryGetValue(name, out var asset)) throw new RefusedException(Problems.NotFound);
        var response = http.Response;
        var tag = $"\"{asset.Digest}\"";
        response.Headers.ETag = tag;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = request.Text("v") == asset.Digest
            ? "public, max-age=31536000, immutable"
            : "no-cache";
        if (http.Request.Headers.IfNoneMatch.Contains(tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = asset.Type;
        response.ContentLength = asset.Content.Length;
        return response.Body.WriteAsync(asset.Content).AsTask();
    }

    private static FrozenDictionary<string, Asset> Load()
    {
        var assembly = typeof(AssetFiles).Assembly;
        var assets = new Dictionary<string, Asset>(StringComparer.Ordinal);
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(Folder, StringComparison.Ordinal)) continue;
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var digest = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8));
            assets[resource[Folder.Length..]] = new(content, TypeOf(resource), digest);
        }

        return assets.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };

    private sealed record Asset(byte[] Content, string Type, string Digest);
}
