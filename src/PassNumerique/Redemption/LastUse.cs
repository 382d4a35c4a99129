using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Redemption;

/// <summary>The redemption or capture that was the last of a pass: who did it, when, by which operation.</summary>
internal sealed record LastUse(long Part, string OrganisationId, string OperationId, long ServiceDay, long RecordedMs)
{
    private Refusal? _toOthers;

    /// <summary>What another site hears of it: only the date. Said over and over where many bring one pass.</summary>
    public Refusal ToOthers => _toOthers ??= Refusals.Spent
        .Because($"Il a été utilisé le {French.Date(ServiceDay)}. Demandez un autre pass.").With("usedOn", ServiceDay.ToDate());

    public static Task<LastUse?> ReadAsync(Session db, long serial) =>
        db.FindAsync<LastUse>(Sql.Last, new { Serial = serial, Take = 1L });

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
