package signin

import (
	"slices"
	"strings"
)

// Cloud is one of Microsoft's clouds. Tokens of one are nothing in another.
type Cloud struct {
	Name      string // as consent.Connection has it: public, usgov, usgovdod, china
	Graph     string // https://host of Microsoft Graph
	Authority string // https://host of Entra ID
	// DevicePage is where a code is typed. The answer to a sign-in names it too, and takes
	// precedence.
	DevicePage string
	// OwnClient: Microsoft Graph Command Line Tools is not registered there, so
	// that an application of the organisation's own is needed.
	OwnClient bool

	names []string // hosts that Entra ID has there, Authority's among them
}

// Clouds are all of them, the usual one first.
//
// Sources: "Microsoft Graph national cloud deployments" for the hosts of Graph,
// with GCC in the public cloud, GCC High and DoD apart; "National clouds" of the
// Entra ID documentation for those of Entra ID, where China's is
// login.partner.microsoftonline.cn, and was login.chinacloudapi.cn before: MSAL
// knows both for one. The device pages are those that the endpoints answer with
// (MSAL's tests have the first two, the Azure CLI's documentation the third).
// That China lacks the shared registration is experience, not documentation.
func Clouds() []Cloud {
	return []Cloud{
		{
			Name: "public", Graph: "https://graph.microsoft.com", Authority: "https://login.microsoftonline.com",
			DevicePage: "https://microsoft.com/devicelogin",
			names:      []string{"login.microsoftonline.com", "login.windows.net", "login.microsoft.com"},
		},
		{
			Name: "usgov", Graph: "https://graph.microsoft.us", Authority: "https://login.microsoftonline.us",
			DevicePage: "https://microsoft.com/deviceloginus",
			names:      []string{"login.microsoftonline.us", "login.usgovcloudapi.net"},
		},
		{
			Name: "usgovdod", Graph: "https://dod-graph.microsoft.us", Authority: "https://login.microsoftonline.us",
			DevicePage: "https://microsoft.com/deviceloginus",
			names:      []string{"login.microsoftonline.us", "login.usgovcloudapi.net"},
		},
		{
			Name: "china", Graph: "https://microsoftgraph.chinacloudapi.cn", Authority: "https://login.partner.microsoftonline.cn",
			DevicePage: "https://microsoft.com/deviceloginchina", OwnClient: true,
			names: []string{"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"},
		},
	}
}

// CloudNamed finds a cloud by its name.
func CloudNamed(name string) (Cloud, bool) {
	all := Clouds()
	i := slices.IndexFunc(all, func(c Cloud) bool { return c.Name == name })
	if i < 0 {
		return Cloud{}, false
	}
	return all[i], true
}

// sameCloud reports whether two hosts are Entra ID of one cloud.
func sameCloud(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return slices.ContainsFunc(Clouds(), func(c Cloud) bool {
		return slices.Contains(c.names, a) && slices.Contains(c.names, b)
	})
}
