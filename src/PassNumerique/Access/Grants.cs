using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Access;

/// <summary>
/// Who may be given which role, and where: the rule that members and API keys share. The operator gives every
/// role; an authority those of its own organisation, a site's people theirs at the sites they work at. Agents and
/// sites act only at places of theirs.
/// </summary>
internal static class Grants
{
    internal static readonly Refusal UnknownOrganisation = new(
        "organisation-unknown", 404, "Organisation inconnue.",
        "Vérifiez « organisationId » : rien ne lui correspond parmi ce que vous pouvez voir.");

    internal static readonly Refusal RoleMismatch = new("role-not-of-organisation", 409,
        "Ce rôle ne va pas avec cette organisation.",
        "Choisissez un rôle que ce genre d'organisation peut avoir.");

    internal static readonly Refusal UnknownPlace = new("place-unknown", 404,
        "Ce lieu n'est pas de cette organisation.",
        "Nommez un site de la structure, ou un point de remise de la collectivité.");

    /// <summary>Whether the role acts at named places only: an agent at points, a site at sites.</summary>
    public static bool NeedPlace(string role) => role is "agent" or "site";

    /// <summary>Why the caller of this session may not give the role there; null where they may.</summary>
    public static async Task<Refusal?> RefuseAsync(
        Session db, string organisationId, string role, IReadOnlyList<string> placeIds, CancellationToken ct)
    {
        if (db.Caller.Scope is { } scope && scope != organisationId) return UnknownOrganisation;
        var kind = await db.FindAsync<string>(Sql.Kind, new { OrganisationId = organisationId }, ct);
        if (kind is null) return UnknownOrganisation;
        if ((OrganisationKinds.RolesOf(kind) & Roles.Parse(role)) == 0) return RoleMismatch;
        foreach (var placeId in placeIds)
        {
            var args = new { OrganisationId = organisationId, PlaceId = placeId };
            var owned = await db.FindAsync<string>(role == "site" ? Sql.SiteOf : Sql.PointOf, args, ct);
            var isTheirs = db.Caller.Reaches(placeId, Platform.Role.Site);
            if (owned is null || !isTheirs) return UnknownPlace.With("placeId", placeId);
        }

        return null;
    }

    private static class Sql
    {
        public const string Kind = """
            SELECT kind
              FROM organisations
             WHERE id = @OrganisationId
            """;

        public const string SiteOf = """
            SELECT id
              FROM sites
             WHERE id = @PlaceId AND organisation_id = @OrganisationId
            """;

        public const string PointOf = """
            SELECT id
              FROM distribution_points
             WHERE id = @PlaceId AND authority_id = @OrganisationId
            """;
    }
}
