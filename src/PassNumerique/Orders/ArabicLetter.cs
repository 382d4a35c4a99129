using System.Globalization;
using PassNumerique.Platform;
using PassNumerique.Sites;

namespace PassNumerique.Orders;

/// <inheritdoc/>
internal sealed class ArabicLetter : LetterText
{
    private static readonly string[] Days =
        ["الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"];

    private static readonly string[] Months =
    [
        "يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو",
        "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر",
    ];

    private static readonly Dictionary<string, string> Services = new(StringComparer.Ordinal)
    {
        ["Aide aux démarches administratives"] = "المساعدة في المعاملات الإدارية",
        ["Maîtrise des outils numériques du quotidien"] = "استعمال الحاسوب والهاتف كل يوم",
        ["Insertion professionnelle via le numérique"] = "البحث عن عمل على الإنترنت",
        ["Utilisation sécurisée du numérique"] = "استعمال الإنترنت بأمان",
        ["Parentalité et éducation avec le numérique"] = "الأطفال والمدرسة والإنترنت",
        ["Loisirs et créations numériques"] = "الهوايات الرقمية",
        ["Compréhension du monde numérique"] = "فهم العالم الرقمي",
        ["Accès internet et matériel informatique"] = "استعمال حاسوب مع الإنترنت",
        ["Acquisition de matériel informatique à prix solidaire"] = "شراء حاسوب بسعر منخفض",
    };

    public override string Code => "ar";

    public override bool IsRightToLeft => true;

    public override string Title => "قسائمك الرقمية (pass numériques)";

    public override string Where => "أين تستعمل قسائمك؟";

    public override string Nowhere => "اطلب قائمة الأماكن من الشخص الذي أعطاك هذا الدفتر.";

    public override string ServicesLabel => "يساعدونك في:";

    public override string TelephoneLabel => "الهاتف:";

    protected override string HoursLabel => "أوقات العمل:";

    protected override string AlwaysOpen => "مفتوح دائما.";

    protected override string ClosedOnHolidays => "مغلق في أيام العطل الرسمية.";

    protected override string ClosedInSchoolHolidays => "مغلق في العطل المدرسية.";

    protected override string Colon => ": ";

    public override string BookletName(long booklet) => $"دفتر رقم {booklet}";

    public override IReadOnlyList<LetterSection> Sections(LetterFacts facts) =>
    [
        new("ما هي القسيمة الرقمية؟", Plain(
            $"في هذا الدفتر {Passes(facts.Passes)}.",
            $"كل قسيمة تعطيك الحق في مساعدة أو دروس لمدة {Time(facts.MinutesPerPass)}.",
            facts.Passes == 1 ? null : $"المجموع: {Sum(facts.Minutes)}.",
            "يساعدك شخص في استعمال الحاسوب والهاتف والإنترنت.")),
        new("إلى متى؟", Plain(
            $"استعمل قسائمك قبل نهاية يوم {Date(facts.ValidUntilDay)}.",
            "بعد هذا اليوم لا تبقى القسائم صالحة.")),
        new("ماذا تفعل؟", Steps(
            "اختر مكانا من القائمة في الصفحة التالية.",
            "اتصل بالهاتف أو اذهب إلى المكان، وخذ موعدا.",
            "أحضر معك الدفتر.",
            "أعط القسائم للشخص الذي يساعدك.")),
        new("كم تدفع؟", Plain(Price(facts))),
        new("هل ضاعت قسائمك؟", Plain(
            "احتفظ بهذه الرسالة.",
            $"رقم دفترك هو {facts.Booklet}.",
            facts.Telephone is { } phone
                ? $"اتصل بسرعة بالرقم {Telephone(phone)}."
                : $"أخبر بسرعة: {facts.PointName}, {facts.PointAddress}",
            "اذكر رقم الدفتر.")),
        new("موعدك", Blanks("التاريخ:", "الساعة:", "المكان:")),
    ];

    public override string Nearness(SiteDistance distance, string placeName) => distance switch
    {
        SiteDistance.SameCommune => $"في البلدية: {placeName}",
        SiteDistance.SameGroup => $"قريب منك: {placeName}",
        _ => $"أبعد قليلا: {placeName}",
    };

    public override string More(long sites) => $"توجد أماكن أخرى، عددها {sites}. اطلب القائمة الكاملة.";

    public override string Service(string service) => Services.GetValueOrDefault(service, service);

    protected override string DaysName(int first, int last) => (last - first) switch
    {
        0 => Days[first],
        1 => $"{Days[first]} و{Days[last]}",
        6 => "كل يوم",
        _ => $"من {Days[first]} إلى {Days[last]}",
    };

    protected override string Span(OpenSpan span) => span.UntilMinute is { } until
        ? $"من الساعة {Clock24(span.FromMinute)} إلى الساعة {Clock24(until)}"
        : $"من الساعة {Clock24(span.FromMinute)}";

    protected override string Joined(IReadOnlyList<string> parts) => string.Join(" و", parts);

    private static string?[] Price(LetterFacts facts) =>
    [
        facts.OwnShareCents is { } cents
            ? $"تدفع {Euros(cents)} يورو عن كل قسيمة تستعملها. تدفع في المكان نفسه."
            : "هذا مجاني. لا تدفع شيئا.",
        "لا يعاد إليك باقي قيمة القسيمة.",
        "لا يمكن استبدال القسيمة بالنقود.",
        facts.WholeVouchersOnly
            ? "القسيمة التي تبدأ استعمالها تحسب كاملة."
            : "إذا بقي وقت في القسيمة، تحصل على ورقة تبين ذلك.",
    ];

    private static string Euros(long cents) => cents % 100 == 0
        ? (cents / 100).ToString(CultureInfo.InvariantCulture)
        : (cents / 100m).ToString("0.00", CultureInfo.InvariantCulture).Replace('.', ',');

    private static string Date(long day)
    {
        var date = day.ToDate();
        return $"{date.Day} {Months[date.Month - 1]} {date.Year}";
    }

    private static string Passes(long count) => Counted(count, "قسيمة واحدة", "قسيمتان", "قسائم", "قسيمة");

    /// <summary>After "for": one, two (in its own ending), three to ten in the plural, more in the singular.</summary>
    private static string Time(long minutes) => Told(minutes, "ساعتين", "دقيقتين");

    /// <summary>Where nothing asks for an ending.</summary>
    private static string Sum(long minutes) => Told(minutes, "ساعتان", "دقيقتان");

    private static string Told(long minutes, string twoHours, string twoMinutes)
    {
        var rest = Counted(minutes % 60, "دقيقة واحدة", twoMinutes, "دقائق", "دقيقة");
        if (minutes < 60) return rest;
        var hours = Counted(minutes / 60, "ساعة واحدة", twoHours, "ساعات", "ساعة");
        return minutes % 60 == 0 ? hours : $"{hours} و{rest}";
    }

    /// <summary>From a hundred on, the last two digits decide like the small numbers.</summary>
    private static string Counted(long count, string one, string two, string few, string many) => count switch
    {
        1 => one,
        2 => two,
        _ when count % 100 is >= 3 and <= 10 => $"{count} {few}",
        _ => $"{count} {many}",
    };
}
