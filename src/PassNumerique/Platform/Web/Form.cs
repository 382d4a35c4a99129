using System.Globalization;
using MediatR;
using Microsoft.Extensions.Primitives;
using PassNumerique.Conventions;

namespace PassNumerique.Platform.Web;

/// <summary>
/// What was typed in a form, and what is wrong with it. Fields are named like the members of the command
/// they fill (<c>person.ageBand</c>), so that the messages of the validator find their field; a page that is
/// shown again shows what was typed.
/// </summary>
internal sealed class Form
{
    /// <summary>
    /// Made with the page: a double click, a reload or a second try after a lost answer is the same operation.
    /// </summary>
    public const string Operation = "operationId";

    private readonly Dictionary<string, StringValues> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IFormFile> _files = new(StringComparer.Ordinal);
    private readonly List<FormError> _errors = [];

    public IReadOnlyList<FormError> Errors => _errors;

    /// <summary>The fields that were sent.</summary>
    public IReadOnlyCollection<string> Names => _values.Keys;

    /// <summary>The business "no" that came back, if any.</summary>
    public Refusal? Refused { get; private set; }

    public bool IsWrong => _errors.Count > 0 || Refused is not null;

    public int Status => Refused?.Status ?? (_errors.Count > 0 ? 400 : 200);

    /// <summary>The form of a command that is recorded once for its operation id.</summary>
    public static Form ForOperation() => new Form().With(Operation, Ids.New());

    public static async Task<Form> ReadAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType) throw new RefusedException(Problems.NotForm);
        var form = new Form();
        var sent = await http.Request.ReadFormAsync(http.RequestAborted);
        foreach (var (name, value) in sent) form._values[name] = value;
        foreach (var file in sent.Files) form._files[file.Name] = file;
        return form;
    }

    /// <summary>The bytes of a file that was chosen; null where none was.</summary>
    public async Task<byte[]?> FileAsync(string name)
    {
        if (_files.GetValueOrDefault(name) is not { Length: > 0 } file) return null;
        using var bytes = new MemoryStream((int)file.Length);
        await file.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    /// <summary>What a field holds before anybody typed.</summary>
    public Form With(string name, string? value)
    {
        if (value is not null) _values[name] = value;
        return this;
    }

    /// <summary>A field's text as typed.</summary>
    public string Value(string name) => _values.GetValueOrDefault(name).FirstOrDefault() ?? "";

    public bool Holds(string name, string value) =>
        _values.GetValueOrDefault(name).Contains(value, StringComparer.Ordinal);

    public IReadOnlyList<string> ErrorsOf(string name) =>
        [.. _errors.Where(e => e.Field == name).Select(e => e.Message).Distinct(StringComparer.Ordinal)];

    /// <summary>The trimmed text, or null where nothing was typed.</summary>
    public string? Text(string name) => Value(name).Trim() is { Length: > 0 } text ? text : null;

    /// <summary>The chosen values of checkboxes.</summary>
    public IReadOnlyList<string> List(string name) =>
        [.. _values.GetValueOrDefault(name).OfType<string>().Where(v => v.Length > 0)];

    /// <summary>The lines of a text, without the empty ones.</summary>
    public IReadOnlyList<string> Lines(string name) =>
        Value(name).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    public bool IsChecked(string name) => Text(name) is not null;

    /// <summary>A number that must be there; <paramref name="missing"/> tells which one, as the summary has no labels.</summary>
    public long Number(string name, string missing) => OptionalNumber(name) ?? Miss(name, missing, 0L);

    public long? OptionalNumber(string name)
    {
        if (Text(name) is not { } text) return null;
        var digits = string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
        return long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : Wrong<long?>(name, "Un nombre entier est attendu.");
    }

    /// <inheritdoc cref="Number"/>
    public DateOnly Date(string name, string missing) => OptionalDate(name) ?? Miss(name, missing, DateOnly.MinValue);

    public DateOnly? OptionalDate(string name)
    {
        if (Text(name) is not { } text) return null;
        return DateOnly.TryParseExact(
            text, ["yyyy-MM-dd", "dd/MM/yyyy", "d/M/yyyy"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date
            : Wrong<DateOnly?>(name, "Une date est attendue, par exemple 23/11/2026.");
    }

    public void Refuse(Refusal refusal) => Refused = refusal;

    /// <summary>A fresh form that tells what went wrong in another one, such as an undo beside it.</summary>
    public Form Telling(Form other)
    {
        _errors.AddRange(other.Errors);
        Refused = other.Refused;
        return this;
    }

    public void Mark(string name, string message) => _errors.Add(new(name, message));

    /// <summary>
    /// Builds the command from the fields and runs it. Null where a field is wrong or the business says no:
    /// the form then knows why, and the page is shown again.
    /// </summary>
    public async Task<T?> SendAsync<T>(Request request, Func<Form, ICommand<T>> command) where T : class
    {
        var built = command(this);
        if (IsWrong) return null;
        request.Session.Route = $"POST {request.Http.Request.Path}";
        request.Session.IdempotencyKey = Ids.Normalise(Text(Operation));
        try
        {
            var result = await request.Service<IMediator>().Send(built);
            if (result.Refused is { } refused) Refuse(refused);
            if (Refused?.Code == Problems.KeyReused.Code) BeginAnother();
            return result.Value;
        }
        catch (InvalidRequestException invalid)
        {
            foreach (var (name, messages) in invalid.Errors)
                foreach (var message in messages) MarkMember(name, message);
            return null;
        }
    }

    /// <summary>What was typed was changed after it had been recorded: it is another operation.</summary>
    private void BeginAnother()
    {
        With(Operation, Ids.New());
        Refuse(Problems.KeyReused.Because(
            "Ce formulaire a déjà été enregistré avec d'autres réponses. Vérifiez-le : l'envoyer encore en fera un autre."));
    }

    /// <summary>An item of a list belongs to the field of the list: <c>codes[1]</c> is line 2 of <c>codes</c>.</summary>
    private void MarkMember(string member, string message)
    {
        var at = member.IndexOf('[', StringComparison.Ordinal);
        if (at < 0)
        {
            Mark(member, message);
            return;
        }

        var field = member[..at];
        var line = long.Parse(member[(at + 1)..member.IndexOf(']', StringComparison.Ordinal)], CultureInfo.InvariantCulture) + 1;
        Mark(field, Lines(field).Count > 1 ? $"Ligne {line} : {message}" : message);
    }

    private T Miss<T>(string name, string missing, T otherwise)
    {
        if (!_errors.Exists(e => e.Field == name)) Mark(name, missing);
        return otherwise;
    }

    private T? Wrong<T>(string name, string message)
    {
        Mark(name, message);
        return default;
    }
}

/// <summary>What is wrong with one field, in words for the person who typed it.</summary>
internal sealed record FormError(string Field, string Message)
{
    /// <summary>The id of the field in the page.</summary>
    public string Anchor => Fields.Id(Field);
}

/// <summary>Names of fields as ids of a page.</summary>
internal static class Fields
{
    public static string Id(string name) => "champ-" + name.Replace('.', '-');

    /// <summary>What describes a field: its hint, then its errors.</summary>
    public static string? DescribedBy(string name, string? hint, bool wrong)
    {
        var id = Id(name);
        var described = (hint is null ? "" : id + "-aide ") + (wrong ? id + "-erreur" : "");
        return described.Length == 0 ? null : described.Trim();
    }

    public static IEnumerable<KeyValuePair<string, string>> Options(this Vocabulary list) =>
        list.Codes.Select(code => KeyValuePair.Create(code, list.Label(code)));
}
