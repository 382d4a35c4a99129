namespace PassNumerique.Platform;

/// <summary>Who may do what. One caller has one role; a route names the roles it lets in.</summary>
[Flags]
internal enum Role
{
    None = 0,
    Operator = 1,
    State = 2,
    Authority = 4,
    Agent = 8,
    Site = 16,
    Hub = 32,
    Auditor = 64,

    /// <summary>Nobody needs to sign in. Only what <c>api.md</c> lists as public.</summary>
    Anonymous = 128,

    /// <summary>Every signed-in caller.</summary>
    Everyone = Operator | State | Authority | Agent | Site | Hub | Auditor,

    /// <summary>Those who read across organisations.</summary>
    Overseers = Operator | State | Auditor,
}

/// <summary>
/// The caller of a request: an API key or a member's session. <paramref name="PlaceIds"/> are the sites or
/// the distribution points it may act for; <paramref name="ActorId"/> is what facts record.
/// </summary>
internal sealed record Caller(
    string ActorId,
    Role Role,
    string OrganisationId,
    IReadOnlyList<string> PlaceIds,
    string Name)
{
    /// <summary>A machine with an API key of its own; false for a person who signed in.</summary>
    public bool IsKey { get; init; }

    public static readonly Caller Nobody = new("", Role.Anonymous, "", [], "");

    public bool Is(Role roles) => (roles & Role) != 0;

    /// <summary>Whether a place is within reach of who, having this role, is confined to his own.</summary>
    public bool Reaches(string placeId, Role confined) => !Is(confined) || PlaceIds.Contains(placeId);

    /// <summary>The organisation a query is filtered by, or null for those who see all of them.</summary>
    public string? Scope => Is(Role.Overseers) ? null : OrganisationId;
}

/// <summary>The words of the roles in the API and the store.</summary>
internal static class Roles
{
    private static readonly (Role Role, string Code, string Label)[] All =
    [
        (Role.Operator, "operator", "opérateur"),
        (Role.State, "state", "État"),
        (Role.Authority, "authority", "collectivité"),
        (Role.Agent, "agent", "agent (remise)"),
        (Role.Site, "site", "lieu de médiation"),
        (Role.Hub, "hub", "hub"),
        (Role.Auditor, "auditor", "contrôle"),
    ];

    public static IReadOnlyList<string> Codes { get; } = [.. All.Select(r => r.Code)];

    public static string Code(Role role) => All.Single(r => r.Role == role).Code;

    public static string Label(Role role) => All.Single(r => r.Role == role).Label;

    public static Role Parse(string code) => All.FirstOrDefault(r => r.Code == code).Role;
}
