using System.Globalization;
using PassNumerique.Platform.Web;

namespace PassNumerique.Platform.Jobs;

/// <summary>One job: a bar, the words beside it, and what to do next. A script only saves the reloading.</summary>
public partial class JobPage
{
    internal sealed record View(ReadJobs.Shown Shown, JobKind? Kind);

    internal static void Map(IEndpointRouteBuilder app) => app.Page("/travaux/{id}", ReadJobs.Readers, ShowAsync);

    internal static string StateOf(string state) => state switch
    {
        JobState.Queued => "en attente",
        JobState.Running => "en cours",
        JobState.Done => "terminé",
        JobState.Failed => "échoué",
        JobState.Interrupted => "interrompu",
        _ => state,
    };

    internal static string When(long ms)
    {
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(ms), Clock.Paris);
        var day = French.Date(Clock.ParisDay(ms));
        return string.Create(CultureInfo.InvariantCulture, $"{day} à {local.Hour} h {local.Minute:00}");
    }

    /// <summary><c>En cours : 250 000 sur 1 000 000 pass (25 %), 80 000 par seconde, encore 10 s</c></summary>
    internal static string Told(Job job, string unit)
    {
        var state = StateOf(job.State);
        var told = $"{char.ToUpperInvariant(state[0])}{state[1..]} : {French.Count(job.Done)} sur "
            + $"{French.Count(job.Total)} {unit} ({job.Percent}\u00A0%)";
        if (job.RatePerSecond is { } rate) told += $", {French.Count(rate)} par seconde";
        return job.SecondsLeft is { } left ? $"{told}, encore {Left(left)}" : told;
    }

    private static string Left(long seconds) => seconds < 60
        ? $"{seconds}\u00A0s"
        : French.Duration((seconds + 59) / 60);

    private static async Task ShowAsync(Request request)
    {
        var shown = await ReadJobs.FindAsync(request) ?? throw new RefusedException(Problems.NotFound);
        await request.ShowAsync<JobPage, View>(new(shown, ReadJobs.KindOf(request, shown.Job)));
    }
}
