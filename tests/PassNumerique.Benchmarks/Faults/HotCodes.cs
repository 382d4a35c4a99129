using System.Globalization;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// 64 clients, each with an operation of its own, want the whole of one pass at the same moment: exactly one
/// succeeds, the others hear that it is spent. On one code after the other.
/// </summary>
internal static class HotCodes
{
    private const int Clients = 64;

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        await trial.StartAsync();
        trial.Till.Provoked = "voucher-spent";
        for (var code = 0; code < dose.Cycles; code++)
        {
            var pass = trial.Passes.Next(Stage.CreditMinutes);
            var gate = new TaskCompletionSource();
            var calls = Enumerable.Range(0, Clients).Select(async _ =>
            {
                await gate.Task;
                return await trial.Till.TryAsync(pass with { OperationId = Guid.NewGuid().ToString() });
            }).ToList();
            gate.SetResult();
            var won = (await Task.WhenAll(calls)).Count(status => status == 201);
            if (won != 1) trial.Blame($"pass {pass.Serial} was redeemed by {won} of {Clients} clients");
        }

        await trial.FinishAsync();
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} codes, {Clients} clients on each: {trial.Till.Count(201)} succeed, {trial.Till.Count(409)} refused, {trial.Till.Count(503)} told to come again");
        return new(counts, trial.Faults, await trial.PlantAsync());
    }
}
