using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>Minutes of a pass that a site keeps for a session under way, until an instant.</summary>
internal sealed record LiveHold(long Serial, long Part, string SiteId, long Minutes, long UntilMs)
{
    /// <summary>The reservation that it is.</summary>
    public string Id => EntryId.Pack(Serial, Part);

    /// <summary>
    /// The holds of a range of passes that live now, the first to fall away first. A command that has just
    /// taken the next part of each of these passes sees here every hold that came before it; a hold that comes
    /// after it sees the command.
    /// </summary>
    public static Task<IReadOnlyList<LiveHold>> ReadAsync(
        Session session, long first, long last, CancellationToken ct = default) =>
        session.ListAsync<LiveHold>(Sql.Live, new { First = first, Last = last, session.NowMs }, ct);

    private static class Sql
    {
        public const string Live = """
            SELECT h.serial AS Serial,
                   h.part AS Part,
                   h.site_id AS SiteId,
                   h.hold_minutes AS Minutes,
                   h.hold_until_ms AS UntilMs
              FROM voucher_entries h
             WHERE h.serial BETWEEN @First AND @Last AND h.kind = 3 AND h.hold_until_ms > @NowMs
               AND NOT EXISTS (SELECT 1 FROM voucher_entries e
                                WHERE e.serial = h.serial AND e.reversed_part = h.part AND e.kind IN (2, 4))
             ORDER BY h.hold_until_ms, h.serial, h.part
            """;
    }
}
