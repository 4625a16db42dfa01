package problem

// Family 3: planning. Codes below HS-3900 are reasons why a row is skipped. Every
// skip has the Args upn (of the account, or wanted by the source row; may be
// empty), name (display name), line (of the source, empty if none) and domain, and
// those that its comment names.

// Left alone by rule: accounts that a sync never touches.
// Group LeftAlone. Next free: HS-3114.
const (
	// ProtectedSignedIn: the account signed in for this connection.
	// Args: upn, name, line, domain.
	ProtectedSignedIn Code = "HS-3101"
	// ProtectedListed: the account is on the list of accounts never touched.
	// Args: upn, name, line, domain.
	ProtectedListed Code = "HS-3102"
	// ProtectedSynced: the account is synchronised from on-premises.
	// Args: upn, name, line, domain.
	ProtectedSynced Code = "HS-3103"
	// ProtectedGuest: the account is a guest or another external identity.
	// Args: upn, name, line, domain.
	ProtectedGuest Code = "HS-3104"
	// ProtectedRestricted: the account is in a restricted management
	// administrative unit. Args: upn, name, line, domain.
	ProtectedRestricted Code = "HS-3105"
	// ProtectedRole: the account holds a directory role, active or eligible.
	// Args: upn, name, line, domain.
	ProtectedRole Code = "HS-3106"
	// ProtectedRoleGroup: the account is a member or owner of a role-assignable
	// group. Args: upn, name, line, domain.
	ProtectedRoleGroup Code = "HS-3107"
	// ProtectedShared: the account is a shared mailbox.
	// Args: upn, name, line, domain, initial (the tenant's onmicrosoft.com domain).
	ProtectedShared Code = "HS-3108"
	// ProtectedRoom: the account is a room mailbox.
	// Args: upn, name, line, domain, initial.
	ProtectedRoom Code = "HS-3109"
	// ProtectedEquipment: the account is an equipment mailbox.
	// Args: upn, name, line, domain, initial.
	ProtectedEquipment Code = "HS-3110"
	// ProtectedUnread: the account has an address and no usable Exchange plan, and
	// the kind of its mailbox could not be read. Args: upn, name, line, domain.
	ProtectedUnread Code = "HS-3111"
	// ProtectedDisabled: the sign-in of the account is disabled, not by hacsync,
	// and the kind of its mailbox could not be read. Args: upn, name, line, domain.
	ProtectedDisabled Code = "HS-3112"
	// ProtectedResource: the account is of a Teams auto attendant or call queue.
	// Args: upn, name, line, domain.
	ProtectedResource Code = "HS-3113"
)

// Departures that wait: accounts whose person is absent from the source.
// Group LeftAlone. Next free: HS-3128.
const (
	// NeverSeen: the account was in no complete read of the source, so an
	// unattended run does not delete it. Args: upn, name, line, domain.
	NeverSeen Code = "HS-3121"
	// KeptMissing: on_missing = keep. Args: upn, name, line, domain, since (the
	// first day without a row), due, days, of.
	KeptMissing Code = "HS-3122"
	// WaitsToDelete: on_missing = block; the account is deleted on a later day.
	// Args: upn, name, line, domain, since, due, days (absent so far), of.
	WaitsToDelete Code = "HS-3123"
	// NotYetMissing: unattended, the account is deleted only after delete_after
	// days of absence. Args: upn, name, line, domain, since, due, days, of.
	NotYetMissing Code = "HS-3124"
	// NoUsernames: the source has no Usernames, so it does not show who has left.
	// Args: upn, name, line, domain, since, due, days, of.
	NoUsernames Code = "HS-3125"
	// BlockedByOthers: the person is in the source again, but another
	// administrator blocked the account. Args: upn, name, line, domain.
	BlockedByOthers Code = "HS-3126"
	// WaitsForShare: the deletion of a blocked account is due, but more are due
	// than one run may delete. Args: upn, name, line, domain, share.
	WaitsForShare Code = "HS-3127"
)

