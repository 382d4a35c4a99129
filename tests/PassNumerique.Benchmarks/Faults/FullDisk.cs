using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// No room on the disk: what is acknowledged is stored, the rest is told 503, reading goes on, and five seconds
/// after there is room again redemptions succeed. Once with a shim that fails every write, once on a small file
/// system that is really full.
/// </summary>
internal static class FullDisk
{
    /// <summary>Of the small file system, beside the store, which grows by what is redeemed.</summary>
    private const long RoomMb = 20;

    private static readonly TimeSpan Filling = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan HealLimit = TimeSpan.FromSeconds(5);

    private static readonly Moment[] Writes = [Moment.LogWrite, Moment.PageWrite, Moment.Resize, Moment.OtherWrite];

    public static async Task<Finding> SimulatedAsync(Workbench bench, Dose dose)
    {
        using var shim = await bench.NewShimAsync();
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        await trial.StartAsync(shim);
        return await FillAndRelieveAsync(trial, dose, (cycle, isFull) =>
        {
            var skip = dose.Random(cycle).Next(300);
            if (isFull) shim.Arm(Writes, Mishap.Fail, skip, times: long.MaxValue, DiskError.NoSpace);
            else shim.Disarm();
            return Task.CompletedTask;
        });
    }

    public static async Task<Finding> RealAsync(Workbench bench, Dose dose)
    {
        var mount = bench.NewFolder();
        await MountAsync(mount);
        try
        {
            var ballast = Path.Combine(mount, "ballast");
            using var trial = await Trial.OnNewStoreAsync(bench, dose.Random(), Path.Combine(mount, "store"));
            await ResizeAsync(mount, trial);
            await trial.StartAsync();
            return await FillAndRelieveAsync(trial, dose, async (cycle, isFull) =>
            {
                if (!isFull)
                {
                    File.Delete(ballast);
                    return;
                }

                await ResizeAsync(mount, trial);
                FillUp(ballast, mount, left: dose.Random(cycle).Next(13) * 262_144L);
            });
        }
        finally
        {
            await RunAsync("umount", "--lazy", mount);
        }
    }

    private static async Task<Finding> FillAndRelieveAsync(Trial trial, Dose dose, Func<int, bool, Task> turn)
    {
        var (heals, refused) = (new List<double>(), 0);
        await trial.RedeemAsync(TimeSpan.FromMilliseconds(300));
        for (var cycle = 0; cycle < dose.Cycles && trial.Faults.Count == 0; cycle++)
        {
            var before = trial.Till.Count(503);
            await turn(cycle, true);
            await UntilRefusedAsync(trial, before);
            refused += trial.Till.Count(503) - before;
            await ReadAsync(trial);
            trial.Check();
            await turn(cycle, false);
            heals.Add(await HealAsync(trial, dose));
            await trial.AskAgainAsync();
            await trial.RedeemAsync(TimeSpan.FromMilliseconds(200));
            trial.Check();
        }

        trial.Service.Kill();
        await trial.StartAsync();
        await trial.AskAgainAsync();
        await trial.FinishAsync();
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} times full: {trial.Log.Acknowledged.Count} acknowledged and stored, {refused} answers of 503, healed in {Spread.Of(heals).Show("0")} ms");
        return new(counts, trial.Faults, await trial.PlantAsync());
    }

    /// <summary>Clients go on until the disk is felt.</summary>
    private static async Task UntilRefusedAsync(Trial trial, int before)
    {
        var since = Stopwatch.StartNew();
        while (trial.Till.Count(503) == before)
        {
            await trial.RedeemAsync(TimeSpan.FromMilliseconds(100));
            if (trial.Service.HasEnded) trial.Blame($"the service ended on a full disk: {trial.Service.LastLines}");
            else if (since.Elapsed > Filling) trial.Blame("nobody was refused: the disk was never full");
            else continue;
            return;
        }
    }

    private static async Task ReadAsync(Trial trial)
    {
        var known = trial.Log.Acknowledged.Values.First();
        var check = new { code = trial.Stage.Code(known.Serial) };
        using var shown = await trial.Till.Client.GetAsync($"redemptions/{known.Id}");
        using var asked = await trial.Till.Client.PostAsJsonAsync("vouchers/check", check);
        using var list = await trial.Till.Client.GetAsync("redemptions?limit=50");
        foreach (var read in (HttpResponseMessage[])[shown, asked, list])
            if (!read.IsSuccessStatusCode) trial.Blame($"on a full disk {read.RequestMessage!.RequestUri} is {(int)read.StatusCode}");
    }

    private static async Task<double> HealAsync(Trial trial, Dose dose)
    {
        var since = Stopwatch.StartNew();
        while (await trial.Till.TryAsync(trial.Passes.Next()) != 201)
        {
            await Task.Delay(5);
            if (since.Elapsed < Filling) continue;
            trial.Blame("there is room again, and nobody is taken");
            break;
        }

        if (dose.IsLong && since.Elapsed > HealLimit) trial.Blame($"healed after {since.Elapsed.TotalSeconds:0.0} s");
        return since.Elapsed.TotalMilliseconds;
    }

    /// <param name="left">Bytes for the redemptions to fill, up to some page of their own.</param>
    private static void FillUp(string ballast, string mount, long left)
    {
        using var file = new FileStream(ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4_096];
        while (new DriveInfo(mount).AvailableFreeSpace > left) file.Write(block);
    }

    private static async Task MountAsync(string folder)
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
            throw new MissingException("needs root, to mount a tmpfs");
        var (code, output) = await RunAsync("mount", "-t", "tmpfs", "-o", Size(RoomMb << 20), "tmpfs", folder);
        if (code != 0) throw new MissingException($"a tmpfs can't be mounted here: {output.Trim()}");
    }

    private static async Task ResizeAsync(string mount, Trial trial)
    {
        var store = new FileInfo(trial.Store.Store).Length;
        var (code, output) = await RunAsync("mount", "-o", "remount," + Size(store + (RoomMb << 20)), mount);
        if (code != 0) throw new InvalidOperationException($"The tmpfs can't be made larger: {output.Trim()}");
    }

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"size={bytes}");

    private static async Task<(int Code, string Output)> RunAsync(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, error);
    }
}
