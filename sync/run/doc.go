// Package run holds the operations that everything else calls: DryRun, Sync,
// Resume, Undo, and what is asked before and after them. The wizard, the command
// line and the periodic workers hold no rule of their own; they call these.
//
// Start here. A dry run and a sync are these calls, in this order. Every name is a
// function of this package; "->" is what it calls, in turn.
//
//	DryRun                reads both sides and plans; writes nothing to the tenant
//	  1 dryRun            the two reads at once; each is whole or the run fails
//	  2 past              links, seen and absent days, marks: what the state knows
//	  3 endDryRun         ends the run; with nothing to apply it is learnt from at once
//
//	Sync                  applies one approved plan
//	  1 approved          it is the plan that was approved, for this tenant
//	  2 claims            of its domain and of those that accounts leave, by name
//	  3 abandonOlder      an interrupted older run of the domain is given up
//	  4 begin             the run is stored, and ->
//	      save            its plan: from here it can be resumed
//	  5 carryOut          ->
//	      a guard         the limits, on this very plan; a raise is used up
//	      b settleUnknown resumed only: what became of requests without an answer
//	      c checkDrift    neither side has changed since the plan was made
//	      d mayWrite      the permission to write is asked for, now and not before
//	      e pausePeriodic an undo pauses the domain's hours
//	      f wave          once for each wave of the plan ->
//	          send        at most 20 steps at a time, four such at once ->
//	            pause     as the destination asked
//	            confirm   each account by ID once more: as approved, unprotected
//	            complete  one attempt; what had no effect is sent in another ->
//	              intend  the journal has each step before its request leaves
//	              write   the request, once, under a fresh claim
//	              settle  the journal has each outcome; an unknown one by
//	                      settleByReading
//	          awaitSteps  where the next wave needs it: until the effect is seen
//	      g verify        what was written is read back; only what is seen is done
//	  6 end               the run's end, and what it taught, in one transaction
//
//	Resume                takenUp from the journal, then 5 and 6
//	Undo                  a plan from the journal of a run; it is applied by Sync
//
// Where a step of this fails before 5f, nothing was written and the error says so.
// After it the error stops the sync between requests: the journal has the rest.
//
// The files: dryrun, past, learn, answers (what a dry run needs of the state); sync,
// and apply_ drift, send, confirm, recheck, absent, attempt, settle, verify (a sync, in
// the order above); resume, undo; journal, rows, report, summary (what a run leaves,
// and what it means); home, log, retention, settings (what else the state is asked).
package run
