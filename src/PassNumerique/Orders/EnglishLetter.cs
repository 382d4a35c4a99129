using System.Globalization;
using PassNumerique.Platform;
using PassNumerique.Sites;

namespace PassNumerique.Orders;

/// <inheritdoc/>
internal sealed class EnglishLetter : LetterText
{
    private static readonly string[] Days =
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    private static readonly Dictionary<string, string> Services = new(StringComparer.Ordinal)
    {
        ["Aide aux démarches administratives"] = "help with official paperwork",
        ["Maîtrise des outils numériques du quotidien"] = "using a computer and a phone every day",
        ["Insertion professionnelle via le numérique"] = "looking for work online",
        ["Utilisation sécurisée du numérique"] = "staying safe online",
        ["Parentalité et éducation avec le numérique"] = "children, school and the internet",
        ["Loisirs et créations numériques"] = "digital hobbies",
        ["Compréhension du monde numérique"] = "understanding the digital world",
        ["Accès internet et matériel informatique"] = "a computer and the internet to use",
        ["Acquisition de matériel informatique à prix solidaire"] = "computers at a low price",
    };

    public override string Code => "en";

    public override string Title => "Your digital passes";

    public override string Where => "Where can you use your passes?";

    public override string Nowhere => "Ask the person who gave you this booklet for the list of places.";

    public override string ServicesLabel => "They help you with:";

    public override string TelephoneLabel => "Telephone:";

    protected override string HoursLabel => "Opening hours:";

    protected override string AlwaysOpen => "Always open.";

    protected override string ClosedOnHolidays => "Closed on public holidays.";

    protected override string ClosedInSchoolHolidays => "Closed during school holidays.";

    protected override string Colon => ": ";

    public override string BookletName(long booklet) => $"Booklet no. {booklet}";

    public override IReadOnlyList<LetterSection> Sections(LetterFacts facts) =>
    [
        new("What is a digital pass?", Plain(
            facts.Passes == 1 ? "There is 1 pass in this booklet." : $"There are {facts.Passes} passes in this booklet.",
            $"One pass gives you {Time(facts.MinutesPerPass)} of help or lessons.",
            facts.Passes == 1 ? null : $"In all, you have {Time(facts.Minutes)}.",
            "Somebody helps you with the computer, the phone and the internet.")),
        new("Until when?", Plain(
            $"You can use your passes until {Date(facts.ValidUntilDay)}.",
            "After that day they are no longer valid.")),
        new("How does it work?", Steps(
            "Choose a place from the list on the next page.",
            "Call them or go there, and make an appointment.",
            "Bring your booklet.",
            "Give your passes to the person who helps you.")),
        new("What does it cost?", Plain(Price(facts))),
        new("Have you lost your passes?", Plain(
            "Keep this letter.",
            $"Your booklet is no. {facts.Booklet}.",
            facts.Telephone is { } phone
                ? $"Call {Telephone(phone)} as soon as you can."
                : $"Tell them as soon as you can: {facts.PointName}, {facts.PointAddress}.",
            "Tell them the number of the booklet.")),
        new("Your appointment", Blanks("Date:", "Time:", "Place:")),
    ];

    public override string Nearness(SiteDistance distance, string placeName) => distance switch
    {
        SiteDistance.SameCommune => $"In the town: {placeName}",
        SiteDistance.SameGroup => $"Close by: {placeName}",
        _ => $"Further away: {placeName}",
    };

    public override string More(long sites) => sites == 1
        ? "There is 1 more place. Ask for the full list."
        : $"There are {sites} more places. Ask for the full list.";

    public override string Service(string service) => Services.GetValueOrDefault(service, service);

    protected override string DaysName(int first, int last) => (last - first) switch
    {
        0 => Days[first],
        1 => $"{Days[first]} and {Days[last]}",
        6 => "every day",
        _ => $"{Days[first]} to {Days[last]}",
    };

    protected override string Span(OpenSpan span) => span.UntilMinute is { } until
        ? $"{Clock24(span.FromMinute)} to {Clock24(until)}"
        : $"from {Clock24(span.FromMinute)}";

    protected override string Joined(IReadOnlyList<string> parts) => Joined(parts, " and ");

    private static string?[] Price(LetterFacts facts) =>
    [
        facts.OwnShareCents is { } cents
            ? $"You pay {Euros(cents)} for each pass you use. You pay there."
            : "It is free. You pay nothing.",
        "You get no change.",
        "A pass cannot be exchanged for money.",
        facts.WholeVouchersOnly
            ? "A pass that is begun counts as used up."
            : "If there is time left on a pass, you get a paper that says so.",
    ];

    private static string Euros(long cents) => "€" + (cents / 100m).ToString("0.00", CultureInfo.InvariantCulture);

    private static string Date(long day) => day.ToDate().ToString("d MMMM yyyy", CultureInfo.InvariantCulture);

    private static string Time(long minutes)
    {
        if (minutes < 60) return Counted(minutes, "minute");
        var hours = Counted(minutes / 60, "hour");
        return minutes % 60 == 0 ? hours : $"{hours} and {Counted(minutes % 60, "minute")}";
    }

    private static string Counted(long count, string word) => count == 1 ? $"1 {word}" : $"{count} {word}s";
}
