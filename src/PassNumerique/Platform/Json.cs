using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace PassNumerique.Platform;

/// <summary>
/// JSON as the contract wants it: camelCase, unknown and doubled members refused, whole numbers only where
/// whole numbers are meant. A body that does not fit is explained member by member, all errors at once.
/// </summary>
internal static class Json
{
    public static readonly JsonSerializerOptions Options = Make(indented: false);

    public static readonly JsonSerializerOptions Indented = Make(indented: true);

    private const int MaxDepth = 16;

    private static JsonSerializerOptions Make(bool indented)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.General)
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            AllowDuplicateProperties = false,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            MaxDepth = MaxDepth,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            WriteIndented = indented,
            NewLine = "\n",
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { ForgetIgnored } },
        };
        options.MakeReadOnly();
        return options;
    }

    /// <summary>
    /// A member that comes from the route is no member of the body: without this, one that is sent all the same
    /// would be dropped in silence instead of refused.
    /// </summary>
    private static void ForgetIgnored(JsonTypeInfo info)
    {
        if (info.Kind != JsonTypeInfoKind.Object) return;
        foreach (var ignored in info.Properties.Where(p => p is { Get: null, Set: null }).ToList())
            info.Properties.Remove(ignored);
    }

    /// <summary>Reads a body. Throws <see cref="InvalidRequestException"/> with every mistake in it.</summary>
    public static T Read<T>(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
            throw new InvalidRequestException("$", "Le corps n'est pas de l'UTF-8 : certains de ses octets n'y forment aucun caractère.");
        try
        {
            return JsonSerializer.Deserialize<T>(body.Span, Options)
                ?? throw new InvalidRequestException("$", "Le corps est vide : un objet JSON est attendu.");
        }
        catch (JsonException exception)
        {
            throw Explain(body, typeof(T), exception);
        }
    }

    /// <summary><c>Body.Funders[0].ShareBasisPoints</c> → <c>funders[0].shareBasisPoints</c></summary>
    public static string PathName(string path)
    {
        var name = new StringBuilder(path.Length);
        var start = true;
        foreach (var c in path)
        {
            name.Append(start ? char.ToLowerInvariant(c) : c);
            start = c == '.';
        }

        return name.ToString();
    }

    private static InvalidRequestException Explain(ReadOnlyMemory<byte> body, Type type, JsonException exception)
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        try
        {
            var options = new JsonDocumentOptions { MaxDepth = MaxDepth };
            using var document = JsonDocument.Parse(body, options);
            Walk(document.RootElement, type, "", errors);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // The second is the reader's word for a name with half a character in it: "\ud800".
            var line = (exception.LineNumber ?? 0) + 1;
            errors["$"] = [$"Le corps n'est pas du JSON lisible (ligne {line}, octet {exception.BytePositionInLine})."];
        }

        if (errors.Count == 0) errors[PathOf(exception)] = ["Cette valeur n'a pas la forme attendue."];
        return new InvalidRequestException(errors);
    }

    private static string PathOf(JsonException exception)
    {
        var path = (exception.Path ?? "").TrimStart('$').TrimStart('.');
        return path.Length == 0 ? "$" : path;
    }

    private static void Walk(JsonElement element, Type type, string path, IDictionary<string, string[]> errors)
    {
        var target = Nullable.GetUnderlyingType(type) ?? type;
        if (element.ValueKind == JsonValueKind.Null)
        {
            if (type.IsValueType && target == type) errors[Name(path)] = ["Une valeur est attendue, pas null."];
            return;
        }

        var info = Options.GetTypeInfo(target);
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object when element.ValueKind == JsonValueKind.Object:
                WalkObject(element, info, path, errors);
                break;
            case JsonTypeInfoKind.Enumerable when element.ValueKind == JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                    Walk(item, info.ElementType ?? typeof(object), $"{path}[{index++}]", errors);
                break;
            default:
                if (!Fits(element, target)) errors[Name(path)] = [Expected(info, target)];
                break;
        }
    }

    private static void WalkObject(
        JsonElement element, JsonTypeInfo info, string path, IDictionary<string, string[]> errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
        {
            var here = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
            var known = info.Properties.FirstOrDefault(p => p.Name == member.Name && (p.Set is not null || p.Get is not null));
            if (!seen.Add(member.Name)) errors[here] = ["Ce champ est donné deux fois."];
            else if (known is null) errors[here] = [Unknown(member.Name, info)];
            else if (member.Value.ValueKind == JsonValueKind.Null && !known.IsSetNullable)
                errors[here] = ["Une valeur est attendue, pas null."];
            else Walk(member.Value, known.PropertyType, here, errors);
        }

        foreach (var missing in info.Properties.Where(p => p.IsRequired && !seen.Contains(p.Name)))
            errors[path.Length == 0 ? missing.Name : $"{path}.{missing.Name}"] = ["Ce champ est obligatoire."];
    }

    private static string Unknown(string name, JsonTypeInfo info)
    {
        var names = info.Properties.Select(p => p.Name).ToList();
        var near = names.FirstOrDefault(n => n.Equals(name, StringComparison.OrdinalIgnoreCase));
        return near is not null
            ? $"Champ inconnu ; vouliez-vous dire « {near} » ?"
            : $"Champ inconnu. Champs possibles : {string.Join(", ", names)}.";
    }

    private static bool Fits(JsonElement element, Type target)
    {
        try
        {
            return element.Deserialize(target, Options) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Expected(JsonTypeInfo info, Type target) => info.Kind switch
    {
        JsonTypeInfoKind.Object => "Un objet { … } est attendu.",
        JsonTypeInfoKind.Enumerable => "Une liste [ … ] est attendue.",
        _ when target == typeof(long) => "Un nombre entier est attendu, sans guillemets ni virgule.",
        _ when target == typeof(bool) => "true ou false est attendu.",
        _ when target == typeof(DateOnly) => "Une date est attendue, sous la forme 2026-11-23.",
        _ when target == typeof(DateTimeOffset) => "Un instant est attendu, sous la forme 2026-11-23T08:15:00Z.",
        _ when target == typeof(Guid) => "Un identifiant UUID est attendu.",
        _ => "Un texte entre guillemets est attendu.",
    };

    private static string Name(string path) => path.Length == 0 ? "$" : path;
}
