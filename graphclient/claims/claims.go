// Package claims reads the claims of an access token. Graph judges a token, hacsync
// does not: nothing is ever allowed because of what is read here. The claims say who
// signed in, make a message more exact, and protect the account of the token.
package claims

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
)

// PersonalTenant is the tenant of personal Microsoft accounts.
const PersonalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// Claims are those of a token of Entra ID that hacsync looks at. Every one may
// be absent.
type Claims struct {
	Object    string   `json:"oid"`
	Tenant    string   `json:"tid"`
	UPN       string   `json:"upn"`
	Unique    string   `json:"unique_name"`
	Preferred string   `json:"preferred_username"`
	Name      string   `json:"name"`
	Client    string   `json:"appid"`
	App       string   `json:"app_displayname"`
	Kind      string   `json:"idtyp"` // user or app
	Scope     string   `json:"scp"`   // of a person
	AppRoles  []string `json:"roles"` // of an application
	Roles     []string `json:"wids"`  // template IDs of directory roles
	// IDP is the home of an account from elsewhere.
	IDP string `json:"idp"`
	// Guest is acct: 1 for a guest of the tenant, 0 for a member.
	Guest *json.Number `json:"acct"`
}

// Read reads a token or id token without checking its signature; ok is false
// for one that is not a JWT, which Entra ID reserves the right to issue.
func Read(token string) (c Claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Claims{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return Claims{}, false
	}
	return c, true
}

// Person is the object ID of who signed in, empty for an application.
func (c Claims) Person() directory.ID {
	if c.Kind == "app" || c.Kind == "" && c.Scope == "" && len(c.AppRoles) > 0 {
		return ""
	}
	return directory.ID(strings.ToLower(c.Object))
}

// Username is the UPN of who signed in, as far as the token has it.
func (c Claims) Username() string {
	for _, s := range []string{c.UPN, c.Preferred, c.Unique} {
		if s != "" {
			// Accounts from elsewhere are written home#name.
			if _, name, found := strings.Cut(s, "#"); found && !strings.Contains(strings.ToUpper(s), "#EXT#") {
				return name
			}
			return s
		}
	}
	return ""
}

// Principal names who the token belongs to, for people: a UPN, else an
// application's name or ID.
func (c Claims) Principal() string {
	for _, s := range []string{c.Username(), c.App, c.Client, c.Object} {
		if s != "" {
			return s
		}
	}
	return ""
}

// Permissions are the scopes of a person or the app roles of an application.
func (c Claims) Permissions() []string { return append(strings.Fields(c.Scope), c.AppRoles...) }

// MayWriteUsers reports whether the token holds a permission to write users.
func (c Claims) MayWriteUsers() bool {
	return slices.ContainsFunc(c.Permissions(), func(p string) bool {
		return p == "User.ReadWrite.All" || p == "Directory.ReadWrite.All" || p == "Directory.AccessAsUser.All"
	})
}

// IsGuest reports whether the account is a guest of the tenant that issued the
// token.
func (c Claims) IsGuest() bool {
	if c.Guest != nil { // it knows best: a member may come from elsewhere too
		return c.Guest.String() == "1"
	}
	if strings.Contains(strings.ToUpper(c.UPN), "#EXT#") || strings.Contains(strings.ToUpper(c.Unique), "#EXT#") {
		return true
	}
	// idp names another tenant's issuer, or live.com.
	return c.IDP != "" && c.Tenant != "" && !strings.Contains(strings.ToLower(c.IDP), "/"+strings.ToLower(c.Tenant))
}

// IsPersonal reports whether it is a personal Microsoft account.
func (c Claims) IsPersonal() bool {
	return strings.EqualFold(c.Tenant, PersonalTenant) || strings.EqualFold(c.IDP, "live.com")
}

// Covers reports whether permissions include want: itself, or the same with
// writing where want is for reading.
func Covers(permissions []string, want string) bool {
	more := strings.Replace(want, ".Read.", ".ReadWrite.", 1)
	return slices.ContainsFunc(permissions, func(p string) bool {
		return strings.EqualFold(p, want) || strings.EqualFold(p, more)
	})
}
