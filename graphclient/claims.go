package graphclient

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
)

// claims are what an access token says of itself. A token is Graph's to read,
// not ours: nothing is allowed because of it. It makes a message more exact,
// and protects whoever it belongs to.
type claims struct {
	Object string   `json:"oid"`
	Tenant string   `json:"tid"`
	UPN    string   `json:"upn"`
	Unique string   `json:"unique_name"`
	App    string   `json:"app_displayname"`
	Client string   `json:"appid"`
	Kind   string   `json:"idtyp"`
	Scope  string   `json:"scp"`
	Roles  []string `json:"roles"`
}

// claimsIn reads a token, or gives nothing for one that cannot be read.
func claimsIn(token string) claims {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return claims{}
	}
	return c
}

// person is the object ID of who signed in, empty for an application.
func (c claims) person() directory.ID {
	if c.Kind == "app" {
		return ""
	}
	return directory.ID(strings.ToLower(c.Object))
}

// mayWrite reports whether the token holds a permission to write users.
func (c claims) mayWrite() bool {
	for _, p := range append(strings.Fields(c.Scope), c.Roles...) {
		if slices.Contains([]string{"User.ReadWrite.All", "Directory.ReadWrite.All", "Directory.AccessAsUser.All"}, p) {
			return true
		}
	}
	return false
}

// principal names who the token belongs to, for people.
func (c claims) principal() string {
	for _, s := range []string{c.UPN, c.Unique, c.App, c.Client, c.Object} {
		if s != "" {
			return s
		}
	}
	return ""
}
