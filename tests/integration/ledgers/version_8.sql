-- The ledger as version 8 made it, with one published load that a corrected workbook joined, and one that is held.
CREATE SCHEMA factload;
CREATE SCHEMA factload_staging;
CREATE TABLE factload.loads (
	load_id TEXT NOT NULL,
	feed TEXT NOT NULL,
	period DATE NOT NULL,
	target TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	published_epoch INTEGER,
	PRIMARY KEY (load_id)
);
CREATE INDEX loads_by_feed ON factload.loads (feed, period);
CREATE TABLE factload.schema_version (
	version SERIAL NOT NULL,
	PRIMARY KEY (version)
);
CREATE TABLE factload.attempts (
	load_id TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	state TEXT NOT NULL,
	content TEXT NOT NULL,
	workbook TEXT NOT NULL,
	workbook_sha256 TEXT NOT NULL,
	workbook_bytes BIGINT NOT NULL,
	sources JSONB DEFAULT '[]' NOT NULL,
	source_rows BIGINT DEFAULT '0' NOT NULL,
	blank_rows BIGINT DEFAULT '0' NOT NULL,
	rejected_rows BIGINT DEFAULT '0' NOT NULL,
	staged_rows BIGINT DEFAULT '0' NOT NULL,
	published_rows BIGINT DEFAULT '0' NOT NULL,
	source_totals JSONB DEFAULT '{}' NOT NULL,
	published_totals JSONB DEFAULT '{}' NOT NULL,
	warnings JSONB DEFAULT '[]' NOT NULL,
	error_code TEXT,
	error_message TEXT,
	opened_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	released_by TEXT,
	released_at TIMESTAMP WITH TIME ZONE,
	release_reason TEXT,
	mode TEXT DEFAULT 'replace' NOT NULL,
	corrections TEXT DEFAULT '' NOT NULL,
	target TEXT,
	load_column TEXT,
	left_out_rows JSONB DEFAULT '{}' NOT NULL,
	witness JSONB DEFAULT '[]' NOT NULL,
	worked_at TIMESTAMP WITH TIME ZONE,
	feed_fingerprint TEXT,
	factload_version TEXT,
	published_digest TEXT,
	published_columns JSONB,
	hash_probe TEXT,
	verified_at TIMESTAMP WITH TIME ZONE,
	verified_as TEXT,
	undoes INTEGER,
	undone_by TEXT,
	undo_reason TEXT,
	member_counts JSONB DEFAULT '{}' NOT NULL,
	PRIMARY KEY (load_id, epoch),
	FOREIGN KEY(load_id) REFERENCES factload.loads (load_id)
);
CREATE TABLE factload.corrections (
	load_id TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	workbook TEXT NOT NULL,
	sheet TEXT NOT NULL,
	row INTEGER NOT NULL,
	workbook_sha256 TEXT NOT NULL,
	row_sha256 TEXT NOT NULL,
	cells TEXT NOT NULL,
	corrected_in TEXT NOT NULL,
	taken_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	PRIMARY KEY (load_id, epoch, workbook, sheet, row),
	FOREIGN KEY(load_id) REFERENCES factload.loads (load_id)
);
CREATE TABLE factload.kept (
	load_id TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	of_epoch INTEGER NOT NULL,
	table_name TEXT NOT NULL,
	keep_until TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (load_id),
	FOREIGN KEY(load_id) REFERENCES factload.loads (load_id)
);
CREATE TABLE factload.member_changes (
	load_id TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	dimension TEXT NOT NULL,
	surrogate TEXT NOT NULL,
	table_name TEXT NOT NULL,
	before JSONB NOT NULL,
	after JSONB NOT NULL,
	PRIMARY KEY (load_id, epoch, dimension, surrogate),
	FOREIGN KEY(load_id) REFERENCES factload.loads (load_id)
);
CREATE TABLE factload.partitions (
	load_id TEXT NOT NULL,
	content TEXT NOT NULL,
	partition_id TEXT NOT NULL,
	label TEXT NOT NULL,
	sheet TEXT NOT NULL,
	first_row INTEGER NOT NULL,
	last_row INTEGER NOT NULL,
	source_rows INTEGER NOT NULL,
	blank_rows INTEGER NOT NULL,
	rejected_rows INTEGER,
	staged_rows INTEGER,
	totals JSONB,
	staged_from TEXT,
	loaded_epoch INTEGER,
	workbook TEXT DEFAULT '' NOT NULL,
	weighted JSONB,
	unknown_rows JSONB DEFAULT '{}' NOT NULL,
	created_members JSONB DEFAULT '{}' NOT NULL,
	left_out_rows JSONB DEFAULT '{}' NOT NULL,
	file_sha256 TEXT,
	delivered_totals JSONB DEFAULT '{}' NOT NULL,
	worker TEXT,
	PRIMARY KEY (load_id, content, partition_id),
	FOREIGN KEY(load_id) REFERENCES factload.loads (load_id)
);
CREATE TABLE factload.rejects (
	load_id TEXT NOT NULL,
	content TEXT NOT NULL,
	partition_id TEXT NOT NULL,
	sheet TEXT NOT NULL,
	row INTEGER NOT NULL,
	cell TEXT,
	"column" TEXT NOT NULL,
	raw TEXT,
	reason TEXT NOT NULL,
	workbook TEXT DEFAULT '' NOT NULL,
	duplicate_of TEXT,
	FOREIGN KEY(load_id) REFERENCES factload.loads (load_id)
);
CREATE INDEX rejects_by_partition ON factload.rejects (load_id, content, partition_id, row);
CREATE INDEX rejects_in_order ON factload.rejects (load_id, content, workbook, sheet, row);
CREATE TABLE factload.steps (
	step_run BIGINT GENERATED ALWAYS AS IDENTITY,
	load_id TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	step TEXT NOT NULL,
	item TEXT DEFAULT '' NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
	peak_rss_mb FLOAT NOT NULL,
	PRIMARY KEY (step_run),
	FOREIGN KEY(load_id) REFERENCES factload.loads (load_id)
);
CREATE INDEX steps_by_load ON factload.steps (load_id, epoch);
INSERT INTO factload.schema_version VALUES (8);
INSERT INTO factload.loads VALUES
    ('sales@2026-11-04', 'sales', '2026-11-04', 'fact_sales', 1, 1),
    ('sales@2026-11-05', 'sales', '2026-11-05', 'fact_sales', 2, NULL);
