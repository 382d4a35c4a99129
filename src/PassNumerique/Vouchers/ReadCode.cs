using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>From what somebody typed to the voucher of one of our orders.</summary>
internal static class ReadCode
{
    internal static readonly Refusal Unknown = new("voucher-unknown", 404, "Ce code n'est pas celui d'un pass.",
        "Relisez le code sur le pass, ou scannez-le. S'il est bien recopié, ce pass n'est pas reconnu : ne rendez pas "
        + "le service contre lui et prévenez l'opérateur.");

    internal static readonly Refusal Specimen = new("voucher-specimen", 409, "Ce pass est un SPÉCIMEN.",
        "Il sert de modèle et n'a pas de valeur : demandez un vrai pass.");

    private static readonly byte[] NoSalt = new byte[VoucherCode.SaltBytes];

    /// <summary>What to tell about a mistyped code; null when it is well formed.</summary>
    public static string? Mistake(string? typed) => VoucherCode.TryRead(typed, out _, out var mistake) ? null : mistake switch
    {
        CodeMistake.Empty => "Un code est attendu : les 20 signes imprimés sur le pass.",
        CodeMistake.Length => "Un code a 20 signes, en cinq groupes de quatre : vérifiez qu'il n'en manque pas.",
        CodeMistake.Alphabet => "Un code ne contient que des chiffres et des lettres sans accent (ni U) : relisez-le.",
        _ => "Un signe est faux ou deux signes sont intervertis : relisez le code groupe par groupe.",
    };

    /// <summary>
    /// The serial and its order, or why not. A forged code, an unknown serial and an unknown key version take
    /// the same steps and get the same answer, so that nothing is learnt from trying.
    /// </summary>
    public static async Task<Result<Found>> FindAsync(Session session, OrderCards orders, KeyRing keys, string typed)
    {
        if (!VoucherCode.TryRead(typed, out var code, out _))
            throw new InvalidRequestException("code", Mistake(typed) ?? "Code illisible.");
        if (code.IsSpecimen) return Specimen;
        var order = await orders.FindAsync(session, code.Serial);
        var fits = order is not null && keys.Holds(code.Version) && order.KeyVersion == code.Version;
        var version = fits ? code.Version : keys.Current;
        var matches = code.Matches(keys.Derive(version, KeyLabel.Code), order?.Salt ?? NoSalt);
        return fits && matches ? new Found(code.Serial, order!) : Unknown;
    }

    internal sealed record Found(long Serial, OrderCard Order)
    {
        public long Booklet => Order.BookletOf(Serial);
    }
}
