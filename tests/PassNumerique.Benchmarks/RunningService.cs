using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace PassNumerique.Benchmarks;

/// <summary>By the numbers that Linux gives them.</summary>
internal enum Signal
{
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

/// <summary>A program started on a free port of the loopback, killed when disposed: the worst end it can meet.</summary>
internal sealed class RunningService : IDisposable
{
    private const int LinesKept = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private RunningService(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public bool HasEnded => _process.HasExited;

    /// <summary>The last lines that it wrote: what it has to say when it ends or fails.</summary>
    public string LastLines => string.Join(Environment.NewLine, _lines);

    /// <summary>From before the process exists to the first 200 on <c>/health/ready</c>.</summary>
    public double StartMs { get; private set; }

    public static async Task<RunningService> StartAsync(
        string program, IReadOnlyDictionary<string, string> environment, params IReadOnlyList<string> arguments)
    {
        var port = FreePort();
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Path.GetDirectoryName(program),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        start.Environment["ASPNETCORE_URLS"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

        var watch = Stopwatch.StartNew();
        var process = Process.Start(start)!;
        var service = new RunningService(process, port);
        process.OutputDataReceived += (_, line) => service.Hear(line.Data);
        process.ErrorDataReceived += (_, line) => service.Hear(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            while (!await service.IsReadyAsync())
            {
                await service.ThrowIfEndedAsync();
                if (watch.Elapsed > Patience) throw new TimeoutException($"{program} was not ready in {Patience}.");
                await Task.Delay(PollInterval);
            }

            service.StartMs = watch.Elapsed.TotalMilliseconds;
            return service;
        }
        catch
        {
            service.Dispose();
            throw;
        }
    }

    /// <summary>Processor time that the process has used so far, all its threads together.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>The body of an answer, on one line.</summary>
    public async Task<string> GetAsync(string path)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}{path}"));
    }

    /// <summary>SIGKILL: no handler of the program runs.</summary>
    public void Kill()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
    }

    public void Send(Signal signal) => Check(SendSignal(_process.Id, (int)signal));

    /// <summary>Its exit code, or nothing where it still runs after that time.</summary>
    public async Task<int?> EndAsync(TimeSpan patience)
    {
        using var late = new CancellationTokenSource(patience);
        try
        {
            await _process.WaitForExitAsync(late.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Resident memory in MB, whole and with shared pages divided among those who share them.</summary>
    public (double RssMb, double PssMb) Memory()
    {
        var lines = File.ReadAllLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{_process.Id}/smaps_rollup"));
        return (Kilobytes(lines, "Rss:") / 1_024, Kilobytes(lines, "Pss:") / 1_024);
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private static double Kilobytes(string[] lines, string name)
    {
        var line = Array.Find(lines, l => l.StartsWith(name, StringComparison.Ordinal))
            ?? throw new InvalidDataException($"smaps_rollup has no line {name}");
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private async Task ThrowIfEndedAsync()
    {
        if (!_process.HasExited) return;
        await _process.WaitForExitAsync();
        throw new InvalidOperationException($"The service ended with code {_process.ExitCode}: {LastLines}");
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        _lines.Enqueue(line);
        if (_lines.Count > LinesKept) _lines.TryDequeue(out _);
    }

    private static void Check(int outcome)
    {
        if (outcome != 0) throw new InvalidOperationException("The signal could not be sent.");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SendSignal(int process, int signal);

    // A bare socket: what is measured is the service, not the first request of a client library.
    private async Task<bool> IsReadyAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, Port);
            await socket.SendAsync("GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
            var answer = new byte[64];
            var length = await socket.ReceiveAsync(answer);
            return answer.AsSpan(0, length).StartsWith("HTTP/1.1 200 "u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
