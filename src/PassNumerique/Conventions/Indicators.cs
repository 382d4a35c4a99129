namespace PassNumerique.Conventions;

/// <summary>
/// The indicators an objective may name: those of the report of a convention, each with the unit of its
/// target, so that objective and result stand beside each other. Numbers in the comments are those of the
/// list the reports follow.
/// </summary>
internal static class Indicators
{
    public const string BasisPoints = "basis-points";
    public const string Count = "count";
    public const string Hundredths = "hundredths";
    public const string Days = "days";
    public const string Hours = "hours";
    public const string Minutes = "minutes";
    public const string Cents = "cents";

    private static readonly (string Code, string Label, string Unit)[] All =
    [
        ("distribution-rate", "Taux de distribution : remis / activés", BasisPoints), // 1
        ("use-rate-0", "Taux d'utilisation 0 : utilisés / commandés", BasisPoints), // 2
        ("use-rate-a", "Taux d'utilisation A : utilisés / activés", BasisPoints),
        ("use-rate-b", "Taux d'utilisation B : utilisés / remis", BasisPoints),
        ("start-rate", "Carnets entamés / remis", BasisPoints), // 3
        ("completion-rate", "Carnets terminés / entamés", BasisPoints), // 4
        ("passes-per-person", "Pass par personne, en centièmes", Hundredths), // 5
        ("days-to-first-use", "Jours de la remise à la première utilisation (médiane)", Days), // 6
        ("first-use-within-30-days", "Premières utilisations sous 30 jours", BasisPoints),
        ("stock-age", "Âge du stock des points de remise (médiane)", Days), // 7
        ("pic-share-allocated", "Part du public PIC dans les carnets attribués", BasisPoints), // 8
        ("pic-share-handed-out", "Part du public PIC dans les remises", BasisPoints),
        ("pic-share-redeemed", "Part du public PIC dans les utilisations", BasisPoints),
        ("pic-share-hours", "Part du public PIC dans les heures", BasisPoints),
        ("target-reach", "Personnes cibles touchées / population cible", BasisPoints), // 9
        ("new-public-rate", "Part de nouveau public", BasisPoints), // 10
        ("persons", "Personnes bénéficiaires", Count), // 11
        ("women-share", "Part des femmes", BasisPoints),
        ("person-hours", "Heures-personnes délivrées", Hours), // 12
        ("workshop-hours", "Heures d'atelier délivrées", Hours),
        ("hours-delivered", "Heures d'accompagnement délivrées", Hours),
        ("minutes-debited", "Minutes débitées", Minutes),
        ("collective-share", "Part des heures en atelier collectif", BasisPoints),
        ("no-show-rate", "Taux d'absence", BasisPoints), // 13
        ("labelled-sites", "Lieux labellisés", Count), // 14
        ("active-sites", "Lieux actifs (une utilisation en 90 jours)", Count),
        ("communes-without-active-site", "Communes sans lieu actif", Count),
        ("top-3-share", "Part des trois premiers lieux", BasisPoints),
        ("payment-delay", "Délai de paiement des lieux (médiane)", Days), // 15
        ("score-gain", "Gain de score sur évaluations appariées", BasisPoints), // 16
        ("autonomy-shift", "Progression d'autonomie", BasisPoints), // 17
        ("satisfaction", "Satisfaction", BasisPoints), // 18
        ("cost-per-hour", "Coût complet par heure délivrée", Cents), // 19
        ("public-money-to-sites", "Part de l'argent public parvenue aux lieux", BasisPoints), // 20
        ("funds-received", "Fonds reçus", Cents), // 21
        ("value-redeemed", "Valeur utilisée", Cents),
        ("lead-time-to-order", "Délai de la signature à la commande", Days), // 22
        ("lead-time-to-first-hand-out", "Délai de la signature à la première remise", Days),
        ("lead-time-to-first-hour", "Délai de la signature à la première heure", Days),
        ("unknown-share", "Part d'inconnu (PIC, publics)", BasisPoints), // 23
        ("prescribers-trained", "Prescripteurs formés", Count), // 24
        ("instrument-cost", "Coût de l'instrument lui-même", Cents), // 25
    ];

    public static readonly Vocabulary Vocabulary = new([.. All.Select(i => (i.Code, i.Label))]);

    /// <summary>What the target of an objective is counted in.</summary>
    public static string Unit(string code) => All.Single(i => i.Code == code).Unit;
}
