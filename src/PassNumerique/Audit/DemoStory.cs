using System.Security.Cryptography;
using System.Text;
using PassNumerique.Access;
using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Vouchers;

namespace PassNumerique.Audit;

/// <summary>
/// The story the demonstration tells, year by year: who is who, the conventions, their orders, what became of
/// each booklet, and the money. Amounts and rules come from the same functions as the service's own.
/// </summary>
internal sealed partial class DemoStory
{
    private const int ConventionCount = 49;
    private const int HubCount = 11;
    private const int SiteCount = 330;
    private const long VouchersPerBooklet = 10;
    private const long FaceCents = 1_000;
    private const long CreditMinutes = 120;
    private const long ToleranceDays = 30;

    private readonly DemoRandom _random;
    private readonly KeyRing _keys;
    private readonly long _lastDay;
    private readonly string _operatorId;
    private readonly string _secondOperatorId;
    private readonly List<Convention> _conventions = [];
    private readonly List<Redeemed> _redeemed = [];
    private readonly Dictionary<(string SiteId, long Day), string> _workshops = [];
    private readonly Dictionary<long, long> _midnights = [];
    private long _serial = 1;
    private long _names;

    public DemoStory(DemoRows rows, KeyRing keys, long lastDay, long seed)
    {
        (Rows, _keys, _lastDay, _random) = (rows, keys, lastDay, new DemoRandom(seed));
        (_operatorId, _secondOperatorId) = (_random.Id(), _random.Id());
    }

    public DemoRows Rows { get; }

    public long NextSerial => _serial;

    public long IssuedVouchers => _conventions.Sum(c => c.Orders.Sum(o => o.Card.LastSerial - o.Card.FirstSerial + 1));

    public DemoFile File { get; private set; } = null!;

    public void Tell()
    {
        TellPeople();
        for (var i = 0; i < ConventionCount; i++) _conventions.Add(TellConvention(i));
        foreach (var convention in _conventions) TellSites(convention);
        foreach (var convention in _conventions)
        {
            TellOrders(convention);
            TellLives(convention);
        }

        TellPaymentRuns();
        foreach (var convention in _conventions) TellMoney(convention);
        File = WriteFile();
    }

    /// <summary>An instant of a working day, 8 to 18 o'clock in Paris.</summary>
    private long At(long day) => Midnight(day) + _random.Between(8 * 3_600_000, 18 * 3_600_000);

    private long Midnight(long day) => _midnights.TryGetValue(day, out var ms)
        ? ms
        : _midnights[day] = Clock.ParisMidnightMs(day);

    /// <summary>Not keyed, so that two loads of one seed hold the same facts.</summary>
    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Join(params string[] codes) => string.Join('|', codes.Order(StringComparer.Ordinal));

    private sealed record Organisation(string Id, string Name);

    private sealed record Site(string Id, string OrganisationId, string Name, string Commune, string ActorId, string ApiKey, int Index);

    private sealed record Point(string Id, string Name, string Channel, string Commune, string ActorId, string ApiKey);

    private sealed record Order(OrderCard Card, long ActivatedDay, IReadOnlyList<Lot> Lots);

    private sealed record Lot(Point Point, long FirstSerial, long Booklets);

    private sealed class Convention(int index, string id, string reference, Organisation authority, string territory, Terms terms, long startDay)
    {
        public int Index { get; } = index;

        public string Id { get; } = id;

        public string Reference { get; } = reference;

        public Organisation Authority { get; } = authority;

        public string Territory { get; } = territory;

        public Terms Terms { get; } = terms;

        public long StartDay { get; } = startDay;

        public string ActorId { get; init; } = "";

        public List<Site> Sites { get; } = [];

        public List<Point> Points { get; } = [];

        public List<Order> Orders { get; } = [];

        public long Persons { get; set; }

        public long OrderedCents { get; set; }

        public long CommittedCents { get; set; }

        public long ReceivedCents { get; set; }

        /// <summary>Passes that should be used, of every hundred issued.</summary>
        public long UsePercent { get; init; }
    }

    private sealed record Redeemed(Convention Convention, Site Site, long Serial, long Part, long Month, long Cents, bool Undone);
}
