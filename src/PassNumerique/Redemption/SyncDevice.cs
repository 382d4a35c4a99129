using System.Text.Json;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Sites;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// A device gives in what it queued while it was offline, under a key of its own. Each operation is a command of
/// its own, answered on its own, in the order given; one that fails holds up no other, and a batch that was cut
/// half way is simply sent again. An answer names no code: by its operation id the device forgets the code.
/// </summary>
internal static class SyncDevice
{
    private const int MaxOperations = 500;

    /// <summary>Commands of one batch at a time: enough to share a commit, few enough to leave room for tills.</summary>
    private const int MaxInFlight = 8;

    /// <summary>Each operation is read on its own: a mistake in one is that one's answer.</summary>
    internal sealed record Body(IReadOnlyList<JsonElement> Operations);

    /// <summary>What an operation is, for the document of the API.</summary>
    internal sealed record Described(IReadOnlyList<RedeemVouchers.Command> Operations);

    internal sealed record Answer(IReadOnlyList<Line> Results, IReadOnlyList<ShowGuarantee.Line> Guarantee);

    /// <summary>
    /// <paramref name="Outcome"/>: <c>redeemed</c> 201, <c>guaranteed</c> 201, <c>disputed</c> 202 where a pass of
    /// it is, <c>refused</c> with the status of its problem, <c>retry</c> 503 or 429: keep it and send it again.
    /// </summary>
    internal sealed record Line(
        string? OperationId, long Status, string Outcome, bool Replayed, RedeemVouchers.Answer? Redemption,
        IReadOnlyList<GuaranteeReceipt> Guarantees, IReadOnlyList<DisputeReceipt> Disputes,
        IReadOnlyDictionary<string, object?>? Problem);

    internal static void Map(IEndpointRouteBuilder redemptions) => redemptions
        .Ask<Body, Answer>("/batch", Role.Site, RunAsync)
        .WithMetadata(new RouteFacts(Role.Site, typeof(Described), typeof(Answer), 200));

    private static async Task<Result<Answer>> RunAsync(Body body, Request request)
    {
        if (body.Operations.Count is 0 or > MaxOperations)
            throw new InvalidRequestException("operations", $"De 1 à {MaxOperations} opérations par envoi.");
        if (!request.Caller.IsKey) return ShowGuarantee.DeviceKeyNeeded;
        var queue = new Queue(request.Service<IServiceScopeFactory>(), request.Caller, request.Aborted);
        var lines = await queue.RunAsync(body.Operations);
        return new Answer(lines, await GuaranteeAsync(request, lines));
    }

