package signin_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/transport"
)

const (
	tenantID = "5f0c2a8e-1b7d-4e0f-9c55-2d6a8b1f7e10"
	oid      = "0a1b2c3d-0000-4000-8000-000000000001"
	graph    = "https://graph.example"
)

// authority is as much of Entra ID as a sign-in needs.
type authority struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	pending  int            // polls to answer with authorization_pending first
	answers  []reply        // then these, in order; the last repeats
	claims   map[string]any // of the access token, laid over the usual ones
	scope    string         // of the token answer; empty: as asked
	grants   []string       // grant_type of each token request
	scopes   []string       // scope of each token request
	expires  int            // of the device code, in seconds
	date     time.Time      // of the Date header, zero for now
	device   *reply         // answer to devicecode, nil for a code
	refresh  string
	lifetime int // of access tokens, in seconds
}

type reply struct {
	status int
	body   string
	cut    bool // close the connection instead
}

func refused(word string, number int, text string) reply {
	return reply{status: 400, body: fmt.Sprintf(`{"error":%q,"error_description":"AADSTS%d: %s\r\nTrace ID: t","error_codes":[%d],`+
		`"timestamp":"2026-11-25 00:26:11Z","trace_id":"trace-1","correlation_id":"corr-1"}`, word, number, text, number)}
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, expires: 900, lifetime: 3600, refresh: "refresh-1"}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *authority) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.date.IsZero() {
		w.Header().Set("Date", a.date.UTC().Format(http.TimeFormat))
	}
	w.Header().Set("Content-Type", "application/json")
	base := a.URL + "/" + strings.Split(r.URL.Path, "/")[1]
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		fmt.Fprintf(w, `{"issuer":%q,"token_endpoint":%q,"authorization_endpoint":%q,"device_authorization_endpoint":%q}`,
			base+"/v2.0", base+"/oauth2/v2.0/token", base+"/oauth2/v2.0/authorize", base+"/oauth2/v2.0/devicecode")
	case strings.HasSuffix(r.URL.Path, "/devicecode"):
		if a.device != nil {
			w.WriteHeader(a.device.status)
			fmt.Fprint(w, a.device.body)
			return
		}
		fmt.Fprintf(w, `{"device_code":"dc","user_code":"F4K7Q2MPX","verification_uri":"https://login.example/device","expires_in":%d,"interval":5,"message":"To sign in, use a web browser"}`, a.expires)
	case strings.HasSuffix(r.URL.Path, "/token"):
		a.token(w, r)
	default:
		a.t.Errorf("unexpected request %s", r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
	}
}

func (a *authority) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		a.t.Error(err)
	}
	a.grants = append(a.grants, r.Form.Get("grant_type"))
	a.scopes = append(a.scopes, r.Form.Get("scope"))
	if a.pending > 0 {
		a.pending--
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"authorization_pending","error_description":"AADSTS70016: pending"}`)
		return
	}
	if len(a.answers) > 0 {
		next := a.answers[0]
		if len(a.answers) > 1 || next.status == 0 {
			a.answers = a.answers[1:]
		}
		if next.cut {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
			return
		}
		if next.status != 0 {
			w.WriteHeader(next.status)
			fmt.Fprint(w, next.body)
			return
		}
	}
	var asked []string
	for _, s := range strings.Fields(r.Form.Get("scope")) {
		if bare, ok := strings.CutPrefix(s, graph+"/"); ok {
			asked = append(asked, bare)
		}
	}
	c := map[string]any{
		"tid": tenantID, "oid": oid, "upn": "t.mori@midori.example", "name": "Mori T", "appid": "app-1",
		"app_displayname": "Microsoft Graph Command Line Tools", "idtyp": "user", "scp": strings.Join(asked, " "),
		"wids": []string{"62e90394-69f5-4237-9190-012177145e10"},
	}
	for k, v := range a.claims {
		c[k] = v
	}
	scope := a.scope
	if scope == "" {
		scope = strings.Join(asked, " ") + " openid profile" // bare names, as Entra ID does
	}
	info := base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf(`{"uid":%q,"utid":%q}`, oid, c["tid"])))
	out := map[string]any{
		"token_type": "Bearer", "scope": scope, "expires_in": a.lifetime, "access_token": jwt(c), "id_token": jwt(map[string]any{
			"tid": c["tid"], "oid": oid, "preferred_username": c["upn"], "name": c["name"], "sub": "s",
		}),
		"client_info": info,
	}
	if a.refresh != "" {
		out["refresh_token"] = a.refresh
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		a.t.Error(err)
	}
}

func jwt(c map[string]any) string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // a test's own map
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(b) + ".sig"
}

func (a *authority) client(o signin.Options) *signin.Client {
	a.t.Helper()
	o.Authority, o.HTTP = a.URL, a.Client()
	o.HTTP.CheckRedirect = transport.NoRedirects
	if o.Graph == "" {
		o.Graph = graph
	}
	c, err := signin.New(o)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// redirecting sends every device code request to another host.
func redirecting(a *authority, to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/devicecode") {
			http.Redirect(w, r, to+r.URL.Path, http.StatusTemporaryRedirect)
			return
		}
		a.serve(w, r)
	})
}
