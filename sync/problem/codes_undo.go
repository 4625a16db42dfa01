package problem

// Family 3, undo: why something that a run did is not undone. Each has the Args
// upn, name, line (always empty) and domain of every skip, and those that its
// comment names.
const (
	// UndoChanged: a value is no longer what the run wrote.
	// Args: upn, name, line, domain, attribute, before, wrote, now.
	UndoChanged Code = "HS-3601"
	// UndoNotAsMade: an account that the run added or restored is no longer as
	// the run left it. Args: upn, name, line, domain, attribute, before, wrote, now.
	UndoNotAsMade Code = "HS-3602"
	// UndoLicensed: an account that the run added has a licence now.
	// Args: upn, name, line, domain.
	UndoLicensed Code = "HS-3603"
	// UndoDeletedSince: an account that the run changed was deleted since.
	// Args: upn, name, line, domain.
	UndoDeletedSince Code = "HS-3604"
	// UndoGone: the recycle bin no longer holds the account.
	// Args: upn, name, line, domain, deleted (when the run deleted it).
	UndoGone Code = "HS-3605"
	// UndoTooLate: the recycle bin gives the account up within 24 hours.
	// Args: upn, name, line, domain, deleted.
	UndoTooLate Code = "HS-3606"
	// UndoUPNTaken: another account has the former UPN and keeps it.
	// Args: upn, name, line, domain, before, holder.
	UndoUPNTaken Code = "HS-3607"
	// UndoWaits: the former UPN is with an account whose own row is not undone.
	// Args: upn, name, line, domain, before, holder.
	UndoWaits Code = "HS-3608"
	// UndoIDTaken: another account has the former immutable ID.
	// Args: upn, name, line, domain, immutable_id, holder.
	UndoIDTaken Code = "HS-3609"
	// UndoIDFederated: in a federated domain an immutable ID that was filled or
	// changed stays. Args: upn, name, line, domain, before, wrote.
	UndoIDFederated Code = "HS-3610"
	// UndoNotEmpty: the value was empty before, and cannot be made empty again.
	// Args: upn, name, line, domain, attribute, wrote.
	UndoNotEmpty Code = "HS-3611"
	// UndoDomainGone: the domain of the former UPN is not one of the tenant's
	// verified ones any more. Args: upn, name, line, domain, before.
	UndoDomainGone Code = "HS-3612"
	// UndoMoved: the account is in another domain now.
	// Args: upn, name, line, domain, now.
	UndoMoved Code = "HS-3613"
	// UndoNotYetSeen: the run wrote it less than 15 minutes ago, and Microsoft
	// 365 still shows what was before. Args: upn, name, line, domain.
	UndoNotYetSeen Code = "HS-3614"
	// UndoneAlready: everything is as it was before the run.
	// Args: upn, name, line, domain.
	UndoneAlready Code = "HS-3615"
	// UndoNeverTouched: the deleted account is synchronised from on-premises, a
	// guest, or otherwise never touched. Args: upn, name, line, domain.
	UndoNeverTouched Code = "HS-3616"
	// UndoCrosses: the former UPN is in a domain that is not set up here, or
	// where people sign in in another way. Args: upn, name, line, domain, before.
	UndoCrosses Code = "HS-3617"
	// UndoUnread: what the run did to the account cannot be read in the journal.
	// Args: upn.
	UndoUnread Code = "HS-3618"
)

// Warnings on an undo.
const (
	// UndoRestores: accounts come back from the recycle bin, and what may not
	// come with them. Args: n, until (when the first of them would be purged).
	UndoRestores Code = "HS-3971"
	// UndoRenames: accounts get their former UPN back, and what stays.
	// Args: n.
	UndoRenames Code = "HS-3972"
	// UndoSourceAsks: the source still asks for the changes. Args: domain, run.
	UndoSourceAsks Code = "HS-3973"
	// UndoPasswordStays: the run reset the password; the former one is gone.
	// No Args.
	UndoPasswordStays Code = "HS-3974"
)

// Why a run cannot be undone.
const (
	// UndoNothing: the run wrote nothing. Args: run.
	UndoNothing Code = "HS-3991"
	// UndoDryRun: the run is a dry run. Args: run.
	UndoDryRun Code = "HS-3992"
	// UndoRunning: the run is under way. Args: run, domain, holder.
	UndoRunning Code = "HS-3993"
)

var undoTable = map[Code]traits{
	UndoChanged:      {class: Skip, group: NotWritable},
	UndoNotAsMade:    {class: Skip, group: NotWritable},
	UndoLicensed:     {class: Skip, group: NotWritable},
	UndoDeletedSince: {class: Skip, group: NotWritable},
	UndoGone:         {class: Skip, group: NotWritable},
	UndoTooLate:      {class: Skip, group: NotWritable},
	UndoUPNTaken:     {class: Skip, group: NotWritable},
	UndoWaits:        {class: Skip, group: NotWritable},
	UndoIDTaken:      {class: Skip, group: NotWritable},
	UndoIDFederated:  {class: Skip, group: NotWritable},
	UndoNotEmpty:     {class: Skip, group: NotWritable},
	UndoDomainGone:   {class: Skip, group: NotWritable},
	UndoMoved:        {class: Skip, group: NotWritable},
	UndoNotYetSeen:   {class: Skip, group: NotWritable},
	UndoneAlready:    {class: Skip, group: NotWritable},
	UndoNeverTouched: {class: Skip, group: NotWritable},
	UndoCrosses:      {class: Skip, group: NotWritable},
	UndoUnread:       {class: Skip, group: NotWritable},

	UndoRestores:      {class: Skip},
	UndoRenames:       {class: Skip},
	UndoSourceAsks:    {class: Skip},
	UndoPasswordStays: {class: Skip},

	UndoNothing: {class: Mend},
	UndoDryRun:  {class: Mend},
	UndoRunning: {class: Mend},
}
