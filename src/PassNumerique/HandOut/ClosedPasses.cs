using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.HandOut;

/// <summary>
/// Closes each open pass of a booklet in its own story, with what was left: of a scan at the same moment and this, one
/// comes first and the other sees it. While one of them is held for a session, nothing is closed.
/// </summary>
internal static class ClosedPasses
{
    /// <summary>The serials that had something left, ascending; or the reservation that stands against it.</summary>
    public static async Task<Result<IReadOnlyList<long>>> CloseAsync(
        Session db, OrderCard order, long booklet, string reason, CancellationToken ct)
    {
        var closed = new List<long>();
        for (var serial = booklet; serial < booklet + order.VouchersPerBooklet; serial++)
        {
            if (await db.ExecuteAsync(Sql.Close, Args(db, order, serial, reason), ct) == 1) closed.Add(serial);
        }

        return await HandOutRefusals.ReservedAsync(db, order, booklet, ct) is { } reserved ? reserved : closed;
    }

    private static object Args(Session db, OrderCard order, long serial, string reason) => new
    {
        Serial = serial,
        order.CreditMinutes,
        order.ConventionId,
        Day = db.Today,
        Month = Clock.Month(db.Today),
        Reason = reason,
        db.Caller.OrganisationId,
        OperationId = Ids.New(),
        db.BodyHash,
        db.ActorId,
        db.NowMs,
        db.Batch,
    };

    private static class Sql
    {
        public const string Close = """
            INSERT INTO voucher_entries (
                   serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, closed_minutes,
                   convention_id, terms_version, duration_minutes, service_day, month, reason, organisation_id,
                   operation_id, line, body_hash, actor_id, recorded_ms, batch)
            SELECT @Serial,
                   v.part + 1,
                   5,
                   0,
                   v.used,
                   COALESCE(r.credit_minutes, @CreditMinutes),
                   0,
                   0,
                   COALESCE(r.credit_minutes, @CreditMinutes) - v.used,
                   @ConventionId,
                   1,
                   0,
                   @Day,
                   @Month,
                   @Reason,
                   @OrganisationId,
                   @OperationId,
                   0,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used,
                           CAST(COALESCE(SUM(CASE WHEN kind = 5 THEN 1 ELSE 0 END), 0) AS bigint) AS closed
                      FROM voucher_entries
                     WHERE serial = @Serial) v
              LEFT JOIN replacements r ON r.serial = @Serial
             WHERE v.closed = 0 AND v.used < COALESCE(r.credit_minutes, @CreditMinutes)
            """;
    }
}
