package problem

// Family 4: writing to and reading from the destination. HS-400n and HS-401n are
// the network and the reads, HS-410n the answers to one write.
const (
	// Throttled: the destination asks for a pause. Args: seconds.
	Throttled Code = "HS-4001"
	// NoConnection: the host cannot be reached. Args: host.
	NoConnection Code = "HS-4002"
	// NameNotFound: DNS knows no such host. Args: host.
	NameNotFound Code = "HS-4003"
	// TLSUnknownCA: the host's certificate is not signed by an authority that this
	// machine trusts, as behind a proxy that inspects traffic. Args: host, issuer.
	TLSUnknownCA Code = "HS-4004"
	// TLSFailed: no secure connection for another reason. Args: host, detail.
	TLSFailed Code = "HS-4005"
	// ProxyFailed: the proxy was not reached or refused. Args: host, detail.
	ProxyFailed Code = "HS-4006"
	// NoAnswerInTime: no answer within the time for one request. Args: host.
	NoAnswerInTime Code = "HS-4007"
	// TokenRefused: 401 of a read or of a whole batch; nothing was done.
	// Args: host.
	TokenRefused Code = "HS-4008"
	// PermissionMissing: 403 of a read. Args: permission, what.
	PermissionMissing Code = "HS-4009"
	// ForeignHost: an answer points to a host that gets no token. Args: host,
	// expected.
	ForeignHost Code = "HS-4010"
	// ServerTrouble: 5xx that did not pass. Args: status, what.
	ServerTrouble Code = "HS-4011"
	// BrokenAnswer: empty, cut or not JSON. Args: what, detail.
	BrokenAnswer Code = "HS-4012"
	// PagesRepeat: a list leads back to a page already read. Args: what.
	PagesRepeat Code = "HS-4013"
	// AccountTwice: a list shows the same account twice. Args: what, id.
	AccountTwice Code = "HS-4014"
	// CountDiffers: as many accounts were not read as the tenant counts, also
	// the second time. Args: read, counted.
	CountDiffers Code = "HS-4015"
	// NoAccounts: the tenant showed no account at all. Args: none.
	NoAccounts Code = "HS-4016"
	// ReadRefused: any other answer to a read. Args: status, code, what.
	ReadRefused Code = "HS-4017"
	// ConnectionCut: the connection ended before the answer did. Args: host.
	ConnectionCut Code = "HS-4018"
	// ClaimsWanted: a policy wants the person to sign in again. Args: host.
	ClaimsWanted Code = "HS-4019"
	// NoSuchDomain: the tenant has no such domain. Args: domain.
	NoSuchDomain Code = "HS-4020"

	// ConflictUPN: another object has the UPN. Args: upn, value.
	ConflictUPN Code = "HS-4101"
	// ConflictAddress: another object holds the address, or one that the change would
	// make. Args: upn, value (may be empty), change (what was to be set).
	ConflictAddress Code = "HS-4102"
	// ConflictImmutableID: another account has the immutable ID. Args: upn,
	// value.
	ConflictImmutableID Code = "HS-4103"
	// ConflictOther: another object has the same value. Args: upn, attribute (may be
	// empty), change (what was to be set).
	ConflictOther Code = "HS-4104"
	// ValueRefused: Microsoft 365 does not take the value. Args: upn, attribute,
	// value.
	ValueRefused Code = "HS-4105"
	// WriteNotAllowed: the user or application that signed in may not do this.
	// Args: upn.
	WriteNotAllowed Code = "HS-4106"
	// TargetProtected: writing is granted, but not for this account: it has an
	// administrator role or is in a restricted unit. Args: upn.
	TargetProtected Code = "HS-4107"
	// AccountGone: the account is no longer there. Args: upn.
	AccountGone Code = "HS-4108"
	// QuotaExceeded: no more objects may be made. Args: upn, principal.
	QuotaExceeded Code = "HS-4109"
	// ImmutableIDRefused: the immutable ID is not taken or is missing in a
	// federated domain. Args: upn, value.
	ImmutableIDRefused Code = "HS-4110"
	// ValueTooLong: a value is longer than allowed. Args: upn, attribute, value.
	ValueTooLong Code = "HS-4111"
	// SyncedRefused: the account is mastered on-premises. Args: upn.
	SyncedRefused Code = "HS-4112"
	// PasswordRefused: the random password is not taken. Args: upn.
	PasswordRefused Code = "HS-4113"
	// NotAnswered: whether the account was written is not known; it is settled
	// by reading. Args: upn.
	NotAnswered Code = "HS-4114"
	// NeverSentWrite: the request did not leave this machine. Args: upn.
	NeverSentWrite Code = "HS-4115"
	// Concurrent: another writer was at the same account. Args: upn.
	Concurrent Code = "HS-4116"
	// DomainRefused: the UPN's domain is not a verified one of the tenant. Args:
	// upn, value.
	DomainRefused Code = "HS-4117"
	// SubscriptionRefused: the tenant may not be written to at present. Args:
	// upn.
	SubscriptionRefused Code = "HS-4118"
	// WriteRefused: any other refusal. Args: upn, status, code, answer.
	WriteRefused Code = "HS-4199"
)

var writeClasses = map[Code]Class{
	Throttled:         Retry,
	NoConnection:      Retry,
	NameNotFound:      Retry,
	TLSUnknownCA:      Mend,
	TLSFailed:         Mend,
	ProxyFailed:       Mend,
	NoAnswerInTime:    Retry,
	TokenRefused:      Mend,
	PermissionMissing: Mend,
	ServerTrouble:     Retry,
	BrokenAnswer:      Retry,
	PagesRepeat:       Retry,
	AccountTwice:      Retry,
	CountDiffers:      Retry,
	NoAccounts:        Mend,
	ConnectionCut:     Retry,
	ClaimsWanted:      Mend,
	NoSuchDomain:      Mend,

	ConflictUPN:         Mend,
	ConflictAddress:     Mend,
	ConflictImmutableID: Mend,
	ConflictOther:       Mend,
	ValueRefused:        Mend,
	WriteNotAllowed:     Mend,
	TargetProtected:     Mend,
	AccountGone:         Mend,
	QuotaExceeded:       Mend,
	ImmutableIDRefused:  Mend,
	ValueTooLong:        Mend,
	SyncedRefused:       Mend,
	PasswordRefused:     Mend,
	NotAnswered:         Retry,
	NeverSentWrite:      Retry,
	Concurrent:          Retry,
	DomainRefused:       Mend,
	SubscriptionRefused: Mend,
	WriteRefused:        Mend,
}
