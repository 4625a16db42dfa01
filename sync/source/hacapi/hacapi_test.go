package hacapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
)

const (
	page1 = `{"items":[{"id":"1","user_name":"taro@midori.example","user_principal_name":"Taro@midori.example",` +
		`"email":"t@other.example","family_name":"山田","given_name":"太郎","display_name":"山田　太郎","status":"enabled",` +
		`"immutable_id":"WEt4r/aDlE3wtGz0UbVoqQ==","otp_emergency_token":"s3cr3t","custom_attributes":{"busho":"営業2課","floor":3}}],` +
		`"cursor":"a b/+&="}`
	page2 = `{"items":[{"id":"2","user_name":"jiro","user_principal_name":"jiro@midori.example","family_name":"",` +
		`"display_name":"次郎","status":"disabled","immutable_id":null,"custom_attributes":{}}],"cursor":"c"}`
	page3 = `{"items":[{"id":"3","user_name":"hdeadmin","email":"admin@other.example","display_name":"管理者"}],"cursor":""}`
)

// server is a HAC API whose answers the test sets.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	tokens int
	calls  []string // cursors asked for
	pages  map[string]string
	// fault answers in place of the server if it says so; n counts the requests
	// of that kind ("token" or "users") from 1.
	fault func(kind string, n int, w http.ResponseWriter) bool
	n     map[string]int
}

func newServer(t *testing.T) *server {
	s := &server{pages: map[string]string{"": page1, "a b/+&=": page2, "c": page3}, n: map[string]int{}}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := "users"
	if r.URL.Path == "/oauth/token" {
		kind = "token"
	}
	s.n[kind]++
	if s.fault != nil && s.fault(kind, s.n[kind], w) {
		return
	}
	if kind == "token" {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte("id:secret"))
		if r.Method != http.MethodPost || r.Header.Get("Authorization") != want || r.PostFormValue("grant_type") != "client_credentials" {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
			return
		}
		s.tokens++
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, s.tokens)
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-%d", s.tokens) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	cursor := r.URL.Query().Get("cursor")
	s.calls = append(s.calls, cursor)
	body, ok := s.pages[cursor]
	if !ok || r.URL.Path != "/20230822/users" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Date", "Wed, 25 Nov 2026 00:33:00 GMT")
	fmt.Fprint(w, body)
}

// still is a clock that does not wait.
type still struct {
	mu    sync.Mutex
	slept []time.Duration
}

func (c *still) Now() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }

func (c *still) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func (s *server) api(change ...func(*Options)) (*API, *still) {
	c := &still{}
	o := Options{Base: s.URL, Client: "id", Secret: secret.NewText("secret"), HTTP: s.Client(), Clock: c}
	for _, f := range change {
		f(&o)
	}
	return New(o), c
}

func (s *server) read(change ...func(*Options)) (*directory.Snapshot, error) {
	a, _ := s.api(change...)
	return a.Read(context.Background(), directory.Standard(), progress.Discard)
}

func TestRead_ReadsAllPages(t *testing.T) {
	s := newServer(t)
	got, err := s.read()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "a b/+&=", "c"}; !slices.Equal(s.calls, want) {
		t.Errorf("cursors %q", s.calls)
	}
	if p := got.Proof(); got.Len() != 3 || !p.Ended || p.Pages != 3 || p.Items != 3 || p.Count != 3 {
		t.Errorf("%d rows, proof %+v", got.Len(), p)
	}
	if !got.About().Read.Equal(time.Date(2026, 11, 25, 0, 33, 0, 0, time.UTC)) {
		t.Errorf("read at %v", got.About().Read)
	}
	for i, want := range []struct {
		upn, id, nickname, display, family, given string
		enabled                                   bool
	}{
		{"Taro@midori.example", "WEt4r/aDlE3wtGz0UbVoqQ==", "taro", "山田　太郎", "山田", "太郎", true},
		{"jiro@midori.example", "", "jiro", "次郎", "", "", false},
		{"", "", "hdeadmin", "管理者", "", "", true}, // email is not its UPN: the API has a better name for it
	} {
		u := got.At(i)
		for a, text := range map[directory.Attribute]string{
			directory.UserPrincipalName: want.upn, directory.ImmutableID: want.id, directory.MailNickname: want.nickname,
			directory.DisplayName: want.display, directory.Surname: want.family, directory.GivenName: want.given,
		} {
			if v, _ := u.Get(a); v != text {
				t.Errorf("user %d: %s is %q, want %q", i, a, v, text)
			}
		}
		if u.Marks().Has(directory.Enabled) != want.enabled || u.Line() != i+1 {
			t.Errorf("user %d: marks %b, line %d", i, u.Marks(), u.Line())
		}
	}
	a, _ := s.api()
	if !a.Renews() || a.Name() != "HAC API" {
		t.Error("name or renewal")
	}
}