// Conflicts: rows that do not say clearly which account they mean, or that
// Microsoft 365 would refuse beside what is there.
// Group NotWritable. Next free: HS-3224.
const (
	// DuplicateUPN: two source rows have the same UPN.
	// Args: upn, name, line, domain, lines (of all of them).
	DuplicateUPN Code = "HS-3201"
	// DuplicateImmutableID: two source rows have the same immutable ID.
	// Args: upn, name, line, domain, immutable_id, lines.
	DuplicateImmutableID Code = "HS-3202"
	// FitsTwoAccounts: a source row fits one account by immutable ID and
	// another by UPN. Args: upn, name, line, domain, by_id, by_upn (UPNs of the
	// two), immutable_id.
	FitsTwoAccounts Code = "HS-3203"
	// SharedImmutableID: several accounts have the row's immutable ID.
	// Args: upn, name, line, domain, immutable_id.
	SharedImmutableID Code = "HS-3204"
	// FitsTwoRows: the account fits this row by UPN and skipped rows by
	// immutable ID. Args: upn, name, line, domain, immutable_id.
	FitsTwoRows Code = "HS-3205"
	// ImmutableIDDiffers: the account found by UPN has another immutable ID.
	// Args: upn, name, line, domain, source_id, account_id.
	ImmutableIDDiffers Code = "HS-3206"
	// ImmutableIDHeld: the same, held until a reviewer allows the row.
	// Args: upn, name, line, domain, source_id, account_id.
	ImmutableIDHeld Code = "HS-3207"
	// ImmutableIDFederated: the same in a federated domain, where it cannot be
	// changed. Args: upn, name, line, domain, source_id, account_id.
	ImmutableIDFederated Code = "HS-3208"
	// AddressTaken: another account holds the wanted UPN as a mail address.
	// Args: upn, name, line, domain, holder (its UPN).
	AddressTaken Code = "HS-3209"
	// UPNTaken: another account has the wanted UPN and keeps it.
	// Args: upn, name, line, domain, holder (its display name or UPN).
	UPNTaken Code = "HS-3210"
	// Spared: a skipped source row may be about the account, so it is not
	// deleted. Args: upn, name, line, domain.
	Spared Code = "HS-3211"
	// WaitsForSkipped: the row needs a UPN that another row would have released,
	// which is skipped itself. Args: upn, name, line, domain, holder.
	WaitsForSkipped Code = "HS-3212"
	// PairHeld: in an unattended run, a deletion and an addition may be one person.
	// Args: upn, name, line, domain, other (the other row's UPN).
	PairHeld Code = "HS-3213"
	// SparedByAddress: the account has the UPN of a source row as a mail address,
	// and no row of its own, so it is not deleted. Args: upn, name, line, domain,
	// other (the UPN of the row).
	SparedByAddress Code = "HS-3214"
	// SparedByName: a source row in a domain that is none of the tenant's has the
	// account's local part and name, so it is not deleted. Args: upn, name, line,
	// domain, other (the UPN of the row).
	SparedByName Code = "HS-3215"
	// QuestionOpen: only a reviewer can decide whether an account and a row are one
	// person. Args: upn, name, line, domain.
	QuestionOpen Code = "HS-3216"
	// DuplicateUsername: two source rows have the same Username.
	// Args: upn, name, line, domain, username, lines.
	DuplicateUsername Code = "HS-3217"
	// WitnessesDiffer: the link of the row's Username means another account than
	// its immutable ID or UPN. Args: upn, name, line, domain, username, by_link,
	// by_id, by_upn (UPNs of the accounts; empty for none), immutable_id.
	WitnessesDiffer Code = "HS-3218"
	// IDTaken: another account has the row's immutable ID and keeps it.
	// Args: upn, name, line, domain, immutable_id, holder (its UPN).
	IDTaken Code = "HS-3219"
	// UPNMovesAway: another account has the wanted UPN until the sync of another
	// domain moves it there. Args: upn, name, line, domain, holder (its UPN), to (the
	// one it is to get), there (that domain).
	UPNMovesAway Code = "HS-3220"
	// MovesInCircle: accounts of several domains are to get each other's UPNs, so
	// that none can go first. Args: upn, name, line, domain, holder (the UPN of one of
	// them), to (the one it is to get), there (the domain of that).
	MovesInCircle Code = "HS-3221"
	// UPNWaits: the account that has the wanted UPN is another person's, who left,
	// and is deleted on a later day. Args: upn, name, line, domain, holder (its UPN),
	// due (that day).
	UPNWaits Code = "HS-3222"
	// UPNGivenUp: the account that has the wanted UPN is another row's person by an
	// answer, and gets that row's UPN in this plan. Args: upn, name, line, domain,
	// holder (its UPN), to (the one it is to get).
	UPNGivenUp Code = "HS-3223"
)

