using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>
/// The parcel of one distribution point as those who wait for it see it: what is in it, who sent it when and
/// how, and what the point counted.
/// </summary>
internal sealed record DispatchView(
    string PointId, string PointName, DateOnly On, long Booklets, string? Carrier, string? TrackingReference,
    string? By, string RecordedAt, DispatchReceiptView? Receipt);

internal sealed record DispatchReceiptView(
    DateOnly On, long Booklets, string? Explanation, string? By, string RecordedAt);

/// <summary>
/// An order travels in one parcel a distribution point, with all booklets of its lot. The order's own steps
/// say where the whole of it stands; these say where each part is.
/// </summary>
internal static class Dispatches
{
    internal static readonly Refusal PointNotInOrder = new("point-not-in-order", 404,
        "Cette commande n'a pas de carnets pour ce point de remise.",
        "Vérifiez « distributionPointId » : les points d'une commande sont dans ses lots.");

    internal static readonly Refusal AlreadySent = new("dispatch-already-recorded", 409,
        "L'envoi à ce point est déjà enregistré.",
        "Il n'y a rien à refaire : la commande montre qui a envoyé quoi, et quand.");

    internal static readonly Refusal NotSent = new("dispatch-not-recorded", 409,
        "Aucun envoi à ce point n'est enregistré.",
        "Demandez à l'opérateur d'enregistrer l'envoi, puis confirmez sa réception.");

    internal static readonly Refusal AlreadyReceived = new("dispatch-already-received", 409,
        "La réception de cet envoi est déjà enregistrée.",
        "Un écart trouvé plus tard se note dans l'inventaire du point.");

    internal static readonly Refusal CountDiffers = new("dispatch-count-differs", 409,
        "Le nombre de carnets reçus n'est pas celui de l'envoi.",
        "Comptez encore une fois. Si l'écart est réel, expliquez-le dans « explanation » : il sera enregistré.");

    /// <summary>The parcels of an order, in the order of its lots.</summary>
    public static async Task<IReadOnlyList<DispatchView>> ListAsync(Session db, string orderId, CancellationToken ct)
    {
        var rows = await db.ListAsync<Row>(Sql.List, new { OrderId = orderId }, ct);
        return [.. rows.Select(Show)];
    }

    private static DispatchView Show(Row row) => new(
        row.PointId, row.PointName, row.OnDay.ToDate(), row.Booklets, row.Carrier, row.TrackingReference,
        row.SentBy ?? row.SentByKey, Clock.InstantText(row.RecordedMs),
        row.ReceivedMs is { } receivedMs
            ? new(row.ReceivedDay!.Value.ToDate(), row.ReceivedBooklets!.Value, row.Explanation,
                row.ReceivedBy ?? row.ReceivedByKey, Clock.InstantText(receivedMs))
            : null);

    private sealed record Row(
        string PointId, string PointName, long OnDay, long Booklets, string? Carrier, string? TrackingReference,
        string? SentBy, string? SentByKey, long RecordedMs, long? ReceivedDay, long? ReceivedBooklets,
        string? Explanation, string? ReceivedBy, string? ReceivedByKey, long? ReceivedMs);

    private static class Sql
    {
        public const string List = """
            SELECT d.point_id AS PointId,
                   p.name AS PointName,
                   d.on_day AS OnDay,
                   d.booklets AS Booklets,
                   d.carrier AS Carrier,
                   d.tracking_reference AS TrackingReference,
                   m.name AS SentBy,
                   k.label AS SentByKey,
                   d.recorded_ms AS RecordedMs,
                   r.on_day AS ReceivedDay,
                   r.booklets AS ReceivedBooklets,
                   r.explanation AS Explanation,
                   n.name AS ReceivedBy,
                   y.label AS ReceivedByKey,
                   r.recorded_ms AS ReceivedMs
              FROM dispatches d
              JOIN lots l ON l.order_id = d.order_id AND l.point_id = d.point_id
              JOIN distribution_points p ON p.id = d.point_id
              LEFT JOIN members m ON m.id = d.actor_id
              LEFT JOIN api_keys k ON k.id = d.actor_id
              LEFT JOIN dispatch_receipts r ON r.order_id = d.order_id AND r.point_id = d.point_id
              LEFT JOIN members n ON n.id = r.actor_id
              LEFT JOIN api_keys y ON y.id = r.actor_id
             WHERE d.order_id = @OrderId
             ORDER BY l.position
            """;
    }
}
