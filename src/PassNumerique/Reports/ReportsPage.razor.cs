using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Reports;

/// <summary>The conventions whose report the caller may read.</summary>
public partial class ReportsPage
{
    internal sealed record View(Page<ReadConventions.Line> Conventions);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/bilans", GetConventionReport.Readers, ShowAsync, menu: "Bilans");
        ReportPage.Map(app);
    }

    private static async Task ShowAsync(Request request) => await request.ShowAsync<ReportsPage, View>(
        new((await ReadConventions.ListAsync(request)).OrThrow()));
}