func TestRead_LeavesOutWhatTheAPIDoesNotHave(t *testing.T) {
	s := newServer(t)
	s.pages = map[string]string{"": `{"items":[{"username":"a","userPrincipalName":"a@x.example","displayName":"A"}]}`}
	got, err := s.read()
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[directory.Attribute]bool{
		directory.DisplayName: true, directory.MailNickname: true, directory.Surname: false,
		directory.ImmutableID: false, directory.AccountEnabled: false,
	} {
		if got.HasColumn(a) != want {
			t.Errorf("HasColumn(%s) is %t", a, !want)
		}
	}
	if got.At(0).UPN() != "a@x.example" {
		t.Errorf("UPN %q", got.At(0).UPN())
	}
}

func TestRead_MapsCustomAttributes(t *testing.T) {
	s := newServer(t)
	mapped := func(m ...source.Mapping) func(*Options) { return func(o *Options) { o.Mappings = m } }
	got, err := s.read(mapped(source.Mapping{From: "Busho", To: directory.Department}, source.Mapping{From: "floor", To: "officeLocation"}))
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[directory.Attribute]string{directory.Department: "営業2課", "officeLocation": "3"} {
		if v, _ := got.At(0).Get(a); v != want {
			t.Errorf("%s is %q", a, v)
		}
		if v, set := got.At(1).Get(a); set {
			t.Errorf("%s of the second is %q", a, v)
		}
	}
	for from, want := range map[string]problem.Code{"shozoku": problem.MappingColumn, "otp_emergency_token": problem.MappingSecret} {
		if _, err := s.read(mapped(source.Mapping{From: from, To: directory.Department})); !problem.Has(err, want) {
			t.Errorf("%s: %v", from, err)
		}
	}
}

