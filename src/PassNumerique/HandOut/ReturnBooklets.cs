using MediatR;
using PassNumerique.Custody;
using PassNumerique.Orders;
using PassNumerique.Platform;

namespace PassNumerique.HandOut;

/// <summary>
/// Several booklets given back at once, such as the unused stock of a point: each is answered on its own, and one that
/// is refused holds up no other.
/// </summary>
internal static class ReturnBooklets
{
    internal sealed record Question(
        string Reason, IReadOnlyList<long>? BookletNumbers = null, IReadOnlyList<BookletRange>? Ranges = null);

    internal sealed record Answer(long Returned, long Refused, IReadOnlyList<Line> Results);

    internal sealed record Line(
        long BookletNumber, long Status, ReturnBooklet.Answer? Return, string? Problem, string? Title, string? Detail);

    internal static void Map(IEndpointRouteBuilder returns) => returns
        .Ask<Question, Answer>("/batch", Role.Agent | Role.Authority, RunAsync);

    internal static async Task<Result<Answer>> RunAsync(Question question, Request request)
    {
        var asked = await BookletNumbers.FindAsync(
            request.Session, request.Service<OrderCards>(), question.BookletNumbers, question.Ranges, request.Caller.OrganisationId);
        if (asked.Refused is { } unknown) return unknown;
        var mediator = request.Service<IMediator>();
        var lines = new List<Line>(asked.Value!.Count);
        foreach (var booklet in asked.Value) lines.Add(await OneAsync(mediator, booklet.Number, question.Reason));
        var returned = lines.LongCount(l => l.Return is not null);
        return new Answer(returned, lines.Count - returned, lines);
    }

    /// <summary>A reason that has not its shape is the same for all: the whole question is then invalid.</summary>
    private static async Task<Line> OneAsync(IMediator mediator, long booklet, string reason)
    {
        var result = await mediator.Send(new ReturnBooklet.Command(booklet, reason));
        return result.Refused is { } refused
            ? new(booklet, refused.Status, null, Problems.Prefix + refused.Code, refused.Title, refused.Detail)
            : new(booklet, 201, result.Value, null, null, null);
    }
}
