using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Vouchers;

namespace PassNumerique.Audit;

/// <summary>What becomes of each booklet: in a drawer, handed out, lost, given back, used pass by pass.</summary>
internal sealed partial class DemoStory
{
    private readonly DemoCodes _codes = new();

    // What earlier booklets used less than planned; later ones make up for it, so that the whole comes to 38 %.
    private long _owed;

    private void TellLives(Convention convention)
    {
        foreach (var order in convention.Orders.Where(o => o.ActivatedDay > 0))
        {
            var planned = convention.UsePercent * order.Lots.Sum(l => l.Booklets) * VouchersPerBooklet / 100;
            var started = order.Lots.Sum(l => l.Booklets) * 58 / 100;
            foreach (var lot in order.Lots)
                for (var i = 0; i < lot.Booklets; i++)
                    TellBooklet(convention, order, lot, lot.FirstSerial + (i * VouchersPerBooklet), i, planned, Math.Max(1, started));
        }
    }

    private void TellBooklet(
        Convention convention, Order order, Lot lot, long booklet, long index, long planned, long started)
    {
        // One booklet in sixty is lost, one in sixty is given back, and a quarter stays in the drawer.
        var number = booklet / VouchersPerBooklet;
        if (number % 60 == 7) TellLoss(convention, order, booklet);
        else if (number % 60 == 37) TellReturn(convention, order, lot, booklet);
        else if (index % 4 == 3) _codes.NotHandedOut(this, convention, order, booklet);
        else TellHandOut(convention, order, lot, booklet, planned, started);
    }

    private void TellHandOut(
        Convention convention, Order order, Lot lot, long booklet, long planned, long started)
    {
        var until = Math.Min(_lastDay - 1, order.Card.ValidUntilDay);
        var day = Math.Min(until, order.ActivatedDay + 1 + _random.Between(0, 240));
        var forgotten = _random.Chance(1);
        if (!forgotten) TellProfile(convention, lot.Point, booklet, day);
        // One handed-out booklet in five stays unused.
        if (!forgotten && _random.Chance(20))
        {
            _codes.Unused(this, convention, order, booklet);
            return;
        }

        var mean = planned / started;
        var wish = Math.Clamp(mean + _random.Between(-4, 4) + (_owed > 0 ? 1 : 0), 1, VouchersPerBooklet);
        var used = TellSessions(convention, order, booklet, day, wish);
        _owed += (convention.UsePercent * VouchersPerBooklet * 100 / 58 / 100) - used;
    }

    private void TellProfile(Convention convention, Point point, long booklet, long day)
    {
        var again = convention.Persons > 0 && _random.Chance(8);
        var anonymous = !again && _random.Chance(12);
        var number = again ? _random.Between(1, convention.Persons) : ++convention.Persons;
        var operation = _random.Id();
        var ground = _random.Between(1, 100) switch
        {
            <= 25 => "early-school-leaver",
            <= 40 => "jobseeker-no-diploma",
            <= 48 => "jobseeker-below-bac",
            <= 80 => "none",
            _ => "unknown",
        };
        Rows.Fact("booklet_entries", At(day), point.ActorId,
            ("booklet", booklet), ("part", 1L), ("kind", BookletKind.HandOut), ("point_id", point.Id), ("day", day),
            ("person_number", number), ("anonymous", anonymous ? 1L : 0L), ("age_band", _random.Of(Vocabularies.AgeBands.Codes)),
            ("gender", _random.Of(Vocabularies.Genders.Codes)), ("social_status", _random.Of(Vocabularies.SocialStatuses.Codes)),
            ("commune", _random.Chance(90) ? point.Commune : null), ("publics", _random.Of(Vocabularies.PersonPublics.Codes)),
            ("channel", point.Channel), ("pic_ground", ground),
            ("pic_evidence", ground is "none" or "unknown" ? "unknown" : _random.Of(["declared", "document-seen"])),
            ("needs", Join(_random.Of(Vocabularies.Thematiques.Codes))),
            ("oriented_site_id", _random.Of(convention.Sites).Id), ("notice_version", "2024-1"), ("notice_given", 1L),
            ("organisation_id", convention.Authority.Id), ("operation_id", operation), ("body_hash", Hash(operation)));
        if (!anonymous && !again)
        {
            Rows.Plain("person_links", ("convention_id", convention.Id),
                ("reference_digest", _keys.PersonDigest(convention.Id, $"DEMO-{number}")), ("person_number", number),
                ("created_ms", Midnight(day)));
        }

        TellAssessments(convention, point, booklet, number, day);
    }

