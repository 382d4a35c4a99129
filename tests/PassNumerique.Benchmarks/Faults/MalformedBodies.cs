using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>Makes wrong requests out of right ones, the same for the same seed.</summary>
internal sealed partial class MalformedBodies(
    Random random, Stage stage, Passes passes, IReadOnlyList<(string Method, string Path)> routes)
{
    private const string Mark = "@@";

    /// <summary>Values that stand where another was expected, as JSON text.</summary>
    private static readonly string[] Values =
    [
        "null", "true", "[]", "{}", "\"\"", "\" \"", "0", "-1", "1.5", "1e999", "-0", "9223372036854775807",
        "9223372036854775808", "123456789012345678901234567890", "\"9\"", "\"NaN\"", "NaN", "[null]", "[[[[]]]]",
        "{\"a\":{\"a\":{}}}", "\"2026-02-30\"", "\"2026-11-23T25:00:00Z\"", "\"0000-00-00\"", "\"9999-12-31\"",
        "\"00000000-0000-0000-0000-000000000000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u0000\"",
        "\"a\\u0000b\"", "\"\\u202e\\u0007\"", "\"é\\u0301𝄞\"", "\"';--\"", "\"%00%ff\"", "\"${7*7}\"", "\"<script>\"",
        "0x10", "1_000", "+1", ".5", "'a'", "undefined", "\"unfinished", "tru", "01",
    ];

    private static readonly string[] Names = ["inconnu", "", " ", "\\ud800", "\\u0000", "é", "$ref", "__proto__", "code "];

    private static readonly string[] PathValues =
    [
        "0", "-1", "99999999999999999999", "%00", "%ff%fe", "..", "%2e%2e%2f", "a b", "%c3%28", "{id}", "'", "é",
        "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000", "1%2f2", ";", "null",
    ];

    private static readonly string[] Queries =
    [
        "limit=0", "limit=-1", "limit=999999999999999999999", "limit=1e3", "limit=", "after=%00", "after=..", "after=1.2.3",
        "after=9223372036854775808", "month=2026-13", "month=%ff", "asOf=2026-02-30", "knownAt=x", "servedThrough=9999-99-99",
        "siteId=x", "conventionId=%27", "limit=1&limit=2", "&&&=", "%=%", "near=999,999",
    ];

    /// <summary>The next one. An operation that it names, changed or not, is entered in the log as asked.</summary>
    public byte[] Next(ClientLog log)
    {
        var request = random.Next(12) switch
        {
            0 => Post(Route("POST"), Bytes(random.Next(400))),
            1 => Post(Route("POST"), Encoding.UTF8.GetBytes(Changed(Template().Body))),
            2 => Read(),
            3 => Headers(Template()),
            4 => Framing(Template()),
            _ => Shaped(Template()),
        };
        foreach (Match id in Uuid().Matches(Encoding.Latin1.GetString(request)))
            log.Ask(new(id.Value.ToLowerInvariant(), 0, ""));
        return request;
    }

    private byte[] Shaped((string Path, JsonObject Body) right)
    {
        var text = right.Body.ToJsonString();
        var bytes = random.Next(10) switch
        {
            0 => Encoding.UTF8.GetBytes(text[..random.Next(text.Length)]),
            1 => Flipped(Encoding.UTF8.GetBytes(text)),
            2 => Encoding.UTF8.GetBytes(text.Replace("{\"", $"{{\"{FirstName(right.Body)}\":1,\"", StringComparison.Ordinal)),
            3 => Encoding.UTF8.GetBytes($"{{\"{Of(Names)}\":{Of(Values)},{text[1..]}"),
            4 => Encoding.UTF8.GetBytes(Nested(random.Next(10, 20_000))),
            5 => BadUtf8(text),
            6 => random.Next(3) == 0 ? Encoding.Unicode.GetBytes(text) : [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)],
            7 => Encoding.UTF8.GetBytes($"{text}{Of(["}", ",", "{}", "\0", " x"])}"),
            8 => Encoding.UTF8.GetBytes(Long(right.Body)),
            _ => Encoding.UTF8.GetBytes(Changed(right.Body)),
        };
        return Post(right.Path, bytes);
    }

    /// <summary>One to three members anywhere get a value of another kind, another name, or go away.</summary>
    private string Changed(JsonObject body)
    {
        var values = new List<string>();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var places = body.Descend().ToList();
            if (places.Count == 0) break;
            var (parent, name) = places[random.Next(places.Count)];
            var (value, kind) = (Of(Values), random.Next(8));
            if (kind == 0) parent.Remove(name);
            else if (kind == 1)
            {
                var member = parent[name]?.DeepClone();
                parent.Remove(name);
                parent[name.ToUpperInvariant()] = member;
            }
            else
            {
                parent[name] = Mark + values.Count.ToString(CultureInfo.InvariantCulture) + Mark;
                values.Add(value);
            }
        }

        var text = body.ToJsonString();
        for (var i = 0; i < values.Count; i++)
            text = text.Replace($"\"{Mark}{i.ToString(CultureInfo.InvariantCulture)}{Mark}\"", values[i], StringComparison.Ordinal);
        return text;
    }

    private byte[] Headers((string Path, JsonObject Body) right)
    {
        var body = Encoding.UTF8.GetBytes(right.Body.ToJsonString());
        var length = string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}");
        string[] odd =
        [
            "Content-Type: ", "Content-Type: text/plain", "Content-Type: application/json; charset=utf-16",
            "Content-Type: application/json;;;\u00ff", "Content-Type: multipart/form-data; boundary=", "Accept: \u00e9/\u00e9",
            $"Idempotency-Key: {new string('k', 201)}", "Idempotency-Key: \u00e9\u00e8", "Idempotency-Key: a b", "Idempotency-Key: ",
            "Authorization: Bearer ", "Authorization: Basic !!!", $"Authorization: Bearer {new string('x', 4_000)}",
            "Cookie: pn_session=%00; pn_session=\u0001", "Expect: 200-maybe", "Content-Encoding: gzip", ": novalue", "NoColon",
            $"X-Long: {new string('y', 40_000)}", " folded: yes", "Host: other", "X-Null: a\0b", "Accept-Encoding: \t",
            "X-Forwarded-For: ' OR 1=1", "Range: bytes=-1", "If-None-Match: \"", "Origin: null", "Upgrade: h2c",
        ];
        return RawHttp.Request("POST", right.Path,
            [$"Authorization: Bearer {Key(right.Path)}", "Content-Type: application/json", length, Of(odd), Of(odd)], body);
    }

    /// <summary>Where a body ends is told wrongly, or the first line is no HTTP.</summary>
    private byte[] Framing((string Path, JsonObject Body) right)
    {
        var body = Encoding.UTF8.GetBytes(right.Body.ToJsonString());
        var key = $"Authorization: Bearer {Key(right.Path)}";
        const string json = "Content-Type: application/json";
        byte[] Chunked(string text) =>
            RawHttp.Request("POST", right.Path, [key, json, "Transfer-Encoding: chunked"], Encoding.Latin1.GetBytes(text));
        return random.Next(12) switch
        {
            0 => RawHttp.Request("POST", right.Path, [key, json, "Content-Length: -5"], body),
            1 => RawHttp.Request("POST", right.Path, [key, json, "Content-Length: 3"], body),
            2 => RawHttp.Request("POST", right.Path, [key, json, "Content-Length: 5", "Content-Length: 6"], body),
            3 => RawHttp.Request("POST", right.Path, [key, json, "Content-Length: 99999999999999999999"], body),
            4 => RawHttp.Request("POST", right.Path, [key, json, "Content-Length: 2000000"], []),
            5 => RawHttp.Request("POST", right.Path, [key, json, "Content-Length: 5", "Transfer-Encoding: chunked"], body),
            6 => Chunked("zz\r\nbody\r\n0\r\n\r\n"),
            7 => Chunked("ffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
            8 => Chunked("2\r\n{}\r\n0\r\nX-Trailer: \0\r\n\r\n"),
            9 => RawHttp.Request(Of(["post", "P\u00d6ST", "", "GET POST", "TRACE", "CONNECT", "OPTIONS", "PUT", "PATCH"]), right.Path, [key], []),
            10 => Encoding.Latin1.GetBytes($"POST {right.Path} HTTP/{Of(["9.9", "0.9", "1.0", "x", ""])}\r\n{Of(["", "Host: a\r\n", "Host: a\r\nHost: b\r\n"])}\r\n"),
            _ => Bytes(random.Next(1, 2_000)),
        };
    }

    private byte[] Read()
    {
        var path = Route(random.Next(8) == 0 ? "DELETE" : "GET");
        return RawHttp.Request(path.Method, $"{Filled(path.Path)}?{Of(Queries)}&{Of(Queries)}", [$"Authorization: Bearer {Key(path.Path)}"], []);
    }

    private (string Method, string Path) Route(string method)
    {
        var some = routes.Where(r => r.Method == method).ToList();
        return some[random.Next(some.Count)];
    }

    private byte[] Post((string Method, string Path) route, byte[] body) => Post(Filled(route.Path), body);

    private byte[] Post(string path, byte[] body) => RawHttp.Post(path, random.Next(20) == 0 ? null : Key(path), body);

    /// <summary>Mostly the key of who may call that path: behind a closed gate no body is read.</summary>
    private string Key(string path)
    {
        var isOfSite = path.Contains("/redemptions", StringComparison.Ordinal) || path.Contains("/vouchers", StringComparison.Ordinal);
        return isOfSite == (random.Next(10) > 0) ? stage.SiteKey : stage.OperatorKey;
    }

    private string Filled(string path) => string.Join('/', path.Split('/').Select(
        part => part.StartsWith('{') ? Of(PathValues).Replace(" ", "%20", StringComparison.Ordinal) : part));

    /// <summary>A right request: of a pass of its own, so that an honest part of it can be done and no other pass is touched.</summary>
    private (string Path, JsonObject Body) Template()
    {
        var wish = passes.Next();
        var redemption = JsonSerializer.SerializeToNode(wish.Body)!.AsObject();
        switch (random.Next(8))
        {
            case 0:
                return ("/api/v1/vouchers/check", new JsonObject { ["code"] = wish.Code });
            case 1:
                return ("/api/v1/organisations", Object(new { kind = "structure", name = "Association", siret = "12345678901234" }));
            case 2:
                return ("/api/v1/funds-receipts", Object(new
                {
                    conventionId = Guid.Empty,
                    funder = "x",
                    amountCents = 1,
                    faceValueCents = 1,
                    receivedOn = "2026-11-23",
                    bankReference = "y",
                }));
            case 3:
                return ("/api/v1/conventions", Object(Stage.Terms("12345678901234", new(2026, 11, 23), 10)));
            case 4:
                redemption.Remove("code");
                redemption["codes"] = new JsonArray(wish.Code);
                return ("/api/v1/redemptions", redemption);
            case 5:
                return ($"/api/v1/redemptions/{Guid.Empty}/reversal", new JsonObject { ["reason"] = "erreur" });
            default:
                return ("/api/v1/redemptions", redemption);
        }
    }

    private static JsonObject Object(object body) => JsonSerializer.SerializeToNode(body)!.AsObject();

    private static string FirstName(JsonObject body) => body.First().Key;

    private static string Nested(int depth)
    {
        var open = depth % 2 == 0 ? "[" : "{\"a\":";
        return string.Concat(Enumerable.Repeat(open, depth));
    }

    private string Long(JsonObject body)
    {
        var name = FirstName(body);
        body[name] = new string(Of(["a", "é", "\\", "\""])[0], random.Next(1_000, random.Next(8) == 0 ? 1_200_000 : 60_000));
        return body.ToJsonString();
    }

    private byte[] BadUtf8(string text)
    {
        byte[][] bad = [[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xFF], [0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]];
        var bytes = Encoding.UTF8.GetBytes(text);
        var at = random.Next(bytes.Length);
        return [.. bytes[..at], .. bad[random.Next(bad.Length)], .. bytes[at..]];
    }

    private byte[] Flipped(byte[] bytes)
    {
        for (var flips = random.Next(1, 6); flips > 0; flips--) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return bytes;
    }

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private string Of(string[] list) => list[random.Next(list.Length)];

    [GeneratedRegex("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")]
    private static partial Regex Uuid();
}

/// <summary>The members of a document, with the object that each is in.</summary>
internal static class JsonWalk
{
    public static IEnumerable<(JsonObject Parent, string Name)> Descend(this JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(m => m.Value.Descend().Prepend((members, m.Key))),
        JsonArray items => items.SelectMany(Descend),
        _ => [],
    };
}
