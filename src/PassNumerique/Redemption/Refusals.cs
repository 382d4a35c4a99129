using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Sites;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>Why a pass can't be used here and now, each with what to do at the till.</summary>
internal static class Refusals
{
    /// <summary>How long a scan by the same site may be this session's own, sent again.</summary>
    private const long RetryMinutes = 180;

    public static readonly Refusal SiteUnknown = new("site-unknown", 404, "Ce lieu n'est pas l'un des vôtres.",
        "Vérifiez « siteId » : votre clé n'agit que pour ses propres lieux.");

    public static readonly Refusal NotActive = new("voucher-not-active", 409, "Ce pass n'est pas encore actif.",
        "Ne le gardez pas : la commande attend son financement. La collectivité qui l'a émis peut vous dire quand il le sera.");

    public static readonly Refusal NotHandedOut = new("voucher-not-handed-out", 409, "Ce pass n'a pas encore été remis.",
        "Appelez le point de remise inscrit sur la lettre : il enregistre la remise, puis rescannez le pass.");

    public static readonly Refusal Expired = new("voucher-expired", 409, "Ce pass n'est plus valable.",
        "Conseillez à la personne d'appeler la collectivité qui l'a remis : elle seule peut prolonger.");

    public static readonly Refusal Blocked = new("voucher-blocked", 409, "Ce pass est bloqué (perte ou vol déclaré).",
        "Ne rendez pas le service contre ce pass : la personne peut en demander le remplacement à un point de remise.");

    public static readonly Refusal Replaced = new("voucher-replaced", 409, "Ce pass a été remplacé par un autre.",
        "Demandez le nouveau pass ; celui-ci ne vaut plus rien.");

    public static readonly Refusal Returned = new("voucher-returned", 409, "Ce pass a été rendu.",
        "Il ne peut plus servir ; la personne peut demander d'autres pass à un point de remise.");

    public static readonly Refusal Spent = new("voucher-spent", 409, "Ce pass est déjà entièrement utilisé.",
        "Demandez un autre pass.");

    public static readonly Refusal SiteNotLabelled = new("site-not-labelled", 409,
        "Votre lieu n'était pas labellisé à la date du service.",
        "Vérifiez la date du service ; si elle est juste, adressez-vous à votre hub.");

    public static readonly Refusal ServiceNotCovered = new("service-not-covered", 409,
        "Ce service n'est pas pris en charge par la convention.",
        "Choisissez le service réellement rendu ; s'il n'est pas dans la liste, le pass ne peut pas le payer.");

    public static readonly Refusal OutsideTerritory = new("outside-territory", 409,
        "Votre commune n'est pas dans le territoire de ce pass.",
        "Orientez la personne vers un lieu de son territoire : la liste est sur la lettre remise avec les pass.");

    public static readonly Refusal DateOutOfRange = new("date-out-of-range", 409,
        "La date du service n'est pas acceptée.",
        "Elle est au plus aujourd'hui, et pas plus ancienne que le délai de la convention.");

    public static readonly Refusal Reserved = new("voucher-reserved-elsewhere", 409,
        "Ce pass est réservé pour une séance en cours.", "Attendez la fin de la réservation, puis rescannez-le.");

    public static readonly Refusal ReservedHere = new("voucher-reserved-here", 409,
        "Ce pass est réservé par votre propre lieu.",
        "Terminez la séance avec sa réservation, ou libérez-la, puis rescannez le pass.");

    public static readonly Refusal WorkshopUnknown = new("workshop-unknown", 404, "Atelier inconnu.",
        "Vérifiez « workshopId » : l'atelier doit être de ce lieu, ce jour-là.");

    public static readonly Refusal RecordedOffline = new("operation-recorded-offline", 409,
        "Cette opération est déjà enregistrée comme service hors ligne.",
        "Il n'y a rien à refaire : consultez « /guarantees » ou « /disputes » pour savoir ce qu'elle devient.");

    /// <summary>What a check may answer, for a person who reads the reason.</summary>
    public static readonly IReadOnlyList<Refusal> All =
    [
        NotActive, NotHandedOut, Expired, Blocked, Replaced, Returned, Spent, Reserved, ReservedHere, SiteNotLabelled,
        OutsideTerritory, SiteUnknown,
    ];

