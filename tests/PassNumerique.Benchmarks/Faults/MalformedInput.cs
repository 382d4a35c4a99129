using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// Inputs that no client of ours would send, at every route, with keys of two roles: no answer in the 500s (but 505
/// to what is no HTTP/1), no detail of the inside in any refusal, and afterwards the service redeems and its store verifies.
/// </summary>
internal static partial class MalformedInput
{
    private const int AtOnce = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        await trial.StartAsync();
        var judge = new Judge([trial.Stage.OperatorKey, trial.Stage.SiteKey, trial.Store.Root]);
        var inputs = new MalformedBodies(dose.Random(1), trial.Stage, trial.Passes, await RoutesAsync(trial.Till.Client));
        foreach (var batch in Enumerable.Range(0, dose.Cycles).Chunk(256))
        {
            // Made one after the other, so that the same seed makes the same inputs; sent many at once.
            var requests = batch.Select(_ => inputs.Next(trial.Log)).ToList();
            await Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
                async (request, _) => judge.Hear(request, await RawHttp.AskAsync(trial.Service.Port, request, Patience)));
            if (trial.Service.HasEnded) break;
        }

        foreach (var fault in judge.Faults) trial.Blame(fault);
        if (judge.Broken > 0) trial.Blame($"the service's last words: {trial.Service.LastLines}");
        await trial.RedeemAsync(TimeSpan.FromMilliseconds(200));
        if (trial.Log.Acknowledged.Count == 0) trial.Blame("nobody can redeem any more");
        await trial.FinishAsync();
        return new($"{dose.Cycles} inputs: {judge.Counts}", trial.Faults, PlantedControl());
    }

    /// <summary>Every path that the service documents.</summary>
    private static async Task<IReadOnlyList<(string Method, string Path)>> RoutesAsync(HttpClient client)
    {
        var document = await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        return
        [
            .. document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()
                .Where(m => m.Name is "get" or "post" or "delete" or "put" or "patch")
                .Select(method => (method.Name.ToUpperInvariant(), path.Name))),
        ];
    }

    /// <summary>What must never be answered, put before the same judge.</summary>
    private static Control PlantedControl()
    {
        const string secret = "a secret of the store";
        var judge = new Judge([secret]);
        judge.Hear([], new(400, "at PassNumerique.Platform.Json.Read(ReadOnlyMemory`1 body) in Json.cs:line 62"));
        judge.Hear([], new(404, $"{{\"detail\":\"{secret}\"}}"));
        judge.Hear([], new(500, "{\"type\":\"urn:pass-numerique:internal-error\"}"));
        judge.Hear([], new(400, "{\"type\":\"urn:pass-numerique:invalid-request\"}"));
        return new("a trace, a key and a 500 among the answers", judge is { Leaks: 2, Broken: 1, Faults.Count: 3 },
            string.Create(CultureInfo.InvariantCulture, $"{judge.Leaks} leaks, {judge.Broken} in the 500s"));
    }

    /// <summary>Counts answers, and keeps those that should not have been given.</summary>
    internal sealed class Judge(IReadOnlyList<string> secrets)
    {
        private const int Kept = 8;
        private const int BodyShown = 500;
        private readonly Lock _lock = new();
        private readonly SortedDictionary<int, int> _statuses = [];
        private readonly List<string> _broken = [];
        private readonly List<string> _leaks = [];

        public int Leaks { get; private set; }

        public int Broken { get; private set; }

        public IReadOnlyList<string> Faults => [.. _leaks, .. _broken];

        public string Counts => string.Create(CultureInfo.InvariantCulture,
            $"{Broken} in the 500s, {Leaks} with a detail; ") + string.Join(", ", _statuses.Select(
                s => string.Create(CultureInfo.InvariantCulture, $"{(s.Key == 0 ? "closed" : s.Key)} {s.Value}")));

        public void Hear(byte[] request, RawAnswer? answer)
        {
            lock (_lock)
            {
                var status = answer?.Status ?? 0;
                _statuses[status] = _statuses.GetValueOrDefault(status) + 1;
                if (answer is null) return;
                // What a 200 holds is what was asked for: the journal names its tables.
                var leak = status >= 400 ? Detail().Match(answer.Text).Value : "";
                if (leak.Length == 0) leak = secrets.FirstOrDefault(s => answer.Text.Contains(s, StringComparison.Ordinal)) ?? "";
                if (leak.Length > 0 && ++Leaks <= Kept) _leaks.Add(Tell(request, answer, leak));
                if (status >= 500 && !IsOfAnotherVersion(request, status) && ++Broken <= Kept) _broken.Add(Tell(request, answer, ""));
            }
        }

        /// <summary>505 is HTTP's own word for a request that is of no version it knows: the client's fault, with that number.</summary>
        private static bool IsOfAnotherVersion(byte[] request, int status) =>
            status == 505 && request.AsSpan(0, Math.Max(0, request.AsSpan().IndexOf("\r\n"u8))).IndexOf(" HTTP/1."u8) < 0;

        private static string Tell(byte[] request, RawAnswer answer, string leak)
        {
            var text = System.Text.Encoding.Latin1.GetString(request.AsSpan(0, Math.Min(request.Length, 1_200)));
            var body = answer.Text[(answer.Text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 1)..].Trim();
            return $"{answer.Status} {leak} to <<{text}>>: {body[..Math.Min(body.Length, BodyShown)]}";
        }
    }

    /// <summary>A trace, a type, a statement, a table, a path: what an answer has no business to hold.</summary>
    [GeneratedRegex(@"\bat \w+(\.\w+)+|Exception|\bMicrosoft\.|\bSystem\.[A-Z]|\bPassNumerique\.|SQLite|Sqlite"
        + @"|\bSELECT\b|INSERT INTO|voucher_entries|\.cs\b|`\d|/(home|root|usr|tmp)/")]
    private static partial Regex Detail();
}
