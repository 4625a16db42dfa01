package signin

import (
	"net/url"
	"testing"
)

// FuzzRedirect looks for queries that make the reader fall, or that are taken
// without the state of the sign-in.
func FuzzRedirect(f *testing.F) {
	const state = "st-1"
	f.Add("code=x&state=st-1&session_state=y")
	f.Add("error=access_denied&error_description=AADSTS65004%3A+no.+Trace+ID%3A+t+Correlation+ID%3A+c+Timestamp%3A+2026&state=st-1")
	f.Add("code=x&code=y&state=st-1")
	f.Add("code=x&state=st-1&state=st-1")
	f.Add("state=st-1&code=%zz")
	f.Fuzz(func(t *testing.T, query string) {
		r, ok := parseRedirect(query, state)
		if !ok {
			return
		}
		v, err := url.ParseQuery(query)
		if err != nil || len(v["state"]) != 1 || v.Get("state") != state {
			t.Errorf("%q was taken", query)
		}
		if (r.refused == nil) == (r.code == "") {
			t.Errorf("%q is neither code nor refusal, or both", query)
		}
		if r.refused != nil {
			d := desk{http: &msalClient{host: "h"}}
			if d.refused(r.refused).Code == "" {
				t.Errorf("%q has no code", query)
			}
		}
	})
}
