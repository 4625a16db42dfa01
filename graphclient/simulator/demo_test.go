package simulator

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/clock"
)

func TestDemo_HasTheNumbersOfTheStory(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range s.t.users.order {
		if !r.now.deleted {
			_, d := splitUPN(r.now.obj.text("userPrincipalName"))
			count[d]++
		}
	}
	for domain, want := range map[string]int{
		"midori.example": 4012, "midori-logi.example": 286, "midori-lab.example": 230, "midorisample.onmicrosoft.com": 21,
	} {
		if count[domain] != want {
			t.Errorf("%s has %d accounts, want %d", domain, count[domain], want)
		}
	}
	export, err := DemoExport(s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(export, []byte("\ufeff")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]int{}
	for _, r := range rows[1:] {
		_, d := splitUPN(r[1])
		in[d]++
	}
	if in["midori.example"] != 4020 || in["midori-logi.example"] != 246 || in[""] != 1 {
		t.Errorf("rows by domain %v", in)
	}
	if len(rows[0]) != 21 || !strings.HasPrefix(strings.Join(rows[0], ","), "Username,Email Address,Family Name") {
		t.Errorf("header %q", rows[0])
	}
}

func TestGenerate_IsTheSameForTheSameSeed(t *testing.T) {
	make := func(seed int64) (string, string) {
		s, err := New(Options{Users: 500, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		_, export, err := generate(500, seed, clock.Real())
		if err != nil {
			t.Fatal(err)
		}
		return string(s.Snapshot()), string(export)
	}
	a, x := make(7)
	b, y := make(7)
	c, _ := make(8)
	if a != b || len(x) != len(y) {
		t.Error("equal seeds gave different tenants")
	}
	if a == c {
		t.Error("different seeds gave equal tenants")
	}
}

func TestGenerate_MakesExactlyAsManyAccountsAsAsked(t *testing.T) {
	for _, n := range []int{1, 2, 5, 19, 20, 100, 5000} {
		s, err := New(Options{Users: n, Seed: 1})
		if err != nil {
			t.Fatalf("%d users: %v", n, err)
		}
		if s.t.users.live != n {
			t.Errorf("%d users asked for, %d made", n, s.t.users.live)
		}
		if s.hac == nil {
			t.Errorf("%d users: no export", n)
		}
	}
}

// HENNGE Access Control lets no two users have one Username.
func TestExport_HasEachUsernameOnce(t *testing.T) {
	exports := map[string][]byte{}
	var err error
	if exports["demo"], err = DemoExport(clock.Real().Now()); err != nil {
		t.Fatal(err)
	}
	if _, exports["generated"], err = generate(20_000, 3, clock.Real()); err != nil {
		t.Fatal(err)
	}
	for name, export := range exports {
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(export, []byte("\ufeff")))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, r := range rows {
			if seen[strings.ToLower(r[0])] {
				t.Errorf("%s: the Username %s came twice", name, r[0])
			}
			seen[strings.ToLower(r[0])] = true
		}
	}
}
