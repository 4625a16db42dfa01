package problem

// Family 1: sign-in and grants. HS-110n is how a sign-in by code can end,
// HS-12nn what Entra ID answers, HS-130n who signed in and what is kept; HS-14nn,
// grants, are in codes_grants.go. Those of HS-1104 and HS-12nn carry all of number (AADSTS, empty
// without), client, correlation, trace, time, answer, error and tenant, empty
// where the answer did not say; each names those that its words use.
const (
	// NoSavedData: no connection for the tenant. Args: connection.
	NoSavedData Code = "HS-1001"

	// CodeDeclined: the person pressed Cancel at the page. Args: none.
	CodeDeclined Code = "HS-1101"
	// CodeExpired: no user signed in before the code expired. Args: none.
	CodeExpired Code = "HS-1102"
	// CodeUnknown: the authority does not know the code any more. Args: none.
	CodeUnknown Code = "HS-1103"
	// SignInRefused: a refusal without words of its own. Args: error, answer,
	// correlation.
	SignInRefused Code = "HS-1104"
	// SignInBroken: the authority's answer is not understood. Args: host, detail.
	SignInBroken Code = "HS-1105"
	// AuthorityTrouble: the authority answers 5xx. Args: host, status.
	AuthorityTrouble Code = "HS-1106"
	// SignInAgain: no saved sign-in gives this permission without the user. Args:
	// permissions.
	SignInAgain Code = "HS-1107"

	// RedirectWrong: AADSTS50011. Args: client.
	RedirectWrong Code = "HS-1201"
	// DeviceNotFit: AADSTS53000, 53001, 530002, 530003: the device is not
	// managed, compliant or joined. Args: number.
	DeviceNotFit Code = "HS-1202"
	// BlockedByPolicy: AADSTS53003. Args: number, client.
	BlockedByPolicy Code = "HS-1203"
	// FlowBlocked: AADSTS530036: a policy ended a session that began with a
	// code, or blocks sign-in by code. Args: number, client.
	FlowBlocked Code = "HS-1204"
	// AccountNotInTenant: AADSTS50020: an account of another organisation, and no
	// guest here. Args: number.
	AccountNotInTenant Code = "HS-1205"
	// SecondFactor: AADSTS50076, 50079. Args: number.
	SecondFactor Code = "HS-1206"
	// NotAssigned: AADSTS50105: the application wants an assignment. Args:
	// client.
	NotAssigned Code = "HS-1207"
	// WrongPassword: AADSTS50126. Args: none.
	WrongPassword Code = "HS-1208"
	// ExternalChallenge: AADSTS50158. Args: none.
	ExternalChallenge Code = "HS-1209"
	// SessionRevoked: AADSTS50173, 50132, 50133: password changed or sessions
	// revoked. Args: number.
	SessionRevoked Code = "HS-1210"
	// ConsentMissing: AADSTS65001. Args: client.
	ConsentMissing Code = "HS-1211"
	// ConsentDeclined: AADSTS65004. Args: none.
	ConsentDeclined Code = "HS-1212"
	// SignInTooOld: AADSTS70043: a policy limits how long a sign-in lasts. Args:
	// none.
	SignInTooOld Code = "HS-1213"
	// ClientUnknown: AADSTS700016, 700011. Args: number, client.
	ClientUnknown Code = "HS-1214"
	// AssertionTime: AADSTS700024: the clock of this machine is off. Args: none.
	AssertionTime Code = "HS-1215"
	// CertificateUnknown: AADSTS700027. Args: client.
	CertificateUnknown Code = "HS-1216"
	// SignInUnused: AADSTS700082, 70008: saved sign-in unused for too long. Args:
	// number.
	SignInUnused Code = "HS-1217"
	// SecretWrong: AADSTS7000215, 7000222. Args: number, client.
	SecretWrong Code = "HS-1218"
	// PublicFlowOff: AADSTS7000218: public client flow is off. Args: client.
	PublicFlowOff Code = "HS-1219"
	// AdminConsent: AADSTS90094, 90093, 90095. Args: number, client.
	AdminConsent Code = "HS-1220"
	// ClientNotAuthorized: AADSTS90099. Args: client.
	ClientNotAuthorized Code = "HS-1221"
	// TenantUnknown: AADSTS90002. Args: tenant.
	TenantUnknown Code = "HS-1222"
	// AccountUnknown: AADSTS50034: no such account. Args: none.
	AccountUnknown Code = "HS-1223"
	// AccountDisabled: AADSTS50057. Args: none.
	AccountDisabled Code = "HS-1224"
	// CertificateExpired: the certificate of the application has ended, or does
	// not hold yet. Args: client, ended (a date).
	CertificateExpired Code = "HS-1225"
	// ApplicationDisabled: AADSTS7000112, 7000113. Args: client.
	ApplicationDisabled Code = "HS-1226"
	// OtherCloud: AADSTS90038, 90043, 900432, 900382, 900439, 1000104: tenant or
	// application belongs to another of Microsoft's clouds. Args: number, host.
	OtherCloud Code = "HS-1227"
	// TenantRestricted: AADSTS500021, 500022: the network lets people sign in to
	// listed tenants only. Args: number.
	TenantRestricted Code = "HS-1228"
	// AccountLocked: AADSTS50053, 50055, 50144: too many tries, or the password
	// has ended. Args: number.
	AccountLocked Code = "HS-1229"
	// AppNotSetUp: AADSTS500011, 65005, 650052, 650056, 650057: the application's
	// registration does not name the permissions. Args: number, client.
	AppNotSetUp Code = "HS-1230"
	// SignInOther: any other AADSTS number. Args: number, answer, correlation.
	SignInOther Code = "HS-1299"

	// OtherTenant: the person belongs to another tenant than the connection.
	// Args: upn, tenant, expected.
	OtherTenant Code = "HS-1301"
	// GuestSignedIn: the account is a guest of the tenant. Args: upn.
	GuestSignedIn Code = "HS-1302"
	// PersonalAccount: a personal Microsoft account. Args: upn.
	PersonalAccount Code = "HS-1303"
	// ClockOff: the clock of this machine differs from Microsoft's. Args:
	// minutes, direction (ahead, behind).
	ClockOff Code = "HS-1304"
	// SignInNotKept: the sign-in succeeded and could not be saved. Args: why.
	SignInNotKept Code = "HS-1305"
	// SavedDataUnreadable: what was saved is not a sign-in. Args: why.
	SavedDataUnreadable Code = "HS-1306"
	// ScopesShort: the sign-in succeeded with fewer permissions than asked.
	// Args: permissions.
	ScopesShort Code = "HS-1308"
	// CertificateFileUnreadable: the file of a certificate cannot be opened. Args:
	// file, why.
	CertificateFileUnreadable Code = "HS-1309"
	// CertificateFileWrong: it holds no key with its certificate. Args: file, why.
	CertificateFileWrong Code = "HS-1310"
	// CertificateFileEncrypted: its private key is encrypted. Args: file.
	CertificateFileEncrypted Code = "HS-1311"
	// PageExpired: no answer came from the sign-in page in time. Args: none.
	PageExpired Code = "HS-1312"
	// NoLanding: no port of loopback could be opened for the sign-in page to come
	// back to. Args: why.
	NoLanding Code = "HS-1313"
	// PageDeclined: the person pressed Cancel at the sign-in page. Args: none.
	PageDeclined Code = "HS-1314"
	// TrustFileWrong: the file that SSL_CERT_FILE names cannot be read or holds no
	// certificate. Args: file, why.
	TrustFileWrong Code = "HS-1315"
	// ProxyCA: the proxy shows a certificate of its own authority, which is not
	// trusted here. Args: host, proxy, issuer.
	ProxyCA Code = "HS-1316"
	// ProxyAuth: the proxy wants a user name and password. Args: host, proxy.
	ProxyAuth Code = "HS-1317"
	// CertificateFilePFX: the file of a certificate is a PFX, not PEM. Args: file.
	CertificateFilePFX Code = "HS-1318"
)

