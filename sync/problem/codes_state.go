package problem

// Family 5: state and periodic sync. Codes from HS-5500 on belong to runs.
const (
	// DomainBusy: another process synchronises the domain. Args: domain, holder.
	DomainBusy Code = "HS-5001"
	// ClaimLost: another process took over the domain while this one did not
	// answer. Args: domain, holder (may be empty).
	ClaimLost Code = "HS-5002"
	// WhichConnection: several connections are saved and none was named.
	// Args: connections.
	WhichConnection Code = "HS-5003"
	// RunUnknown: there is no run of that number. Args: run.
	RunUnknown Code = "HS-5004"
	// PlanMissing: a run has no stored plan. Args: run.
	PlanMissing Code = "HS-5005"

	// StateURL: --state is of no known form. Args: url.
	StateURL Code = "HS-5010"
	// StateNewer: the state was made by a newer hacsync. Args: state, have, want.
	StateNewer Code = "HS-5011"
	// StateForeign: what lies there is not a state of hacsync. Args: state.
	StateForeign Code = "HS-5012"
	// StateDamaged: the state contradicts itself. Args: state.
	StateDamaged Code = "HS-5013"
	// StateDenied: this account may not open or write the state. Args: state.
	StateDenied Code = "HS-5014"
	// StateReadOnly: the state cannot be written. Args: state.
	StateReadOnly Code = "HS-5015"
	// StateFull: no room is left where the state is. Args: state.
	StateFull Code = "HS-5016"
	// StateBusy: another process kept the state locked. Args: state.
	StateBusy Code = "HS-5017"
	// StateUnreachable: the PostgreSQL server does not answer. Args: state.
	StateUnreachable Code = "HS-5018"
	// StateSignIn: the PostgreSQL server refused user or password. Args: state.
	StateSignIn Code = "HS-5019"
	// StateNoDatabase: the PostgreSQL server has no such database. Args: state.
	StateNoDatabase Code = "HS-5020"
	// StateFailed: the state gave an error of no other kind. Args: state.
	StateFailed Code = "HS-5021"
	// StatePath: no file can be made at the state's path: a folder has that name,
	// or there is a file in the place of a folder. Args: state.
	StatePath Code = "HS-5022"

	// BackupFailed: the backup could not be written. Args: file.
	BackupFailed Code = "HS-5101"
	// BackupExists: a file has the name that the backup should get. Args: file.
	BackupExists Code = "HS-5102"
	// BackupFull: there is no room for the backup. Args: file.
	BackupFull Code = "HS-5103"
	// CopyNotEmpty: the state that was to become a copy holds something already.
	// Args: state.
	CopyNotEmpty Code = "HS-5104"

	// IdentityMissing: the identity file is not there. Args: file.
	IdentityMissing Code = "HS-5050"
	// IdentityUnreadable: the identity file cannot be read. Args: file.
	IdentityUnreadable Code = "HS-5051"
	// IdentityExposed: others on this machine may read it. Args: file, mode.
	IdentityExposed Code = "HS-5052"
	// IdentityInvalid: the file holds no usable age identity. Args: file, why (folder,
	// empty, encrypted, plugin, public: only the public half, other: a key of another
	// kind, encoding: no text in UTF-8 or UTF-16; may be empty).
	IdentityInvalid Code = "HS-5053"
	// IdentityExists: a new identity would replace a file. Args: file.
	IdentityExists Code = "HS-5054"
	// PassphraseWrong: a passphrase is not the one that the state was sealed
	// with.
	PassphraseWrong Code = "HS-5055"
	// KeyringAbsent: this machine has no keyring that answers. Args: why (bus: no
	// D-Bus session, service: no secret service on it, or other).
	KeyringAbsent Code = "HS-5056"
	// KeyringRefused: the keyring is locked, or the user cancelled.
	KeyringRefused Code = "HS-5057"
	// KeyringEmpty: the state was sealed with a key that is not in this
	// keyring: another machine's, another account's, or lost. Args: where (account
	// and machine, may be empty).
	KeyringEmpty Code = "HS-5058"
	// SealedElsewhere: saved data was sealed with another key. Args: what
	// (connection), key (what was tried), kind (of the key it was sealed with:
	// identity, passphrase, keyring, or empty where it is not known), where (that
	// key's file, or account and machine), public (its public half).
	SealedElsewhere Code = "HS-5059"
	// SealedContended: saved data was changed by others again and again.
	// Args: what.
	SealedContended Code = "HS-5060"
	// SealedNewer: saved data is of a format this program does not know. Args: what.
	SealedNewer Code = "HS-5061"
	// PassphraseShort: a new passphrase has too few characters. Args: n (the least).
	PassphraseShort Code = "HS-5062"
	// ConnectionUnknown: no connection has the name that was given. Args:
	// connection, known (all that are saved; empty for none).
	ConnectionUnknown Code = "HS-5063"

	// PassphraseNeeded: saved data is sealed with a passphrase, and none is at
	// hand.
	PassphraseNeeded Code = "HS-5450"
	// PassphraseEmpty: an empty passphrase was typed.
	PassphraseEmpty Code = "HS-5451"
	// PassphraseDiffers: the two passphrases that were typed are not the same.
	PassphraseDiffers Code = "HS-5452"
	// KeyringKeepsNothing: the keyring answers, but did not store a key. Args: why
	// (its own words, may be empty).
	KeyringKeepsNothing Code = "HS-5453"
	// ConnectionForgotten: another process forgot the connection while this one
	// used it. Args: connection.
	ConnectionForgotten Code = "HS-5454"
	// PeriodicNeeds: saved data was to be forgotten that periodic sync needs.
	// Args: connection, domains.
	PeriodicNeeds Code = "HS-5455"
	// ForgetUnapproved: forgetting saved data has to be approved, no user can be
	// asked, and --yes was not given. Args: connection.
	ForgetUnapproved Code = "HS-5456"
	// ForgetDeclined: the user answered no. Args: connection.
	ForgetDeclined Code = "HS-5457"
	// NewPassphraseNeeded: saved data is to be sealed with another passphrase, and
	// none was given.
	NewPassphraseNeeded Code = "HS-5458"
	// KeyringSilent: the keyring, or the session bus that leads to it, took the
	// question and did not answer. Args: seconds.
	KeyringSilent Code = "HS-5460"
	// SealedDamaged: saved data is not as it was saved. Args: what (connection, empty
	// for what belongs to the state itself), kind (passphrase or keyring where it is
	// the row of such keys, else empty).
	SealedDamaged Code = "HS-5461"
)

