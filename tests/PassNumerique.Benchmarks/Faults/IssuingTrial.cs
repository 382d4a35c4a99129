using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using PassNumerique.Audit;
using PassNumerique.Platform;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>What somebody wants issued: an order by itself or by file, told apart by its wave.</summary>
internal sealed record OrderWish(string Wave, long Passes, string? File)
{
    public string? OrderId { get; set; }

    public bool IsCut { get; set; }
}

/// <summary>A print file as far as it came, with the tag by which it goes on.</summary>
internal sealed record PrintWish(string OrderId)
{
    public MemoryStream Bytes { get; } = new();

    public EntityTagHeaderValue? Tag { get; set; }

    public long Total { get; set; }

    public int Parts { get; set; }

    public bool IsJudged { get; set; }

    public bool IsOpen => !IsJudged && (Total == 0 || Bytes.Length < Total);
}

/// <summary>A store on which orders are placed and printed by a service that dies meanwhile.</summary>
internal sealed class IssuingTrial : IDisposable
{
    public const int Points = 400;
    private const long VouchersPerBooklet = 10;
    private const long PrintBooklets = 4_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Workbench _bench;
    private readonly StoreFolder _store;
    private readonly Stage _stage;
    private readonly Random _random;
    private readonly List<OrderWish> _wishes = [];
    private readonly List<PrintWish> _prints = [];
    private readonly List<string> _faults = [];
    private readonly List<string> _points = [];
    private RunningService _service = null!;
    private HttpClient _client = null!;
    private string _convention = "";
    private long _printed;
    private int _resumed;

    private IssuingTrial(Workbench bench, StoreFolder store, Stage stage, Random random) =>
        (_bench, _store, _stage, _random) = (bench, store, stage, random);

    public IReadOnlyList<string> Faults => _faults;

    public string Counts => string.Create(CultureInfo.InvariantCulture,
        $"{_wishes.Count(w => w.File is null)} orders and {_wishes.Count(w => w.File is not null)} files, "
        + $"{_wishes.Count(w => w.IsCut)} of them cut off and asked again, {_printed} passes printed in "
        + $"{_prints.Count} files, gone on with {_resumed} times");

    public static async Task<IssuingTrial> OnNewStoreAsync(Workbench bench, Random random)
    {
        var (store, stage) = await bench.NewStoreAsync();
        var trial = new IssuingTrial(bench, store, stage, random);
        await trial.StartAsync();
        await trial.SetAsync();
        return trial;
    }

    public async Task StartAsync()
    {
        _client?.Dispose();
        _service?.Dispose();
        _service = await _bench.Program.StartAsync(_store.Environment());
        _client = Stage.Client(_service, _stage.OperatorKey);
    }

    /// <summary>Does the same again and again until the service is killed, that long after the first.</summary>
    public async Task DieWhileAsync(Func<Task> work, TimeSpan after)
    {
        var death = Task.Run(async () =>
        {
            await Task.Delay(after);
            _service.Kill();
        });
        try
        {
            while (!death.IsCompleted) await work();
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or TaskCanceledException)
        {
            // Cut off: what was asked and not answered is asked again.
        }

        await death;
    }

    public async Task OrderAsync()
    {
        var wish = Wish(_random.Next(4) == 0 ? 1_000_000 : _random.Next(1, 100) * VouchersPerBooklet, file: null);
        await AskAsync(wish);
    }

    public async Task SendFileAsync(int points)
    {
        var (file, booklets) = (new StringBuilder("point;carnets\n"), 0L);
        foreach (var point in _points.Take(points))
        {
            var count = _random.Next(1, 4);
            file.Append(CultureInfo.InvariantCulture, $"{point};{count}\n");
            booklets += count;
        }

        await AskAsync(Wish(booklets * VouchersPerBooklet, file.ToString()));
    }

    /// <summary>Goes on with a print file that broke off, or begins another one.</summary>
    public async Task PrintAsync()
    {
        if (_prints.FirstOrDefault(p => p.IsOpen) is { } open)
        {
            await ReadAsync(open);
            return;
        }

        var wish = Wish(PrintBooklets * VouchersPerBooklet, file: null);
        await AskAsync(wish);
        await Stage.MadeAsync(_client, $"orders/{wish.OrderId}/approval", new { });
        _prints.Add(new(wish.OrderId!));
        await ReadAsync(_prints[^1]);
    }

    /// <summary>Whoever got no answer asks again, and in the end all is as it was wanted.</summary>
    public async Task AskAgainAsync(bool prints)
    {
        foreach (var wish in _wishes.Where(w => w.OrderId is null)) await AskAsync(wish);
        foreach (var print in _prints.Where(p => prints && p.IsOpen)) await ReadAsync(print);
        foreach (var print in _prints.Where(p => p is { IsOpen: false, IsJudged: false })) Judge(print);
    }

