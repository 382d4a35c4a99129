using System.Globalization;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Vouchers;

/// <summary>
/// "Where have you been?" on one page: the life of a pass in words, found by its number or that of its booklet. Places
/// are named as far as the reader may know them; persons never are.
/// </summary>
public partial class PassPage
{
    internal sealed record View(ShowHistory.Answer? History);

    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal)
    {
        ["ordered"] = "commandé",
        ["approved"] = "commande approuvée",
        ["proof-approved"] = "bon à tirer donné",
        ["produced"] = "produit",
        ["cancelled"] = "commande annulée",
        ["shipped"] = "expédié",
        ["delivered"] = "livré",
        ["activated"] = "activé : il peut servir",
        ["extended"] = "fin de validité repoussée",
        ["codes-exported"] = "codes remis à l'impression",
        ["handed-out"] = "remis à une personne",
        ["hand-out-reversed"] = "remise annulée",
        ["hand-out-corrected"] = "remise corrigée",
        ["returned"] = "carnet rendu",
        ["dispatched"] = "colis envoyé au point de remise",
        ["dispatch-received"] = "colis reçu au point de remise",
        ["sent"] = "carnet envoyé à un autre point",
        ["received"] = "carnet reçu",
        ["transfer-cancelled"] = "transfert annulé, carnet resté",
        ["booklet-replaced"] = "carnet déclaré perdu et remplacé",
        ["inventory-missing"] = "absent d'un inventaire",
        ["inventory-surplus"] = "trouvé en trop dans un inventaire",
        ["blocked"] = "bloqué (perte ou vol)",
        ["block-lifted"] = "blocage levé",
        ["replaces"] = "remplace le pass",
        ["replaced"] = "remplacé par le pass",
        ["redeemed"] = "utilisé",
        ["captured"] = "utilisé en fin de séance",
        ["reserved"] = "réservé pour une séance",
        ["released"] = "réservation levée",
        ["closed"] = "clos avec ce qui restait",
        ["reversed"] = "utilisation annulée",
        ["guaranteed"] = "service hors ligne garanti",
        ["disputed"] = "service hors ligne en litige",
        ["dispute-paid"] = "litige réglé : service payé",
        ["dispute-rejected"] = "litige réglé : service refusé",
        ["guarantee-reversed"] = "garantie annulée",
    };

    internal static void Map(IEndpointRouteBuilder app)
    {
        app.Page("/pass", ShowHistory.Readers, SearchAsync, menu: "Suivre un pass");
        app.Page("/pass/{serial}", ShowHistory.Readers, ShowAsync);
    }

    internal static string StateOf(string state) => state switch
    {
        "not-active" => "pas encore actif",
        "blocked" => "bloqué",
        "replaced" => "remplacé",
        "spent" => "entièrement utilisé",
        "returned" => "rendu",
        "expired" => "expiré",
        "started" => "entamé",
        "handed-out" => "remis",
        _ => "actif, en stock",
    };

    internal static string TextOf(ShowHistory.Event step)
    {
        var text = Texts.GetValueOrDefault(step.What, step.What);
        if (step.PlaceName is { } place) text += $", {place}";
        if (step.Minutes != 0) text += $" ({French.Duration(step.Minutes)}, {French.Euros(step.ValueCents)})";
        return text;
    }

    private static async Task SearchAsync(Request request)
    {
        var form = new Form().With("numero", request.Text("numero"));
        if (form.OptionalNumber("numero") is { } number)
        {
            var found = await ShowHistory.FindAsync(request, number);
            if (!found.IsRefused)
            {
                await request.GoTo($"/pass/{number}");
                return;
            }

            form.Mark("numero", "Aucun pass que vous pouvez voir ne porte ce numéro : relisez-le à côté du code.");
        }

        await request.ShowAsync<PassPage, View>(new(null), form);
    }

    private static async Task ShowAsync(Request request)
    {
        var serial = request.Number("serial");
        var form = new Form().With("numero", serial.ToString(CultureInfo.InvariantCulture));
        await request.ShowAsync<PassPage, View>(new((await ShowHistory.FindAsync(request, serial)).OrThrow()), form);
    }
}
