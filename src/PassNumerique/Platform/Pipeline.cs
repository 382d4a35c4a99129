using System.Collections.Concurrent;
using System.Text.Json;
using FluentValidation;
using MediatR;
using PassNumerique.Platform.Data;

namespace PassNumerique.Platform;

/// <summary>A request that writes. Validated, then run in one transaction.</summary>
internal interface ICommand<TAnswer> : IRequest<Result<TAnswer>>;

/// <summary>
/// A command whose own operation id is its idempotency key, for ever: its handler recognises a repetition
/// by the facts it wrote, so the pipeline keeps no second record of it.
/// </summary>
internal interface IOperation
{
    /// <summary>
    /// Whether the handler does part of its work first and enters the transaction itself, by
    /// <see cref="Session.TransactAsync"/>.
    /// </summary>
    bool EntersItself => false;
}

internal sealed class Validate<TRequest, TResponse>(IValidator<TRequest> validator)
    : IPipelineBehavior<TRequest, TResponse> where TRequest : notnull
{
    public Task<TResponse> Handle(TRequest request, CancellationToken ct, RequestHandlerDelegate<TResponse> next)
    {
        var outcome = validator.Validate(request);
        return outcome.IsValid ? next() : throw Problems.From(outcome.Errors);
    }
}

internal sealed class Transact<TRequest, TResponse>(Session session, Database database, KeyRing keys)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : notnull
    where TResponse : struct, IOutcome<TResponse>
{
    public Task<TResponse> Handle(TRequest request, CancellationToken ct, RequestHandlerDelegate<TResponse> next)
    {
        var route = request is IOperation ? "" : session.Route;
        session.Fingerprint = () => keys.Fingerprint(
            $"{typeof(TRequest).FullName} {route}\n", JsonSerializer.SerializeToUtf8Bytes(request, Json.Options));
        if (request is IOperation { EntersItself: true }) return next();
        if (request is IOperation) return session.TransactAsync(() => next());
        if (session.IdempotencyKey is { } key) return session.TransactAsync(() => Once(next, key));

        // Where the answer to a commit can be lost on its way, the command must find out whether it happened.
        if (!database.LosesAnswers) return session.TransactAsync(() => next());
        var own = $"own {Guid.NewGuid():N}";
        return session.TransactAsync(() => Once(next, own));
    }

    private async Task<TResponse> Once(RequestHandlerDelegate<TResponse> next, string key)
    {
        var args = new { session.Caller.OrganisationId, IdempotencyKey = key, Before = session.NowMs - KeptMs };
        await session.ExecuteAsync(Sql.Expire, args);
        var first = await session.FindAsync<Remembered>(Sql.Find, args);
        if (first is not null)
            return first.Fingerprint == session.BodyHash
                ? TResponse.Replay(keys.Reveal(first.Answer), isMarked: key == session.IdempotencyKey)
                : TResponse.Refuse(Problems.KeyReused);

        var response = await next();
        if (response.IsRefused)
        {
            // A twin that committed since the look-up above may be the very reason, and its answer is ours too.
            if (await session.FindAsync<Remembered>(Sql.Find, args) is null) return response;
            throw new StoreUnavailableException("The same request was answered meanwhile.");
        }

        await session.ExecuteAsync(Sql.Remember, new
        {
            session.Caller.OrganisationId,
            IdempotencyKey = key,
            Fingerprint = session.BodyHash,
            Answer = keys.Conceal(response.ToStored()),
            session.NowMs,
        });
        return response;
    }

    /// <summary>An Idempotency-Key is remembered for thirty days.</summary>
    private const long KeptMs = 30 * Clock.DayMs;

    private sealed record Remembered(string Fingerprint, string Answer);

    private static class Sql
    {
        public const string Find = """
            SELECT fingerprint AS Fingerprint,
                   answer AS Answer
              FROM idempotency_keys
             WHERE organisation_id = @OrganisationId AND idempotency_key = @IdempotencyKey
            """;

        public const string Expire = """
            DELETE FROM idempotency_keys
             WHERE recorded_ms < @Before
            """;

        public const string Remember = """
            INSERT INTO idempotency_keys (organisation_id, idempotency_key, fingerprint, answer, recorded_ms)
            VALUES (@OrganisationId, @IdempotencyKey, @Fingerprint, @Answer, @NowMs)
            """;
    }
}

/// <summary>
/// The only code that knows MediatR's version. A command's handler and validator are the types
/// <c>Handler</c> and <c>Validator</c> beside it in its slice: found by that name at first use, so that the
/// start of the process scans nothing.
/// </summary>
internal static class PipelineRegistration
{
    private static readonly ConcurrentDictionary<Type, Func<IServiceProvider, object>> Makers = new();

    public static IServiceCollection AddPipeline(this IServiceCollection services) => services
        .AddScoped<IMediator>(provider => new Mediator(
            service => Makers.GetOrAdd(service, MakerOf)(provider)));

    private static Func<IServiceProvider, object> MakerOf(Type service)
    {
        if (!service.IsGenericType) return provider => provider.GetRequiredService(service);
        var definition = service.GetGenericTypeDefinition();
        var types = service.GetGenericArguments();
        if (definition == typeof(IRequestHandler<,>))
        {
            var make = ActivatorUtilities.CreateFactory(Beside(types[0], "Handler"), []);
            return provider => make(provider, null);
        }

        if (definition == typeof(IEnumerable<>) && types[0].IsGenericType
            && types[0].GetGenericTypeDefinition() == typeof(IPipelineBehavior<,>))
        {
            var steps = typeof(Steps<,>).MakeGenericType(types[0].GetGenericArguments());
            return steps.GetMethod(nameof(Steps<,>.Make))!.CreateDelegate<Func<IServiceProvider, object>>();
        }

        return provider => provider.GetRequiredService(service);
    }

    private static Type Beside(Type command, string name) =>
        command.DeclaringType?.GetNestedType(name, System.Reflection.BindingFlags.NonPublic
            | System.Reflection.BindingFlags.Public)
        ?? throw new InvalidOperationException($"{command} has no {name} beside it.");

    /// <summary>What each command passes before its handler.</summary>
    private static class Steps<TRequest, TResponse>
        where TRequest : notnull
        where TResponse : struct, IOutcome<TResponse>
    {
        private static readonly Validate<TRequest, TResponse> Validate = new(
            (IValidator<TRequest>)Activator.CreateInstance(Beside(typeof(TRequest), "Validator"))!);

        public static object Make(IServiceProvider provider) => new IPipelineBehavior<TRequest, TResponse>[]
        {
            Validate,
            new Transact<TRequest, TResponse>(
                provider.GetRequiredService<Session>(), provider.GetRequiredService<Database>(),
                provider.GetRequiredService<KeyRing>()),
        };
    }
}
