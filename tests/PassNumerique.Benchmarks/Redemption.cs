using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Data.Sqlite;
using PassNumerique.Benchmarks.Faults;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Redemptions a second over HTTP, against what a database server does on this machine in the same minutes:
/// pgbench's own simple-update, and a script with the work of a redemption. Both sides wait for their disk, say
/// so themselves, and take turns. The service's own empty route tells how much of it is HTTP.
/// </summary>
internal static class Redemption
{
    private const int Scale = 50;
    private const long Spent = 200_000;
    private const long Unspent = 4_000_000;
    private const int MaxPerSecond = 30_000;
    private const int MaxLosersPerSecond = 90_000;

    /// <summary>Sixteen times as many as may wait for the writer.</summary>
    private const int Overload = 16 * GroupCommit.MaxWaiting;

    /// <summary>Of a round, at its begin: wrk opens its connections.</summary>
    private const int OpeningSeconds = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new Options(args, "--repetitions", "--seconds", "--clients", "--store", "--only", "--warm-up");
        var rounds = options.Number("--repetitions", 5, max: 100);
        var seconds = options.Number("--seconds", 6, max: 600);
        var clients = options.Number("--clients", 64, max: 1_024);
        var only = options.Text("--only", "");
        var warmUp = options.Number("--warm-up", 20, max: 600);
        var programs = Postgres.FindPrograms();
        if (programs is null || !IsThere("wrk") || !IsThere("psql"))
        {
            await Console.Error.WriteLineAsync(
                "redemption: needs wrk and PostgreSQL with pgbench; on Debian: apt-get install wrk postgresql");
            return 2;
        }

