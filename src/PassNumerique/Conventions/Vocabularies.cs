namespace PassNumerique.Conventions;

/// <summary>A closed list of codes and their French labels, in the order in which they are shown.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, string> labels;

    public IReadOnlyList<string> Codes { get; }

    public Vocabulary(params (string Code, string Label)[] entries)
    {
        Codes = [.. entries.Select(entry => entry.Code)];
        labels = entries.ToDictionary(entry => entry.Code, entry => entry.Label, StringComparer.Ordinal);
    }

    public bool Has(string code) => labels.ContainsKey(code);

    /// <summary>
    /// The French label; the code itself when it is not in the list, as in data of an older list.
    /// </summary>
    public string Label(string code) => labels.GetValueOrDefault(code, code);

    /// <summary>A list whose codes are the French values of a standard.</summary>
    public static Vocabulary OfValues(params string[] values) =>
        new([.. values.Select(value => (value, value))]);

    /// <summary>The part of a list that a rule allows, in the same order.</summary>
    public Vocabulary Without(params string[] codes) =>
        new([.. Codes.Except(codes).Select(code => (code, Label(code)))]);
}

/// <summary>
/// The closed lists of the service. Sites: national standard "lieux de médiation numérique" v1.0.2, whose
/// French values are the codes. Activities and persons: la Coop de la médiation numérique. Publics and
/// typologies: data.inclusion. PIC grounds, evidence and distribution channels are ours.
/// </summary>
internal static class Vocabularies
{
    /// <summary>Nobody asked, or nobody answered; never counted as a no.</summary>
    public const string Unknown = "unknown";

    private const string NotCommunicated = "non_communique";

    public static readonly Vocabulary Services = Vocabulary.OfValues(
        "Aide aux démarches administratives",
        "Maîtrise des outils numériques du quotidien",
        "Insertion professionnelle via le numérique",
        "Utilisation sécurisée du numérique",
        "Parentalité et éducation avec le numérique",
        "Loisirs et créations numériques",
        "Compréhension du monde numérique",
        "Accès internet et matériel informatique",
        "Acquisition de matériel informatique à prix solidaire");

    public static readonly Vocabulary ActivityKinds = new(
        ("individuel", "Accompagnement individuel"),
        ("collectif", "Atelier collectif"));

    public static readonly Vocabulary Autonomy = new(
        ("entierement_accompagne", "Entièrement accompagné"),
        ("partiellement_autonome", "Partiellement autonome"),
        ("autonome", "Autonome"));

    public static readonly Vocabulary Levels = new(
        ("debutant", "Débutant"),
        ("intermediaire", "Intermédiaire"),
        ("avance", "Avancé"));

    public static readonly Vocabulary Thematiques = new(
        ("diagnostic_numerique", "Diagnostic numérique"),
        ("prendre_en_main_du_materiel", "Prise en main du matériel"),
        ("maintenance_de_materiel", "Maintenance de matériel"),
        ("gere_ses_contenus_numeriques", "Gérer ses contenus numériques"),
        ("navigation_sur_internet", "Navigation sur internet"),
        ("email", "E-mail"),
        ("bureautique", "Bureautique"),
        ("reseaux_sociaux", "Réseaux sociaux"),
        ("sante", "Santé"),
        ("banque_et_achats_en_ligne", "Banque et achats en ligne"),
        ("entrepreneuriat", "Entrepreneuriat"),
        ("insertion_professionnelle", "Insertion professionnelle"),
        ("securite_numerique", "Sécurité numérique"),
        ("parentalite", "Parentalité"),
        ("scolarite_et_numerique", "Scolarité et numérique"),
        ("creer_avec_le_numerique", "Créer avec le numérique"),
        ("culture_numerique", "Culture numérique"),
        ("intelligence_artificielle", "Intelligence artificielle"),
        ("aide_aux_demarches_administratives", "Aide aux démarches administratives"));

