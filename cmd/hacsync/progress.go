package main

import (
	"io"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// reporting is how often a phase that goes on is reported.
const reporting = 2 * time.Second

// lines is a progress sink that writes a line when a phase ends, every few
// seconds while it goes on, and one for every row that failed.
type lines struct {
	mu    sync.Mutex
	out   io.Writer
	words *message.Printer
	now   func() time.Time
	begun map[progress.Phase]time.Time
	told  map[progress.Phase]time.Time
	ended map[progress.Phase]bool
}

func newLines(out io.Writer, words *message.Printer) *lines {
	return &lines{
		out: out, words: words, now: time.Now,
		begun: map[progress.Phase]time.Time{},
		told:  map[progress.Phase]time.Time{},
		ended: map[progress.Phase]bool{},
	}
}

// Report writes a line for an event that needs one.
func (l *lines) Report(e progress.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Pause > 0 {
		l.line(l.words.Text("progress.pause."+string(e.Why), problem.Args{
			"duration": l.words.Duration(e.Pause), "who": l.words.Text("progress.side."+e.Phase.Side(), nil),
		}))
	}
	if e.Row != nil && e.Row.Err != nil {
		l.line(l.words.Text("cmd.progress.row", problem.Args{
			"no": l.words.Int(e.Row.No), "upn": e.Row.UPN, "why": l.words.Problem(e.Row.Err).Short,
		}))
	}
	if e.Phase == "" || l.ended[e.Phase] {
		return
	}
	now := l.now()
	if l.begun[e.Phase].IsZero() {
		l.begun[e.Phase], l.told[e.Phase] = now, now
	}
	switch {
	case e.Ended:
		l.ended[e.Phase] = true
		l.line(l.sentence(e, "cmd.progress.ended", now))
	case now.Sub(l.told[e.Phase]) >= reporting && e.Done > 0:
		l.told[e.Phase] = now
		id := "cmd.progress.going"
		if e.Total > 0 {
			id = "cmd.progress.going_of"
		}
		l.line(l.sentence(e, id, now))
	}
}

func (l *lines) sentence(e progress.Event, id string, now time.Time) string {
	spent := now.Sub(l.begun[e.Phase])
	args := problem.Args{
		"phase": l.words.Text("progress."+string(e.Phase), nil),
		"done":  l.words.Int(e.Done), "total": l.words.Int(e.Total),
		"duration": l.words.Duration(spent),
	}
	if e.Ended && e.Done == 0 {
		id += "_nothing"
	}
	if e.Phase == progress.Write && !e.Ended && e.Total > e.Done && e.Done > 0 {
		left := time.Duration(float64(spent) / float64(e.Done) * float64(e.Total-e.Done))
		args["left"] = l.words.Duration(left)
		id += "_left"
	}
	return l.words.Text(id, args)
}

func (l *lines) line(s string) { _, _ = io.WriteString(l.out, s+"\n") }
