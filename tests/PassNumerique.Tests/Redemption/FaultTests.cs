using NUnit.Framework;
using PassNumerique.Benchmarks.Faults;

namespace PassNumerique.Tests.Redemption;

/// <summary>
/// The experiments of <c>Benchmarks -- faults</c>, each for some seconds: the service as a process of its own, on
/// the embedded engine, and a checker that reads the store by itself.
/// </summary>
internal sealed class FaultTests
{
    private const int Seed = 20_261_125;
    private Workbench _bench = null!;

    private static IEnumerable<TestCaseData> Experiments =>
        Experiment.All.Select(e => new TestCaseData(e).SetArgDisplayNames(e.Name));

    [OneTimeSetUp]
    public void Open() => _bench = new(new ServiceProgram(ServiceProcess.Host, typeof(PassNumerique.Program).Assembly.Location));

    [OneTimeTearDown]
    public void Close() => _bench.Dispose();

    [TestCaseSource(nameof(Experiments))]
    public async Task What_was_answered_is_there_once_whatever_happens_and_a_planted_fault_is_caught(Experiment experiment)
    {
        try
        {
            var finding = await experiment.RunAsync(_bench, new(experiment.ShortCycles, IsLong: false, Seed));
            await TestContext.Progress.WriteLineAsync($"{experiment.Name}: {finding.Counts}; control: {finding.Control.Seen}");
            Assert.That(finding.Faults, Is.Empty);
            Assert.That(finding.Control.IsCaught, Is.True, $"{finding.Control.What}: {finding.Control.Seen}");
        }
        catch (MissingException missing)
        {
            Assert.Ignore(missing.Message);
        }
    }
}