    public static readonly Vocabulary Genders = new(
        ("masculin", "Masculin"),
        ("feminin", "Féminin"),
        (NotCommunicated, "Non communiqué"),
        (Unknown, "Inconnu"));

    public static readonly Vocabulary AgeBands = new(
        ("moins_de_douze", "Moins de 12 ans"),
        ("douze_dix_huit", "12 – 18 ans"),
        ("dix_huit_vingt_quatre", "18 – 24 ans"),
        ("vingt_cinq_trente_neuf", "25 – 39 ans"),
        ("quarante_cinquante_neuf", "40 – 59 ans"),
        ("soixante_soixante_neuf", "60 – 69 ans"),
        ("soixante_dix_plus", "70 ans et plus"),
        (NotCommunicated, "Non communiqué"),
        (Unknown, "Inconnu"));

    public static readonly Vocabulary SocialStatuses = new(
        ("scolarise", "Scolarisé"),
        ("sans_emploi", "Sans emploi"),
        ("en_emploi", "En emploi"),
        ("retraite", "Retraité"),
        (NotCommunicated, "Non communiqué"),
        (Unknown, "Inconnu"));

    public static readonly Vocabulary Attendance = new(
        (Unknown, "Inconnu"),
        ("seen", "Venu"),
        ("excused", "Excusé"),
        ("revoked", "Annulé"),
        ("noshow", "Absent"));

    /// <summary>Publics of a convention or a site.</summary>
    public static readonly Vocabulary TargetPublics = new(
        ("actifs", "Actifs"),
        ("beneficiaires-des-minimas-sociaux", "Bénéficiaires des minimas sociaux"),
        ("demandeurs-emploi", "Demandeurs d'emploi"),
        ("etudiants", "Étudiants"),
        ("familles", "Familles"),
        ("femmes", "Femmes"),
        ("jeunes", "Jeunes"),
        ("personnes-en-situation-de-handicap", "Personnes en situation de handicap"),
        ("personnes-en-situation-durgence", "Personnes en situation d'urgence"),
        ("personnes-en-situation-juridique-specifique", "Personnes en situation juridique spécifique"),
        ("personnes-exilees", "Personnes exilées"),
        ("residents-qpv-frr", "Résidents d'un QPV ou d'une zone FRR"),
        ("seniors", "Seniors"),
        ("tous-publics", "Tous publics"));

    /// <summary>
    /// What may be noted about a person: nothing sensitive, and a public that says something.
    /// </summary>
    public static readonly Vocabulary PersonPublics = TargetPublics.Without(
        "personnes-en-situation-de-handicap",
        "personnes-en-situation-durgence",
        "personnes-en-situation-juridique-specifique",
        "personnes-exilees",
        "tous-publics");

    public static readonly Vocabulary PicGrounds = new(
        ("early-school-leaver", "Décrocheur scolaire"),
        ("jobseeker-no-diploma", "Demandeur d'emploi sans diplôme"),
        ("jobseeker-below-bac", "Demandeur d'emploi de niveau inférieur au bac"),
        ("none", "Hors public PIC"),
        (Unknown, "Inconnu"));

    public static readonly Vocabulary Channels = new(
        ("ccas", "CCAS"),
        ("cias", "CIAS"),
        ("france-services", "France Services"),
        ("mairie", "Mairie"),
        ("la-poste", "La Poste"),
        ("caf", "CAF"),
        ("france-travail", "France Travail"),
        ("mission-locale", "Mission locale"),
        ("departement", "Département"),
        ("association", "Association"),
        ("autre", "Autre"));

    /// <summary>
    /// How a PIC ground is known; a referral names the channel: referred-by-mission-locale.
    /// </summary>
    public static readonly Vocabulary PicEvidence = new([
        ("declared", "Déclaré par la personne"),
        ("document-seen", "Justificatif vu"),
        .. Channels.Codes.Select(code => ("referred-by-" + code, "Orienté par : " + Channels.Label(code))),
        (Unknown, "Inconnu")]);

