using System.Globalization;

namespace PassNumerique.Platform;

/// <summary>Numbers and dates as French readers write them. Narrow no-break spaces group thousands.</summary>
internal static class French
{
    private static readonly string[] Months =
    [
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ];

    private static readonly NumberFormatInfo Numbers = new()
    {
        NumberGroupSeparator = "\u202F",
        NumberDecimalSeparator = ",",
        NegativeSign = "\u2212",
    };

    public static string Count(long value) => value.ToString("#,0", Numbers);

    /// <summary><c>1 234,50 €</c></summary>
    public static string Euros(long cents) => (cents / 100m).ToString("#,0.00", Numbers) + "\u00A0€";

    /// <summary><c>1,5 s</c></summary>
    public static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("#,0.0", Numbers) + "\u00A0s";

    /// <summary><c>38,2 %</c>, or a dash where there is nothing to divide by.</summary>
    public static string Percent(long numerator, long denominator) => denominator == 0
        ? "–"
        : (100m * numerator / denominator).ToString("#,0.0", Numbers) + "\u00A0%";

    /// <summary><c>1 234,50</c>, from hundredths.</summary>
    public static string Decimal(long hundredths) => (hundredths / 100m).ToString("#,0.00", Numbers);

    /// <summary><c>1 h 30</c></summary>
    public static string Duration(long minutes) => minutes % 60 == 0
        ? $"{Count(minutes / 60)}\u00A0h"
        : $"{Count(minutes / 60)}\u00A0h\u00A0{Math.Abs(minutes % 60):00}";

    /// <summary><c>23 novembre 2026</c></summary>
    public static string Date(long day)
    {
        var date = day.ToDate();
        var first = date.Day == 1 ? "1er" : date.Day.ToString(CultureInfo.InvariantCulture);
        return $"{first}\u00A0{Months[date.Month - 1]}\u00A0{date.Year}";
    }

    /// <summary>
    /// An end that is announced: <c>15 h 40</c> where it is still today in that zone, else
    /// <c>9 h 05, le 24 novembre 2026</c>. A begun minute is counted whole: nobody comes too early.
    /// </summary>
    public static string Until(long ms, TimeZoneInfo zone, long nowMs)
    {
        var end = (ms + Clock.MinuteMs - 1) / Clock.MinuteMs * Clock.MinuteMs;
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(end), zone);
        var hour = $"{local.Hour}\u00A0h\u00A0{local.Minute:00}";
        var day = Clock.Day(end, zone);
        return day == Clock.Day(nowMs, zone) ? hour : $"{hour}, le {Date(day)}";
    }

    /// <summary>"un" or "plusieurs": the ending of a plural.</summary>
    public static string S(long count) => Math.Abs(count) >= 2 ? "s" : "";
}
