using PassNumerique.Access;
using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Audit;

/// <summary>Who is who: organisations, accounts, conventions and their terms, sites, distribution points.</summary>
internal sealed partial class DemoStory
{
    // The first convention is an EPCI, the second the département around it: their sites serve both.
    private static readonly string[] ShowcaseTerritories = ["200067213", "51"];

    private readonly List<DemoUser> _users = [];
    private readonly List<Organisation> _hubs = [];
    private readonly Lazy<string> _passwordHash = new(() => Passwords.Hash(Demonstration.Password));
    private IReadOnlyList<string> _territories = [];

    private long FirstDay => _lastDay - 960;

    private void TellPeople()
    {
        var day = FirstDay - 60;
        var operatorOrganisation = AddOrganisation("operator", "Opérateur Pass numérique (fictif)", null, day);
        AddUser("operator", "operateur", operatorOrganisation, [], _operatorId);
        AddMember("operator", "operateur2", operatorOrganisation, [], _secondOperatorId);
        AddUser("state", "etat", AddOrganisation("state", "Service de l'État (fictif)", null, day), [], _random.Id());
        AddUser("auditor", "controle", AddOrganisation("auditor", "Chambre de contrôle (fictive)", null, day), [], _random.Id());
        for (var i = 0; i < HubCount; i++) _hubs.Add(AddOrganisation("hub", DemoNames.Hub(i), null, day));
        AddUser("hub", "hub", _hubs[0], [], _random.Id());
        _territories = ChooseTerritories();
    }

    /// <summary>Real territories, each once: EPCI of all over the country and some départements.</summary>
    private List<string> ChooseTerritories()
    {
        var epci = Territories.All.Where(c => c.Epci is not null).GroupBy(c => c.Epci!)
            .Where(g => g.Sum(c => c.Population) is > 30_000 and < 400_000)
            .Select(g => g.Key).Except(ShowcaseTerritories).Order(StringComparer.Ordinal).ToList();
        var chosen = new List<string>(ShowcaseTerritories);
        while (chosen.Count < ConventionCount)
        {
            var code = chosen.Count % 5 == 4
                ? _random.Of(Territories.Departements).Code
                : _random.Of(epci);
            if (!chosen.Contains(code) && Territories.Communes([code]).Count > 4) chosen.Add(code);
        }

        return chosen;
    }

    private Organisation AddOrganisation(string kind, string name, string? siret, long day)
    {
        var organisation = new Organisation(_random.Id(), name);
        Rows.Fact("organisations", At(day), _operatorId,
            ("id", organisation.Id), ("kind", kind), ("name", name), ("siret", siret));
        if (kind == "authority")
            Rows.Plain("authority_sirets", ("siret", siret), ("organisation_id", organisation.Id));
        return organisation;
    }

    /// <summary>An account of the welcome page, with a key of the same role.</summary>
    private void AddUser(string role, string login, Organisation organisation, string[] places, string memberId)
    {
        AddMember(role, login, organisation, places, memberId);
        var key = AddKey(role, organisation.Id, places.Length == 1 ? places[0] : null, $"démonstration {login}").Secret;
        _users.Add(new(role, login, Demonstration.Password, key, organisation.Name));
    }

    private void AddMember(string role, string login, Organisation organisation, string[] places, string memberId)
    {
        Rows.Plain("members",
            ("id", memberId), ("organisation_id", organisation.Id), ("role", role), ("login", login),
            ("name", $"Compte {Roles.Label(Roles.Parse(role))}"), ("password_hash", _passwordHash.Value),
            ("created_ms", Midnight(FirstDay)));
        foreach (var place in places) Rows.Plain("member_places", ("member_id", memberId), ("place_id", place));
    }

    private (string Id, string Secret) AddKey(string role, string organisationId, string? placeId, string label)
    {
        var (id, secret) = (_random.Id(), "pn_" + Digests.NewSecret());
        Rows.Plain("api_keys",
            ("id", id), ("organisation_id", organisationId), ("role", role), ("place_id", placeId),
            ("label", label), ("secret_hash", _keys.SecretHash(secret)), ("created_ms", Midnight(FirstDay)));
        return (id, secret);
    }

    private Convention TellConvention(int index)
    {
        var signed = index < 2 ? FirstDay + index : FirstDay + _random.Between(0, 420);
        var authority = AddOrganisation("authority", DemoNames.Authority(index), DemoNames.Siret(index), signed - 20);
        var id = _random.Id();
        var reference = $"CONV-{signed.ToDate().Year}-{index + 1:000}";
        var terms = DemoTerms(index, signed);
        var at = At(signed);
        Rows.Fact("conventions", at, _operatorId,
            ("id", id), ("reference", reference), ("authority_id", authority.Id), ("hub_id", _hubs[index % HubCount].Id));
        Rows.Fact("convention_terms", at, _operatorId,
            ("convention_id", id), ("version", 1L), ("reference", reference), ("signed_day", signed),
            ("effective_day", signed), ("terms", terms.ToDocument()));
        var convention = new Convention(index, id, reference, authority, _territories[index], terms, signed)
        {
            ActorId = AddKey("authority", authority.Id, null, "logiciel de la collectivité").Id,
            UsePercent = index < 2 ? 40 : _random.Between(24, 54),
        };
        if (index == 0) AddUser("authority", "collectivite", authority, [], _random.Id());
        TellPoints(convention);
        return convention;
    }

