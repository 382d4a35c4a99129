using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Web;
using PassNumerique.Sites;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// The till: type or scan codes, check them, use them, undo; or hold a pass while its session lasts, and end that
/// session without its code. After a redemption the page comes back with what stays true for the next person of a
/// workshop, and a new operation id.
/// </summary>
public partial class ScannerPage
{
    internal sealed record View(
        IReadOnlyDictionary<string, string> Sites, IReadOnlyDictionary<string, string> Workshops,
        IReadOnlyDictionary<string, string> Reservations)
    {
        public ReserveVoucher.Answer? Reserved { get; init; }

        public ReleaseReservation.Answer? Released { get; init; }

        public RedeemVouchers.Answer? Receipt { get; init; }

        public ReverseRedemption.Answer? Undone { get; init; }

        public IReadOnlyList<CheckVoucher.Answer> Checks { get; init; } = [];
    }

    private const string DefaultMinutes = "60";
    private const long WorkshopDays = 7;

    /// <summary>Sessions under way that a page offers to end: more than a site has seats.</summary>
    private const long MaxReservations = 50;

    private static readonly string[] Kept =
        ["siteId", "service", "activity.kind", "activity.durationMinutes", "activity.workshopId", "servedOn"];

    private static readonly IReadOnlyList<KeyValuePair<string, string>> FirstVisits =
        [new("yes", "Oui"), new("no", "Non"), new("unknown", "Ne sait pas")];

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/scanner", Role.Site, async request => await ShowAsync(request, await EmptyAsync(request), Blank()),
            menu: "Scanner un pass");
        app.Form("/scanner", Role.Site, SubmitAsync);
        app.Form("/scanner/annulation", Role.Site, UndoAsync);
        app.Form("/scanner/liberation", Role.Site, ReleaseAsync);
    }

    private static Task ShowAsync(Request request, View view, Form form) =>
        request.ShowAsync<ScannerPage, View>(view, form);

    private static Task SubmitAsync(Request request, Form form) => form.Value("action") switch
    {
        "verifier" => VerifyAsync(request, form),
        "reserver" => ReserveAsync(request, form),
        _ => UseAsync(request, form),
    };

    private static async Task VerifyAsync(Request request, Form form)
    {
        var checks = await CheckAsync(request, form);
        await ShowAsync(request, await EmptyAsync(request) with { Checks = checks }, form);
    }

    private static async Task ReserveAsync(Request request, Form form)
    {
        var code = form.Value("codes").Trim();
        if (form.Lines("codes").Count > 1) form.Mark("codes", "Réservez un pass à la fois : un seul code est attendu.");
        else if (ReadCode.Mistake(code) is { } mistake) form.Mark("codes", mistake);
        var answer = await form.SendAsync(
            request, f => new ReserveVoucher.Command(f.Value(Form.Operation), code, SiteId: f.Text("siteId")));
        var view = await EmptyAsync(request);
        await (answer is null
            ? ShowAsync(request, view, form)
            : ShowAsync(request, view with { Reserved = answer }, Next(form)));
    }

    private static async Task UseAsync(Request request, Form form)
    {
        var answer = await form.SendAsync(request, CommandOf);
        var view = await EmptyAsync(request);
        await (answer is null
            ? ShowAsync(request, view, form)
            : ShowAsync(request, view with { Receipt = answer }, Next(form)));
    }

    private static async Task ReleaseAsync(Request request, Form form)
    {
        var released = await form.SendAsync(request, f => new ReleaseReservation.Command(
            Ids.Normalise(f.Value("reservationId")) ?? throw new RefusedException(Problems.NotFound)));
        await ShowAsync(request, await EmptyAsync(request) with { Released = released }, Blank().Telling(form));
    }

    private static async Task UndoAsync(Request request, Form form)
    {
        var view = await EmptyAsync(request);
        var undone = await form.SendAsync(request, f => new ReverseRedemption.Command(f.Value("reason"))
        {
            RedemptionId = Ids.Normalise(f.Value("redemptionId")) ?? throw new RefusedException(Problems.NotFound),
        });
        await ShowAsync(request, view with { Undone = undone }, Blank().Telling(form));
    }

    private static RedeemVouchers.Command CommandOf(Form form) => new(
        form.Value(Form.Operation), form.Value("service"),
        new(form.Value("activity.kind"), form.Number("activity.durationMinutes", "Donnez la durée de la séance."),
            form.Text("activity.workshopId"),
            form.List("activity.thematiques"), form.Text("activity.level"), form.Text("activity.autonomy")),
        Codes: form.Text("reservationId") is not null && form.Lines("codes").Count == 0 ? null : form.Lines("codes"),
        Minutes: form.OptionalNumber("minutes"), ServedOn: form.OptionalDate("servedOn"),
        FirstVisit: form.Text("firstVisit"), SiteId: form.Text("siteId"))
    {
        ReservationId = form.Text("reservationId"),
    };

    private static async Task<IReadOnlyList<CheckVoucher.Answer>> CheckAsync(Request request, Form form)
    {
        var answers = new List<CheckVoucher.Answer>();
        var codes = form.Lines("codes").Take(RedeemVouchers.MaxCodes).ToList();
        if (codes.Count == 0) form.Mark("codes", ReadCode.Mistake("")!);
        for (var line = 0; line < codes.Count && form.Refused is null; line++)
        {
            if (ReadCode.Mistake(codes[line]) is { } mistake)
            {
                form.Mark("codes", codes.Count > 1 ? $"Ligne {line + 1} : {mistake}" : mistake);
                continue;
            }

            var result = await CheckVoucher.AskAsync(new(codes[line], form.Text("siteId")), request);
            if (result.Refused is { } refused) form.Refuse(refused);
            else answers.Add(result.Value!);
        }

        return answers;
    }

    private static Form Blank() => Form.ForOperation()
        .With("activity.kind", "individuel")
        .With("activity.durationMinutes", DefaultMinutes)
        .With("firstVisit", "unknown");

    private static Form Next(Form sent) =>
        Kept.Aggregate(Blank(), (form, name) => form.With(name, sent.Text(name)));

    private static async Task<View> EmptyAsync(Request request)
    {
        var sites = new Dictionary<string, string>(StringComparer.Ordinal);
        var workshops = new Dictionary<string, string>(StringComparer.Ordinal);
        var reservations = new Dictionary<string, string>(StringComparer.Ordinal);
        var since = request.Session.Today - WorkshopDays;
        foreach (var id in request.Caller.PlaceIds)
        {
            if (await request.Session.FindAsync<string>(Sql.Site, new { SiteId = id }) is { } name) sites[id] = name;
            var rows = await request.Session.ListAsync<Workshop>(
                Sql.Workshops, new { SiteId = id, Since = since, Take = 50L });
            foreach (var row in rows)
            {
                workshops[row.Id] =
                    $"{row.Title ?? row.Service}, {French.Date(row.OnDay)}, {French.Duration(row.Minutes)}";
            }

            foreach (var held in (await ListReservations.LiveAsync(request.Session, id, MaxReservations, after: null)).Items)
                reservations[held.Id] = await LabelOfAsync(request, held);
        }

        return new(sites, workshops, reservations);
    }

    private static async Task<string> LabelOfAsync(Request request, Reservation held)
    {
        var site = await request.Service<SiteCards>().FindAsync(request.Session, held.SiteId);
        return $"Pass n° {held.Serial}, {French.Duration(held.Minutes)}, "
            + $"jusqu'à {French.Until(held.UntilMs, site!.Zone, request.Session.NowMs)}";
    }

    private static string LeftOf(long minutes) =>
        minutes == 0 ? "Il ne reste rien sur ce pass." : $"Il vous reste {French.Duration(minutes)} sur ce pass.";

    private static string StateOf(string state) => state switch
    {
        "active" => "actif, remise non saisie",
        "handed-out" => "remis, jamais utilisé",
        "started" => "entamé",
        "spent" => "entièrement utilisé",
        "expired" => "expiré",
        "blocked" => "bloqué",
        "replaced" => "remplacé",
        "returned" => "rendu",
        _ => "pas encore actif",
    };

    private static Refusal? WhyNot(string? reason) => Refusals.All.FirstOrDefault(r => r.Code == reason);

    private sealed record Workshop(string Id, long OnDay, string Service, long Minutes, string? Title);

    private static class Sql
    {
        public const string Site = """
            SELECT name
              FROM sites
             WHERE id = @SiteId
            """;

        public const string Workshops = """
            SELECT id AS Id,
                   on_day AS OnDay,
                   service AS Service,
                   duration_minutes AS Minutes,
                   title AS Title
              FROM workshops
             WHERE site_id = @SiteId AND on_day >= @Since
             ORDER BY on_day DESC, id
            {limit}
            """;
    }
}