// Values that Microsoft 365 would refuse, and accounts that cannot be restored.
// Group NotWritable. Next free: HS-3357.
const (
	// UPNCharacter: the UPN has a character that is not allowed.
	// Args: upn, name, line, domain, character.
	UPNCharacter Code = "HS-3301"
	// UPNTooLong: the UPN is too long. Args: upn, name, line, domain, limit,
	// length.
	UPNTooLong Code = "HS-3302"
	// UPNDot: the UPN has a dot directly before the @. Args: upn, name, line,
	// domain.
	UPNDot Code = "HS-3303"
	// UPNNoLocal: the UPN has nothing before the @. Args: upn, name, line, domain.
	UPNNoLocal Code = "HS-3304"
	// ValueLong: a value is too long.
	// Args: upn, name, line, domain, attribute, limit, length.
	ValueLong Code = "HS-3305"
	// NoDisplayName: a new user has no display name. Args: upn, name, line, domain.
	NoDisplayName Code = "HS-3306"
	// NoAlias: a new user has no Username (mailNickname).
	// Args: upn, name, line, domain.
	NoAlias Code = "HS-3307"
	// AliasCharacter: the Username (mailNickname) has a character that is not
	// allowed. Args: upn, name, line, domain, value, character.
	AliasCharacter Code = "HS-3308"
	// ImmutableIDCharacter: the immutable ID has a character that is not
	// allowed. Args: upn, name, line, domain, value, character.
	ImmutableIDCharacter Code = "HS-3309"
	// FederatedNeedsID: a new user of a federated domain has no immutable ID.
	// Args: upn, name, line, domain.
	FederatedNeedsID Code = "HS-3310"
	// UsageLocationUnknown: the usage location is not two letters.
	// Args: upn, name, line, domain, value.
	UsageLocationUnknown Code = "HS-3311"
	// SheetValue: a value is what a spreadsheet shows in place of one: an error, a
	// number that was too long, a formula, a date.
	// Args: upn, name, line, domain, attribute, value.
	SheetValue Code = "HS-3321"
	// GarbledValue: a value has damaged characters, or was read in another
	// encoding than it was written in.
	// Args: upn, name, line, domain, attribute, value.
	GarbledValue Code = "HS-3322"
	// ImmutableIDShape: the immutable ID is unlike all others.
	// Args: upn, name, line, domain, value.
	ImmutableIDShape Code = "HS-3323"
	// AliasDot: the Username (mailNickname) has a dot at an end, or two in a row.
	// Args: upn, name, line, domain, value.
	AliasDot Code = "HS-3324"
	// RestoreAmbiguous: several deleted accounts fit the row.
	// Args: upn, name, line, domain.
	RestoreAmbiguous Code = "HS-3351"
	// RestoreSynced: the deleted account that fits is from on-premises.
	// Args: upn, name, line, domain.
	RestoreSynced Code = "HS-3352"
	// RestoreTooLate: the deleted account that fits is purged within 24 hours.
	// Args: upn, name, line, domain.
	RestoreTooLate Code = "HS-3353"
	// RestoreHeld: a deleted account may be the person's: either it had the UPN,
	// and not both have an immutable ID to decide it, or it has the immutable ID,
	// but another name. Args: upn, name, line, domain.
	RestoreHeld Code = "HS-3354"
	// RestoreProtected: the deleted account that fits is a guest or otherwise
	// never touched. Args: upn, name, line, domain.
	RestoreProtected Code = "HS-3355"
	// RestoreCrosses: the deleted account that fits is of a domain of the other
	// kind, federated or managed. Args: upn, name, line, domain, from.
	RestoreCrosses Code = "HS-3356"
)

