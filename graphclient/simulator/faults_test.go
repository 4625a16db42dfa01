package simulator

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFaults_MeetRequestsAndItemsButNeverTheTruth(t *testing.T) {
	b := newBench(t, smallTenant, func(o *Options) {
		o.Faults = []string{"item=429:retry-after=7,on=PATCH /users/*,count=1", "503:on=GET /users"}
	})
	b.get("/users").want(t, 503)
	b.get("/users/"+patched).want(t, 200)
	b.do(http.MethodPatch, "/users/"+patched, `{"surname":"alone"}`).want(t, 204)
	through := func() bool {
		res := b.do(http.MethodPost, "/$batch", `{"requests":[{"id":"1","method":"PATCH","url":"/users/`+patched+`","headers":{"Content-Type":"application/json"},"body":{"surname":"in a batch"}}]}`).want(t, 200)
		if !strings.Contains(string(res.raw), `"status":204`) && !strings.Contains(string(res.raw), `"Retry-After":"7"`) {
			t.Errorf("batch %s", res.raw)
		}
		return b.s.User(patched)["surname"] == "in a batch"
	}
	if through() {
		t.Error("a throttled item had its effect")
	}
	if !through() {
		t.Error("the fault fired twice")
	}

	b = newBench(t, smallTenant, func(o *Options) { o.Faults = []string{"500", "500:at=authority"} })
	b.do(http.MethodGet, inProcessGraph+"/simulator/tenant", nil).want(t, 200)
	b.do(http.MethodPost, inProcessAuthority+"/common/oauth2/v2.0/token", "x").want(t, 500)
}

func TestFaults_LeaveOutOrReorderItemsOfABatch(t *testing.T) {
	const two = `{"requests":[{"id":"1","method":"GET","url":"/users/` + patched + `"},{"id":"2","method":"DELETE","url":"/users/` + patched + `"},{"id":"3","method":"GET","url":"/domains"}]}`
	for spec, effect := range map[string]bool{"item=missing:on=DELETE": false, "item=missing-after:on=DELETE": true, "item=reorder": true, "item=504-after:on=DELETE": true, "item=500:on=DELETE": false} {
		b := newBench(t, smallTenant, func(o *Options) { o.Faults = []string{spec} })
		res := b.do(http.MethodPost, "/$batch", two).want(t, 200)
		if gone := b.s.User(patched) == nil; gone != effect {
			t.Errorf("%s: gone %v", spec, gone)
		}
		if missing := !strings.Contains(string(res.raw), `"id":"2"`); missing != strings.HasPrefix(spec, "item=missing") {
			t.Errorf("%s: %s", spec, res.raw)
		}
	}
}

func TestFaults_LagMakesReadsShowWhatWas(t *testing.T) {
	c := &handClock{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
	b := newBench(t, smallTenant, func(o *Options) { o.Faults, o.Clock = []string{"lag=30s"}, c })
	c.now = c.now.Add(time.Hour)
	b.do(http.MethodPatch, "/users/"+patched, `{"surname":"new"}`).want(t, 204)
	if got := b.get("/users/" + patched + "?$select=surname").text("surname"); got == "new" {
		t.Error("a read shows what was just written")
	}
	c.now = c.now.Add(31 * time.Second)
	if got := b.get("/users/" + patched + "?$select=surname").text("surname"); got != "new" {
		t.Errorf("after the lag: %q", got)
	}
}
