using System.Security.Cryptography;
using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Orders;

/// <summary>
/// A collectivité orders booklets under its convention, shared out between its distribution points. The
/// order writes one lot per point, whatever its size: a pass has no row until it is touched, and its code is
/// derived when it is printed.
/// </summary>
internal static class PlaceOrder
{
    public const long MaxVouchers = 1_000_000;
    public const long MaxVouchersPerBooklet = 20;
    public const int MaxPoints = 500;

    internal sealed record Command(
        string ConventionId, long Booklets, long VouchersPerBooklet, DateOnly ValidUntil,
        IReadOnlyList<Share> DistributionPoints, string? Campaign = null, string? Wave = null,
        string? Comment = null) : ICommand<Answer>;

    /// <summary>
    /// Booklets for one point; <paramref name="PicBooklets"/> of them are allocated to the PIC public,
    /// unknown when absent.
    /// </summary>
    internal sealed record Share(string Id, long Booklets, long? PicBooklets = null);

    internal sealed record Answer(
        string Id, long FirstSerial, long LastSerial, long BookletCount, long VoucherCount, long TotalCents,
        string State);

    internal static readonly Refusal NotInForce = new("convention-not-in-force", 409,
        "La convention n'est pas en cours aujourd'hui.",
        "Commandez entre ses dates de début et de fin, ou prolongez-la par un avenant.");

    internal static readonly Refusal ValidUntilPast = new("valid-until-past", 409,
        "La fin de validité doit être à venir.", "Donnez pour « validUntil » une date après aujourd'hui.");

    internal static readonly Refusal BelowMinimum = new("order-below-minimum", 409,
        "Cette commande est inférieure au minimum de la convention.",
        "Augmentez le nombre de carnets pour atteindre le montant minimal.");

    internal static readonly Refusal BudgetExceeded = new("budget-exceeded", 409,
        "Cette commande dépasse le budget restant de la convention.",
        "Réduisez-la au montant restant, ou augmentez le budget par un avenant.");

    internal static readonly Refusal PointUnknown = new("point-unknown", 404,
        "Ce point de remise n'est pas de la collectivité.",
        "Vérifiez « distributionPoints » : chaque point est l'un de ceux de la collectivité de la convention.");

