using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FluentValidation;
using Microsoft.AspNetCore.Connections;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Web;

namespace PassNumerique.Platform;

/// <summary>The request has not the shape it should have: 400, with what is wrong member by member.</summary>
internal sealed class InvalidRequestException(IReadOnlyDictionary<string, string[]> errors) : Exception
{
    public InvalidRequestException(string member, string error)
        : this(new Dictionary<string, string[]> { [member] = [error] }) { }

    public IReadOnlyDictionary<string, string[]> Errors { get; } = errors;
}

/// <summary>The store can't take the request now: 503, try again. Nothing was written.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The answer to a commit was lost, and the store is not there to be asked: it may have happened.</summary>
internal sealed class OutcomeUnknownException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Every HTTP error leaves from here, as RFC 9457 <c>application/problem+json</c>.</summary>
internal static class Problems
{
    public const string Prefix = "urn:pass-numerique:";

    private static readonly TimeSpan LateBy = TimeSpan.FromSeconds(3);
    private static long _toldFull;

    /// <summary>
    /// What it throws over a body that breaks HTTP – a chunk longer than any body, a trailer with a null – has no
    /// type of its own, and is the fault of the request all the same.
    /// </summary>
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel.Core";

    public static readonly Refusal Invalid = new("invalid-request", 400, "La demande est incomplète ou mal formée.",
        "Corrigez les champs indiqués dans « errors », puis renvoyez la demande.");

    public static readonly Refusal Unauthenticated = new("sign-in-needed", 401, "Identification nécessaire.",
        "Envoyez votre clé dans l'en-tête « Authorization: Bearer … », ou connectez-vous.");

    public static readonly Refusal Forbidden = new("not-allowed", 403, "Votre rôle ne permet pas cette action.",
        "Demandez-la à la personne qui en est chargée, ou utilisez une clé de ce rôle.");

    public static readonly Refusal NotFound = new("not-found", 404, "Introuvable.",
        "Vérifiez l'identifiant ou l'adresse : rien ne leur correspond parmi ce que vous pouvez voir.");

    public static readonly Refusal MethodNotAllowed = new("method-not-allowed", 405, "Méthode non prévue ici.",
        "Cette adresse existe, mais pas pour cette méthode HTTP : voyez /openapi/v1.json.");

    public static readonly Refusal TooLarge = new("body-too-large", 413, "La demande est trop volumineuse.",
        "Découpez-la : un corps de demande fait au plus 1 Mio.");

    public static readonly Refusal NotJson = new("not-json", 415, "Le corps doit être du JSON.",
        "Envoyez l'en-tête « Content-Type: application/json » et un corps en UTF-8.");

    public static readonly Refusal NotFile = new("not-file", 415, "Un fichier est attendu.",
        "Envoyez-le comme corps de la demande, avec son type dans l'en-tête « Content-Type » : voyez « expected ».");

    public static readonly Refusal FileTooLarge = new("body-too-large", 413, "Le fichier est trop volumineux.",
        "Découpez-le : un fichier fait au plus 16 Mio.");

    public static readonly Refusal NotForm = new("not-form", 415, "Un formulaire est attendu à cette adresse.",
        "Utilisez la page, ou l'interface de programmation sous /api/v1.");

    public static readonly Refusal KeyReused = new("idempotency-key-reused", 422,
        "Cette clé d'idempotence a déjà servi pour une autre demande.",
        "Prenez un nouvel identifiant d'opération pour une nouvelle demande.");

    public static readonly Refusal Unavailable = new("store-unavailable", 503, "Le service est momentanément saturé.",
        "Rien n'a été enregistré. Renvoyez la même demande dans quelques secondes.");

    public static readonly Refusal OutcomeUnknown = new("outcome-unknown", 503,
        "La réponse du magasin s'est perdue : la demande est peut-être enregistrée.",
        "Renvoyez-la avec le même « operationId » ou la même « Idempotency-Key » : elle ne sera jamais exécutée deux fois. "
        + "Sans l'un ni l'autre, vérifiez d'abord dans la liste.");

    public static readonly Refusal Broken = new("internal-error", 500, "Une erreur inattendue est survenue.",
        "Réessayez ; si elle persiste, transmettez la référence « traceId » à l'opérateur.");