        var store = new StoreFolder(options.Text("--store", Path.Combine(Path.GetTempPath(), "pass-numerique-till")));
        await SpentStore.EnsureAsync(store, Spent, Unspent);
        // Not one of those that are closed to everybody else: PostgreSQL runs under an account of its own.
        var work = Path.Combine(Path.GetTempPath(), $"pass-numerique-redemption-{Environment.ProcessId}");
        Directory.CreateDirectory(work);
        try
        {
            await using var run = new Rounds(store.CopyTo(Path.Combine(work, "store")), work, clients, seconds);
            await run.StartAsync(programs);
            await run.WarmUpAsync((int)warmUp);
            await run.MeasureAsync(rounds, only);
            return 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static bool IsThere(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    private sealed class Rounds(StoreFolder store, string work, int clients, int seconds) : IAsyncDisposable
    {
        private readonly Tills _tills = new(store, work);
        private RunningService? _service;
        private Postgres? _postgres;
        private readonly List<double> _calmAgainMs = [];
        private string? _turnedAway;
        private Issuing? _issuing;
        private long _answered;
        private long _printed;
        private int _pgRound;

        public async Task StartAsync(string programs)
        {
            _service = await RunningService.StartAsync(
                Environment.ProcessPath!, store.Environment(), RedemptionHost.Name);
            _issuing = new Issuing(_service, store.Find($"SELECT id FROM conventions WHERE reference = '{SpentStore.OpenReference}'"),
                store.Find("SELECT id FROM distribution_points"));
            _postgres = await Postgres.StartAsync(programs, Path.Combine(work, "postgres"));
            await _postgres.InitialiseAsync(Scale);
            await _postgres.SqlAsync(PostgresTill.Schema(Unspent));
            await FlushAsync();
        }

        /// <summary>What was written before is on the disk before anybody waits for it.</summary>
        private static async Task FlushAsync()
        {
            using var sync = Process.Start("sync")!;
            await sync.WaitForExitAsync();
        }

        /// <summary>
        /// .NET compiles what runs often a second and a third time, on the same processors, for the first half minute
        /// of full load: of a service that runs for weeks it is no part.
        /// </summary>
        public async Task WarmUpAsync(int warmUpSeconds)
        {
            if (warmUpSeconds == 0) return;
            await WrkAsync(RedemptionHost.EmptyPath, clients, warmUpSeconds);
            await WrkAsync("/api/v1/redemptions", clients, warmUpSeconds);
            await LosersAsync(warmUpSeconds);
        }

        public async Task MeasureAsync(int rounds, string only)
        {
            Console.WriteLine(Measurement.Machine());
            Console.WriteLine($"Load average before: {Measurement.Load()}");
            var commit = Disk.MedianCommitMs(work);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fdatasync of 4 KiB, median: {commit:0.000} ms"));
            Console.WriteLine($"PostgreSQL: {await _postgres!.DurabilityAsync()}");
            Console.WriteLine($"Pass numérique: {await _service!.GetAsync("/health/ready")}");
            Subject<WrkResult>[] subjects =
            [
                new("pgbench simple-update", () => PgAsync("-N")),
                new("pgbench simple-update, prepared", () => PgAsync("-N", "-M", "prepared")),
                new("pgbench, same work, prepared", PgSameAsync),
                new("empty route", () => WrkAsync(RedemptionHost.EmptyPath, clients, seconds)),
                new("redemption", () => WrkAsync("/api/v1/redemptions", clients, seconds)),
                new("redemption, operations in no order", () => WrkAsync("/api/v1/redemptions", clients, seconds, inOrder: false)),
                new("redemption, 1 connection", () => WrkAsync("/api/v1/redemptions", 1, seconds)),
                new("redemption, one code", () => LosersAsync(seconds)),
                new("redemption, while a million is issued", BesideIssuingAsync),
                new($"redemption, {Overload} connections", OverloadAsync),
            ];
            subjects = [.. subjects.Where(s => only.Length == 0 || only.Split(';').Contains(s.Name))];
            foreach (var subject in subjects) await subject.MeasureAsync();
            var samples = await Measurement.InterleaveAsync(rounds, subjects);
            Console.WriteLine($"Load average after:  {Measurement.Load()}");
            Print(rounds, subjects, samples);
            PrintOverload(subjects, samples);
            await HalfLoadAsync(subjects, samples, commit);
            await CheckAsync();
        }

        public async ValueTask DisposeAsync()
        {
            _service?.Dispose();
            if (_postgres is not null) await _postgres.DisposeAsync();
        }

        private async Task<WrkResult> PgAsync(params string[] options) =>
            new(0, 0, 0, 1, 0, 0) { Answers = (long)await _postgres!.BenchAsync(clients, seconds, options) };

        private async Task<WrkResult> PgSameAsync()
        {
            var script = Path.Combine(work, "same-work.sql");
            await File.WriteAllTextAsync(script, PostgresTill.Script(Unspent));
            return await PgAsync("-M", "prepared", "-f", script, "-D", $"start={_pgRound++ * 10_000}");
        }

        private async Task<WrkResult> WrkAsync(
            string path, int connections, int forSeconds, double delayMs = 0, bool inOrder = true, bool countsUnavailable = false)
        {
            var isEmpty = path == RedemptionHost.EmptyPath;
            var count = (long)forSeconds * MaxPerSecond / (connections == 1 ? 4 : 1);
            var values = await _tills.WriteAsync(isEmpty ? 10_000 : count, again: isEmpty, inOrder);
            var before = _service!.ProcessorTime;
            var recorded = isEmpty ? Task.FromResult(0.0) : RecordedPerSecondAsync(forSeconds);
            var result = await Wrk.RunAsync(
                _service.Port, new(path, values, delayMs, countsUnavailable), connections, forSeconds, work);
            var processor = _service.ProcessorTime - before;
            if (result.Broken > 0) throw new InvalidOperationException($"{result.Broken} requests had no answer.");
            if (!isEmpty)
            {
                ThrowIfAgain(result, count);
                _tills.GiveBack(count - result.Answers - connections);
                _answered += result.Answers - result.Refused;
            }

            return result with
            {
                ProcessorUs = processor.TotalMicroseconds / result.Answers,
                RecordedPerSecond = await recorded,
            };
        }

        /// <summary>64 clients on one code: one success, and everybody else learns that it is spent.</summary>
        private async Task<WrkResult> LosersAsync(int forSeconds)
        {
            var count = (long)forSeconds * MaxLosersPerSecond;
            var (values, serial) = await _tills.WriteOneAsync(count);
            var before = _service!.ProcessorTime;
            var result = await Wrk.RunAsync(_service.Port, new("/api/v1/redemptions", values), clients, forSeconds, work);
            ThrowIfAgain(result, count);
            var won = result.Answers - result.Refused;
            var entries = store.Find($"SELECT CAST(COUNT(*) AS text) FROM voucher_entries WHERE serial = {serial}");
            if (won != 1 || entries != "1")
                throw new InvalidOperationException($"Pass {serial} was redeemed {won} times, the store has {entries} entries of it.");
            _answered += won;
            return result with { ProcessorUs = (_service.ProcessorTime - before).TotalMicroseconds / result.Answers };
        }

        /// <summary>After its last line wrk begins anew, and an operation that comes again is answered as it was.</summary>
        private static void ThrowIfAgain(WrkResult result, long count)
        {
            if (result.Answers > count)
                throw new InvalidOperationException($"{result.Answers} answers to {count} prepared requests: prepare more.");
        }

        private async Task<WrkResult> BesideIssuingAsync()
        {
            using var stop = new CancellationTokenSource();
            var issuing = _issuing!.RunAsync(stop.Token);
            var result = await WrkAsync("/api/v1/redemptions", clients, seconds);
            await stop.CancelAsync();
            _printed += await issuing;
            return result;
        }

        /// <summary>
        /// Far more connections than commands may wait: what counts is the good answers, and how soon all is well. In a first
        /// round, which does not count, everything else is asked to be a 503.
        /// </summary>
        private async Task<WrkResult> OverloadAsync()
        {
            var result = await WrkAsync("/api/v1/redemptions", Overload, seconds, countsUnavailable: _turnedAway is null);
            if (_turnedAway is null && result.Refused != result.Unavailable)
                throw new InvalidOperationException($"{result.Refused} refusals under overload, {result.Unavailable} of them 503.");
            _turnedAway ??= $"{result.Answers} answers in a first round that does not count: {result.Unavailable} of status 503, "
                + "the others good";
            var watch = Stopwatch.StartNew();
            while (!await IsCalmAsync())
            {
                if (watch.Elapsed > TimeSpan.FromSeconds(30)) throw new TimeoutException("Busy long after the load has gone.");
            }

            _calmAgainMs.Add(watch.Elapsed.TotalMilliseconds);
            return result with { Answers = result.Answers - result.Refused, Refused = 0 };
        }

        /// <summary>Ten redemptions, each answered with 201 in less than 50 ms.</summary>
        private async Task<bool> IsCalmAsync()
        {
            var lines = await File.ReadAllLinesAsync(await _tills.WriteAsync(10, again: false));
            foreach (var line in lines)
            {
                var values = line.Split(' ');
                using var client = Stage.Client(_service!, values[2]);
                var watch = Stopwatch.StartNew();
                using var answer = await client.PostAsync("redemptions", new StringContent(
                    Wrk.BodyOf(values[0], values[1]), Encoding.UTF8, "application/json"));
                if (answer.StatusCode == HttpStatusCode.Created) _answered++;
                if (answer.StatusCode != HttpStatusCode.Created || watch.ElapsedMilliseconds >= 50) return false;
            }

            return true;
        }

        /// <summary>
        /// How far too many connections are answered; and what the store seals of them, beside its peak, once wrk has opened
        /// its connections.
        /// </summary>
        private void PrintOverload(Subject<WrkResult>[] subjects, IReadOnlyList<IReadOnlyList<WrkResult>> samples)
        {
            var (peak, overload) = (At("redemption"), At($"redemption, {Overload} connections"));
            if (overload < 0) return;
            Console.WriteLine();
            Console.WriteLine($"{Overload} connections: {_turnedAway}");
            Console.WriteLine($"  well again after the load: {Spread.Of(_calmAgainMs).Show("0")} ms; wanted: 2000");
            if (peak < 0 || seconds <= OpeningSeconds) return;
            double[] peaks = [.. samples[peak].Select(r => r.RecordedPerSecond)];
            double[] overloads = [.. samples[overload].Select(r => r.RecordedPerSecond)];
            Console.WriteLine(
                $"  facts sealed a second, after the first {OpeningSeconds}: {Spread.Of(overloads).Show("0")}, at the peak {Spread.Of(peaks).Show("0")}");
            Console.WriteLine($"  ratio at the server: {Measurement.Ratio(overloads, peaks).Show("0.00")}   goal 0.9");

            int At(string name) => Array.FindIndex(subjects, s => s.Name == name);
        }

        /// <summary>
        /// Facts that the store seals a second, from the end of the opening until that many seconds after now, which is still
        /// before the end of the load.
        /// </summary>
        private async Task<double> RecordedPerSecondAsync(int forSeconds)
        {
            if (forSeconds <= OpeningSeconds) return 0;
            await Task.Delay(TimeSpan.FromSeconds(OpeningSeconds));
            var watch = Stopwatch.StartNew();
            var before = LastBatch();
            await Task.Delay(TimeSpan.FromSeconds(forSeconds - OpeningSeconds));
            var last = LastBatch();
            var elapsed = watch.Elapsed.TotalSeconds;
            var facts = store.Find($"SELECT CAST(SUM(leaf_count) AS text) FROM seals WHERE batch > {before} AND batch <= {last}");
            return long.Parse(facts, CultureInfo.InvariantCulture) / elapsed;

            string LastBatch() => store.Find("SELECT CAST(MAX(batch) AS text) FROM seals");
        }

        private async Task HalfLoadAsync(
            Subject<WrkResult>[] subjects, IReadOnlyList<IReadOnlyList<WrkResult>> samples, double commitMs)
        {
            var at = Array.FindIndex(subjects, s => s.Name == "redemption");
            if (at < 0) return;
            var peak = Spread.Of(samples[at].Select(s => s.PerSecond)).Median;
            var results = new List<WrkResult>();

            // PostgreSQL has had its turns, and what it still has to bring to its tables would come between; so would
            // what the overload has left behind in memory, which a first round that does not count clears away.
            await _postgres!.DisposeAsync();
            _postgres = null;
            await FlushAsync();
            var first = await AtHalfLoadAsync(peak);
            for (var i = 0; i < samples[at].Count; i++)
                results.Add(await AtHalfLoadAsync(peak));
            var goal = Math.Max(10, 15 * commitMs);
            Console.WriteLine();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"At {Spread.Of(results.Select(r => r.PerSecond / peak)).Show("0.00")} of the peak: p99 {Spread.Of(results.Select(r => r.P99Ms)).Show("0.0")} ms, median {Spread.Of(results.Select(r => r.MedianMs)).Show("0.0")} ms; wanted: at most {goal:0.0} ms"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  in a first round that does not count: p99 {first.P99Ms:0.0} ms"));
        }

        private Task<WrkResult> AtHalfLoadAsync(double peak) =>
            WrkAsync("/api/v1/redemptions", clients, seconds, 1_000.0 * clients / (peak / 2));

        /// <summary>What wrk was told, and what the store holds.</summary>
        private async Task CheckAsync()
        {
            _service!.Dispose();
            _service = null;
            await using var connection = new SqliteConnection(
                $"Data Source={Path.Combine(store.Data, SqliteDatabase.FileName)};Pooling=False");
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT COUNT(*) FROM voucher_entries WHERE serial > {Spent}";
            var rows = (long)(await command.ExecuteScalarAsync())!;
            Console.WriteLine($"Answered: {_answered} redemptions; in the store: {rows} (wrk leaves some unanswered at its end).");
            if (rows < _answered) throw new InvalidOperationException("Answered redemptions are missing.");
        }

        private void Print(
            int rounds, Subject<WrkResult>[] subjects, IReadOnlyList<IReadOnlyList<WrkResult>> samples)
        {
            Console.WriteLine();
            Console.WriteLine($"A second: median (min–max) of {rounds} interleaved rounds; processor time of the service an answer");
            for (var i = 0; i < subjects.Length; i++)
            {
                var cpu = samples[i][0].ProcessorUs > 0 ? Spread.Of(samples[i].Select(s => s.ProcessorUs)).Show("0") + " µs" : "";
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {subjects[i].Name,-34} {Spread.Of(samples[i].Select(s => s.PerSecond)).Show("0"),-24} {cpu}"));
            }

            Console.WriteLine();
            Console.WriteLine("Ratios: of the medians (min–max within a round)");
            ShowRatio("redemption", "pgbench simple-update", "must 2.5, goal 4");
            ShowRatio("redemption", "pgbench simple-update, prepared", "");
            ShowRatio("redemption", "pgbench, same work, prepared", "must 1.3, goal 2");
            ShowRatio("redemption", "empty route", "must 0.15, goal 0.25");
            ShowRatio("redemption", "redemption, 1 connection", "must 3.5, goal 6");
            ShowRatio("redemption, one code", "empty route", "goal 0.6");
            ShowRatio("redemption, while a million is issued", "redemption", "goal 0.8");
            ShowRatio($"redemption, {Overload} connections", "redemption", "good answers only, by wrk, its connecting included");

            ShowP99("redemption");
            ShowP99("redemption, while a million is issued");
            if (_printed > 0) Console.WriteLine($"  printed meanwhile: {_printed} passes");

            void ShowP99(string of)
            {
                var at = Array.FindIndex(subjects, s => s.Name == of);
                if (at >= 0) Console.WriteLine($"  p99 of {of}: {Spread.Of(samples[at].Select(s => s.P99Ms)).Show("0.0")} ms");
            }

            void ShowRatio(string of, string to, string wanted)
            {
                var (a, b) = (Array.FindIndex(subjects, s => s.Name == of), Array.FindIndex(subjects, s => s.Name == to));
                if (a < 0 || b < 0) return;
                var ratio = Measurement.Ratio(
                    [.. samples[a].Select(s => s.PerSecond)], [.. samples[b].Select(s => s.PerSecond)]);
                Console.WriteLine($"  {of} ÷ {to}: {ratio.Show("0.00")}   {wanted}");
            }
        }
    }

    /// <summary>
    /// Codes nobody used yet, in no order, each with the key of a site and an operation: a UUID of version 7, as our pages
    /// make it, so that the operations of an organisation come in the order of their time; or a random one, of version 4.
    /// </summary>
    private sealed class Tills
    {
        private readonly string _work;
        private readonly KeyRing _keys;
        private readonly List<(long First, byte[] Salt)> _orders = [];
        private readonly long[] _serials;
        private long _next;

        public Tills(StoreFolder store, string work)
        {
            _work = work;
            _keys = KeyRing.Load(store.CodeKeyFile);
            using var connection = new SqliteConnection(
                $"Data Source={Path.Combine(store.Data, SqliteDatabase.FileName)};Pooling=False;Mode=ReadOnly");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT first_serial, salt FROM orders WHERE first_serial > {Spent} ORDER BY first_serial";
            using var reader = command.ExecuteReader();
            while (reader.Read()) _orders.Add((reader.GetInt64(0), (byte[])reader.GetValue(1)));
            _serials = new long[Unspent];
            for (var i = 0L; i < Unspent; i++) _serials[i] = Spent + 1 + i;
            new Random(7).Shuffle(_serials);
        }

        public async Task<string> WriteAsync(long count, bool again, bool inOrder = true)
        {
            if (_next + count > _serials.Length) throw new OptionException("no passes left: fewer repetitions, or seconds");
            var path = Path.Combine(_work, "values.txt");
            await using var file = new StreamWriter(path);
            for (var i = 0L; i < count; i++)
                await file.WriteLineAsync(Line(_serials[_next + i], (int)(i % SpentStore.Sites), inOrder));
            if (!again) _next += count;
            return path;
        }

        public async Task<(string Path, long Serial)> WriteOneAsync(long count)
        {
            var path = Path.Combine(_work, "values.txt");
            var serial = _serials[_next++];
            await using var file = new StreamWriter(path);
            for (var i = 0L; i < count; i++) await file.WriteLineAsync(Line(serial, (int)(i % SpentStore.Sites)));
            return (path, serial);
        }

        /// <summary>Those that were written and not sent; wrk takes them in order, and leaves some under way.</summary>
        public void GiveBack(long count) => _next -= Math.Max(0, count - 2_000);

        private string Line(long serial, int site, bool inOrder = true)
        {
            var order = _orders[(int)((serial - Spent - 1) / SpentStore.VouchersPerOrder)];
            var code = VoucherCode.Compose(_keys.Derive(1, KeyLabel.Code), 1, serial, order.Salt);
            return $"{code} {(inOrder ? Guid.CreateVersion7() : Guid.NewGuid())} {SpentStore.SiteKey(site)}";
        }
    }
}
