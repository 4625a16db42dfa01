package simulator

import (
	"strings"
	"time"
)

// young is an application, service principal or permission that was made or
// changed a moment ago. Entra ID makes that known everywhere within some
// minutes; until then readers and sign-ins see what was before.
type young struct {
	at  time.Time
	was *object // nil if there was none
}

// changed remembers what an object was, where reads lag.
func (t *tenant) changed(id string, was *object, now time.Time) {
	if t.lag <= 0 && t.idLag <= 0 {
		return
	}
	if t.young == nil {
		t.young = map[string]young{}
	}
	id = strings.ToLower(id)
	if y, ok := t.young[id]; ok && now.Sub(y.at) < max(t.lag, t.idLag) {
		was = y.was // still what readers see
	}
	t.young[id] = young{now, was}
}

// before is an object as it was d ago: nil if there was none. A nil object stays
// nil.
func (t *tenant) before(o *object, d time.Duration, now time.Time) *object {
	if o == nil || d <= 0 {
		return o
	}
	if y, ok := t.young[strings.ToLower(o.id())]; ok && now.Before(y.at.Add(d)) {
		return y.was
	}
	return o
}

// known is an object as sign-in and other services know it.
func (t *tenant) known(o *object) *object {
	return t.before(o, max(t.lag, t.idLag), t.clock.Now())
}

// listed is a collection as lists show it.
func (t *tenant) listed(of *collection, now time.Time) *collection {
	if t.lag <= 0 || len(t.young) == 0 {
		return of
	}
	out := newCollection()
	for _, o := range of.list {
		if o = t.before(o, t.lag, now); o != nil {
			out.add(o)
		}
	}
	return out
}

// enter adds a new object; rewrite replaces one.
func (t *tenant) enter(c *collection, o *object, now time.Time) {
	t.changed(o.id(), nil, now)
	c.add(o)
}

func (t *tenant) rewrite(o *object, props map[string]string, now time.Time) {
	t.changed(o.id(), o, now)
	t.apps.replace(o.with(props))
}