// Not for this domain.
// Group NotHere. Next free: HS-3411.
const (
	// NoUPN: the source row has no UPN. Args: upn, name, line, domain.
	NoUPN Code = "HS-3401"
	// NotUPN: the value of the source row for the UPN has no domain. Args: upn,
	// name, line, domain.
	NotUPN Code = "HS-3402"
	// MovedAway: the source has the person in another domain, whose sync
	// renames the account. Args: upn, name, line, domain, to (the UPN there).
	MovedAway Code = "HS-3403"
	// MovedAwayNotSetUp: the same, but the other domain is not set up here.
	// Args: upn, name, line, domain, to.
	MovedAwayNotSetUp Code = "HS-3404"
	// MovedInNotSetUp: the account is in another domain that is not set up here.
	// Args: upn, name, line, domain, from (its UPN there).
	MovedInNotSetUp Code = "HS-3405"
	// MoveNeedsID: the account would enter a federated domain without an
	// immutable ID. Args: upn, name, line, domain, from.
	MoveNeedsID Code = "HS-3406"
	// MoveNeedsPassword: the account would leave a federated domain and have no
	// usable password. Args: upn, name, line, domain, from.
	MoveNeedsPassword Code = "HS-3407"
	// MoveHeld: in an unattended run, the account would cross between a managed and
	// a federated domain. Args: upn, name, line, domain, from.
	MoveHeld Code = "HS-3408"
	// MoveHeldByGuard: more accounts would leave the other domain than its Max
	// Allowed Deletions lets go unattended. Args: upn, name, line, domain, from,
	// origin (that domain), moves, users, limit.
	MoveHeldByGuard Code = "HS-3409"
	// MovedNowhere: the source has the person in a domain that is none of the
	// tenant's. Args: upn, name, line, domain, to.
	MovedNowhere Code = "HS-3410"
)

// Left out by a person.
// Group LeftOut. Next free: HS-3505.
const (
	// LeftOutAlways: a reviewer left the account out of every plan.
	// Args: upn, name, line, domain, by, at, why.
	LeftOutAlways Code = "HS-3501"
	// LeftOutOnce: a reviewer left the row out of this plan.
	// Args: upn, name, line, domain.
	LeftOutOnce Code = "HS-3502"
	// LeftOutWith: the row needs one that a reviewer left out.
	// Args: upn, name, line, domain, no (of that row).
	LeftOutWith Code = "HS-3503"
	// LeftOutAttribute: a reviewer left an attribute that the row would change out of
	// the plan. Args: upn, name, line, domain, attribute.
	LeftOutAttribute Code = "HS-3504"
)

// The guard.
// Next free: HS-3910.
const (
	// GuardCancels: deletions reached Max Allowed Deletions.
	// Args: deletions, users, percent, limit, stops_at.
	GuardCancels Code = "HS-3901"
	// GuardCancelsNumber: deletions reached the number that is set in addition to
	// the percentage. Args: deletions, users, percent, limit, stops_at.
	GuardCancelsNumber Code = "HS-3902"
	// GuardCancelsDay: in an unattended run, deletions of the last 24 hours and of
	// this plan together reached Max Allowed Deletions. Args: deletions, today,
	// users, percent, limit.
	GuardCancelsDay Code = "HS-3903"
	// SignInCancels: in an unattended run, renames, immutable IDs and cleared
	// values together reached their limit. Args: changes, users, percent, limit.
	SignInCancels Code = "HS-3904"
	// GuardCancelsKnown: deletions of accounts that were in the source reached Max
	// Allowed Deletions of those that are or were.
	// Args: deletions, users, percent, limit, stops_at.
	GuardCancelsKnown Code = "HS-3905"
	// MovesCancel: accounts that leave another domain reached the guard of that
	// domain. Args: origin, moves, users, percent, limit.
	MovesCancel Code = "HS-3906"
	// LostCancels: unattended, the accounts that lost their row in this read reached
	// Max Allowed Deletions, the held and questioned ones counted.
	// Args: lost, deletions, users, percent, limit.
	LostCancels Code = "HS-3907"
	// ChangesCancel: unattended, the accounts changed at all reached their limit.
	// Args: changes, users, percent, limit.
	ChangesCancel Code = "HS-3908"
	// LostCancelsNumber: the same as LostCancels, for the number that is set in
	// addition to the percentage. Args: lost, deletions, users, percent, limit.
	LostCancelsNumber Code = "HS-3909"
)

