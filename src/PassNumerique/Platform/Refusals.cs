namespace PassNumerique.Platform;

/// <summary>Refusals that several features give.</summary>
internal static class Refusals
{
    internal static readonly Refusal ConventionUnknown = new("convention-unknown", 404, "Convention inconnue.",
        "Vérifiez « conventionId » : rien ne lui correspond parmi ce que vous pouvez voir.");

    internal static readonly Refusal DateInFuture = new("date-in-future", 409, "Cette date est encore à venir.",
        "Donnez la date du jour ou une date passée.");
}