    /// <summary>What is left of the conventions that the recorded operations were of.</summary>
    private static async Task<IReadOnlyList<ShowGuarantee.Line>> GuaranteeAsync(Request request, IReadOnlyList<Line> lines)
    {
        var (db, orders, conventions) = (request.Session, request.Service<OrderCards>(), request.Service<ConventionCards>());
        if (await request.Service<SiteCards>().FindAsync(db, request.Caller.PlaceIds[0]) is not { } site) return [];
        var serials = lines.SelectMany(l => (l.Redemption?.Redemptions.Select(r => r.Serial) ?? [])
            .Concat(l.Guarantees.Select(g => g.Serial)).Concat(l.Disputes.Select(d => d.Serial)));
        var ids = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var serial in serials.Distinct())
            if (await orders.FindAsync(db, serial) is { } order) ids.Add(order.ConventionId);
        var left = new List<ShowGuarantee.Line>();
        foreach (var id in ids)
            if (await ShowGuarantee.FindAsync(db, conventions, id, site) is { } line) left.Add(line);
        return left;
    }

    /// <summary>An operation as it was sent, or what is wrong with it.</summary>
    private sealed record Sent(string? OperationId, RedeemVouchers.Command? Command, InvalidRequestException? Mistake)
    {
        public static Sent Read(JsonElement element)
        {
            try
            {
                var command = Json.Read<RedeemVouchers.Command>(JsonSerializer.SerializeToUtf8Bytes(element));
                return new(command.OperationId, command, null);
            }
            catch (InvalidRequestException mistake)
            {
                var id = element.ValueKind == JsonValueKind.Object && element.TryGetProperty("operationId", out var given)
                    && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
                return new(id, null, mistake);
            }
        }

        /// <summary>Operations that share one of these keep their order: who was first is first.</summary>
        public IEnumerable<string> Keys => Command is null ? [] : Command.AllCodes
            .Select(code => VoucherCode.TryRead(code, out var read, out _) ? read.ToString() : "")
            .Append($"operation {Ids.Normalise(OperationId)}");
    }

    /// <summary>The operations of one request, some of them under way at once.</summary>
    private sealed class Queue(IServiceScopeFactory scopes, Caller caller, CancellationToken aborted)
    {
        public async Task<IReadOnlyList<Line>> RunAsync(IReadOnlyList<JsonElement> operations)
        {
            using var inFlight = new SemaphoreSlim(MaxInFlight);
            var last = new Dictionary<string, Task>(StringComparer.Ordinal);
            var lines = new Task<Line>[operations.Count];
            for (var i = 0; i < lines.Length; i++)
            {
                var sent = Sent.Read(operations[i]);
                var keys = sent.Keys.ToList();
                var before = keys.Select(last.GetValueOrDefault).OfType<Task>().ToList();
                lines[i] = Task.Run(() => InTurnAsync(sent, before, inFlight), CancellationToken.None);
                foreach (var key in keys) last[key] = lines[i];
            }

            return await Task.WhenAll(lines);
        }

        private async Task<Line> InTurnAsync(Sent sent, IReadOnlyList<Task> before, SemaphoreSlim inFlight)
        {
            await Task.WhenAll(before);
            await inFlight.WaitAsync(aborted);
            try
            {
                return sent.Command is { } command ? await OneAsync(command) : Invalid(sent.OperationId, sent.Mistake!);
            }
            finally
            {
                inFlight.Release();
            }
        }

        private async Task<Line> OneAsync(RedeemVouchers.Command command)
        {
            await using var scope = scopes.CreateAsyncScope();
            var services = scope.ServiceProvider;
            services.GetRequiredService<Session>().Caller = caller;
            try
            {
                return await RecordAsync(services, command);
            }
            catch (InvalidRequestException mistake)
            {
                return Invalid(command.OperationId, mistake);
            }
            catch (RefusedException refused)
            {
                return Refused(command, refused.Refusal);
            }
            catch (OutcomeUnknownException)
            {
                return Refused(command, Problems.OutcomeUnknown);
            }
            catch (StoreUnavailableException)
            {
                return Refused(command, Problems.Unavailable);
            }
            catch (Exception exception) when (services.GetRequiredService<Database>().IsTransient(exception))
            {
                return Refused(command, Problems.Unavailable);
            }
        }

        /// <summary>
        /// A redemption where it can be one. Where it was recorded as a second service before, that stays the
        /// answer, whatever became of the pass; else it becomes one where others are the reason.
        /// </summary>
        private async Task<Line> RecordAsync(IServiceProvider services, RedeemVouchers.Command command)
        {
            var (db, mediator) = (services.GetRequiredService<Session>(), services.GetRequiredService<IMediator>());
            var redeemed = await mediator.Send(command);
            if (redeemed is { IsRefused: false, Replayed: false }) return Recorded(command, redeemed.Value, [], false);
            var bodyHash = db.BodyHash;
            var recorded = await OfflineServices.FindAsync(db, Ids.Normalise(command.OperationId)!, aborted);
            if (recorded.Count > 0 && recorded[0].BodyHash != bodyHash) return Refused(command, Problems.KeyReused);
            if (recorded.Count > 0 || !redeemed.IsRefused) return Recorded(command, redeemed.Value, recorded, true);
            // A reservation is made online: who ends one knows what others could do to its pass.
            if (command.ReservationId is not null || !OfflineRules.MayBeSecond(redeemed.Refused!))
                return Refused(command, redeemed.Refused!);
            var second = await mediator.Send(
                new RecordOfflineService.Command(command) { BodyHash = bodyHash, Refused = redeemed.Refused! });
            return second.Refused is { } refused
                ? Refused(command, refused)
                : Recorded(command, second.Value!.Redeemed, second.Value.Services, second.Replayed);
        }
    }

    private static Line Recorded(
        RedeemVouchers.Command command, RedeemVouchers.Answer? redeemed, IReadOnlyList<OfflineService> services,
        bool isReplayed)
    {
        var disputes = services.Where(s => s.IsDispute).Select(OfflineServices.Dispute).ToList();
        var guarantees = services.Where(s => !s.IsDispute).Select(OfflineServices.Guarantee).ToList();
        var outcome = disputes.Count > 0 ? "disputed" : guarantees.Count > 0 ? "guaranteed" : "redeemed";
        return new(
            command.OperationId, disputes.Count > 0 ? 202 : 201, outcome, isReplayed, redeemed, guarantees, disputes, null);
    }

    private static Line Refused(RedeemVouchers.Command command, Refusal refusal) => new(
        command.OperationId, refusal.Status, refusal.Status is 429 or 503 ? "retry" : "refused", false, null, [], [],
        ProblemOf(refusal));

    private static Line Invalid(string? operationId, InvalidRequestException mistake)
    {
        var problem = ProblemOf(Problems.Invalid);
        problem["errors"] = mistake.Errors;
        return new(operationId, Problems.Invalid.Status, "refused", false, null, [], [], problem);
    }

    /// <summary>As a refused request would be answered, without the trace of a request of its own.</summary>
    private static Dictionary<string, object?> ProblemOf(Refusal refusal)
    {
        var members = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["type"] = Problems.Prefix + refusal.Code,
            ["title"] = refusal.Title,
            ["status"] = refusal.Status,
            ["detail"] = refusal.Detail,
        };
        foreach (var (name, value) in refusal.Facts) members[name] = value;
        return members;
    }
}