    public static Task WriteAsync(
        HttpContext http, Refusal refusal, IReadOnlyDictionary<string, string[]>? errors = null)
    {
        var response = http.Response;
        response.StatusCode = refusal.Status;
        response.ContentType = "application/problem+json";
        response.Headers.CacheControl = "no-store";
        TellWhen(response, refusal);
        if (refusal.Status == 401) response.Headers.WWWAuthenticate = "Bearer";
        var traceId = Activity.Current?.TraceId.ToString() ?? http.TraceIdentifier;
        if (Pages.AreWanted(http)) return Pages.ProblemAsync(http, refusal, traceId);

        var body = (errors is null ? refusal.Written?.With(traceId) : null) ?? Body(refusal, traceId, errors);
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body).AsTask();
    }

    /// <summary>The same refusal, which is written once and then said with the reference of each request.</summary>
    public static Refusal SaidOften(Refusal refusal) => refusal with
    {
        Written = new ProblemText(Body(refusal, ProblemText.Blank, null).ToArray()),
    };

    private static ReadOnlyMemory<byte> Body(
        Refusal refusal, string traceId, IReadOnlyDictionary<string, string[]>? errors)
    {
        var body = new ArrayBufferWriter<byte>(1_024);
        using var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = Json.Options.Encoder });
        json.WriteStartObject();
        json.WriteString("type"u8, Prefix + refusal.Code);
        json.WriteString("title"u8, refusal.Title);
        json.WriteNumber("status"u8, refusal.Status);
        json.WriteString("detail"u8, refusal.Detail);
        json.WriteString("traceId"u8, traceId);
        foreach (var (name, value) in refusal.Facts)
        {
            json.WritePropertyName(name);
            if (value is string text) json.WriteStringValue(text);
            else JsonSerializer.Serialize(json, value, Json.Options);
        }

        if (errors is not null)
        {
            json.WritePropertyName("errors"u8);
            JsonSerializer.Serialize(json, errors, Json.Options);
        }

        json.WriteEndObject();
        json.Flush();
        return body.WrittenMemory;
    }

    /// <summary>
    /// What a command hears while too many wait. The answer comes late on purpose: a caller who doesn't heed
    /// Retry-After would else take, by asking over and over, the time that those in the queue are waiting for.
    /// </summary>
    public static async Task ComeAgainAsync(HttpContext http)
    {
        var second = Environment.TickCount64 / 1_000;
        if (Interlocked.Exchange(ref _toldFull, second) != second) http.Log().QueueFull(http.Request.Path);
        await Task.Delay(LateBy, http.RequestAborted);
        await WriteAsync(http, Unavailable);
    }

    /// <summary>Says when to come again, where that would help.</summary>
    public static void TellWhen(HttpResponse response, Refusal refusal)
    {
        if (refusal.Status is 429 or 503)
            response.Headers.RetryAfter = refusal.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The outermost step: what is thrown below becomes a problem, once.</summary>
    public static async Task Catch(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http);
        }
        catch (Exception exception) when (!http.Response.HasStarted)
        {
            await Answer(http, exception);
        }
    }

    private static Task Answer(HttpContext http, Exception exception)
    {
        switch (exception)
        {
            case InvalidRequestException invalid:
                return WriteAsync(http, Invalid, invalid.Errors);
            case RefusedException refused:
                return WriteAsync(http, refused.Refusal);
            case BadHttpRequestException { StatusCode: 413 }:
                return WriteAsync(http, TooLarge);
            case BadHttpRequestException bad:
                return WriteAsync(http, Invalid with { Status = bad.StatusCode });
            case InvalidDataException:
            case IOException or InvalidOperationException when exception.Source == Kestrel:
                return WriteAsync(http, Invalid);
            case OutcomeUnknownException:
                http.Log().StoreUnavailable(exception, http.Request.Path);
                return WriteAsync(http, OutcomeUnknown);
            case StoreUnavailableException:
            case Exception when http.RequestServices.GetRequiredService<Database>().IsTransient(exception):
                http.Log().StoreUnavailable(exception, http.Request.Path);
                return WriteAsync(http, Unavailable);
            case OperationCanceledException when http.RequestAborted.IsCancellationRequested:
            case ConnectionResetException:
                http.Response.StatusCode = 499;
                return Task.CompletedTask;
            default:
                http.Log().Unexpected(exception, http.Request.Method, http.Request.Path);
                return WriteAsync(http, Broken);
        }
    }

    private static ILogger Log(this HttpContext http) =>
        http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("PassNumerique.Problems");

    public static InvalidRequestException From(IEnumerable<FluentValidation.Results.ValidationFailure> failures) =>
        new(failures
            .GroupBy(f => Json.PathName(f.PropertyName))
            .ToDictionary(g => g.Key, g => g.Select(f => f.ErrorMessage).Distinct().ToArray()));
}

internal static partial class ProblemLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The store could not take {Path}")]
    public static partial void StoreUnavailable(this ILogger log, Exception exception, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Too many commands wait; {Path} is to come again")]
    public static partial void QueueFull(this ILogger log, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    public static partial void StoreWarning(this ILogger log, string warning);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    public static partial void Unexpected(this ILogger log, Exception exception, string method, string path);
}
