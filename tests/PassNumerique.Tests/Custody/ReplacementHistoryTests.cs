using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Tests.Audit;

namespace PassNumerique.Tests.Custody;

/// <summary>
/// Whatever happens in whatever order – scans, reversals, losses, returns, blocks – an issued pass and all the papers
/// that ever stood for it give no more than its face and its credit, the classes of the report sum to what was issued,
/// and verify agrees.
/// </summary>
internal sealed class ReplacementHistoryTests
{
    private const int Seeds = 6;
    private const int Steps = 60;

    [Test]
    public async Task A_pass_and_its_replacements_are_never_worth_twice([Range(1, Seeds)] int seed)
    {
        using var folder = new TestFolder();
        string conventionId;
        await using (var service = await TestService.StartAsync(folder: folder.Data))
        {
            var scenario = await Scenario.CreateAsync(service, booklets: 4, wholeVouchersOnly: seed % 2 == 0);
            conventionId = scenario.ConventionId;
            var life = new Life(scenario, new Random(seed));
            await life.BeginAsync();
            for (var step = 0; step < Steps; step++) await life.StepAsync();
            Assert.That(life.Replaced, Is.Positive, "a history without a loss shows nothing");
            await CheckAsync(service, scenario);
        }

        var outcome = await VerifyStoreTests.VerifyAsync(folder);
        Assert.That(outcome.Problems, Is.Empty, conventionId);
    }

    private static async Task CheckAsync(TestService service, Scenario scenario)
    {
        var papers = await service.QueryAsync<Paper>("SELECT serial AS Serial, replaced_serial AS Replaced FROM replacements", new { });
        var origin = papers.ToDictionary(p => p.Serial, p => p.Replaced);
        var entries = await service.QueryAsync<Sum>(
            "SELECT serial AS Serial, SUM(minutes) AS Minutes, SUM(value_cents) AS Cents FROM voucher_entries GROUP BY serial", new { });
        var byPass = entries.GroupBy(e =>
        {
            var serial = e.Serial;
            while (origin.TryGetValue(serial, out var older)) serial = older;
            return serial;
        }).ToList();
        Assert.That(byPass.All(g => g.Sum(e => e.Cents) is >= 0 and <= 1_000 && g.Sum(e => e.Minutes) is >= 0 and <= 120), Is.True);
        Assert.That(byPass.Select(g => g.Key), Is.All.InRange(scenario.FirstSerial, scenario.LastSerial));

        var report = await scenario.Authority().ReadAsync($"reports/conventions/{scenario.ConventionId}");
        var classes = report["classes"];
        var issued = classes.GetProperty("issued");
        Assert.That((issued.GetProperty("passes").GetInt64(), issued.GetProperty("cents").GetInt64()), Is.EqualTo((20L, 20_000L)));
        var lines = classes.GetProperty("classes").EnumerateArray().ToList();
        Assert.That(lines.Sum(l => l.GetProperty("passes").GetInt64()), Is.EqualTo(20));
        var redeemed = classes.GetProperty("redeemed").GetProperty("cents").GetInt64();
        Assert.That(lines.Sum(l => l.GetProperty("cents").GetInt64()) + redeemed, Is.EqualTo(20_000), report.ToString());
        Assert.That(redeemed, Is.EqualTo(entries.Sum(e => e.Cents)));
        Assert.That(classes.GetProperty("replacedPapers").GetInt64(), Is.EqualTo(papers.Count));
        Assert.That(report["pic"].GetProperty("lines")[0].GetProperty("unknown").GetInt64(), Is.Zero, "nothing is allocated twice");
    }

    private sealed record Paper(long Serial, long Replaced);

    private sealed record Sum(long Serial, long Minutes, long Cents);

    /// <summary>What people do, drawn at random; a refusal is as good an answer as any, an error is not.</summary>
    private sealed class Life(Scenario scenario, Random random)
    {
        private readonly List<long> _serials = [];
        private readonly List<long> _booklets = [];
        private readonly List<string> _redemptions = [];

        public int Replaced { get; private set; }

        public async Task BeginAsync()
        {
            for (var booklet = scenario.FirstSerial; booklet <= scenario.LastSerial; booklet += 5)
            {
                Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet)));
                _booklets.Add(booklet);
                _serials.AddRange(Enumerable.Range(0, 5).Select(i => booklet + i));
            }
        }

        public async Task StepAsync()
        {
            var answer = random.Next(10) switch
            {
                < 5 => await UseAsync(),
                < 7 => await ReverseAsync(),
                < 9 => await ReplaceAsync(),
                _ => await scenario.Agent().PostAsync("returns", new { bookletNumber = One(_booklets), reason = "rendu" }),
            };
            Assert.That(answer.Status, Is.EqualTo(201).Or.EqualTo(409), answer.ToString());
        }

        private async Task<Answer> UseAsync()
        {
            var body = await scenario.RedemptionAsync(One(_serials), durationMinutes: random.Next(2) == 0 ? 60 : 120);
            var answer = await scenario.Site().PostAsync("redemptions", body);
            if (answer.Status == 201) _redemptions.Add(answer.Id);
            return answer;
        }

        private async Task<Answer> ReverseAsync() => _redemptions.Count == 0
            ? await UseAsync()
            : await scenario.Site().PostAsync($"redemptions/{One(_redemptions)}/reversal", new { reason = "erreur" });

        private async Task<Answer> ReplaceAsync()
        {
            var answer = await scenario.Agent().PostAsync("replacements", new { bookletNumber = One(_booklets), reason = "perdu" });
            if (answer.Status != 201) return answer;
            Replaced++;
            var (first, last) = (answer["firstSerial"].GetInt64(), answer["lastSerial"].GetInt64());
            _booklets.Add(first);
            for (var serial = first; serial <= last; serial++) _serials.Add(serial);
            return answer;
        }

        private T One<T>(List<T> list) => list[random.Next(list.Count)];
    }
}
