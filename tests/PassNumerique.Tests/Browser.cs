using System.Net;
using AngleSharp;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using PassNumerique.Access;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests;

/// <summary>A person in front of a browser without JavaScript: cookies, pages, links and forms over real HTTP.</summary>
internal sealed class Browser : IDisposable
{
    private readonly HttpClient _client;

    public Browser(TestService service)
    {
        var handler = new HttpClientHandler { CookieContainer = new CookieContainer(), AllowAutoRedirect = true };
        _client = new(service.Handler(handler)) { BaseAddress = new Uri(service.Address), Timeout = TimeSpan.FromSeconds(60) };
        _client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        Cookies = handler.CookieContainer;
    }

    public CookieContainer Cookies { get; }

    public async Task<Seen> OpenAsync(string path) => await Seen.FromAsync(await _client.GetAsync(path));

    /// <summary>Sends a form as it stands on the page, with what the person changes in it.</summary>
    public async Task<Seen> SubmitAsync(
        Seen page, string action, IReadOnlyDictionary<string, string>? typed = null, Func<IHtmlFormElement, bool>? which = null)
    {
        var form = page.Document.Forms.First(f => f.GetAttribute("action") == action && (which is null || which(f)));
        var fields = FieldsOf(form).Where(f => typed is null || !typed.ContainsKey(f.Key)).Concat(typed ?? new Dictionary<string, string>());
        return await PostAsync(action, fields);
    }

    public async Task<Seen> PostAsync(
        string path, IEnumerable<KeyValuePair<string, string>> fields, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await Seen.FromAsync(await _client.SendAsync(request));
    }

    /// <summary>Sends a form with a file in it.</summary>
    public async Task<Seen> UploadAsync(
        Seen page, string action, IReadOnlyDictionary<string, string> typed, string fileField, byte[] file, string? to = null)
    {
        var form = page.Document.Forms.First(f => f.GetAttribute("action") == action);
        using var content = new MultipartFormDataContent();
        var fields = FieldsOf(form).Where(f => f.Key != fileField && !typed.ContainsKey(f.Key)).Concat(typed);
        foreach (var (name, value) in fields) content.Add(new StringContent(value), name);
        if (file.Length > 0) content.Add(new ByteArrayContent(file), fileField, "points.csv");
        return await Seen.FromAsync(await _client.PostAsync(to ?? action, content));
    }

    public async Task<Seen> SignInAsync(string login, string password) => await SubmitAsync(
        await OpenAsync("/connexion"), "/connexion",
        new Dictionary<string, string> { ["login"] = login, ["password"] = password });

    public static IEnumerable<KeyValuePair<string, string>> FieldsOf(IHtmlFormElement form)
    {
        foreach (var element in form.Elements)
        {
            switch (element)
            {
                case IHtmlInputElement { Type: "checkbox" or "radio", IsChecked: false }:
                    break;
                case IHtmlInputElement { Name: { Length: > 0 } name } input:
                    yield return new(name, input.Value);
                    break;
                case IHtmlSelectElement { Name: { Length: > 0 } name } select:
                    yield return new(name, select.Value ?? "");
                    break;
                case IHtmlTextAreaElement { Name: { Length: > 0 } name } area:
                    yield return new(name, area.Value);
                    break;
                default:
                    break;
            }
        }
    }

    public void Dispose() => _client.Dispose();
}

/// <summary>What came back, as the person sees it.</summary>
internal sealed record Seen(int Status, string Path, string Html, IDocument Document, HttpResponseMessage Response)
{
    public string Title => Document.QuerySelector("h1")?.TextContent.Trim() ?? "";

    /// <summary>The words of the page, blanks made plain.</summary>
    public string Text => string.Join(' ', Document.Body!.TextContent.Split(
        [' ', '\n', '\t', '\r', '\u00A0', '\u202F'], StringSplitOptions.RemoveEmptyEntries));

    public string? RefusalCode => Document.QuerySelector("#erreurs")?.GetAttribute("data-code");

    public static async Task<Seen> FromAsync(HttpResponseMessage response)
    {
        var html = await response.Content.ReadAsStringAsync();
        var document = await BrowsingContext.New(Configuration.Default).OpenAsync(request => request.Content(html));
        return new((int)response.StatusCode, response.RequestMessage!.RequestUri!.PathAndQuery, html, document, response);
    }
}

/// <summary>People with a password, for tests of pages.</summary>
internal static class People
{
    public const string Password = "correct cheval pile agrafe";

    private static readonly Lazy<string> Hash = new(() => Passwords.Hash(Password));

    /// <summary>A member of an organisation, with the places they work at; gives the login.</summary>
    public static async Task<string> AddAsync(TestService service, string organisationId, string role, params string[] places)
    {
        var login = $"{role}-{Guid.NewGuid():N}";
        var id = Ids.New();
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var member = new BulkRows("members",
            ["id", "organisation_id", "role", "login", "name", "password_hash", "created_ms"],
            [[id, organisationId, role, login, $"Camille {role}", Hash.Value, now]]);
        var at = new BulkRows("member_places", ["member_id", "place_id"], [.. places.Select(p => new object?[] { id, p })]);
        var database = (Database)service.Services.GetService(typeof(Database))!;
        await database.LoadAsync(places.Length == 0 ? [member] : [member, at]);
        return login;
    }
}
