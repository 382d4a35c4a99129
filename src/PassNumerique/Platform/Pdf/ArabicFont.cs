namespace PassNumerique.Platform.Pdf;

/// <summary>
/// The Arabic font of the machine: the one that <c>PassNumerique__ArabicFont</c> names, else the first of those that
/// Linux distributions install. It must have the joined forms of the letters, and let itself be embedded.
/// </summary>
internal sealed class ArabicFont(Settings settings)
{
    public static readonly Refusal Missing = new("arabic-font-missing", 409,
        "Aucune police de caractères arabes utilisable n'est sur le serveur.",
        "Faites installer le paquet « fonts-dejavu-core » (Debian, Ubuntu) par l'opérateur, ou nommer une police TrueType "
        + "dans le réglage PassNumerique__ArabicFont ; la lettre existe aussi avec « langue=fr » et « langue=en ».");

    public static readonly IReadOnlyList<string> UsualPaths =
    [
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
        "/usr/share/fonts/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/TTF/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/noto/NotoNaskhArabic-Regular.ttf",
        "/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf",
        "/usr/share/fonts/google-noto/NotoNaskhArabic-Regular.ttf",
        "/usr/share/fonts/google-noto/NotoSansArabic-Regular.ttf",
        "/usr/share/fonts/noto/NotoNaskhArabic-Regular.ttf",
        "/usr/share/fonts/noto/NotoSansArabic-Regular.ttf",
    ];

    /// <summary>Signs between the words of a letter; the letters' own forms come on top.</summary>
    private const string Signs = " .:،؟()";

    private const long MaxBytes = 64 << 20;

    private volatile TrueTypeFont? _found;

    /// <summary>The font; null where none will do. Looked for again each time until there is one.</summary>
    public TrueTypeFont? Find()
    {
        if (_found is { } found) return found;
        foreach (var path in settings.ArabicFont is { } named ? [named] : UsualPaths)
            if (Read(path) is { } font) return _found = font;
        return null;
    }

    private static TrueTypeFont? Read(string path)
    {
        if (!File.Exists(path) || new FileInfo(path).Length > MaxBytes) return null;
        try
        {
            var font = TrueTypeFont.Read(File.ReadAllBytes(path));
            return font.MayBeEmbedded && HasAllForms(font) ? font : null;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // A font that can't be read is as good as none: the caller says so, and what to do.
            return null;
        }
    }

    private static bool HasAllForms(TrueTypeFont font)
    {
        for (var form = '\uFE80'; form <= '\uFEFC'; form++)
            if (!font.Has(form)) return false;
        return Signs.All(c => font.Has(c));
    }
}
