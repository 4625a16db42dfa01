-- What hacsync did to an account, by the rows of the journal that the destination
-- took; kept in the transaction that writes them. Marks are a sum of bits. Deleted
-- is when, 0 for not; blocked is when its sign-in was blocked, -1 for let in or not
-- known, 0 for never written. Before is the same as it was before the action of a
-- run that wrote last, so that a step which turns out to have had no effect is
-- taken out again.
CREATE TABLE touched (
	tenant TEXT NOT NULL,
	id TEXT NOT NULL,
	marks BIGINT NOT NULL,
	deleted BIGINT NOT NULL,
	blocked BIGINT NOT NULL,
	run BIGINT NOT NULL,
	action BIGINT NOT NULL,
	marks_before BIGINT NOT NULL,
	deleted_before BIGINT NOT NULL,
	blocked_before BIGINT NOT NULL,
	PRIMARY KEY (tenant, id)
);

-- For what was written so lately that lists may not show it.
CREATE INDEX journal_by_server ON journal (tenant, server);
