using System.Globalization;
using System.Text;
using System.Text.Json;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Jobs;
using PassNumerique.Platform.Web;

namespace PassNumerique.Orders;

/// <summary>
/// Print data over HTTP: behind the gate, streamed, and gone on with at a byte when it broke off (RFC 9110, 14),
/// without ever lying on a disk. The entity tag names the export; <c>?export=</c> or <c>If-Range</c> goes on with
/// it, anything else begins another one. <c>?point=</c> is the part of one distribution point.
/// </summary>
internal static class PrintFile
{
    internal const Role Allowed = Role.Operator | Role.Authority;

    internal static void Map(IEndpointRouteBuilder orders)
    {
        foreach (var kind in PrintKind.All)
            orders.Stream($"/{{id}}/{kind.File}", Allowed, request => WriteAsync(request, kind));
        orders.Stream("/{id}/code-exports/{exportId}/file", Allowed, GoOnAsync);
    }

    internal static async Task WriteAsync(Request request, PrintKind kind)
    {
        var named = request.FilterId("export");
        if (await FindAsync(request, named ?? TagOf(request.Http)) is { } known && known.Kind == kind.Name)
        {
            await ResumeAsync(request, kind, known);
            return;
        }

        if (named is not null) throw new RefusedException(Problems.NotFound);
        var command = new RecordCodeExport.Command(kind.Name, request.FilterId("point")) { OrderId = request.Id() };
        var begun = await request.Service<IMediator>().Send(command, request.Aborted);
        if (begun.Refused is { } refusal) throw new RefusedException(refusal);
        var export = (await FindAsync(request, begun.Value!.Id))!;
        var file = await ReadAsync(request, kind, export);
        await SendAsync(request, file, run: 1, new(0, file.Total ?? long.MaxValue), isPart: false);
    }

    /// <summary>Goes on with an export, whatever its kind: the address that its job names.</summary>
    private static async Task GoOnAsync(Request request)
    {
        var export = await FindAsync(request, request.Id("exportId")) ?? throw new RefusedException(Problems.NotFound);
        var kind = PrintKind.All.FirstOrDefault(k => k.Name == export.Kind)
            ?? throw new RefusedException(Problems.NotFound);
        await ResumeAsync(request, kind, export);
    }

    private static async Task ResumeAsync(Request request, PrintKind kind, Export export)
    {
        var file = await ReadAsync(request, kind, export);
        var header = request.Http.Request.Headers.Range.ToString();
        var condition = request.Http.Request.Headers.IfRange.ToString();
        if (header.Length > 0) file = file with { Total = file.Total ?? await CountAsync(request, file) };
        var range = header.Length > 0 && (condition.Length == 0 || condition == file.Tag)
            ? ByteRange.Of(header, file.Total!.Value)
            : null;
        if (range is { IsUnsatisfiable: true } nothing)
        {
            await NothingLeftAsync(request, file, nothing);
            return;
        }

        var wanted = range ?? new(0, file.Total ?? long.MaxValue);
        var done = file.Total is { } total ? export.VoucherCount * wanted.From / total : 0;
        var resumed = await request.Service<IMediator>().Send(
            new ResumeCodeExport.Command(export.Id, wanted.From) { Done = done }, request.Aborted);
        if (resumed.Refused is { } refusal) throw new RefusedException(refusal);
        await SendAsync(request, file, resumed.Value!.Run, wanted, isPart: range is not null);
    }

    /// <summary>416. Who asks for what comes after the last byte has them all: then the export is over.</summary>
    private static async Task NothingLeftAsync(Request request, File file, ByteRange range)
    {
        if (range.From == file.Total)
        {
            var completed = new CompleteCodeExport.Command(file.Export.Id, file.Total.Value);
            await request.Service<IMediator>().Send(completed, request.Aborted);
        }

        var response = request.Http.Response;
        response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{file.Total}");
        await Problems.WriteAsync(request.Http, NoSuchRange.With("totalBytes", file.Total));
    }

