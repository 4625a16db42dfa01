package problem

// Family 5, periodic sync: HS-5201 to HS-5399. First what is looked at before it
// is enabled.
const (
	// PeriodicConverged: the domain was synchronised. Args: domain, run, planned,
	// seen, changes (what the dry run after it shows; empty without one).
	PeriodicConverged Code = "HS-5201"
	// PeriodicNeverSynced: the domain was never synchronised. Args: domain.
	PeriodicNeverSynced Code = "HS-5202"
	// PeriodicNotConverged: the last sync did not end well, or a dry run after it
	// shows more than what failed. Args: domain, run, state, left, undo (the run that
	// it undid).
	PeriodicNotConverged Code = "HS-5203"
	// PeriodicActs: the dedicated application signs in. Args: application, ends.
	PeriodicActs Code = "HS-5204"
	// PeriodicNoApplication: the connection has no dedicated application.
	// Args: connection.
	PeriodicNoApplication Code = "HS-5205"
	// PeriodicUnverified: the dedicated application never signed in with all
	// that it needs. Args: application.
	PeriodicUnverified Code = "HS-5206"
	// PeriodicEndsSoon: the certificate ends soon. Args: application, ends.
	PeriodicEndsSoon Code = "HS-5207"
	// PeriodicEnded: the certificate has ended. Args: application, ends.
	PeriodicEnded Code = "HS-5208"
	// PeriodicLeftOut: no row was left out for one time only. Args: always (how
	// many are left out always).
	PeriodicLeftOut Code = "HS-5209"
	// PeriodicLeftOutOnce: rows were left out for one time only.
	// Args: domain, n, accounts (a few of them).
	PeriodicLeftOutOnce Code = "HS-5210"
	// PeriodicRenews: the source gets newer by itself. Args: source.
	PeriodicRenews Code = "HS-5211"
	// PeriodicByHand: the source does not. Args: source.
	PeriodicByHand Code = "HS-5212"
	// PeriodicNoSource: the domain's settings name no source. Args: domain.
	PeriodicNoSource Code = "HS-5213"
	// PeriodicWorkerSeen: a worker reports. Args: worker, seen (how long ago).
	PeriodicWorkerSeen Code = "HS-5214"
	// PeriodicNoWorker: no worker has ever reported. No Args.
	PeriodicNoWorker Code = "HS-5215"
	// PeriodicWorkerSilent: none has reported lately. Args: worker, seen.
	PeriodicWorkerSilent Code = "HS-5216"
)

// What is refused, and what became of a domain.
const (
	// PeriodicNotReady: enabling was refused. Args: domain, n (how much is
	// missing), first (the code of the first finding).
	PeriodicNotReady Code = "HS-5220"
	// PeriodicEvery: an interval that is not taken. Args: every, least, most.
	PeriodicEvery Code = "HS-5221"
	// PeriodicJitter: a spread that is not taken. Args: jitter, every.
	PeriodicJitter Code = "HS-5222"
	// PeriodicUntil: a pause that would end in the past. Args: until.
	PeriodicUntil Code = "HS-5223"
	// PeriodicNone: periodic sync of the domain was never enabled. Args: domain.
	PeriodicNone Code = "HS-5224"
	// PeriodicNotOn: there is nothing to pause. Args: domain, state.
	PeriodicNotOn Code = "HS-5225"

	// PeriodicStoppedByGuard: the guard cancelled so many syncs in a row that
	// the domain stopped. Args: domain, times.
	PeriodicStoppedByGuard Code = "HS-5230"
	// PeriodicStoppedByFailures: so many in a row failed. Args: domain, times.
	PeriodicStoppedByFailures Code = "HS-5231"
	// PeriodicPausedByUndo: an undo paused the domain. Args: domain, run.
	PeriodicPausedByUndo Code = "HS-5232"
	// PeriodicWaitsForPerson: a user stopped a sync of the domain half way.
	// Args: domain, run.
	PeriodicWaitsForPerson Code = "HS-5233"
	// PeriodicChanged: the domain was paused or disabled while its interval was
	// under way. Args: domain, state.
	PeriodicChanged Code = "HS-5234"
	// PeriodicRestored: the state is a backup; nothing goes on in it by itself.
	// Args: domain, made.
	PeriodicRestored Code = "HS-5235"

	// QueueFailed: the workers' queue cannot be used. Args: queue.
	QueueFailed Code = "HS-5240"
)

var periodicClasses = map[Code]Class{
	PeriodicNeverSynced:       Mend,
	PeriodicNotConverged:      Mend,
	PeriodicNoApplication:     Mend,
	PeriodicUnverified:        Mend,
	PeriodicEndsSoon:          Mend,
	PeriodicEnded:             Mend,
	PeriodicLeftOutOnce:       Mend,
	PeriodicByHand:            Mend,
	PeriodicNoSource:          Mend,
	PeriodicNoWorker:          Mend,
	PeriodicWorkerSilent:      Mend,
	PeriodicNotReady:          Mend,
	PeriodicEvery:             Mend,
	PeriodicJitter:            Mend,
	PeriodicUntil:             Mend,
	PeriodicNone:              Mend,
	PeriodicNotOn:             Mend,
	PeriodicStoppedByGuard:    Mend,
	PeriodicStoppedByFailures: Mend,
	PeriodicPausedByUndo:      Mend,
	PeriodicWaitsForPerson:    Mend,
	PeriodicChanged:           Mend,
	PeriodicRestored:          Mend,
	QueueFailed:               Mend,
}
