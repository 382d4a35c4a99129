using PassNumerique.Platform.Data;

namespace PassNumerique.Sites;

/// <summary>One line of a site's label history: what holds from a day, and until when.</summary>
internal sealed record LabelRow(string SiteId, long Position, string Status, long FromDay, long? UntilDay)
{
    public bool Covers(long day) => FromDay <= day && (UntilDay is null || UntilDay >= day);
}

/// <summary>
/// The label of a site on a day. Lines are only ever added, and the last line (the highest position) that
/// covers a day decides that day; a day that none covers has no label. So after a suspension "until 31 March"
/// what held before it is in force again on 1 April, and a mistake is corrected by a further line.
/// <para>
/// A statement that decides by the label asks the same in SQL, within its own WHERE:
/// </para>
/// <code>
/// EXISTS (SELECT 1 FROM site_labels l
///          WHERE l.site_id = @SiteId AND l.status = 'labelled'
///            AND l.from_day &lt;= @Day AND (l.until_day IS NULL OR l.until_day >= @Day)
///            AND NOT EXISTS (SELECT 1 FROM site_labels n
///                             WHERE n.site_id = l.site_id AND n.position > l.position
///                               AND n.from_day &lt;= @Day AND (n.until_day IS NULL OR n.until_day >= @Day)))
/// </code>
/// </summary>
internal static class SiteLabels
{
    public const string Labelled = "labelled";
    public const string Suspended = "suspended";
    public const string Withdrawn = "withdrawn";

    /// <summary>What is said of a day that no line covers; never stored.</summary>
    public const string None = "none";

    public static readonly IReadOnlyList<string> Codes = [Labelled, Suspended, Withdrawn];

    /// <summary>The status on a day, from the lines of one site in any order.</summary>
    public static string On(long day, IEnumerable<LabelRow> lines) =>
        lines.Where(line => line.Covers(day)).MaxBy(line => line.Position)?.Status ?? None;

    /// <summary>The same, by the store.</summary>
    public static async Task<string> OnAsync(
        Session db, string siteId, long day, CancellationToken ct = default) =>
        await db.FindAsync<string>(Sql.StatusOn, new { SiteId = siteId, Day = day }, ct) ?? None;

    /// <summary>Whether a service of that day is paid: the day of the service, not of its record.</summary>
    public static async Task<bool> IsLabelledAsync(
        Session db, string siteId, long day, CancellationToken ct = default) =>
        await OnAsync(db, siteId, day, ct) == Labelled;

    private static class Sql
    {
        public const string StatusOn = """
            SELECT l.status
              FROM site_labels l
             WHERE l.site_id = @SiteId
               AND l.from_day <= @Day
               AND (l.until_day IS NULL OR l.until_day >= @Day)
               AND NOT EXISTS (SELECT 1
                                 FROM site_labels n
                                WHERE n.site_id = l.site_id
                                  AND n.position > l.position
                                  AND n.from_day <= @Day
                                  AND (n.until_day IS NULL OR n.until_day >= @Day))
            """;
    }
}
