using MediatR;
using PassNumerique.Platform;

namespace PassNumerique.HandOut;

/// <summary>
/// Hand-outs typed at the end of the day, each answered on its own: one that is refused holds up no other.
/// </summary>
internal static class RecordHandOutBatch
{
    private const int MaxHandOuts = 200;

    internal sealed record Question(IReadOnlyList<RecordHandOut.Command> HandOuts);

    internal sealed record Answer(IReadOnlyList<Line> Results);

    internal sealed record Line(
        string OperationId, long Status, RecordHandOut.Answer? HandOut, string? Problem, string? Title, string? Detail,
        IReadOnlyDictionary<string, string[]>? Errors);

    internal static void Map(IEndpointRouteBuilder handOuts) => handOuts
        .Ask<Question, Answer>("/batch", Role.Agent | Role.Authority, RunAsync);

    private static async Task<Result<Answer>> RunAsync(Question question, Request request)
    {
        if (question.HandOuts.Count is 0 or > MaxHandOuts)
            throw new InvalidRequestException("handOuts", $"De 1 à {MaxHandOuts} remises par envoi.");
        var mediator = request.Service<IMediator>();
        var lines = new List<Line>();
        foreach (var handOut in question.HandOuts) lines.Add(await OneAsync(mediator, handOut));
        return new Answer(lines);
    }

    private static async Task<Line> OneAsync(IMediator mediator, RecordHandOut.Command handOut)
    {
        try
        {
            var result = await mediator.Send(handOut);
            return result.Refused is { } refused
                ? new(handOut.OperationId, refused.Status, null, Problems.Prefix + refused.Code, refused.Title, refused.Detail, null)
                : new(handOut.OperationId, 201, result.Value, null, null, null, null);
        }
        catch (InvalidRequestException invalid)
        {
            var problem = Problems.Invalid;
            return new(handOut.OperationId, 400, null, Problems.Prefix + problem.Code, problem.Title, problem.Detail, invalid.Errors);
        }
    }
}