    /// <summary>Beside the service: every wish that was answered is there once, and nothing else.</summary>
    public void Check()
    {
        foreach (var fault in IssuingCheck.Run(_store.Store, _wishes)) Blame(fault);
    }

    public async Task FinishAsync()
    {
        foreach (var print in _prints.Where(p => !p.IsJudged)) Blame($"the print file of {print.OrderId} is not whole");
        _service.Send(Signal.Terminate);
        if (await _service.EndAsync(Patience) is var code && code != 0) Blame($"the service ended with {code}: {_service.LastLines}");
        Check();
        if (IssuingCheck.Staged(_store.Store) is var staged && staged > 0) Blame($"{staged} staged lines are left");
        if (await _bench.VerifyAsync(_store) is { } fault) Blame(fault);
    }

    /// <summary>
    /// Copies of the closed store, one with a lot taken away and one with a second order of a file, and a print
    /// file with a line that came twice: each must be told.
    /// </summary>
    public async Task<Control> PlantAsync()
    {
        var victim = _wishes.FirstOrDefault(w => w.File is not null && w.OrderId is not null) ?? _wishes.First(w => w.OrderId is not null);
        var told = new List<string>();
        foreach (var sql in IssuingCheck.Plants(victim.OrderId!))
        {
            var copy = _bench.CopyOf(_store);
            using (var connection = StoreCheck.Open(copy.Store, readOnly: false)) StoreCheck.Execute(connection, sql);
            var seen = IssuingCheck.Run(copy.Store, _wishes).Count;
            var verdict = await _bench.VerifyAsync(copy);
            Directory.Delete(copy.Root, recursive: true);
            told.Add(seen > 0 && verdict is not null ? "told" : $"checker {seen}, verify {(verdict is null ? "says nothing" : "tells")}");
        }

        var bytes = Encoding.UTF8.GetBytes("header\r\n1,a\r\n2,b\r\n2,b\r\n3,c\r\n");
        told.Add(IssuingCheck.FirstWrong(bytes, 1, 3, serial => $"{serial},{(char)('a' + serial - 1)}") is null ? "print file not told" : "told");
        return new("a lot taken away, a second order of a file, a print file with a line twice",
            told.TrueForAll(t => t == "told"), string.Join("; ", told));
    }

    public void Dispose()
    {
        _client?.Dispose();
        _service?.Dispose();
    }

    private async Task SetAsync()
    {
        var today = Clock.ParisDay(TimeProvider.System.NowMs()).ToDate();
        var siret = DemoNames.Siret(3);
        var authority = await Stage.MadeAsync(_client, "organisations", new { kind = "authority", name = "Collectivité des commandes", siret });
        var terms = JsonSerializer.SerializeToNode(Stage.Terms(siret, today, passes: 1))!.AsObject();
        (terms["reference"], terms["faceValueCents"], terms["budgetCents"]) = ("ESSAI-COMMANDES", 1, 1_000_000_000);
        _convention = Id(await Stage.MadeAsync(_client, "conventions", terms));
        for (var i = 0; i < Points; i++)
        {
            _points.Add(Id(await Stage.MadeAsync(_client, "distribution-points", new
            {
                name = $"Point {i}",
                channel = "ccas",
                address = "1 rue de l'Essai",
                commune = "51454",
                authorityId = Id(authority),
            })));
        }
    }

    private OrderWish Wish(long passes, string? file)
    {
        var wish = new OrderWish(string.Create(CultureInfo.InvariantCulture, $"{_wishes.Count:000000}"), passes, file);
        _wishes.Add(wish);
        return wish;
    }

    /// <summary>Until there is an order. A cut that comes meanwhile is the caller's to see.</summary>
    private async Task AskAsync(OrderWish wish)
    {
        var isAnswered = false;
        try
        {
            wish.OrderId = wish.File is null ? await PlaceAsync(wish) : await UploadAsync(wish);
            isAnswered = true;
        }
        finally
        {
            wish.IsCut |= !isAnswered;
        }
    }

