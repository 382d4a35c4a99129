using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Reports;

/// <summary>The report of a convention, every figure with what it is made of.</summary>
public partial class ReportPage
{
    /// <summary><paramref name="Query"/> is the cut-off as the links to the files repeat it.</summary>
    internal sealed record View(ConventionReport Report, string Query);

    internal static void Map(IEndpointRouteBuilder app) =>
        app.Page("/bilans/{id}", GetConventionReport.Readers, ShowAsync);

    private static async Task ShowAsync(Request request)
    {
        var form = new Form().With("asOf", request.Text("asOf"));
        var query = request.Http.Request.QueryString.Value ?? "";
        if (await FindAsync(request, form) is { } report)
        {
            await request.ShowAsync<ReportPage, View>(new(report, query), form);
            return;
        }

        // The last known state stands below the message, so that the date can be corrected in place.
        request.Http.Request.QueryString = default;
        var latest = (await GetConventionReport.FindAsync(request)).OrThrow();
        await request.ShowAsync<ReportPage, View>(new(latest, ""), form);
    }

    private static async Task<ConventionReport?> FindAsync(Request request, Form form)
    {
        try
        {
            var result = await GetConventionReport.FindAsync(request);
            if (result.Refused is { Status: 404 } unknown) throw new RefusedException(unknown);
            if (result.Refused is { } refused) form.Refuse(refused);
            return result.Value;
        }
        catch (InvalidRequestException invalid)
        {
            foreach (var (name, messages) in invalid.Errors) form.Mark(name, messages[0]);
            return null;
        }
    }

    private static string InUnit(long value, string unit) => unit switch
    {
        "basis-points" => French.Percent(value, 10_000),
        "cents" => French.Euros(value),
        "minutes" => French.Duration(value),
        "hours" => $"{French.Count(value)}\u00A0h",
        "days" => $"{French.Count(value)}\u00A0j",
        "hundredths" => French.Decimal(value),
        _ => French.Count(value),
    };
}
