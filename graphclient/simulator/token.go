package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// keyID names the key that signs tokens.
const keyID = "hacsync-simulator"

// issuer is the part of Entra ID that gives and checks tokens. Its times are
// the machine's, not the tenant's, because clients that hold tokens and codes have no
// other clock.
type issuer struct {
	s *Server

	mu        sync.Mutex
	key       *rsa.PrivateKey
	devices   map[string]*device   // by device code
	byCode    map[string]*device   // by user code
	refresh   map[string]*session  // by refresh token
	codes     map[string]*authCode // by authorization code
	consented map[string][]string  // client and user → scopes
	seen      map[string]*issued   // access tokens that were verified before
	demands   map[string]string    // object ID → claims that its tokens have to meet

	visitors sync.Map // object ID → *visitor
}

// session is a sign-in that can be renewed.
type session struct {
	client, oid string
	scopes      []string
	offline     bool
	met         string // the demand that it meets, see Demand
	declared    bool   // its client declares cp1
}

type issued struct {
	who     *caller
	expires time.Time
}

func newIssuer(s *Server) *issuer {
	return &issuer{
		s: s, key: s.opts.Key, devices: map[string]*device{}, byCode: map[string]*device{},
		refresh: map[string]*session{}, codes: map[string]*authCode{}, consented: map[string][]string{},
		seen: map[string]*issued{}, demands: map[string]string{},
	}
}

// signingKey makes the key when it is first needed: that takes longer than all
// the rest of a start.
func (i *issuer) signingKey() (*rsa.PrivateKey, error) {
	if i.key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("make the key that signs tokens: %w", err)
		}
		i.key = key
	}
	return i.key, nil
}

func (i *issuer) tokenLife() time.Duration {
	if i.s.opts.TokenLife > 0 {
		return i.s.opts.TokenLife
	}
	return time.Hour
}

