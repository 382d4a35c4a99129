using System.Text.Json;

namespace PassNumerique.Platform;

/// <summary>
/// A business "no": expected, named by a stable code, shown to the caller with what to do next.
/// Bugs are exceptions, not refusals.
/// </summary>
internal sealed record Refusal(string Code, int Status, string Title, string Detail)
{
    /// <summary>When to come again, where <see cref="Status"/> says "not now" (429, 503).</summary>
    public long RetryAfterSeconds { get; init; } = 1;

    /// <summary>Facts of this very case, as members of the problem: a date, a count, an id.</summary>
    public IReadOnlyList<(string Name, object? Value)> Facts { get; init; } = [];

    /// <summary>How it is written, made once: for one that is said over and over. A changed one is written anew.</summary>
    public ProblemText? Written { get; init; }

    public object? Fact(string name) => Facts.FirstOrDefault(fact => fact.Name == name).Value;

    public Refusal Because(string detail) => this with { Detail = detail, Written = null };

    public Refusal With(string name, object? value) => With([(name, value)]);

    /// <summary>The same refusal with these facts after its own; none of them is named twice.</summary>
    public Refusal With(params ReadOnlySpan<(string Name, object? Value)> facts) =>
        this with { Facts = [.. Facts, .. facts], Written = null };
}

/// <summary>What the pipeline asks of every answer: whether it is kept, and how to give it a second time.</summary>
internal interface IOutcome<TSelf>
{
    bool IsRefused { get; }

    string ToStored();

    /// <param name="stored">What <see cref="ToStored"/> gave.</param>
    /// <param name="isMarked">Whether the caller is told that this answer was given before.</param>
    static abstract TSelf Replay(string stored, bool isMarked);

    static abstract TSelf Refuse(Refusal refusal);
}

/// <summary>Either the answer or the refusal.</summary>
internal readonly record struct Result<T>(T? Value, Refusal? Refused, bool Replayed = false) : IOutcome<Result<T>>
{
    public bool IsRefused => Refused is not null;

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Refusal refusal) => new(default, refusal);

    public static Result<T> Replay(string stored, bool isMarked) =>
        new(JsonSerializer.Deserialize<T>(stored, Json.Options), null, isMarked);

    public static Result<T> Refuse(Refusal refusal) => refusal;

    public string ToStored() => JsonSerializer.Serialize(Value, Json.Options);

    /// <summary>The same answer, marked as given before.</summary>
    public Result<T> AsReplay() => this with { Replayed = true };
}
