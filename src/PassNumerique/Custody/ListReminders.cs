using System.Globalization;
using System.Text;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>
/// The partners to remind: points whose stock sleeps (no hand-out for some days) or comes to its end of validity, each
/// with a sentence that can be sent as it stands. As CSV it is ready for mail-merge.
/// </summary>
internal static class ListReminders
{
    internal const long DefaultDays = 30;

    /// <summary>An end of validity is near thirty days before it, when distributors are told (see the calendar of an order).</summary>
    internal const long NearEndDays = 30;

    internal const string Header =
        "point,canal,adresse,commune,carnets,pass,valeur_euros,jours_sans_remise,age_du_plus_ancien_jours,fin_de_validite,phrase\r\n";

    /// <summary>
    /// <paramref name="IdleDays"/> since the last hand-out; where there was none, since the oldest delivery.
    /// </summary>
    internal sealed record Item(
        string DistributionPointId, string Name, string Channel, string Address, string Commune, string CommuneName,
        long Booklets, long Passes, long ValueCents, DateOnly? LastHandOutOn, long IdleDays, long OldestDays,
        DateOnly ValidUntil, string Sentence);

    internal static void Map(IEndpointRouteBuilder api)
    {
        api.Get("/reminders", ListStock.Readers, ListAsync);
        api.Stream("/reminders.csv", ListStock.Readers, WriteAsync);
    }

    internal static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var all = await FindAsync(request);
        var rest = all.Where(i => request.After is null || string.CompareOrdinal(i.DistributionPointId, request.After) > 0);
        return Page<Item>.Of([.. rest.Take((int)request.Limit + 1)], request.Limit, i => i.DistributionPointId);
    }

    /// <summary>All of them, by the id of the point.</summary>
    internal static async Task<IReadOnlyList<Item>> FindAsync(Request request)
    {
        var (db, ct, days) = (request.Session, request.Aborted, DaysOf(request));
        var authorityId = ListStock.AuthorityOf(request);
        var lines = (await Stock.ReadAsync(db, authorityId, null, db.Today, ct)).Where(l => l.Left > 0).ToLookup(l => l.PointId);
        var last = (await db.ListAsync<LastRow>(Sql.LastHandOuts, new { AuthorityId = authorityId }, ct))
            .ToDictionary(r => r.PointId, r => r.Day, StringComparer.Ordinal);
        return
        [
            .. (await CustodyPoint.ListAsync(db, authorityId, ct))
                .Where(p => request.Caller.Reaches(p.Id, Role.Agent) && lines.Contains(p.Id))
                .Select(p => Show(p, [.. lines[p.Id]], last.TryGetValue(p.Id, out var day) ? day : null, db.Today))
                .Where(i => i.IdleDays >= days || i.ValidUntil.ToDay() - db.Today <= NearEndDays),
        ];
    }

    private static async Task WriteAsync(Request request)
    {
        var items = await FindAsync(request);
        var response = request.Http.Response;
        response.ContentType = Csv.ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition =
            $"attachment; filename=\"rappels-{Clock.DateText(request.Session.Today)}.csv\"";
        await response.WriteAsync(Header, request.Aborted);
        foreach (var item in items) await response.WriteAsync(Row(item), request.Aborted);
    }

    internal static string Row(Item item) => string.Create(CultureInfo.InvariantCulture,
        $"{Csv.Field(item.Name)},{Csv.Field(Vocabularies.Channels.Label(item.Channel))},{Csv.Field(item.Address)},"
        + $"{Csv.Field(item.CommuneName)},{item.Booklets},{item.Passes},{item.ValueCents / 100m:0.00},{item.IdleDays},"
        + $"{item.OldestDays},{Clock.DateText(item.ValidUntil.ToDay())},{Csv.Field(item.Sentence)}\r\n");

    private static long DaysOf(Request request) => request.Text("days") is not { } text
        ? DefaultDays
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days <= 3_650
            ? days
            : throw new InvalidRequestException("days", "Un nombre de jours de 0 à 3 650 est attendu.");

    private static Item Show(CustodyPoint point, IReadOnlyList<StockLine> lines, long? lastDay, long today)
    {
        var (oldest, until) = (lines.Max(l => l.AgeDays(today)!.Value), lines.Min(l => l.UntilDay));
        var idle = lastDay is { } day ? today - day : oldest;
        var (booklets, passes, cents) = (lines.Sum(l => l.Left), lines.Sum(l => l.Passes), lines.Sum(l => l.Cents));
        return new(
            point.Id, point.Name, point.Channel, point.Address, point.Commune, Territories.Name(point.Commune), booklets,
            passes, cents, lastDay?.ToDate(), idle, oldest, until.ToDate(),
            Sentence(booklets, passes, cents, lastDay, oldest, until, today));
    }

    /// <summary>What the point is told, in one paragraph that needs nothing around it.</summary>
    internal static string Sentence(
        long booklets, long passes, long cents, long? lastDay, long oldest, long until, long today)
    {
        var text = new StringBuilder(
            $"Il vous reste {French.Count(booklets)} carnet{French.S(booklets)}, soit {French.Count(passes)} pass "
            + $"d'une valeur de {French.Euros(cents)}.");
        text.Append(lastDay is { } day
            ? $" Votre dernière remise date du {French.Date(day)}, il y a {Days(today - day)}."
            : " Vous n'avez encore remis aucun carnet.");
        text.Append($" Le plus ancien est livré depuis {Days(oldest)}.");
        text.Append(until < today
            ? $" Certains ne sont plus valables depuis le {French.Date(until)} : rendez-les à la collectivité."
            : $" Les premiers ne pourront plus être remis après le {French.Date(until)}.");
        return text.Append(" Si vous ne pensez pas les remettre, proposez-les à un autre point par un transfert.").ToString();
    }

    private static string Days(long days) => $"{French.Count(days)} jour{French.S(days)}";

    private sealed record LastRow(string PointId, long Day);

    private static class Sql
    {
        public const string LastHandOuts = """
            SELECT b.point_id AS PointId,
                   MAX(b.day) AS Day
              FROM distribution_points p
              JOIN booklet_entries b ON b.point_id = p.id
             WHERE p.authority_id = @AuthorityId AND b.kind = 1
               AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                WHERE u.booklet = b.booklet AND u.kind = 2 AND u.part > b.part)
             GROUP BY b.point_id
            """;
    }
}
