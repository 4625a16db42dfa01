package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// handClock is a clock that a test moves.
type handClock struct{ now time.Time }

func (c *handClock) Now() time.Time                             { return c.now }
func (c *handClock) Sleep(context.Context, time.Duration) error { return nil }

func limitedBench(t *testing.T) (*bench, *handClock) {
	c := &handClock{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
	return newBench(t, smallTenant, func(o *Options) { o.Limits, o.Clock = "published", c }), c
}

const patched = "aaaaaaaa-0000-4000-8000-000000000007"

// patch is a $batch of n writes; it says how many were let through, and the
// longest Retry-After of the others.
func (b *bench) patch(n int) (through, wait int, last map[string]any) {
	b.Helper()
	var items []string
	for i := range n {
		items = append(items, fmt.Sprintf(`{"id":"%d","method":"PATCH","url":"/users/%s","headers":{"Content-Type":"application/json"},"body":{"surname":"S%d"}}`,
			i, patched, i))
	}
	res := b.do(http.MethodPost, "/$batch", `{"requests":[`+strings.Join(items, ",")+`]}`).want(b, 200)
	var v struct {
		Responses []struct {
			Status  int
			Headers map[string]string
			Body    map[string]any
		}
	}
	if err := json.Unmarshal(res.raw, &v); err != nil {
		b.Fatal(err)
	}
	for _, r := range v.Responses {
		if r.Status == http.StatusNoContent {
			through++
			continue
		}
		s, err := strconv.Atoi(r.Headers["Retry-After"])
		if r.Status != http.StatusTooManyRequests || err != nil || r.Headers["X-Ms-Throttle-Information"] != "WriteLimitExceeded" {
			b.Fatalf("item %+v", r)
		}
		wait, last = max(wait, s), r.Body
	}
	return through, wait, last
}

func TestLimits_LetThroughThreeThousandWritesEachItemOfABatchCounted(t *testing.T) {
	b, clock := limitedBench(t)
	for i := range 150 {
		// The clock does not move, so no bucket empties by itself. Resource units are the
		// smaller limit of writes without a pause, so empty theirs here.
		b.s.limits.mu.Lock()
		for _, a := range b.s.limits.apps {
			a.units = bucket{}
		}
		b.s.limits.mu.Unlock()
		if through, _, _ := b.patch(20); through != 20 {
			t.Fatalf("%d of 20 in batch %d", through, i+1)
		}
	}
	through, wait, body := b.patch(20)
	if through != 0 || wait != 2 { // (20 refused + 1) at 20 a second, rounded up
		t.Errorf("%d let through, wait %d s", through, wait)
	}
	e, _ := body["error"].(map[string]any)
	inner, _ := e["innerError"].(map[string]any)
	if e["code"] != "TooManyRequests" || e["message"] != "Please retry again later." || inner["code"] != "429" || inner["status"] != "429" || inner["request-id"] == "" {
		t.Errorf("body %v", body)
	}
	if through, _, _ := b.patch(1); through != 0 {
		t.Error("a write was let through at once")
	}
	clock.now = clock.now.Add(2 * time.Second)
	if through, _, _ := b.patch(19); through != 19 { // 40 ran out, 21 refused ones counted
		t.Errorf("%d let through after the pause", through)
	}
	clock.now = clock.now.Add(150 * time.Second)
	if through, _, _ := b.patch(20); through != 20 {
		t.Errorf("%d let through after the period", through)
	}
}

func TestLimits_OtherApplicationsHaveTheirOwnAndShareTheTenants(t *testing.T) {
	l, now := newLimits(), time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	refused := func(app string, n int) (where string, all bool) {
		all = true
		for range n {
			c := &call{method: http.MethodPatch, path: "/users/x", who: &caller{app: app}, now: now}
			no, header := l.admit(c, 1000, "tenant")
			where = header.Get("x-ms-throttle-scope")
			all = all && no
		}
		return where, all
	}
	for i := range 6 { // six applications with all their writes are the tenant's limit
		if where, no := refused(fmt.Sprint("app", i), 3000); no || where != "" {
			t.Fatalf("app%d: %s", i, where)
		}
	}
	if where, no := refused("app0", 1); !no || where != "Tenant_Application/Write/app0/tenant" && where != "Tenant/Write/app0/tenant" {
		t.Errorf("first application: %v %s", no, where)
	}
	if where, no := refused("app6", 1); !no || where != "Tenant/Write/app6/tenant" {
		t.Errorf("seventh application: %v %s", no, where)
	}
}

func TestLimits_PriceRequestsAsPublished(t *testing.T) {
	for request, want := range map[string]float64{
		"GET /users":                                  2,
		"GET /users?$select=id":                       1,
		"GET /users?$top=10":                          1,
		"GET /users?$top=999":                         2,
		"GET /users?$select=id&$top=5":                1,
		"GET /users?$expand=manager":                  3,
		"GET /users/x":                                1,
		"GET /users/$count":                           1,
		"GET /servicePrincipals/x/appRoleAssignments": 2,
		"GET /domains/x/domainNameReferences":         4,
		"GET /domains/x/domainNameReferences/microsoft.graph.group?$select=id": 3,
		"POST /directoryObjects/getByIds":                                      5,
		"POST /directoryObjects/getByIds?$select=id":                           2,

		"GET /organization":                        1,
		"POST /users":                              -1,
		"PATCH /users/x":                           -1,
		"DELETE /users/x":                          -1,
		"POST /directory/deletedItems/x/restore":   -1,
		"GET /users/x/mailboxSettings/userPurpose": 0,
	} {
		method, address, _ := strings.Cut(request, " ")
		path, raw, _ := strings.Cut(address, "?")
		u, ok := usageOf(&call{method: method, path: path, raw: raw})
		got := u.units
		if u.write {
			got = -got
		}
		if got != want || ok != (want != 0) {
			t.Errorf("%s: %v, want %v", request, got, want)
		}
	}
}

func TestLimits_ResourceUnitsFollowTheSizeOfTheTenantAndShowFromFourFifths(t *testing.T) {
	for users, limit := range map[int]int{49: 3500, 50: 5000, 500: 5000, 501: 8000} {
		l, now := newLimits(), time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
		read := func() (bool, http.Header) {
			return l.admit(&call{method: http.MethodGet, path: "/users/x", who: &caller{app: "a"}, now: now}, users, "t")
		}
		for i := 1; i <= limit; i++ {
			no, header := read()
			if no || header.Get("x-ms-resource-unit") != "1" {
				t.Fatalf("%d users: request %d: %v", users, i, header)
			}
			if shown := header.Get("x-ms-throttle-limit-percentage") != ""; shown != (float64(i) >= 0.8*float64(limit)) {
				t.Fatalf("%d users: request %d of %d: %v", users, i, limit, header)
			}
		}
		no, header := read()
		if !no || header.Get("x-ms-throttle-information") != "ResourceUnitLimitExceeded" || header.Get("Retry-After") != "1" ||
			header.Get("x-ms-throttle-limit-percentage") != "1.00" || header.Get("x-ms-throttle-scope") != "Tenant_Application/ReadWrite/a/t" {
			t.Errorf("%d users: %v %v", users, no, header)
		}
		for range 3 * limit {
			_, header = read()
		}
		if header.Get("x-ms-throttle-limit-percentage") != "1.80" || header.Get("Retry-After") != "9" {
			t.Errorf("%d users, at the most: %v", users, header)
		}
		now = now.Add(10 * time.Second)
		if no, _ := read(); no {
			t.Errorf("%d users: still refused after 10 s", users)
		}
	}
}

func TestLimits_AnswerARequestThatIsNoItemInTheSameWay(t *testing.T) {
	b, _ := limitedBench(t)
	res := b.get("/users/"+patched).want(t, 200)
	if res.header.Get("x-ms-resource-unit") != "1" || res.header.Get("x-ms-throttle-limit-percentage") != "" {
		t.Errorf("header %v", res.header)
	}
	b.s.limits.mu.Lock()
	for _, a := range b.s.limits.apps {
		a.units.used = 3500
	}
	b.s.limits.mu.Unlock()
	res = b.get("/users/"+patched).want(t, 429)
	if res.header.Get("Retry-After") != "1" || res.header.Get("x-ms-throttle-scope") == "" || res.code() != "TooManyRequests" {
		t.Errorf("header %v, %s", res.header, res.raw)
	}
}