    internal static void Map(IEndpointRouteBuilder orders) => orders
        .Post("/", Role.Operator | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/orders/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.ConventionId).Uuid();
            RuleFor(c => c.Booklets).Between(1, MaxVouchers);
            RuleFor(c => c.VouchersPerBooklet).Between(1, MaxVouchersPerBooklet);
            RuleFor(c => c.Booklets).Must((c, booklets) => booklets * c.VouchersPerBooklet <= MaxVouchers)
                .When(c => c.Booklets is > 0 and <= MaxVouchers
                    && c.VouchersPerBooklet is > 0 and <= MaxVouchersPerBooklet)
                .WithMessage($"Une commande compte au plus {French.Count(MaxVouchers)} pass.");
            RuleFor(c => c.ValidUntil).Sensible();
            RuleFor(c => c.DistributionPoints).Lines(1, MaxPoints);
            RuleForEach(c => c.DistributionPoints).SetValidator(new ShareValidator());
            RuleFor(c => c.DistributionPoints).Unique(p => Ids.Normalise(p.Id) ?? p.Id)
                .WithMessage("Un point de remise est donné deux fois.");
            RuleFor(c => c.DistributionPoints).Must((c, points) => Adds(points, c.Booklets))
                .WithMessage("Les carnets des points doivent faire ensemble le nombre de carnets commandés.");
            RuleFor(c => c.Campaign).Note(80);
            RuleFor(c => c.Wave).Note(80);
            RuleFor(c => c.Comment).Note(400);
        }

        // Numbers out of bounds have their own message; they are left out here so that the sum can't overflow.
        private static bool Adds(IReadOnlyList<Share> points, long booklets) =>
            points.Any(p => p is null || p.Booklets is < 1 or > MaxVouchers)
            || points.Sum(p => p.Booklets) == booklets;
    }

    internal sealed class Handler(Session db, ConventionCards conventions, KeyRing keys)
        : IRequestHandler<Command, Result<Answer>>
    {
        public Task<Result<Answer>> Handle(Command command, CancellationToken ct) => PlaceAsync(
            command, async (convention, order) =>
                await InsertLotsAsync(command, convention.AuthorityId, order, ct) is { } unknown
                    ? PointUnknown.With("pointId", unknown)
                    : null,
            ct);

        /// <summary>The order, and its lots by whoever knows them.</summary>
        public async Task<Result<Answer>> PlaceAsync(
            Command command, Func<ConventionCard, Answer, Task<Refusal?>> insertLots, CancellationToken ct)
        {
            var convention = await conventions.FindLatestAsync(db, Ids.Normalise(command.ConventionId)!);
            if (convention is null || (db.Caller.Scope is { } scope && scope != convention.AuthorityId))
                return Refusals.ConventionUnknown;
            var version = convention.InForce(db.Today);
            if (WhyNot(command, version.Terms, db.Today) is { } refusal) return refusal;

            var totalCents = TotalCents(command, version.Terms);
            var budget = new { ConventionId = convention.Id, TotalCents = totalCents };
            if (await db.ExecuteAsync(Sql.TakeBudget, budget, ct) == 0)
                return await BudgetExceededAsync(budget, ct);
            if (await SerialNumbers.TakeAsync(db, command.Booklets * command.VouchersPerBooklet, ct) is not { } firstSerial)
                return SerialNumbers.Exhausted;

            var vouchers = command.Booklets * command.VouchersPerBooklet;
            var answer = new Answer(
                Ids.New(), firstSerial, firstSerial + vouchers - 1, command.Booklets, vouchers, totalCents,
                OrderStep.State(0, isCancelled: false));
            if (await InsertAsync(command, convention, version, answer, ct) == 0) return Stale(convention.Id);
            return await insertLots(convention, answer) is { } refused ? refused : answer;
        }

        private async Task<Refusal> BudgetExceededAsync(object args, CancellationToken ct)
        {
            var budget = (await db.FindAsync<Budget>(Sql.Budget, args, ct))!;
            return BudgetExceeded
                .With("remainingCents", budget.BudgetCents - budget.OrderedCents)
                .With("orderedCents", budget.OrderedCents);
        }

        private Task<long> InsertAsync(
            Command command, ConventionCard convention, TermsVersion version, Answer answer,
            CancellationToken ct) =>
            db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                ConventionId = convention.Id,
                convention.AuthorityId,
                answer.FirstSerial,
                answer.LastSerial,
                answer.BookletCount,
                command.VouchersPerBooklet,
                answer.VoucherCount,
                FaceCents = version.Terms.FaceValueCents,
                CreditMinutes = version.Terms.MinutesPerVoucher,
                answer.TotalCents,
                ValidUntilDay = command.ValidUntil.ToDay(),
                TermsVersion = version.Version,
                Salt = RandomNumberGenerator.GetBytes(VoucherCode.SaltBytes),
                KeyVersion = (long)keys.Current,
                Campaign = Tidy(command.Campaign),
                Wave = Tidy(command.Wave),
                Comment = Tidy(command.Comment),
                OrderedDay = db.Today,
                KnownVersion = convention.Latest.Version,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);

        /// <summary>The lots in the order given; the id of a point that is not of the collectivité.</summary>
        private async Task<string?> InsertLotsAsync(
            Command command, string authorityId, Answer order, CancellationToken ct)
        {
            var (position, first) = (1L, order.FirstSerial);
            foreach (var share in command.DistributionPoints)
            {
                var last = first + (share.Booklets * command.VouchersPerBooklet) - 1;
                var inserted = await db.ExecuteAsync(Sql.InsertLot, new
                {
                    OrderId = order.Id,
                    Position = position++,
                    FirstSerial = first,
                    LastSerial = last,
                    BookletCount = share.Booklets,
                    share.PicBooklets,
                    PointId = Ids.Normalise(share.Id),
                    AuthorityId = authorityId,
                    db.ActorId,
                    db.NowMs,
                    db.Batch,
                }, ct);
                if (inserted == 0) return share.Id;
                first = last + 1;
            }

            return null;
        }

        private Refusal Stale(string conventionId)
        {
            conventions.Forget(conventionId);
            return AmendConvention.AmendedMeanwhile;
        }

        private static string? Tidy(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
    }

    /// <summary>What the terms in force say of the order, before any money is looked at.</summary>
    internal static Refusal? WhyNot(Command command, Terms terms, long today)
    {
        if (today < terms.StartsOn.ToDay() || today > terms.EndsOn.ToDay())
            return NotInForce.With("startsOn", terms.StartsOn).With("endsOn", terms.EndsOn);
        if (command.ValidUntil.ToDay() <= today) return ValidUntilPast.With("validUntil", command.ValidUntil);
        var totalCents = TotalCents(command, terms);
        return terms.MinimumOrderCents is { } minimum && totalCents < minimum
            ? BelowMinimum.With("minimumOrderCents", minimum).With("totalCents", totalCents)
            : null;
    }

    internal static long TotalCents(Command command, Terms terms) =>
        command.Booklets * command.VouchersPerBooklet * terms.FaceValueCents;

    private sealed class ShareValidator : AbstractValidator<Share>
    {
        public ShareValidator()
        {
            RuleFor(s => s.Id).Uuid();
            RuleFor(s => s.Booklets).Between(1, MaxVouchers);
            RuleFor(s => s.PicBooklets).Must((s, pic) => pic is null || (pic >= 0 && pic <= s.Booklets))
                .WithMessage("Les carnets du public PIC sont une partie des carnets du point.");
        }
    }

    private sealed record Budget(long BudgetCents, long OrderedCents);

    private static class Sql
    {
        public const string TakeBudget = """
            UPDATE convention_balances
               SET ordered_cents = ordered_cents + @TotalCents
             WHERE convention_id = @ConventionId AND ordered_cents + @TotalCents <= budget_cents
            """;

        public const string Budget = """
            SELECT budget_cents AS BudgetCents,
                   ordered_cents AS OrderedCents
              FROM convention_balances
             WHERE convention_id = @ConventionId
            """;

        public const string Insert = """
            INSERT INTO orders (id, convention_id, authority_id, first_serial, last_serial, booklet_count,
                                vouchers_per_booklet, voucher_count, face_cents, credit_minutes, total_cents,
                                valid_until_day, terms_version, salt, key_version, campaign, wave, comment,
                                ordered_day, actor_id, recorded_ms, batch)
            SELECT @Id, @ConventionId, @AuthorityId, @FirstSerial, @LastSerial, @BookletCount,
                   @VouchersPerBooklet, @VoucherCount, @FaceCents, @CreditMinutes, @TotalCents,
                   @ValidUntilDay, @TermsVersion, @Salt, @KeyVersion, @Campaign, @Wave, @Comment,
                   @OrderedDay, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1
                                 FROM convention_terms
                                WHERE convention_id = @ConventionId AND version > @KnownVersion)
            """;

        public const string InsertLot = """
            INSERT INTO lots (order_id, position, first_serial, last_serial, booklet_count, pic_booklets, point_id,
                              actor_id, recorded_ms, batch)
            SELECT @OrderId, @Position, @FirstSerial, @LastSerial, @BookletCount, @PicBooklets, p.id,
                   @ActorId, @NowMs, @Batch
              FROM distribution_points p
             WHERE p.id = @PointId AND p.authority_id = @AuthorityId
            """;
    }
}