// Why there is no plan, in addition to the codes for a domain in general
// (DomainUnknown, DomainUnverified, DomainInitial).
// Next free: HS-3937.
const (
	// NoSourceRows: no source row is in the domain.
	// Args: domain, source, rows, domains (those of the source).
	NoSourceRows Code = "HS-3911"
	// SourceColumnMissing: the source lacks a column without which no user can be
	// added. Args: source, attribute.
	SourceColumnMissing Code = "HS-3912"
	// UsersColumnMissing: an attribute to write was not read from the
	// destination. Args: attribute.
	UsersColumnMissing Code = "HS-3913"
	// SourceDoubtful: many rows contradict what earlier reads taught in one way.
	// Args: source, domain, rows, links.
	SourceDoubtful Code = "HS-3914"
	// SourceMisread: so many rows would be garbled that the source was read in
	// another encoding than it is in. Args: source, rows, of, domain, encoding
	// (empty for an API).
	SourceMisread Code = "HS-3931"
)

// Plan files.
// Next free: HS-3925.
const (
	// PlanNewer: the file has a newer format. Args: version, known.
	PlanNewer Code = "HS-3921"
	// PlanDamaged: the file is not a plan file or was changed. Args: line, what.
	PlanDamaged Code = "HS-3922"
	// PlanCut: the file ends before its end. Args: line.
	PlanCut Code = "HS-3923"
	// PlanMismatch: the content does not have the fingerprint that the file
	// names. Args: named, found.
	PlanMismatch Code = "HS-3924"
)

// Warnings on a row. They stop nothing.
// Next free: HS-3957.
const (
	// LooksSame: the new value looks the same as the old one. Args: attribute, old,
	// new.
	LooksSame Code = "HS-3941"
	// ControlCharacter: a value has characters that do not show.
	// Args: attribute, character.
	ControlCharacter Code = "HS-3942"
	// RenameReaches: mail address, OneDrive URL and sign-ins of applications may
	// change with the UPN. Args: old, new.
	RenameReaches Code = "HS-3943"
	// AliasShared: another account has or gets the same alias.
	// Args: alias, holder.
	AliasShared Code = "HS-3944"
	// DeletedByHand: the account to restore was not deleted by hacsync. No Args.
	DeletedByHand Code = "HS-3945"
	// UndoneBefore: an undo put the account back; the same change comes again.
	// No Args.
	UndoneBefore Code = "HS-3946"
	// DeletedHasID: a deleted account has the immutable ID that is to be set.
	// Args: immutable_id, holder.
	DeletedHasID Code = "HS-3947"
	// UPNUsedAgain: the UPN of a deleted account goes to a new one. Args: upn.
	UPNUsedAgain Code = "HS-3948"
	// BlockKeepsSessions: a sign-in block ends no sessions. No Args.
	BlockKeepsSessions Code = "HS-3949"
	// ValueCleared: a value is taken away. Args: attribute, old.
	ValueCleared Code = "HS-3950"
	// PasswordReset: the account gets a new password. No Args.
	PasswordReset Code = "HS-3951"
	// MovedFrom: the account comes from another domain. Args: from.
	MovedFrom Code = "HS-3952"
	// ImmutableIDStays: in a federated domain a filled immutable ID cannot be
	// taken back. No Args.
	ImmutableIDStays Code = "HS-3953"
	// MaybeSamePerson: a deletion and an addition may be one person.
	// Args: other, no.
	MaybeSamePerson Code = "HS-3954"
	// MovesAway: the account leaves a cycle of UPNs by way of a temporary one.
	// Args: temporary.
	MovesAway Code = "HS-3955"
	// UserTypeEmpty: the account has no userType and counts as an old member.
	// No Args.
	UserTypeEmpty Code = "HS-3956"
)

