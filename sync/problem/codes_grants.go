package problem

// Family 1, HS-14nn: permissions, and the dedicated application from its key
// pair to its renewal.
const (
	// GrantMissing: a permission that a sync needs is not granted. Args: grant.
	GrantMissing Code = "HS-1401"
	// GrantNotAllowed: the user who ran the script may not give permissions. Args:
	// none.
	GrantNotAllowed Code = "HS-1402"
	// ModuleMissing: PowerShell does not know Connect-MgGraph. Args: none.
	ModuleMissing Code = "HS-1403"
	// ScriptsDisabled: PowerShell's execution policy forbids scripts. Args: none.
	ScriptsDisabled Code = "HS-1404"
	// GrantRoleMissing: who signed in to grant lacks the role for it. Args: upn
	// (may be empty), step, role.
	GrantRoleMissing Code = "HS-1405"
	// GrantRefused: Graph refused a step of granting for another reason. Args:
	// step, status, code, answer.
	GrantRefused Code = "HS-1406"
	// GrantNotSeen: a step was taken and is not seen after five minutes. Args:
	// step.
	GrantNotSeen Code = "HS-1407"
	// CertificateTooLong: a policy of the tenant caps how long a certificate may
	// hold. Args: ends, answer.
	CertificateTooLong Code = "HS-1408"
	// CertificateForbidden: a policy of the tenant allows no certificates of this
	// kind. Args: answer.
	CertificateForbidden Code = "HS-1409"
	// ApplicationIDWrong: what was given is no application ID. Args: given.
	ApplicationIDWrong Code = "HS-1410"
	// KeyPairMissing: there is no key pair of the dedicated application yet.
	// Args: connection.
	KeyPairMissing Code = "HS-1411"
	// KeyPairUnreadable: the sealed row is not what hacsync keeps there. Args: why.
	KeyPairUnreadable Code = "HS-1412"
	// CertificateEnded: the certificate ended before it was renewed. Args: ended.
	CertificateEnded Code = "HS-1413"
	// ApplicationObjectUnknown: the application's object ID is not known, and no
	// proof can be made without it. Args: application.
	ApplicationObjectUnknown Code = "HS-1414"
	// OldCertificateStays: the new certificate is in use, and the old one could
	// not be taken away. Args: thumbprint, ends.
	OldCertificateStays Code = "HS-1415"
	// ProofRefused: Graph did not take the proof of possession. Args: answer.
	ProofRefused Code = "HS-1416"
	// PermissionUnknown: the Graph of this cloud has no such permission. Args:
	// permission.
	PermissionUnknown Code = "HS-1417"
	// ProviderRenews: the application belongs to another organisation, which
	// renews its certificate. Args: application.
	ProviderRenews Code = "HS-1418"
	// ApplicationNotKnown: it is not known yet which application it is. Args: none.
	ApplicationNotKnown Code = "HS-1419"
	// NothingToMove: apart from people, a domain holds nothing that the script
	// could move. Args: domain.
	NothingToMove Code = "HS-1420"
	// InitialUnknown: the tenant's first domain is not known. Args: none.
	InitialUnknown Code = "HS-1421"
)

var grantClasses = map[Code]Class{
	GrantMissing:             Mend,
	GrantNotAllowed:          Mend,
	ModuleMissing:            Mend,
	ScriptsDisabled:          Mend,
	GrantRoleMissing:         Mend,
	GrantRefused:             Mend,
	GrantNotSeen:             Retry,
	CertificateTooLong:       Mend,
	CertificateForbidden:     Mend,
	ApplicationIDWrong:       Mend,
	KeyPairMissing:           Mend,
	KeyPairUnreadable:        Mend,
	CertificateEnded:         Mend,
	ApplicationObjectUnknown: Mend,
	OldCertificateStays:      Mend,
	ProofRefused:             Mend,
	PermissionUnknown:        Mend,
	ProviderRenews:           Mend,
	ApplicationNotKnown:      Mend,
	NothingToMove:            Mend,
	InitialUnknown:           Mend,
}