func TestRead_NeverGivesAPartOfTheList(t *testing.T) {
	answer := func(kind string, from, to, status int, body string) func(string, int, http.ResponseWriter) bool {
		return func(k string, n int, w http.ResponseWriter) bool {
			if k != kind || n < from || to > 0 && n > to {
				return false
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return true
		}
	}
	cut := func(_ string, n int, w http.ResponseWriter) bool {
		if n < 2 {
			return false
		}
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, page2[:40])
		panic(http.ErrAbortHandler)
	}
	second := func(body string) func(s *server) { return func(s *server) { s.pages["a b/+&="] = body } }
	fault := func(f func(string, int, http.ResponseWriter) bool) func(*server) {
		return func(s *server) { s.fault = f }
	}
	tests := map[string]struct {
		prepare func(*server)
		want    problem.Code
		page    string
	}{
		"401 in the middle for good":      {fault(answer("users", 2, 0, 401, "")), problem.HACForbidden, "2"},
		"403 in the middle":               {fault(answer("users", 2, 0, 403, "")), problem.HACForbidden, "2"},
		"404 in the middle":               {fault(answer("users", 2, 2, 404, "")), problem.HACNotFound, "2"},
		"400 in the middle":               {fault(answer("users", 3, 3, 400, "")), problem.HACAnswer, "3"},
		"500 for good":                    {fault(answer("users", 2, 0, 500, "")), problem.HACUnavailable, "2"},
		"429 for good":                    {fault(answer("users", 2, 0, 429, "")), problem.HACThrottled, "2"},
		"cut for good":                    {fault(cut), problem.HACUnreachable, "2"},
		"a redirect":                      {fault(answer("users", 2, 2, 302, "")), problem.HACAnswer, "2"},
		"204":                             {fault(answer("users", 2, 2, 204, "")), problem.HACAnswer, "2"},
		"an empty answer":                 {second(""), problem.HACAnswer, "2"},
		"a login page":                    {second("<html>"), problem.HACAnswer, "2"},
		"half a page":                     {second(page2[:len(page2)-1]), problem.HACAnswer, "2"},
		"two pages in one":                {second(page2 + page3), problem.HACAnswer, "2"},
		"no items":                        {second(`{"cursor":""}`), problem.HACAnswer, "2"},
		"items null":                      {second(`{"items":null,"cursor":""}`), problem.HACAnswer, "2"},
		"an error in place of a page":     {second(`{"error":"internal"}`), problem.HACAnswer, "2"},
		"a list in place of a page":       {second(`[]`), problem.HACAnswer, "2"},
		"a user that is null":             {second(`{"items":[null]}`), problem.HACAnswer, "2"},
		"a user that is none":             {second(`{"items":["taro"]}`), problem.HACAnswer, "2"},
		"a cursor that is none":           {second(`{"items":[],"cursor":7}`), problem.HACAnswer, "2"},
		"a name that is none":             {second(`{"items":[{"id":"9","display_name":["x"]}]}`), problem.HACAnswer, "2"},
		"the same cursor":                 {second(strings.Replace(page2, `"c"`, `"a b/+&="`, 1)), problem.HACCursor, "2"},
		"a cursor from before":            {func(s *server) { s.pages["c"] = strings.Replace(page3, `""}`, `"a b/+&="}`, 1) }, problem.HACCursor, "3"},
		"a user again":                    {second(page1), problem.HACTwice, "2"},
		"a user again, who has no ID":     {func(s *server) { s.pages["c"] = `{"items":[{"username":"x"},{"username":"x"}]}` }, problem.HACTwice, "3"},
		"a cursor that leads nowhere":     {second(strings.Replace(page2, `"c"`, `"d"`, 1)), problem.HACNotFound, "3"},
		"no user at all":                  {func(s *server) { s.pages[""] = `{"items":[],"cursor":null}` }, problem.SourceEmpty, ""},
		"nobody with a UPN":               {func(s *server) { s.pages[""] = `{"items":[{"username":"a","email":""}]}` }, problem.HACNoUPN, ""},
		"the client is refused":           {fault(answer("token", 1, 0, 401, "")), problem.HACRefused, ""},
		"the client is refused as 400":    {fault(answer("token", 1, 0, 400, "")), problem.HACRefused, ""},
		"no token":                        {fault(answer("token", 1, 0, 200, `{}`)), problem.HACAnswer, ""},
		"a token that is a login page":    {fault(answer("token", 1, 0, 200, `<html>`)), problem.HACAnswer, ""},
		"no token endpoint":               {fault(answer("token", 1, 0, 404, "")), problem.HACNotFound, ""},
		"the token endpoint fails":        {fault(answer("token", 1, 0, 503, "")), problem.HACUnavailable, ""},
		"renewal is refused":              {fault(func(k string, n int, w http.ResponseWriter) bool { return answer(k, 2, 0, 401, "")(k, n, w) }), problem.HACRefused, ""},
		"the first token is not accepted": {fault(answer("users", 1, 0, 401, "")), problem.HACForbidden, "1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.Config.ErrorLog = nil
			tt.prepare(s)
			got, err := s.read()
			if got != nil {
				t.Fatalf("gave %d users", got.Len())
			}
			p := problem.Of(err)
			if p == nil || p.Code != tt.want || p.Args["page"] != tt.page {
				t.Fatalf("got %v, want %s page %q", err, tt.want, tt.page)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "token-") {
				t.Fatalf("a secret in %v", err)
			}
		})
	}
}

