-- Every use of a pass asks whether its booklet was returned. Few are: so the answer is in a page or two.
CREATE INDEX booklet_entries_returned ON booklet_entries (booklet) WHERE kind = 3;
