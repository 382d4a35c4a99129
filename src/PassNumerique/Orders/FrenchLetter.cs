using PassNumerique.Platform;
using PassNumerique.Sites;

namespace PassNumerique.Orders;

/// <inheritdoc/>
internal sealed class FrenchLetter : LetterText
{
    private static readonly string[] Days = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];

    public override string Code => "fr";

    public override string Title => "Vos pass numériques";

    public override string Where => "Où utiliser vos pass ?";

    public override string Nowhere =>
        "Demandez la liste des lieux à la personne qui vous a donné ce carnet.";

    public override string ServicesLabel => "On vous aide pour :";

    public override string TelephoneLabel => "Téléphone :";

    protected override string HoursLabel => "Horaires :";

    protected override string AlwaysOpen => "Ouvert tous les jours, à toute heure.";

    protected override string ClosedOnHolidays => "Fermé les jours fériés.";

    protected override string ClosedInSchoolHolidays => "Fermé pendant les vacances scolaires.";

    protected override string Colon => " : ";

    public override string BookletName(long booklet) => $"Carnet n° {booklet}";

    public override IReadOnlyList<LetterSection> Sections(LetterFacts facts) =>
    [
        new("Un pass numérique, c'est quoi ?", Plain(
            facts.Passes == 1 ? "Il y a 1 pass dans ce carnet." : $"Il y a {facts.Passes} pass dans ce carnet.",
            $"Un pass donne droit à {Time(facts.MinutesPerPass)} d'aide ou de cours.",
            facts.Passes == 1 ? null : $"En tout, vous avez {Time(facts.Minutes)}.",
            "On vous aide avec l'ordinateur, le téléphone et internet.")),
        new("Jusqu'à quand ?", Plain(
            $"Utilisez vos pass jusqu'au {French.Date(facts.ValidUntilDay)} inclus.",
            "Après ce jour, ils ne sont plus valables.")),
        new("Comment faire ?", Steps(
            "Choisissez un lieu dans la liste, page suivante.",
            "Téléphonez, ou allez sur place, et prenez rendez-vous.",
            "Venez avec votre carnet.",
            "Donnez vos pass à la personne qui vous aide.")),
        new("Combien ça coûte ?", Plain(Price(facts))),
        new("Vous avez perdu vos pass ?", Plain(
            "Gardez cette lettre.",
            $"Votre carnet a le n° {facts.Booklet}.",
            facts.Telephone is { } phone
                ? $"Appelez vite le {Telephone(phone)}."
                : $"Prévenez vite : {facts.PointName}, {facts.PointAddress}.",
            "Donnez le numéro du carnet.")),
        new("Votre rendez-vous", Blanks("Date :", "Heure :", "Lieu :")),
    ];

    public override string Nearness(SiteDistance distance, string placeName) => distance switch
    {
        SiteDistance.SameCommune => $"Dans la commune : {placeName}",
        SiteDistance.SameGroup => $"Tout près : {placeName}",
        _ => $"Plus loin : {placeName}",
    };

    public override string More(long sites) => sites == 1
        ? "Il y a encore 1 autre lieu. Demandez la liste complète."
        : $"Il y a encore {sites} autres lieux. Demandez la liste complète.";

    public override string Service(string service) => service;

    protected override string DaysName(int first, int last) => (last - first) switch
    {
        0 => Days[first],
        1 => $"{Days[first]} et {Days[last]}",
        6 => "tous les jours",
        _ => $"du {Days[first]} au {Days[last]}",
    };

    protected override string Span(OpenSpan span) => span.UntilMinute is { } until
        ? $"de {Hour(span.FromMinute)} à {Hour(until)}"
        : $"à partir de {Hour(span.FromMinute)}";

    protected override string Joined(IReadOnlyList<string> parts) => Joined(parts, " et ");

    private static string?[] Price(LetterFacts facts) =>
    [
        facts.OwnShareCents is { } cents
            ? $"Vous payez {French.Euros(cents)} pour chaque pass utilisé. Vous payez sur place."
            : "C'est gratuit. Vous ne payez rien.",
        "On ne rend pas la monnaie.",
        "Un pass ne s'échange pas contre de l'argent.",
        facts.WholeVouchersOnly
            ? "Un pass commencé est un pass utilisé en entier."
            : "S'il reste du temps sur un pass, on vous donne un papier qui le dit.",
    ];

    /// <summary>Hours, and minutes where they are less than one hour.</summary>
    private static string Time(long minutes)
    {
        if (minutes < 60) return $"{minutes} minute{French.S(minutes)}";
        var hours = $"{minutes / 60} heure{French.S(minutes / 60)}";
        return minutes % 60 == 0 ? hours : $"{hours} {minutes % 60}";
    }

    private static string Hour(int minute) => minute switch
    {
        1_440 => "minuit",
        _ when minute % 60 == 0 => $"{minute / 60}\u00A0h",
        _ => $"{minute / 60}\u00A0h\u00A0{minute % 60:00}",
    };
}
