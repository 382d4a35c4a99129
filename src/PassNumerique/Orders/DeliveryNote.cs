using System.IO.Pipelines;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Pdf;

namespace PassNumerique.Orders;

/// <summary>
/// Writes the delivery notes of an order, a page or more for each distribution point: its booklets in rows that are
/// ticked off while somebody counts, then a place to sign.
/// </summary>
internal static class DeliveryNote
{
    private const double Size = 11;
    private const long MaxRows = 60;

    /// <summary>Booklets a row: the first that keeps the list short enough to be counted by hand.</summary>
    private static readonly long[] RowSizes = [1, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

    public static async Task WriteAsync(
        PipeWriter writer, DeliveryOrder order, IReadOnlyList<OrderPoint> points,
        IReadOnlyDictionary<string, DispatchView> dispatches, CancellationToken ct)
    {
        await using var paper = new PageFlow(
            writer, new("Bon de livraison", order.AuthorityName, "fr", $"livraison {order.FirstSerial} {points[0].FirstSerial}"),
            arabicFont: null);
        foreach (var point in points)
        {
            paper.BeginPart(point.Name, $"Bon de livraison – commande n° {order.FirstSerial} – {point.Name}");
            WriteNote(paper, order, point, dispatches.GetValueOrDefault(point.PointId));
            paper.EndPart();
            if (!await paper.FlushAsync(ct)) return;
        }

        await paper.EndAsync(ct);
    }

    /// <summary>How the booklets of a point are listed: their numbers, and how many a row.</summary>
    internal static IReadOnlyList<(long First, long Last, long Booklets)> Rows(OrderPoint point, long vouchersPerBooklet)
    {
        var size = Array.Find(RowSizes, s => (point.Booklets + s - 1) / s <= MaxRows);
        if (size == 0) size = RowSizes[^1];
        var rows = new List<(long, long, long)>();
        for (var at = 0L; at < point.Booklets; at += size)
        {
            var count = Math.Min(size, point.Booklets - at);
            var first = point.FirstSerial + (at * vouchersPerBooklet);
            rows.Add((first, first + ((count - 1) * vouchersPerBooklet), count));
        }

        return rows;
    }

    private static void WriteNote(PageFlow paper, DeliveryOrder order, OrderPoint point, DispatchView? dispatch)
    {
        paper.Note(order.AuthorityName);
        paper.Heading(1, "Bon de livraison");
        paper.Facts(Size,
            ("Destinataire", $"{point.Name}, {point.Address}, {Territories.Name(point.Commune)}"),
            ("Commande", $"n° {order.FirstSerial} du {French.Date(order.OrderedDay)}, convention {order.ConventionReference}"),
            ("Contenu", $"{French.Count(point.Booklets)} carnet{French.S(point.Booklets)} de {order.VouchersPerBooklet} pass, "
                + $"soit {French.Count(point.Booklets * order.VouchersPerBooklet)} pass"),
            ("Valables jusqu'au", French.Date(order.ValidUntilDay)),
            ("Envoi", dispatch is null ? "pas encore enregistré" : Sent(dispatch)),
            ("Réception", dispatch?.Receipt is { } receipt ? Received(receipt) : ""));
        paper.Heading(2, "Carnets à compter");
        paper.Table(Size,
            [new("Du carnet n°", 2), new("au carnet n°", 2), new("Carnets", 1, IsNumber: true), new("Compté", 1.5)],
            [.. Rows(point, order.VouchersPerBooklet).Select(r => new[] { $"{r.First}", $"{r.Last}", French.Count(r.Booklets), "" })],
            ["Total", "", French.Count(point.Booklets), ""]);
        paper.Heading(2, "Reçu par");
        paper.Paragraph("Gardez un exemplaire. Enregistrez la réception dans le service : un écart s'y explique.", Size);
        foreach (var label in new[] { "Carnets comptés :", "Écart et explication :", "Nom :", "Date et signature :" })
            paper.Blank(label, Size + 1);
    }

    private static string Sent(DispatchView dispatch) => string.Join(", ", new[]
    {
        $"le {French.Date(dispatch.On.ToDay())}", dispatch.By is null ? null : $"par {dispatch.By}", dispatch.Carrier,
        dispatch.TrackingReference is null ? null : $"suivi {dispatch.TrackingReference}",
    }.OfType<string>());

    private static string Received(DispatchReceiptView receipt) => string.Join(", ", new[]
    {
        $"{French.Count(receipt.Booklets)} carnet{French.S(receipt.Booklets)} le {French.Date(receipt.On.ToDay())}",
        receipt.By is null ? null : $"par {receipt.By}", receipt.Explanation,
    }.OfType<string>());
}
