package simulator

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The published limits of Microsoft Graph's identity and access service, as of
// November 2026 (Microsoft Graph service-specific throttling limits): token
// buckets of resource units and of writes.
const (
	unitPeriod = 10 * time.Second
	unitsSmall = 3500 // below 50 users
	unitsMid   = 5000 // up to 500
	unitsLarge = 8000

	appWrites, appWritePeriod       = 3000, 150 * time.Second // an application in a tenant
	tenantWrites, tenantWritePeriod = 18000, 5 * time.Minute  // all applications of a tenant

	// throttleShown is the share of a limit from which answers show it, and
	// throttleMost the most they show: what is refused counts as well.
	throttleShown, throttleMost = 0.8, 1.8
)

// limits are the buckets of a tenant; nil where nothing is limited.
type limits struct {
	mu     sync.Mutex
	apps   map[string]*appBuckets // by client ID
	writes bucket                 // of the tenant
}

type appBuckets struct{ units, writes bucket }

func newLimits() *limits { return &limits{apps: map[string]*appBuckets{}} }

// bucket fills with what is used and runs out evenly.
type bucket struct {
	used float64
	at   time.Time
}

// use adds a cost and returns the used share of the limit, and, if the limit is passed,
// after how long the same request would be allowed. Refused requests count too: a retry
// that is too early makes it worse.
func (b *bucket) use(now time.Time, cost, limit float64, period time.Duration) (share float64, wait time.Duration) {
	rate := limit / period.Seconds()
	if gone := now.Sub(b.at).Seconds(); gone > 0 {
		b.used = max(0, b.used-gone*rate)
		b.at = now
	}
	fits := b.used+cost <= limit
	b.used = min(b.used+cost, throttleMost*limit)
	if !fits {
		wait = time.Duration((b.used + cost - limit) / rate * float64(time.Second))
	}
	return b.used / limit, wait
}

// usage is what one request uses of the limits.
type usage struct {
	units float64
	write bool
}

// usageOf prices a request. ok is false for what other services answer, whose
// limits are others: mailbox settings are Exchange's.
func usageOf(c *call) (u usage, ok bool) {
	segs, valid := splitPath(c.path)
	if !valid || len(segs) == 0 {
		return usage{}, false
	}
	is := func(i int, name string) bool { return i < len(segs) && strings.EqualFold(segs[i], name) }
	if is(2, "mailboxSettings") || is(0, "me") && is(1, "mailboxSettings") {
		return usage{}, false
	}
	q, _ := url.ParseQuery(c.raw) // what cannot be read is refused later, and costs as without
	selects := q.Has("$select") || q.Has("select")
	switch {
	case is(0, "directoryObjects") && len(segs) == 2: // getByIds, the one POST that reads
		if selects || strings.Contains(string(c.body), `"$select"`) {
			return usage{units: 2}, true
		}
		return usage{units: 5}, true
	case c.method != http.MethodGet:
		return usage{units: 1, write: true}, true
	}
	u.units = 1
	switch {
	case is(0, "users") && len(segs) == 1, is(0, "servicePrincipals") && is(2, "appRoleAssignments"):
		u.units = 2
	case is(0, "domains") && is(2, "domainNameReferences"):
		u.units = 4
	}
	if selects {
		u.units--
	}
	if q.Has("$expand") {
		u.units++
	}
	if top, err := strconv.Atoi(q.Get("$top")); err == nil && top < 20 {
		u.units--
	}
	u.units = max(u.units, 1)
	return u, true
}

// admit counts a request. refused says that it is one too many; header is what
// its answer carries about the limits.
func (l *limits) admit(c *call, users int, tenant string) (refused bool, header http.Header) {
	u, ok := usageOf(c)
	if !ok {
		return false, nil
	}
	units := float64(unitsMid)
	switch {
	case users < 50:
		units = unitsSmall
	case users > 500:
		units = unitsLarge
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	app := l.apps[c.who.app]
	if app == nil {
		app = &appBuckets{}
		l.apps[c.who.app] = app
	}
	var (
		most     float64
		longest  time.Duration
		scope    string
		exceeded string
	)
	count := func(share float64, wait time.Duration, where, what string) {
		most = max(most, share)
		if wait > longest {
			longest, scope, exceeded = wait, where, what
		}
	}
	share, wait := app.units.use(c.now, u.units, units, unitPeriod)
	count(share, wait, "Tenant_Application/ReadWrite", "ResourceUnitLimitExceeded")
	if u.write {
		share, wait = app.writes.use(c.now, 1, appWrites, appWritePeriod)
		count(share, wait, "Tenant_Application/Write", "WriteLimitExceeded")
		share, wait = l.writes.use(c.now, 1, tenantWrites, tenantWritePeriod)
		count(share, wait, "Tenant/Write", "WriteLimitExceeded")
	}
	header = http.Header{"X-Ms-Resource-Unit": {strconv.Itoa(int(u.units))}}
	if most >= throttleShown {
		header.Set("x-ms-throttle-limit-percentage", strconv.FormatFloat(most, 'f', 2, 64))
	}
	if longest <= 0 {
		return false, header
	}
	header.Set("Retry-After", strconv.Itoa(int(math.Ceil(longest.Seconds()))))
	header.Set("x-ms-throttle-scope", scope+"/"+c.who.app+"/"+tenant)
	header.Set("x-ms-throttle-information", exceeded)
	return true, header
}

// throttled is the answer to a refused request: its innerError names the status
// again.
func (c *call) throttled() *answer {
	type inner struct {
		Code      string `json:"code"`
		Date      string `json:"date"`
		RequestID string `json:"request-id"`
		ClientID  string `json:"client-request-id"`
		Status    string `json:"status"`
	}
	var env struct {
		Error struct {
			Code    string `json:"code"`
			Inner   inner  `json:"innerError"`
			Message string `json:"message"`
		} `json:"error"`
	}
	env.Error.Code, env.Error.Message = "TooManyRequests", "Please retry again later."
	env.Error.Inner = inner{"429", c.now.UTC().Format("2006-01-02T15:04:05"), c.reqID, c.cliID, "429"}
	b, _ := json.Marshal(env) // strings can always be encoded
	return (&answer{status: http.StatusTooManyRequests, body: b}).set("Content-Type", "application/json")
}

// limited carries out a request within the limits.
func (s *Server) limited(c *call, carryOut func() *answer) *answer {
	if s.limits == nil {
		return carryOut()
	}
	s.t.mu.RLock()
	users := s.t.users.live
	s.t.mu.RUnlock()
	refused, header := s.limits.admit(c, users, s.t.org.id())
	var a *answer
	if refused {
		a = c.throttled()
	} else {
		a = carryOut()
	}
	for k, v := range header {
		a.set(k, v[0])
	}
	return a
}
