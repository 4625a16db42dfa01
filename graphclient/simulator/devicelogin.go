package simulator

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pageHTML is the sign-in page, with its few words.
//
//go:embed devicelogin.html
var pageHTML string

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("devicelogin").Parse(pageHTML))
})

// page is what the template shows.
type page struct {
	Step    string // code, consent, end
	Tenant  string
	Code    string
	Wrong   bool
	App     string
	Scopes  []string
	Action  string
	Fields  map[string]string
	Account string
	Title   string
	Text    string
}

func (i *issuer) show(w http.ResponseWriter, status int, p page) {
	p.Tenant = i.s.t.org.text("displayName")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http://localhost:* http://127.0.0.1:*")
	w.WriteHeader(status)
	if err := pageTemplate().Execute(w, p); err != nil {
		i.s.log.Error("write the sign-in page", "error", err)
	}
}

// devicePage is where a user types the code: GET shows the field, POST code asks for
// consent, POST code and action=approve or decline ends it. account names the user who
// signs in, by UPN; refuse is an AADSTS number of a refusal.
func (i *issuer) devicePage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		i.show(w, http.StatusOK, page{Step: "code", Code: r.URL.Query().Get("otc")})
		return
	}
	if err := r.ParseForm(); err != nil {
		i.show(w, http.StatusBadRequest, page{Step: "code", Wrong: true})
		return
	}
	code := r.PostFormValue("code")
	if code == "" {
		code = r.PostFormValue("otc")
	}
	code = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(code), "-", ""))
	i.mu.Lock()
	d := i.byCode[code]
	usable := d != nil && !d.done && !d.declined && time.Now().Before(d.expires)
	i.mu.Unlock()
	if !usable {
		i.show(w, http.StatusBadRequest, page{Step: "code", Wrong: true, Code: code})
		return
	}
	switch r.PostFormValue("action") {
	case "":
		i.show(w, http.StatusOK, page{
			Step: "consent", App: d.name, Scopes: d.request.graph, Action: "/devicelogin",
			Fields: map[string]string{"code": code}, Account: i.signedInUPN(),
		})
	case "approve":
		oid, e := i.who(r.PostFormValue("account"))
		if e != nil {
			i.show(w, http.StatusBadRequest, page{Step: "end", Title: fmt.Sprintf("AADSTS%d", e.aadsts), Text: e.text})
			return
		}
		i.mu.Lock()
		d.oid, d.refuse = oid, refuseOf(r.PostForm)
		i.mu.Unlock()
		if e = i.mayConnect(oid); e == nil {
			e = i.mayConsent(d.client, oid, d.request)
		}
		if e != nil {
			i.show(w, http.StatusForbidden, page{Step: "end", Title: fmt.Sprintf("AADSTS%d", e.aadsts), Text: e.text})
			return
		}
		i.show(w, http.StatusOK, page{Step: "end", Title: "You have signed in / サインインしました", Text: "You can close this window. / このウィンドウを閉じてください。"})
	default:
		i.mu.Lock()
		d.declined = true
		i.mu.Unlock()
		i.show(w, http.StatusOK, page{Step: "end", Title: "You declined / キャンセルしました", Text: "You can close this window. / このウィンドウを閉じてください。"})
	}
}

// refuseOf is the AADSTS number with which a test wants a sign-in to be refused; no
// real page asks for it.
func refuseOf(form url.Values) int {
	n, err := strconv.Atoi(form.Get("refuse"))
	if err != nil {
		return 0
	}
	return n
}

// askConsent is the page of a sign-in by browser.
func (i *issuer) askConsent(w http.ResponseWriter, r *http.Request, name, client string, q scopeRequest) {
	fields := map[string]string{}
	for k := range r.URL.Query() {
		fields[k] = r.URL.Query().Get(k)
	}
	fields["client_id"] = client
	i.show(w, http.StatusOK, page{
		Step: "consent", App: name, Scopes: q.graph, Action: r.URL.Path, Fields: fields, Account: i.signedInUPN(),
	})
}

func (i *issuer) signedInUPN() string {
	i.s.t.mu.RLock()
	defer i.s.t.mu.RUnlock()
	if r := i.s.t.users.byID[i.s.t.signedIn]; r != nil && r.now.obj != nil {
		return r.now.obj.text("userPrincipalName")
	}
	return ""
}

// SignedIn is the UPN of the account that signs in if no other is named.
func (s *Server) SignedIn() string { return s.tokens.signedInUPN() }

// Approve approves a device code by its user code, as account (by UPN, empty
// for who is signed in); for tests.
func (s *Server) Approve(userCode, account string) error {
	return s.AnswerCode(userCode, Answer{Account: account})
}

// Decline declines a device code; for tests.
func (s *Server) Decline(userCode string) error {
	return s.settle(userCode, func(d *device) { d.declined = true })
}

// Expire lets a device code run out at once; for tests and the demo.
func (s *Server) Expire(userCode string) error {
	return s.settle(userCode, func(d *device) { d.expires = time.Now() })
}

func (s *Server) settle(userCode string, f func(*device)) error {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	d := s.tokens.byCode[userCode]
	if d == nil {
		return fmt.Errorf("there is no code %s", userCode)
	}
	f(d)
	return nil
}

// RefuseSignIns makes every sign-in from now on be refused with an AADSTS
// number, 0 for none; for tests.
func (s *Server) RefuseSignIns(aadsts int) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.t.set.RefuseSignIn = aadsts
}

// Revoke ends every sign-in: refresh tokens and access tokens given so far are
// refused; for tests.
func (s *Server) Revoke() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	clear(s.tokens.refresh)
	for _, k := range s.tokens.seen {
		k.expires = time.Time{}
	}
}
