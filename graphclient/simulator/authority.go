package simulator

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oauthError is an error of Entra ID.
type oauthError struct {
	status   int
	code     string // authorization_pending
	aadsts   int
	text     string
	suberror string
	claims   string // a claims request that the next sign-in has to carry
}

func (e *oauthError) Error() string { return e.code + ": " + e.text }

func aad(code string, number int, text string) *oauthError {
	return &oauthError{status: http.StatusBadRequest, code: code, aadsts: number, text: text}
}

// serveAuthority serves Entra ID: /{tenant}/… and /devicelogin.
func (s *Server) serveAuthority(w http.ResponseWriter, r *http.Request) {
	host := "https://" + r.Host
	path := strings.Trim(r.URL.Path, "/")
	w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("Cache-Control", "no-store, no-cache")
	switch path {
	case "devicelogin", "common/oauth2/deviceauth":
		s.tokens.devicePage(w, r)
		return
	case "common/discovery/instance":
		s.writeJSON(w, http.StatusOK, map[string]any{
			"api-version":               "1.1",
			"tenant_discovery_endpoint": host + "/" + s.t.org.id() + "/v2.0/.well-known/openid-configuration",
			"metadata": []any{map[string]any{
				"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host},
			}},
		})
		return
	}
	realm, rest, _ := strings.Cut(path, "/")
	if err := s.knownTenant(realm); err != nil {
		s.log.Debug("authority", "path", r.URL.Path, "error", err.Error())
		s.oauthFail(w, r, err)
		return
	}
	var answer any
	var err *oauthError
	switch r.Method + " " + rest {
	case "GET v2.0/.well-known/openid-configuration", "GET .well-known/openid-configuration":
		answer = s.openIDConfiguration(host, realm)
	case "GET discovery/v2.0/keys", "GET discovery/keys":
		answer, err = s.tokens.keySet()
	case "POST oauth2/v2.0/devicecode":
		answer, err = s.tokens.deviceCode(host, r)
	case "POST oauth2/v2.0/token":
		answer, err = s.tokens.token(host, r)
	case "GET oauth2/v2.0/authorize", "POST oauth2/v2.0/authorize":
		s.tokens.authorize(w, r)
		return
	case "GET oauth2/v2.0/logout":
		answer = map[string]any{}
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	s.log.Debug("authority", "method", r.Method, "path", r.URL.Path, "refused", err != nil)
	if err != nil {
		s.oauthFail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, answer)
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// oauthFail writes an error as Entra ID does, with all that a support case
// asks for.
func (s *Server) oauthFail(w http.ResponseWriter, r *http.Request, e *oauthError) {
	correlation := r.Header.Get("client-request-id")
	if correlation == "" {
		correlation = newGUID()
	}
	trace := newGUID()
	w.Header().Set("x-ms-request-id", trace)
	body := map[string]any{
		"error":             e.code,
		"error_description": s.describe(e, trace, correlation),
		"error_codes":       []int{e.aadsts},
		"timestamp":         s.stamp(),
		"trace_id":          trace,
		"correlation_id":    correlation,
		"error_uri":         errorURI(e),
	}
	if e.suberror != "" {
		body["suberror"] = e.suberror
	}
	if e.claims != "" {
		body["claims"] = e.claims
	}
	s.writeJSON(w, e.status, body)
}

// describe is the text of an error with what a support case asks for.
func (s *Server) describe(e *oauthError, trace, correlation string) string {
	return fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", e.aadsts, e.text, trace, correlation, s.stamp())
}

func (s *Server) stamp() string { return s.clock.Now().UTC().Format("2006-01-02 15:04:05Z") }

func errorURI(e *oauthError) string {
	return "https://login.microsoftonline.com/error?code=" + strconv.Itoa(e.aadsts)
}

// serverError is a fault of our own.
func serverError(err error) *oauthError {
	return &oauthError{status: http.StatusInternalServerError, code: "server_error", aadsts: 90033, text: err.Error()}
}

func (s *Server) knownTenant(realm string) *oauthError {
	switch strings.ToLower(realm) {
	case "common", "organizations", strings.ToLower(s.t.org.id()):
		return nil
	}
	if d := s.t.domain(realm); d != nil && d.flag("isVerified") {
		return nil
	}
	return aad("invalid_request", 90002, "Tenant '"+realm+"' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.")
}

func (s *Server) openIDConfiguration(host, realm string) map[string]any {
	tid := s.t.org.id()
	// A domain of the tenant is answered with its ID.
	base, issuer := host+"/"+tid, host+"/"+tid+"/v2.0"
	if realm == "common" || realm == "organizations" {
		base, issuer = host+"/"+realm, host+"/{tenantid}/v2.0"
	}
	return map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"device_authorization_endpoint":         base + "/oauth2/v2.0/devicecode",
		"end_session_endpoint":                  base + "/oauth2/v2.0/logout",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"response_types_supported":              []string{"code", "id_token", "code id_token"},
		"response_modes_supported":              []string{"query"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"tenant_region_scope":                   "AS",
		"cloud_instance_name":                   strings.TrimPrefix(host, "https://"),
		"msgraph_host":                          strings.TrimPrefix(host, "https://"),
	}
}

// keySet publishes the key that signs tokens.
func (i *issuer) keySet() (any, *oauthError) {
	i.mu.Lock()
	defer i.mu.Unlock()
	key, err := i.signingKey()
	if err != nil {
		return nil, serverError(err)
	}
	return map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "kid": keyID, "alg": "RS256",
		"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
	}}}, nil
}

