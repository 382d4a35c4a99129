namespace PassNumerique.HandOut;

/// <summary>
/// What is asked of a booklet that leaves a drawer, once for a hand-out and for a transfer: both are the next part of
/// the same story, <c>b.part + 1</c>, so that of the two one happens and the other sees it.
/// </summary>
internal static class StockedBooklet
{
    /// <summary>
    /// The end of an INSERT … SELECT: it is nobody's, neither returned nor replaced nor blocked, and lies at
    /// <c>@PointId</c>: sent there with its lot and never moved, or brought there by its last transfer.
    /// </summary>
    public const string AtPoint = """

              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(MAX(CASE WHEN kind = 1 THEN part ELSE 0 END), 0) AS bigint) AS given,
                           CAST(COALESCE(MAX(CASE WHEN kind = 2 THEN part ELSE 0 END), 0) AS bigint) AS undone,
                           CAST(COALESCE(MAX(CASE WHEN kind IN (5, 6, 7) THEN part ELSE 0 END), 0) AS bigint) AS moved,
                           CAST(COALESCE(SUM(CASE WHEN kind IN (3, 8) THEN 1 ELSE 0 END), 0) AS bigint) AS ended
                      FROM booklet_entries
                     WHERE booklet = @Booklet) b
             WHERE b.given <= b.undone AND b.ended = 0
               AND ((b.moved = 0
                     AND EXISTS (SELECT 1 FROM lots l
                                  WHERE l.order_id = @OrderId AND l.point_id = @PointId
                                    AND l.first_serial <= @Booklet AND l.last_serial >= @LastSerial))
                    OR EXISTS (SELECT 1 FROM booklet_entries m
                                WHERE m.booklet = @Booklet AND m.part = b.moved AND m.kind IN (6, 7)
                                  AND m.point_id = @PointId))
               AND NOT EXISTS (SELECT 1 FROM blocks k
                                WHERE k.order_serial = @OrderSerial
                                  AND k.first_serial <= @LastSerial AND k.last_serial >= @Booklet
                                  AND NOT EXISTS (SELECT 1 FROM block_lifts x WHERE x.block_id = k.id))
            """;
}
