using PassNumerique.Platform;

namespace PassNumerique.Conventions;

/// <summary>Conventions and their amendments.</summary>
internal static class ConventionsEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var conventions = api.MapGroup("/conventions");
        CreateConvention.Map(conventions);
        ReadConventions.Map(conventions);
        AmendConvention.Map(conventions);
    }
}
