using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Reports;

/// <summary>The same facts at the same cut-off are the same bytes, whichever engine keeps them.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Server))]
internal sealed class EnginesAgreeTests(string engine)
{
    [Test]
    public async Task Every_report_of_the_demonstration_is_the_same_to_the_byte()
    {
        await using var embedded = await TestService.StartAsync(demo: true);
        await using var server = await TestService.StartAsync(engine, demo: true);
        var (last, other) = (await LastSealAsync(embedded), await LastSealAsync(server));
        Assert.That((other.Batch, other.Chain), Is.EqualTo((last.Batch, last.Chain)), "the seals differ");

        var demo = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(embedded.Folder, "demo.json"))).RootElement;
        using var here = await ClientAsync(embedded);
        using var there = await ClientAsync(server);
        var days = new[] { -1, -200, -500 }.Select(d => Scenario.Today.AddDays(d)).ToList();
        var compared = 0;
        foreach (var convention in demo.GetProperty("conventions").EnumerateArray())
        {
            var id = convention.GetProperty("id").GetString();
            foreach (var day in days)
            {
                foreach (var form in new[] { "", ".csv" })
                {
                    var path = $"reports/conventions/{id}{form}?asOf={day:yyyy-MM-dd}";
                    var (mine, theirs) = (await here.ReadAsync(path), await there.ReadAsync(path));
                    Assert.That(theirs.Body, Is.EqualTo(mine.Body), path);
                    if (mine.Status == 200) compared++;
                }
            }
        }

        Assert.That(compared, Is.GreaterThanOrEqualTo(49 * 2));
    }

    private static ValueTask<Seal> LastSealAsync(TestService service) =>
        service.Services.GetRequiredService<Database>().LastSealAsync();

    private static async Task<HttpClient> ClientAsync(TestService service)
    {
        var demo = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(service.Folder, "demo.json"))).RootElement;
        var auditor = demo.GetProperty("users").EnumerateArray().First(u => u.GetProperty("role").GetString() == "auditor");
        return service.Client(auditor.GetProperty("apiKey").GetString());
    }
}
