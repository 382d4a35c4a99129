using System.Diagnostics;
using System.Runtime.CompilerServices;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// What no run of the writer can show: each order in which its threads can take their steps, in a model of its turns.
/// </summary>
internal sealed class WriterModelTests
{
    [TestCase("", ExpectedResult = "errors: 0", TestName = "In_every_order_of_steps_the_turn_is_with_one_and_nobody_is_missed")]
    [TestCase("-DTWICE", ExpectedResult = "errors: 1")]
    [TestCase("-DUNSEEN", ExpectedResult = "errors: 1")]
    [TestCase("-DHELD", ExpectedResult = "errors: 1")]
    [TestCase("-DLATE", ExpectedResult = "errors: 1")]
    public async Task<string> A_mistake_in_the_turns_is_found_in_the_model(string planted)
    {
        foreach (var (tool, package) in new[] { ("/usr/bin/spin", "spin"), ("/usr/bin/gcc", "gcc") })
            if (!File.Exists(tool)) Assert.Ignore($"{tool} is not here: install {package}");
        using var folder = new TestFolder();
        await RunAsync(folder, "/usr/bin/spin", [.. planted.Length == 0 ? [] : (string[])[planted], "-a", Model()]);
        await RunAsync(folder, "/usr/bin/gcc", ["-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"]);
        var said = await RunAsync(folder, Path.Combine(folder.Data, "pan"), ["-m1000000"]);
        if (planted.Length == 0) Assert.That(said, Does.Not.Contain("too small").And.Not.Contain("Search not completed"));
        return said.Split('\n', ',').Select(part => part.Trim()).First(part => part.StartsWith("errors:", StringComparison.Ordinal));
    }

    private static string Model([CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "writer-turns.pml");

    private static async Task<string> RunAsync(TestFolder folder, string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder.Data,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (said, wrong) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, $"{program}: {await said}{await wrong}");
        return await said;
    }
}
