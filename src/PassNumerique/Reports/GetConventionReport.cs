using System.Text;
using PassNumerique.Platform;

namespace PassNumerique.Reports;

/// <summary>The report of a convention as JSON and as CSV, at <c>?asOf=</c> or at both clocks.</summary>
internal static class GetConventionReport
{
    public const Role Readers = Role.Overseers | Role.Authority | Role.Hub;

    internal static void Map(IEndpointRouteBuilder reports)
    {
        reports.Get("/conventions/{id}", Readers, FindAsync);
        reports.Stream("/conventions/{id}.csv", Readers, WriteCsvAsync);
    }

    /// <summary>For the endpoints here and for the page: the report that the request asks for.</summary>
    public static async Task<Result<ConventionReport>> FindAsync(Request r)
    {
        var id = r.Id();
        var cutOff = await CutOff.FromAsync(r);
        return cutOff.Refused is { } refused
            ? refused
            : await BuildConventionReport.RunAsync(r.Session, id, cutOff.Value!, r.Aborted);
    }

    private static async Task WriteCsvAsync(Request r)
    {
        var result = await FindAsync(r);
        if (result.Value is not { } report)
        {
            await Problems.WriteAsync(r.Http, result.Refused!);
            return;
        }

        var response = r.Http.Response;
        response.ContentType = "text/csv; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition = $"attachment; filename=\"bilan-{report.Convention.Id}.csv\"";
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(ReportCsv.Text(report)), r.Aborted);
    }
}
