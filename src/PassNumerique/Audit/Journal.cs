using PassNumerique.Platform.Data;

namespace PassNumerique.Audit;

/// <summary>
/// The tables of facts, in the order their rows have within a batch. The order, the columns and their order
/// are part of every leaf and root: they are never changed, only added to at the end.
/// </summary>
internal static class Journal
{
    public static FactTables Tables { get; } = new(
    [
        new("organisations", "id",
            "id, kind, name, siret"),
        new("sites", "id",
            "id, organisation_id, name, address, postcode, commune, services, phone, hours"),
        new("site_labels", "site_id, position",
            "site_id, position, status, from_day, until_day, reason"),
        new("distribution_points", "id",
            "id, authority_id, name, channel, address, commune"),
        new("trainings", "id",
            "id, point_id, on_day, agents"),
        new("conventions", "id",
            "id, reference, authority_id, hub_id"),
        new("convention_terms", "convention_id, version",
            "convention_id, version, reference, signed_day, effective_day, terms"),
        new("orders", "id",
            "id, convention_id, authority_id, first_serial, last_serial, booklet_count,"
            + " vouchers_per_booklet, voucher_count, face_cents, credit_minutes, total_cents,"
            + " valid_until_day, terms_version, salt, key_version, campaign, wave, comment, ordered_day"),
        new("lots", "order_id, position",
            "order_id, position, first_serial, last_serial, booklet_count, pic_booklets, point_id"),
        new("order_steps", "order_id, slot",
            "order_id, slot, step, on_day, comment"),
        new("derogation_requests", "order_id",
            "order_id, reason"),
        new("derogations", "order_id",
            "order_id, requested_by, exposure_cents"),
        new("order_extensions", "order_id",
            "order_id, valid_until_day, reason"),
        new("code_exports", "id",
            "id, order_id, kind, voucher_count"),
        new("booklet_entries", "booklet, part",
            "booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender,"
            + " social_status, commune, publics, channel, pic_ground, pic_evidence, needs,"
            + " oriented_site_id, oriented_at_ms, notice_version, notice_given, reason, organisation_id,"
            + " operation_id, body_hash"),
        new("assessments", "id",
            "id, convention_id, booklet, person_number, instrument, instrument_version, phase, score,"
            + " max_score, mode, taken_day"),
        new("voucher_entries", "serial, part",
            "serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes,"
            + " hold_until_ms, closed_minutes, reversed_part, convention_id, terms_version, site_id,"
            + " service, activity_kind, duration_minutes, workshop_id, thematiques, level, autonomy,"
            + " first_visit, evidence, service_day, month, reason, organisation_id, operation_id, line,"
            + " body_hash"),
        new("redemption_outcomes", "serial, part",
            "serial, part, outcome, run_id"),
        new("workshops", "id",
            "id, site_id, on_day, service, duration_minutes, title"),
        new("blocks", "id",
            "id, order_serial, first_serial, last_serial, reason"),
        new("block_lifts", "block_id",
            "block_id, reason"),
        new("replacements", "serial",
            "serial, replaced_serial, credit_minutes, face_cents"),
        new("funds_receipts", "id",
            "id, convention_id, funder, amount_cents, face_value_cents, received_day, bank_reference,"
            + " prefunding"),
        new("costs", "id",
            "id, convention_id, kind, amount_cents, on_day, source"),
        new("payment_runs", "id",
            "id, month, line_count, total_cents"),
        new("payouts", "run_id, site_id",
            "run_id, site_id, line_count, gross_cents, fee_cents, net_cents"),
        new("payment_confirmations", "run_id",
            "run_id, paid_day, bank_reference"),
        new("offline_services", "serial, part",
            "serial, part, refusal, minutes, value_cents, convention_id, terms_version, site_id, device_id,"
            + " service, activity_kind, duration_minutes, workshop_id, thematiques, level, autonomy,"
            + " first_visit, evidence, service_day, month, organisation_id, operation_id, line, body_hash"),
        new("guarantees", "serial, part",
            "serial, part, convention_id, terms_version, site_id, device_id, month, ground, ordinal, value_cents"),
        new("disputes", "serial, part",
            "serial, part, convention_id, site_id, cause, deadline_ms"),
        new("dispute_settlements", "serial, part",
            "serial, part, decision, reason"),
        new("guarantee_outcomes", "serial, part",
            "serial, part, outcome, run_id, reason"),
        new("order_files", "fingerprint, turn",
            "fingerprint, turn, order_id, line_count"),
        new("code_releases", "order_id, position, turn",
            "order_id, position, turn, export_id"),
        new("code_transfers", "export_id, part",
            "export_id, part, from_byte"),
        new("code_export_ends", "export_id",
            "export_id, byte_count, voucher_count"),
        new("reprint_requests", "id",
            "id, order_id, point_id, kind, reason, organisation_id"),
        new("reprints", "request_id",
            "request_id, requested_by"),
        new("reprint_uses", "request_id",
            "request_id, export_id"),
        new("print_settings", "authority_id, position",
            "authority_id, position, print_text, telephone, logo"),
        new("dispatches", "order_id, point_id",
            "order_id, point_id, on_day, booklets, carrier, tracking_reference"),
        new("dispatch_receipts", "order_id, point_id",
            "order_id, point_id, on_day, expected, booklets, explanation"),
        new("transfers", "id",
            "id, authority_id, from_point_id, to_point_id, booklet_count, comment, sent_day"),
        new("transfer_booklets", "transfer_id, booklet",
            "transfer_id, booklet, sent_part"),
        new("transfer_receipts", "transfer_id, position",
            "transfer_id, position, received_count, missing_count, explanation, received_day"),
        new("transfer_cancellations", "transfer_id",
            "transfer_id, reason"),
        new("inventories", "id",
            "id, point_id, on_day, by_number, expected_booklets, counted_booklets, explanation"),
        new("inventory_differences", "inventory_id, booklet",
            "inventory_id, booklet, difference"),
        new("replacement_orders", "order_id",
            "order_id, replaced_booklet, reason"),
    ]);

    private static class Sql
    {
        /// <summary>What sealing, verifying and exporting read: composed once from the lists above.</summary>
        public static IEnumerable<string> Composed => Tables.All.SelectMany(t => t.Statements).Append(Tables.Waiting);
    }
}
