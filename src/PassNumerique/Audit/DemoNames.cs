using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Audit;

/// <summary>
/// Invented names for the demonstration: they read as French, and none is the name of a commune, a
/// département or an EPCI, so nobody mistakes a demonstration for a real convention. The same number always
/// gives the same name, and no function repeats itself below <see cref="Distinct"/>.
/// </summary>
internal static class DemoNames
{
    /// <summary>How many different names every function gives at least.</summary>
    public const long Distinct = 5_000;

    // Prime, and no divisor of a list's length.
    private const int Stride = 31;

    private const long SirensInRange = 10_000;
    private const long EstablishmentsOfSiren = 9_999;

    private static readonly string[] Towns =
    [
        "Ambreline", "Arbrelune", "Bellécume", "Brindezac", "Brumeval", "Cendrelieu", "Chantevesque",
        "Clairvesque", "Coquerive", "Dormevigne", "Doucemare", "Dragemont", "Écharlanne", "Églantane",
        "Épinandelle", "Falgarive", "Feuillebrune", "Fontarielle", "Gardelune", "Gourdemiel", "Grivelande",
        "Hauterelle", "Houlemarche", "Isembrune", "Ivoiresse", "Jarnevent", "Jolimarche", "Kervaline",
        "Lavandole", "Lierrelande", "Lunarelle", "Marjelune", "Mirandole", "Mousserive", "Nivarelle",
        "Noirvesque", "Nuageac", "Ombrezac", "Orageval", "Orcelune", "Papillonges", "Pierrelune",
        "Pontarlune", "Quatrebrise", "Quincelande", "Ramelune", "Rochelune", "Roselande", "Sablonnac",
        "Saint-Aubert", "Saint-Brumin", "Saint-Cosmelin", "Saint-Galurin", "Saint-Lumard", "Saint-Pixel",
        "Saint-Vesper", "Sainte-Clarelle", "Sainte-Orlane", "Sauvebrume", "Souriceau", "Tardebrise",
        "Tintenelle", "Tournebrume", "Ulmelande", "Valbrisane", "Ventadelle", "Vertelune", "Vieuxclair",
        "Virevolte", "Yvrelande", "Zéphirac", "Zigonnac"
    ];

    private static readonly string[] Rivers =
    [
        "Ambrine", "Aubrelle", "Brivelle", "Brumaire", "Clarence-Vive", "Cressonelle", "Doucine", "Écumelle",
        "Farandole", "Galandine", "Glissande", "Irisante", "Jasmelle", "Limpide", "Lurande", "Mirlaine",
        "Moirelle", "Nacrée", "Ondine", "Orvesque", "Perlaine", "Rivelune", "Ruisselle", "Sorandelle",
        "Tarselle", "Tintaine", "Valsonne", "Vertoline", "Vesque", "Zébrine"
    ];

    private static readonly string[] Endings =
    [
        .. Rivers.Select(river => "-sur-" + river),
        "-les-Moulins", "-le-Vieux", "-la-Forêt", "-les-Bruyères", "-le-Pont", "-les-Tilleuls", "-aux-Loups",
        "-les-Étangs", "-le-Haut", "-le-Bas", "-la-Garenne", "-sous-Bois", "-les-Vignes", "-la-Tour",
        "-le-Château", "-les-Prés", "-l'Abbaye", "-la-Neuve", "-aux-Bois", "-les-Ormes", "-le-Grand",
        "-le-Petit", "-les-Roches", "-la-Source", "-les-Bains", "-le-Sec", "-les-Cerises", "-la-Montagne",
        "-les-Hirondelles", "-le-Puits", "-les-Fougères", "-la-Chapelle", "-aux-Cigales", "-le-Franc",
        "-les-Genêts", "-le-Lac", "-la-Rivière", "-les-Noyers", "-le-Marché", "-en-Brumelois",
        "-en-Vesquois", "-en-Ambrinois"
    ];

    private static readonly string[] Landscapes =
    [
        "du Val", "du Pays", "du Plateau", "de la Vallée", "des Portes", "des Collines", "des Coteaux",
        "du Bocage", "des Rives", "des Monts", "du Causse", "des Sources"
    ];

    private static readonly string[] Authorities =
    [
        "Communauté de communes", "Communauté d'agglomération", "Syndicat mixte", "Ville", "Commune",
        "Département"
    ];

    private static readonly string[] Hubs =
    [
        "Hub La Passerelle", "Hub La Boussole", "Hub Les Sentiers", "Hub Le Relais", "Hub La Lanterne",
        "Hub L'Écluse"
    ];

    private static readonly string[] StructureKinds =
    [
        "Association", "Tiers-lieu", "Coopérative", "Espace public numérique", "Fabrique", "Atelier",
        "Centre social", "Maison de quartier"
    ];

    private static readonly string[] Halves =
    [
        "Clic", "Lien", "Pixel", "Compagnie", "Octet", "Tartine", "Clavier", "Grenadine", "Bouton", "Ficelle",
        "Curseur", "Caravane", "Onglet", "Trampoline", "Signal", "Boussole", "Écran", "Marelle", "Pelote"
    ];

    private static readonly string[] Creatures =
    [
        "Souris", "Puce", "Toile", "Bobine", "Fourmi", "Cigale", "Loutre", "Mésange", "Abeille", "Tortue",
        "Girouette", "Étincelle", "Luciole", "Coccinelle", "Baleine", "Chouette", "Grenouille", "Libellule"
    ];

