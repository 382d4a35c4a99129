using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Conventions;

/// <summary>
/// An amendment (avenant): a dated change that makes the next version of the terms. Facts are judged by the
/// version in force on their day, so nothing recorded before changes; the budget alone counts at once.
/// </summary>
internal static class AmendConvention
{
    /// <summary>
    /// <paramref name="Changes"/> is a JSON merge patch (RFC 7396) on the latest terms: a member given
    /// replaces, null returns to the default, lists are replaced whole. <paramref name="KnownVersion"/>
    /// names the version it was written for, so that two people do not amend past each other.
    /// </summary>
    internal sealed record Command(
        string Reference, DateOnly SignedOn, DateOnly EffectiveFrom, JsonElement Changes,
        long? KnownVersion = null)
        : ICommand<Answer>
    {
        [JsonIgnore]
        public string ConventionId { get; init; } = "";
    }

    internal sealed record Answer(
        string ConventionId, long Version, string Reference, DateOnly SignedOn, DateOnly EffectiveFrom,
        Terms Terms);

    internal static readonly Refusal AmendedMeanwhile = new("amended-meanwhile", 409,
        "La convention a été amendée entre-temps.",
        "Relisez ses termes, puis renvoyez la demande si elle convient toujours.");

    internal static readonly Refusal EffectiveTooEarly = new("effective-too-early", 409,
        "Cet avenant prendrait effet avant la version précédente.",
        "Donnez une date d'effet égale ou postérieure à celle de la dernière version.");

    internal static readonly Refusal BudgetBelowOrdered = new("budget-below-ordered", 409,
        "Le nouveau budget est inférieur à ce qui est déjà commandé.",
        "Gardez un budget au moins égal au montant commandé, ou annulez d'abord des commandes.");

    internal static void Map(IEndpointRouteBuilder conventions) => conventions
        .Post("/{id}/amendments", Role.Operator | Role.State | Role.Authority, (Command body, Request r) =>
        {
            var id = r.Id();
            var cards = r.Service<ConventionCards>();

            // Before the answer leaves and after the commit: whoever reads it next reads the new version.
            r.Http.Response.OnStarting(() =>
            {
                cards.Forget(id);
                return Task.CompletedTask;
            });
            return body with { ConventionId = id };
        }, location: a => $"{Api.Root}/conventions/{a.ConventionId}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Reference).Reference(80);
            RuleFor(c => c.SignedOn).Sensible();
            RuleFor(c => c.EffectiveFrom).Sensible();
            RuleFor(c => c.Changes).Must(c => c.ValueKind == JsonValueKind.Object && c.EnumerateObject().Any())
                .WithMessage("Un objet { … } avec au moins un terme à changer est attendu.");
        }
    }

    internal sealed class Handler(Session db, ConventionCards cards) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var id = command.ConventionId;
            var latest = await db.FindAsync<LatestTerms>(Sql.Latest, new { Id = id, db.Caller.Scope }, ct);
            if (latest is null) return Problems.NotFound;
            if (command.KnownVersion is { } known && known != latest.Version)
                return AmendedMeanwhile.With("latestVersion", latest.Version);
            if (command.EffectiveFrom.ToDay() < latest.EffectiveDay)
                return EffectiveTooEarly.With("earliest", latest.EffectiveDay.ToDate());

            var terms = Merge(latest.Document, command.Changes);
            var next = new Answer(
                id, latest.Version + 1, command.Reference.Trim(), command.SignedOn, command.EffectiveFrom, terms);
            var inserted = await db.ExecuteAsync(Sql.Insert, new
            {
                Id = id,
                next.Version,
                next.Reference,
                SignedDay = next.SignedOn.ToDay(),
                EffectiveDay = next.EffectiveFrom.ToDay(),
                Terms = terms.ToDocument(),
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (inserted == 0)
            {
                // Who named no version follows whichever is the last: the command is run again.
                if (command.KnownVersion is null) throw new StoreUnavailableException("Amended meanwhile.");
                return AmendedMeanwhile;
            }

            if (await db.ExecuteAsync(Sql.SetBudget, new { Id = id, terms.BudgetCents }, ct) == 0)
            {
                var orderedCents = await db.FindAsync<long>(Sql.Ordered, new { Id = id }, ct);
                return BudgetBelowOrdered.With("orderedCents", orderedCents);
            }

            cards.Forget(id);
            return next;
        }
    }

    /// <summary>The terms with the changes in them. Throws, member by member, where they are no terms.</summary>
    internal static Terms Merge(string document, JsonElement changes)
    {
        var merged = JsonNode.Parse(document)!.AsObject();
        Patch(merged, changes);
        try
        {
            var terms = Json.Read<Terms>(JsonSerializer.SerializeToUtf8Bytes(merged));
            var outcome = new TermsValidator().Validate(terms);
            return outcome.IsValid ? terms : throw Problems.From(outcome.Errors);
        }
        catch (InvalidRequestException invalid)
        {
            throw new InvalidRequestException(invalid.Errors.ToDictionary(
                e => e.Key == "$" ? "changes" : $"changes.{e.Key}", e => e.Value));
        }
    }

    /// <summary>RFC 7396.</summary>
    private static void Patch(JsonObject target, JsonElement changes)
    {
        foreach (var member in changes.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Null)
            {
                target.Remove(member.Name);
            }
            else if (member.Value.ValueKind == JsonValueKind.Object)
            {
                if (target[member.Name] is not JsonObject inner) target[member.Name] = inner = [];
                Patch(inner, member.Value);
            }
            else
            {
                target[member.Name] = JsonNode.Parse(member.Value.GetRawText());
            }
        }
    }

    private sealed record LatestTerms(long Version, long EffectiveDay, string Document);

    private static class Sql
    {
        public const string Latest = """
            SELECT t.version AS Version,
                   t.effective_day AS EffectiveDay,
                   t.terms AS Document
              FROM conventions c
              JOIN convention_terms t ON t.convention_id = c.id
             WHERE c.id = @Id
               AND (@Scope IS NULL OR c.authority_id = @Scope)
               AND t.version = (SELECT MAX(v.version) FROM convention_terms v WHERE v.convention_id = @Id)
            """;

        public const string Insert = """
            INSERT INTO convention_terms (convention_id, version, reference, signed_day, effective_day, terms,
                                          actor_id, recorded_ms, batch)
            SELECT @Id, @Version, @Reference, @SignedDay, @EffectiveDay, @Terms,
                   @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM convention_terms WHERE convention_id = @Id AND version >= @Version)
            """;

        public const string SetBudget = """
            UPDATE convention_balances
               SET budget_cents = @BudgetCents
             WHERE convention_id = @Id AND ordered_cents <= @BudgetCents
            """;

        public const string Ordered = """
            SELECT ordered_cents
              FROM convention_balances
             WHERE convention_id = @Id
            """;
    }
}
