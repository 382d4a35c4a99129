namespace PassNumerique.Platform;

/// <summary>Ids are UUID text in lower case, made by the service and in the order of time.</summary>
internal static class Ids
{
    public static string New() => Guid.CreateVersion7().ToString("D");

    /// <summary>A UUID as clients write it, in the one form the store keeps; null where it is none.</summary>
    public static string? Normalise(string? text) => Guid.TryParse(text, out var id) ? id.ToString("D") : null;
}
