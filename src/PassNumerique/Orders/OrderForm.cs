using System.IO.Pipelines;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Pdf;

namespace PassNumerique.Orders;

/// <summary>Everything an order form says.</summary>
internal sealed record OrderFormFacts(
    ReadOrders.Detail Order, OrderHeading Heading, string ConventionReference, TermsVersion Version,
    IReadOnlyList<OrderPoint> Points);

/// <summary>
/// What an order costs: the face value of its passes, the upstream fee of the terms on it, and the VAT on the fee,
/// each rounded half up.
/// </summary>
internal readonly record struct OrderPrice(long FaceCents, long FeeCents, long VatCents)
{
    public long TotalCents => FaceCents + FeeCents + VatCents;

    public static OrderPrice Of(long faceCents, Terms terms)
    {
        var fee = FunderShares.HalfUp((Int128)faceCents * terms.UpstreamFeeBasisPoints, FunderShares.Whole);
        return new(faceCents, fee, FunderShares.HalfUp((Int128)fee * terms.FeeVatBasisPoints, FunderShares.Whole));
    }
}

/// <summary>Writes the order form: two pages of tables for an order of usual size.</summary>
internal static class OrderForm
{
    private const double Size = 10;

    public static async Task WriteAsync(PipeWriter writer, OrderFormFacts facts, CancellationToken ct)
    {
        var order = facts.Order;
        var title = $"Bon de commande n° {order.FirstSerial}";
        await using var paper = new PageFlow(
            writer, new(title, facts.Heading.AuthorityName, "fr", $"commande {order.Id}"), arabicFont: null);
        paper.BeginPart(title, title);
        paper.Note(facts.Heading.AuthorityName);
        paper.Heading(1, title);
        WriteHead(paper, facts);
        WritePrice(paper, facts);
        WriteFunders(paper, facts);
        WritePoints(paper, facts);
        WriteSteps(paper, facts);
        WriteSignatures(paper);
        paper.EndPart();
        await paper.EndAsync(ct);
    }

    private static void WriteHead(PageFlow paper, OrderFormFacts facts)
    {
        var (order, heading, version) = (facts.Order, facts.Heading, facts.Version);
        var siret = heading.AuthoritySiret is { } number ? $", SIRET {number}" : "";
        paper.Facts(Size,
            ("Commanditaire", heading.AuthorityName + siret),
            ("Convention", $"{facts.ConventionReference}, conditions {version.Reference} signées le {French.Date(version.SignedDay)}"),
            ("Commande", $"du {French.Date(order.OrderedOn.ToDay())}{By(heading.OrderedBy ?? heading.OrderedByKey)}"),
            ("Pass", $"{French.Count(order.VoucherCount)}, numéros {order.FirstSerial} à {order.LastSerial}"),
            ("Valables jusqu'au", Validity(order)),
            ("Campagne", string.Join(", ", new[] { order.Campaign, order.Wave }.OfType<string>())),
            ("Commentaire", order.Comment ?? ""));
    }

    private static string Validity(ReadOrders.Detail order) => order.Extension is { } extension
        ? $"{French.Date(extension.ValidUntil.ToDay())}, au lieu du {French.Date(order.ValidUntil.ToDay())} ({extension.Reason})"
        : French.Date(order.ValidUntil.ToDay());

    private static void WritePrice(PageFlow paper, OrderFormFacts facts)
    {
        var (order, terms) = (facts.Order, facts.Version.Terms);
        var price = OrderPrice.Of(order.TotalCents, terms);
        var unit = order.FaceValueCents * order.VouchersPerBooklet;
        paper.Heading(2, "Montant");
        paper.Table(Size,
            [new("Désignation", 5), new("Quantité", 1.3, IsNumber: true), new("Prix unitaire", 1.7, IsNumber: true),
                new("Montant", 1.7, IsNumber: true)],
            [
                [$"Carnets de {order.VouchersPerBooklet} pass de {French.Euros(order.FaceValueCents)} et {French.Duration(order.MinutesPerVoucher)}, sans TVA",
                    French.Count(order.BookletCount), French.Euros(unit), French.Euros(price.FaceCents)],
                [$"Frais de l'opérateur, {Rate(terms.UpstreamFeeBasisPoints)} de la valeur des pass, hors taxes", "", "",
                    French.Euros(price.FeeCents)],
                [$"TVA sur ces frais, {Rate(terms.FeeVatBasisPoints)}", "", "", French.Euros(price.VatCents)],
            ],
            ["Total à payer, toutes taxes comprises", "", "", French.Euros(price.TotalCents)]);
    }

