using System.Text.Json;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Conventions;

/// <summary>
/// The terms of a convention: every rate, quota, date and cap is a parameter here, never a constant. One
/// version is one canonical JSON document; an amendment makes the next one.
/// </summary>
internal record Terms
{
    /// <summary>The call for projects: "AAP 2019", "AAP 2020".</summary>
    public string? Program { get; init; }

    public required DateOnly StartsOn { get; init; }

    public required DateOnly EndsOn { get; init; }

    /// <summary>Value of a pass, in cents.</summary>
    public required long FaceValueCents { get; init; }

    /// <summary>Credit of a pass, in minutes.</summary>
    public required long MinutesPerVoucher { get; init; }

    /// <summary>A redemption takes whole, untouched passes: what is left on paper can't be read by its owner.</summary>
    public bool WholeVouchersOnly { get; init; } = true;

    public required IReadOnlyList<Tariff> Tariffs { get; init; }

    /// <summary>Who pays, in the order the shares are counted; the shares sum to 10,000 basis points.</summary>
    public required IReadOnlyList<Funder> Funders { get; init; }

    public required long BudgetCents { get; init; }

    public long? MinimumOrderCents { get; init; }

    /// <summary>COG codes: communes (5 characters), départements (2–3), EPCI (9 digits).</summary>
    public required IReadOnlyList<string> Territory { get; init; }

    public IReadOnlyList<string> TargetPublics { get; init; } = [];

    public IReadOnlyList<TargetPopulation> TargetPopulations { get; init; } = [];

    /// <summary>The share that must go to the PIC public, in basis points.</summary>
    public long? PicQuotaBasisPoints { get; init; }

    /// <summary>What the quota is a share of: allocated, handed-out, redeemed or hours.</summary>
    public string? PicQuotaBase { get; init; }

    public IReadOnlyList<Objective> Objectives { get; init; } = [];

    public Evaluation? Evaluation { get; init; }

    public long UpstreamFeeBasisPoints { get; init; }

    public long DownstreamFeeBasisPoints { get; init; }

    public long FeeVatBasisPoints { get; init; }

    /// <summary>Days after validUntil in which a handed-out pass is still accepted.</summary>
    public long ToleranceDays { get; init; } = 30;

    /// <summary>How long ago a service may be when it is recorded.</summary>
    public long OfflineDays { get; init; } = 7;

    /// <summary>Passes a device and month that are paid though another site was first.</summary>
    public long OfflineGuaranteePasses { get; init; } = 5;

    /// <summary>Days in which a dispute over an offline service may be rejected; after them it is accepted.</summary>
    public long DisputeDays { get; init; } = 30;

    /// <summary><c>refuse</c> or <c>accept-and-regularise</c>.</summary>
    public string RequireHandOut { get; init; } = "accept-and-regularise";

    public string? DebtorIban { get; init; }

    /// <summary>What the person pays at the site for each pass, in cents; null, as is usual, for nothing.</summary>
    public long? OwnShareCents { get; init; }

    /// <summary>The document that is stored and hashed: members in the order above.</summary>
    public string ToDocument() => JsonSerializer.Serialize(new Terms(this), Json.Options);

    public static Terms Parse(string document) => JsonSerializer.Deserialize<Terms>(document, Json.Options)!;

    /// <summary>The tariff of a service: its own line before "*"; the kind of activity must fit.</summary>
    public Tariff? TariffOf(string service, string kind) =>
        Tariffs.FirstOrDefault(t => t.Service == service && t.Fits(kind))
        ?? Tariffs.FirstOrDefault(t => t.Service == "*" && t.Fits(kind));
}

/// <summary>
/// What a service debits: <paramref name="DebitMinutes"/> for each begun <paramref name="PerDurationMinutes"/>.
/// <paramref name="Service"/> is a service of the national standard or "*"; <paramref name="Kind"/> is
/// <c>individuel</c>, <c>collectif</c> or "*".
/// </summary>
internal sealed record Tariff(string Service, string Kind, long DebitMinutes, long PerDurationMinutes)
{
    public bool Fits(string kind) => Kind == "*" || Kind == kind;

    public long Debit(long durationMinutes) =>
        DebitMinutes * ((durationMinutes + PerDurationMinutes - 1) / PerDurationMinutes);
}

