package graphclient_test

import (
	"os"
	"testing"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// A challenge of Graph's that no refresh answers is for a person, and the next
// sign-in answers it: MSAL and Graph's own header, from end to end.
func TestRead_AChallengeIsAnsweredByTheNextSignIn(t *testing.T) {
	s, err := simulator.Start(t.Context(), simulator.Options{Dir: t.TempDir(), Approve: "page"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ready := s.Ready()
	ca, err := os.ReadFile(ready.CA)
	if err != nil {
		t.Fatal(err)
	}
	web, err := graphclient.HTTPClient(string(ca))
	if err != nil {
		t.Fatal(err)
	}
	person, err := signin.New(signin.Options{Authority: ready.Authority, Tenant: ready.Tenant, Graph: ready.Graph, HTTP: web})
	if err != nil {
		t.Fatal(err)
	}
	sign := func() {
		t.Helper()
		code, wait, err := person.DeviceCode(t.Context(), consent.ReadScopes())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.AnswerCode(code.UserCode, simulator.Answer{}); err != nil {
			t.Fatal(err)
		}
		if _, err := wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	graph, err := graphclient.New(graphclient.Options{Graph: ready.Graph, HTTP: web, Tokens: person, ReadScopes: consent.ReadScopes()})
	if err != nil {
		t.Fatal(err)
	}
	sign()
	if _, err := graph.Tenant(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Demand(s.SignedIn(), `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`); err != nil {
		t.Fatal(err)
	}
	_, err = graph.Tenant(t.Context())
	if p := problem.Of(err); p == nil || p.Code != problem.ClaimsWanted || p.Class() != problem.Mend {
		t.Fatalf("challenged: %v", err)
	}
	sign()
	if _, err := graph.Tenant(t.Context()); err != nil {
		t.Errorf("after the sign-in that carries the claims: %v", err)
	}
}
