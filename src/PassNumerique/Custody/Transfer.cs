using PassNumerique.HandOut;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>A transfer as its own row says, with how it ended if it was cancelled.</summary>
internal sealed record Transfer(
    string Id, string AuthorityId, string FromPointId, string FromName, string ToPointId, string ToName, long BookletCount,
    string? Comment, long SentDay, long SentMs, long ReceivedBooklets, string? CancelReason, long? CancelledMs)
{
    public long MissingBooklets => CancelledMs is null ? BookletCount - ReceivedBooklets : 0;

    /// <summary>The word of the API for where it stands.</summary>
    public string State => this switch
    {
        { CancelledMs: not null } => "cancelled",
        { ReceivedBooklets: 0 } => "in-transit",
        _ when ReceivedBooklets < BookletCount => "partly-received",
        _ => "received",
    };

    /// <summary>The transfer, where the caller may see it: agents see those of their own points.</summary>
    public static async Task<Transfer?> FindAsync(Session db, string id, CancellationToken ct)
    {
        var found = await db.FindAsync<Transfer>(Sql.Find, new { Id = id, db.Caller.Scope }, ct);
        return found is not null && found.IsSeenBy(db.Caller) ? found : null;
    }

    public bool IsSeenBy(Caller caller) =>
        caller.Reaches(FromPointId, Role.Agent) || caller.Reaches(ToPointId, Role.Agent);

    /// <summary>Its booklets, ascending, with what the next part of each story says.</summary>
    public static Task<IReadOnlyList<Line>> LinesAsync(Session db, string id, CancellationToken ct) =>
        db.ListAsync<Line>(Sql.Lines, new { TransferId = id }, ct);

    /// <summary><paramref name="Kind"/> 6 received, 7 kept, 0 on its way.</summary>
    internal sealed record Line(long Booklet, long SentPart, long VouchersPerBooklet, long Kind, long? EndedDay);

    internal static class Sql
    {
        public const string Columns = """
            SELECT t.id AS Id,
                   t.authority_id AS AuthorityId,
                   t.from_point_id AS FromPointId,
                   f.name AS FromName,
                   t.to_point_id AS ToPointId,
                   d.name AS ToName,
                   t.booklet_count AS BookletCount,
                   t.comment AS Comment,
                   t.sent_day AS SentDay,
                   t.recorded_ms AS SentMs,
                   (SELECT CAST(COALESCE(SUM(r.received_count), 0) AS bigint)
                      FROM transfer_receipts r
                     WHERE r.transfer_id = t.id) AS ReceivedBooklets,
                   c.reason AS CancelReason,
                   c.recorded_ms AS CancelledMs
              FROM transfers t
              JOIN distribution_points f ON f.id = t.from_point_id
              JOIN distribution_points d ON d.id = t.to_point_id
              LEFT JOIN transfer_cancellations c ON c.transfer_id = t.id
            """;

        public const string Find = Columns + """

             WHERE t.id = @Id AND (@Scope IS NULL OR t.authority_id = @Scope)
            """;

        public const string Lines = """
            SELECT b.booklet AS Booklet,
                   b.sent_part AS SentPart,
                   o.vouchers_per_booklet AS VouchersPerBooklet,
                   COALESCE(e.kind, CAST(0 AS bigint)) AS Kind,
                   e.day AS EndedDay
              FROM transfer_booklets b
              JOIN orders o
                ON o.first_serial = (SELECT MAX(x.first_serial) FROM orders x WHERE x.first_serial <= b.booklet)
              LEFT JOIN booklet_entries e ON e.booklet = b.booklet AND e.part = b.sent_part + 1
             WHERE b.transfer_id = @TransferId
             ORDER BY b.booklet
            """;
    }
}

/// <summary>Why booklets can't be sent, received or kept.</summary>
internal static class TransferRefusals
{
    public static readonly Refusal SamePoint = new("transfer-same-point", 409,
        "Le point de départ et celui d'arrivée sont les mêmes.", "Choisissez un autre point d'arrivée.");

    public static readonly Refusal NotTransferable = new("booklets-not-transferable", 409,
        "Des carnets de cette liste ne peuvent pas partir.",
        "Rien n'est enregistré : retirez de la liste les carnets nommés dans « booklets », chacun avec sa raison.");

    public static readonly Refusal NotInTransfer = new("booklet-not-in-transfer", 409,
        "Des carnets de cette liste ne sont pas attendus de ce transfert.",
        "Vérifiez les numéros de « bookletNumbers » : ils ne sont pas de ce transfert, ou déjà reçus.");

    public static readonly Refusal Incomplete = new("transfer-incomplete", 409, "Il manque des carnets.",
        "Recomptez ; s'ils manquent vraiment, dites pourquoi dans « explanation » : ils restent en transit.");

    public static readonly Refusal NothingLeft = new("transfer-already-received", 409,
        "Ce transfert est déjà reçu en entier.", "Il n'y a rien à confirmer : les carnets sont dans votre stock.");

    public static readonly Refusal Cancelled = new("transfer-cancelled", 409, "Ce transfert est annulé.",
        "Les carnets sont restés à leur point de départ : demandez un nouveau transfert.");

    public static readonly Refusal Begun = new("transfer-already-confirmed", 409,
        "Ce transfert est déjà confirmé, en tout ou en partie.",
        "Il ne s'annule plus : pour reprendre des carnets reçus, faites un transfert en sens inverse.");

    public static readonly Refusal NotReceiver = new("transfer-not-yours-to-confirm", 409,
        "Seul le point d'arrivée, ou la collectivité, confirme la réception.",
        "Demandez-le à ce point ; si les carnets ne sont pas partis, annulez plutôt le transfert.");

    public static readonly Refusal NotSender = new("transfer-not-yours-to-cancel", 409,
        "Seul le point de départ, ou la collectivité, annule un transfert.",
        "Si rien n'arrive, prévenez le point de départ.");

    /// <summary>Of one booklet: why it doesn't leave this point today.</summary>
    public static Refusal? WhyNot(BookletState state, string pointId) => state switch
    {
        { InTransit: > 0 } => HandOutRefusals.InTransit,
        _ when state.PointId != pointId => HandOutRefusals.OtherPoint,
        { Delivered: 0 } => NotDelivered,
        { Returned: > 0 } => HandOutRefusals.Returned,
        { Replaced: > 0 } => HandOutRefusals.Replaced,
        { IsHandedOut: true } => HandOutRefusals.AlreadyHandedOut,
        { Blocked: > 0 } => HandOutRefusals.Blocked,
        _ => null,
    };

    public static readonly Refusal NotDelivered = new("booklet-not-delivered", 409, "Ce carnet n'est pas encore livré.",
        "Attendez que la livraison de sa commande soit enregistrée.");
}
