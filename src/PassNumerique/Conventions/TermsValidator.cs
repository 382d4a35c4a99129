using FluentValidation;
using PassNumerique.Platform;

namespace PassNumerique.Conventions;

/// <summary>
/// The shape of the terms of a convention, the same for the first version and for each amendment: what is
/// asked for is complete, within bounds, and agrees with itself.
/// </summary>
internal sealed class TermsValidator : AbstractValidator<Terms>
{
    public const long BasisPoints = 10_000;
    public const long MaxCents = 100_000_000_000;
    public const long MaxFaceValueCents = 100_000;
    public const long MaxMinutesPerVoucher = 6_000;
    public const int MaxFunders = 20;
    public const int MaxTariffs = 100;
    public const int MaxTerritories = 2_000;
    public const int MaxLines = 100;

    public static readonly IReadOnlyList<string> QuotaBases = ["allocated", "handed-out", "redeemed", "hours"];
    public static readonly IReadOnlyList<string> HandOutRules = ["refuse", "accept-and-regularise"];

    public TermsValidator()
    {
        Dates();
        Amounts();
        Tariffs();
        Funders();
        Publics();
        Aims();
    }

    private void Dates()
    {
        RuleFor(t => t.StartsOn).Sensible();
        RuleFor(t => t.EndsOn).Sensible();
        RuleFor(t => t.EndsOn).GreaterThanOrEqualTo(t => t.StartsOn)
            .WithMessage("La convention finit avant de commencer : vérifiez « startsOn » et « endsOn ».");
        RuleFor(t => t.ToleranceDays).Between(0, 365);
        RuleFor(t => t.OfflineDays).Between(0, 60);
        RuleFor(t => t.OfflineGuaranteePasses).Between(0, 1_000);
        RuleFor(t => t.DisputeDays).Between(1, 365);
        RuleFor(t => t.RequireHandOut).NotNull().OneOf(HandOutRules);
    }

    private void Amounts()
    {
        RuleFor(t => t.Program).Note(100);
        RuleFor(t => t.FaceValueCents).Between(1, MaxFaceValueCents);
        RuleFor(t => t.MinutesPerVoucher).Between(1, MaxMinutesPerVoucher);
        RuleFor(t => t.BudgetCents).Between(1, MaxCents);
        RuleFor(t => t.MinimumOrderCents).Between(0, MaxCents);
        RuleFor(t => t.MinimumOrderCents).Must((t, minimum) => minimum is null || minimum <= t.BudgetCents)
            .WithMessage("La commande minimale dépasse le budget.");
        RuleFor(t => t.UpstreamFeeBasisPoints).Between(0, BasisPoints);
        RuleFor(t => t.DownstreamFeeBasisPoints).Between(0, BasisPoints);
        RuleFor(t => t.FeeVatBasisPoints).Between(0, BasisPoints);
        RuleFor(t => t.OwnShareCents).Between(1, MaxFaceValueCents);
        RuleFor(t => t.DebtorIban).Must(iban => iban is null || Identifiers.IsIban(iban))
            .WithMessage("Cet IBAN n'est pas valable : majuscules et chiffres sans espace, avec sa clé.");
    }

    private void Tariffs()
    {
        RuleFor(t => t.Tariffs).Lines(1, MaxTariffs);
        RuleForEach(t => t.Tariffs).SetValidator(new TariffValidator());
        RuleFor(t => t.Tariffs).Unique(t => (t.Service, t.Kind))
            .WithMessage("Deux lignes portent le même service et le même genre d'activité.");
    }

    private void Funders()
    {
        RuleFor(t => t.Funders).Lines(1, MaxFunders);
        RuleForEach(t => t.Funders).SetValidator(new FunderValidator());
        RuleFor(t => t.Funders).Must(SumToTheWhole)
            .WithMessage("Les parts doivent faire exactement 10 000 points de base (100 %).");
        RuleFor(t => t.Funders).Unique(f => f.Name.Trim())
            .WithMessage("Deux financeurs portent le même nom.");
        RuleFor(t => t.Funders).Must(funders => funders.All(f => f is null || IsAdvanced(f, funders)))
            .WithMessage("Un financeur « reimbursing » nomme dans « advancedBy » un financeur « prefunding » ; "
                + "un financeur « prefunding » n'en nomme aucun.");
    }

    private void Publics()
    {
        RuleFor(t => t.Territory).Lines(1, MaxTerritories);
        RuleForEach(t => t.Territory).Must(code => code is null || Territories.Exists(code))
            .WithMessage((_, code) => UnknownTerritory(code));
        RuleFor(t => t.Territory).Unique(code => code).WithMessage("Un code de territoire est donné deux fois.");
        RuleFor(t => t.TargetPublics).Lines(0, MaxLines);
        RuleForEach(t => t.TargetPublics).OneOf(Vocabularies.TargetPublics.Codes);
        RuleFor(t => t.TargetPublics).Unique(code => code).WithMessage("Un public est donné deux fois.");
        RuleFor(t => t.TargetPopulations).Lines(0, MaxTerritories);
        RuleForEach(t => t.TargetPopulations).SetValidator(new PopulationValidator());
        RuleFor(t => t.PicQuotaBasisPoints).Between(0, BasisPoints);
        RuleFor(t => t.PicQuotaBase).OneOf(QuotaBases);
        RuleFor(t => t.PicQuotaBase).Must((t, of) => (of is null) == (t.PicQuotaBasisPoints is null))
            .WithMessage("« picQuotaBasisPoints » et « picQuotaBase » vont ensemble : les deux, ou aucun.");
    }

