using System.Diagnostics;
using System.Globalization;

namespace PassNumerique.Benchmarks;

/// <summary>
/// A PostgreSQL server of this machine's own installation, in a folder that is made and deleted here, on a free
/// port of the loopback. Durability as it is installed: nothing that guards a commit is turned off.
/// </summary>
internal sealed class Postgres : IAsyncDisposable
{
    private const string Account = "postgres";
    private readonly string _programs;
    private readonly string _folder;
    private readonly int _port;

    private Postgres(string programs, string folder, int port) => (_programs, _folder, _port) = (programs, folder, port);

    /// <summary>The folder with initdb, pg_ctl and pgbench; null where none is installed.</summary>
    public static string? FindPrograms()
    {
        const string root = "/usr/lib/postgresql";
        var folders = Directory.Exists(root) ? Directory.GetDirectories(root) : [];
        return folders.Order(StringComparer.Ordinal).Reverse().Select(folder => Path.Combine(folder, "bin"))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb"))
                && File.Exists(Path.Combine(folder, "pgbench")));
    }

    public static async Task<Postgres> StartAsync(string programs, string folder)
    {
        var server = new Postgres(programs, folder, RunningService.FreePort());
        Directory.CreateDirectory(folder);
        if (IsRoot) await RunAsync("chown", Account, folder);
        var data = Path.Combine(folder, "data");
        await server.AsAccountAsync("initdb", "-D", data, "-A", "trust", "-U", Account, "--no-locale", "-E", "UTF8");

        // Memory and checkpoints as an administrator would set them; durability stays as it comes.
        var settings = string.Create(CultureInfo.InvariantCulture,
            $"-p {server._port} -k {folder} -c listen_addresses=127.0.0.1 -c shared_buffers=1GB -c max_wal_size=8GB -c max_connections=200");
        await server.AsAccountAsync("pg_ctl", "-D", data, "-w", "-l", Path.Combine(folder, "log"), "-o", settings, "start");
        return server;
    }

    /// <summary>What guards a commit, said by the server itself.</summary>
    public async Task<string> DurabilityAsync()
    {
        var names = (string[])["server_version", "fsync", "synchronous_commit", "wal_sync_method", "full_page_writes"];
        var values = new List<string>();
        foreach (var name in names) values.Add($"{name}={(await SqlAsync($"SHOW {name}")).Trim()}");
        return string.Join(", ", values);
    }

    public Task<string> SqlAsync(string text) => AsAccountAsync(
        "psql", "-h", _folder, "-p", Port, "-U", Account, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text, "postgres");

    /// <summary>The tables of pgbench itself, 100,000 accounts a unit of scale.</summary>
    public Task InitialiseAsync(int scale) => AsAccountAsync("pgbench",
        "-h", _folder, "-p", Port, "-U", Account, "-i", "-q", "-s", scale.ToString(CultureInfo.InvariantCulture), "postgres");

    /// <summary>Transactions a second, without the time of connecting.</summary>
    public async Task<double> BenchAsync(int clients, int seconds, params string[] options)
    {
        string[] arguments =
        [
            "-h", _folder, "-p", Port, "-U", Account, "-n", "-j", "2",
            "-c", clients.ToString(CultureInfo.InvariantCulture), "-T", seconds.ToString(CultureInfo.InvariantCulture),
            .. options, "postgres",
        ];
        var output = await AsAccountAsync("pgbench", arguments);
        var line = output.Split('\n').First(l => l.StartsWith("tps = ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync() =>
        await AsAccountAsync("pg_ctl", "-D", Path.Combine(_folder, "data"), "-w", "-m", "immediate", "stop");

    private static bool IsRoot => Environment.UserName == "root";

    private string Port => _port.ToString(CultureInfo.InvariantCulture);

    /// <summary>The server refuses to run as root; its package has made an account for it.</summary>
    private Task<string> AsAccountAsync(string program, params string[] arguments)
    {
        var path = program == "psql" ? program : Path.Combine(_programs, program);
        return IsRoot
            ? RunAsync("setpriv", [$"--reuid={Account}", $"--regid={Account}", "--init-groups", path, .. arguments])
            : RunAsync(path, arguments);
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var log = Path.GetTempFileName();
        try
        {
            // Through files: a server that is started here would hold a pipe open for its whole life.
            var start = new ProcessStartInfo("sh") { WorkingDirectory = "/tmp" };
            foreach (var argument in (string[])["-c", "out=$1; shift; exec \"$@\" >\"$out\" 2>&1", "sh", log, program, .. arguments])
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            await process.WaitForExitAsync();
            var output = await File.ReadAllTextAsync(log);
            return process.ExitCode == 0
                ? output
                : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}");
        }
        finally
        {
            File.Delete(log);
        }
    }
}
