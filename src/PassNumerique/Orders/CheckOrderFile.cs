using System.Globalization;
using System.Text;
using FluentValidation;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>What an order file leaves open: under which convention, in which booklets, until when.</summary>
internal sealed record OrderFileHead(
    string ConventionId, long VouchersPerBooklet, DateOnly ValidUntil, string? Campaign = null, string? Wave = null,
    string? Comment = null);

/// <summary>
/// An order file is tried first: all its errors and duplicates at once, what it would cost, and whether it was
/// ordered before; nothing is written. With <c>dryRun=false</c>, a file without errors is staged and ordered as a
/// job; the same file again is answered with what became of it.
/// </summary>
internal static class CheckOrderFile
{
    private const int Shown = 1_000;
    private const long MaxKnownPoints = 100_000;

    /// <param name="Valid">Whether it could be ordered as it is.</param>
    /// <param name="Errors">The first thousand; all of them with <c>/orders/file/errors.csv</c>.</param>
    /// <param name="ErrorCounts">How many there are of each kind.</param>
    /// <param name="Problems">What stands against the order as a whole, by the codes of <c>POST /orders</c>.</param>
    /// <param name="KnownOrderId">The order that this very file gave before.</param>
    /// <param name="KnownJobId">The job that is at this very file now.</param>
    internal sealed record Answer(
        bool DryRun, bool Valid, string Fingerprint, long LineCount, long PointCount, long Booklets, long? PicBooklets,
        long Vouchers, long TotalCents, long RemainingCents, long ErrorCount,
        IReadOnlyDictionary<string, long> ErrorCounts, IReadOnlyList<OrderFileError> Errors,
        IReadOnlyList<OrderFileDuplicate> Duplicates, IReadOnlyList<Problem> Problems, IReadOnlyList<OrderFileShare> Points, string? KnownOrderId, string? KnownJobId);

    internal sealed record Problem(string Code, string Title, string Detail);

    /// <summary>The file is on its way, or was ordered before.</summary>
    internal sealed record Accepted(string? JobId, string? OrderId, string Fingerprint, long Vouchers, long TotalCents);

    /// <summary>All that was found, before it is cut to what an answer shows.</summary>
    internal sealed record Outcome(
        OrderFileHead Head, CheckedOrderFile File, IReadOnlyList<Refusal> Problems, Answer Answer);

    internal static readonly Refusal NotValid = new("order-file-invalid", 409,
        "Ce fichier a des lignes à corriger : rien n'est commandé.",
        "Corrigez les lignes de « lines », puis renvoyez le fichier ; « orders/file/errors.csv » les donne toutes.");

    internal static readonly Refusal TooManyVouchers = new("order-too-large", 409,
        "Une commande compte au plus 1 000 000 de pass et 2 000 points de remise.",
        "Répartissez ce fichier sur plusieurs commandes.");

    internal static void Map(IEndpointRouteBuilder orders)
    {
        orders.Upload("/file", PrintFile.Allowed, typeof(Answer), "text/csv", AnswerAsync);
        orders.Upload("/file/errors.csv", PrintFile.Allowed, null, "text/csv", WriteErrorsAsync);
    }

    internal sealed class Validator : AbstractValidator<OrderFileHead>
    {
        public Validator()
        {
            RuleFor(h => h.ConventionId).Uuid();
            RuleFor(h => h.VouchersPerBooklet).Between(1, PlaceOrder.MaxVouchersPerBooklet);
            RuleFor(h => h.ValidUntil).Sensible();
            RuleFor(h => h.Campaign).Note(80);
            RuleFor(h => h.Wave).Note(80);
            RuleFor(h => h.Comment).Note(400);
        }
    }

