using PassNumerique.Platform;

namespace PassNumerique.Access;

/// <summary>Who is who: organisations, members, API keys. <see cref="AddUser"/> has no route.</summary>
internal static class AccessEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        CreateOrganisation.Map(api);
        ReadOrganisations.Map(api);
        CreateMember.Map(api.MapGroup("/members"));
        ReadMembers.Map(api.MapGroup("/members"));
        CreateApiKey.Map(api.MapGroup("/api-keys"));
        ReadApiKeys.Map(api.MapGroup("/api-keys"));
        RevokeApiKey.Map(api.MapGroup("/api-keys"));
    }
}
