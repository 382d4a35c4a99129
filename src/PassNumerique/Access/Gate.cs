using System.Security.Cryptography;
using System.Text;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Web;

namespace PassNumerique.Access;

/// <summary>
/// Between routing and the endpoint: who asks, and may they? A route without <see cref="RouteFacts"/> is
/// refused to everybody, so that nothing is open by forgetting.
/// </summary>
internal sealed class Gate(RequestDelegate next, KeyRing keys, TimeProvider clock, CallerCache callers)
{
    public const string CookieName = "pn_session";
    public const string AntiforgeryHeader = "X-Antiforgery";
    public const string AntiforgeryField = "_antiforgery";

    public async Task InvokeAsync(HttpContext http)
    {
        var session = http.RequestServices.GetRequiredService<Session>();
        session.Address = http.Connection.RemoteIpAddress;
        if (http.GetEndpoint() is not { } endpoint)
        {
            if (Pages.AreWanted(http)) session.Caller = await IdentifyAsync(http, session);
            await Problems.WriteAsync(http, Problems.NotFound);
            return;
        }

        var facts = endpoint.Metadata.GetMetadata<RouteFacts>();
        if (facts is null && endpoint.DisplayName?.StartsWith("405", StringComparison.Ordinal) == true)
        {
            await Problems.WriteAsync(http, Problems.MethodNotAllowed);
            return;
        }

        var allow = facts?.Allow ?? Role.None;
        session.Caller = await IdentifyAsync(http, session);
        if (session.Caller.Is(allow) || (allow & Role.Anonymous) != 0) await next(http);
        else if (!session.Caller.Is(Role.Anonymous)) await Problems.WriteAsync(http, Problems.Forbidden);
        else if (HttpMethods.IsGet(http.Request.Method) && Pages.AreWanted(http)) SendToSignIn(http);
        else await Problems.WriteAsync(http, Problems.Unauthenticated);
    }

    /// <summary>The token that a form must carry: derived from the session's own secret.</summary>
    public static string Antiforgery(string sessionToken) => Convert.ToHexStringLower(
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(sessionToken), "antiforgery"u8));

    private async Task<Caller> IdentifyAsync(HttpContext http, Session session)
    {
        var authorization = http.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return await FindAsync(authorization[7..].Trim(), Sql.ApiKey, session);
        if (http.Request.Cookies[CookieName] is not { Length: > 0 } token) return Caller.Nobody;
        if (!HttpMethods.IsGet(http.Request.Method)
            && !await HasAntiforgeryAsync(http, token)) return Caller.Nobody;
        return await FindAsync(token, Sql.WebSession, session);
    }

    private async Task<Caller> FindAsync(string secret, string sql, Session session)
    {
        if (secret.Length is < 20 or > 200) return Caller.Nobody;
        var hash = keys.SecretHash(secret);
        var now = clock.NowMs();
        if (callers.Find(hash, now) is { } known) return known;
        var generation = callers.Generation;
        var row = await session.FindAsync<CallerRow>(sql, new { Hash = hash, session.NowMs });
        if (row is null) return Caller.Nobody;
        var places = row.PlaceId is not null
            ? [row.PlaceId]
            : await session.ListAsync<string>(Sql.Places, new { row.ActorId });
        var caller = new Caller(row.ActorId, Roles.Parse(row.Role), row.OrganisationId, places, row.Name)
        {
            IsKey = sql == Sql.ApiKey,
        };
        callers.Keep(hash, caller, now, generation);
        return caller;
    }

    private static async Task<bool> HasAntiforgeryAsync(HttpContext http, string token)
    {
        var given = http.Request.Headers[AntiforgeryHeader].ToString();
        if (given.Length == 0 && http.Request.HasFormContentType)
            given = (await http.Request.ReadFormAsync())[AntiforgeryField].ToString();
        return CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(Antiforgery(token)));
    }

    private static void SendToSignIn(HttpContext http) => http.Response.Redirect(
        "/connexion?retour=" + Uri.EscapeDataString(http.Request.Path + http.Request.QueryString));

    private sealed record CallerRow(
        string ActorId, string Role, string OrganisationId, string? PlaceId, string Name)
    {
        /// <summary>A member: the places come from their own table.</summary>
        public CallerRow(string actorId, string role, string organisationId, string name)
            : this(actorId, role, organisationId, null, name) { }
    }

    private static class Sql
    {
        public const string ApiKey = """
            SELECT k.id AS ActorId,
                   k.role AS Role,
                   k.organisation_id AS OrganisationId,
                   k.place_id AS PlaceId,
                   k.label AS Name
              FROM api_keys k
             WHERE k.secret_hash = @Hash AND (k.revoked_ms IS NULL OR k.revoked_ms > @NowMs)
            """;

        public const string WebSession = """
            SELECT m.id AS ActorId,
                   m.role AS Role,
                   m.organisation_id AS OrganisationId,
                   m.name AS Name
              FROM web_sessions s
              JOIN members m ON m.id = s.member_id
             WHERE s.token_hash = @Hash AND s.expires_ms > @NowMs AND m.disabled_ms IS NULL
            """;

        public const string Places = """
            SELECT place_id
              FROM member_places
             WHERE member_id = @ActorId
             ORDER BY place_id
            """;
    }
}
