-- Readable views for people with a query tool: instants as datetime2 in UTC, days as date, cents as euros, names
-- beside ids. The service neither makes nor uses them; run this again after each migration (sqlcmd -d PassNumerique).
-- Left out on purpose: accounts, sessions and API keys, remembered answers, links and contacts of persons, the salt
-- of an order. What has no batch yet waits for the sealer: figures for others come from the reports, cut at a seal.
IF SCHEMA_ID(N'readable') IS NULL
    EXECUTE (N'CREATE SCHEMA readable AUTHORIZATION dbo');
GO

-- Authorities, structures, hubs, the State, the auditor, the operator.
CREATE OR ALTER VIEW readable.organisations AS
SELECT o.id,
       o.kind,
       o.name,
       o.siret,
       DATEADD(millisecond, CAST(o.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(o.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       o.batch
  FROM dbo.organisations o;
GO

-- Sites of médiation; their label is in readable.site_labels.
CREATE OR ALTER VIEW readable.sites AS
SELECT s.id,
       s.name,
       o.name AS structure,
       s.address,
       s.postcode,
       s.commune,
       s.services,
       DATEADD(millisecond, CAST(s.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(s.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       s.batch
  FROM dbo.sites s
  JOIN dbo.organisations o ON o.id = s.organisation_id;
GO

-- The dated history of a label: the last row that covers a day decides that day.
CREATE OR ALTER VIEW readable.site_labels AS
SELECT l.site_id,
       s.name AS site,
       l.position,
       l.status,
       DATEADD(day, CAST(l.from_day AS int), CAST('1970-01-01' AS date)) AS from_on,
       DATEADD(day, CAST(l.until_day AS int), CAST('1970-01-01' AS date)) AS until_on,
       l.reason,
       DATEADD(millisecond, CAST(l.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(l.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       l.batch
  FROM dbo.site_labels l
  JOIN dbo.sites s ON s.id = l.site_id;
GO

-- Where booklets are handed out.
CREATE OR ALTER VIEW readable.distribution_points AS
SELECT p.id,
       p.name,
       o.name AS authority,
       p.channel,
       p.address,
       p.commune,
       DATEADD(millisecond, CAST(p.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(p.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       p.batch
  FROM dbo.distribution_points p
  JOIN dbo.organisations o ON o.id = p.authority_id;
GO

-- A convention with its latest terms and the amounts that hold its two constraints.
CREATE OR ALTER VIEW readable.conventions AS
SELECT c.id,
       c.reference,
       o.name AS authority,
       t.version AS terms_version,
       DATEADD(day, CAST(t.signed_day AS int), CAST('1970-01-01' AS date)) AS signed_on,
       DATEADD(day, CAST(t.effective_day AS int), CAST('1970-01-01' AS date)) AS effective_on,
       CAST(b.budget_cents / 100.0 AS decimal(19, 2)) AS budget_euros,
       CAST(b.ordered_cents / 100.0 AS decimal(19, 2)) AS ordered_euros,
       CAST(b.received_cents / 100.0 AS decimal(19, 2)) AS received_euros,
       CAST(b.derogated_cents / 100.0 AS decimal(19, 2)) AS derogated_euros,
       CAST(b.committed_cents / 100.0 AS decimal(19, 2)) AS committed_euros,
       DATEADD(millisecond, CAST(c.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(c.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       c.batch
  FROM dbo.conventions c
  JOIN dbo.organisations o ON o.id = c.authority_id
  JOIN dbo.convention_balances b ON b.convention_id = c.id
  JOIN dbo.convention_terms t ON t.convention_id = c.id
 WHERE NOT EXISTS (SELECT 1
                     FROM dbo.convention_terms n
                    WHERE n.convention_id = t.convention_id AND n.version > t.version);
GO

-- An order: a dense range of serials. Its salt stays where it is: with the key it gives the codes.
CREATE OR ALTER VIEW readable.orders AS
SELECT o.id,
       c.reference AS convention,
       o.first_serial,
       o.last_serial,
       o.booklet_count,
       o.voucher_count,
       o.credit_minutes,
       CAST(o.face_cents / 100.0 AS decimal(19, 2)) AS face_euros,
       CAST(o.total_cents / 100.0 AS decimal(19, 2)) AS total_euros,
       DATEADD(day, CAST(o.ordered_day AS int), CAST('1970-01-01' AS date)) AS ordered_on,
       DATEADD(day, CAST(o.valid_until_day AS int), CAST('1970-01-01' AS date)) AS valid_until_on,
       o.key_version,
       o.campaign,
       o.wave,
       DATEADD(millisecond, CAST(o.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(o.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       o.batch
  FROM dbo.orders o
  JOIN dbo.conventions c ON c.id = o.convention_id;
GO

-- approved, proof-approved, produced or cancelled, shipped, delivered, activated.
CREATE OR ALTER VIEW readable.order_steps AS
SELECT s.order_id,
       s.slot,
       s.step,
       DATEADD(day, CAST(s.on_day AS int), CAST('1970-01-01' AS date)) AS on_date,
       s.comment,
       DATEADD(millisecond, CAST(s.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(s.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       s.batch
  FROM dbo.order_steps s;
GO

-- The part of an order that goes to one distribution point.
CREATE OR ALTER VIEW readable.lots AS
SELECT l.order_id,
       l.position,
       l.first_serial,
       l.last_serial,
       l.booklet_count,
       l.pic_booklets,
       p.name AS point,
       DATEADD(millisecond, CAST(l.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(l.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       l.batch
  FROM dbo.lots l
  JOIN dbo.distribution_points p ON p.id = l.point_id;
GO

-- Hand-outs, reversals, returns, corrections, moves. person_number counts within a convention and names nobody.
CREATE OR ALTER VIEW readable.booklet_entries AS
SELECT e.booklet,
       e.part,
       CASE e.kind WHEN 1 THEN 'hand-out' WHEN 2 THEN 'reversal' WHEN 3 THEN 'return' WHEN 4 THEN 'correction'
                   WHEN 5 THEN 'departure' WHEN 6 THEN 'arrival' WHEN 7 THEN 'kept' ELSE 'replaced' END AS kind,
       p.name AS point,
       DATEADD(day, CAST(e.day AS int), CAST('1970-01-01' AS date)) AS on_date,
       e.person_number,
       e.age_band,
       e.gender,
       e.social_status,
       e.commune,
       e.publics,
       e.channel,
       e.pic_ground,
       e.pic_evidence,
       e.needs,
       e.reason,
       DATEADD(millisecond, CAST(e.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(e.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       e.batch
  FROM dbo.booklet_entries e
  JOIN dbo.distribution_points p ON p.id = e.point_id;
GO

-- The story of each pass, and whether a use is undone or in a payment run.
CREATE OR ALTER VIEW readable.voucher_entries AS
SELECT e.serial,
       e.part,
       CASE e.kind WHEN 1 THEN 'redemption' WHEN 2 THEN 'capture' WHEN 3 THEN 'hold'
                   WHEN 4 THEN 'release' WHEN 5 THEN 'closing' ELSE 'reversal' END AS kind,
       e.minutes,
       e.used_after,
       e.credit_minutes,
       CAST(e.value_cents / 100.0 AS decimal(19, 2)) AS value_euros,
       e.hold_minutes,
       DATEADD(millisecond, CAST(e.hold_until_ms % 86400000 AS int),
           DATEADD(day, CAST(e.hold_until_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS held_until_utc,
       c.reference AS convention,
       s.name AS site,
       e.service,
       e.activity_kind,
       e.duration_minutes,
       e.thematiques,
       e.level,
       e.autonomy,
       e.first_visit,
       DATEADD(day, CAST(e.service_day AS int), CAST('1970-01-01' AS date)) AS service_on,
       e.month,
       e.reversed_part,
       e.reason,
       u.outcome,
       u.run_id,
       DATEADD(millisecond, CAST(e.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(e.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       e.batch
  FROM dbo.voucher_entries e
  JOIN dbo.conventions c ON c.id = e.convention_id
  LEFT JOIN dbo.sites s ON s.id = e.site_id
  LEFT JOIN dbo.redemption_outcomes u ON u.serial = e.serial AND u.part = e.part;
GO

-- Money received for a convention.
CREATE OR ALTER VIEW readable.funds_receipts AS
SELECT f.id,
       c.reference AS convention,
       f.funder,
       CAST(f.amount_cents / 100.0 AS decimal(19, 2)) AS amount_euros,
       CAST(f.face_value_cents / 100.0 AS decimal(19, 2)) AS face_value_euros,
       DATEADD(day, CAST(f.received_day AS int), CAST('1970-01-01' AS date)) AS received_on,
       f.bank_reference,
       DATEADD(millisecond, CAST(f.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(f.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       f.batch
  FROM dbo.funds_receipts f
  JOIN dbo.conventions c ON c.id = f.convention_id;
GO

-- What running a convention cost.
CREATE OR ALTER VIEW readable.costs AS
SELECT k.id,
       c.reference AS convention,
       k.kind,
       CAST(k.amount_cents / 100.0 AS decimal(19, 2)) AS amount_euros,
       DATEADD(day, CAST(k.on_day AS int), CAST('1970-01-01' AS date)) AS on_date,
       k.source,
       DATEADD(millisecond, CAST(k.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(k.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       k.batch
  FROM dbo.costs k
  JOIN dbo.conventions c ON c.id = k.convention_id;
GO

-- Monthly payment runs, and when the bank paid them.
CREATE OR ALTER VIEW readable.payment_runs AS
SELECT r.id,
       r.month,
       r.line_count,
       CAST(r.total_cents / 100.0 AS decimal(19, 2)) AS total_euros,
       DATEADD(day, CAST(p.paid_day AS int), CAST('1970-01-01' AS date)) AS paid_on,
       p.bank_reference,
       DATEADD(millisecond, CAST(r.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(r.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       r.batch
  FROM dbo.payment_runs r
  LEFT JOIN dbo.payment_confirmations p ON p.run_id = r.id;
GO

-- What a run pays to each site.
CREATE OR ALTER VIEW readable.payouts AS
SELECT p.run_id,
       s.name AS site,
       p.line_count,
       CAST(p.gross_cents / 100.0 AS decimal(19, 2)) AS gross_euros,
       CAST(p.fee_cents / 100.0 AS decimal(19, 2)) AS fee_euros,
       CAST(p.net_cents / 100.0 AS decimal(19, 2)) AS net_euros,
       DATEADD(millisecond, CAST(p.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(p.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       p.batch
  FROM dbo.payouts p
  JOIN dbo.sites s ON s.id = p.site_id;
GO

-- Services rendered offline that came second: owed (limit, settlement), disputed, undone or in a run.
CREATE OR ALTER VIEW readable.offline_services AS
SELECT s.serial,
       s.part,
       c.reference AS convention,
       p.name AS site,
       s.device_id,
       s.refusal,
       s.service,
       s.minutes,
       s.duration_minutes,
       CAST(s.value_cents / 100.0 AS decimal(19, 2)) AS value_euros,
       DATEADD(day, CAST(s.service_day AS int), CAST('1970-01-01' AS date)) AS served_on,
       g.month,
       g.ground,
       g.ordinal,
       d.cause AS dispute_cause,
       DATEADD(millisecond, CAST(d.deadline_ms % 86400000 AS int),
           DATEADD(day, CAST(d.deadline_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS deadline_utc,
       t.decision,
       t.reason,
       o.outcome,
       o.run_id,
       DATEADD(millisecond, CAST(s.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(s.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       s.batch
  FROM dbo.offline_services s
  JOIN dbo.conventions c ON c.id = s.convention_id
  JOIN dbo.sites p ON p.id = s.site_id
  LEFT JOIN dbo.guarantees g ON g.serial = s.serial AND g.part = s.part
  LEFT JOIN dbo.disputes d ON d.serial = s.serial AND d.part = s.part
  LEFT JOIN dbo.dispute_settlements t ON t.serial = s.serial AND t.part = s.part
  LEFT JOIN dbo.guarantee_outcomes o ON o.serial = s.serial AND o.part = s.part;
GO

-- Booklets sent from one point to another, what arrived of each transfer, and why one was cancelled.
CREATE OR ALTER VIEW readable.transfers AS
SELECT t.id,
       f.name AS from_point,
       d.name AS to_point,
       t.booklet_count,
       (SELECT SUM(r.received_count) FROM dbo.transfer_receipts r WHERE r.transfer_id = t.id) AS received_count,
       t.comment,
       DATEADD(day, CAST(t.sent_day AS int), CAST('1970-01-01' AS date)) AS sent_on,
       c.reason AS cancelled_because,
       DATEADD(millisecond, CAST(t.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(t.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       t.batch
  FROM dbo.transfers t
  JOIN dbo.distribution_points f ON f.id = t.from_point_id
  JOIN dbo.distribution_points d ON d.id = t.to_point_id
  LEFT JOIN dbo.transfer_cancellations c ON c.transfer_id = t.id;
GO

-- Drawers counted, beside what the facts expected there.
CREATE OR ALTER VIEW readable.inventories AS
SELECT i.id,
       p.name AS point,
       DATEADD(day, CAST(i.on_day AS int), CAST('1970-01-01' AS date)) AS counted_on,
       i.expected_booklets,
       i.counted_booklets,
       i.explanation,
       DATEADD(millisecond, CAST(i.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(i.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       i.batch
  FROM dbo.inventories i
  JOIN dbo.distribution_points p ON p.id = i.point_id;
GO

-- Lost booklets and those that stand for them.
CREATE OR ALTER VIEW readable.replacements AS
SELECT r.order_id,
       r.replaced_booklet,
       o.first_serial AS booklet,
       o.voucher_count,
       r.reason,
       DATEADD(millisecond, CAST(r.recorded_ms % 86400000 AS int),
           DATEADD(day, CAST(r.recorded_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS recorded_utc,
       r.batch
  FROM dbo.replacement_orders r
  JOIN dbo.orders o ON o.id = r.order_id;
GO

-- Sealed batches; compare chain with the head file.
CREATE OR ALTER VIEW readable.seals AS
SELECT s.batch,
       DATEADD(millisecond, CAST(s.sealed_ms % 86400000 AS int),
           DATEADD(day, CAST(s.sealed_ms / 86400000 AS int), CAST('1970-01-01' AS datetime2(3)))) AS sealed_utc,
       s.leaf_count,
       s.root,
       s.chain,
       s.key_version
  FROM dbo.seals s;
GO
