using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace PassNumerique.Benchmarks;

/// <summary>What one run of wrk saw. Latencies in milliseconds, from the sent request to its whole answer.</summary>
internal sealed record WrkResult(long Answers, long Refused, long Broken, double Seconds, double MedianMs, double P99Ms)
{
    /// <summary>Processor time of the service for one answer.</summary>
    public double ProcessorUs { get; init; }

    /// <summary>What the store recorded meanwhile, by its seals, once all connections were open.</summary>
    public double RecordedPerSecond { get; init; }

    /// <summary>Answers of status 503, where they were counted.</summary>
    public long Unavailable { get; init; }

    /// <summary>Answers of any status a second.</summary>
    public double PerSecond => Answers / Seconds;
}

/// <summary>Requests of one shape: the text before, between and after the values that change from one to the next.
/// </summary>
/// <param name="Path">Of the request, with its leading slash.</param>
/// <param name="ValuesFile">One line a request: code, operation and key, each without blanks.</param>
/// <param name="DelayMs">Between an answer and the next request, on average.</param>
/// <param name="CountsUnavailable">Whether each answer is looked at for the status 503, which costs wrk time.</param>
internal sealed record WrkRequests(string Path, string ValuesFile, double DelayMs = 0, bool CountsUnavailable = false);

/// <summary>
/// Drives wrk, which keeps a fixed number of connections busy. One thread of it is enough, and leaves the rest
/// of the machine to the service.
/// </summary>
internal static class Wrk
{
    /// <summary>A redemption as a till sends it; the three values are the same length in every request.</summary>
    private const string Body =
        "{\"operationId\":\"%s\",\"code\":\"%s\",\"service\":\"" + SpentStore.Service
        + "\",\"activity\":{\"kind\":\"individuel\",\"durationMinutes\":60},\"firstVisit\":\"no\"}";

    /// <summary>The body of one request.</summary>
    public static string BodyOf(string code, string operation) =>
        string.Join("", Body.Split("%s").Zip((string[])[operation, code, ""], (text, value) => text + value));

    public static async Task<WrkResult> RunAsync(
        int port, WrkRequests requests, int connections, int seconds, string work)
    {
        var script = System.IO.Path.Combine(work, "requests.lua");
        await File.WriteAllTextAsync(script, Script(port, requests));
        var start = new ProcessStartInfo("wrk") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
            ["-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "30s", "-s", script, $"http://127.0.0.1:{port}"])
            start.ArgumentList.Add(argument);
        using var wrk = Process.Start(start)!;
        var errors = wrk.StandardError.ReadToEndAsync();
        var output = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();
        var line = output.Split('\n').FirstOrDefault(l => l.StartsWith("result ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"wrk said nothing: {output}{await errors}");
        var numbers = line.Split(' ').Skip(1)
            .Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new((long)numbers[0], (long)numbers[1], (long)numbers[2],
            numbers[3] / 1e6, numbers[4] / 1e3, numbers[5] / 1e3)
        {
            Unavailable = (long)numbers[6],
        };
    }

    /// <summary>
    /// The values stay one text of lines of one width: as a table of lines they would cost wrk, which shares the
    /// processors, a walk by its collector through all of them, again and again.
    /// </summary>
    private static string Script(int port, WrkRequests requests)
    {
        var parts = Body.Split("%s");
        var length = parts.Sum(Encoding.UTF8.GetByteCount) + CodeLength + OperationLength;
        var delay = requests.DelayMs <= 0 ? "" : string.Create(CultureInfo.InvariantCulture, $$"""
            function delay() return math.random() * {{2 * requests.DelayMs}} end
            """);
        var response = !requests.CountsUnavailable ? "" : """
            function response(status) if status == 503 then unavailable = unavailable + 1 end end
            """;
        return $$"""
            local head = "POST {{requests.Path}} HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nContent-Type: application/json\r\n"
              .. "Content-Length: {{length}}\r\nAuthorization: Bearer "
            local before, between, after = [[{{parts[0]}}]], [[{{parts[1]}}]], [[{{parts[2]}}]]
            local lines, width, at
            local sub = string.sub
            function init(args)
              local file = io.open("{{requests.ValuesFile}}")
              lines = file:read("*a")
              file:close()
              width = string.find(lines, "\n", 1, true)
              at = 1 - width
            end
            local only
            unavailable = 0
            function setup(thread) only = thread end
            {{delay}}
            {{response}}
            function request()
              at = at + width
              if at > #lines then at = 1 end
              return head .. sub(lines, at + {{CodeLength + OperationLength + 2}}, at + width - 2) .. "\r\n\r\n" .. before
                .. sub(lines, at + {{CodeLength + 1}}, at + {{CodeLength + OperationLength}}) .. between
                .. sub(lines, at, at + {{CodeLength - 1}}) .. after
            end
            function done(summary, latency, requests)
              local e = summary.errors
              io.write(string.format("result %d %d %d %d %d %d %d\n", summary.requests, e.status,
                e.connect + e.read + e.write + e.timeout, summary.duration,
                latency:percentile(50), latency:percentile(99), only:get("unavailable")))
            end
            """;
    }

    private const int CodeLength = 20;
    private const int OperationLength = 36;
}
