using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// A backup is made while passes are redeemed, and restored elsewhere: it verifies, it holds everything that was
/// acknowledged before it began, and it serves. The control asks of it what was acknowledged after it was made.
/// </summary>
internal static class BackupUnderLoad
{
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(60);

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        var (faults, held, control) = (new List<string>(), 0, new Control("", false, ""));
        for (var cycle = 0; cycle < dose.Cycles && faults.Count == 0; cycle++)
        {
            using var trial = await Trial.OnNewStoreAsync(bench, dose.Random(cycle));
            await trial.StartAsync();
            using var enough = new CancellationTokenSource(Load);
            var load = trial.Till.RedeemAsync(Trial.Clients, trial.Passes, enough.Token);
            await trial.UntilAcknowledgedAsync(dose.Random(cycle).Next(20, 400));
            var before = trial.Log.Copy();
            var copy = Path.Combine(bench.NewFolder(), "copy.db");
            var (code, output) = await bench.Program.RunAsync(trial.Store, "backup", copy);
            if (code != 0) trial.Blame($"backup ends with {code}: {output}");
            await Task.Delay(100);
            await enough.CancelAsync();
            await load;
            await trial.FinishAsync();
            if (trial.Faults.Count == 0) control = await RestoreAsync(bench, trial, copy, before);
            held += before.Acknowledged.Count;
            faults.AddRange(trial.Faults);
        }

        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} backups under load: {held} acknowledged before they began, all in the restored stores, which verify and serve");
        return new(faults.Count == 0 ? counts : "does not hold", faults, control);
    }

    private static async Task<Control> RestoreAsync(Workbench bench, Trial trial, string copy, ClientLog before)
    {
        var restored = new StoreFolder(bench.NewFolder());
        Directory.CreateDirectory(Path.GetDirectoryName(restored.CodeKeyFile)!);
        File.Copy(trial.Store.CodeKeyFile, restored.CodeKeyFile);
        var (code, output) = await bench.Program.RunAsync(restored, "restore", copy);
        if (code != 0) trial.Blame($"restore ends with {code}: {output}");
        foreach (var fault in StoreCheck.Run(restored.Store, trial.Log.Believing(before)).Faults) trial.Blame(fault);
        if (await bench.VerifyAsync(restored) is { } verdict) trial.Blame(verdict);
        var later = StoreCheck.Run(restored.Store, trial.Log);
        using var service = await bench.Program.StartAsync(restored.Environment());
        var log = new ClientLog();
        using var till = new Till(service, trial.Stage, log);
        if (await till.TryAsync(trial.Passes.Next()) != 201) trial.Blame("nobody can redeem at the restored store");
        return new("what was acknowledged after the backup, asked of it", later.Lost > 0, $"{later.Lost} missing");
    }
}
