package claims_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/hacsync/hacsync/graphclient/claims"
)

const wanted = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`

func TestChallenge_IsFoundInTheHeader(t *testing.T) {
	std, url := base64.StdEncoding.EncodeToString([]byte(wanted)), base64.RawURLEncoding.EncodeToString([]byte(wanted))
	for name, tc := range map[string]struct {
		values []string
		want   string
	}{
		"as Graph sends it": {[]string{`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="x", error="insufficient_claims", claims="` + std + `"`}, wanted},
		"without padding":   {[]string{`Bearer claims="` + url + `", error="insufficient_claims"`}, wanted},
		"behind another":    {[]string{`Negotiate`, `Bearer error="insufficient_claims",Claims="` + std + `"`}, wanted},
		"as it is":          {[]string{`Bearer claims="{\"access_token\":{\"acrs\":{\"essential\":true,\"value\":\"c1\"}}}"`}, wanted},
		"no challenge":      {[]string{`Bearer realm="", error="invalid_token"`}, ""},
		"another word":      {[]string{`Bearer my_claims="` + std + `"`}, ""},
		"no JSON":           {[]string{`Bearer claims="bm9uc2Vuc2U="`}, ""},
		"no end":            {[]string{`Bearer claims="` + std}, ""},
		"nothing":           {nil, ""},
	} {
		if got := claims.Challenge(tc.values); got != tc.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestRequest_TakesOnlyAnObject(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "null": "", "[]": "", `"x"`: "", "{": "", "{}{}": "", " {} ": "{}", "{ \"a\" :\n1 }": `{"a":1}`,
	} {
		if got := claims.Request(text); got != want {
			t.Errorf("%q gives %q", text, got)
		}
	}
}

// FuzzChallenge looks for headers that make the reader fall, or whose challenge
// could not be passed on.
func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer realm="", error="insufficient_claims", claims="e30="`)
	f.Add(`Bearer claims="{\"a\":1}", x="\`)
	f.Add("claims=\"İ\"")
	f.Fuzz(func(t *testing.T, line string) {
		got := claims.Challenge([]string{line})
		if got == "" {
			return
		}
		var object map[string]any
		if err := json.Unmarshal([]byte(got), &object); err != nil || claims.Request(got) != got {
			t.Errorf("%q gives %q: %v", line, got, err)
		}
	})
}

// FuzzRead looks for tokens that make the reader fall.
func FuzzRead(f *testing.F) {
	f.Add("e30.eyJ0aWQiOiJ4Iiwid2lkcyI6WyJhIl0sImFjY3QiOjF9.s")
	f.Add("..")
	f.Add("a.b.c")
	f.Fuzz(func(_ *testing.T, token string) {
		c, _ := claims.Read(token)
		_, _, _, _, _ = c.Person(), c.Username(), c.Principal(), c.IsGuest(), c.IsPersonal()
	})
}
