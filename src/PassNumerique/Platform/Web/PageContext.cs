using System.Reflection;
using PassNumerique.Access;
using PassNumerique.Platform.Data;

namespace PassNumerique.Platform.Web;

/// <summary>What every page shows besides its own content: who is signed in, where they may go.</summary>
internal sealed class PageContext
{
    private static readonly string Release = typeof(PageContext).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private PageContext(Request request, Form form, bool isDemo, string? organisation)
    {
        var http = request.Http;
        Caller = request.Caller;
        Form = form;
        IsDemo = isDemo;
        Organisation = organisation;
        Path = http.Request.Path.Value ?? "/";
        Antiforgery = http.Request.Cookies[Gate.CookieName] is { Length: > 0 } token ? Gate.Antiforgery(token) : "";
        Menu = http.RequestServices.GetRequiredService<Menu>().Of(Caller);
    }

    public Caller Caller { get; }

    public Form Form { get; }

    /// <summary>Every page of the demonstration says that its data are invented.</summary>
    public bool IsDemo { get; }

    public string? Organisation { get; }

    public string Path { get; }

    /// <summary>The hidden field of every form of a signed-in person.</summary>
    public string Antiforgery { get; }

    public IReadOnlyList<MenuLink> Menu { get; }

    public string Version => Release;

    public bool IsSignedIn => !Caller.Is(Role.Anonymous);

    public static async Task<PageContext> ForAsync(Request request, Form form)
    {
        var isDemo = await request.Service<DemoState>().IsLoadedAsync(request.Session);
        var organisation = request.Caller.OrganisationId.Length == 0
            ? null
            : await request.Session.FindAsync<string>(Sql.Organisation, new { request.Caller.OrganisationId });
        return new(request, form, isDemo, organisation);
    }

    /// <summary>Without a question to the store, for when the store itself is what failed.</summary>
    public static PageContext Bare(Request request) =>
        new(request, new(), request.Service<DemoState>().IsKnownLoaded, organisation: null);

    private static class Sql
    {
        public const string Organisation = """
            SELECT name
              FROM organisations
             WHERE id = @OrganisationId
            """;
    }
}

internal sealed record MenuLink(string Path, string Label);

/// <summary>The menu, read from the routes themselves: a person sees the pages that the gate lets them see.</summary>
internal sealed class Menu(EndpointDataSource routes)
{
    private readonly Lazy<IReadOnlyList<(Role Allow, MenuLink Link)>> _entries = new(() =>
    [
        .. from route in routes.Endpoints.OfType<RouteEndpoint>()
           let entry = route.Metadata.GetMetadata<MenuEntry>()
           where entry is not null
           select (route.Metadata.GetRequiredMetadata<RouteFacts>().Allow,
               new MenuLink(route.RoutePattern.RawText!, entry.Label)),
    ]);

    public IReadOnlyList<MenuLink> Of(Caller caller) =>
        [.. _entries.Value.Where(e => caller.Is(e.Allow)).Select(e => e.Link)];

    /// <summary>Where somebody begins after signing in.</summary>
    public string HomeOf(Caller caller) => Of(caller) is [var first, ..] ? first.Path : "/";
}

/// <summary>
/// Whether the store holds the demonstration. A yes is for ever; a no is asked again, as another copy of the
/// service may load it.
/// </summary>
internal sealed class DemoState
{
    private volatile bool _loaded;

    public bool IsKnownLoaded => _loaded;

    public async ValueTask<bool> IsLoadedAsync(Session session) =>
        _loaded || (_loaded = await session.FindAsync<string>(Sql.Demo, new { Setting = "demo" }) == "true");

    /// <summary>A name as it is printed: whoever holds the paper of a demonstration sees what it is.</summary>
    public async ValueTask<string> PrintedAsync(Session session, string name) =>
        await IsLoadedAsync(session) ? $"{name} (données fictives)" : name;

    private static class Sql
    {
        public const string Demo = """
            SELECT value
              FROM store_settings
             WHERE name = @Setting
            """;
    }
}
