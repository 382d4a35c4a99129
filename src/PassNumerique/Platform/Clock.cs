using System.Globalization;

namespace PassNumerique.Platform;

/// <summary>
/// Instants are Unix milliseconds UTC, dates are days since 1970-01-01, months are <c>yyyymm</c>: whole
/// numbers that compare alike in C#, SQLite and SQL Server. Money keeps the day of Europe/Paris; a site
/// keeps the day of its département.
/// </summary>
internal static class Clock
{
    public const long MinuteMs = 60_000;
    public const long DayMs = 86_400_000;

    private static readonly Lazy<TimeZoneInfo> ParisZone = new(() => Zone("Europe/Paris"));

    public static TimeZoneInfo Paris => ParisZone.Value;

    public static long NowMs(this TimeProvider clock) => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The time zone of an IANA id.</summary>
    public static TimeZoneInfo Zone(string id) => TimeZoneInfo.FindSystemTimeZoneById(id);

    /// <summary>The legal day of an instant in a zone.</summary>
    public static long Day(long ms, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(ms), zone);
        return DateOnly.FromDateTime(local.DateTime).ToDay();
    }

    public static long ParisDay(long ms) => Day(ms, Paris);

    /// <summary>The first instant of a day in Paris.</summary>
    public static long ParisMidnightMs(long day) => MidnightMs(day, Paris);

    /// <summary>The first instant of a day in a zone.</summary>
    public static long MidnightMs(long day, TimeZoneInfo zone)
    {
        var local = day.ToDate().ToDateTime(TimeOnly.MinValue, DateTimeKind.Unspecified);
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUnixTimeMilliseconds();
    }

    public static long Month(long day)
    {
        var date = day.ToDate();
        return (date.Year * 100L) + date.Month;
    }

    public static long ToDay(this DateOnly date) => date.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    public static DateOnly ToDate(this long day) =>
        DateOnly.FromDayNumber(checked((int)day) + DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber);

    /// <summary><c>2026-11-23</c></summary>
    public static string DateText(long day) => day.ToDate().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary><c>2026-11-23T08:15:30.123Z</c></summary>
    public static string InstantText(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).UtcDateTime
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
