package grants_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/problem"
)

func TestRenew_TakesANewCertificateIntoUseAndTheOldOneAway(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	old := w.c.Application.Thumbprint
	app, err := w.hacsync(nil).Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if app.Thumbprint == old || w.c.Application.Thumbprint != app.Thumbprint || !w.c.Acts() {
		t.Errorf("application = %+v", app)
	}
	w.whole()
	key, err := grants.LoadKey(t.Context(), w.keys)
	if err != nil || key.Thumbprint() != app.Thumbprint {
		t.Errorf("key %v, %v", key, err)
	}
	if n := strings.Count(string(w.keys.text), "PRIVATE KEY-----"); n != 2 {
		t.Errorf("%d lines of keys are kept, want one key", n)
	}
}

func TestRenew_KilledAtAnyRequestAndStartedAgain(t *testing.T) {
	for step, after := range map[int]bool{1: true, 3: false} {
		for n := 0; ; n += step {
			w := ready(t, "", simulator.Options{})
			first := w.c.Application.Thumbprint
			killed := w.killedAt(n, after, func(ctx context.Context, d *grants.Dedicated) error {
				_, err := d.Renew(ctx)
				return err
			})
			// The pair at hand signs in at every moment.
			if _, err := w.hacsync(nil).Verify(t.Context()); err != nil {
				t.Fatalf("killed at request %d: %v", n, err)
			}
			app, err := w.hacsync(nil).Renew(t.Context())
			if err != nil {
				t.Fatalf("killed at request %d (after %v): %v", n, after, err)
			}
			w.whole()
			if app.Thumbprint == first {
				t.Fatal("not renewed")
			}
			if !killed {
				if n < 4 {
					t.Fatalf("only %d requests", n)
				}
				break
			}
		}
	}
}

func TestRenew_WaitsForTheNewCertificateToBeKnown(t *testing.T) {
	w := ready(t, "", simulator.Options{Lag: 30 * time.Second, ReadLag: 30 * time.Second})
	w.clock.forward(time.Hour)
	if _, err := w.hacsync(nil).Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.whole()
}

func TestRenew_TooLateSaysWhoHelps(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	old := w.c.Application.Thumbprint
	w.clock.forward(366 * 24 * time.Hour)
	_, err := w.hacsync(nil).Renew(t.Context())
	has(t, err, problem.CertificateEnded)
	// An administrator adds the one that is ready; what was there stays.
	d := w.hacsync(nil)
	w.give(d)
	if _, err := d.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := w.tenant().Applications[1].KeyCredentials
	if len(keys) != 2 || keys[0].CustomKeyIdentifier != old || keys[1].CustomKeyIdentifier != w.c.Application.Thumbprint {
		t.Errorf("certificates = %+v", keys)
	}
	if n := len(w.tenant().Applications); n != 2 {
		t.Errorf("%d applications", n)
	}
}

func TestRenew_APolicyCapsTheCertificate(t *testing.T) {
	w := newWorld(t, `{"certificateDays": 90}`, simulator.Options{})
	short := func(o *grants.DedicatedOptions) { o.Life = 60 * 24 * time.Hour }
	d := w.hacsync(nil, short)
	w.give(d)
	if _, err := d.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := w.hacsync(nil).Renew(t.Context())
	has(t, err, problem.CertificateTooLong)
	if _, err := w.hacsync(nil, short).Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.whole()
}

func TestRenew_NeedsTheObjectID(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	w.c.Application.Object = ""
	_, err := w.hacsync(nil).Renew(t.Context())
	has(t, err, problem.ApplicationObjectUnknown)
}

// stubborn does not let a certificate be taken away.
type stubborn struct{ to http.RoundTripper }

func (s stubborn) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/removeKey") {
		r.URL.Path += "NotThere"
	}
	return s.to.RoundTrip(r)
}

func TestRenew_TheOldCertificateStays(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	old := w.c.Application.Thumbprint
	app, err := w.hacsync(stubborn{w.s.RoundTripper()}).Renew(t.Context())
	p := has(t, err, problem.OldCertificateStays)
	if app.Thumbprint == old || w.c.Application.Thumbprint == old || p.Args["thumbprint"] != old {
		t.Errorf("application %+v, args %v", app, p.Args)
	}
	again, err := w.hacsync(nil).Renew(t.Context())
	if err != nil || again.Thumbprint != app.Thumbprint {
		t.Errorf("renewed once more instead: %v, %v", again.Thumbprint, err)
	}
	w.whole()
}

// A renewal that cannot be proven changes nothing.
func TestRenew_WithTheProofOfAnotherKey(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	w.c.Application.Object = w.tenant().Applications[0].ID // another application
	_, err := w.hacsync(nil).Renew(t.Context())
	has(t, err, problem.ProofRefused)
	if w.tenant().Applications[0].KeyCredentials != nil {
		t.Error("a certificate was added to another application")
	}
}