// Warnings on a row: a value that is worse than the account's.
// Next free: HS-3937.
const (
	// LettersLost: the new value has question marks where the account has letters.
	// Args: attribute, old, new.
	LettersLost Code = "HS-3932"
	// HalfWidth: the new value is half-width katakana. Args: attribute, old, new.
	HalfWidth Code = "HS-3933"
	// MixedScripts: the new value has letters that do not go together in one word.
	// Args: attribute, old, new.
	MixedScripts Code = "HS-3934"
	// ZerosLost: the new value is the old one without its leading zeros.
	// Args: attribute, old, new.
	ZerosLost Code = "HS-3935"
)

// Warnings on a plan.
// Next free: HS-3976.
const (
	// ValuesWorse: rows whose new values lost letters or are odd. Args: rows.
	ValuesWorse Code = "HS-3936"
	// NotConfirmed: the number of source rows was not confirmed. Args: rows, source.
	NotConfirmed Code = "HS-3961"
	// TwoMasters: the tenant is synchronised from on-premises too. Args: tenant.
	TwoMasters Code = "HS-3962"
	// SourceOld: the newest sign-in in the source is older than a day.
	// Args: source, newest, hours.
	SourceOld Code = "HS-3963"
	// SourceAhead: the newest sign-in in the source is still to come.
	// Args: source, newest.
	SourceAhead Code = "HS-3975"
	// AliasesShared: aliases that several accounts would have. Args: rows.
	AliasesShared Code = "HS-3964"
	// AliasesKept: accounts with a mailbox keep their alias. Args: rows.
	AliasesKept Code = "HS-3965"
	// ColumnAbsent: the source has no column for an attribute.
	// Args: source, attribute.
	ColumnAbsent Code = "HS-3966"
	// DecisionIdle: a reviewer's decision fits no row any more.
	// Args: decision, upn, id.
	DecisionIdle Code = "HS-3967"
	// EligibleUnread: eligible members and owners of role-assignable groups could
	// not be read. Args: groups (their number), permission.
	EligibleUnread Code = "HS-3968"
	// ProtectedFitsNone: an entry of the protected list fits no account.
	// Args: entry.
	ProtectedFitsNone Code = "HS-3969"
	// DeparturesHeld: the source has no Usernames, so that no absence is believed.
	// Args: source, accounts.
	DeparturesHeld Code = "HS-3970"
)

// Why a row has drifted.
// Next free: HS-3995.
const (
	// DriftValue: a value of the account is not as it was.
	// Args: upn, attribute, then, now.
	DriftValue Code = "HS-3981"
	// DriftGone: the account is not there any more. Args: upn.
	DriftGone Code = "HS-3982"
	// DriftTaken: another account has the wanted UPN now. Args: upn, holder.
	DriftTaken Code = "HS-3983"
	// DriftIDTaken: another account has the wanted immutable ID now.
	// Args: upn, holder.
	DriftIDTaken Code = "HS-3984"
	// DriftSource: the source row has another value. Args: upn, attribute,
	// then, now.
	DriftSource Code = "HS-3985"
	// DriftSourceGone: the source row is gone. Args: upn.
	DriftSourceGone Code = "HS-3986"
	// DriftSourceNew: the source has a new row. Args: upn.
	DriftSourceNew Code = "HS-3987"
	// DriftBack: the account to restore is not among the deleted. Args: upn.
	DriftBack Code = "HS-3988"
	// DriftLink: what is remembered of the account is not as it was when the plan
	// was made. Args: upn, then, now (the Usernames; empty for none).
	DriftLink Code = "HS-3989"
	// DriftAnswer: the answer to the question about the account is not the one that
	// the plan followed. Args: upn, then, now (same, different, not-now, or empty).
	DriftAnswer Code = "HS-3990"
	// DriftAbsence: the account was in the source again since, or this state does not
	// know of the absence that its deletion rests on. Args: upn, then (when it was last
	// seen, or absent since), now (the same; empty for never).
	DriftAbsence Code = "HS-3994"
)

