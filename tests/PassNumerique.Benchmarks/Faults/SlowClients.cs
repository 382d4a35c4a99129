using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// Headers and bodies trickle in, a byte now and then, on 200 connections: the others redeem meanwhile, as the
/// writer takes up a command only when all of it is there. The control holds the store itself, and the same eyes
/// see the others stand still.
/// </summary>
internal static class SlowClients
{
    private const int Slow = 200;
    private static readonly TimeSpan Drip = TimeSpan.FromMilliseconds(50);

    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        using var trial = await Trial.OnNewStoreAsync(bench, dose.Random());
        await trial.StartAsync();
        var (fast, taken, turned) = (0, 0, 0);
        for (var cycle = 0; cycle < dose.Cycles; cycle++)
        {
            var time = TimeSpan.FromSeconds(dose.IsLong ? 8 : 1.5);
            using var enough = new CancellationTokenSource(time);
            var trickles = Enumerable.Range(0, Slow)
                .Select(i => TrickleAsync(trial, trial.Passes.Next(), inBody: i % 2 == 0, enough.Token)).ToList();
            var before = trial.Till.Count(201);
            await trial.Till.RedeemAsync(Trial.Clients, trial.Passes, enough.Token);
            fast += trial.Till.Count(201) - before;
            foreach (var status in await Task.WhenAll(trickles)) _ = status == 201 ? taken++ : turned++;
        }

        if (fast == 0) trial.Blame("nobody was served beside the slow ones");
        if (taken == 0) trial.Blame("no slow client was ever taken");
        await trial.AskAgainAsync();
        var control = await HeldAsync(trial);
        await trial.FinishAsync();
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"{dose.Cycles} times {Slow} slow clients: {fast} redeemed beside them; of the slow {taken} taken at last, {turned} turned away");
        return new(counts, trial.Faults, control);
    }

    /// <summary>Everything but the end, byte by byte; then the end at once.</summary>
    private static async Task<int> TrickleAsync(Trial trial, Wish wish, bool inBody, CancellationToken enough)
    {
        var request = RawHttp.Post(
            "/api/v1/redemptions", trial.Stage.SiteKey, JsonSerializer.SerializeToUtf8Bytes(wish.Body));
        var sent = inBody ? request.AsSpan().IndexOf("\r\n\r\n"u8) + 4 : 20;
        trial.Log.Ask(wish);
        try
        {
            using var socket = await RawHttp.ConnectAsync(trial.Service.Port);
            await socket.SendAsync(request.AsMemory(0, sent), CancellationToken.None);
            while (!enough.IsCancellationRequested && sent < request.Length - 1)
            {
                await socket.SendAsync(request.AsMemory(sent++, 1), CancellationToken.None);
                await Task.Delay(Drip, CancellationToken.None);
            }

            await socket.SendAsync(request.AsMemory(sent), CancellationToken.None);
            using var late = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            var answer = await RawHttp.ReadAsync(socket, late.Token);
            if (answer is { Status: 201 })
                trial.Log.Acknowledge(wish, answer.Text[(answer.Text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
            if (answer is { Status: >= 500 }) trial.Blame($"a slow client was answered {answer.Text}");
            return answer?.Status ?? Till.Cut;
        }
        catch (SocketException)
        {
            return Till.Cut; // Turned away while it sent: it asks again later.
        }
    }

    private static async Task<Control> HeldAsync(Trial trial)
    {
        var before = trial.Till.Count(201);
        int meanwhile;
        Task load;
        using (var other = StoreCheck.Open(trial.Store.Store, readOnly: false))
        {
            StoreCheck.Execute(other, "BEGIN IMMEDIATE");
            load = trial.RedeemAsync(TimeSpan.FromMilliseconds(500));
            await Task.Delay(500);
            meanwhile = trial.Till.Count(201) - before;
        }

        await load;
        return new("the store held by another process in place of slow clients", meanwhile == 0,
            $"{meanwhile} redeemed meanwhile");
    }
}