func TestRead_RenewsATokenThatRanOut(t *testing.T) {
	s := newServer(t)
	s.fault = func(kind string, n int, w http.ResponseWriter) bool {
		if kind == "users" && (n == 2 || n == 4) { // twice, hours apart
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return false
	}
	got, err := s.read()
	if err != nil || got.Len() != 3 || s.tokens != 3 {
		t.Fatalf("%v, %d tokens", err, s.tokens)
	}
}

func TestRead_WaitsAsAskedAndGoesOn(t *testing.T) {
	tests := map[string]struct {
		retryAfter string
		status     int
		least      time.Duration
		most       time.Duration
	}{
		"seconds":          {"7", 429, 7 * time.Second, 7 * time.Second},
		"a date":           {"Wed, 25 Nov 2026 00:00:30 GMT", 503, 30 * time.Second, 30 * time.Second},
		"far too long":     {"86400", 429, longestPause, longestPause},
		"beyond any clock": {"Wed, 25 Nov 2099 00:00:00 GMT", 429, longestPause, longestPause},
		"nothing said":     {"", 500, time.Second, 2 * time.Second},
		"nonsense":         {"soon", 429, time.Second, 2 * time.Second},
		"the past":         {"Wed, 25 Nov 2020 00:00:00 GMT", 429, time.Second, 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.fault = func(kind string, n int, w http.ResponseWriter) bool {
				if kind == "users" && n == 2 {
					if tt.retryAfter != "" {
						w.Header().Set("Retry-After", tt.retryAfter)
					}
					w.WriteHeader(tt.status)
					return true
				}
				return false
			}
			a, c := s.api()
			var paused time.Duration
			got, err := a.Read(context.Background(), directory.Standard(), progress.Func(func(e progress.Event) { paused = max(paused, e.Pause) }))
			if err != nil || got.Len() != 3 {
				t.Fatal(err)
			}
			if len(c.slept) != 1 || c.slept[0] < tt.least || c.slept[0] > tt.most || paused != c.slept[0] {
				t.Errorf("slept %v, reported %v", c.slept, paused)
			}
		})
	}
}

