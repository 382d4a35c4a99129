using System.Diagnostics;

namespace PassNumerique.Benchmarks;

/// <summary>The sources this program was built from, and what it builds out of them.</summary>
internal static class Repository
{
    private const string Solution = "PassNumerique.sln";

    /// <summary>
    /// Publishes a project as it would be installed, compiled ahead of time, and gives the path of its program.
    /// </summary>
    public static async Task<string> PublishAsync(string project, string folder)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, WorkingDirectory = Root() };
        foreach (var argument in (string[])
            ["publish", project, "-c", "Release", "-r", "linux-x64", "--self-contained", "false",
             "-p:PublishReadyToRun=true", "-o", folder, "-v", "quiet", "--nologo"])
            start.ArgumentList.Add(argument);
        using var publish = Process.Start(start)!;
        var output = await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        if (publish.ExitCode != 0)
            throw new InvalidOperationException($"dotnet publish {project} failed:{Environment.NewLine}{output}");
        return Path.Combine(folder, Path.GetFileName(project));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, Solution))) folder = folder.Parent;
        return folder?.FullName
            ?? throw new InvalidOperationException($"No {Solution} above {AppContext.BaseDirectory}.");
    }
}