var signInClasses = map[Code]Class{
	NoSavedData:               Mend,
	CodeDeclined:              Mend,
	CodeExpired:               Mend,
	CodeUnknown:               Mend,
	SignInRefused:             Mend,
	SignInBroken:              Retry,
	AuthorityTrouble:          Retry,
	SignInAgain:               Mend,
	RedirectWrong:             Mend,
	DeviceNotFit:              Mend,
	BlockedByPolicy:           Mend,
	FlowBlocked:               Mend,
	AccountNotInTenant:        Mend,
	SecondFactor:              Mend,
	NotAssigned:               Mend,
	WrongPassword:             Mend,
	ExternalChallenge:         Mend,
	SessionRevoked:            Mend,
	ConsentMissing:            Mend,
	ConsentDeclined:           Mend,
	SignInTooOld:              Mend,
	ClientUnknown:             Mend,
	AssertionTime:             Mend,
	CertificateUnknown:        Mend,
	SignInUnused:              Mend,
	SecretWrong:               Mend,
	PublicFlowOff:             Mend,
	AdminConsent:              Mend,
	ClientNotAuthorized:       Mend,
	TenantUnknown:             Mend,
	AccountUnknown:            Mend,
	AccountDisabled:           Mend,
	CertificateExpired:        Mend,
	ApplicationDisabled:       Mend,
	OtherCloud:                Mend,
	TenantRestricted:          Mend,
	AccountLocked:             Mend,
	AppNotSetUp:               Mend,
	SignInOther:               Mend,
	OtherTenant:               Mend,
	GuestSignedIn:             Mend,
	PersonalAccount:           Mend,
	ClockOff:                  Mend,
	SignInNotKept:             Mend,
	SavedDataUnreadable:       Mend,
	ScopesShort:               Mend,
	CertificateFileUnreadable: Mend,
	CertificateFileWrong:      Mend,
	CertificateFileEncrypted:  Mend,
	PageExpired:               Mend,
	NoLanding:                 Mend,
	PageDeclined:              Mend,
	TrustFileWrong:            Mend,
	ProxyCA:                   Mend,
	ProxyAuth:                 Mend,
	CertificateFilePFX:        Mend,
}
