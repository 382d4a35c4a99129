using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Sites;

namespace PassNumerique.Vouchers;

/// <summary>Tests a pass without using it: what is left, until when, and whether it can be used here.</summary>
internal static class CheckVoucher
{
    internal sealed record Question(string Code, string? SiteId = null);

    /// <param name="HeldMinutes">Those of the remaining minutes that are reserved for sessions under way.</param>
    /// <param name="ReservedUntil">When the last of these reservations falls away at the latest.</param>
    internal sealed record Answer(
        string State, long RemainingMinutes, long CreditMinutes, DateOnly ValidUntil, long BookletNumber, long Serial,
        bool UsableHere, string? Reason = null, long HeldMinutes = 0, string? ReservedUntil = null);

    internal static void Map(IEndpointRouteBuilder vouchers) => vouchers
        .Ask<Question, Answer>("/check", Role.Site | Role.Agent | Role.Authority | Role.Operator, AskAsync);

    internal static async Task<Result<Answer>> AskAsync(Question question, Request request)
    {
        if (ReadCode.Mistake(question.Code) is { } mistake) throw new InvalidRequestException("code", mistake);
        var session = request.Session;
        var found = await request.Service<ReadCode>().FindAsync(session, question.Code);
        if (found.Refused is { } refused) return refused;
        var (serial, order) = (found.Value!.Serial, found.Value.Order);
        if (session.Caller.Is(Role.Agent | Role.Authority) && session.Caller.OrganisationId != order.AuthorityId)
            return ReadCode.Unknown;

        var convention = await request.Service<ConventionCards>().FindLatestAsync(session, order.ConventionId);
        var terms = convention!.InForce(session.Today).Terms;
        var state = await VoucherState.ReadAsync(session, order, serial, "", "");
        var word = state.Word(session.Today, terms.ToleranceDays);
        var holds = state.Held == 0 ? [] : await LiveHold.ReadAsync(session, serial, serial);
        var reason = await ReasonAsync(request, question.SiteId, word, state, terms, holds);
        return new Answer(
            word, state.RemainingMinutes, state.CreditMinutes, state.UntilDay.ToDate(), found.Value.Booklet, serial,
            reason is null, reason, holds.Sum(h => h.Minutes),
            holds.Count == 0 ? null : Clock.InstantText(holds[^1].UntilMs));
    }

    private static async Task<string?> ReasonAsync(
        Request request, string? siteId, string word, VoucherState state, Terms terms, IReadOnlyList<LiveHold> holds)
    {
        if (word is "not-active" or "blocked" or "replaced" or "spent" or "returned" or "expired") return "voucher-" + word;
        if (!state.IsHandedOut && terms.RequireHandOut == "refuse") return "voucher-not-handed-out";
        var session = request.Session;
        var here = Ids.Normalise(siteId) ?? (session.Caller.PlaceIds.Count == 1 ? session.Caller.PlaceIds[0] : null);
        if (here is null || await request.Service<SiteCards>().FindAsync(session, here) is not { } site) return "site-unknown";
        if (!Territories.Contains([.. terms.Territory], site.Commune)) return "outside-territory";
        if (!await SiteLabels.IsLabelledAsync(session, here, site.Today(session.NowMs))) return "site-not-labelled";
        var isFree = holds.Count == 0
            || (!terms.WholeVouchersOnly && state.RemainingMinutes > holds.Sum(h => h.Minutes));
        if (isFree) return null;
        return holds.Any(h => h.SiteId == here) ? "voucher-reserved-here" : "voucher-reserved-elsewhere";
    }
}