    private async Task<string> PlaceAsync(OrderWish wish)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "orders");
        request.Headers.Add("Idempotency-Key", wish.Wave);
        request.Content = JsonContent.Create(new
        {
            conventionId = _convention,
            booklets = wish.Passes / VouchersPerBooklet,
            vouchersPerBooklet = VouchersPerBooklet,
            validUntil = "2099-12-31",
            distributionPoints = new[] { new { id = _points[0], booklets = wish.Passes / VouchersPerBooklet } },
            wave = wish.Wave,
        });
        var (status, body) = await SendAsync(request);
        if (status == 201) return Id(body);
        throw Broken(wish, status, body);
    }

    private async Task<string> UploadAsync(OrderWish wish)
    {
        for (var since = DateTime.UtcNow; ;)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post,
                $"orders/file?conventionId={_convention}&vouchersPerBooklet={VouchersPerBooklet}&validUntil=2099-12-31&dryRun=false&wave={wish.Wave}");
            request.Content = new StringContent(wish.File!, Encoding.UTF8, "text/csv");
            var (status, body) = await SendAsync(request);
            if (status == 200) return body.GetProperty("orderId").GetString()!;
            if (status != 202) throw Broken(wish, status, body);
            var job = await OverAsync(body.GetProperty("jobId").GetString()!);
            if (job.GetProperty("state").GetString() == "done") return job.GetProperty("link").GetString()!.Split('/')[^1];
            if (job.GetProperty("errorCode").GetString() != "order-file-incomplete" || DateTime.UtcNow - since > Patience)
                throw Broken(wish, status, job);
        }
    }

    private async Task<JsonElement> OverAsync(string jobId)
    {
        for (var since = DateTime.UtcNow; ; await Task.Delay(5))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"jobs/{jobId}");
            var (status, job) = await SendAsync(request);
            if (status == 200 && job.GetProperty("state").GetString() is "done" or "failed") return job;
            if (DateTime.UtcNow - since > Patience) throw new InvalidOperationException($"job {jobId} is never over: {job}");
        }
    }

    /// <summary>From where it broke off, in bites, until its end or until the connection breaks.</summary>
    private async Task ReadAsync(PrintWish print)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"orders/{print.OrderId}/vouchers.csv");
        if (print.Tag is not null)
        {
            request.Headers.Range = new RangeHeaderValue(print.Bytes.Length, null);
            request.Headers.IfRange = new RangeConditionHeaderValue(print.Tag);
        }

        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable) return;
        if (print.Tag is null && response.StatusCode == HttpStatusCode.Conflict)
        {
            await FindAgainAsync(print);
            return;
        }

        var expected = print.Tag is null ? HttpStatusCode.OK : HttpStatusCode.PartialContent;
        if (response.StatusCode != expected)
        {
            Blame($"the print file of {print.OrderId} at byte {print.Bytes.Length} of {print.Total}: {await response.Content.ReadAsStringAsync()}");
            return;
        }

        (print.Tag, print.Parts) = (response.Headers.ETag, print.Parts + 1);
        if (print.Parts > 1) _resumed++;
        print.Total = response.Content.Headers.ContentRange?.Length ?? response.Content.Headers.ContentLength!.Value;
        await using var stream = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[32_768];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;) print.Bytes.Write(buffer, 0, read);
    }

    /// <summary>Killed after the export was on record and before its tag was told: the job knows where it goes on.</summary>
    private async Task FindAgainAsync(PrintWish print)
    {
        var page = await _client.GetFromJsonAsync<JsonElement>($"orders/{print.OrderId}/code-exports");
        var export = page.GetProperty("items").EnumerateArray().Last();
        using var response = await _client.GetAsync($"orders/{print.OrderId}/code-exports/{Id(export)}/file");
        if (!response.IsSuccessStatusCode)
        {
            Blame($"the export of {print.OrderId} can't be gone on with: {await response.Content.ReadAsStringAsync()}");
            return;
        }

        (print.Tag, print.Total) = (response.Headers.ETag, response.Content.Headers.ContentLength!.Value);
        await response.Content.CopyToAsync(print.Bytes);
        _resumed++;
    }

    private void Judge(PrintWish print)
    {
        var order = IssuingCheck.OrderOf(_store.Store, print.OrderId);
        if (IssuingCheck.FirstWrong(print.Bytes.ToArray(), order.FirstSerial, order.LastSerial, order.Line(_stage)) is { } wrong)
            Blame($"the print file of {print.OrderId} in {print.Parts} parts: {wrong}");
        _printed += order.LastSerial - order.FirstSerial + 1;
        print.Bytes.Dispose();
        print.IsJudged = true;
    }

    private async Task<(int Status, JsonElement Body)> SendAsync(HttpRequestMessage request)
    {
        using var response = await _client.SendAsync(request);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    private static InvalidOperationException Broken(OrderWish wish, int status, JsonElement body) =>
        new($"wish {wish.Wave} was answered {status} {body}");

    private static string Id(JsonElement made) => made.GetProperty("id").GetString()!;

    private void Blame(string fault)
    {
        if (_faults.Count < 8) _faults.Add(fault);
    }
}
