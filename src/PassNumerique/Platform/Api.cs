using System.Buffers;
using System.Globalization;
using MediatR;
using Microsoft.AspNetCore.Http.Features;
using PassNumerique.Platform.Data;

namespace PassNumerique.Platform;

/// <summary>Who may call a route, and what it takes and gives: read by the gate, by OpenAPI and by tests.</summary>
internal sealed record RouteFacts(Role Allow, Type? Body, Type? Answer, int Status, bool Writes = false)
{
    /// <summary>What the body is, where it is no JSON.</summary>
    public string? Media { get; init; }
}

/// <summary>A page of a list.</summary>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next)
{
    /// <summary>From rows read one over the limit; the cursor names the last one shown.</summary>
    public static Page<T> Of(IReadOnlyList<T> rows, long limit, Func<T, string> cursor) => rows.Count > limit
        ? new([.. rows.Take((int)limit)], cursor(rows[(int)limit - 1]))
        : new(rows, null);

    /// <summary>
    /// From rows in order, those the filter lets through, one over the limit and no further: for filters that
    /// SQL cannot express on both engines.
    /// </summary>
    public static async Task<Page<T>> OfAsync(
        IAsyncEnumerable<T> rows, Func<T, bool> filter, long limit, Func<T, string> cursor)
    {
        var kept = new List<T>();
        await foreach (var row in rows)
        {
            if (filter(row)) kept.Add(row);
            if (kept.Count > limit) break;
        }

        return Of(kept, limit, cursor);
    }

    /// <summary>The same page, its items shown otherwise.</summary>
    public Page<TOther> To<TOther>(Func<T, TOther> show) => new([.. Items.Select(show)], Next);
}

/// <summary>One line per route: its path, the roles it lets in, the command or query behind it.</summary>
internal static class Api
{
    public const string Root = "/api/v1";
    public const int MaxBodyBytes = 1_048_576;
    public const int MaxFileBytes = 16 * MaxBodyBytes;
    private const int ForgottenTimes = 16;

    /// <summary>A command: the body is read, validated and run; 201 unless said otherwise.</summary>
    public static IEndpointConventionBuilder Post<TBody, TAnswer>(
        this IEndpointRouteBuilder group, string path, Role allow, Func<TBody, Request, ICommand<TAnswer>> command,
        int status = 201, Func<TAnswer, string>? location = null) where TBody : class =>
        group.MapPost(path, http => RunAsync(http, command, status, location))
            .WithMetadata(new RouteFacts(allow, typeof(TBody), typeof(TAnswer), status, Writes: true));

    /// <summary>A command that takes something away.</summary>
    public static IEndpointConventionBuilder Delete<TAnswer>(
        this IEndpointRouteBuilder group, string path, Role allow, Func<Request, ICommand<TAnswer>> command) =>
        group.MapDelete(path, http => RunAsync<Empty, TAnswer>(http, (_, request) => command(request), 200, null))
            .WithMetadata(new RouteFacts(allow, null, typeof(TAnswer), 200, Writes: true));

    /// <summary>A query: reads the session, writes nothing.</summary>
    public static IEndpointConventionBuilder Get<TAnswer>(
        this IEndpointRouteBuilder group, string path, Role allow, Func<Request, Task<Result<TAnswer>>> query) =>
        group.MapGet(path, async http => await WriteAsync(http, await query(new(http)), 200))
            .WithMetadata(new RouteFacts(allow, null, typeof(TAnswer), 200));

    /// <summary>A question with a body: it writes nothing, and is a POST only to keep a code out of URLs.</summary>
    public static IEndpointConventionBuilder Ask<TBody, TAnswer>(
        this IEndpointRouteBuilder group, string path, Role allow, Func<TBody, Request, Task<Result<TAnswer>>> ask)
        where TBody : class =>
        group.MapPost(path, async http => await WriteAsync(http, await ask(await ReadAsync<TBody>(http), new(http)), 200))
            .WithMetadata(new RouteFacts(allow, typeof(TBody), typeof(TAnswer), 200));