    private void Aims()
    {
        RuleFor(t => t.Objectives).Lines(0, MaxLines);
        RuleForEach(t => t.Objectives).SetValidator(new ObjectiveValidator());
        RuleFor(t => t.Objectives).Unique(o => (o.Indicator, o.By))
            .WithMessage("Deux objectifs portent le même indicateur à la même date.");
        RuleFor(t => t.Evaluation!).SetValidator(new EvaluationValidator()).When(t => t.Evaluation is not null);
    }

    // A share out of bounds has its own message; it is left out here so that the sum cannot overflow.
    private static bool SumToTheWhole(IReadOnlyList<Funder> funders) =>
        funders.Any(f => f is null || f.ShareBasisPoints is < 0 or > BasisPoints)
        || funders.Sum(f => f.ShareBasisPoints) == BasisPoints;

    private static bool IsAdvanced(Funder funder, IReadOnlyList<Funder> all) => funder.IsPrefunding
        ? funder.AdvancedBy is null
        : all.Any(f => f is { IsPrefunding: true } && f.Name == funder.AdvancedBy);

    private static string UnknownTerritory(string code) => code.Length switch
    {
        5 => $"La commune {code} n'existe pas au code officiel géographique.",
        2 or 3 => $"Le département {code} n'existe pas au code officiel géographique.",
        9 => $"L'EPCI {code} n'existe pas dans la liste officielle.",
        _ => "Un code de commune (5 caractères), de département (2 ou 3) ou d'EPCI (9 chiffres) est attendu.",
    };

    private sealed class TariffValidator : AbstractValidator<Tariff>
    {
        private const long DayMinutes = 1_440;

        private static readonly IReadOnlyList<string> Services = [.. Vocabularies.Services.Codes, "*"];
        private static readonly IReadOnlyList<string> Kinds = [.. Vocabularies.ActivityKinds.Codes, "*"];

        public TariffValidator()
        {
            RuleFor(t => t.Service).OneOf(Services);
            RuleFor(t => t.Kind).OneOf(Kinds);
            RuleFor(t => t.DebitMinutes).Between(1, DayMinutes);
            RuleFor(t => t.PerDurationMinutes).Between(1, DayMinutes);
        }
    }

    private sealed class FunderValidator : AbstractValidator<Funder>
    {
        private static readonly IReadOnlyList<string> Kinds = ["state", "authority", "third-party"];
        private static readonly IReadOnlyList<string> Modes = ["prefunding", "reimbursing"];
        private static readonly IReadOnlyList<string> Bases = ["used", "bought"];

        public FunderValidator()
        {
            RuleFor(f => f.Kind).OneOf(Kinds);
            RuleFor(f => f.Name).Name(200);
            RuleFor(f => f.Siret).Must(siret => siret is null || Identifiers.IsSiret(siret))
                .WithMessage("Ce SIRET n'est pas valable : 14 chiffres, dont la clé de contrôle.");
            RuleFor(f => f.ShareBasisPoints).Between(0, BasisPoints);
            RuleFor(f => f.Mode).OneOf(Modes);
            RuleFor(f => f.Base).OneOf(Bases);
            RuleFor(f => f.CapCents).Between(0, MaxCents);
        }
    }

    private sealed class PopulationValidator : AbstractValidator<TargetPopulation>
    {
        private const long MaxPersons = 100_000_000;

        public PopulationValidator()
        {
            RuleFor(p => p.Public).OneOf(Vocabularies.TargetPublics.Codes);
            RuleFor(p => p.Territory).Must(Territories.Exists).WithMessage((_, code) => UnknownTerritory(code));
            RuleFor(p => p.Persons).Between(1, MaxPersons);
            RuleFor(p => p.Source).Name(400);
            RuleFor(p => p.Date).Sensible();
        }
    }

    private sealed class ObjectiveValidator : AbstractValidator<Objective>
    {
        public ObjectiveValidator()
        {
            RuleFor(o => o.Indicator).OneOf(Indicators.Vocabulary.Codes);
            RuleFor(o => o.Target).Between(0, MaxCents);
            RuleFor(o => o.By).Sensible();
        }
    }

    private sealed class EvaluationValidator : AbstractValidator<Evaluation>
    {
        private const int MaxQuestions = 50;

        public EvaluationValidator()
        {
            RuleFor(e => e.Questions).Lines(1, MaxQuestions);
            RuleForEach(e => e.Questions).Must(q => q is null || (q.Trim().Length is > 0 and <= 500))
                .WithMessage("Une question de 1 à 500 caractères est attendue.");
            RuleFor(e => e.Evaluator).Name(200);
            RuleFor(e => e.Baseline).Note(2_000);
        }
    }
}
