using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http.Metadata;

namespace PassNumerique.Platform.Web;

/// <summary>Where a page stands in the menu; a page without this is reached from another one.</summary>
internal sealed record MenuEntry(string Label);

/// <summary>
/// Pages are Razor components rendered once, on the server, into a whole document: no circuit, no script of
/// Blazor, nothing registered or scanned at the start. A route says who may come, as in the API.
/// </summary>
internal static class Pages
{
    private const string Policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    /// <summary>A page that is looked at; with a label, it is in the menu of those who may see it.</summary>
    public static void Page(
        this IEndpointRouteBuilder app, string path, Role allow, Func<Request, Task> show, string? menu = null)
    {
        var route = app.Stream(path, allow, show);
        if (menu is not null) route.WithMetadata(new MenuEntry(menu));
    }

    /// <summary>A form that is sent to the address of its page; one with a file has a limit of its own.</summary>
    public static void Form(
        this IEndpointRouteBuilder app, string path, Role allow, Func<Request, Form, Task> submit,
        long maxBytes = Api.MaxBodyBytes) =>
        app.MapPost(path, async http => await submit(new(http), await Web.Form.ReadAsync(http)))
            .WithMetadata(new RouteFacts(allow, null, null, 200), new BodyLimit(maxBytes));

    /// <summary>Renders a page around what it shows. The page injects <typeparamref name="TView"/>.</summary>
    public static async Task ShowAsync<TPage, TView>(
        this Request request, TView view, Form? form = null, int? status = null)
        where TPage : IComponent
        where TView : class
    {
        var page = await PageContext.ForAsync(request, form ?? new Form());
        if (page.Form.Refused is { } refused) Problems.TellWhen(request.Http.Response, refused);
        await WriteAsync<TPage>(request.Http, page, view, status ?? page.Form.Status);
    }

    /// <summary>The same problem as the API's, for a person who reads it in a browser.</summary>
    public static async Task ProblemAsync(HttpContext http, Refusal refusal, string traceId)
    {
        var request = new Request(http);
        var page = refusal.Status < 500 ? await PageContext.ForAsync(request, new()) : PageContext.Bare(request);
        await WriteAsync<ProblemPage>(http, page, new ProblemPage.View(refusal, traceId), refusal.Status);
    }

    /// <summary>Whether a person waits for this answer in a browser.</summary>
    public static bool AreWanted(HttpContext http) =>
        !http.Request.Path.StartsWithSegments(Api.Root)
        && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    /// <summary>What a page shows; a refusal of the query becomes the page of that problem.</summary>
    public static T OrThrow<T>(this Result<T> result) where T : class =>
        result.Refused is { } refused ? throw new RefusedException(refused) : result.Value!;

    /// <summary>After a form: to another page, which can be reloaded without sending the form again.</summary>
    public static Task GoTo(this Request request, string path)
    {
        request.Http.Response.StatusCode = StatusCodes.Status303SeeOther;
        request.Http.Response.Headers.Location = path;
        return Task.CompletedTask;
    }

    private static async Task WriteAsync<TPage>(HttpContext http, PageContext page, object view, int status)
        where TPage : IComponent
    {
        var services = new PageServices(http.RequestServices, page, view);
        await using var renderer = new HtmlRenderer(services, services.Loggers);
        var html = await renderer.Dispatcher.InvokeAsync(
            async () => (await renderer.RenderComponentAsync<TPage>()).ToHtmlString());

        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "same-origin";
        response.Headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()";
        var body = Encoding.UTF8.GetBytes(html);
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body);
    }
}

/// <summary>Heeded by the router, before the gate reads the form for its token.</summary>
internal sealed record BodyLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;

/// <summary>What a component may inject: the page, its form, its view, then what the request has.</summary>
internal sealed class PageServices(IServiceProvider request, PageContext page, object view) : IServiceProvider
{
    public ILoggerFactory Loggers { get; } = request.GetRequiredService<ILoggerFactory>();

    public object? GetService(Type type) =>
        type == typeof(PageContext) ? page
        : type == typeof(Form) ? page.Form
        : type == view.GetType() ? view
        : request.GetService(type);
}
