namespace PassNumerique.Redemption;

/// <summary>
/// What every use of a pass asks besides minutes, once for all: a redemption, a hold, a capture, and an offline
/// service that came second. Each is the end of a WHERE, beside the order's end date as <c>v.until_day</c>.
/// </summary>
internal static class UsablePass
{
    /// <summary>
    /// The order is active, the pass was handed out where that is needed, it is in date, the site is labelled, the
    /// terms are the latest. <c>@JudgedDay</c> is the day of recording, <c>@ValidDay</c> that of the service; a
    /// capture in time is judged by the day on which its session began. The label is that of <c>@ServiceDay</c>: the last
    /// position of that day, doubled, with one more where it is a label.
    /// </summary>
    public const string InForce = """

               AND @ValidDay <= v.until_day + @ToleranceDays
               AND @JudgedDay <= v.until_day + @ToleranceDays + 7
               AND ((@JudgedDay <= v.until_day AND @RequireHandOut = 0)
                    OR EXISTS (SELECT 1 FROM booklet_entries b
                                WHERE b.booklet = @Booklet AND b.kind = 1 AND b.day <= v.until_day
                                  AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                                   WHERE u.booklet = b.booklet AND u.kind = 2 AND u.part > b.part)))
               AND EXISTS (SELECT 1 FROM order_steps s WHERE s.order_id = @OrderId AND s.slot = 6)
               AND (SELECT MAX(2 * m.position + CASE WHEN m.status = 'labelled' THEN 1 ELSE 0 END)
                      FROM site_labels m
                     WHERE m.site_id = @SiteId AND m.from_day <= @ServiceDay
                       AND (m.until_day IS NULL OR m.until_day >= @ServiceDay)) % 2 = 1
               AND NOT EXISTS (SELECT 1 FROM convention_terms t
                                WHERE t.convention_id = @ConventionId AND t.version > @KnownVersion)
            """;

    /// <summary>It was neither returned, nor replaced, nor is it blocked.</summary>
    public const string NotTakenBack = """

               AND NOT EXISTS (SELECT 1 FROM booklet_entries t WHERE t.booklet = @Booklet AND t.kind = 3)
               AND NOT EXISTS (SELECT 1 FROM replacements p WHERE p.replaced_serial = @Serial)
               AND NOT EXISTS (SELECT 1 FROM blocks k
                                WHERE k.order_serial = @OrderSerial
                                  AND k.first_serial <= @Serial AND k.last_serial >= @Serial
                                  AND NOT EXISTS (SELECT 1 FROM block_lifts l WHERE l.block_id = k.id))
            """;
}
