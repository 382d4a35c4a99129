using System.Globalization;
using PassNumerique.HandOut;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>Booklets that lie one after the other, by the numbers of the first and of the last.</summary>
internal sealed record BookletRange(long First, long Last);

/// <summary>A booklet that was asked for, and the order it is of.</summary>
internal sealed record NumberedBooklet(long Number, OrderCard Order)
{
    public long LastSerial => Number + Order.VouchersPerBooklet - 1;
}

/// <summary>
/// Booklets named one by one or by ranges, as people read them on a pile of counterfoils: each is found, or all that
/// are not are told at once.
/// </summary>
internal static class BookletNumbers
{
    /// <summary>Booklets of one action: a box, and a command that holds the writer for some milliseconds.</summary>
    public const int Max = 500;

    private const string Member = "bookletNumbers";

    public static readonly Refusal Unknown = HandOutRefusals.UnknownBooklet.Because(
        "Vérifiez les numéros de « bookletNumbers » sur les talons : celui d'un carnet est celui de son premier pass. "
        + "Une série va du numéro de son premier carnet à celui du dernier.");

    /// <exception cref="InvalidRequestException">None, too many, or one twice.</exception>
    public static async Task<Result<IReadOnlyList<NumberedBooklet>>> FindAsync(
        Session db, OrderCards orders, IReadOnlyList<long>? numbers, IReadOnlyList<BookletRange>? ranges, string authorityId)
    {
        if ((numbers?.Count ?? 0) > Max || (ranges?.Count ?? 0) > Max) throw TooMany();
        var (found, unknown) = (new List<NumberedBooklet>(), new List<long>());
        foreach (var range in (numbers ?? []).Select(n => new BookletRange(n, n)).Concat(ranges ?? []))
        {
            if (range is null) throw new InvalidRequestException(Member, "Une ligne de cette liste est vide (null).");
            await AddAsync(db, orders, range, authorityId, found, unknown);
        }

        if (unknown.Count > 0) return Unknown.With(Member, unknown);
        if (found.Count == 0) throw new InvalidRequestException(Member,
            "Donnez au moins un carnet : son numéro, ou une série « ranges » du premier au dernier.");
        if (found.GroupBy(b => b.Number).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new InvalidRequestException(
            Member, $"Le carnet n° {twice.Key} est donné deux fois : une fois suffit.");
        found.Sort((a, b) => a.Number.CompareTo(b.Number));
        return found;
    }

    /// <summary>
    /// What was typed in a field: numbers apart by blanks, commas or lines, and series such as <c>101-156</c>.
    /// </summary>
    /// <returns>The first word that is neither; null where all are read.</returns>
    public static string? Read(string text, List<long> numbers, List<BookletRange> ranges)
    {
        foreach (var word in text.Split([' ', '\t', '\r', '\n', ',', ';'], StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = word.Split('-', '–');
            if (ends.Length == 1 && TryNumber(ends[0], out var number)) numbers.Add(number);
            else if (ends.Length == 2 && TryNumber(ends[0], out var first) && TryNumber(ends[1], out var last))
                ranges.Add(new(first, last));
            else return word;
        }

        return null;
    }

    private static async Task AddAsync(
        Session db, OrderCards orders, BookletRange range, string authorityId, List<NumberedBooklet> found, List<long> unknown)
    {
        if (range.First > range.Last) throw new InvalidRequestException(Member,
            $"La série {range.First}–{range.Last} finit avant de commencer : donnez le plus petit numéro d'abord.");
        var number = range.First;
        while (number <= range.Last)
        {
            var order = await orders.FindAsync(db, number);
            if (order is null || order.AuthorityId != authorityId || !order.IsBooklet(number))
            {
                unknown.Add(number);
                return;
            }

            if (found.Count >= Max) throw TooMany();
            found.Add(new(number, order));
            number += order.VouchersPerBooklet;
        }

        // The end of a series is the number of a booklet too: a pass in the middle of one would be a misreading.
        if (found[^1].Number != range.Last) unknown.Add(range.Last);
    }

    private static bool TryNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static InvalidRequestException TooMany() =>
        new(Member, $"Au plus {Max} carnets par envoi : découpez la liste.");
}