/// <summary>
/// A payer: <paramref name="Kind"/> <c>state</c>, <c>authority</c> or <c>third-party</c>. A prefunding funder's
/// money is there at activation; a reimbursing one is advanced by the prefunding funder named in
/// <paramref name="AdvancedBy"/>. <paramref name="Base"/> is <c>used</c> or <c>bought</c>.
/// </summary>
internal sealed record Funder(
    string Kind, string Name, long ShareBasisPoints, string Mode, string? Siret = null, string? AdvancedBy = null,
    string Base = "used", long? CapCents = null)
{
    public bool IsPrefunding => Mode == "prefunding";
}

internal sealed record TargetPopulation(string Public, string Territory, long Persons, string Source, DateOnly Date);

internal sealed record Objective(string Indicator, long Target, DateOnly By);

internal sealed record Evaluation(IReadOnlyList<string> Questions, string Evaluator, string? Baseline = null);

/// <summary>A version of the terms, in force from a day until the next version's.</summary>
internal sealed record TermsVersion(long Version, string Reference, long SignedDay, long EffectiveDay, Terms Terms);

/// <summary>A convention with the versions of its terms known so far, ascending.</summary>
internal sealed record ConventionCard(
    string Id, string Reference, string AuthorityId, string? HubId, IReadOnlyList<TermsVersion> Versions)
{
    public TermsVersion Latest => Versions[^1];

    /// <summary>The version in force on a day: the latest known whose effective day has come, else the first.</summary>
    public TermsVersion InForce(long day) => Versions.LastOrDefault(v => v.EffectiveDay <= day) ?? Versions[0];
}

/// <summary>
/// Conventions in memory, where another copy of the service may have amended them since. What never changes
/// (reference, parties) may be read from memory; so may the terms by a write that names the latest version it
/// knew (<c>NOT EXISTS … version &gt; @KnownVersion</c>). Whoever shows terms, or says no because of them, asks
/// for the latest.
/// </summary>
internal sealed class ConventionCards
{
    private readonly Remembered<string, ConventionCard> _known = new(LoadAsync);

    /// <summary>As it is in memory.</summary>
    public ValueTask<ConventionCard?> FindAsync(Session session, string id) => _known.FindAsync(session, id);

    /// <summary>With the version that a fact names, whichever copy recorded it.</summary>
    public async ValueTask<ConventionCard?> FindAsync(Session session, string id, long version)
    {
        var known = await FindAsync(session, id);
        if (known is null || known.Latest.Version >= version) return known;
        Forget(id);
        return await FindAsync(session, id);
    }

    /// <summary>With every amendment committed so far.</summary>
    public async ValueTask<ConventionCard?> FindLatestAsync(Session session, string id)
    {
        if (await FindAsync(session, id) is not { } known) return null;
        var latest = await session.FindAsync<long>(Sql.LatestVersion, new { Id = id });
        if (latest == known.Latest.Version) return known;
        Forget(id);
        return await FindAsync(session, id);
    }

    public void Forget(string id) => _known.Forget(id);

    private static async Task<(ConventionCard, long?)?> LoadAsync(Session session, string id)
    {
        var head = await session.FindAsync<Head>(Sql.Convention, new { Id = id });
        if (head is null) return null;
        var rows = await session.ListAsync<Row>(Sql.Versions, new { Id = id });
        var versions = rows.Select(r =>
            new TermsVersion(r.Version, r.Reference, r.SignedDay, r.EffectiveDay, Terms.Parse(r.Document)));
        var sealedAll = rows.All(r => r.Batch is not null);
        return (new(head.Id, head.Reference, head.AuthorityId, head.HubId, [.. versions]),
            sealedAll ? rows.Max(r => r.Batch) : null);
    }

    private sealed record Head(string Id, string Reference, string AuthorityId, string? HubId);

    private sealed record Row(
        long Version, string Reference, long SignedDay, long EffectiveDay, string Document, long? Batch);

    private static class Sql
    {
        public const string Convention = """
            SELECT id AS Id,
                   reference AS Reference,
                   authority_id AS AuthorityId,
                   hub_id AS HubId
              FROM conventions
             WHERE id = @Id
            """;

        public const string LatestVersion = """
            SELECT CAST(MAX(version) AS bigint) AS Version
              FROM convention_terms
             WHERE convention_id = @Id
            """;

        public const string Versions = """
            SELECT version AS Version,
                   reference AS Reference,
                   signed_day AS SignedDay,
                   effective_day AS EffectiveDay,
                   terms AS Document,
                   batch AS Batch
              FROM convention_terms
             WHERE convention_id = @Id
             ORDER BY version
            """;
    }
}
