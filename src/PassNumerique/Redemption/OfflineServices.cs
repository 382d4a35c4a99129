using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Settlement;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// A service rendered offline that came second: what was debited and delivered is known, the pass had nothing
/// left for it. It never touches the pass; it is owed as a guarantee, or it is a dispute.
/// </summary>
internal sealed record OfflineService(
    long Serial, long Part, long Line, string Refusal, long Minutes, long ValueCents, string ConventionId, string BodyHash,
    long RecordedMs, long? GuaranteeMonth, long? Ordinal, string? Cause, long? DeadlineMs)
{
    public string Id => OfflineServices.Id(Serial, Part);

    /// <summary>Whether it was a dispute at first, whatever came of it: an answer given again stays the same.</summary>
    public bool IsDispute => Cause is not null;
}

/// <summary>Paid within the limit of the convention: the <paramref name="Ordinal"/>-th of the device's month.</summary>
internal sealed record GuaranteeReceipt(
    string Id, long Serial, string Refusal, long Minutes, long ValueCents, string Month, long Ordinal, DateOnly PayableBy,
    string RecordedAt);

/// <summary>
/// Not paid yet: <paramref name="Cause"/> is <c>limit</c>, <c>funds</c> or <c>device</c>. Until the deadline it
/// may be paid or rejected; an undecided one is accepted by then.
/// </summary>
internal sealed record DisputeReceipt(
    string Id, long Serial, string Refusal, long Minutes, long ValueCents, string Cause, string Deadline,
    string AfterDeadline, string RecordedAt);

/// <summary>The second services of an operation, and how they are shown.</summary>
internal static class OfflineServices
{
    /// <summary>Marks the ids of this story apart from those of redemptions.</summary>
    private const byte Story = 1;

    public static string Id(long serial, long part) => EntryId.Pack(serial, part, Story);

    public static (long Serial, long Part)? ReadId(string id) => EntryId.Read(id, Story);

    public static Task<IReadOnlyList<OfflineService>> FindAsync(Session db, string operationId, CancellationToken ct) =>
        db.ListAsync<OfflineService>(
            Sql.ByOperation, new { db.Caller.OrganisationId, OperationId = operationId }, ct);

    public static async Task<bool> AreRecordedAsync(Session db, string operationId, CancellationToken ct) =>
        (await FindAsync(db, operationId, ct)).Count > 0;

    public static GuaranteeReceipt Guarantee(OfflineService s) => new(
        s.Id, s.Serial, s.Refusal, s.Minutes, s.ValueCents, ListPayables.MonthText(s.GuaranteeMonth!.Value), s.Ordinal!.Value,
        RedemptionRules.PayableBy(s.GuaranteeMonth.Value), Clock.InstantText(s.RecordedMs));

    public static DisputeReceipt Dispute(OfflineService s) => new(
        s.Id, s.Serial, s.Refusal, s.Minutes, s.ValueCents, s.Cause!, Clock.InstantText(s.DeadlineMs!.Value),
        SettleDispute.AfterDeadline, Clock.InstantText(s.RecordedMs));

    private static class Sql
    {
        public const string ByOperation = """
            SELECT s.serial AS Serial,
                   s.part AS Part,
                   s.line AS Line,
                   s.refusal AS Refusal,
                   s.minutes AS Minutes,
                   s.value_cents AS ValueCents,
                   s.convention_id AS ConventionId,
                   s.body_hash AS BodyHash,
                   s.recorded_ms AS RecordedMs,
                   g.month AS GuaranteeMonth,
                   g.ordinal AS Ordinal,
                   d.cause AS Cause,
                   d.deadline_ms AS DeadlineMs
              FROM offline_services s
              LEFT JOIN guarantees g ON g.serial = s.serial AND g.part = s.part
              LEFT JOIN disputes d ON d.serial = s.serial AND d.part = s.part
             WHERE s.organisation_id = @OrganisationId AND s.operation_id = @OperationId
             ORDER BY s.line
            """;
    }
}
