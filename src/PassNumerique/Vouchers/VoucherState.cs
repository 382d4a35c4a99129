using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>
/// A voucher as its facts stand: what is left, and whether it may be used. Read to explain a refusal and to
/// check a pass; what decides a redemption is the one statement that writes it.
/// </summary>
internal sealed record VoucherState(
    long Used, long Held, long Seen, long Closed, long Redemptions, long CreditMinutes, long FaceCents, long NetCents,
    long UntilDay, long ActivatedDay, long Cancelled, long Blocked, long Replaced, long Returned, long HandedOutDay)
{
    public long RemainingMinutes => CreditMinutes - Used;

    /// <summary>A pass of an order before anybody used it.</summary>
    public static VoucherState Untouched(OrderCard order) =>
        new(0, 0, 0, 0, 0, order.CreditMinutes, order.FaceCents, 0, order.ValidUntilDay, 0, 0, 0, 0, 0, 0);

    public bool IsActive => ActivatedDay > 0 && Cancelled == 0;

    public bool IsHandedOut => HandedOutDay > 0;

    /// <summary>Not handed out by J: expired from J+1; handed out: from the day after J + tolerance + 7.</summary>
    public bool IsExpired(long today, long toleranceDays) =>
        today > UntilDay && (!IsHandedOut || HandedOutDay > UntilDay || today > UntilDay + toleranceDays + 7);

    /// <summary>The word of the API for where it stands, the first that applies.</summary>
    public string Word(long today, long toleranceDays) => this switch
    {
        { IsActive: false } => "not-active",
        { Blocked: > 0 } => "blocked",
        { Replaced: > 0 } => "replaced",
        { RemainingMinutes: 0 } => "spent",
        { Closed: > 0 } or { Returned: > 0 } => "returned",
        _ when IsExpired(today, toleranceDays) => "expired",
        { Used: > 0 } => "started",
        { IsHandedOut: true } => "handed-out",
        _ => "active",
    };

    /// <summary>Reads the state of a serial; <paramref name="operationId"/> marks what is this operation's own.</summary>
    public static async Task<VoucherState> ReadAsync(
        Session session, OrderCard order, long serial, string organisationId, string operationId) =>
        await session.FindAsync<VoucherState>(Sql.State, new
        {
            Serial = serial,
            Booklet = order.BookletOf(serial),
            OrderId = order.Id,
            OrderSerial = order.FirstSerial,
            order.CreditMinutes,
            order.FaceCents,
            order.ValidUntilDay,
            session.NowMs,
            OrganisationId = organisationId,
            OperationId = operationId,
        }) ?? throw new InvalidOperationException($"Serial {serial} has no state.");

    private static class Sql
    {
        public const string State = """
            SELECT v.used AS Used,
                   v.held AS Held,
                   v.seen AS Seen,
                   v.closed AS Closed,
                   v.redemptions AS Redemptions,
                   COALESCE(r.credit_minutes, @CreditMinutes) AS CreditMinutes,
                   COALESCE(r.face_cents, @FaceCents) AS FaceCents,
                   v.cents AS NetCents,
                   COALESCE((SELECT MAX(x.valid_until_day) FROM order_extensions x WHERE x.order_id = @OrderId),
                            @ValidUntilDay) AS UntilDay,
                   COALESCE((SELECT MAX(s.on_day) FROM order_steps s
                              WHERE s.order_id = @OrderId AND s.slot = 6), CAST(0 AS bigint)) AS ActivatedDay,
                   (SELECT CAST(COUNT(*) AS bigint) FROM order_steps s
                     WHERE s.order_id = @OrderId AND s.step = 'cancelled') AS Cancelled,
                   (SELECT CAST(COUNT(*) AS bigint) FROM blocks k
                     WHERE k.order_serial = @OrderSerial AND k.first_serial <= @Serial AND k.last_serial >= @Serial
                       AND NOT EXISTS (SELECT 1 FROM block_lifts l WHERE l.block_id = k.id)) AS Blocked,
                   (SELECT CAST(COUNT(*) AS bigint) FROM replacements p
                     WHERE p.replaced_serial = @Serial) AS Replaced,
                   (SELECT CAST(COUNT(*) AS bigint) FROM booklet_entries b
                     WHERE b.booklet = @Booklet AND b.kind = 3) AS Returned,
                   COALESCE((SELECT MAX(b.day) FROM booklet_entries b
                              WHERE b.booklet = @Booklet AND b.kind = 1
                                AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                                 WHERE u.booklet = b.booklet AND u.kind = 2 AND u.part > b.part)),
                            CAST(0 AS bigint)) AS HandedOutDay
              FROM (SELECT CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used,
                           CAST(COALESCE(SUM(value_cents), 0) AS bigint) AS cents,
                           CAST(COALESCE(SUM(CASE WHEN hold_until_ms > @NowMs THEN hold_minutes ELSE 0 END), 0)
                                AS bigint) AS held,
                           CAST(COALESCE(SUM(CASE WHEN operation_id = @OperationId AND organisation_id = @OrganisationId
                                                  THEN 1 ELSE 0 END), 0) AS bigint) AS seen,
                           CAST(COALESCE(SUM(CASE WHEN kind = 5 THEN 1 ELSE 0 END), 0) AS bigint) AS closed,
                           CAST(COALESCE(SUM(CASE WHEN kind IN (1, 2) THEN 1 ELSE 0 END), 0) AS bigint) AS redemptions
                      FROM voucher_entries
                     WHERE serial = @Serial) v
              LEFT JOIN replacements r ON r.serial = @Serial
            """;
    }
}
