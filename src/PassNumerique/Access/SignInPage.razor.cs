using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Web;

namespace PassNumerique.Access;

/// <summary>Signing in with a login and a password: the way in for people; machines have keys.</summary>
public partial class SignInPage
{
    internal sealed record View(string? Return);

    private const int MaxTyped = 200;

    // Verifying takes a core for a while: never more of them at once than there are cores.
    private static readonly SemaphoreSlim Verifying = new(Environment.ProcessorCount);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/connexion", Role.Anonymous, ShowAsync);
        app.Form("/connexion", Role.Anonymous, SubmitAsync);
        SignOut.Map(app);
    }

    private static Task ShowAsync(Request request)
    {
        var back = LocalPath(request.Text("retour"));
        return request.Caller.Is(Role.Everyone)
            ? request.GoTo(back ?? HomeOf(request, request.Caller))
            : request.ShowAsync<SignInPage, View>(new(back));
    }

    private static async Task SubmitAsync(Request request, Form form)
    {
        if (!IsFromHere(request.Http)) throw new RefusedException(Problems.Forbidden);
        var back = LocalPath(form.Text("retour"));
        var (login, password) = (Logins.Normalise(form.Value("login")), form.Value("password"));
        if (login.Length is 0 or > MaxTyped) form.Mark("login", "Tapez votre identifiant.");
        if (password.Length is 0 or > MaxTyped) form.Mark("password", "Tapez votre mot de passe.");
        if (!form.IsWrong && await OpenAsync(request, form, login, password) is { } member)
            await request.GoTo(back ?? HomeOf(request, Caller.Nobody with { Role = Roles.Parse(member.Role) }));
        else
            await request.ShowAsync<SignInPage, View>(new(back), form);
    }

    private static async Task<Member?> OpenAsync(Request request, Form form, string login, string password)
    {
        var address = request.Http.Connection.RemoteIpAddress?.ToString() ?? "";
        var begun = await request.Service<IMediator>().Send(new BeginSignIn.Command(login, address));
        if (begun.Refused is { } tooMany)
        {
            form.Refuse(tooMany);
            return null;
        }

        var member = await request.Session.FindAsync<Member>(Sql.ByLogin, new { Login = login });
        if (!await VerifyAsync(password, member?.PasswordHash) || member is null)
        {
            form.Refuse(SignIn.Wrong);
            return null;
        }

        var token = Digests.NewSecret();
        var hash = request.Service<KeyRing>().SecretHash(token);
        var command = new SignIn.Command(member.Id, hash, begun.Value!);
        if (await form.SendAsync(request, _ => command) is not { } opened) return null;
        request.Http.Response.Cookies.Append(Gate.CookieName, token, new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = request.Http.Request.IsHttps,
            Expires = DateTimeOffset.FromUnixTimeMilliseconds(opened.ExpiresMs),
            IsEssential = true,
        });
        return member;
    }

    private static async Task<bool> VerifyAsync(string password, string? stored)
    {
        await Verifying.WaitAsync();
        try
        {
            return await Task.Run(() => Passwords.Verify(stored: stored, password: password));
        }
        finally
        {
            Verifying.Release();
        }
    }

    private static string HomeOf(Request request, Caller caller) => request.Service<Menu>().HomeOf(caller);

    /// <summary>
    /// Whether the form was sent by one of our own pages. There is no session yet to derive a token from;
    /// browsers say where a form comes from, and what says nothing is no browser.
    /// </summary>
    private static bool IsFromHere(HttpContext http)
    {
        var headers = http.Request.Headers;
        if (headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is "same-origin" or "none";
        return headers.Origin.ToString() is not { Length: > 0 } origin
            || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority == http.Request.Host.Value);
    }

    /// <summary>A path of this service, else null: nobody is sent elsewhere after signing in.</summary>
    internal static string? LocalPath(string? path) =>
        path is ['/', .. var rest] && path.Length <= 1000 && rest is not ['/' or '\\', ..]
        && !path.Any(char.IsControl)
            ? path
            : null;

    private sealed record Member(string Id, string Role, string PasswordHash);

    private static class Sql
    {
        public const string ByLogin = """
            SELECT id AS Id,
                   role AS Role,
                   password_hash AS PasswordHash
              FROM members
             WHERE login = @Login AND disabled_ms IS NULL
            """;
    }
}