    private static void WriteFunders(PageFlow paper, OrderFormFacts facts)
    {
        var funders = facts.Version.Terms.Funders;
        var cents = FunderShares.Split(facts.Order.TotalCents, [.. funders.Select(f => f.ShareBasisPoints)]);
        paper.Heading(2, "Financement de la valeur des pass");
        paper.Table(Size,
            [new("Financeur", 3), new("Part", 1.2, IsNumber: true), new("Montant au plus", 1.8, IsNumber: true), new("Versement", 4)],
            [.. funders.Select((f, i) => new[] { f.Name, Rate(f.ShareBasisPoints), French.Euros(cents[i]), Payment(f) })],
            ["Total", Rate(funders.Sum(f => f.ShareBasisPoints)), French.Euros(facts.Order.TotalCents), ""]);
    }

    private static string Payment(Funder funder)
    {
        var on = funder.Base == "used" ? "sur les pass utilisés" : "sur les pass achetés";
        var cap = funder.CapCents is { } cents ? $", {French.Euros(cents)} au plus" : "";
        return funder.IsPrefunding
            ? $"avant l'activation des pass, {on}{cap}"
            : $"ensuite, {on}{cap} ; avancé par {funder.AdvancedBy}";
    }

    private static void WritePoints(PageFlow paper, OrderFormFacts facts)
    {
        paper.Heading(2, "Répartition par point de remise");
        paper.Table(Size,
            [new("Point de remise", 3), new("Adresse", 3.4), new("Carnets", 1.1, IsNumber: true), new("dont PIC", 1.1, IsNumber: true),
                new("Numéros", 2.4)],
            [
                .. facts.Points.Select(p => new[]
                {
                    p.Name, $"{p.Address}, {Territories.Name(p.Commune)}", French.Count(p.Booklets),
                    p.PicBooklets is { } pic ? French.Count(pic) : "inconnu", $"{p.FirstSerial} à {p.LastSerial}",
                }),
            ],
            ["Total", "", French.Count(facts.Points.Sum(p => p.Booklets)), French.Count(facts.Points.Sum(p => p.PicBooklets ?? 0)), ""]);
    }

    private static void WriteSteps(PageFlow paper, OrderFormFacts facts)
    {
        var (order, heading) = (facts.Order, facts.Heading);
        var rows = new List<string[]>
        {
            new[] { "Commandée", French.Date(order.OrderedOn.ToDay()), heading.OrderedBy ?? heading.OrderedByKey ?? "", order.Comment ?? "" },
        };
        rows.AddRange(order.Steps.Select(s => new[]
        {
            OrderPage.StateOf(s.Name == "activated" ? "active" : s.Name, capital: true), French.Date(s.On.ToDay()), s.By ?? "",
            s.Comment ?? "",
        }));
        rows.AddRange(order.Dispatches.Select(d => new[]
        {
            $"Envoyée à {d.PointName}", French.Date(d.On.ToDay()), d.By ?? "",
            string.Join(", ", new[] { d.Carrier, d.TrackingReference }.OfType<string>()),
        }));
        rows.AddRange(order.Dispatches.Where(d => d.Receipt is not null).Select(d => new[]
        {
            $"Reçue à {d.PointName}", French.Date(d.Receipt!.On.ToDay()), d.Receipt.By ?? "",
            $"{French.Count(d.Receipt.Booklets)} carnet{French.S(d.Receipt.Booklets)} sur {French.Count(d.Booklets)}"
                + (d.Receipt.Explanation is { } why ? $" : {why}" : ""),
        }));
        paper.Heading(2, "Étapes");
        paper.Table(Size, [new("Étape", 3), new("Date", 2), new("Par", 2), new("Commentaire", 3)], rows, total: null);
        if (order.Derogation is { ConfirmedAt: not null, ExposureCents: { } exposure } derogation)
            paper.Paragraph($"Dérogation confirmée pour {French.Euros(exposure)} non encore reçus : {derogation.Reason}", Size);
    }

    private static void WriteSignatures(PageFlow paper)
    {
        paper.Heading(2, "Signatures");
        foreach (var label in new[]
        {
            "Pour le commanditaire, nom et qualité :", "Date et signature :", "Pour l'opérateur, nom et qualité :",
            "Date et signature :",
        })
            paper.Blank(label, Size + 1);
    }

    private static string By(string? name) => name is null ? "" : $", par {name}";

    /// <summary><c>4 %</c>, <c>6,5 %</c>: of basis points, no digit more than there is.</summary>
    private static string Rate(long basisPoints) =>
        French.Decimal(basisPoints).TrimEnd('0').TrimEnd(',') + "\u00A0%";
}
