package grants_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/simulator"
)

// written keeps the requests to Graph, with the properties of their bodies.
type written struct {
	to   http.RoundTripper
	sent []string
}

func (s *written) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Path, "/v1.0/") {
		return s.to.RoundTrip(r)
	}
	line := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/v1.0")
	if p := r.Header.Get("Prefer"); p != "" {
		line += " Prefer: " + p
	}
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		var body map[string]json.RawMessage
		if json.Unmarshal(raw, &body) == nil {
			var names []string
			for name, v := range body {
				if string(v) == "null" {
					name += "=null"
				}
				names = append(names, name)
			}
			slices.Sort(names)
			line += " " + strings.Join(names, ",")
		}
	}
	line = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(line, "ID")
	line = regexp.MustCompile(`hacsync-[0-9a-f]{32}`).ReplaceAllString(line, "TAG")
	if !slices.Contains(s.sent, line) {
		s.sent = append(s.sent, line)
	}
	return s.to.RoundTrip(r)
}

// Graph is stricter than the simulator in what it takes: the requests are
// spelled as its documentation has them.
func TestGive_SendsWhatGraphDocuments(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	road := &written{to: w.s.RoundTripper()}
	admin := func(o *grants.DedicatedOptions) { o.UserAdministrator = true }
	d := w.hacsync(road, admin)
	w.give(d)
	if _, err := d.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.hacsync(road, admin).Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET /applications(uniqueName='TAG')?$select=id,appId,displayName,createdDateTime,tags,keyCredentials",
		"PATCH /applications(uniqueName='TAG') Prefer: create-if-missing @odata.type,displayName,signInAudience,tags",
		"GET /applications/ID?$select=keyCredentials",
		"PATCH /applications/ID keyCredentials",
		"GET /servicePrincipals(appId='ID')?$select=id,appId",
		"POST /servicePrincipals @odata.type,appId",
		"GET /servicePrincipals(appId='ID')?$select=id,appRoles",
		"GET /servicePrincipals/ID/appRoleAssignments?$top=999",
		"POST /servicePrincipals/ID/appRoleAssignments @odata.type,appRoleId,principalId,resourceId",
		"GET /roleManagement/directory/roleAssignments?$filter=principalId%20eq%20%27ID%27",
		"POST /roleManagement/directory/roleAssignments directoryScopeId,principalId,roleDefinitionId",
		"POST /applications/ID/addKey keyCredential,passwordCredential=null,proof",
		"POST /applications/ID/removeKey keyId,proof",
	}
	if got := strings.Join(road.sent, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("sent\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