    /// <summary>An answer that is no JSON: an export, a page.</summary>
    public static IEndpointConventionBuilder Stream(
        this IEndpointRouteBuilder group, string path, Role allow, Func<Request, Task> write) =>
        group.MapGet(path, http => write(new(http))).WithMetadata(new RouteFacts(allow, null, null, 200));

    /// <summary>A file, taken as it is, of a size of its own: up to 16 MiB.</summary>
    public static IEndpointConventionBuilder Upload(
        this IEndpointRouteBuilder group, string path, Role allow, Type? answer, string media,
        Func<Request, byte[], Task> take) =>
        group.MapPost(path, async http => await take(new(http), await ReadFileAsync(http, media)))
            .WithMetadata(new RouteFacts(allow, null, answer, 200, Writes: true) { Media = media });

    /// <summary>
    /// Between routing and the gate: where so many commands wait that one more would be refused, it is refused before
    /// anything is made for it.
    /// </summary>
    public static Task TurnAwayAsync(HttpContext http, RequestDelegate next, Database database) =>
        database.IsFull && http.GetEndpoint()?.Metadata.GetMetadata<RouteFacts>() is { Writes: true }
            ? Problems.ComeAgainAsync(http)
            : next(http);

    /// <summary>Gives the answer, or the refusal as a problem.</summary>
    public static async Task WriteAsync<T>(HttpContext http, Result<T> result, int status)
    {
        if (result.Refused is { } refused)
        {
            await Problems.WriteAsync(http, refused);
            return;
        }

        var response = http.Response;
        response.StatusCode = status;
        if (result.Replayed) response.Headers["Idempotency-Replayed"] = "true";
        response.ContentType = "application/json; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        var body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(result.Value, Json.Options);
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body);
    }

    private static async Task RunAsync<TBody, TAnswer>(
        HttpContext http, Func<TBody, Request, ICommand<TAnswer>> command, int status, Func<TAnswer, string>? location)
        where TBody : class
    {
        var request = new Request(http);
        var body = await ReadAsync<TBody>(http);
        var session = request.Session;
        session.Route = $"{http.Request.Method} {http.Request.Path}";
        session.IdempotencyKey = KeyOf(http);
        var result = await http.RequestServices.GetRequiredService<IMediator>().Send(command(body, request));
        if (location is not null && result.Refused is null) http.Response.Headers.Location = location(result.Value!);
        await WriteAsync(http, result, status);
    }

    private static string? KeyOf(HttpContext http)
    {
        var key = http.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0) return null;
        return key.Length <= 200 && key.All(c => c is > ' ' and < (char)127)
            ? key
            : throw new InvalidRequestException("Idempotency-Key",
                "Cette clé fait au plus 200 caractères ASCII sans espace (un UUID convient).");
    }

    private static async Task<TBody> ReadAsync<TBody>(HttpContext http) where TBody : class
    {
        if (typeof(TBody) == typeof(Empty) && http.Request.ContentLength is null or 0) return (TBody)(object)new Empty();
        if (http.Request.ContentLength is 0) return Json.Read<TBody>("{}"u8.ToArray());
        ReadOnThoughRefused(http, MaxBodyBytes);
        if (!IsJson(http.Request.ContentType)) throw new RefusedException(Problems.NotJson);
        if (http.Request.ContentLength > MaxBodyBytes) throw new RefusedException(Problems.TooLarge);
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            var isTooLarge = read.Buffer.Length > MaxBodyBytes;
            if (!isTooLarge && !read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            try
            {
                if (isTooLarge) throw new RefusedException(Problems.TooLarge);
                var bytes = read.Buffer.IsSingleSegment ? read.Buffer.First : read.Buffer.ToArray();
                return Json.Read<TBody>(bytes.Length == 0 ? "{}"u8.ToArray() : bytes);
            }
            finally
            {
                // A read left open makes Kestrel cut the connection under the next request of this client.
                reader.AdvanceTo(read.Buffer.End);
            }
        }
    }

    /// <summary>
    /// A connection that is closed under a client who still sends loses him the answer. What is over the limit is
    /// refused here, and the server reads the rest and forgets it.
    /// </summary>
    private static void ReadOnThoughRefused(HttpContext http, long maxBytes)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = ForgottenTimes * maxBytes;
    }

    private static async Task<byte[]> ReadFileAsync(HttpContext http, string media)
    {
        ReadOnThoughRefused(http, MaxFileBytes);
        if (http.Request.ContentType?.StartsWith(media, StringComparison.OrdinalIgnoreCase) != true)
            throw new RefusedException(Problems.NotFile.With("expected", media));
        if (http.Request.ContentLength > MaxFileBytes) throw new RefusedException(Problems.FileTooLarge);
        using var bytes = new MemoryStream((int)(http.Request.ContentLength ?? 0));
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            foreach (var piece in read.Buffer)
                if (bytes.Length + piece.Length <= MaxFileBytes) bytes.Write(piece.Span);
                else throw new RefusedException(Problems.FileTooLarge);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return bytes.ToArray();
        }
    }

    private static bool IsJson(string? contentType) =>
        contentType is not null
        && (contentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase)
            || contentType.Contains("+json", StringComparison.OrdinalIgnoreCase));
}

