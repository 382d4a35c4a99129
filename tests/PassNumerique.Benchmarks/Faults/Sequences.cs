using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// Any sequence of redeeming, repeating, reusing an operation id and reversing, on two passes, against a model of
/// thirty lines: the same status, the same refusal, the same text at a repetition, the same minutes in the store.
/// The control is a model that takes a repetition for a new redemption: it must be falsified.
/// </summary>
internal static class Sequences
{
    private const int Steps = 24;
    private const int Operations = 6;
    private const int ControlTries = 50;
    private static readonly long[] Durations = [30, 60, 90, 120, 150];

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        await trial.StartAsync();
        var runner = new Runner(trial);
        var fault = runner.Falsify(dose.Cycles, dose.Seed, isForgetful: false);
        if (fault is not null) trial.Blame(fault);
        var (steps, answered) = (runner.Steps, runner.Statuses);
        var control = runner.Falsify(ControlTries, dose.Seed, isForgetful: true);
        await trial.StopAsync();
        if (await bench.VerifyAsync(trial.Store) is { } verdict) trial.Blame(verdict);
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} sequences, {steps} steps as the model says; {answered}");
        return new(fault is null ? counts : "does not hold", trial.Faults, new(
            "a model that takes a repetition for a new redemption", control is not null, control is null ? "not falsified" : "falsified"));
    }

    /// <summary>What a step is: an operation on a pass with a duration, or the reversal of one.</summary>
    private sealed record Step(int Operation, int Pass, long Duration, bool IsReversal)
    {
        public static Step From(int number) => new(
            number % Operations, number / 7 % 2, Durations[number / 17 % Durations.Length], number / 101 % 4 == 0);
    }

    /// <summary>What should be answered: a status, and the refusal or, at a repetition, the first text.</summary>
    private sealed record Expected(int Status, string Refusal = "", string? Text = null);

    private sealed record Done(Step First, long Minutes)
    {
        public string Text { get; set; } = "";

        public bool IsReversed { get; set; }
    }

    /// <summary>The rules in memory.</summary>
    private sealed class Model(bool isForgetful)
    {
        private readonly Dictionary<int, Done> _done = [];

        public long[] Used { get; } = new long[2];

        public Done? Find(int operation) => _done.GetValueOrDefault(operation);

        public Expected Expect(Step step)
        {
            if (step.IsReversal) return Reverse(_done[step.Operation]);
            if (_done.TryGetValue(step.Operation, out var done) && !isForgetful)
                return done.First == step ? new(201, Text: done.Text) : new(422, "idempotency-key-reused");
            var (minutes, left) = ((step.Duration + 59) / 60 * 60, Stage.CreditMinutes - Used[step.Pass]);
            if (left == 0) return new(409, "voucher-spent");
            if (minutes > left) return new(409, "credit-too-small");
            Used[step.Pass] += minutes;
            _done[step.Operation] = new(step, minutes);
            return new(201);
        }

        private Expected Reverse(Done done)
        {
            if (done.IsReversed) return new(409, "redemption-already-reversed");
            done.IsReversed = true;
            Used[done.First.Pass] -= done.Minutes;
            return new(201);
        }
    }

    private sealed class Runner(Trial trial)
    {
        private readonly SortedDictionary<int, int> _statuses = [];

        public long Steps { get; private set; }

        public string Statuses => string.Join(", ", _statuses.Select(
            s => string.Create(CultureInfo.InvariantCulture, $"{s.Key} {s.Value} times")));

        /// <summary>The shortest sequence found that goes otherwise than the model says, or nothing.</summary>
        public string? Falsify(int sequences, int seed, bool isForgetful)
        {
            var property = Prop.ForAll(
                Arb.From(Gen.Choose(0, 999_999).ArrayOf(Sequences.Steps), Shorter),
                numbers => PlayAsync(numbers, isForgetful).GetAwaiter().GetResult());
            var config = Config.QuickThrowOnFailure.WithMaxTest(sequences)
                .WithReplay((ulong)seed, 1UL | (ulong)seed);
            try
            {
                Check.One(config, property);
                return null;
            }
            catch (Exception exception) when (exception.Message.Contains("Falsifiable", StringComparison.Ordinal))
            {
                return exception.Message;
            }
        }

        private static IEnumerable<int[]> Shorter(int[] numbers) =>
            numbers.Select((_, i) => numbers.Where((_, j) => j != i).ToArray());

        private async Task<bool> PlayAsync(int[] numbers, bool isForgetful)
        {
            var model = new Model(isForgetful);
            Wish[] passes = [trial.Passes.Next(), trial.Passes.Next()];
            var ids = Enumerable.Range(0, Operations).Select(_ => Guid.NewGuid().ToString()).ToArray();
            foreach (var step in numbers.Select(Step.From))
            {
                if (step.IsReversal && model.Find(step.Operation) is null) continue;
                Steps++;
                var expected = model.Expect(step);
                using var response = step.IsReversal
                    ? await ReverseAsync(model.Find(step.Operation)!)
                    : await RedeemAsync(passes[step.Pass] with { OperationId = ids[step.Operation], Minutes = step.Duration });
                var text = await response.Content.ReadAsStringAsync();
                var status = (int)response.StatusCode;
                _statuses[status] = _statuses.GetValueOrDefault(status) + 1;
                if (!IsAs(expected, response, text)) return false;
                if (status == 201 && !step.IsReversal) model.Find(step.Operation)!.Text = text;
            }

            return passes.Index().All(pass => MinutesOf(pass.Item.Serial) == model.Used[pass.Index]);
        }

        private static bool IsAs(Expected expected, HttpResponseMessage response, string text) =>
            (int)response.StatusCode == expected.Status
            && text.Contains(expected.Refusal, StringComparison.Ordinal)
            && (expected.Text is null || expected.Text == text)
            && response.Headers.Contains("Idempotency-Replayed") == expected.Text is not null;

        private Task<HttpResponseMessage> RedeemAsync(Wish wish) => trial.Till.Client.PostAsJsonAsync("redemptions", wish.Body);

        private Task<HttpResponseMessage> ReverseAsync(Done done)
        {
            var id = JsonDocument.Parse(done.Text).RootElement.GetProperty("id").GetString();
            return trial.Till.Client.PostAsJsonAsync($"redemptions/{id}/reversal", new { reason = "erreur" });
        }

        private long MinutesOf(long serial)
        {
            using var connection = StoreCheck.Open(trial.Store.Store);
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT COALESCE(SUM(minutes), 0) FROM voucher_entries WHERE serial = @Serial";
            command.Parameters.AddWithValue("@Serial", serial);
            return (long)command.ExecuteScalar()!;
        }
    }
}