// scopeRequest is a scope parameter taken apart.
type scopeRequest struct {
	graph   []string
	offline bool
	openid  bool
	byApp   bool     // …/.default
	prefix  string   // of the resource, such as https://graph.microsoft.com/
	others  []string // openid, profile, …/.default as they were asked for
}

// spell writes granted scopes as the request wrote its own: with the resource
// or bare. Clients compare the two by spelling.
func (q scopeRequest) spell(scopes []string) string {
	out := make([]string, 0, len(scopes)+len(q.others))
	for _, sc := range scopes {
		out = append(out, q.prefix+sc)
	}
	return strings.Join(append(out, q.others...), " ")
}

// otherScopes are delegated permissions that are known, without an ID.
var otherScopes = []string{
	"User.ReadBasic.All", "User.ReadWrite", "Group.ReadWrite.All", "GroupMember.ReadWrite.All", "MailboxSettings.ReadWrite",
	"User.EnableDisableAccount.All", "User-PasswordProfile.ReadWrite.All", "User-Mail.ReadWrite.All", "User-Phone.ReadWrite.All",
	"RoleManagement.Read.All", "RoleEligibilitySchedule.Read.Directory", "RoleEligibilitySchedule.ReadWrite.Directory",
	"DelegatedPermissionGrant.ReadWrite.All", "Domain.ReadWrite.All", "Organization.ReadWrite.All", "Mail.Read", "Calendars.Read",
	"Policy.Read.All", "Reports.Read.All", "Device.Read.All", "Sites.Read.All", "Files.Read",
}

func parseScopes(scope string) (scopeRequest, *oauthError) {
	var q scopeRequest
	for _, sc := range strings.Fields(scope) {
		at := strings.LastIndexByte(sc, '/') + 1
		name := sc[at:]
		if q.prefix == "" {
			q.prefix = sc[:at]
		}
		switch strings.ToLower(name) {
		case "openid", "profile", "email":
			q.openid = true
			q.others = append(q.others, sc)
			continue
		case "offline_access":
			q.offline = true
			continue
		case ".default":
			q.byApp = true
			q.others = append(q.others, sc)
			continue
		}
		found := ""
		for _, k := range graphScopes() {
			if strings.EqualFold(k.name, name) {
				found = k.name
			}
		}
		for _, k := range otherScopes {
			if strings.EqualFold(k, name) {
				found = k
			}
		}
		if found == "" {
			return q, aad("invalid_scope", 70011, "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope "+sc+" is not valid.")
		}
		if !slices.Contains(q.graph, found) {
			q.graph = append(q.graph, found)
		}
	}
	return q, nil
}

// client checks that an application may sign in here.
func (i *issuer) client(id string) (string, *oauthError) {
	if id == "" {
		return "", aad("invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.")
	}
	i.s.t.mu.RLock()
	name := i.s.t.clientName(id)
	org := i.s.t.org.text("displayName")
	i.s.t.mu.RUnlock()
	if name == "" {
		return "", aad("unauthorized_client", 700016, "Application with identifier '"+id+"' was not found in the directory '"+org+"'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.")
	}
	return name, nil
}

// consent notes what a user agreed to and gives the scopes of the token: all
// that was ever agreed to for this application, as Entra ID does.
func (i *issuer) consent(client, oid string, q scopeRequest) []string {
	key := strings.ToLower(client) + " " + oid
	have := i.consented[key]
	want := q.graph
	if q.byApp && len(have) == 0 && len(want) == 0 {
		for _, k := range graphScopes() {
			if strings.Contains(k.name, ".") {
				want = append(want, k.name)
			}
		}
	}
	for _, sc := range append([]string{"User.Read"}, want...) {
		if !slices.Contains(have, sc) {
			have = append(have, sc)
		}
	}
	slices.Sort(have)
	i.consented[key] = have
	i.noteGrant(client, oid, have)
	return slices.Clone(have)
}

