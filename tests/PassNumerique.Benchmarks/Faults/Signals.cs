using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// SIGTERM under load: everything acknowledged is stored, whoever got no answer left nothing behind, exit code 0.
/// SIGSTOP: the process stands still for a moment, as when a machine is moved, and everybody is served afterwards.
/// </summary>
internal static class Signals
{
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(35);

    public static async Task<Finding> TerminateAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        var (cut, refused) = (0, 0);
        for (var cycle = 0; cycle < dose.Cycles && trial.Faults.Count == 0; cycle++)
        {
            await trial.StartAsync();
            var code = await EndAsync(trial, dose.Random(cycle), kill: false);
            if (code != 0) trial.Blame($"the service ended with {code}: {trial.Service.LastLines}");
            (cut, refused) = (cut + trial.Log.Open.Count, refused + trial.Till.Count(503));
            foreach (var fault in Unanswered(trial.Store, trial.Log)) trial.Blame(fault);
            trial.Check();
            if (await bench.VerifyAsync(trial.Store) is { } verdict) trial.Blame(verdict);
            await trial.StartAsync();
            await trial.AskAgainAsync();
            await trial.StopAsync();
        }

        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} times: {trial.Log.Acknowledged.Count} acknowledged and stored, {refused} refused, {cut} not answered and not stored; exit 0");
        return new(counts, trial.Faults, await KilledAsync(bench, dose));
    }

    public static async Task<Finding> StopAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        await trial.StartAsync();
        for (var cycle = 0; cycle < dose.Cycles; cycle++)
        {
            var chance = dose.Random(cycle);
            var load = trial.RedeemAsync(TimeSpan.FromMilliseconds(900));
            await Task.Delay(chance.Next(20, 300));
            trial.Service.Send(Signal.Stop);
            await Task.Delay(chance.Next(200, 1_500));
            trial.Service.Send(Signal.Continue);
            await load;
            trial.Check();
        }

        if (trial.Log.Open.Count > 0) trial.Blame($"{trial.Log.Open.Count} clients were never answered");
        await trial.FinishAsync();
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} times: {trial.Log.Acknowledged.Count} acknowledged and stored, nobody left without an answer");
        return new(counts, trial.Faults, await trial.PlantAsync());
    }

    private static async Task<int?> EndAsync(Trial trial, Random chance, bool kill)
    {
        var load = trial.RedeemAsync(Load);
        await trial.UntilAcknowledgedAsync(20);
        await Task.Delay(chance.Next(200));
        if (kill) trial.Service.Kill();
        else trial.Service.Send(Signal.Terminate);
        var code = await trial.Service.EndAsync(EndLimit);
        await load;
        return code;
    }

    /// <summary>Recorded, though its client was told nothing: not what a graceful end leaves.</summary>
    private static List<string> Unanswered(StoreFolder store, ClientLog log)
    {
        using var connection = StoreCheck.Open(store.Store);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM voucher_entries WHERE operation_id = @Id";
        var id = command.Parameters.Add("@Id", Microsoft.Data.Sqlite.SqliteType.Text);
        var faults = new List<string>();
        foreach (var wish in log.Open)
        {
            id.Value = wish.OperationId;
            if ((long)command.ExecuteScalar()! > 0) faults.Add($"{wish.OperationId} was recorded and not answered");
        }

        return faults;
    }

    /// <summary>SIGKILL in its place, and a client that never heard its answer: the same eyes must see both.</summary>
    private static async Task<Control> KilledAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random(2_000));
        await trial.StartAsync();
        var code = await EndAsync(trial, dose.Random(3_000), kill: true);
        var before = Unanswered(trial.Store, trial.Log).Count;
        var deaf = trial.Log.WithoutAnswerTo(trial.Log.Acknowledged.Keys.First());
        var after = Unanswered(trial.Store, deaf).Count;
        return new("SIGKILL in its place, and an answer that nobody heard", code != 0 && after == before + 1,
            $"exit {code}, {after - before} recorded and not answered");
    }
}
