using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// The steps of an order, each in its slot and each needing the one before. Production and cancellation
/// share a slot: the primary key lets only one of them happen.
/// </summary>
internal static class OrderStep
{
    public const long Approved = 1;
    public const long ProofApproved = 2;
    public const long Produced = 3;
    public const long Shipped = 4;
    public const long Delivered = 5;
    public const long Activated = 6;

    public const string Cancelled = "cancelled";

    private static readonly string[] Names =
        ["ordered", "approved", "proof-approved", "produced", "shipped", "delivered", "activated"];

    /// <summary>The word of the step in the store.</summary>
    public static string Name(long slot) => Names[slot];

    /// <summary>The state an order is in once this slot is filled.</summary>
    public static string State(long lastSlot, bool isCancelled) =>
        isCancelled ? Cancelled : lastSlot == Activated ? "active" : Names[lastSlot];
}

/// <summary>A step that was taken.</summary>
internal sealed record TakenStep(long Slot, string Step, long OnDay);

/// <summary>What a step needs to know of its order.</summary>
internal sealed record OrderHead(
    string Id, string ConventionId, string AuthorityId, long FirstSerial, long VoucherCount, long TotalCents,
    long ValidUntilDay, long OrderedDay);

/// <summary>The answer to every step.</summary>
internal sealed record StepAnswer(string OrderId, string Step, DateOnly On, string State, string RecordedAt);

/// <summary>Takes a step, or says what stands in its way.</summary>
internal static class OrderSteps
{
    internal static readonly Refusal OutOfOrder = new("step-out-of-order", 409, "Une étape manque avant celle-ci.",
        "Enregistrez d'abord l'étape nommée dans « missingStep ».");

    internal static readonly Refusal AlreadyDone = new("step-already-done", 409, "Cette étape est déjà faite.",
        "Il n'y a rien à refaire : consultez l'état de la commande.");

    internal static readonly Refusal Cancelled = new("order-cancelled", 409, "Cette commande est annulée.",
        "Passez une nouvelle commande.");

    internal static readonly Refusal InProduction = new("order-in-production", 409,
        "Cette commande est déjà en production.",
        "Elle ne s'annule plus ; des pass perdus ou inutiles se bloquent ou se retournent.");

    internal static readonly Refusal DateOutOfRange = new("step-date-out-of-range", 409,
        "La date de cette étape n'est pas possible.",
        "Donnez une date entre celle de l'étape précédente et aujourd'hui.");

    /// <summary>The order, where the caller may see it.</summary>
    public static Task<OrderHead?> FindAsync(Session db, string orderId, CancellationToken ct) =>
        db.FindAsync<OrderHead>(Sql.Find, new { OrderId = orderId, db.Caller.Scope }, ct);

    /// <summary>Fills the slot, in one conditional statement.</summary>
    public static async Task<Result<StepAnswer>> TakeAsync(
        Session db, OrderHead order, long slot, string step, DateOnly? on, string? comment, CancellationToken ct)
    {
        var onDay = on?.ToDay() ?? db.Today;
        var needed = step == OrderStep.Cancelled ? 0 : slot - 1;
        if (onDay < order.OrderedDay || onDay > db.Today) return OutOfRange(order.OrderedDay, db.Today);
        var taken = await db.ExecuteAsync(Sql.Take, new
        {
            OrderId = order.Id,
            Slot = slot,
            Step = step,
            OnDay = onDay,
            Comment = string.IsNullOrWhiteSpace(comment) ? null : comment.Trim(),
            Needed = needed,
            db.ActorId,
            db.NowMs,
            db.Batch,
        }, ct);
        if (taken == 0) return WhyNot(await ListAsync(db, order.Id, ct), slot, needed, onDay, db.Today);
        return new StepAnswer(
            order.Id, step, onDay.ToDate(), OrderStep.State(slot, step == OrderStep.Cancelled),
            Clock.InstantText(db.NowMs));
    }

    public static Task<IReadOnlyList<TakenStep>> ListAsync(Session db, string orderId, CancellationToken ct) =>
        db.ListAsync<TakenStep>(Sql.List, new { OrderId = orderId }, ct);

    /// <summary>The reason a slot could not be filled.</summary>
    /// <exception cref="StoreUnavailableException">None is left: the step before came in the meantime.</exception>
    internal static Refusal WhyNot(
        IReadOnlyList<TakenStep> steps, long slot, long needed, long onDay, long today)
    {
        if (steps.Any(s => s.Step == OrderStep.Cancelled)) return Cancelled;
        if (needed == 0 && slot == OrderStep.Produced && steps.Any(s => s.Slot == slot)) return InProduction;
        if (steps.FirstOrDefault(s => s.Slot == slot) is { } done)
            return AlreadyDone.With("step", done.Step).With("on", done.OnDay.ToDate());
        for (var missing = 1L; missing <= needed; missing++)
        {
            if (steps.All(s => s.Slot != missing))
                return OutOfOrder.With("missingStep", OrderStep.Name(missing));
        }

        return steps.Any(s => s.OnDay > onDay)
            ? OutOfRange(steps.Max(s => s.OnDay), today)
            : throw new StoreUnavailableException("The order moved on while its step was taken.");
    }

    private static Refusal OutOfRange(long earliest, long latest) =>
        DateOutOfRange.With("earliest", earliest.ToDate()).With("latest", latest.ToDate());

    private static class Sql
    {
        public const string Find = """
            SELECT id AS Id,
                   convention_id AS ConventionId,
                   authority_id AS AuthorityId,
                   first_serial AS FirstSerial,
                   voucher_count AS VoucherCount,
                   total_cents AS TotalCents,
                   valid_until_day AS ValidUntilDay,
                   ordered_day AS OrderedDay
              FROM orders
             WHERE id = @OrderId AND (@Scope IS NULL OR authority_id = @Scope)
            """;

        public const string Take = """
            INSERT INTO order_steps (order_id, slot, step, on_day, comment, actor_id, recorded_ms, batch)
            SELECT @OrderId, @Slot, @Step, @OnDay, @Comment, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1
                                 FROM order_steps s
                                WHERE s.order_id = @OrderId
                                  AND (s.slot = @Slot OR s.step = 'cancelled' OR s.on_day > @OnDay))
               AND (@Needed = 0 OR EXISTS (SELECT 1
                                             FROM order_steps n
                                            WHERE n.order_id = @OrderId AND n.slot = @Needed))
            """;

        public const string List = """
            SELECT slot AS Slot,
                   step AS Step,
                   on_day AS OnDay
              FROM order_steps
             WHERE order_id = @OrderId
             ORDER BY slot
            """;
    }
}