var planTable = map[Code]traits{
	ProtectedSignedIn:   {class: Skip, group: LeftAlone},
	ProtectedListed:     {class: Skip, group: LeftAlone},
	ProtectedSynced:     {class: Skip, group: LeftAlone},
	ProtectedGuest:      {class: Skip, group: LeftAlone},
	ProtectedRestricted: {class: Skip, group: LeftAlone},
	ProtectedRole:       {class: Skip, group: LeftAlone},
	ProtectedRoleGroup:  {class: Skip, group: LeftAlone},
	ProtectedShared:     {class: Skip, group: LeftAlone},
	ProtectedRoom:       {class: Skip, group: LeftAlone},
	ProtectedEquipment:  {class: Skip, group: LeftAlone},
	ProtectedUnread:     {class: Skip, group: LeftAlone},
	ProtectedDisabled:   {class: Skip, group: LeftAlone},
	ProtectedResource:   {class: Skip, group: LeftAlone},

	NeverSeen:       {class: Skip, group: LeftAlone},
	KeptMissing:     {class: Skip, group: LeftAlone},
	WaitsToDelete:   {class: Skip, group: LeftAlone},
	NotYetMissing:   {class: Skip, group: LeftAlone},
	NoUsernames:     {class: Skip, group: LeftAlone},
	BlockedByOthers: {class: Skip, group: LeftAlone},
	WaitsForShare:   {class: Skip, group: LeftAlone},

	DuplicateUPN:         {class: Skip, group: NotWritable},
	DuplicateImmutableID: {class: Skip, group: NotWritable},
	FitsTwoAccounts:      {class: Skip, group: NotWritable},
	SharedImmutableID:    {class: Skip, group: NotWritable},
	FitsTwoRows:          {class: Skip, group: NotWritable},
	ImmutableIDDiffers:   {class: Skip, group: NotWritable},
	ImmutableIDHeld:      {class: Skip, group: NotWritable},
	ImmutableIDFederated: {class: Skip, group: NotWritable},
	AddressTaken:         {class: Skip, group: NotWritable},
	UPNTaken:             {class: Skip, group: NotWritable},
	Spared:               {class: Skip, group: NotWritable},
	WaitsForSkipped:      {class: Skip, group: NotWritable},
	PairHeld:             {class: Skip, group: NotWritable},
	SparedByAddress:      {class: Skip, group: NotWritable},
	SparedByName:         {class: Skip, group: NotWritable},
	QuestionOpen:         {class: Skip, group: NotWritable},
	DuplicateUsername:    {class: Skip, group: NotWritable},
	WitnessesDiffer:      {class: Skip, group: NotWritable},
	IDTaken:              {class: Skip, group: NotWritable},
	UPNMovesAway:         {class: Skip, group: NotWritable},
	MovesInCircle:        {class: Skip, group: NotWritable},
	UPNWaits:             {class: Skip, group: NotWritable},
	UPNGivenUp:           {class: Skip, group: NotWritable},

	UPNCharacter:         {class: Skip, group: NotWritable},
	UPNTooLong:           {class: Skip, group: NotWritable},
	UPNDot:               {class: Skip, group: NotWritable},
	UPNNoLocal:           {class: Skip, group: NotWritable},
	ValueLong:            {class: Skip, group: NotWritable},
	NoDisplayName:        {class: Skip, group: NotWritable},
	NoAlias:              {class: Skip, group: NotWritable},
	AliasCharacter:       {class: Skip, group: NotWritable},
	ImmutableIDCharacter: {class: Skip, group: NotWritable},
	FederatedNeedsID:     {class: Skip, group: NotWritable},
	UsageLocationUnknown: {class: Skip, group: NotWritable},
	SheetValue:           {class: Skip, group: NotWritable},
	GarbledValue:         {class: Skip, group: NotWritable},
	ImmutableIDShape:     {class: Skip, group: NotWritable},
	AliasDot:             {class: Skip, group: NotWritable},
	RestoreAmbiguous:     {class: Skip, group: NotWritable},
	RestoreSynced:        {class: Skip, group: NotWritable},
	RestoreTooLate:       {class: Skip, group: NotWritable},
	RestoreHeld:          {class: Skip, group: NotWritable},
	RestoreProtected:     {class: Skip, group: NotWritable},
	RestoreCrosses:       {class: Skip, group: NotWritable},

	NoUPN:             {class: Skip, group: NotHere},
	NotUPN:            {class: Skip, group: NotHere},
	MovedAway:         {class: Skip, group: NotHere},
	MovedAwayNotSetUp: {class: Skip, group: NotHere},
	MovedInNotSetUp:   {class: Skip, group: NotHere},
	MoveNeedsID:       {class: Skip, group: NotHere},
	MoveNeedsPassword: {class: Skip, group: NotHere},
	MoveHeld:          {class: Skip, group: NotHere},
	MoveHeldByGuard:   {class: Skip, group: NotHere},
	MovedNowhere:      {class: Skip, group: NotHere},

	LeftOutAlways: {class: Skip, group: LeftOut},
	LeftOutOnce:   {class: Skip, group: LeftOut},
	LeftOutWith:   {class: Skip, group: LeftOut},

	LeftOutAttribute: {class: Skip, group: LeftOut},

	GuardCancels:       {class: Mend, guard: true},
	GuardCancelsNumber: {class: Mend, guard: true},
	GuardCancelsDay:    {class: Mend, guard: true},
	SignInCancels:      {class: Mend, guard: true},
	GuardCancelsKnown:  {class: Mend, guard: true},
	MovesCancel:        {class: Mend, guard: true},
	LostCancels:        {class: Mend, guard: true},
	ChangesCancel:      {class: Mend, guard: true},
	LostCancelsNumber:  {class: Mend, guard: true},

	NoSourceRows:        {class: Mend},
	SourceColumnMissing: {class: Mend},
	UsersColumnMissing:  {class: Fatal},
	SourceDoubtful:      {class: Mend},
	SourceMisread:       {class: Mend},

	PlanNewer:    {class: Mend},
	PlanDamaged:  {class: Mend},
	PlanCut:      {class: Mend},
	PlanMismatch: {class: Mend},

	LooksSame:          {class: Skip},
	ControlCharacter:   {class: Skip},
	RenameReaches:      {class: Skip},
	AliasShared:        {class: Skip},
	DeletedByHand:      {class: Skip},
	UndoneBefore:       {class: Skip},
	DeletedHasID:       {class: Skip},
	UPNUsedAgain:       {class: Skip},
	BlockKeepsSessions: {class: Skip},

	ValueCleared:     {class: Skip},
	PasswordReset:    {class: Skip},
	MovedFrom:        {class: Skip},
	ImmutableIDStays: {class: Skip},
	MaybeSamePerson:  {class: Skip},
	MovesAway:        {class: Skip},

	NotConfirmed:  {class: Skip},
	TwoMasters:    {class: Skip},
	SourceOld:     {class: Skip},
	SourceAhead:   {class: Skip},
	AliasesShared: {class: Skip},
	AliasesKept:   {class: Skip},
	ColumnAbsent:  {class: Skip},
	DecisionIdle:  {class: Skip},

	ProtectedFitsNone: {class: Skip},
	EligibleUnread:    {class: Skip},
	UserTypeEmpty:     {class: Skip},
	LettersLost:       {class: Skip},
	HalfWidth:         {class: Skip},
	MixedScripts:      {class: Skip},
	ZerosLost:         {class: Skip},
	ValuesWorse:       {class: Skip},
	DeparturesHeld:    {class: Skip},

	DriftValue:      {class: Skip},
	DriftGone:       {class: Skip},
	DriftTaken:      {class: Skip},
	DriftIDTaken:    {class: Skip},
	DriftSource:     {class: Skip},
	DriftSourceGone: {class: Skip},
	DriftSourceNew:  {class: Skip},
	DriftBack:       {class: Skip},
	DriftLink:       {class: Skip},
	DriftAnswer:     {class: Skip},
	DriftAbsence:    {class: Skip},
}
