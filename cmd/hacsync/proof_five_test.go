package main

import (
	"bytes"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/state"
)

// TestShown_KilledFiveTimesInARow is hacsync itself, from its command line: a
// sync of 2,500 users with more than 1,000 changes is killed, and so are four of
// its resumptions, each at a random moment; the fifth comes to its end.
//
//	go test ./cmd/hacsync -run Shown -proof.five -v [-proof.seed N]
func TestShown_KilledFiveTimesInARow(t *testing.T) {
	if !*proofFive {
		t.Skip("-proof.five")
	}
	draw := proofDraw(t)
	w := newProofWorld(1600, 46)
	p := newProof(t)
	p.latency = 40 * time.Millisecond // most of the time a request is under way
	s := p.scene(t, w, false)
	t.Logf("%d rows, %d changes", len(w.rows), w.changes)
	program, err := exec.LookPath("hacsync") // the test binary, where testscript has put it
	if err != nil {
		t.Fatal(err)
	}
	common := []string{"--state", s.order.State, "--identity", s.order.Identity, "--simulator", s.order.Ready, "--yes", "--summary"}
	sync := append([]string{"sync", proofDomain, "--source", s.order.Source}, common...)
	resume := append([]string{"resume", "--last"}, common...)
	begun := time.Now()
	args := sync
	for n := 1; n <= 5; n++ {
		// From when it begins to write: a random share of what is left.
		cmd := exec.Command(program, args...)
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		rows := len(s.journal())
		grow := 1 + draw.IntN(max((w.changes-rows)/3, 1))
		pause := time.Duration(draw.IntN(40)) * time.Millisecond
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for at := time.Now(); len(s.journal()) < rows+grow && time.Since(at) < time.Minute && len(ended) == 0; {
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(pause)
		_ = cmd.Process.Kill()
		err := <-ended
		sent := 0
		all := s.journal()
		for _, e := range all {
			if e.State == state.Sent {
				sent++
			}
		}
		t.Logf("kill %d after %v: %v; journal %d rows, %d of unknown outcome", n, time.Since(begun).Round(time.Millisecond), err, len(all), sent)
		args = resume
	}
	var out, complaints bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("the last resumption: %v\n%s", err, complaints.String())
	}
	t.Logf("resumed to the end after %v:\n%s", time.Since(begun).Round(time.Millisecond), out.String())
	s.check()
	if err := exec.Command(program, append([]string{"dry-run", proofDomain, "--source", s.order.Source}, common[:6]...)...).Run(); err != nil {
		t.Errorf("a dry run after it: %v", err)
	}
}