    public static readonly Vocabulary Charges = Vocabulary.OfValues(
        "Gratuit",
        "Gratuit sous condition",
        "Payant");

    public static readonly Vocabulary AddressedPublics = Vocabulary.OfValues(
        "Jeunes",
        "Étudiants",
        "Familles et/ou enfants",
        "Seniors",
        "Femmes");

    public static readonly Vocabulary SpecificCare = Vocabulary.OfValues(
        "Surdité",
        "Handicaps moteurs",
        "Handicaps mentaux",
        "Illettrisme",
        "Langues étrangères (anglais)",
        "Langues étrangères (autres)",
        "Déficience visuelle");

    public static readonly Vocabulary NationalProgrammes = Vocabulary.OfValues(
        "Aidants Connect",
        "Bibliothèques numérique de référence",
        "Certification PIX",
        "Conseillers numériques",
        "Emmaüs Connect",
        "France Services",
        "Grande école du numérique",
        "La Croix Rouge",
        "Point d'accès numérique CAF",
        "Promeneurs du net",
        "Relais numérique (Emmaüs Connect)");

    public static readonly Vocabulary TrainingLabels = Vocabulary.OfValues(
        "Formé à « Mon Espace Santé »",
        "Formé à « DUPLEX » (illettrisme)",
        "Arnia/MedNum BFC (Bourgogne-Franche-Comté)",
        "Collectif ressources et acteurs réemploi (Normandie)",
        "Étapes numériques(La Poste)",
        "Fabriques de Territoire",
        "Les Éclaireurs du numérique (Drôme)",
        "Mes Papiers (Métropole de Lyon)",
        "ORDI 3.0",
        "SUD LABS (PACA)");

    public static readonly Vocabulary AccessModes = Vocabulary.OfValues(
        "Se présenter",
        "Téléphoner",
        "Contacter par mail",
        "Prendre un RDV en ligne",
        "Ce lieu n'accueille pas de public",
        "Envoyer un mail avec une fiche de prescription");

    public static readonly Vocabulary SupportModes = Vocabulary.OfValues(
        "En autonomie",
        "Accompagnement individuel",
        "Dans un atelier collectif",
        "À distance");

    public static readonly Vocabulary Itinerance = Vocabulary.OfValues(
        "Itinérant",
        "Fixe");