    public static Refusal CreditTooSmall(long wantedMinutes, long leftMinutes) => new Refusal(
        "credit-too-small", 409, "Il ne reste pas assez de minutes.",
        $"Il faut {French.Duration(wantedMinutes)}, il reste {French.Duration(leftMinutes)} sur ce qui est présenté : "
        + "demandez un pass de plus, ou raccourcissez la séance.")
        .With("neededMinutes", wantedMinutes).With("leftMinutes", leftMinutes);

    public static Refusal WholeOnly(long creditMinutes) => new Refusal(
        "whole-vouchers-only", 409, "Cette convention n'accepte que des pass entiers.",
        $"Indiquez un multiple de {French.Duration(creditMinutes)}, ou laissez le tarif calculer.")
        .With("creditMinutes", creditMinutes);

    /// <summary>"Spent" tells the same site when and by which operation, another site only the date.</summary>
    public static async Task<Refusal> SpentAsync(Session db, long serial) =>
        await LastUse.ReadAsync(db, serial) is { } last ? SpentBy(db, serial, last) : Spent;

    /// <inheritdoc cref="SpentAsync"/>
    public static Refusal SpentBy(Session db, long serial, LastUse last)
    {
        if (last.OrganisationId != db.Caller.OrganisationId)
        {
            return Spent.Because($"Il a été utilisé le {French.Date(last.ServiceDay)}. Demandez un autre pass.")
                .With("usedOn", last.ServiceDay.ToDate());
        }

        var minutes = last.MinutesAgo(db.NowMs);
        var ago = minutes == 0 ? "à l'instant" : $"il y a {French.Count(minutes)} minute{French.S(minutes)}";
        var retry = minutes <= RetryMinutes
            ? $"Vous l'avez vous-même enregistré {ago} "
                + $"(service du {French.Date(last.ServiceDay)}) : s'il s'agit de la même séance, il n'y a rien à refaire."
            : $"Vous l'avez vous-même enregistré pour le service du {French.Date(last.ServiceDay)}. Demandez un autre pass.";
        return Spent.Because(retry).With(
            ("usedOn", last.ServiceDay.ToDate()), ("recordedAt", Clock.InstantText(last.RecordedMs)),
            ("operationId", last.OperationId), ("redemptionId", EntryId.Pack(serial, last.Part)));
    }

    /// <summary>
    /// A site that held the pass itself gets its own reservation to end the session with; another one only
    /// learns until when, neither where nor why.
    /// </summary>
    public static async Task<Refusal> ReservedAsync(Session db, SiteCard site, long serial)
    {
        var holds = await LiveHold.ReadAsync(db, serial, serial);
        if (holds.Count == 0) return Reserved; // It has fallen away since: the next scan sees it.
        var own = holds.LastOrDefault(h => h.SiteId == site.Id);
        var untilMs = (own ?? holds[^1]).UntilMs;
        var until = French.Until(untilMs, site.Zone, db.NowMs);
        var refusal = own is null
            ? Reserved.Because($"Il l'est au plus tard jusqu'à {until} : rescannez-le ensuite, ou demandez un autre pass.")
            : ReservedHere.Because(
                $"Il l'est jusqu'à {until} : terminez la séance avec sa réservation, ou libérez-la, puis rescannez le pass.")
                .With("reservationId", own.Id);
        return refusal.With("reservedUntil", Clock.InstantText(untilMs));
    }

    /// <summary>A workshop is one of this site's.</summary>
    public static async Task<Refusal?> WorkshopAsync(Session db, RedeemVouchers.Command command, SiteCard site)
    {
        if (Ids.Normalise(command.Activity.WorkshopId) is not { } id) return null;
        var known = await db.FindAsync<string>(Sql.Workshop, new { WorkshopId = id, SiteId = site.Id });
        return known is null ? WorkshopUnknown : null;
    }

    private static class Sql
    {
        public const string Workshop = """
            SELECT id
              FROM workshops
             WHERE id = @WorkshopId AND site_id = @SiteId
            """;
    }
}
