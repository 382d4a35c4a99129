namespace PassNumerique.Platform.Jobs;

/// <summary>The states of a job, as the store and the API call them.</summary>
internal static class JobState
{
    public const string Queued = "queued";
    public const string Running = "running";
    public const string Done = "done";
    public const string Failed = "failed";

    /// <summary>It stopped before its end, and somebody outside has to ask that it goes on.</summary>
    public const string Interrupted = "interrupted";
}

/// <summary>
/// A job as its row stands: <paramref name="Done"/> of <paramref name="Total"/> pieces, the last run of it begun
/// at <paramref name="RunMs"/> with <paramref name="RunDone"/> of them behind it.
/// </summary>
internal sealed record Job(
    string Id, string Kind, string OrganisationId, string ActorId, string Role, string SubjectId, string State, long Run,
    long Done, long Total, long RunDone, long? RunMs, string? MadeId, string? ErrorCode, string? Error, long CreatedMs,
    long ChangedMs)
{
    public bool IsOver => State is JobState.Done or JobState.Failed;

    /// <summary>Whole hundredths, rounded down: 100 is all of it.</summary>
    public long Percent => Total == 0 ? (IsOver ? 100 : 0) : Done * 100 / Total;

    /// <summary>Pieces a second of this run; nothing before the first is done.</summary>
    public long? RatePerSecond => RunMs is { } since && ChangedMs > since && Done > RunDone
        ? (Done - RunDone) * 1_000 / (ChangedMs - since)
        : null;

    /// <summary>Seconds to go at the rate of this run, a begun one counted whole.</summary>
    public long? SecondsLeft => State == JobState.Running && RunMs is { } since && ChangedMs > since && Done > RunDone
        ? (((Total - Done) * (ChangedMs - since)) + ((Done - RunDone) * 1_000) - 1) / ((Done - RunDone) * 1_000)
        : null;
}

/// <summary>A kind of long work: what people call it, what its pieces are, and where it leads.</summary>
/// <param name="Name">Its word in the store.</param>
/// <param name="Label">Its words on a page.</param>
/// <param name="Unit">What is counted, in the plural.</param>
/// <param name="Link">Under the root of the API: what it made, or where it goes on; null while there is nothing.</param>
/// <param name="Page">The page to look at beside it.</param>
internal sealed record JobKind(
    string Name, string Label, string Unit, Func<Job, string?> Link, Func<Job, string?> Page)
{
    /// <summary>
    /// What the service does by itself of a job that waits; null where only somebody outside can ask for more.
    /// </summary>
    public Func<IServiceProvider, Job, CancellationToken, Task>? RunAsync { get; init; }

    /// <summary>Takes away what jobs of this kind left behind that are over.</summary>
    public Func<IServiceProvider, CancellationToken, Task>? TidyAsync { get; init; }
}
