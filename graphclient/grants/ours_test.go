package grants_test

import (
	"testing"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/simulator"
)

// A user pasted the ID of another application of the tenant. It gets neither hacsync's
// certificate nor the right to write users: hacsync's own application is made in
// addition.
func TestGive_AWrongIDGivesNothingToAnotherApplication(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	if _, err := w.hacsync(nil).Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.hacsync(nil).Adopt(t.Context(), provider); err != nil {
		t.Fatal(err)
	}
	if found, err := w.hacsync(nil).Find(t.Context(), person{upn: w.admin}); err != nil || found {
		t.Fatalf("found: %v, %v", found, err)
	}
	w.give(w.hacsync(nil))
	w.whole()
}

func TestPlay_AWrongIDGivesNothingToAnotherApplication(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{})
	if _, err := w.hacsync(nil).Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.hacsync(nil).Adopt(t.Context(), provider); err != nil {
		t.Fatal(err)
	}
	out, err := w.play(t.TempDir(), w.script())
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := w.hacsync(nil).Adopt(t.Context(), lastLine(out)); err != nil {
		t.Fatal(err)
	}
	w.whole()
}

// An application that an administrator registered by hand, with our certificate,
// is the one that is completed.
func TestGive_AnApplicationMadeByHandIsCompleted(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	first := w.hacsync(nil)
	w.give(first)
	key, err := grants.LoadKey(t.Context(), w.keys)
	if err != nil {
		t.Fatal(err)
	}
	made := *w.c.Application
	// As if it had been made without our tag: a state that has another one.
	w.keys, w.c.Application = &memory{}, nil
	d := w.hacsync(nil)
	if _, err := d.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	tag := d.Application().Tag
	if _, err := grants.TakeKey(t.Context(), w.keys, &certificate.Pair{Key: key.Key, Certificate: key.Certificate}); err != nil {
		t.Fatal(err)
	}
	if err := w.hacsync(nil).Adopt(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	d = w.hacsync(nil)
	w.give(d)
	if app := d.Application(); app.ID != made.ID || app.Object != made.Object || app.Tag != tag || len(w.tenant().Applications) != 2 {
		t.Errorf("application %+v of %+v", app, w.tenant().Applications)
	}
}