    internal static readonly Refusal NoSuchRange = new("range-not-satisfiable", 416,
        "Le fichier n'a pas d'octets à cet endroit.",
        "Demandez une plage avant « totalBytes » ; si vous avez déjà tout reçu, il n'y a rien à reprendre.");

    /// <summary>The bytes, with how far they are as a job. A transfer that ends early leaves it interrupted.</summary>
    private static async Task SendAsync(Request request, File file, long run, ByteRange range, bool isPart)
    {
        var desk = request.Service<JobDesk>();
        var done = file.Export.VoucherCount * (isPart ? range.From : 0) / (file.Total ?? 1);
        SetHeaders(request.Http.Response, file, range, isPart);
        var writer = new RangeWriter(request.Http.Response.BodyWriter, range.From, range.End, file.Total);
        await using var progress = new JobProgress(desk, file.Export.Id, run, done, request.Aborted);
        try
        {
            var after = new After(progress, done);
            await file.Write(writer, file.Order, file.Lots, request.Service<KeyRing>(),
                new Courtesy(request.Service<Database>()), after, progress.Over);
            if (IsWhole(file, range, writer))
                await request.Service<IMediator>().Send(new CompleteCodeExport.Command(file.Export.Id, writer.Written));
            await writer.ReleaseAsync(progress.Over);
        }
        catch (OperationCanceledException) when (!request.Aborted.IsCancellationRequested)
        {
            request.Http.Abort(); // Another transfer of the same export took its place.
        }
        finally
        {
            // Of an export that was completed the job is done already, and stays so.
            await desk.InterruptAsync(file.Export.Id, run, progress.Done);
        }
    }

    /// <summary>Whether this transfer reached the last byte: those before went with it, or with a part before.</summary>
    private static bool IsWhole(File file, ByteRange range, RangeWriter writer) =>
        file.Total is { } total ? range.End >= total && writer.Written >= total : !writer.IsCut;

    private static void SetHeaders(HttpResponse response, File file, ByteRange range, bool isPart)
    {
        var first = file.Lots[0].FirstSerial.ToString(CultureInfo.InvariantCulture);
        response.StatusCode = isPart ? StatusCodes.Status206PartialContent : StatusCodes.Status200OK;
        response.ContentType = file.Kind.ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers.AcceptRanges = "bytes";
        response.Headers.ETag = file.Tag;
        response.Headers.ContentDisposition = $"attachment; filename=\"pass-{first}{file.Kind.Ending}\"";
        response.Headers["X-Job"] = file.Export.Id;
        response.Headers.Link = $"<{Api.Root}/jobs/{file.Export.Id}>; rel=\"monitor\"";
        if (file.Total is not { } total) return;
        response.ContentLength = range.End - range.From;
        if (isPart) response.Headers.ContentRange = range.ContentRange(total);
    }

    /// <summary>As it was when the export began: what was extended since changes no byte of it.</summary>
    private static async Task<File> ReadAsync(Request request, PrintKind kind, Export export)
    {
        var db = request.Session;
        var order = (await db.FindAsync<CodeOrder>(Sql.Order, export, request.Aborted))!;
        var lots = await db.ListAsync<CodeLot>(Sql.Lots, export, request.Aborted);
        order = order with { AuthorityName = await request.Service<DemoState>().PrintedAsync(db, order.AuthorityName) };
        var papers = await db.ListAsync<Paper>(Sql.Papers, export, request.Aborted);
        if (papers.Count > 0) order = order with { CreditMinutesOf = papers.ToDictionary(p => p.Serial, p => p.CreditMinutes) };
        var content = JsonSerializer.SerializeToUtf8Bytes(new { order, lots }, Json.Options);
        var build = typeof(PrintFile).Module.ModuleVersionId;
        var digest = request.Service<KeyRing>().Fingerprint($"{kind.Name} {build}\n", content)[..16];
        return new(export, kind, order, lots, await kind.Writer(request), kind.Length?.Invoke(order, lots),
            $"\"{export.Id}.{digest}\"");
    }

