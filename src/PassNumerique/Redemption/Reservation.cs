using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// A pass held at the start of a session (kind 3 of its story), and how that ended: by a capture (2), by a
/// release (4), or by its instant alone, for which nothing is written. The row that ends it names its part in
/// <c>reversed_part</c> and carries minus its minutes with the same instant, so that both vanish together.
/// </summary>
/// <param name="StartDay">The legal day of the site when it was made.</param>
/// <param name="LeftMinutes">What was left on the pass when it began or was ended, what is held included.</param>
internal sealed record Reservation(
    long Serial, long Part, string SiteId, long Minutes, long UntilMs, long StartDay, long StartedMs, long? EndKind,
    long? EndPart, long? EndedMs, long LeftMinutes)
{
    public static readonly Refusal Unknown = new("reservation-unknown", 404, "Réservation inconnue.",
        "Vérifiez « reservationId » : une séance se termine dans le lieu qui l'a réservée. Ailleurs, scannez le pass.");

    public string Id => EntryId.Pack(Serial, Part);

    public bool IsEnded => EndKind is not null;

    public bool IsLive(long nowMs) => !IsEnded && UntilMs > nowMs;

    /// <summary>The word of the API for where it stands.</summary>
    public string Word(long nowMs) => EndKind switch
    {
        EntryKind.Capture => "captured",
        EntryKind.Release => "released",
        _ => UntilMs > nowMs ? "live" : "expired",
    };

    /// <summary>The redemption that it became.</summary>
    public string? RedemptionId => EndKind == EntryKind.Capture ? EntryId.Pack(Serial, EndPart!.Value) : null;

    /// <summary>It was ended before: with what, and what to do instead.</summary>
    public Refusal Ended()
    {
        var ended = new Refusal("reservation-ended", 409, "Cette réservation est déjà terminée.",
            "Elle a été libérée : scannez le pass, sans réservation.")
            .With("endedAt", Clock.InstantText(EndedMs!.Value));
        return RedemptionId is not { } id ? ended : ended.With("redemptionId", id).Because(
            "La séance est enregistrée : s'il s'agit bien de celle-ci, il n'y a rien à refaire. Si vous l'avez "
            + "annulée depuis, scannez le pass, sans réservation.");
    }

    public static async Task<Reservation?> FindAsync(Session db, string id, CancellationToken ct = default) =>
        EntryId.Read(id) is var (serial, part)
            ? await db.FindAsync<Reservation>(Sql.Find, new { Serial = serial, Part = part }, ct)
            : null;

    private static class Sql
    {
        public const string Find = """
            SELECT h.serial AS Serial,
                   h.part AS Part,
                   h.site_id AS SiteId,
                   h.hold_minutes AS Minutes,
                   h.hold_until_ms AS UntilMs,
                   h.service_day AS StartDay,
                   h.recorded_ms AS StartedMs,
                   e.kind AS EndKind,
                   e.part AS EndPart,
                   e.recorded_ms AS EndedMs,
                   COALESCE(e.credit_minutes - e.used_after, h.credit_minutes - h.used_after) AS LeftMinutes
              FROM voucher_entries h
              LEFT JOIN voucher_entries e
                ON e.serial = h.serial AND e.reversed_part = h.part AND e.kind IN (2, 4)
             WHERE h.serial = @Serial AND h.part = @Part AND h.kind = 3
            """;
    }
}
