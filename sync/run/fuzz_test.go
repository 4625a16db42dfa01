package run

import (
	"encoding/json"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/state"
)

// FuzzImage reads images and problems as a damaged journal might hold them. What
// reads is written the same again, and no row of it breaks a list read.
func FuzzImage(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", `{"displayName":"青井 空"}`, `{"displayName":null,"userPrincipalName":"a@b.example"}`,
		`{"displayName":5}`, `[]`, `{"code":"HS-4100","upstream":{"status":429}}`, `{"accountEnabled":"true"`,
	} {
		f.Add([]byte(seed), "patch")
		f.Add([]byte(seed), "delete")
	}
	f.Fuzz(func(t *testing.T, b []byte, verb string) {
		m := decodeImage(b)
		again := decodeImage(m.json())
		if len(again) != len(m) {
			t.Fatalf("%d values, %d after writing them again", len(m), len(again))
		}
		for a := range m {
			was, _ := m.get(a)
			if now, ok := again.get(a); !ok || now != was {
				t.Fatalf("%s: %v, %v after writing it again", a, was, now)
			}
		}
		if p := decodeProblem(json.RawMessage(b)); p != nil {
			_ = p.Error()
			_ = problemJSON(p)
		}
		overlay := map[directory.ID]*directory.Record{}
		e := state.Entry{Verb: verb, Object: directory.Ref{ID: "1", UPN: "a@b.example"}}
		overlayWith(overlay, e, m)
		overlayWith(overlay, e, again)
		if rec := overlay["1"]; rec == nil || len(rec.Columns) != len(rec.Values) {
			t.Fatalf("overlay %+v", rec)
		}
	})
}
