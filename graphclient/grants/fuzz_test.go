package grants_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/problem"
)

// Whatever a sealed row holds, it gives a key or a problem.
func FuzzLoadKey(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"version":1,"tag":"x","current":{"key_id":"1","pem":"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"}}`, `{"version":1,"current":null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		key, err := grants.LoadKey(t.Context(), &memory{text: row})
		if err == nil && (key == nil || key.Key == nil || key.Certificate == nil) {
			t.Error("half a key pair")
		}
		if err != nil && problem.Of(err) == nil {
			t.Errorf("no problem: %v", err)
		}
	})
}

// Whatever is pasted, an application ID is lower-case hex, or refused.
func FuzzAdopt(f *testing.F) {
	f.Add("Done. Application ID 9b0e2f51-2c6d-4f0a-8f3e-6a1d7c400d00, object ID 0c0e2f51-2c6d-4f0a-8f3e-6a1d7c400d99")
	f.Add("\x1b[32m9B0E2F51-2c6d-4f0a-8f3e-6a1d7c400d00")
	f.Fuzz(func(t *testing.T, pasted string) {
		d := grants.NewDedicated(grants.DedicatedOptions{Connection: consent.Connection{Name: "x"}})
		err := d.Adopt(t.Context(), pasted)
		a := d.Application()
		if err == nil && (len(a.ID) != 36 || strings.Trim(a.ID+a.Object, "0123456789abcdef-") != "") || err != nil && a.ID != "" {
			t.Errorf("%q gives %+v, %v", pasted, a, err)
		}
	})
}

// Whatever the accounts are called, a name never becomes a line of the script.
func FuzzMoveScript(f *testing.F) {
	f.Add("info@midori.example", "midori")
	f.Add("o'brien\r\n}; exit@x", "緑\n'")
	f.Fuzz(func(t *testing.T, upn, name string) {
		c := consent.Connection{Name: name, Initial: "midorisample.onmicrosoft.com"}
		lines := func(upn string) []string {
			var b bytes.Buffer
			if err := grants.MoveScript(&b, c, &destination.Precheck{Shared: []string{upn}}); err != nil {
				if !problem.Has(err, problem.NothingToMove) {
					t.Fatal(err)
				}
				return nil
			}
			return strings.Split(b.String(), "\r\n")
		}
		got, plain := lines(upn), lines("a@b")
		if got == nil {
			return
		}
		if len(got) != len(plain) {
			t.Fatalf("%d lines instead of %d", len(got), len(plain))
		}
		code, want := withoutStringsAndComments(t, got), withoutStringsAndComments(t, plain)
		if code != want {
			t.Errorf("%q became code", upn)
		}
	})
}
