package grants_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/problem"
)

// overtaken lets another process do something when the first request of a kind
// comes by, before or after it.
type overtaken struct {
	to    http.RoundTripper
	at    string
	after bool
	by    func()
}

func (o *overtaken) RoundTrip(r *http.Request) (*http.Response, error) {
	by := o.by
	if !strings.HasSuffix(r.URL.Path, o.at) || by == nil {
		return o.to.RoundTrip(r)
	}
	o.by = nil
	if !o.after {
		by()
		return o.to.RoundTrip(r)
	}
	res, err := o.to.RoundTrip(r)
	by()
	return res, err
}

// Two processes renew at once, at every point of one of them: the stored pair signs in
// all the time, and one of the two gives up.
func TestRenew_TwoProcessesAtOnce(t *testing.T) {
	for _, at := range []string{"/token", "/addKey", "/removeKey"} {
		for _, after := range []bool{false, true} {
			w := ready(t, "", simulator.Options{})
			signsIn := func() {
				t.Helper()
				if _, err := w.hacsync(nil).Verify(t.Context()); err != nil {
					t.Errorf("%s, after %v: the pair at hand does not sign in: %v", at, after, err)
				}
			}
			road := &overtaken{to: w.s.RoundTripper(), at: at, after: after, by: func() {
				if _, err := w.hacsync(nil).Renew(t.Context()); err != nil && !problem.Has(err, problem.SealedContended) {
					t.Errorf("%s, after %v: the second: %v", at, after, err)
				}
				signsIn()
			}}
			kept := func(o *grants.DedicatedOptions) { o.Keys = &watchedRow{w.keys, signsIn} }
			if _, err := w.hacsync(road, kept).Renew(t.Context()); err != nil && problem.Of(err) == nil {
				t.Errorf("%s, after %v: %v", at, after, err)
			}
			signsIn()
			if _, err := w.hacsync(nil).Renew(t.Context()); err != nil {
				t.Errorf("%s, after %v: once more: %v", at, after, err)
			}
			signsIn()
		}
	}
}

// Two processes make the key pair at once: the one that comes later does not take
// the place of what the other may have registered.
func TestPrepare_TwoProcessesAtOnce(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	slow := &slowRow{memory: w.keys}
	first := w.hacsync(nil, func(o *grants.DedicatedOptions) { o.Keys = slow })
	slow.meanwhile = func() {
		if _, err := w.hacsync(nil).Prepare(t.Context()); err != nil {
			t.Error(err)
		}
	}
	_, err := first.Prepare(t.Context())
	has(t, err, problem.SealedContended)
	key, err := grants.LoadKey(t.Context(), w.keys)
	if err != nil || key.Thumbprint() != w.c.Application.Thumbprint {
		t.Errorf("key %v, %v; known as %+v", key, err, w.c.Application)
	}
}

// slowRow lets something happen after it was first read.
type slowRow struct {
	*memory
	meanwhile func()
}

func (s *slowRow) Load(ctx context.Context) ([]byte, error) {
	text, err := s.memory.Load(ctx)
	if do := s.meanwhile; do != nil {
		s.meanwhile = nil
		do()
	}
	return text, err
}

// watchedRow looks at everything that is kept.
type watchedRow struct {
	*memory
	look func()
}

func (r *watchedRow) Store(ctx context.Context, text []byte) error {
	err := r.memory.Store(ctx, text)
	r.look()
	return err
}
