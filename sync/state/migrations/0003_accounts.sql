-- What is known of an account: the user of the source that it is linked to, since
-- when and by which run; the reads without a row for it; the runs that added it
-- and blocked it; when it was last seen enabled. An empty username is no link.
-- Words are the names and keys of the row, packed.
CREATE TABLE account (
	tenant TEXT NOT NULL,
	id TEXT NOT NULL,
	domain TEXT NOT NULL,
	source TEXT NOT NULL DEFAULT '',
	username TEXT NOT NULL DEFAULT '',
	words {bytes},
	since BIGINT NOT NULL DEFAULT 0,
	taught BIGINT NOT NULL DEFAULT 0,
	claimed BIGINT NOT NULL DEFAULT 0,
	absent_first BIGINT NOT NULL DEFAULT 0,
	absent_last BIGINT NOT NULL DEFAULT 0,
	absent_days BIGINT NOT NULL DEFAULT 0,
	absent_reads BIGINT NOT NULL DEFAULT 0,
	added BIGINT NOT NULL DEFAULT 0,
	blocked BIGINT NOT NULL DEFAULT 0,
	enabled BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant, id)
);
CREATE INDEX account_by_domain ON account (tenant, domain);

-- The runs that taught something, so that each of them does it once.
CREATE TABLE taught (
	run BIGINT NOT NULL PRIMARY KEY,
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL
);

-- An account as it was before a run taught something about it. What was not known
-- at all before has no row. A claimed of -1 is one that the run left alone.
CREATE TABLE learnt (
	tenant TEXT NOT NULL,
	id TEXT NOT NULL,
	run BIGINT NOT NULL,
	domain TEXT NOT NULL,
	source TEXT NOT NULL,
	username TEXT NOT NULL,
	words {bytes},
	since BIGINT NOT NULL,
	taught BIGINT NOT NULL,
	claimed BIGINT NOT NULL,
	absent_first BIGINT NOT NULL,
	absent_last BIGINT NOT NULL,
	absent_days BIGINT NOT NULL,
	absent_reads BIGINT NOT NULL,
	PRIMARY KEY (tenant, id, run)
);
CREATE INDEX learnt_by_run ON learnt (run);

-- The users that complete reads of a domain's source held, all in one value. A
-- restored one is a backup's, from which nothing was learnt yet.
CREATE TABLE seen (
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	source TEXT NOT NULL,
	at BIGINT NOT NULL,
	newest BIGINT NOT NULL,
	restored BIGINT NOT NULL,
	data {bytes} NOT NULL,
	PRIMARY KEY (tenant, domain)
);

-- What dry runs would teach once their plans were applied, cut as plans are.
CREATE TABLE lesson (
	run BIGINT NOT NULL PRIMARY KEY,
	pieces BIGINT NOT NULL
);
CREATE TABLE lesson_piece (
	run BIGINT NOT NULL,
	piece BIGINT NOT NULL,
	data {bytes} NOT NULL,
	PRIMARY KEY (run, piece)
);

-- What reviewers answered about an account and a row of the source.
CREATE TABLE answer (
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	account TEXT NOT NULL,
	candidate TEXT NOT NULL,
	answer TEXT NOT NULL,
	basis TEXT NOT NULL,
	answered_by TEXT NOT NULL,
	answered BIGINT NOT NULL,
	used BIGINT NOT NULL,
	PRIMARY KEY (tenant, domain, account, candidate)
);

-- Sizes of a source or a tenant that a reviewer found right, for one dry run.
CREATE TABLE accepted (
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	side TEXT NOT NULL,
	users BIGINT NOT NULL,
	accepted_by TEXT NOT NULL,
	accepted BIGINT NOT NULL,
	PRIMARY KEY (tenant, domain, side)
);

-- Domains whose accounts of before there were links have been vouched for.
CREATE TABLE vouched (
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (tenant, domain)
);

-- Those who write accounts take turns by this row.
INSERT INTO counter (name, value) VALUES ('account', 0);
