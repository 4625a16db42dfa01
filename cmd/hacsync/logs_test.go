package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// lineBuffer collects output, and can be read while more is written.
type lineBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lineBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lineBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSuffix(b.text.String(), "\n"), "\n")
}

func TestLogs_FollowShowsRunsOfOthersAsTheyBeginAndEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url := state.FileURL(filepath.Join(t.TempDir(), "state.db"))
	other, err := state.Open(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	old := state.Run{Kind: state.DryRun, Tenant: "t", Domain: "a.example", State: state.Done}
	if _, err := other.BeginRun(ctx, old); err != nil {
		t.Fatal(err)
	}

	var out lineBuffer
	a, err := newApp([]string{"--json"}, os.Stdin, &out, &out, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	done := make(chan error, 1)
	go func() { done <- a.follow(ctx, store, state.RunFilter{Tenant: "t"}, "") }()
	await := func(n int) {
		t.Helper()
		for range 100 {
			if got := out.lines(); len(got) >= n && got[0] != "" {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatalf("%d lines did not come: %q", n, out.lines())
	}
	await(1)
	r := state.Run{Kind: state.DryRun, Tenant: "t", Domain: "a.example", Started: time.Now()}
	if r.No, err = other.BeginRun(ctx, r); err != nil {
		t.Fatal(err)
	}
	if _, err := other.BeginRun(ctx, state.Run{Kind: state.Sync, Tenant: "another", Domain: "b.example"}); err != nil {
		t.Fatal(err)
	}
	await(2)
	sum := run.Summary{Held: 3, Problem: problem.New(problem.SourceEmpty, problem.Args{"name": "x"}).Store()}
	r.State, r.Ended = state.Failed, time.Now()
	if r.Summary, err = json.Marshal(sum); err != nil {
		t.Fatal(err)
	}
	if err := other.UpdateRun(ctx, r); err != nil {
		t.Fatal(err)
	}
	await(3)
	time.Sleep(3 * followEvery) // nothing more comes
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ctrl+c is its normal end: %v", err)
	}
	var got []string
	for _, line := range out.lines() {
		var o struct {
			Schema int `json:"schema"`
			Run    struct {
				Run   int    `json:"run"`
				State string `json:"state"`
				Error *struct {
					Code string `json:"code"`
				} `json:"error"`
			} `json:"run"`
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil || o.Schema != 1 {
			t.Fatalf("%q: %v", line, err)
		}
		word := o.Run.State
		if o.Run.Error != nil {
			word += " " + o.Run.Error.Code
		}
		got = append(got, word)
	}
	if want := "done, running, failed " + string(problem.SourceEmpty); strings.Join(got, ", ") != want {
		t.Errorf("followed %q, want %q", got, want)
	}
}