// Mint gives an access token to a user (by UPN or ID) with delegated scopes, as
// if the user had signed in; for tests. client may be empty.
func (s *Server) Mint(user, client string, scopes ...string) (string, error) {
	s.t.mu.RLock()
	r := s.t.users.find(user)
	s.t.mu.RUnlock()
	if r == nil {
		return "", fmt.Errorf("there is no user %s", user)
	}
	if client == "" {
		client = cliToolsAppID
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	return s.tokens.accessToken(client, r.id, scopes)
}

// Consent gives an application delegated permissions for one user (by UPN or
// ID), as an oAuth2PermissionGrant made by an administrator does; for tests and
// the demo. client may be empty.
func (s *Server) Consent(user, client string, scopes ...string) error {
	s.t.mu.RLock()
	r := s.t.users.find(user)
	s.t.mu.RUnlock()
	if r == nil {
		return fmt.Errorf("there is no user %s", user)
	}
	if client == "" {
		client = cliToolsAppID
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	s.tokens.consent(client, r.id, scopeRequest{graph: scopes})
	return nil
}

// MintApp gives an access token to an application with Graph permissions, as if
// it had signed in with its certificate; for tests. Without permissions it gets
// those that it was granted.
func (s *Server) MintApp(client string, roles ...string) (string, error) {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	s.t.mu.RLock()
	sp := s.t.spByClient(client)
	if sp != nil && len(roles) == 0 {
		roles = s.t.rolesOf(sp)
	}
	s.t.mu.RUnlock()
	if sp == nil {
		return "", fmt.Errorf("there is no service principal of application %s", client)
	}
	return s.tokens.appToken(client, sp, roles, nil)
}

// accessToken makes a delegated token of a client that declares nothing. The
// issuer's mutex is held.
func (i *issuer) accessToken(client, oid string, scopes []string) (string, error) {
	return i.delegated(&session{client: client, oid: oid, scopes: scopes})
}

// delegated makes the access token of a sign-in, with the claims Entra ID issues.
// The issuer's mutex is held.
func (i *issuer) delegated(who *session) (string, error) {
	t := i.s.t
	now := time.Now()
	t.mu.RLock()
	claims := i.base(now, who.client, t.clientName(who.client))
	for k, v := range map[string]any{
		"oid": who.oid, "sub": guid("sub", who.client, who.oid), "idtyp": "user", "scp": strings.Join(who.scopes, " "),
		"ipaddr": "127.0.0.1", "amr": []string{"pwd", "mfa"}, "acr": "1",
	} {
		claims[k] = v
	}
	fault := t.describe(claims, who.oid)
	t.mu.RUnlock()
	if v := i.visitor(who.oid); v != nil {
		v.describe(claims)
	} else if fault != nil {
		return "", fault
	}
	who.mark(claims)
	key, err := i.signingKey()
	if err != nil {
		return "", err
	}
	return signJWT(key, keyID, claims)
}

// describe sets the claims that an account of the tenant has of its own.
func (t *tenant) describe(claims map[string]any, oid string) error {
	r := t.users.byID[strings.ToLower(oid)]
	if r == nil || r.now.obj == nil {
		return fmt.Errorf("there is no user %s", oid)
	}
	o := r.now.obj
	wids := t.rolesHeld(oid)
	sort.Strings(wids)
	wids = append(slices.Compact(wids), "b79fbf4d-3ef9-4689-8143-76b194e85509") // every member has this one
	for k, v := range map[string]any{
		"upn": o.text("userPrincipalName"), "unique_name": o.text("userPrincipalName"), "name": o.text("displayName"),
		"family_name": o.text("surname"), "given_name": o.text("givenName"), "wids": wids,
	} {
		claims[k] = v
	}
	if o.text("userType") == "Guest" {
		local, _ := splitUPN(o.text("userPrincipalName"))
		home := strings.TrimSuffix(local, "#EXT#")
		home = home[strings.LastIndexByte(home, '_')+1:]
		claims["idp"] = "https://sts.windows.net/" + guid("tenant", strings.ToLower(home)) + "/"
	}
	return nil
}

// describe sets the claims that an account of another tenant has of its own.
func (v *visitor) describe(claims map[string]any) {
	for k, c := range map[string]any{
		"tid": v.tid, "iss": "https://sts.windows.net/" + v.tid + "/", "upn": v.upn, "unique_name": v.upn, "name": v.name,
		"wids": []string{"b79fbf4d-3ef9-4689-8143-76b194e85509"},
	} {
		claims[k] = c
	}
	if v.idp != "" {
		claims["idp"], claims["unique_name"] = v.idp, v.idp+"#"+v.upn
		delete(claims, "upn")
	}
}

// mark puts into a token what Graph has to know of its sign-in.
func (who *session) mark(claims map[string]any) {
	if who.declared {
		claims["xms_cc"] = []string{"cp1"}
	}
	if who.met != "" {
		claims["simulator_met"] = who.met // Entra ID writes the claims themselves
	}
}

// appToken makes the token of an application; who may be nil. The issuer's mutex
// is held.
func (i *issuer) appToken(client string, sp *object, roles []string, who *session) (string, error) {
	t := i.s.t
	t.mu.RLock()
	wids := t.rolesHeld(sp.id())
	t.mu.RUnlock()
	if wids == nil {
		wids = []string{}
	}
	now := time.Now()
	claims := i.base(now, client, sp.text("displayName"))
	for k, v := range map[string]any{
		"oid": sp.id(), "sub": sp.id(), "idtyp": "app", "roles": roles, "wids": wids, "appidacr": "2",
	} {
		claims[k] = v
	}
	if who != nil {
		who.mark(claims)
	}
	key, err := i.signingKey()
	if err != nil {
		return "", err
	}
	return signJWT(key, keyID, claims)
}

func (i *issuer) base(now time.Time, client, app string) map[string]any {
	tid := i.s.t.org.id()
	return map[string]any{
		"aud": graphAppID, "iss": "https://sts.windows.net/" + tid + "/", "tid": tid, "ver": "1.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(i.tokenLife()).Unix(),
		"appid": client, "app_displayname": app, "uti": newGUID()[:22],
	}
}

// clientName is the display name of an application, empty if it is unknown.
func (t *tenant) clientName(client string) string {
	if sp := t.spByClient(client); sp != nil {
		return sp.text("displayName")
	}
	if app := t.appByClient(client); app != nil {
		return app.text("displayName")
	}
	for _, c := range sharedClients() {
		if strings.EqualFold(c.id, client) {
			return c.name
		}
	}
	return ""
}

// verify checks the Authorization header of a Graph request.
func (i *issuer) verify(header string) (*caller, *graphError) {
	kind, token, _ := strings.Cut(strings.TrimSpace(header), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(kind, "bearer") || token == "" {
		return nil, unauthorized("Access token is empty.")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	known := i.seen[token]
	if known == nil {
		who, expires, err := i.read(token)
		if err != nil {
			return nil, err
		}
		known = &issued{who, expires}
		if len(i.seen) > 1000 {
			clear(i.seen)
		}
		i.seen[token] = known
	}
	if !time.Now().Before(known.expires) {
		return nil, unauthorized("Lifetime validation failed, the token is expired.")
	}
	if fault := i.challenge(known.who); fault != nil {
		return nil, fault
	}
	return known.who, nil
}

// read verifies a token and says who it is for.
func (i *issuer) read(token string) (*caller, time.Time, *graphError) {
	_, claims, err := readJWT(token)
	if err != nil {
		return nil, time.Time{}, unauthorized("IDX14100: JWT is not well formed, there are no dots (.).")
	}
	if i.key == nil || !signedBy(token, &i.key.PublicKey, "RS256") {
		return nil, time.Time{}, unauthorized("Access token validation failure. Invalid signature.")
	}
	if claims["aud"] != graphAppID {
		return nil, time.Time{}, unauthorized("Access token validation failure. Invalid audience.")
	}
	exp, _ := claims["exp"].(float64)
	w := &caller{}
	w.app, _ = claims["appid"].(string)
	w.oid, _ = claims["oid"].(string)
	w.isApp = claims["idtyp"] == "app"
	w.met, _ = claims["simulator_met"].(string)
	w.declared = claims["xms_cc"] != nil
	if scp, has := claims["scp"].(string); has {
		w.scopes = strings.Fields(scp)
	}
	if roles, has := claims["roles"].([]any); has {
		for _, r := range roles {
			if name, is := r.(string); is {
				w.roles = append(w.roles, name)
			}
		}
	}
	return w, time.Unix(int64(exp), 0), nil
}
