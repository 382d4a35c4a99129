using PassNumerique.Platform;

namespace PassNumerique.Audit;

/// <summary>The journal, exported.</summary>
internal static class AuditEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var exports = api.MapGroup("/exports");
        ExportJournal.Map(exports);
    }
}