    private void TellAssessments(Convention convention, Point point, long booklet, long number, long day)
    {
        if (!_random.Chance(40)) return;
        var score = _random.Between(2, 12);
        Assess("t0", day, score);
        if (_random.Chance(35) && day + 90 < _lastDay) Assess("t1", day + 90, Math.Min(20, score + _random.Between(-1, 6)));

        void Assess(string phase, long taken, long points) => Rows.Fact("assessments", At(taken), point.ActorId,
            ("id", _random.Id()), ("convention_id", convention.Id), ("booklet", booklet), ("person_number", number),
            ("instrument", "abc-pix"), ("instrument_version", "2"), ("phase", phase), ("score", points),
            ("max_score", 20L), ("mode", _random.Of(["alone", "assisted"])), ("taken_day", taken));
    }

    /// <summary>Session after session until the wish is met or the time is over; gives the passes used.</summary>
    private long TellSessions(Convention convention, Order order, long booklet, long handOutDay, long wish)
    {
        var whole = convention.Terms.WholeVouchersOnly;
        var minutes = whole ? CreditMinutes : CreditMinutes / 2;
        var sessions = whole ? wish : (wish * 2) - (_random.Chance(30) ? 1 : 0);
        var site = _random.Of(convention.Sites);
        var day = handOutDay + _random.Between(1, 45);
        var last = Math.Min(_lastDay, order.Card.ValidUntilDay + ToleranceDays);
        var story = new VoucherStory(booklet);
        for (var n = 0; n < sessions; n++)
        {
            var collective = _random.Chance(35);
            // A site has its workshop every other week: people who come then share it.
            if (collective) day += ((site.Index % 14) - (day % 14) + 14) % 14;
            if (day > last) break;
            Redeem(convention, site, order, story, day, minutes, collective, first: n == 0);
            day += _random.Between(2, 18);
        }

        _codes.Used(this, convention, order, booklet, story.Serial, story.UsedMinutes);
        return story.Serial - booklet + (story.UsedMinutes > 0 ? 1 : 0);
    }

    private void Redeem(
        Convention convention, Site site, Order order, VoucherStory story, long day, long minutes, bool collective, bool first)
    {
        if (story.UsedMinutes == CreditMinutes) story.Next();
        var recordedDay = _random.Chance(8) ? Math.Min(_lastDay, day + _random.Between(1, 3)) : day;
        var at = story.After(At(recordedDay));
        story.UsedMinutes += minutes;
        var cents = VoucherValue.Of(story.UsedMinutes, FaceCents, CreditMinutes) - story.Cents;
        story.Cents += cents;
        var entry = new Entry(++story.Part, EntryKind.Redemption, minutes, story.UsedMinutes, cents, null, day, recordedDay);
        AddEntry(convention, site, story.Serial, entry, at, collective, first);
        var undone = recordedDay < _lastDay - 2 && _random.Chance(1);
        _redeemed.Add(new(convention, site, story.Serial, story.Part, Clock.Month(recordedDay), cents, undone));
        if (undone) Undo(convention, site, story, entry, recordedDay + 1, collective);
    }

    private void Undo(Convention convention, Site site, VoucherStory story, Entry entry, long day, bool collective)
    {
        var at = story.After(At(day));
        (story.UsedMinutes, story.Cents) = (story.UsedMinutes - entry.Minutes, story.Cents - entry.Cents);
        var reversal = new Entry(
            ++story.Part, EntryKind.Reversal, -entry.Minutes, story.UsedMinutes, -entry.Cents, entry.Part, entry.ServiceDay, day);
        AddEntry(convention, site, story.Serial, reversal, at, collective, first: false);
        Rows.Fact("redemption_outcomes", at, site.ActorId,
            ("serial", story.Serial), ("part", entry.Part), ("outcome", "undone"), ("run_id", null));
    }

