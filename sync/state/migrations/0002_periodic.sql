-- How a domain is kept in step without a person. Due is when it is next looked
-- at; slot counts the intervals, so that a worker takes each of them once.
-- Version changes with every write: compare and swap.
CREATE TABLE periodic (
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	connection TEXT NOT NULL,
	state TEXT NOT NULL,
	due BIGINT NOT NULL,
	slot BIGINT NOT NULL,
	version BIGINT NOT NULL,
	data TEXT NOT NULL,
	PRIMARY KEY (tenant, domain)
);
CREATE INDEX periodic_by_due ON periodic (state, due);

-- Who works, and when that was last seen.
CREATE TABLE worker (
	name TEXT NOT NULL PRIMARY KEY,
	seen BIGINT NOT NULL,
	data TEXT NOT NULL
);

-- What somebody has been told, so that it is told once. Due is when the next
-- delivery may be tried, 0 when none is left. Version changes with every write:
-- compare and swap.
CREATE TABLE notice (
	key TEXT NOT NULL PRIMARY KEY,
	tenant TEXT NOT NULL,
	domain TEXT NOT NULL,
	told BIGINT NOT NULL,
	due BIGINT NOT NULL,
	version BIGINT NOT NULL,
	data TEXT NOT NULL
);
CREATE INDEX notice_by_due ON notice (due);
CREATE INDEX notice_by_domain ON notice (tenant, domain);

-- Requests that count against a quota which several workers share.
CREATE TABLE spend (
	name TEXT NOT NULL,
	slice BIGINT NOT NULL,
	used BIGINT NOT NULL,
	PRIMARY KEY (name, slice)
);
