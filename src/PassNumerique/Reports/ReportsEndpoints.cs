using PassNumerique.Platform;

namespace PassNumerique.Reports;

/// <summary>The report of a convention.</summary>
internal static class ReportsEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var reports = api.MapGroup("/reports");
        GetConventionReport.Map(reports);
    }
}
