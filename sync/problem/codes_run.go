package problem

// Families 4 and 5, the part of run: HS-45nn writing, HS-55nn runs and settings.
const (
	// PlanDrifted: rows changed since the plan was made. Args: rows, domain.
	PlanDrifted Code = "HS-4501"
	// RowDrifted: the account changed between the check and its write; it was
	// left as it is. Args: upn, attribute, then, now.
	RowDrifted Code = "HS-4502"
	// RowConflict: the answer never came, and the account is neither as before
	// nor as wanted. Args: upn, attribute, now.
	RowConflict Code = "HS-4503"
	// RowDiffers: what was written reads back different after the lag window.
	// Args: upn, attribute, wrote, reads.
	RowDiffers Code = "HS-4504"
	// RowNotYetSeen: written, but not seen within the lag window. Args: upn.
	RowNotYetSeen Code = "HS-4505"
	// RowWaits: not tried, because a row it depends on did not succeed.
	// Args: upn, no.
	RowWaits Code = "HS-4506"
	// RowNotTried: the sync was stopped before the row was tried. Args: upn.
	RowNotTried Code = "HS-4507"
	// RetriesSpent: the destination kept putting the request off. Args: upn,
	// attempts.
	RetriesSpent Code = "HS-4508"
	// RowGone: the account that was to be changed is gone. Args: upn.
	RowGone Code = "HS-4509"
	// AddTaken: an account with the UPN or immutable ID of a new user appeared
	// meanwhile. Args: upn.
	AddTaken Code = "HS-4510"
	// ConfirmLost: just before its deletion an account could not be read.
	// Args: upn.
	ConfirmLost Code = "HS-4511"
	// RowPutBack: deleted and restored, because the addition that was to take its
	// UPN failed. Args: upn, no.
	RowPutBack Code = "HS-4512"
	// RowNotPutBack: deleted, and could not be restored although the addition that
	// was to take its UPN failed. Args: upn, no.
	RowNotPutBack Code = "HS-4513"

	// PlanNotFinal: the plan still needs mailbox kinds and must not be applied.
	// Args: accounts.
	PlanNotFinal Code = "HS-5501"
	// NotApproved: what is to be applied is not what was approved.
	// Args: approved, plan.
	NotApproved Code = "HS-5502"
	// WrongTenant: the plan belongs to another tenant. Args: plan, connection.
	WrongTenant Code = "HS-5503"
	// RaiseSpent: raising the guard once was used for this plan already.
	// Args: plan.
	RaiseSpent Code = "HS-5504"
	// NoDryRun: the domain has no stored dry run. Args: domain.
	NoDryRun Code = "HS-5505"
	// DomainUnknown: not a domain of the tenant. Args: domain, domains.
	DomainUnknown Code = "HS-5506"
	// DomainUnverified: the domain is not verified in the tenant. Args: domain.
	DomainUnverified Code = "HS-5507"
	// DomainInitial: the tenant's onmicrosoft.com domain cannot be synchronised.
	// Args: domain.
	DomainInitial Code = "HS-5508"
	// NoSource: the domain has no source yet. Args: domain.
	NoSource Code = "HS-5509"
	// SettingUnknown: no such key. Args: key, near (the one that it is most like, may be
	// empty), keys.
	SettingUnknown Code = "HS-5510"
	// SettingValue: a value that the key does not take. Args: key, value, takes (the
	// word of setting_takes that says what it takes).
	SettingValue Code = "HS-5511"
	// ProtectedNobody: entries of the protected accounts are neither UPNs nor object
	// IDs. Args: entries, n.
	ProtectedNobody Code = "HS-5530"
	// LessonTaught: a dry run was to be kept that was kept before, or whose plan was
	// applied. Args: run, domain, by (the sync, may be empty).
	LessonTaught Code = "HS-5531"
	// LessonOlder: a dry run was to be kept, and a later one was learnt from.
	// Args: run, domain, by (a later sync, may be empty).
	LessonOlder Code = "HS-5532"
	// LessonNone: a run was to be kept that teaches nothing. Args: run, domain, why
	// (domain, sync, kind, failed, source, open, gone, guard, none), of (the run's
	// domain, the sync's dry run, the source, or the sync that is open).
	LessonNone Code = "HS-5533"
	// Shrunk: a side has fewer users than a share of its last good run.
	// Args: side, now, then, share.
	Shrunk Code = "HS-5512"
	// Interrupted: the run was stopped; the rest can be resumed. Args: run, domain.
	Interrupted Code = "HS-5514"
	// SettingsNewer: a settings file of a newer version. Args: version.
	SettingsNewer Code = "HS-5515"
	// PlanWatched: the plan was made for a user to review, and this run is
	// unattended. Args: plan, domain.
	PlanWatched Code = "HS-5517"
	// PlanOld: in an unattended run, the plan of an interrupted run was approved
	// more than 24 hours ago; what was sent is settled, the rest given up. Args:
	// run, domain, by, hours.
	PlanOld Code = "HS-5518"
	// WriteNeedsPerson: the permission to write needs a user, and the run is
	// unattended. Args: domain.
	WriteNeedsPerson Code = "HS-5519"
	// StateWentAway: the state stopped answering in the middle of a sync.
	// Args: run, domain.
	StateWentAway Code = "HS-5520"
	// StateRanFull: no room was left for the state in the middle of a sync.
	// Args: run, domain.
	StateRanFull Code = "HS-5521"
	// SettingsChanged: in an unattended run, the domain's settings are not those of
	// the plan any more: nothing more of it is written. Args: domain.
	SettingsChanged Code = "HS-5522"
	// RunEnded: a run that cannot be resumed. Args: run, state.
	RunEnded Code = "HS-5516"
)

var runClasses = map[Code]Class{
	PlanDrifted:      Mend,
	RowDrifted:       Skip,
	RowConflict:      Mend,
	RowDiffers:       Mend,
	RowNotYetSeen:    Retry,
	RowWaits:         Skip,
	RowNotTried:      Retry,
	RetriesSpent:     Retry,
	RowGone:          Skip,
	AddTaken:         Skip,
	ConfirmLost:      Retry,
	RowPutBack:       Skip,
	RowNotPutBack:    Mend,
	NotApproved:      Mend,
	WrongTenant:      Mend,
	RaiseSpent:       Mend,
	NoDryRun:         Mend,
	DomainUnknown:    Mend,
	DomainUnverified: Mend,
	DomainInitial:    Mend,
	NoSource:         Mend,
	SettingUnknown:   Mend,
	SettingValue:     Mend,
	ProtectedNobody:  Mend,
	LessonTaught:     Mend,
	LessonOlder:      Mend,
	LessonNone:       Mend,
	Shrunk:           Mend,
	Interrupted:      Retry,
	SettingsNewer:    Mend,
	RunEnded:         Mend,
	PlanOld:          Retry,
	WriteNeedsPerson: Mend,
	StateWentAway:    Retry,
	StateRanFull:     Mend,
	SettingsChanged:  Retry,
}
