using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.HandOut;

/// <summary>
/// A booklet as its facts stand, read to explain a refusal. <paramref name="PointId"/> is where it lies: where the last
/// transfer brought it, else where its lot was sent; the sender, while it is on its way.
/// </summary>
internal sealed record BookletState(
    long GivenPart, long GivenDay, long Returned, long Replaced, long Activated, long Delivered, long Blocked, long UntilDay,
    string PointId, long InTransit)
{
    public bool IsHandedOut => GivenPart > 0;

    public static async Task<BookletState> ReadAsync(Session db, OrderCard order, long booklet) =>
        await db.FindAsync<BookletState>(Sql.State, new
        {
            Booklet = booklet,
            LastSerial = booklet + order.VouchersPerBooklet - 1,
            OrderId = order.Id,
            OrderSerial = order.FirstSerial,
            order.ValidUntilDay,
        }) ?? throw new InvalidOperationException($"Booklet {booklet} is in no lot.");

    /// <summary>Why it can't be handed out by this point today; null when nothing stands against it.</summary>
    public Refusal? WhyNot(string pointId, long day, long today) => this switch
    {
        { InTransit: > 0 } => HandOutRefusals.InTransit,
        _ when PointId != pointId => HandOutRefusals.OtherPoint,
        { Activated: 0 } => HandOutRefusals.NotActive,
        { Returned: > 0 } => HandOutRefusals.Returned,
        { Replaced: > 0 } => HandOutRefusals.Replaced,
        { IsHandedOut: true } => HandOutRefusals.AlreadyHandedOut
            .Because($"Il a été remis le {French.Date(GivenDay)}. Prenez un autre carnet, ou annulez cette remise.")
            .With("handedOutOn", GivenDay.ToDate()),
        { Blocked: > 0 } => HandOutRefusals.Blocked,
        _ when day > UntilDay || today > UntilDay + HandOutRefusals.LateEntryDays => HandOutRefusals.Expired
            .With("validUntil", UntilDay.ToDate()),
        _ => null,
    };

    private static class Sql
    {
        public const string State = """
            SELECT COALESCE((SELECT MAX(b.part) FROM booklet_entries b
                              WHERE b.booklet = @Booklet AND b.kind = 1
                                AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                                 WHERE u.booklet = b.booklet AND u.kind = 2 AND u.part > b.part)),
                            CAST(0 AS bigint)) AS GivenPart,
                   COALESCE((SELECT MAX(b.day) FROM booklet_entries b
                              WHERE b.booklet = @Booklet AND b.kind = 1
                                AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                                 WHERE u.booklet = b.booklet AND u.kind = 2 AND u.part > b.part)),
                            CAST(0 AS bigint)) AS GivenDay,
                   (SELECT CAST(COUNT(*) AS bigint) FROM booklet_entries r
                     WHERE r.booklet = @Booklet AND r.kind = 3) AS Returned,
                   (SELECT CAST(COUNT(*) AS bigint) FROM booklet_entries p
                     WHERE p.booklet = @Booklet AND p.kind = 8) AS Replaced,
                   (SELECT CAST(COUNT(*) AS bigint) FROM order_steps s
                     WHERE s.order_id = @OrderId AND s.slot = 6) AS Activated,
                   (SELECT CAST(COUNT(*) AS bigint) FROM order_steps d
                     WHERE d.order_id = @OrderId AND d.slot = 5) AS Delivered,
                   (SELECT CAST(COUNT(*) AS bigint) FROM blocks k
                     WHERE k.order_serial = @OrderSerial AND k.first_serial <= @LastSerial AND k.last_serial >= @Booklet
                       AND NOT EXISTS (SELECT 1 FROM block_lifts x WHERE x.block_id = k.id)) AS Blocked,
                   COALESCE((SELECT MAX(x.valid_until_day) FROM order_extensions x WHERE x.order_id = @OrderId),
                            @ValidUntilDay) AS UntilDay,
                   COALESCE(m.point_id, l.point_id) AS PointId,
                   CAST(CASE WHEN m.kind = 5 THEN 1 ELSE 0 END AS bigint) AS InTransit
              FROM lots l
              LEFT JOIN booklet_entries m
                ON m.booklet = @Booklet
               AND m.part = (SELECT MAX(y.part) FROM booklet_entries y
                              WHERE y.booklet = @Booklet AND y.kind IN (5, 6, 7))
             WHERE l.order_id = @OrderId AND l.first_serial <= @Booklet AND l.last_serial >= @Booklet
            """;
    }
}

