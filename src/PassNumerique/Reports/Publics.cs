using PassNumerique.Conventions;

namespace PassNumerique.Reports;

/// <summary>
/// Whom the passes reached: persons, the PIC public at four points, new visitors, the breakdowns. Nobody's
/// silence is a no: every table has its unknowns.
/// </summary>
internal static class Publics
{
    public static PersonCounts Persons(PassTally tally)
    {
        var given = tally.Booklets.Where(b => b.IsHandedOut && (b.IssuedPasses > 0 || !b.IsAnonymous)).ToList();
        var total = Funnel.Persons(given);
        var anonymous = given.LongCount(b => b.IsAnonymous);
        return new(total, total - anonymous, anonymous, given.LongCount(b => b.IsUnrecorded),
            Ratio.Share("anonymous-share", "Part anonyme", anonymous, total,
                "Carnets anonymes ou sans remise saisie ÷ personnes ; chacun de ces carnets compte pour une personne."));
    }

    public static PicTable Pic(PassTally tally, Terms terms)
    {
        var given = tally.Booklets.Where(b => b.IsHandedOut).ToList();
        return new(terms.PicQuotaBasisPoints, terms.PicQuotaBase,
        [
            Line("allocated", "Attribués", "passes", Allocated(tally), terms),
            Line("handed-out", "Remis", "passes", ByPic(given, b => b.IssuedPasses), terms),
            Line("redeemed", "Utilisés", "passes", ByPic(tally.Booklets, b => b.RedeemedPasses), terms),
            Line("hours", "Heures délivrées", "minutes", ByPic(tally.Booklets, b => b.DeliveredMinutes), terms),
        ]);
    }

    public static NewPublic NewPublic(PassTally tally)
    {
        var answers = tally.Booklets.Where(b => b.FirstUse is not null && b.IssuedPasses > 0)
            .Select(b => b.FirstUse!.FirstVisit).ToList();
        var (yes, no) = (answers.LongCount(a => a == "yes"), answers.LongCount(a => a == "no"));
        return new(yes, no, answers.Count - yes - no, Ratio.Share("new-public-rate", "Part de nouveaux publics", yes,
            yes + no, "« Première visite ici : oui » ÷ réponses connues, à la première utilisation de chaque carnet."));
    }

    public static IReadOnlyList<Breakdown> Breakdowns(PassTally tally, IReadOnlyDictionary<string, PointRow> points) =>
    [
        By("age-band", "Tranche d'âge", tally, b => [b.Profile.AgeBand], Vocabularies.AgeBands),
        By("gender", "Genre", tally, b => [b.Profile.Gender], Vocabularies.Genders),
        By("channel", "Canal de remise", tally, b => [b.Profile.Channel ?? ChannelOf(b, points)], Vocabularies.Channels),
        By("commune", "Commune de résidence", tally, b => [b.Profile.Commune], null),
        By("public", "Public (plusieurs réponses possibles)", tally,
            b => b.Profile.Publics.Count == 0 ? [Vocabularies.Unknown] : b.Profile.Publics, Vocabularies.TargetPublics),
    ];

    public static IReadOnlyList<Ratio> Unknowns(PassTally tally)
    {
        var given = tally.Booklets.Where(b => b.IsHandedOut && b.IssuedPasses > 0).ToList();
        var used = given.Where(b => b.FirstUse is not null).ToList();
        return
        [
            Unknown("unknown-pic", "Public PIC inconnu", given, b => PicOf(b.Profile.PicGround) is null),
            Unknown("unknown-age-band", "Tranche d'âge inconnue", given, b => Vocabularies.IsUnknown(b.Profile.AgeBand)),
            Unknown("unknown-gender", "Genre inconnu", given, b => Vocabularies.IsUnknown(b.Profile.Gender)),
            Unknown("unknown-commune", "Commune inconnue", given, b => Vocabularies.IsUnknown(b.Profile.Commune)),
            Unknown("unknown-public", "Public inconnu", given, b => b.Profile.Publics.Count == 0),
            Unknown("unknown-first-visit", "Première visite inconnue", used,
                b => b.FirstUse!.FirstVisit is not ("yes" or "no")),
        ];
    }

    /// <summary>Distinct persons of a target public ÷ the population that the convention states.</summary>
    public static IReadOnlyList<Ratio> TargetReach(PassTally tally, Terms terms) =>
    [
        .. terms.TargetPopulations
            .OrderBy(p => p.Public, StringComparer.Ordinal).ThenBy(p => p.Territory, StringComparer.Ordinal)
            .ThenBy(p => p.Date).ThenBy(p => p.Source, StringComparer.Ordinal)
            .Select(p => Ratio.Share("target-reach",
                $"{Vocabularies.TargetPublics.Label(p.Public)}, {TerritoryName(p.Territory)}",
                Funnel.Persons(tally.Booklets.Where(b => b.IsHandedOut && IsOf(b, p))), p.Persons,
                $"Personnes distinctes de ce public ÷ population cible ({p.Source})."))
    ];

