using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Redemption;

/// <summary>The redemption or capture that was the last of a pass: who did it, when, by which operation.</summary>
internal sealed record LastUse(long Part, string OrganisationId, string OperationId, long ServiceDay, long RecordedMs)
{
    private Told? _toOwn;
    private Told? _toOthers;

    /// <summary>Whole minutes since then.</summary>
    public long MinutesAgo(long nowMs) => Math.Max(0, (nowMs - RecordedMs) / Clock.MinuteMs);

    /// <summary>
    /// <see cref="Refusals.SpentBy"/> and the serial, made once for each minute: said over and over where many bring one
    /// pass.
    /// </summary>
    public Refusal Again(Session db, long serial)
    {
        ref var told = ref db.Caller.OrganisationId == OrganisationId ? ref _toOwn : ref _toOthers;
        var minutes = MinutesAgo(db.NowMs);
        if (told is { } same && same.Minutes == minutes) return same.Refusal;
        var refusal = Problems.SaidOften(Refusals.SpentBy(db, serial, this).With("serial", serial));
        told = new(minutes, refusal);
        return refusal;
    }

    public static Task<LastUse?> ReadAsync(Session db, long serial) =>
        db.FindAsync<LastUse>(Sql.Last, new { Serial = serial, Take = 1L });

    private sealed record Told(long Minutes, Refusal Refusal);

    private static class Sql
    {
        public const string Last = """
            SELECT part AS Part,
                   organisation_id AS OrganisationId,
                   operation_id AS OperationId,
                   service_day AS ServiceDay,
                   recorded_ms AS RecordedMs
              FROM voucher_entries
             WHERE serial = @Serial AND kind IN (1, 2)
             ORDER BY part DESC
            {limit}
            """;
    }
}