INSERT INTO factload.attempts
    (load_id, epoch, state, content, workbook, workbook_sha256, workbook_bytes, source_rows, sources)
VALUES
    ('sales@2026-11-04', 1, 'published', 'c1', '/inbox/sales_2026-11-04.xlsx', 'h1', 1, 1,
     '[{"path": "inbox/sales_2026-11-04.xlsx", "sha256": "h1", "bytes": 1, "corrects": false},
       {"path": "inbox/corrected.xlsx", "sha256": "h3", "bytes": 1, "corrects": true}]'),
    ('sales@2026-11-05', 1, 'failed', 'c2', '/inbox/sales_2026-11-05.xlsx', 'h2', 1, 0, '[]'),
    ('sales@2026-11-05', 2, 'held', 'c2', '/inbox/sales_2026-11-05.xlsx', 'h2', 1, 2, '[]');
INSERT INTO factload.partitions
    (load_id, content, partition_id, label, sheet, first_row, last_row, source_rows, blank_rows, rejected_rows,
     staged_rows, totals, staged_from, loaded_epoch, workbook)
VALUES
    ('sales@2026-11-05', 'c2', 'p1', 'Facts 2–3', 'Facts', 2, 3, 2, 0, 1, 1, '{"metric": "1.0000"}', 'm1', 2,
     'inbox/sales_2026-11-05.xlsx');
INSERT INTO factload.rejects (load_id, content, partition_id, sheet, row, cell, "column", raw, reason, workbook) VALUES
    ('sales@2026-11-05', 'c2', 'p1', 'Facts', 3, 'A3', 'business_key', 'nobody', 'unmatched_key',
     'inbox/sales_2026-11-05.xlsx');
INSERT INTO factload.steps (load_id, epoch, step, started_at, finished_at, peak_rss_mb) VALUES
    ('sales@2026-11-05', 2, 'open_load', now(), now(), 80.5);
