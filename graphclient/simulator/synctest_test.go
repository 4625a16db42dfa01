package simulator

import (
	"testing"
	"testing/synctest"
	"time"
)

// Without listeners a tenant lives in a bubble of its own time: waits cost
// nothing.
func TestRoundTripper_RunsInATimeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := newBench(t, smallTenant, func(o *Options) { o.Latency, o.Lag = time.Minute, 3*time.Minute })
		id := b.do("POST", "/users", newUser("late@contoso.example")).want(t, 201).text("id")
		b.get("/users/"+id).want(t, 200)
		tries := 0
		for len(b.get("/users?$filter="+escape("userPrincipalName eq 'late@contoso.example'")).values()) == 0 {
			if tries++; tries > 10 {
				t.Fatal("never listed")
			}
		}
		if tries != 1 || time.Since(start) != 4*time.Minute {
			t.Errorf("listed after %d tries and %v", tries, time.Since(start))
		}
	})
}
