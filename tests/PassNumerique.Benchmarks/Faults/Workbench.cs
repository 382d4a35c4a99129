using System.Diagnostics;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>The program under test, as it is started: published, or a host with the assembly that a test was built with.</summary>
internal sealed record ServiceProgram(string File, params IReadOnlyList<string> Arguments)
{
    public Task<RunningService> StartAsync(IReadOnlyDictionary<string, string> environment) =>
        RunningService.StartAsync(File, environment, Arguments);

    /// <summary>Runs a verb to its end.</summary>
    public async Task<(int Code, string Output)> RunAsync(StoreFolder store, params string[] verb)
    {
        var start = new ProcessStartInfo(File, [.. Arguments, .. verb])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in store.Environment()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }
}

/// <summary>
/// Where experiments are made: a folder that goes away, the program, the compiled shim, and stores that are
/// copies of one that was prepared once.
/// </summary>
internal sealed class Workbench(ServiceProgram program) : IDisposable
{
    /// <summary>Enough for the experiment that uses most; passes cost nothing until they are touched.</summary>
    private const int Passes = 200_000;

    private readonly Lazy<string> _root =
        new(() => Directory.CreateTempSubdirectory("pass-numerique-faults-").FullName);

    private (StoreFolder Store, Stage Stage)? _prepared;
    private string? _library;
    private int _stores;

    public ServiceProgram Program => program;

    public string Root => _root.Value;

    /// <summary>A store of its own, with the stage that is set in it.</summary>
    public async Task<(StoreFolder Store, Stage Stage)> NewStoreAsync(string? root = null)
    {
        var (store, stage) = _prepared ??= await PrepareAsync();
        var copy = new StoreFolder(root ?? NewFolder());
        Copy(store.Root, copy.Root);
        return (copy, stage);
    }

    /// <summary>A shim of its own, for one service at a time.</summary>
    public async Task<Shim> NewShimAsync() => new(_library ??= await Shim.CompileAsync(Root), NewFolder());

    public string NewFolder() => Directory.CreateDirectory(Path.Combine(Root, $"{_stores++}")).FullName;

    /// <summary>The same files, in a folder that nobody has open.</summary>
    public StoreFolder CopyOf(StoreFolder store)
    {
        var copy = new StoreFolder(NewFolder());
        Copy(store.Root, copy.Root);
        return copy;
    }

    /// <summary>The service's own verdict: nothing, or what it says.</summary>
    public async Task<string?> VerifyAsync(StoreFolder store)
    {
        var (code, output) = await program.RunAsync(store, "verify");
        return code == 0 ? null : $"verify ends with {code}: {output.Trim()}";
    }

    public void Dispose()
    {
        if (_root.IsValueCreated) Directory.Delete(Root, recursive: true);
    }

    private async Task<(StoreFolder Store, Stage Stage)> PrepareAsync()
    {
        var store = new StoreFolder(NewFolder());
        var (code, output) = await program.RunAsync(
            store, "user", "add", "--role", "operator", "--organisation", "Opérateur d'essai", "--login", "essai");
        if (code != 0) throw new InvalidOperationException($"The store could not be prepared: {output}");
        const string label = "Clé d'API    : ";
        var key = output.Split('\n').Single(l => l.StartsWith(label, StringComparison.Ordinal))[label.Length..].Trim();
        using var service = await program.StartAsync(store.Environment());
        var stage = await Stage.SetAsync(service, store, key, Passes);
        service.Send(Signal.Terminate);
        if (await service.EndAsync(TimeSpan.FromSeconds(30)) != 0)
            throw new InvalidOperationException($"The prepared store was not left in order: {service.LastLines}");
        return (store, stage);
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
