package run

import (
	"encoding/json"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/state"
)

// FuzzRow takes rows and problems as a damaged journal might hold them: none of
// them breaks a list read or a plan.
func FuzzRow(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", `{"displayName":"青井 空"}`, `{"displayName":null,"userPrincipalName":"a@b.example"}`,
		`{"displayName":5}`, `[]`, `{"code":"HS-4100","upstream":{"status":429}}`, `{"accountEnabled":"true"`,
	} {
		f.Add([]byte(seed), "patch")
		f.Add([]byte(seed), "delete")
	}
	f.Fuzz(func(t *testing.T, b []byte, verb string) {
		if p := decodeProblem(json.RawMessage(b)); p != nil {
			_ = p.Error()
			_ = problemJSON(p)
		}
		var m state.Image
		_ = json.Unmarshal(b, &m)
		overlay := map[directory.ID]*written{}
		e := state.Entry{Verb: state.Verb(verb), State: state.Seen, Object: directory.Ref{ID: "1", UPN: "a@b.example"}, After: m}
		overlayWith(overlay, &e)
		overlayWith(overlay, &e)
		if rec := overlay["1"]; rec == nil || len(rec.Columns) != len(rec.Values) {
			t.Fatalf("overlay %+v", rec)
		}
		_ = applied([]state.Entry{e, e})
	})
}