    public static readonly Vocabulary Typologies = new(
        ("ACI", "Ateliers et chantiers d'insertion"),
        ("ACIPHC", "Atelier chantier d'insertion, premières heures en chantier"),
        ("AFPA", "Agence nationale pour la formation professionnelle des adultes"),
        ("AI", "Association intermédiaire"),
        ("ASE", "Aide sociale à l'enfance"),
        ("ASSO", "Association"),
        ("ASSO_CHOMEUR", "Association de chômeurs"),
        ("AVIP", "Crèche à vocation d'insertion professionnelle"),
        ("Autre", "Autre"),
        ("BIB", "Bibliothèque ou médiathèque"),
        ("CAARUD", "Centre d'accueil et de réduction des risques pour usagers de drogues"),
        ("CADA", "Centre d'accueil de demandeurs d'asile"),
        ("CAF", "Caisse d'allocations familiales"),
        ("CAP_EMPLOI", "Cap emploi"),
        ("CAVA", "Centre d'adaptation à la vie active"),
        ("CC", "Communauté de communes"),
        ("CCAS", "Centre communal d'action sociale"),
        ("CCONS", "Chambre consulaire"),
        ("CD", "Conseil départemental"),
        ("CDAS", "Centre départemental d'action sociale"),
        ("CFP", "Centre des finances publiques"),
        ("CHRS", "Centre d'hébergement et de réinsertion sociale"),
        ("CHU", "Centre d'hébergement d'urgence"),
        ("CIAS", "Centre intercommunal d'action sociale"),
        ("CIDFF", "Centre d'information sur les droits des femmes et des familles"),
        ("CITMET", "Cité des métiers"),
        ("CMP", "Centre médico-psychologique"),
        ("CMS", "Centre médico-social"),
        ("CPAM", "Caisse primaire d'assurance maladie"),
        ("CPH", "Centre provisoire d'hébergement"),
        ("CS", "Centre social"),
        ("CSAPA", "Centre de soins et de prévention en addictologie"),
        ("CSC", "Centre socioculturel"),
        ("DEETS", "Direction de l'économie, de l'emploi, du travail et des solidarités"),
        ("DEPT", "Services sociaux du conseil départemental"),
        ("DIPLP", "Délégation à la prévention et à la lutte contre la pauvreté"),
        ("EA", "Entreprise adaptée"),
        ("EATT", "Entreprise adaptée de travail temporaire"),
        ("EI", "Entreprise d'insertion"),
        ("EITI", "Entreprise d'insertion par le travail indépendant"),
        ("ENM", "Espace numérique mobile"),
        ("EPCI", "Intercommunalité"),
        ("EPI", "Espace public internet"),
        ("EPIDE", "Établissement pour l'insertion dans l'emploi"),
        ("EPN", "Espace public numérique"),
        ("ES", "Épicerie solidaire"),
        ("ESAT", "Établissement ou service d'aide par le travail"),
        ("ESS", "Entreprise de l'économie sociale et solidaire"),
        ("ETTI", "Entreprise de travail temporaire d'insertion"),
        ("EVS", "Espace de vie sociale"),
        ("FABLAB", "Fablab"),
        ("FABRIQUE", "Fabrique"),
        ("FAIS", "Fédération d'acteurs de l'insertion et de la solidarité"),
        ("FT", "France Travail"),
        ("GEIQ", "Groupement d'employeurs pour l'insertion et la qualification"),
        ("HUDA", "Hébergement d'urgence pour demandeurs d'asile"),
        ("LA_POSTE", "La Poste"),
        ("MDE", "Maison de l'emploi"),
        ("MDEF", "Maison de l'emploi et de la formation"),
        ("MDH", "Maison des habitants"),
        ("MDPH", "Maison départementale des personnes handicapées"),
        ("MDS", "Maison départementale des solidarités"),
        ("MJC", "Maison des jeunes et de la culture"),
        ("ML", "Mission locale"),
        ("MQ", "Maison de quartier"),
        ("MSA", "Mutualité sociale agricole"),
        ("MSAP", "Maison de services au public"),
        ("MUNI", "Municipalité"),
        ("OACAS", "Organisme d'accueil communautaire et d'activités solidaires"),
        ("ODC", "Organisme délégataire d'un conseil départemental"),
        ("OF", "Organisme de formation"),
        ("OIL", "Opérateur d'intermédiation locative"),
        ("OPCS", "Organisme porteur de la clause sociale"),
        ("PAD", "Point d'accès au droit"),
        ("PENSION", "Pension de famille ou résidence accueil"),
        ("PI", "Point d'information"),
        ("PIJ_BIJ", "Point ou bureau information jeunesse"),
        ("PIMMS", "Point information médiation multi-services"),
        ("PJJ", "Protection judiciaire de la jeunesse"),
        ("PLIE", "Plan local pour l'insertion et l'emploi"),
        ("PREF", "Préfecture ou sous-préfecture"),
        ("PREVENTION", "Service ou club de prévention"),
        ("REG", "Région"),
        ("RELAIS_LECTURE", "Relais lecture"),
        ("RESSOURCERIE", "Ressourcerie"),
        ("RFS", "Réseau France Services"),
        ("RS_FJT", "Résidence sociale ou foyer de jeunes travailleurs"),
        ("SCP", "Service ou club de prévention spécialisée"),
        ("SPIP", "Service pénitentiaire d'insertion et de probation"),
        ("TIERS_LIEUX", "Tiers-lieu"),
        ("UDAF", "Union départementale des associations familiales"));

    /// <summary>Whether the answer tells nothing, asked or not.</summary>
    public static bool IsUnknown(string? code) => code is null or Unknown or NotCommunicated;
}