    private void AddEntry(Convention convention, Site site, long serial, Entry entry, long at, bool collective, bool first)
    {
        var operation = _random.Id();
        var reversal = entry.Kind == EntryKind.Reversal;
        var duration = (collective ? 120 : convention.Terms.WholeVouchersOnly ? 60 : entry.Minutes) * (reversal ? -1 : 1);
        Rows.Fact("voucher_entries", at, site.ActorId,
            ("serial", serial), ("part", entry.Part), ("kind", entry.Kind), ("minutes", entry.Minutes),
            ("used_after", entry.UsedAfter), ("credit_minutes", CreditMinutes), ("value_cents", entry.Cents),
            ("hold_minutes", 0L), ("closed_minutes", 0L), ("reversed_part", entry.ReversedPart),
            ("convention_id", convention.Id), ("terms_version", 1L), ("site_id", site.Id),
            ("service", _random.Of(Vocabularies.Services.Codes)), ("activity_kind", collective ? "collectif" : "individuel"),
            ("duration_minutes", Math.Abs(duration) * (reversal ? -1L : 1L)),
            ("workshop_id", collective ? Workshop(site, entry.ServiceDay) : null),
            ("thematiques", reversal ? null : _random.Of(Vocabularies.Thematiques.Codes)),
            ("level", reversal ? null : _random.Of(Vocabularies.Levels.Codes)),
            ("autonomy", reversal ? null : _random.Of(Vocabularies.Autonomy.Codes)),
            ("first_visit", reversal ? null : first ? _random.Of(["yes", "yes", "no", "unknown"]) : "no"),
            ("service_day", entry.ServiceDay), ("month", Clock.Month(entry.RecordedDay)),
            ("reason", reversal ? "Erreur de saisie" : null), ("organisation_id", site.OrganisationId),
            ("operation_id", operation), ("line", 0L), ("body_hash", Hash(operation)));
    }

    private string Workshop(Site site, long day)
    {
        if (_workshops.TryGetValue((site.Id, day), out var id)) return id;
        id = _workshops[(site.Id, day)] = _random.Id();
        Rows.Fact("workshops", Midnight(day) + (7 * 3_600_000), site.ActorId,
            ("id", id), ("site_id", site.Id), ("on_day", day), ("service", Vocabularies.Services.Codes[1]),
            ("duration_minutes", 120L), ("title", "Atelier de démonstration"));
        return id;
    }

    private void TellLoss(Convention convention, Order order, long booklet)
    {
        var day = Math.Min(_lastDay - 1, order.ActivatedDay + _random.Between(20, 120));
        Rows.Fact("blocks", At(day), convention.ActorId,
            ("id", _random.Id()), ("order_serial", order.Card.FirstSerial), ("first_serial", booklet),
            ("last_serial", booklet + VouchersPerBooklet - 1), ("reason", "Carnet perdu au point de remise"));
        _codes.Blocked(this, convention, order, booklet);
    }

    private void TellReturn(Convention convention, Order order, Lot lot, long booklet)
    {
        var day = Math.Min(_lastDay - 1, order.ActivatedDay + _random.Between(60, 200));
        var at = At(day);
        var operation = _random.Id();
        Rows.Fact("booklet_entries", at, lot.Point.ActorId,
            ("booklet", booklet), ("part", 1L), ("kind", BookletKind.Return), ("point_id", lot.Point.Id), ("day", day),
            ("reason", "Carnet abîmé"), ("organisation_id", convention.Authority.Id), ("operation_id", operation),
            ("body_hash", Hash(operation)));
        for (var serial = booklet; serial < booklet + VouchersPerBooklet; serial++)
        {
            var close = _random.Id();
            Rows.Fact("voucher_entries", at, lot.Point.ActorId,
                ("serial", serial), ("part", 1L), ("kind", EntryKind.Closing), ("minutes", 0L), ("used_after", 0L),
                ("credit_minutes", CreditMinutes), ("value_cents", 0L), ("hold_minutes", 0L), ("closed_minutes", CreditMinutes),
                ("convention_id", convention.Id), ("terms_version", 1L), ("duration_minutes", 0L), ("service_day", day),
                ("month", Clock.Month(day)), ("reason", "Carnet abîmé"), ("organisation_id", convention.Authority.Id),
                ("operation_id", close), ("line", 0L), ("body_hash", Hash(close)));
        }
    }

    private sealed record Entry(
        long Part, long Kind, long Minutes, long UsedAfter, long Cents, long? ReversedPart, long ServiceDay, long RecordedDay);

    /// <summary>Where a booklet's user stands: the pass in use and what it has seen.</summary>
    private sealed class VoucherStory(long booklet)
    {
        private long _lastMs;

        public long Serial { get; private set; } = booklet;

        public long Part { get; set; }

        public long UsedMinutes { get; set; }

        public long Cents { get; set; }

        public void Next() => (Serial, Part, UsedMinutes, Cents) = (Serial + 1, 0, 0, 0);

        /// <summary>Entries of one booklet follow each other, if only by an hour.</summary>
        public long After(long atMs) => _lastMs = Math.Max(atMs, _lastMs + 3_600_000);
    }
}