/// <summary>A body without members.</summary>
internal sealed record Empty;

/// <summary>A refusal found while reading a request, before any command runs.</summary>
internal sealed class RefusedException(Refusal refusal) : Exception(refusal.Title)
{
    public Refusal Refusal { get; } = refusal;
}

/// <summary>What a route reads from the request besides the body.</summary>
internal readonly struct Request(HttpContext http)
{
    public const long MaxLimit = 200;

    public HttpContext Http { get; } = http;

    public Session Session => Http.RequestServices.GetRequiredService<Session>();

    public Caller Caller => Session.Caller;

    public CancellationToken Aborted => Http.RequestAborted;

    public T Service<T>() where T : notnull => Http.RequestServices.GetRequiredService<T>();

    /// <summary>A UUID of the path in lower case; one that is none is like an unknown one.</summary>
    public string Id(string name = "id") => Guid.TryParse(Http.Request.RouteValues[name] as string, out var id)
        ? id.ToString("D")
        : throw new RefusedException(Problems.NotFound);

    /// <summary>A whole number of the path; one that is none is like an unknown one.</summary>
    public long Number(string name) =>
        long.TryParse(Http.Request.RouteValues[name] as string, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new RefusedException(Problems.NotFound);

    public string? Text(string name) => Http.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;

    /// <summary><c>?limit=</c>, 1 to 200, 50 when absent.</summary>
    public long Limit => Text("limit") is not { } text
        ? 50
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit
            ? limit
            : throw new InvalidRequestException("limit", $"Un nombre de 1 à {MaxLimit} est attendu.");

    /// <summary><c>?after=</c>, a cursor that this service gave.</summary>
    public string? After => Text("after");

    /// <summary>The numbers of a cursor made of numbers and dots; null on the first page.</summary>
    public long[]? Cursor(int count)
    {
        if (After is not { } text) return null;
        var parts = text.Split('.');
        var numbers = new long[count];
        var whole = parts.Length == count;
        for (var i = 0; whole && i < count; i++)
            whole = long.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]);
        return whole
            ? numbers
            : throw new InvalidRequestException("after", "Reprenez la valeur « next » de la page précédente.");
    }

    /// <summary>A UUID of the query, as a filter, in lower case.</summary>
    public string? FilterId(string name) => Text(name) is not { } text
        ? null
        : Ids.Normalise(text) ?? throw new InvalidRequestException(name, "Un identifiant UUID est attendu.");

    public DateOnly? Date(string name) => Text(name) is not { } text
        ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date
            : throw new InvalidRequestException(name, "Une date est attendue, sous la forme 2026-11-23.");

    public DateTimeOffset? Instant(string name) => Text(name) is not { } text
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : throw new InvalidRequestException(name, "Un instant est attendu, sous la forme 2026-11-23T08:15:00Z.");

    /// <summary><c>?month=2026-11</c> as 202611.</summary>
    public long? Month(string name) => Date2(name) is { } date ? (date.Year * 100L) + date.Month : null;

    private DateOnly? Date2(string name) => Text(name) is not { } text
        ? null
        : DateOnly.TryParseExact(text + "-01", "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date
            : throw new InvalidRequestException(name, "Un mois est attendu, sous la forme 2026-11.");
}