    /// <summary>How long a file of a kind is that does not know beforehand: written once into nothing.</summary>
    private static async Task<long> CountAsync(Request request, File file)
    {
        var nowhere = System.IO.Pipelines.PipeWriter.Create(Stream.Null);
        var writer = new RangeWriter(nowhere, long.MaxValue, long.MaxValue, null);
        await file.Write(writer, file.Order, file.Lots, request.Service<KeyRing>(),
            new Courtesy(request.Service<Database>()), null, request.Aborted);
        return writer.Written;
    }

    /// <summary>An export that the caller's organisation began.</summary>
    private static async Task<Export?> FindAsync(Request request, string? exportId) => exportId is null
        ? null
        : await request.Session.FindAsync<Export>(
            Sql.Find, new { ExportId = exportId, OrderId = request.Id(), request.Caller.OrganisationId }, request.Aborted);

    /// <summary>The export that <c>If-Range</c> names, as far as it is one of our tags.</summary>
    private static string? TagOf(HttpContext http)
    {
        var tag = http.Request.Headers.IfRange.ToString().Trim('"');
        var dot = tag.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? null : Ids.Normalise(tag[..dot]);
    }

    /// <summary>An export as facts tell it.</summary>
    private sealed record Export(string Id, string OrderId, string Kind, long VoucherCount, long RecordedMs)
    {
        public string ExportId => Id;
    }

    /// <summary>A paper that stands for another, and what was left of that.</summary>
    private sealed record Paper(long Serial, long CreditMinutes);

    private sealed record File(
        Export Export, PrintKind Kind, CodeOrder Order, IReadOnlyList<CodeLot> Lots, WritePrint Write, long? Total,
        string Tag);

    /// <summary>What was sent before is written again: the bar stands still meanwhile.</summary>
    private sealed class After(IProgress<long> progress, long done) : IProgress<long>
    {
        public void Report(long value)
        {
            if (value > done) progress.Report(value);
        }
    }

    private static class Sql
    {
        public const string Find = """
            SELECT e.id AS Id,
                   e.order_id AS OrderId,
                   e.kind AS Kind,
                   e.voucher_count AS VoucherCount,
                   e.recorded_ms AS RecordedMs
              FROM code_exports e
              JOIN jobs j ON j.id = e.id
             WHERE e.id = @ExportId AND e.order_id = @OrderId AND j.organisation_id = @OrganisationId
            """;

        public const string Order = """
            SELECT o.vouchers_per_booklet AS VouchersPerBooklet,
                   o.face_cents AS FaceCents,
                   o.credit_minutes AS CreditMinutes,
                   COALESCE(x.valid_until_day, o.valid_until_day) AS ValidUntilDay,
                   o.salt AS Salt,
                   o.key_version AS KeyVersion,
                   a.name AS AuthorityName,
                   p.print_text AS PrintText,
                   p.telephone AS Telephone,
                   p.logo AS Logo
              FROM orders o
              JOIN organisations a ON a.id = o.authority_id
              LEFT JOIN order_extensions x ON x.order_id = o.id AND x.recorded_ms <= @RecordedMs
              LEFT JOIN print_settings p ON p.authority_id = o.authority_id
               AND p.position = (SELECT MAX(q.position)
                                   FROM print_settings q
                                  WHERE q.authority_id = o.authority_id AND q.recorded_ms <= @RecordedMs)
             WHERE o.id = @OrderId
            """;

        public const string Papers = """
            SELECT r.serial AS Serial,
                   r.credit_minutes AS CreditMinutes
              FROM orders o
              JOIN replacements r ON r.serial BETWEEN o.first_serial AND o.last_serial
             WHERE o.id = @OrderId
             ORDER BY r.serial
            """;

        public const string Lots = """
            SELECT l.first_serial AS FirstSerial,
                   l.last_serial AS LastSerial,
                   p.name AS PointName
              FROM code_releases r
              JOIN lots l ON l.order_id = r.order_id AND l.position = r.position
              JOIN distribution_points p ON p.id = l.point_id
             WHERE r.export_id = @ExportId
             ORDER BY l.position
            """;
    }
}
