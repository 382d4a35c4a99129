using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// The money behind an activation. An order without a derogation is activated against money received alone;
/// one with a derogation also against what its two persons exposed. What other derogated orders still wait
/// for is set aside, so that nobody else takes it. An exposure is never repaid into the count: money that
/// comes later covers the exposed order first, and only what exceeds it activates another.
/// </summary>
internal sealed record OrderFunds(long ReceivedCents, long CommittedCents, long DerogatedCents, long ReservedCents)
{
    /// <summary>What money received leaves uncovered of this order, and of those before it.</summary>
    public long MissingCents(long totalCents) => CommittedCents + ReservedCents + totalCents - ReceivedCents;

    /// <summary>The part of this very order that money received does not cover.</summary>
    public long ExposureCents(long totalCents) => Math.Min(totalCents, MissingCents(totalCents));

    /// <summary>
    /// Takes the convention's row until the command ends: of two who decide on the same money, the second
    /// reads after the first, whatever the isolation.
    /// </summary>
    public static async Task<OrderFunds> HoldAsync(Session db, OrderHead order, CancellationToken ct)
    {
        await db.ExecuteAsync(Sql.Hold, order, ct);
        return (await db.FindAsync<OrderFunds>(Sql.Find, new { OrderId = order.Id, order.ConventionId }, ct))!;
    }

    private static class Sql
    {
        public const string Hold = """
            UPDATE convention_balances
               SET committed_cents = committed_cents
             WHERE convention_id = @ConventionId
            """;

        public const string Find = """
            SELECT b.received_cents AS ReceivedCents,
                   b.committed_cents AS CommittedCents,
                   b.derogated_cents AS DerogatedCents,
                   (SELECT CAST(COALESCE(SUM(o.total_cents), 0) AS bigint)
                      FROM derogations d
                      JOIN orders o ON o.id = d.order_id
                     WHERE o.convention_id = @ConventionId
                       AND o.id <> @OrderId
                       AND NOT EXISTS (SELECT 1 FROM order_steps s WHERE s.order_id = o.id AND s.slot = 6)
                   ) AS ReservedCents
              FROM convention_balances b
             WHERE b.convention_id = @ConventionId
            """;
    }
}