/// <summary>Why a booklet can't be handed out, given back or corrected.</summary>
internal static class HandOutRefusals
{
    /// <summary>How long after the end date a hand-out that was made in time may still be typed in.</summary>
    public const long LateEntryDays = 7;

    public static readonly Refusal UnknownBooklet = new("booklet-unknown", 404, "Carnet inconnu.",
        "Vérifiez le numéro sur le talon : c'est le numéro du premier pass du carnet.");

    public static readonly Refusal UnknownPoint = new("point-unknown", 404, "Ce point de remise n'est pas le vôtre.",
        "Vérifiez « distributionPointId ».");

    public static readonly Refusal UnknownSite = new("site-unknown", 404, "Ce lieu de médiation n'existe pas.",
        "Choisissez un lieu de la liste.");

    public static readonly Refusal OtherPoint = new("booklet-of-another-point", 409, "Ce carnet est du stock d'un autre point.",
        "Vérifiez le numéro ; si vous avez bien ce carnet en main, demandez son transfert à la collectivité.");

    public static readonly Refusal NotActive = new("booklet-not-active", 409, "Ce carnet n'est pas encore actif.",
        "Attendez que la commande soit activée : la personne ne pourrait pas s'en servir.");

    public static readonly Refusal Returned = new("booklet-returned", 409, "Ce carnet a été rendu.",
        "Il ne peut plus être remis : prenez-en un autre et mettez celui-ci au rebut.");

    public static readonly Refusal Replaced = new("booklet-replaced", 409, "Ce carnet a été remplacé par un autre.",
        "Ses pass ne valent plus rien : mettez-le au rebut. La personne a reçu un nouveau carnet.");

    public static readonly Refusal InTransit = new("booklet-in-transit", 409, "Ce carnet est en cours de transfert.",
        "Confirmez d'abord sa réception, à la page des transferts ; s'il n'est jamais parti, l'expéditeur annule le transfert.");

    public static readonly Refusal IsReplacement = new("booklet-is-replacement", 409,
        "Ce carnet en remplace un autre : sa remise ne s'annule pas.",
        "S'il n'a pas été donné, enregistrez son retour ; une nouvelle perte se déclare par un remplacement.");

    public static readonly Refusal AlreadyHandedOut = new("booklet-already-handed-out", 409, "Ce carnet est déjà remis.",
        "Prenez un autre carnet, ou annulez la remise précédente.");

    public static readonly Refusal Blocked = new("booklet-blocked", 409, "Ce carnet est bloqué (perte ou vol déclaré).",
        "Ne le remettez pas ; prévenez la collectivité s'il est retrouvé.");

    public static readonly Refusal Reserved = new("booklet-reserved", 409,
        "Un pass de ce carnet est réservé pour une séance en cours.",
        "Recommencez après la séance : « reservedUntil » dit quand la réservation tombe d'elle-même, au plus tard.");

    public static readonly Refusal Expired = new("booklet-expired", 409, "La date de fin de ce carnet est passée.",
        "Il ne peut plus être remis : rendez-le à la collectivité.");

    public static readonly Refusal DateOutOfRange = new("date-out-of-range", 409, "La date de remise n'est pas acceptée.",
        "Elle est au plus aujourd'hui, et au plus soixante jours plus tôt.");

    public static readonly Refusal NotHandedOut = new("hand-out-not-current", 409, "Cette remise n'a plus cours.",
        "Elle a déjà été annulée ou le carnet rendu : rechargez la page.");

    public static readonly Refusal Used = new("hand-out-used", 409, "Des pass de ce carnet ont déjà servi.",
        "La remise ne peut plus être annulée ; corrigez plutôt ses informations.");

    /// <summary>
    /// Asked by a command after it has taken the next part of each open pass of a booklet: a hold that came
    /// before is seen here and refuses the command, one that comes after sees what the command did.
    /// </summary>
    public static async Task<Refusal?> ReservedAsync(Session db, OrderCard order, long booklet, CancellationToken ct)
    {
        var holds = await LiveHold.ReadAsync(db, booklet, booklet + order.VouchersPerBooklet - 1, ct);
        return holds.Count == 0
            ? null
            : Reserved.With("serial", holds[^1].Serial).With("reservedUntil", Clock.InstantText(holds[^1].UntilMs));
    }
}