    /// <summary>Holds a file against the store; writes nothing.</summary>
    internal static async Task<Result<Outcome>> CheckAsync(Request request, OrderFileHead head, byte[] bytes)
    {
        var outcome = new Validator().Validate(head);
        if (!outcome.IsValid) throw Problems.From(outcome.Errors);
        head = Tidy(head);
        var (db, ct) = (request.Session, request.Aborted);
        var convention = await request.Service<ConventionCards>().FindLatestAsync(db, head.ConventionId);
        if (convention is null || (db.Caller.Scope is { } scope && scope != convention.AuthorityId))
            return Refusals.ConventionUnknown;
        var args = new { convention.AuthorityId, head.ConventionId, Take = MaxKnownPoints };
        var file = OrderFile.Check(OrderFile.Read(bytes), await db.ListAsync<NamedPoint>(Sql.Points, args, ct));
        var fingerprint = OrderFile.Fingerprint(head, file.Shares);
        var known = file.Errors.Count > 0
            ? null
            : await request.Service<StageOrderFile>().FindKnownAsync(fingerprint, ct);
        var remaining = await db.FindAsync<long>(Sql.Remaining, args, ct);
        var terms = convention.InForce(db.Today).Terms;
        var problems = known is null ? WhyNot(head, file, terms, remaining, db.Today).ToList() : [];
        return new Outcome(head, file, problems, Show(head, file, terms, remaining, problems, fingerprint, known));
    }

    /// <summary>Orders a file that holds, or says what became of it when it came before.</summary>
    internal static async Task<Result<Accepted>> OrderAsync(Request request, Outcome outcome)
    {
        var answer = outcome.Answer;
        if (answer.KnownOrderId is null && answer.KnownJobId is null)
        {
            if (answer.ErrorCount > 0) return WithTable(NotValid, answer);
            if (outcome.Problems.Count > 0) return WithTable(outcome.Problems[0], answer);
        }

        var staged = answer is { KnownOrderId: null, KnownJobId: null }
            ? await request.Service<StageOrderFile>().StageAsync(outcome.Head, answer.Fingerprint, outcome.File.Shares)
            : new Result<StageOrderFile.Known>(new(answer.KnownOrderId, answer.KnownJobId), null, Replayed: true);
        if (staged.Refused is { } refusal) return refusal;
        var accepted = new Accepted(
            staged.Value!.JobId, staged.Value.OrderId, answer.Fingerprint, answer.Vouchers, answer.TotalCents);
        return new(accepted, null, staged.Replayed);
    }

    /// <summary>All errors of a file, as a table for a spreadsheet.</summary>
    internal static async Task WriteTableAsync(HttpContext http, CheckedOrderFile file)
    {
        http.Response.ContentType = Csv.ContentType;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.ContentDisposition = "attachment; filename=\"errors.csv\"";
        var text = new StringBuilder("line,kind,point,message\r\n");
        foreach (var error in file.Errors)
        {
            text.Append(CultureInfo.InvariantCulture, $"{error.Line},{error.Kind},")
                .Append(Csv.Field(error.Point)).Append(',').Append(Csv.Field(error.Message)).Append("\r\n");
            if (text.Length < 32_768) continue;
            await http.Response.WriteAsync(text.ToString(), http.RequestAborted);
            text.Clear();
        }

        await http.Response.WriteAsync(text.ToString(), http.RequestAborted);
    }

