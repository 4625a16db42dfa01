package signin

import (
	"sync"

	"github.com/hacsync/hacsync/graphclient/claims"
)

// demand is what Microsoft asked for beyond what a token proves: the claims
// challenge that no refresh answered. The next sign-in of a person carries it.
type demand struct {
	mu     sync.Mutex
	claims string // a JSON object, empty for none
}

// remember keeps the first of the requests that is one.
func (d *demand) remember(requests ...string) {
	for _, r := range requests {
		if r = claims.Request(r); r != "" && r != "{}" {
			d.mu.Lock()
			d.claims = r
			d.mu.Unlock()
			return
		}
	}
}

// now is what is asked for, empty for nothing.
func (d *demand) now() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.claims
}

// met forgets a demand that a sign-in carried; one that came since stays.
func (d *demand) met(carried string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.claims == carried {
		d.claims = ""
	}
}
