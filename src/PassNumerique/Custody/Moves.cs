using PassNumerique.HandOut;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>
/// A booklet leaves a point and arrives at another: parts of its own story (5 sent, 6 received, 7 kept), so that it is
/// never handed out on the way and never sent while somebody takes it.
/// </summary>
internal static class Moves
{
    /// <summary>Sends it by the next part of its story; false where it doesn't lie there to be sent.</summary>
    public static async Task<bool> SendAsync(Session db, NumberedBooklet booklet, string fromPointId, CancellationToken ct) =>
        await db.ExecuteAsync(Sql.Send, new
        {
            Booklet = booklet.Number,
            booklet.LastSerial,
            OrderId = booklet.Order.Id,
            OrderSerial = booklet.Order.FirstSerial,
            PointId = fromPointId,
            Day = db.Today,
            db.Caller.OrganisationId,
            OperationId = Ids.New(),
            db.BodyHash,
            db.ActorId,
            db.NowMs,
            db.Batch,
        }, ct) == 1;

    /// <summary>Ends the way that began with <paramref name="sentPart"/>; false where it has ended already.</summary>
    public static async Task<bool> EndAsync(
        Session db, long booklet, long sentPart, long kind, string pointId, long day, CancellationToken ct) =>
        await db.ExecuteAsync(Sql.End, new
        {
            Booklet = booklet,
            SentPart = sentPart,
            Kind = kind,
            PointId = pointId,
            Day = day,
            db.Caller.OrganisationId,
            OperationId = Ids.New(),
            db.BodyHash,
            db.ActorId,
            db.NowMs,
            db.Batch,
        }, ct) == 1;

    private static class Sql
    {
        public const string Send = """
            INSERT INTO booklet_entries (
                   booklet, part, kind, point_id, day, organisation_id, operation_id, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT @Booklet,
                   b.part + 1,
                   5,
                   @PointId,
                   @Day,
                   @OrganisationId,
                   @OperationId,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
            """ + StockedBooklet.AtPoint + """

               AND EXISTS (SELECT 1 FROM order_steps s WHERE s.order_id = @OrderId AND s.slot = 5)
            """;

        public const string End = """
            INSERT INTO booklet_entries (
                   booklet, part, kind, point_id, day, organisation_id, operation_id, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT @Booklet,
                   s.part + 1,
                   @Kind,
                   @PointId,
                   @Day,
                   @OrganisationId,
                   @OperationId,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM booklet_entries s
             WHERE s.booklet = @Booklet AND s.part = @SentPart AND s.kind = 5
               AND NOT EXISTS (SELECT 1 FROM booklet_entries n
                                WHERE n.booklet = @Booklet AND n.part > @SentPart)
            """;
    }
}
