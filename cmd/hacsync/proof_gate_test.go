package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/hacsync/hacsync/sync/loopback"
)

// requests is the gate in the simulator. A point is a request to Graph, or a write
// inside a batch; at one of them it waits, before the effect or after. Once it is
// cut, nothing more of that process gets through: it is dead, and what it had sent
// is lost, the rest of its batch too.
type requests struct {
	mu            sync.Mutex
	before, after []string // names of the points passed
	at            int      // number of the point, from 1; 0 none
	behind        bool
	reached, open chan struct{}
	cut           bool
	made          map[string]int // accounts made by POST, by body
}

func newRequests(at int, behind bool) *requests {
	return &requests{at: at, behind: behind, reached: make(chan struct{}), open: make(chan struct{}), made: map[string]int{}}
}

// point names an exchange that counts, or is empty.
func point(e loopback.Exchange) string {
	if e.Service != "graph" || e.Item != "" && e.Method == http.MethodGet {
		return ""
	}
	if e.Item != "" {
		return "item " + e.Method
	}
	return e.Method
}

// Before counts an exchange before its effect; see loopback.Fault.
func (r *requests) Before(_ context.Context, e loopback.Exchange) *loopback.Answer {
	name := point(e)
	r.mu.Lock()
	if r.cut {
		r.mu.Unlock()
		return &loopback.Answer{Cut: true}
	}
	mine := false
	if name != "" {
		r.before = append(r.before, name)
		mine = !r.behind && len(r.before) == r.at
	}
	r.mu.Unlock()
	if mine {
		return r.wait()
	}
	return nil
}

// After counts an exchange after its effect; see loopback.Fault.
func (r *requests) After(_ context.Context, e loopback.Exchange, _ *loopback.Answer) *loopback.Answer {
	name := point(e)
	if name == "" {
		return nil
	}
	r.mu.Lock()
	r.after = append(r.after, name)
	mine := r.behind && len(r.after) == r.at
	r.mu.Unlock()
	if mine {
		return r.wait()
	}
	return nil
}

func (r *requests) wait() *loopback.Answer {
	close(r.reached)
	<-r.open
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		return &loopback.Answer{Cut: true}
	}
	return nil
}

// swap is a Fault whose gate changes with the process.
type swap struct {
	mu  sync.Mutex
	now *requests
}

func (s *swap) set(r *requests) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = r
}

func (s *swap) gate() *requests {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *swap) Before(ctx context.Context, e loopback.Exchange) *loopback.Answer {
	return s.gate().Before(ctx, e)
}

func (s *swap) After(ctx context.Context, e loopback.Exchange, a *loopback.Answer) *loopback.Answer {
	return s.gate().After(ctx, e, a)
}