    /// <summary>True, false, or null where nobody said.</summary>
    public static bool? PicOf(string? ground) =>
        ground == "none" ? false : Vocabularies.IsUnknown(ground) || !Vocabularies.PicGrounds.Has(ground!) ? null : true;

    private static bool IsOf(Booklet booklet, TargetPopulation population) =>
        (population.Public == "tous-publics" || booklet.Profile.Publics.Contains(population.Public, StringComparer.Ordinal))
        && booklet.Profile.Commune is { } commune && Territories.Contains([population.Territory], commune);

    private static (long Yes, long No, long Unknown) Allocated(PassTally tally)
    {
        var (yes, no, unknown) = (0L, 0L, 0L);
        foreach (var order in tally.Orders)
        {
            foreach (var lot in order.Lots)
            {
                yes += (lot.PicBooklets ?? 0) * order.Row.VouchersPerBooklet;
                var rest = (lot.BookletCount - (lot.PicBooklets ?? 0)) * order.Row.VouchersPerBooklet;
                if (lot.PicBooklets is null) unknown += rest;
                else no += rest;
            }
        }

        return (yes, no, unknown);
    }

    private static (long Yes, long No, long Unknown) ByPic(IEnumerable<Booklet> booklets, Func<Booklet, long> amount)
    {
        var sums = booklets.ToLookup(b => PicOf(b.Profile.PicGround), amount);
        return (sums[true].Sum(), sums[false].Sum(), sums[null].Sum());
    }

    private static PicLine Line(string code, string label, string unit, (long Yes, long No, long Unknown) n, Terms terms)
    {
        var (all, known) = (n.Yes + n.No + n.Unknown, n.Yes + n.No);
        var share = Ratio.Share("pic-share-" + code, "Part du public PIC : " + label, n.Yes, all,
            $"Public PIC établi ÷ total, en {unit} ; l'inconnu reste au dénominateur.");
        var ofKnown = Ratio.Share("pic-share-of-known-" + code, "Part du public PIC parmi les réponses : " + label,
            n.Yes, known, $"Public PIC établi ÷ réponses connues, en {unit}.");
        var isBase = terms.PicQuotaBase == code;
        bool? meets = isBase && terms.PicQuotaBasisPoints is { } quota && all > 0
            ? (Int128)n.Yes * 10_000 >= (Int128)quota * all
            : null;
        return new(code, label, unit, n.Yes, n.No, n.Unknown, share, ofKnown, isBase, meets);
    }

    private static Ratio Unknown(string code, string label, List<Booklet> of, Func<Booklet, bool> isUnknown) =>
        Ratio.Share(code, label, of.LongCount(isUnknown), of.Count, "Carnets sans réponse ÷ carnets concernés.");

    private static Breakdown By(
        string code, string label, PassTally tally, Func<Booklet, IReadOnlyList<string?>> keys, Vocabulary? vocabulary)
    {
        var groups = tally.Booklets.Where(b => b.IsHandedOut)
            .SelectMany(b => keys(b).Select(k => (Key: Vocabularies.IsUnknown(k) ? Vocabularies.Unknown : k!, Booklet: b)))
            .GroupBy(p => p.Key, p => p.Booklet);
        return new(code, label,
        [
            .. groups.OrderBy(g => g.Key == Vocabularies.Unknown)
                .ThenBy(g => RankOf(vocabulary, g.Key)).ThenBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => new BreakdownLine(
                    g.Key, LabelOf(vocabulary, g.Key), Funnel.Persons(g), g.LongCount(b => b.IssuedPasses > 0),
                    g.Sum(b => b.IssuedPasses), g.Sum(b => b.RedeemedPasses), g.Sum(b => b.DebitedMinutes),
                    g.Sum(b => b.DeliveredMinutes)))
        ]);
    }

    private static int RankOf(Vocabulary? vocabulary, string key)
    {
        for (var i = 0; i < vocabulary?.Codes.Count; i++)
        {
            if (vocabulary.Codes[i] == key) return i;
        }

        return int.MaxValue;
    }

    private static string LabelOf(Vocabulary? vocabulary, string key) =>
        key == Vocabularies.Unknown ? "Inconnu" : vocabulary?.Label(key) ?? TerritoryName(key);

    private static string TerritoryName(string code) => Territories.Exists(code) ? Territories.Name(code) : code;

    private static string? ChannelOf(Booklet booklet, IReadOnlyDictionary<string, PointRow> points) =>
        booklet.PointId is { } id && points.TryGetValue(id, out var point) ? point.Channel : null;
}