    private static readonly string[] Colours =
    [
        "Verte", "Bleue", "Connectée", "Curieuse", "Vagabonde", "Orange", "Filante", "Solidaire", "Dorée",
        "Bavarde", "Rêveuse", "Joyeuse", "Patiente", "Agile", "Lumineuse", "Malicieuse",
        "Voyageuse", "Complice"
    ];

    private static readonly string[] SiteKinds =
    [
        "Médiathèque", "Espace public numérique", "Tiers-lieu", "Maison du numérique", "Atelier numérique",
        "Centre social", "Bibliothèque", "Fabrique numérique"
    ];

    /// <summary>A town: Brumeval-les-Moulins.</summary>
    public static string City(long n)
    {
        var (town, ending) = Pair(n, Towns.Length, Endings.Length);
        return Towns[town] + Endings[ending];
    }

    /// <summary>
    /// A collectivité: Communauté de communes du Val d'Ambreline, Département de Haute-Vesque.
    /// </summary>
    public static string Authority(long n)
    {
        var (kind, rank) = Kind(n, Authorities.Length);
        return Authorities[kind] + " " + kind switch
        {
            3 or 4 => Of(City(Apart(kind, rank))),
            5 => Of(Departement(rank)),
            _ => Landscape(Apart(kind, rank))
        };
    }

    /// <summary>A regional head of network: Hub La Passerelle du Val d'Ambreline.</summary>
    public static string Hub(long n)
    {
        var (kind, rank) = Kind(n, Hubs.Length);
        return Hubs[kind] + " " + Landscape(Apart(kind, rank));
    }

    /// <summary>
    /// An organisation that has sites: Association Clic &amp; Lien, Tiers-lieu La Souris Verte.
    /// </summary>
    public static string Structure(long n)
    {
        var (kind, rank) = Kind(n, StructureKinds.Length);
        var brand = Apart(kind, rank / 2);
        if ((rank + kind) % 2 == 0)
        {
            var (left, right) = Pair(brand, Halves.Length, Halves.Length - 1);
            return $"{StructureKinds[kind]} {Halves[left]} & {Halves[(left + 1 + right) % Halves.Length]}";
        }
        var (creature, colour) = Pair(brand, Creatures.Length, Colours.Length);
        var article = IsVowel(Creatures[creature]) ? "L'" : "La ";
        return $"{StructureKinds[kind]} {article}{Creatures[creature]} {Colours[colour]}";
    }

    /// <summary>
    /// A labelled site, in the town of the same number: Médiathèque de Brumeval-les-Moulins.
    /// </summary>
    public static string Site(long n) => SiteKinds[Kind(n, SiteKinds.Length).Kind] + " " + Of(City(n));

    /// <summary>
    /// A distribution point, in the town of the same number: CCAS de Saint-Aubert-les-Moulins. The channel is
    /// a code of <see cref="Vocabularies.Channels"/>.
    /// </summary>
    public static string Point(long n, string channel)
    {
        var desk = channel switch
        {
            "ccas" or "cias" or "france-services" or "mairie" or "mission-locale" =>
                Vocabularies.Channels.Label(channel),
            "la-poste" => "Bureau de poste",
            "caf" => "Accueil de la CAF",
            "france-travail" => "Agence France Travail",
            "departement" => "Maison des solidarités",
            "association" => "Association d'entraide",
            _ => "Guichet"
        };
        return desk + " " + Of(City(n));
    }

    /// <summary>
    /// A SIRET with valid keys, of a SIREN that begins with 9999. Every number has its own SIREN below
    /// 10,000, and its own SIRET below 99 million.
    /// </summary>
    public static string Siret(long n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        var (establishment, company) = Math.DivRem(n, SirensInRange);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(establishment, EstablishmentsOfSiren);
        var siren = $"9999{company:D4}";
        siren += Identifiers.LuhnKey(siren);
        var siret = $"{siren}{establishment + 1:D4}";
        return siret + Identifiers.LuhnKey(siret);
    }

    private static string Landscape(long n)
    {
        var (landscape, town) = Pair(n, Landscapes.Length, Towns.Length);
        return Landscapes[landscape] + " " + Of(Towns[town]);
    }

    private static string Departement(long n)
    {
        if (n < 2 * Rivers.Length)
            return (n % 2 == 0 ? "Haute-" : "Basse-") + Rivers[n / 2];
        var (left, right) = Pair(n - 2 * Rivers.Length, Rivers.Length, Rivers.Length - 1);
        return $"{Rivers[left]}-et-{Rivers[(left + 1 + right) % Rivers.Length]}";
    }

    // Every pair once before any comes again, with neighbours that differ in both places.
    private static (int First, int Second) Pair(long n, int firsts, int seconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        var first = n % firsts;
        return ((int)first, (int)((n / firsts + first * Stride) % seconds));
    }

    private static (int Kind, long Rank) Kind(long n, int kinds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        return ((int)(n % kinds), n / kinds);
    }

    // Neighbours in a list are of different kinds: each kind begins elsewhere, so that they don't share a name.
    private static long Apart(int kind, long rank) => rank + kind * Distinct / Stride;

    private static string Of(string name) => (IsVowel(name) ? "d'" : "de ") + name;

    private static bool IsVowel(string name) =>
        FrenchOrder.Fold(name)[0] is 'a' or 'e' or 'i' or 'o' or 'u' or 'y';
}
