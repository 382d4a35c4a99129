using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>
/// From what somebody typed to the voucher of one of our orders: the one way there, so that each route that takes
/// a code counts its wrong guesses (<see cref="Guesses"/>).
/// </summary>
internal sealed class ReadCode
{
    internal static readonly Refusal Unknown = new("voucher-unknown", 404, "Ce code n'est pas celui d'un pass.",
        "Relisez le code sur le pass, ou scannez-le. S'il est bien recopié, ce pass n'est pas reconnu : ne rendez pas "
        + "le service contre lui et prévenez l'opérateur.");

    internal static readonly Refusal Specimen = new("voucher-specimen", 409, "Ce pass est un SPÉCIMEN.",
        "Il sert de modèle et n'a pas de valeur : demandez un vrai pass.");

    /// <summary>The order of a serial that has none: its code is computed all the same.</summary>
    private static readonly OrderCard StandIn = new(
        "", "", "", FirstSerial: 0, LastSerial: -1, VouchersPerBooklet: 1, FaceCents: 1, CreditMinutes: 1, ValidUntilDay: 0,
        Salt: new byte[VoucherCode.SaltBytes], KeyVersion: KeyRing.SpecimenVersion);

    private readonly OrderCards _orders;
    private readonly Guesses _guesses;

    /// <summary>By version; one that the ring does not hold has a key that makes none of its codes.</summary>
    private readonly byte[][] _codeKeys;

    public ReadCode(OrderCards orders, KeyRing keys, Guesses guesses)
    {
        (_orders, _guesses) = (orders, guesses);
        _codeKeys = [.. Enumerable.Range(0, VoucherCode.VersionMax + 1)
            .Select(version => keys.Derive(keys.Holds(version) ? version : keys.Current, KeyLabel.Code).ToArray())];
    }

    /// <summary>What to tell about a mistyped code; null when it is well formed.</summary>
    public static string? Mistake(string? typed) => VoucherCode.TryRead(typed, out _, out var mistake) ? null : mistake switch
    {
        CodeMistake.Empty => "Un code est attendu : les 20 signes imprimés sur le pass.",
        CodeMistake.Length => "Un code a 20 signes, en cinq groupes de quatre : vérifiez qu'il n'en manque pas.",
        CodeMistake.Alphabet => "Un code ne contient que des chiffres et des lettres sans accent (ni U) : relisez-le.",
        _ => "Un signe est faux ou deux signes sont intervertis : relisez le code groupe par groupe.",
    };

    /// <summary>
    /// The serial and its order, or why not. A code of an order that memory knows is accepted without asking the
    /// store. Whatever is wrong with one – the tag, the serial, the key version, the house it comes from – takes the
    /// same steps to the same answer, so that nothing tells which: its MAC is computed once for the order in memory and
    /// once for the order in the store, with a stand-in where there is none, and the store gives one row.
    /// </summary>
    public async ValueTask<Result<Found>> FindAsync(Session session, string typed)
    {
        if (!VoucherCode.TryRead(typed, out var code, out _))
            throw new InvalidRequestException("code", Mistake(typed) ?? "Code illisible.");
        if (code.IsSpecimen) return Specimen;
        if (_guesses.WhyNot(session) is { } early) return early;
        var found = Open(code, _orders.Known(code.Serial)) ?? await AskAsync(session, code);
        if (found is null) return _guesses.Count(session) ?? Unknown;
        return _guesses.WhyNot(session) is { } late ? late : found;
    }

    /// <summary>Memory never says no. Only a right code brings its order into it: guesses fill nothing.</summary>
    private async Task<Found?> AskAsync(Session session, VoucherCode code)
    {
        var asked = await _orders.AskAsync(session, code.Serial);
        var found = Open(code, asked?.Card);
        if (found is not null) _orders.Keep(asked!);
        return found;
    }

    /// <summary>The voucher, if this order and our key made the code: one MAC, whatever is wrong.</summary>
    private Found? Open(VoucherCode code, OrderCard? order)
    {
        var card = order ?? StandIn;
        var fits = card.Holds(code.Serial) & (card.KeyVersion == code.Version);
        return code.Matches(_codeKeys[code.Version], card.Salt) & fits ? new Found(code.Serial, card) : null;
    }

    internal sealed record Found(long Serial, OrderCard Order)
    {
        public long Booklet => Order.BookletOf(Serial);
    }
}