    private Terms DemoTerms(int index, long signedDay)
    {
        var whole = index == 0 || index % 3 != 1;
        var authorityShare = index % 4 == 3 ? 5_500 : 6_500;
        var funders = new List<Funder>
        {
            new("authority", "Collectivité", authorityShare, "prefunding", Base: "bought"),
            new("state", "État", 3_500, "reimbursing", AdvancedBy: "Collectivité", Base: "used"),
        };
        if (authorityShare == 5_500) funders.Add(new("third-party", "Caisse partenaire (fictive)", 1_000, "prefunding", Base: "bought"));
        return new Terms
        {
            Program = signedDay < FirstDay + 180 ? "AAP 2019" : "AAP 2020",
            StartsOn = signedDay.ToDate(),
            EndsOn = signedDay.ToDate().AddYears(4),
            FaceValueCents = FaceCents,
            MinutesPerVoucher = CreditMinutes,
            WholeVouchersOnly = whole,
            Tariffs = [new("*", "individuel", whole ? 120 : 60, 60), new("*", "collectif", whole ? 120 : 60, 120)],
            Funders = funders,
            BudgetCents = index < 2 ? 8_000_000 : 3_000_000,
            Territory = [_territories[index]],
            TargetPublics = ["seniors", "demandeurs-emploi", "beneficiaires-des-minimas-sociaux"],
            TargetPopulations =
            [
                new("seniors", _territories[index], Territories.Population([_territories[index]]) / 8,
                    "Estimation de démonstration", signedDay.ToDate()),
            ],
            PicQuotaBasisPoints = 5_000,
            PicQuotaBase = "allocated",
            Objectives =
            [
                new("use-rate-0", 6_000, signedDay.ToDate().AddYears(2)),
                new("persons", 300, signedDay.ToDate().AddYears(2)),
                new("pic-share-handed-out", 5_000, signedDay.ToDate().AddYears(2)),
            ],
            Evaluation = new(["Qui a été atteint ?", "Les personnes ont-elles progressé ?"], "Cabinet fictif"),
            UpstreamFeeBasisPoints = 400,
            DownstreamFeeBasisPoints = 400,
            FeeVatBasisPoints = 2_000,
            ToleranceDays = ToleranceDays,
        };
    }

    private void TellPoints(Convention convention)
    {
        string[] channels = ["ccas", "france-services", "mairie", "la-poste", "mission-locale"];
        var communes = Largest(convention.Territory, 8);
        var count = convention.Index < 2 ? 4 : _random.Between(2, 4);
        for (var i = 0; i < count; i++)
        {
            var (id, channel, commune) = (_random.Id(), channels[i], communes[i % communes.Count]);
            var name = DemoNames.Point(_names++, channel);
            var at = At(convention.StartDay + 2);
            Rows.Fact("distribution_points", at, _operatorId,
                ("id", id), ("authority_id", convention.Authority.Id), ("name", name), ("channel", channel),
                ("address", $"{_random.Between(1, 60)} place de la République"), ("commune", commune.Code));
            Rows.Fact("trainings", At(convention.StartDay + 20), convention.ActorId,
                ("id", _random.Id()), ("point_id", id), ("on_day", convention.StartDay + 20), ("agents", _random.Between(1, 6)));
            var key = AddKey("agent", convention.Authority.Id, id, $"poste de {name}");
            convention.Points.Add(new(id, name, channel, commune.Code, key.Id, key.Secret));
        }

        if (convention.Index == 0)
            AddUser("agent", "agent", convention.Authority, [convention.Points[0].Id], _random.Id());
    }

    private void TellSites(Convention convention)
    {
        var communes = Largest(convention.Territory, 12);
        var before = _conventions.Sum(c => c.Sites.Count);
        var count = convention.Index switch
        {
            0 => 12,
            ConventionCount - 1 => SiteCount - before,
            _ => ((SiteCount - 12) * convention.Index / (ConventionCount - 1)) + 12 - before,
        };
        Organisation? structure = null;
        for (var i = 0; i < count; i++)
        {
            var number = before + i;
            if (structure is null || number % 5 != 4)
                structure = AddOrganisation("structure", DemoNames.Structure(number), DemoNames.Siret(1_000 + number), convention.StartDay - 10);
            convention.Sites.Add(TellSite(convention, structure, number, communes[i % communes.Count]));
        }

        if (convention.Index == 0)
            AddUser("site", "lieu", new(convention.Sites[0].OrganisationId, convention.Sites[0].Name), [convention.Sites[0].Id], _random.Id());
    }

    private Site TellSite(Convention convention, Organisation structure, int number, Commune commune)
    {
        var (id, name) = (_random.Id(), DemoNames.Site(number));
        var labelled = convention.StartDay - _random.Between(0, 5);
        Rows.Fact("sites", At(convention.StartDay - 8), _operatorId,
            ("id", id), ("organisation_id", structure.Id), ("name", name),
            ("address", $"{_random.Between(1, 90)} rue des Lilas"), ("postcode", commune.Postcodes[0]),
            ("commune", commune.Code), ("services", string.Join('|', Vocabularies.Services.Codes.Take(4))),
            ("phone", "01 00 00 00 00"), ("hours", "Mo-Fr 09:00-12:00,14:00-18:00"));
        Rows.Fact("site_labels", At(convention.StartDay - 6), _operatorId,
            ("site_id", id), ("position", 1L), ("status", "labelled"), ("from_day", labelled), ("until_day", null),
            ("reason", "Dossier complet"));
        var key = AddKey("site", structure.Id, id, $"poste de {name}");
        return new(id, structure.Id, name, commune.Code, key.Id, key.Secret, number);
    }

    private static List<Commune> Largest(string territory, int count) =>
        [.. Territories.Communes([territory]).Where(c => c.Postcodes.Count > 0)
            .OrderByDescending(c => c.Population).ThenBy(c => c.Code, StringComparer.Ordinal).Take(count)];
}
