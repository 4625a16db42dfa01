package periodic

import (
	"hash/fnv"
	"time"
)

// phase returns a domain's offset within its interval: the same on every machine,
// and spread over jitter. Domains of a tenant are close together, so that one read
// of the tenant can serve them.
func phase(tenant, domain string, jitter time.Duration) time.Duration {
	if jitter <= 0 {
		return 0
	}
	near := jitter / 8
	return share(tenant, jitter-near) + share(tenant+"/"+domain, near)
}

// share returns a part of d, always the same for a name.
func share(name string, d time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	if s := int64(d / time.Second); s > 0 {
		// The low bits of FNV-1a of short names are even enough; the high ones
		// are not.
		return time.Duration(h.Sum64()%uint64(s)) * time.Second //nolint:gosec // s is positive
	}
	return 0
}

// next returns the first beginning of an interval after t. Intervals of an hour
// begin at the full hour, and each domain at its phase after that.
func next(t time.Time, every, phase time.Duration) time.Time {
	since := t.UnixNano() - int64(phase)
	n := since / int64(every)
	if since < 0 && since%int64(every) != 0 {
		n--
	}
	return time.Unix(0, (n+1)*int64(every)+int64(phase)).UTC()
}

// missed counts the intervals that began after due and not after now.
func missed(due, now time.Time, every, phase time.Duration) int64 {
	var n int64
	if d := now.Sub(due); d > every {
		n = int64(d/every) - 1 // all of these are before now for certain
	}
	for t := next(due.Add(time.Duration(n)*every), every, phase); !t.After(now); t = next(t, every, phase) {
		n++
	}
	return n
}