var stateClasses = map[Code]Class{
	DomainBusy:         Mend,
	ClaimLost:          Mend,
	WhichConnection:    Mend,
	ConnectionUnknown:  Mend,
	PassphraseShort:    Mend,
	RunUnknown:         Mend,
	PlanMissing:        Mend,
	StateURL:           Mend,
	StateNewer:         Mend,
	StateForeign:       Mend,
	StateDamaged:       Mend,
	StateDenied:        Mend,
	StateReadOnly:      Mend,
	StateFull:          Mend,
	StateBusy:          Retry,
	StateUnreachable:   Retry,
	StateSignIn:        Mend,
	StateNoDatabase:    Mend,
	StatePath:          Mend,
	BackupFailed:       Mend,
	BackupExists:       Mend,
	BackupFull:         Mend,
	CopyNotEmpty:       Mend,
	IdentityMissing:    Mend,
	IdentityUnreadable: Mend,
	IdentityExposed:    Mend,
	IdentityInvalid:    Mend,
	IdentityExists:     Mend,
	PassphraseWrong:    Mend,
	KeyringAbsent:      Mend,
	KeyringRefused:     Mend,
	KeyringEmpty:       Mend,
	SealedElsewhere:    Mend,
	SealedContended:    Retry,
	SealedNewer:        Mend,

	PassphraseNeeded:    Mend,
	PassphraseEmpty:     Mend,
	PassphraseDiffers:   Mend,
	KeyringKeepsNothing: Mend,
	ConnectionForgotten: Mend,
	PeriodicNeeds:       Mend,
	ForgetUnapproved:    Mend,
	ForgetDeclined:      Mend,
	NewPassphraseNeeded: Mend,
	KeyringSilent:       Mend,
	SealedDamaged:       Mend,
}