// adminConsent refuses consent to a user who may not give it: only an administrator
// may accept a permission of Graph, except the one to read oneself. The account that
// is signed in for the tenant may always. The issuer's mutex is held.
func (i *issuer) adminConsent(client, oid string, q scopeRequest) *oauthError {
	t := i.s.t
	t.mu.RLock()
	may := oid == t.signedIn || len(t.rolesHeld(oid)) > 0
	t.mu.RUnlock()
	if may || i.visitor(oid) != nil {
		return nil
	}
	have := i.consented[strings.ToLower(client)+" "+oid]
	for _, sc := range q.graph {
		if !slices.Contains(have, sc) && !slices.Contains([]string{"User.Read", "User.ReadWrite", "User.ReadBasic.All"}, sc) {
			return refusal(90094)
		}
	}
	return nil
}

// mayConsent is adminConsent for a caller that does not hold the issuer's mutex.
func (i *issuer) mayConsent(client, oid string, q scopeRequest) *oauthError {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.adminConsent(client, oid, q)
}

// noteGrant shows a consent as an oAuth2PermissionGrant.
func (i *issuer) noteGrant(client, oid string, scopes []string) {
	if i.visitor(oid) != nil {
		return // consented at home
	}
	t := i.s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	sp := t.spByClient(client)
	if sp == nil {
		return
	}
	o := newObject(t.sch["oAuth2PermissionGrant"], map[string]string{
		"id": quote(guid("grant", client, oid)), "clientId": sp.raw("id"), "consentType": `"Principal"`,
		"principalId": quote(oid), "resourceId": t.spByClient(graphAppID).raw("id"),
		"scope": quote(strings.Join(scopes, " ")),
	})
	if t.consents.get(o.id()) == nil {
		t.consents.add(o)
	} else {
		t.consents.replace(o)
	}
}

// grant is the answer to a successful sign-in. The issuer's mutex is held.
func (i *issuer) grant(host string, who *session, q scopeRequest) (any, *oauthError) {
	access, err := i.delegated(who)
	if err != nil {
		return nil, aad("invalid_grant", 50034, "The user account does not exist in the directory.")
	}
	tid := i.s.t.org.id()
	if v := i.visitor(who.oid); v != nil {
		tid = v.tid
	}
	out := map[string]any{
		"token_type": "Bearer", "scope": q.spell(who.scopes), "expires_in": int(i.tokenLife() / time.Second),
		"ext_expires_in": int(i.tokenLife() / time.Second), "access_token": access,
		"client_info": b64([]byte(`{"uid":` + quote(who.oid) + `,"utid":` + quote(tid) + `}`)),
	}
	if q.offline {
		token := "0.sim." + strings.ReplaceAll(newGUID()+newGUID(), "-", "")
		who.offline = true
		i.refresh[token] = who
		out["refresh_token"] = token
	}
	if q.openid {
		id, err := i.idToken(host, tid, who)
		if err != nil {
			return nil, serverError(err)
		}
		out["id_token"] = id
	}
	return out, nil
}

func (i *issuer) idToken(host, tid string, who *session) (string, error) {
	name, upn, err := i.person(who.oid)
	if err != nil {
		return "", err
	}
	key, err := i.signingKey()
	if err != nil {
		return "", err
	}
	now := time.Now()
	return signJWT(key, keyID, map[string]any{
		"aud": who.client, "iss": host + "/" + tid + "/v2.0", "tid": tid, "ver": "2.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"oid": who.oid, "sub": guid("sub", who.client, who.oid), "name": name, "preferred_username": upn,
	})
}

// person is the name and UPN of the account that signs in, of this tenant or another.
// The issuer's mutex is held.
func (i *issuer) person(oid string) (name, upn string, err error) {
	if v := i.visitor(oid); v != nil {
		return v.name, v.upn, nil
	}
	t := i.s.t
	t.mu.RLock()
	defer t.mu.RUnlock()
	r := t.users.byID[oid]
	if r == nil || r.now.obj == nil {
		return "", "", fmt.Errorf("there is no user %s", oid)
	}
	return r.now.obj.text("displayName"), r.now.obj.text("userPrincipalName"), nil
}

// mayConnect refuses sign-ins that the tenant is set to refuse, and of accounts
// that cannot sign in.
func (i *issuer) mayConnect(oid string) *oauthError {
	t := i.s.t
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.set.RefuseSignIn; n != 0 {
		return refusal(n)
	}
	r := t.users.find(oid)
	if r == nil {
		if i.visitor(oid) != nil {
			return nil
		}
		return refusal(50034)
	}
	if !r.now.obj.flag("accountEnabled") {
		return refusal(50057)
	}
	return nil
}

func formOf(r *http.Request) (url.Values, *oauthError) {
	b, err := readBody(r)
	if err != nil {
		return nil, aad("invalid_request", 900144, err.Error())
	}
	v, err := url.ParseQuery(string(b))
	if err != nil {
		return nil, aad("invalid_request", 900144, "The request body is not a form.")
	}
	return v, nil
}