    private static async Task AnswerAsync(Request request, byte[] bytes)
    {
        var isTrial = IsTrial(request);
        var checkedFile = await CheckAsync(request, HeadOf(request), bytes);
        if (checkedFile.Refused is { } refusal) throw new RefusedException(refusal);
        var outcome = checkedFile.Value!;
        if (isTrial)
        {
            await Api.WriteAsync<Answer>(request.Http, outcome.Answer, StatusCodes.Status200OK);
            return;
        }

        var ordered = await OrderAsync(request, outcome);
        if (ordered.Value is { } accepted)
        {
            var path = accepted.OrderId is { } order ? $"/orders/{order}" : $"/jobs/{accepted.JobId}";
            request.Http.Response.Headers.Location = Api.Root + path;
        }

        await Api.WriteAsync(request.Http, ordered,
            ordered.Value?.OrderId is null ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }

    private static async Task WriteErrorsAsync(Request request, byte[] bytes)
    {
        var outcome = await CheckAsync(request, HeadOf(request), bytes);
        if (outcome.Refused is { } refusal) throw new RefusedException(refusal);
        await WriteTableAsync(request.Http, outcome.Value!.File);
    }

    /// <summary>All that is missing in the query at once; what is wrong in its values, the validator says.</summary>
    private static OrderFileHead HeadOf(Request request)
    {
        var errors = new Dictionary<string, string[]>();
        if (request.Text("conventionId") is null) errors["conventionId"] = ["Un identifiant UUID est attendu."];
        if (!long.TryParse(
            request.Text("vouchersPerBooklet"), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
            errors["vouchersPerBooklet"] = [$"Un nombre de 1 à {PlaceOrder.MaxVouchersPerBooklet} est attendu."];
        if (!DateOnly.TryParseExact(
            request.Text("validUntil"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var until))
            errors["validUntil"] = ["Une date est attendue, sous la forme 2026-11-23."];
        if (errors.Count > 0) throw new InvalidRequestException(errors);
        return new(
            request.Text("conventionId")!, size, until, request.Text("campaign"), request.Text("wave"),
            request.Text("comment"));
    }

    private static bool IsTrial(Request request) => request.Text("dryRun") switch
    {
        null or "true" => true,
        "false" => false,
        _ => throw new InvalidRequestException("dryRun", "Choisissez true (essai, rien n'est écrit) ou false (commander)."),
    };

    private static OrderFileHead Tidy(OrderFileHead head) => head with
    {
        ConventionId = Ids.Normalise(head.ConventionId)!,
        Campaign = Tidy(head.Campaign),
        Wave = Tidy(head.Wave),
        Comment = Tidy(head.Comment),
    };

    private static string? Tidy(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>What stands against the order that the lines without error would make, all of it.</summary>
    private static IEnumerable<Refusal> WhyNot(
        OrderFileHead head, CheckedOrderFile file, Terms terms, long remaining, long today)
    {
        var isTooLarge = file.LineCount > OrderFile.MaxPoints
            || file.Booklets * head.VouchersPerBooklet > PlaceOrder.MaxVouchers;
        if (isTooLarge) yield return TooManyVouchers;
        if (file.Shares.Count == 0) yield break;
        var order = OrderOf(head, file);
        if (PlaceOrder.WhyNot(order, terms, today) is { } refusal) yield return refusal;
        var total = PlaceOrder.TotalCents(order, terms);
        if (total > remaining)
            yield return PlaceOrder.BudgetExceeded.With("remainingCents", remaining).With("totalCents", total);
    }

    private static PlaceOrder.Command OrderOf(OrderFileHead head, CheckedOrderFile file) =>
        new(head.ConventionId, file.Booklets, head.VouchersPerBooklet, head.ValidUntil, []);

    private static Answer Show(
        OrderFileHead head, CheckedOrderFile file, Terms terms, long remaining, IReadOnlyList<Refusal> problems,
        string fingerprint, StageOrderFile.Known? known) => new(
        DryRun: true, file.Errors.Count == 0 && problems.Count == 0, fingerprint, file.LineCount, file.Shares.Count,
        file.Booklets, file.Shares.Any(s => s.PicBooklets is not null) ? file.Shares.Sum(s => s.PicBooklets ?? 0) : null,
        file.Booklets * head.VouchersPerBooklet, PlaceOrder.TotalCents(OrderOf(head, file), terms), remaining,
        file.Errors.Count, file.Errors.GroupBy(e => e.Kind).ToDictionary(g => g.Key, g => g.LongCount()),
        [.. file.Errors.Take(Shown)], [.. file.Duplicates.Take(Shown)],
        [.. problems.Select(p => new Problem(p.Code, p.Title, p.Detail))], [.. file.Shares.Take(Shown)],
        known?.OrderId, known?.JobId);

    /// <summary>The refusal with the same table as the trial has.</summary>
    private static Refusal WithTable(Refusal refusal, Answer answer) => refusal.With(
        ("errorCount", answer.ErrorCount), ("errorCounts", answer.ErrorCounts), ("lines", answer.Errors),
        ("duplicates", answer.Duplicates), ("problems", answer.Problems), ("totalCents", answer.TotalCents));

    private static class Sql
    {
        public const string Points = """
            SELECT p.id AS Id,
                   p.name AS Name
              FROM distribution_points p
             WHERE p.authority_id = @AuthorityId
             ORDER BY p.id
            {limit}
            """;

        public const string Remaining = """
            SELECT budget_cents - ordered_cents AS RemainingCents
              FROM convention_balances
             WHERE convention_id = @ConventionId
            """;
    }
}
