package simulator

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Demand asks for claims of an account (a user by UPN or ID, or an application by
// its client ID) from now on, as a Conditional Access policy does: Graph answers
// a claims challenge to their tokens, a refresh is refused with it, and a sign-in
// that carries the claims is let in. Tokens of a client that does not declare
// cp1 stay good until their end, as everywhere. Empty claims end the demand.
func (s *Server) Demand(who, claims string) error {
	s.t.mu.RLock()
	oid := ""
	if r := s.t.users.find(who); r != nil {
		oid = r.id
	} else if sp := s.t.spByClient(who); sp != nil {
		oid = sp.id()
	}
	s.t.mu.RUnlock()
	if oid == "" {
		return fmt.Errorf("there is neither user nor application %s", who)
	}
	if claims != "" && accessClaims(claims) == nil {
		return errors.New(`claims are JSON such as {"access_token":{"acrs":{"essential":true,"value":"c1"}}}`)
	}
	i := s.tokens
	i.mu.Lock()
	defer i.mu.Unlock()
	if claims == "" {
		delete(i.demands, oid)
		return nil
	}
	i.demands[oid] = claims
	return nil
}

// serveDemand is POST /simulator/claims?user=UPN with the claims as body, empty
// to end the demand.
func (s *Server) serveDemand(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err == nil {
		err = s.Demand(r.URL.Query().Get("user"), strings.TrimSpace(string(body)))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// accessClaims are those that a claims request asks for in the access token, nil
// if it is none.
func accessClaims(request string) map[string]any {
	var v struct {
		AccessToken map[string]any `json:"access_token"`
	}
	if json.Unmarshal([]byte(request), &v) != nil {
		return nil
	}
	return v.AccessToken
}

// declares reports whether a client says that it understands a claims challenge:
// xms_cc with cp1.
func declares(request string) bool {
	cc, _ := accessClaims(request)["xms_cc"].(map[string]any)
	values, _ := cc["values"].([]any)
	return slices.ContainsFunc(values, func(v any) bool {
		s, _ := v.(string)
		return strings.EqualFold(s, "cp1")
	})
}

// met is what of the demand on an account the requests of a sign-in meet: all of
// it or nothing. The issuer's mutex is held.
func (i *issuer) met(oid string, requests ...string) string {
	demand := i.demands[oid]
	for _, r := range requests {
		have := accessClaims(r)
		if demand == "" || have == nil {
			continue
		}
		all := true
		for k, v := range accessClaims(demand) {
			all = all && reflect.DeepEqual(have[k], v)
		}
		if all {
			return demand
		}
	}
	return ""
}

// session is a sign-in of an account with the claims that its requests carried.
// The issuer's mutex is held.
func (i *issuer) session(client, oid string, scopes []string, requests ...string) *session {
	return &session{
		client: client, oid: oid, scopes: scopes, met: i.met(oid, requests...),
		declared: slices.ContainsFunc(requests, declares),
	}
}

// unmet is the refusal of a refresh whose session does not meet the demand, nil
// if it does. The issuer's mutex is held.
func (i *issuer) unmet(s *session) *oauthError {
	demand := i.demands[s.oid]
	if demand == "" || s.met == demand {
		return nil
	}
	e := refusal(50076)
	e.suberror, e.claims = "basic_action", demand
	return e
}

// challenge is Graph's answer to a token that does not meet the demand, nil if it
// does. The issuer's mutex is held.
func (i *issuer) challenge(w *caller) *graphError {
	demand := i.demands[w.oid]
	if demand == "" || w.met == demand || !w.declared {
		return nil
	}
	e := fail(http.StatusUnauthorized, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: AuthenticationContextRequired")
	e.header = http.Header{"Www-Authenticate": {
		`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="` + graphAppID +
			`", error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(demand)) + `"`,
	}}
	return e
}
