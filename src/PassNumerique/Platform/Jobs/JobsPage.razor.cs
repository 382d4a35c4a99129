using PassNumerique.Platform.Web;

namespace PassNumerique.Platform.Jobs;

/// <summary>The long work of an organisation, the newest first; of all of them for the operator.</summary>
public partial class JobsPage
{
    internal sealed record View(
        Page<ReadJobs.Shown> Jobs, IReadOnlyList<(ReadJobs.Shown Shown, JobKind? Kind)> Rows);

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/travaux", ReadJobs.Readers, ShowAsync, menu: "Travaux");
        JobPage.Map(app);
    }

    private static async Task ShowAsync(Request request)
    {
        var page = Page<ReadJobs.Shown>.Of(
            await ReadJobs.RowsAsync(request), request.Limit, shown => shown.Job.Id);
        await request.ShowAsync<JobsPage, View>(
            new(page, [.. page.Items.Select(shown => (shown, ReadJobs.KindOf(request, shown.Job)))]));
    }
}
