using System.Globalization;
using System.Text.Json;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// A client sends and hangs up: halfway through its request, right after it, or a moment later. It does not know
/// what happened, asks again with the same operation id, and it ends as exactly one redemption. The control is a
/// client that takes a new id for its second try.
/// </summary>
internal static class UnknownOutcomes
{
    private const int AtOnce = 16;
    private const int ControlTries = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        await trial.StartAsync();
        var wishes = Enumerable.Range(0, dose.Cycles).Select(_ => trial.Passes.Next()).ToList();
        await TwiceAsync(trial, wishes, dose.Random(1), wish => wish);
        var recordedAtOnce = trial.Till.Replays;
        await trial.FinishAsync();
        if (trial.Log.Acknowledged.Count != dose.Cycles)
            trial.Blame($"{trial.Log.Acknowledged.Count} acknowledged, {dose.Cycles} asked");
        if (recordedAtOnce == 0) trial.Blame("no cut request was ever recorded: the clients hung up too early");
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} unknown outcomes asked again, {recordedAtOnce} of them had been recorded: 0 lost, 0 double");
        return new(trial.Faults.Count == 0 ? counts : "does not hold", trial.Faults, await ControlAsync(bench, dose));
    }

    private static async Task<Control> ControlAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random(2));
        await trial.StartAsync();
        var wishes = Enumerable.Range(0, ControlTries).Select(_ => trial.Passes.Next()).ToList();
        await TwiceAsync(trial, wishes, dose.Random(3), wish => wish with { OperationId = Guid.NewGuid().ToString() });
        await trial.StopAsync();
        var check = StoreCheck.Run(trial.Store.Store, trial.Log);
        return new("clients that take a new operation id for the second try", check.Double > 0,
            $"{check.Double} passes debited twice");
    }

    private static async Task TwiceAsync(Trial trial, List<Wish> wishes, Random chance, Func<Wish, Wish> again)
    {
        var plans = wishes.Select(w => (Wish: w, Half: chance.Next(10) == 0, WaitMs: chance.Next(-4, 6))).ToList();
        await Parallel.ForEachAsync(plans, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (plan, _) =>
        {
            trial.Log.Ask(plan.Wish);
            await HangUpAsync(trial, plan.Wish, plan.Half, plan.WaitMs);
            if (!await trial.Till.UntilTakenAsync(again(plan.Wish), Patience))
                trial.Blame($"{plan.Wish.OperationId} was asked again and not taken");
        });
    }

    private static async Task HangUpAsync(Trial trial, Wish wish, bool half, int waitMs)
    {
        var request = RawHttp.Post(
            "/api/v1/redemptions", trial.Stage.SiteKey, JsonSerializer.SerializeToUtf8Bytes(wish.Body));
        using var socket = await RawHttp.ConnectAsync(trial.Service.Port);
        await socket.SendAsync(half ? request.AsMemory(0, request.Length - 20) : request);
        if (waitMs > 0) await Task.Delay(waitMs);

        // A reset, not a goodbye.
        socket.LingerState = new(enable: true, seconds: 0);
    }
}
