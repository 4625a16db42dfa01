package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
)

func testApp(t *testing.T) *app {
	t.Helper()
	a, err := newApp(nil, nil, os.Stdout, os.Stderr, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCheck_SaysWhenACertificateEnds(t *testing.T) {
	a := testApp(t)
	now := time.Now()
	const day = 24 * time.Hour
	for _, c := range []struct {
		left     time.Duration
		verified bool
		state    string
		says     []string
	}{
		{300*day + time.Hour, true, checkOK, []string{"300 days"}},
		{31*day + time.Hour, true, checkOK, []string{"31 days"}},
		{29*day + time.Hour, true, checkWarning, []string{"29 days", "hacsync grant --renew"}},
		{time.Hour, true, checkWarning, []string{"0 days"}},
		{-time.Hour, true, checkMissing, []string{"expired", "hacsync grant --application"}},
		{-time.Hour, false, checkWarning, []string{"expired"}},
	} {
		f := &findings{app: a}
		app := &consent.Application{Name: "hacsync midori", ID: "1", Ends: now.Add(c.left)}
		if c.verified {
			app.Verified = now
		}
		a.checkApplication(consent.Connection{Application: app, Speed: 1}, f)
		waits := len(f.found) == 2 && f.found[0].Name == "application" && strings.Contains(f.found[0].Remedy, "grant --verify")
		if waits == c.verified {
			t.Errorf("%s: %+v", c.left, f.found)
		}
		last := f.found[len(f.found)-1]
		if last.State != c.state {
			t.Errorf("%s: %+v", c.left, last)
		}
		for _, want := range c.says {
			if !strings.Contains(last.What+last.Remedy, want) {
				t.Errorf("%s: no %q in %+v", c.left, want, last)
			}
		}
	}
}

func TestCheck_ListsWhatCannotBeSeenOtherwise(t *testing.T) {
	k := newKeyringCLI(t)
	const none = "unix:path=/nonexistent"
	k.expect(none, 0, nil, "connect", "--identity", "id.txt")
	k.expect(none, 0, []string{"[ok] The clock of this machine agrees", "[ok] User.Read.All: granted"}, "check", "--identity", "id.txt")

	// A certificate that this machine does not trust, as behind a proxy that
	// inspects the traffic.
	other, err := simulator.Start(t.Context(), simulator.Options{Users: 1, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	raw, err := os.ReadFile(k.sim)
	if err != nil {
		t.Fatal(err)
	}
	var r map[string]any
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	r["ca"] = other.Ready().CA
	if raw, err = json.Marshal(r); err != nil {
		t.Fatal(err)
	}
	right := k.sim
	k.sim = filepath.Join(k.dir, "proxy.json")
	if err := os.WriteFile(k.sim, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	k.expect(none, 1, []string{"[x ]", "SSL_CERT_FILE"}, "check", "--identity", "id.txt")
	k.sim = right

	// A row that is gone.
	ctx := t.Context()
	store, err := state.Open(ctx, state.FileURL(filepath.Join(k.dir, "state.db")), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	_, version, err := store.Sealed(ctx, sakura, secret.Tokens)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.RemoveSealed(ctx, sakura, secret.Tokens, version); err != nil {
		t.Fatal(err)
	}
	k.expect(none, 1, []string{"[x ]", "hacsync connect --connection " + sakura}, "check", "--identity", "id.txt")
}

func TestForget_OfWhatPeriodicSyncNeedsIsRefused(t *testing.T) {
	k := newKeyringCLI(t)
	const none = "unix:path=/nonexistent"
	k.expect(none, 0, nil, "connect", "--identity", "id.txt")
	ctx := t.Context()
	store, err := state.Open(ctx, state.FileURL(filepath.Join(k.dir, "state.db")), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	c, err := store.Connection(ctx, sakura)
	if err != nil {
		t.Fatal(err)
	}
	p := state.Periodic{Tenant: c.Tenant, Domain: "sakura.example", Connection: c.Name, State: state.Enabled, Due: time.Now()}
	if _, err := store.SavePeriodic(ctx, p); err != nil {
		t.Fatal(err)
	}
	k.expect(none, 0, []string{"sakura.example (periodic sync)"}, "connections")
	k.expect(none, 1, []string{"HS-5455", "sakura.example", "--yes"}, "connections", "forget", sakura)
	k.expect(none, 0, nil, "connections", "list", "--json")
	k.expect(none, 0, []string{"is gone from this machine", "The identity file"}, "connections", "forget", sakura, "--yes")
}

func TestCheck_ShowsAllThatThePrecheckFound(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		a, err := newApp([]string{"--lang", lang}, nil, os.Stdout, os.Stderr, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		f := &findings{app: a}
		checkObjects(&destination.Precheck{
			Domain: directory.Domain{Name: "x.example"}, Answering: []string{"reception@x.example", "sales@x.example"},
			Notes: []*problem.Problem{problem.New(problem.EligibleUnread, problem.Args{"groups": "3", "permission": "P.Read"})},
		}, f)
		if len(f.found) != 2 {
			t.Fatalf("%s: %+v", lang, f.found)
		}
		who, note := f.found[0], f.found[1]
		if who.Name != "answering" || who.State != checkInfo || !strings.Contains(who.What, "Teams") || !strings.Contains(who.What, "reception@x.example, sales@x.example") {
			t.Errorf("%s: %+v", lang, who)
		}
		if note.Code != problem.EligibleUnread || note.State != checkWarning || !strings.Contains(note.What, "3") || note.Remedy == "" {
			t.Errorf("%s: %+v", lang, note)
		}
	}
}
