using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using NUnit.Framework;

namespace PassNumerique.Tests;

/// <summary>The service as a process of its own, as it lies beside the tests.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _address;

    private ServiceProcess(Process process, string address) => (_process, _address) = (process, address);

    /// <summary>What runs an assembly.</summary>
    public static string Host =>
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    public string Address => _address;

    /// <param name="data">The folder of the store.</param>
    /// <param name="connectionString">The database, where the store is on a server.</param>
    public static async Task<ServiceProcess> StartAsync(string data, string? connectionString = null)
    {
        var address = $"http://127.0.0.1:{FreePort()}";
        var service = new ServiceProcess(Process.Start(Info(data, address, connectionString))!, address);
        service._process.OutputDataReceived += (_, _) => { };
        service._process.ErrorDataReceived += (_, line) => TestContext.Error.WriteLine(line.Data);
        service._process.BeginOutputReadLine();
        service._process.BeginErrorReadLine();
        using var client = new HttpClient();
        var since = Stopwatch.StartNew();
        while (!await service.IsReadyAsync(client))
        {
            if (service._process.HasExited || since.Elapsed > Patience)
            {
                service.Dispose();
                throw new InvalidOperationException("The service did not start.");
            }

            await Task.Delay(10);
        }

        return service;
    }

    public static Task<(int Code, string Output)> RunAsync(string data, params string[] verb) =>
        RunOnAsync(data, null, verb);

    /// <summary>Runs it to its end: a verb, or a start that can't go on.</summary>
    public static async Task<(int Code, string Output)> RunOnAsync(
        string data, string? connectionString, params string[] verb)
    {
        using var process = Process.Start(Info(data, "http://127.0.0.1:0", connectionString, verb))!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    public HttpClient Client(string apiKey)
    {
        var client = new HttpClient { BaseAddress = new Uri(_address + "/api/v1/"), Timeout = Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        return client;
    }

    /// <summary>SIGKILL: no handler of ours runs.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }

    private async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync(_address + "/health/ready");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static ProcessStartInfo Info(
        string data, string address, string? connectionString = null, params string[] verb)
    {
        var info = new ProcessStartInfo(Host, [typeof(Program).Assembly.Location, .. verb])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = address,
                ["PassNumerique__Data"] = data,
                ["PassNumerique__Demo"] = "false",
            },
        };
        if (connectionString is null) return info;
        info.Environment["PassNumerique__Store"] = "sqlserver";
        info.Environment["ConnectionStrings__PassNumerique"] = connectionString;
        return info;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
