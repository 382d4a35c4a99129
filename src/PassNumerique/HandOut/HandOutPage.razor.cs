using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Web;

namespace PassNumerique.HandOut;

/// <summary>
/// The desk: a booklet is handed to a person, who is told where to go. Nothing but the booklet's number must
/// be answered, and what is not answered is recorded as unknown.
/// </summary>
public partial class HandOutPage
{
    internal sealed record View(
        IReadOnlyDictionary<string, string> Points, IReadOnlyList<KeyValuePair<string, string>> Sites)
    {
        public ReverseHandOut.Answer? Undone { get; init; }
    }

    internal sealed record Place(
        string Id, string Name, string Address, string Postcode, string Commune, string? Phone, string? Hours)
    {
        public string CommuneName => Territories.Name(Commune);
    }

    /// <summary>The version of the notice that the page shows.</summary>
    private const string NoticeVersion = "2026-1";

    private const Role Allowed = Role.Agent | Role.Authority;

    private static readonly IReadOnlyList<KeyValuePair<string, string>> Modes =
        [new("alone", "Seul"), new("assisted", "Avec aide")];

    private static readonly IReadOnlyList<KeyValuePair<string, string>> NoticeGiven =
        [new("yes", "La notice a été lue à la personne")];

    private static readonly IReadOnlyList<KeyValuePair<string, string>> FollowUpAgreed =
        [new("yes", "La personne accepte d'être rappelée pour la suite de son parcours")];

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/remise", Allowed,
            async request => await ShowAsync(request, await EmptyAsync(request), Blank(request)),
            menu: "Remettre un carnet");
        app.Form("/remise", Allowed, SubmitAsync);
        app.Form("/remise/annulation", Allowed, UndoAsync);
    }

    private static Task ShowAsync(Request request, View view, Form form) =>
        request.ShowAsync<HandOutPage, View>(view, form);

    private static async Task SubmitAsync(Request request, Form form)
    {
        var view = await EmptyAsync(request);
        if (await form.SendAsync(request, CommandOf) is not { } given)
        {
            await ShowAsync(request, view, form);
            return;
        }

        var site = given.OrientedSiteId is { } id
            ? await request.Session.FindAsync<Place>(Sql.Site, new { SiteId = id })
            : null;
        await request.ShowAsync<HandOutDonePage, HandOutDonePage.View>(new(given, site));
    }

    private static async Task UndoAsync(Request request, Form form)
    {
        var undone = await form.SendAsync(request, f => new ReverseHandOut.Command(f.Value("reason"))
        {
            HandOutId = Ids.Normalise(f.Value("handOutId")) ?? throw new RefusedException(Problems.NotFound),
        });
        await ShowAsync(request, await EmptyAsync(request) with { Undone = undone }, Blank(request).Telling(form));
    }

    private static RecordHandOut.Command CommandOf(Form form) => new(
        form.Value(Form.Operation), form.Number("bookletNumber", "Donnez le numéro du carnet."),
        form.Date("handedOutOn", "Donnez la date de la remise."),
        form.Text("distributionPointId"), PersonOf(form),
        new(form.Text("eligibility.picGround") ?? Vocabularies.Unknown,
            form.Text("eligibility.evidence") ?? Vocabularies.Unknown),
        form.List("needs"), AssessmentOf(form),
        form.Text("orientedTo.siteId") is { } site ? new(site) : null,
        new(NoticeVersion, form.IsChecked("notice.given")), FollowUpOf(form));

    private static Person PersonOf(Form form) => new(
        form.Text("person.reference"), form.Text("person.ageBand"), form.Text("person.gender"),
        form.Text("person.socialStatus"), CommuneOf(form), form.List("person.publics"));

    private static Assessment? AssessmentOf(Form form) => form.OptionalNumber("assessment.score") is not { } score
        ? null
        : new(form.Text("assessment.instrument") ?? "", form.Text("assessment.version") ?? "", "t0", score,
            form.Number("assessment.maxScore", "Donnez le score maximal de l'outil."),
            form.Text("assessment.mode") ?? Vocabularies.Unknown);

    private static FollowUp? FollowUpOf(Form form) =>
        form.IsChecked("followUp.agreed") || form.Text("followUp.phone") is not null
            ? new(form.IsChecked("followUp.agreed"), Phone: form.Text("followUp.phone"))
            : null;

    /// <summary>The code of the commune that was typed by its code or by a name that only one has.</summary>
    private static string? CommuneOf(Form form)
    {
        const string field = "person.commune";
        if (form.Text(field) is not { } typed) return null;
        if (Territories.FindCommune(typed.ToUpperInvariant()) is { } byCode) return byCode.Code;
        var name = FrenchOrder.Fold(typed);
        var found = Territories.Search(typed, 100).Where(c => FrenchOrder.Fold(c.Name) == name).ToList();
        if (found.Count == 1) return found[0].Code;
        form.Mark(field, found.Count == 0
            ? "Cette commune n'existe pas : vérifiez son nom, ou donnez son code INSEE."
            : $"Plusieurs communes portent ce nom : donnez le code INSEE, par exemple {string.Join(", ",
                found.Take(4).Select(c => $"{c.Code} ({Territories.DepartementName(c.Departement)})"))}.");
        return null;
    }

    private static Form Blank(Request request) => Form.ForOperation()
        .With("handedOutOn", Clock.DateText(request.Session.Today))
        .With("assessment.instrument", "abc-pix")
        .With("assessment.version", "1");

    private static async Task<View> EmptyAsync(Request request)
    {
        var caller = request.Caller;
        var points = await request.Session.ListAsync<Point>(Sql.Points, new { caller.OrganisationId, Take = 200L });
        var mine = points.Where(p => caller.Reaches(p.Id, Role.Agent)).ToList();
        var sites = new List<Place>();
        foreach (var departement in mine.Select(p => DepartementOf(p.Commune)).Distinct(StringComparer.Ordinal))
            sites.AddRange(await request.Session.ListAsync<Place>(
                Sql.Sites, new { Departement = departement, request.Session.Today, Take = 200L }));
        var near = mine.Select(p => p.Commune).ToHashSet(StringComparer.Ordinal);
        return new(
            mine.ToDictionary(p => p.Id, p => p.Name, StringComparer.Ordinal),
            [
                .. sites.OrderByDescending(s => near.Contains(s.Commune))
                    .ThenBy(s => s.CommuneName, FrenchOrder.Instance)
                    .ThenBy(s => s.Name, FrenchOrder.Instance)
                    .Select(s => KeyValuePair.Create(s.Id, $"{s.Name}, {s.Address}, {s.CommuneName}")),
            ]);
    }

    private static string DepartementOf(string commune) =>
        commune.StartsWith("97", StringComparison.Ordinal) || commune.StartsWith("98", StringComparison.Ordinal)
            ? commune[..3]
            : commune[..2];

    /// <summary>The answers that say something: "ne sait pas" is the empty line of the list.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Known(Vocabulary list) =>
        list.Without(Vocabularies.Unknown).Options();

    private sealed record Point(string Id, string Name, string Commune);

    private static class Sql
    {
        public const string Points = """
            SELECT id AS Id,
                   name AS Name,
                   commune AS Commune
              FROM distribution_points
             WHERE authority_id = @OrganisationId
             ORDER BY id
            {limit}
            """;

        public const string Sites = """
            SELECT s.id AS Id,
                   s.name AS Name,
                   s.address AS Address,
                   s.postcode AS Postcode,
                   s.commune AS Commune,
                   s.phone AS Phone,
                   s.hours AS Hours
              FROM sites s
              JOIN site_labels l ON l.site_id = s.id
             WHERE SUBSTRING(s.commune, 1, CASE WHEN SUBSTRING(s.commune, 1, 2) IN ('97', '98') THEN 3 ELSE 2 END)
                   = @Departement
               AND l.status = 'labelled'
               AND l.position = (SELECT MAX(m.position) FROM site_labels m
                                  WHERE m.site_id = s.id AND m.from_day <= @Today
                                    AND (m.until_day IS NULL OR m.until_day >= @Today))
             ORDER BY s.id
            {limit}
            """;

        public const string Site = """
            SELECT id AS Id,
                   name AS Name,
                   address AS Address,
                   postcode AS Postcode,
                   commune AS Commune,
                   phone AS Phone,
                   hours AS Hours
              FROM sites
             WHERE id = @SiteId
            """;
    }
}
