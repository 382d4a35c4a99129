using System.IO.Compression;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class CodeImagesTests(string engine)
{
    private TestService _service = null!;
    private ConventionWorld _world = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _world = await ConventionWorld.CreateAsync(_service);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [TestCase("codes.zip", ".png")]
    [TestCase("codes-svg.zip", ".svg")]
    public async Task Every_pass_has_its_picture_under_its_serial(string file, string extension)
    {
        var (order, first) = await ApprovedAsync();
        using var zip = await ReadAsync(_world.Authority, order, file);
        Assert.That(zip.Entries.Select(e => e.FullName), Is.EqualTo(Enumerable.Range(0, 15).Select(i =>
            $"{(i < 5 ? "001-mairie" : "002-1-1-ccas-sud")}/carnet-{first + (i / 5 * 5)}/{first + i}{extension}")));
        Assert.That(zip.Entries.Select(Read).Distinct().Count(), Is.EqualTo(15), "each pass has a code of its own");
        Assert.That(zip.Entries.Select(e => e.FullName), Has.None.Matches("[0-9A-Z]{20}"));
    }

    [Test]
    public async Task Who_took_the_pictures_is_on_record()
    {
        var (order, _) = await ApprovedAsync();
        using var _ = await ReadAsync(_world.Authority, order, "codes.zip");
        Assert.That(await _service.QueryAsync<string>(
            "SELECT kind FROM code_exports WHERE order_id = @Id ORDER BY id", new { Id = order }),
            Is.EqualTo(new[] { "png" }));
    }

    /// <summary>Where <c>zbarimg</c> is: the pictures are read by somebody else, and say what the sheet says.</summary>
    [Test]
    public async Task A_picture_is_read_as_the_code_of_its_pass()
    {
        if (!File.Exists("/usr/bin/zbarimg")) Assert.Ignore("zbarimg is not here: install zbar-tools");
        var (order, first) = await ApprovedAsync();
        using var zip = await ReadAsync(_world.Authority, order, "codes.zip");
        var asked = Scenario.Ok(await _world.Operator.PostAsync($"orders/{order}/reprints", new { reason = "Essai", kind = "csv" }));
        Scenario.Ok(await _world.Authority.PostAsync($"orders/{order}/reprints/{asked.Id}/confirmation", new { }));
        var sheet = await _world.Operator.ReadAsync($"orders/{order}/vouchers.csv");
        var codes = sheet.Body.Split("\r\n")[1..^1].ToDictionary(l => l.Split(',')[0], l => l.Split(',')[4]);
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.Data);
        foreach (var entry in zip.Entries)
        {
            var file = Path.Combine(folder.Data, entry.Name);
            entry.ExtractToFile(file);
            Assert.That(await ZbarAsync(file), Is.EqualTo(codes[Path.GetFileNameWithoutExtension(file)]));
        }

        Assert.That(codes, Contains.Key($"{first}"));
    }

    [Test]
    public async Task Pictures_are_as_secret_as_the_codes()
    {
        var order = (await _world.PlaceAsync()).Id;
        var early = await _world.Authority.ReadAsync($"orders/{order}/codes.zip");
        Assert.That((early.Status, early.Problem), Is.EqualTo((409, "codes-not-available")));
        await _world.AdvanceAsync(order, through: "approval");
        var other = await ConventionWorld.CreateAsync(_service);
        Assert.That((await other.Authority.ReadAsync($"orders/{order}/codes.zip")).Problem, Is.EqualTo("not-found"));
        var state = await _world.ClientOfNewAsync("state");
        Assert.That((await state.ReadAsync($"orders/{order}/codes.zip")).Status, Is.EqualTo(403));
    }

    private async Task<(string Order, long First)> ApprovedAsync()
    {
        var order = Scenario.Ok(await _world.Authority.PostAsync("orders", new
        {
            conventionId = _world.ConventionId,
            booklets = 3,
            vouchersPerBooklet = 5,
            validUntil = ConventionWorld.Today.AddYears(1),
            distributionPoints = new[]
            {
                new { id = _world.Points[0], booklets = 1 },
                new { id = _world.Points[1], booklets = 2 },
            },
        }));
        await _world.AdvanceAsync(order.Id, through: "approval");
        return (order.Id, order["firstSerial"].GetInt64());
    }

    private static async Task<ZipArchive> ReadAsync(HttpClient client, string order, string file)
    {
        using var response = await client.GetAsync($"orders/{order}/{file}");
        Assert.That(((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType), Is.EqualTo((200, "application/zip")));
        Assert.That(response.Headers.CacheControl!.NoStore, Is.True);
        return new(new MemoryStream(await response.Content.ReadAsByteArrayAsync()));
    }

    private static string Read(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        Assert.That(StoredZip.Crc32(copy.ToArray()), Is.EqualTo(entry.Crc32));
        return Convert.ToBase64String(copy.ToArray());
    }

    private static async Task<string> ZbarAsync(string file)
    {
        using var zbar = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "/usr/bin/zbarimg", ["--quiet", "--raw", file])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = await zbar.StandardOutput.ReadToEndAsync();
        await zbar.WaitForExitAsync();
        return text.Trim();
    }
}
