using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Redemption;

/// <summary>
/// The money behind the offline guarantee: what a convention received and committed to no order. A guarantee
/// commits it like an activation does, by one conditional statement on the same row, so that never more is owed
/// than there is.
/// </summary>
internal static class GuaranteeFunds
{
    public const string Limit = "limit";
    public const string Settlement = "settlement";

    /// <summary>A second service to be paid as one of at most <paramref name="MaxPasses"/> on this ground.</summary>
    internal sealed record Owed(
        long Serial, long Part, string ConventionId, string DeviceId, long ValueCents, long Month, string Ground,
        long MaxPasses);

    /// <summary>
    /// Commits the money and records the guarantee; false where money or passes are lacking, and then nothing
    /// changed. The row of the convention is held first: of two who decide on it, the second reads after the first.
    /// </summary>
    public static async Task<bool> TakeAsync(Session db, Owed owed, CancellationToken ct)
    {
        await db.ExecuteAsync(Sql.Hold, owed, ct);
        if (await db.ExecuteAsync(Sql.Commit, owed, ct) == 0) return false;
        var recorded = await db.ExecuteAsync(Sql.Guarantee, new
        {
            owed.Serial,
            owed.Part,
            owed.ConventionId,
            owed.DeviceId,
            owed.Month,
            owed.Ground,
            owed.MaxPasses,
            db.ActorId,
            db.NowMs,
            db.Batch,
        }, ct);
        if (recorded == 0) throw new StoreUnavailableException("The guarantee was used up while money was taken for it.");
        return true;
    }

    /// <summary>Passes of a device that were paid within the limit in a month.</summary>
    public static async Task<long> UsedAsync(
        Session db, string conventionId, string deviceId, long month, CancellationToken ct) => await db.FindAsync<long>(
            Sql.Used, new { ConventionId = conventionId, DeviceId = deviceId, Month = month, Ground = Limit }, ct);

    private static class Sql
    {
        public const string Hold = """
            UPDATE convention_balances
               SET committed_cents = committed_cents
             WHERE convention_id = @ConventionId
            """;

        /// <summary>What derogated orders still wait for is set aside, as for an activation.</summary>
        public const string Commit = """
            UPDATE convention_balances
               SET committed_cents = committed_cents + @ValueCents
             WHERE convention_id = @ConventionId
               AND committed_cents + @ValueCents
                   + (SELECT CAST(COALESCE(SUM(o.total_cents), 0) AS bigint)
                        FROM derogations d
                        JOIN orders o ON o.id = d.order_id
                       WHERE o.convention_id = @ConventionId
                         AND NOT EXISTS (SELECT 1 FROM order_steps s WHERE s.order_id = o.id AND s.slot = 6))
                   <= received_cents
               AND (SELECT CAST(COUNT(*) AS bigint)
                      FROM guarantees g
                     WHERE g.convention_id = @ConventionId AND g.device_id = @DeviceId AND g.month = @Month
                       AND g.ground = @Ground) < @MaxPasses
            """;

        /// <summary>The next of the month: the unique key lets one take it.</summary>
        public const string Guarantee = """
            INSERT INTO guarantees (
                   serial, part, convention_id, terms_version, site_id, device_id, month, ground, ordinal, value_cents,
                   actor_id, recorded_ms, batch)
            SELECT s.serial,
                   s.part,
                   s.convention_id,
                   s.terms_version,
                   s.site_id,
                   s.device_id,
                   @Month,
                   @Ground,
                   n.taken + 1,
                   s.value_cents,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM offline_services s
             CROSS JOIN (SELECT CAST(COALESCE(MAX(g.ordinal), 0) AS bigint) AS taken
                           FROM guarantees g
                          WHERE g.convention_id = @ConventionId AND g.device_id = @DeviceId AND g.month = @Month
                            AND g.ground = @Ground) n
             WHERE s.serial = @Serial AND s.part = @Part AND n.taken < @MaxPasses
            """;

        public const string Used = """
            SELECT CAST(COUNT(*) AS bigint) AS Used
              FROM guarantees
             WHERE convention_id = @ConventionId AND device_id = @DeviceId AND month = @Month AND ground = @Ground
            """;
    }
}
