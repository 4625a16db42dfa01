-- Numbers that are given without gaps: the last one of each kind.
CREATE TABLE counter (
	name TEXT NOT NULL PRIMARY KEY,
	value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('run', 0), ('decision', 0), ('sealed', 0);

CREATE TABLE connection (
	name TEXT NOT NULL PRIMARY KEY,
	tenant TEXT NOT NULL,
	last_used BIGINT NOT NULL,
	data TEXT NOT NULL
);

-- What is sealed under a key that the state does not hold. Version is a number
-- that no other row ever had, so that a row made anew is not taken for the old.
CREATE TABLE sealed (
	connection TEXT NOT NULL,
	name TEXT NOT NULL,
	version BIGINT NOT NULL,
	data {bytes} NOT NULL,
	PRIMARY KEY (connection, name)
);

CREATE TABLE setting (
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (tenant, domain, key)
);

CREATE TABLE decision (
	id BIGINT NOT NULL PRIMARY KEY,
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	key TEXT NOT NULL,
	data TEXT NOT NULL,
	UNIQUE (tenant, domain, key)
);

CREATE TABLE run (
	no BIGINT NOT NULL PRIMARY KEY,
	kind TEXT NOT NULL,
	tenant TEXT NOT NULL,
	connection TEXT NOT NULL,
	domain TEXT NOT NULL,
	state TEXT NOT NULL,
	started BIGINT NOT NULL,
	ended BIGINT NOT NULL,
	fingerprint TEXT NOT NULL,
	plan_of BIGINT NOT NULL,
	approved_by TEXT NOT NULL,
	note TEXT NOT NULL,
	unattended BIGINT NOT NULL,
	source TEXT NOT NULL,
	summary TEXT NOT NULL
);
CREATE INDEX run_by_domain ON run (tenant, domain, no);

-- Plan files, compressed and cut, because a plan can have a million rows.
CREATE TABLE plan (
	run BIGINT NOT NULL PRIMARY KEY,
	tenant TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	size BIGINT NOT NULL,
	pieces BIGINT NOT NULL,
	saved BIGINT NOT NULL
);
CREATE INDEX plan_by_fingerprint ON plan (tenant, fingerprint, run);
CREATE TABLE plan_piece (
	run BIGINT NOT NULL,
	piece BIGINT NOT NULL,
	data {bytes} NOT NULL,
	PRIMARY KEY (run, piece)
);

-- Raises of the guard that were spent.
CREATE TABLE raise (
	tenant TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	used BIGINT NOT NULL,
	PRIMARY KEY (tenant, fingerprint)
);

-- Claims. An empty holder is a free claim; the token counts the holders.
CREATE TABLE lease (
	name TEXT NOT NULL PRIMARY KEY,
	token BIGINT NOT NULL,
	beat BIGINT NOT NULL,
	holder TEXT NOT NULL
);

CREATE TABLE journal (
	run BIGINT NOT NULL,
	action BIGINT NOT NULL,
	step BIGINT NOT NULL,
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	token BIGINT NOT NULL,
	attempt BIGINT NOT NULL,
	state TEXT NOT NULL,
	kind TEXT NOT NULL,
	verb TEXT NOT NULL,
	object TEXT NOT NULL,
	before_image TEXT NOT NULL,
	after_image TEXT NOT NULL,
	seen_image TEXT NOT NULL,
	intended BIGINT NOT NULL,
	answered BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	server BIGINT NOT NULL,
	problem TEXT NOT NULL,
	PRIMARY KEY (run, action, step)
);
CREATE INDEX journal_by_answer ON journal (tenant, answered);

-- Which attributes a source key ever had a value for.
CREATE TABLE known (
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	key TEXT NOT NULL,
	attributes TEXT NOT NULL,
	PRIMARY KEY (tenant, domain, key)
);