func TestRead_BacksOffLongerEachTime(t *testing.T) {
	s := newServer(t)
	s.fault = func(_ string, _ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	a, c := s.api()
	if _, err := a.Read(context.Background(), nil, progress.Discard); !problem.Has(err, problem.HACUnavailable) {
		t.Fatal(err)
	}
	if len(c.slept) != attempts-1 || !slices.IsSorted(c.slept) {
		t.Fatalf("slept %v", c.slept)
	}
}

func TestRead_StopsWithTheContextWhileItWaits(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.fault = func(string, int, http.ResponseWriter) bool { cancel(); return false }
	a, _ := s.api()
	if _, err := a.Read(ctx, nil, progress.Discard); !errors.Is(err, context.Canceled) || problem.Of(err) != nil {
		t.Fatal(err)
	}
}

func TestRead_SendsNoSecretToAnotherHost(t *testing.T) {
	other := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked %s with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	s := newServer(t)
	s.fault = func(kind string, n int, w http.ResponseWriter) bool {
		if kind == "users" && n == 2 {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
			return true
		}
		return false
	}
	if _, err := s.read(); !problem.Has(err, problem.HACAnswer) {
		t.Error(err)
	}
}

func TestRead_RefusesUnusableOptions(t *testing.T) {
	s := newServer(t)
	for name, tt := range map[string]struct {
		change func(*Options)
		want   problem.Code
	}{
		"plain http":     {func(o *Options) { o.Base = "http://api.example" }, problem.HACAddress},
		"plain token":    {func(o *Options) { o.TokenURL = "http://api.example/oauth/token" }, problem.HACAddress},
		"no address":     {func(o *Options) { o.Base = "://" }, problem.HACAddress},
		"a user in it":   {func(o *Options) { o.Base = "https://a:b@api.example" }, problem.HACAddress},
		"no client":      {func(o *Options) { o.Client = "" }, problem.HACCredentials},
		"no secret":      {func(o *Options) { o.Secret = secret.Text{} }, problem.HACCredentials},
		"another secret": {func(o *Options) { o.Secret = secret.NewText("wrong") }, problem.HACRefused},
		"another count":  {func(o *Options) { o.Count = 4 }, problem.SourceCount},
	} {
		if _, err := s.read(tt.change); !problem.Has(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := s.read(func(o *Options) { o.Count = 3 }); err != nil || got.Proof().Count != 3 {
		t.Errorf("with its count: %v", err)
	}
	s.Close()
	if _, err := s.read(); !problem.Has(err, problem.HACUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestNew_KnowsWhereTheRealAPIIs(t *testing.T) {
	if a := New(Options{}); a.o.Base != DefaultBase || a.o.TokenURL != DefaultTokenURL {
		t.Errorf("%s, %s", a.o.Base, a.o.TokenURL)
	}
	if a := New(Options{Base: "https://127.0.0.1:1/"}); a.o.TokenURL != "https://127.0.0.1:1/oauth/token" {
		t.Error(a.o.TokenURL)
	}
}

// An address in addition to the UPN is looked up as well, and kept if it differs.
func TestRead_KeepsTheAddressAndTheUPN(t *testing.T) {
	s := newServer(t)
	a, _ := s.api()
	got, err := a.Read(context.Background(), directory.Standard(), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := got.At(0).Get(directory.OtherKeys); v != "t@other.example" {
		t.Errorf("kept %q of %v", v, got.Columns())
	}
}

func TestLook_ReportsTheFields(t *testing.T) {
	s := newServer(t)
	a, _ := s.api()
	o, err := a.Look(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if o.Rows != 3 || o.Domains["midori.example"] != 2 || o.Domains[""] != 1 {
		t.Errorf("overview %+v", o)
	}
	want := map[string]source.Recognised{
		"user_principal_name": {Attribute: directory.UserPrincipalName, Use: source.Mapped, Example: "Taro@midori.example"},
		"immutable_id":        {Attribute: directory.ImmutableID, Use: source.Mapped, Example: "WEt4r/aDlE3wtGz0UbVoqQ=="},
		"status":              {Use: source.Read, Example: "enabled"},
		"busho":               {Use: source.NotMapped, Example: "営業2課"},
		"email":               {Use: source.Read, Example: "t@other.example"},
		"otp_emergency_token": {Use: source.Never},
	}
	for _, c := range o.Columns {
		if w, ok := want[c.Column]; ok {
			delete(want, c.Column)
			if w.Column = c.Column; c != w {
				t.Errorf("got %+v, want %+v", c, w)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
}

func TestUser_IsDisabledUnderEveryName(t *testing.T) {
	for body, want := range map[string]bool{
		`"status":"enabled"`: true, `"status":"disabled"`: false, `"status":"Disabled"`: false, `"status":null`: true,
		`"status":true`: false, `"status":false`: true, `"disabled":true`: false, `"disabled":0`: true, `"isDisabled":1`: false,
		`"enabled":false`: false, `"active":true`: true, `"x":1`: true,
	} {
		s := newServer(t)
		s.pages = map[string]string{"": `{"items":[{"upn":"a@x.example",` + body + `}]}`}
		got, err := s.read()
		if err != nil {
			t.Fatal(err)
		}
		if got.At(0).Marks().Has(directory.Enabled) != want {
			t.Errorf("%s: enabled is %t", body, !want)
		}
	}
}
