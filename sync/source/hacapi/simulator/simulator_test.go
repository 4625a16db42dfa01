package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"

	"github.com/hacsync/hacsync/sync/clock"
)

const header = "Username,Email Address,Family Name,Given Name,Display Name,Status,OTP Emergency Token,Last Login,Is Admin,New Password,busho,Microsoft Immutable ID"

func newServer(t *testing.T, rows ...string) *Server {
	t.Helper()
	s, err := New([]byte("\ufeff"+header+"\r\n"+strings.Join(rows, "\r\n")+"\r\n"), clock.Real())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Server) ask(t *testing.T, method, path, body string, change func(*http.Request)) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	change(r)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var m map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &m)
	if m == nil {
		m = map[string]any{"raw": w.Body.String()}
	}
	return w.Code, m
}

func (s *Server) signIn(t *testing.T) func(*http.Request) {
	t.Helper()
	status, m := s.ask(t, http.MethodPost, "/oauth/token", "grant_type=client_credentials", func(r *http.Request) { r.SetBasicAuth(s.Client(), s.Secret()) })
	if status != http.StatusOK || m["access_token"] == nil {
		t.Fatalf("token: %d %v", status, m)
	}
	return func(r *http.Request) { r.Header.Set("Authorization", fmt.Sprint("Bearer ", m["access_token"])) }
}

func TestToken_NeedsTheClientAndTheGrant(t *testing.T) {
	s := newServer(t)
	for name, f := range map[string]func(*http.Request){
		"no client":    func(*http.Request) {},
		"wrong secret": func(r *http.Request) { r.SetBasicAuth(s.Client(), "guess") },
	} {
		if status, _ := s.ask(t, http.MethodPost, "/oauth/token", "grant_type=client_credentials", f); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _ := s.ask(t, http.MethodPost, "/oauth/token", "grant_type=password", func(r *http.Request) { r.SetBasicAuth(s.Client(), s.Secret()) }); status != http.StatusBadRequest {
		t.Errorf("other grant: %d", status)
	}
	if status, _ := s.ask(t, http.MethodGet, "/20230822/users", "", func(*http.Request) {}); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", status)
	}
	if status, _ := s.ask(t, http.MethodGet, "/nothing", "", func(*http.Request) {}); status != http.StatusNotFound {
		t.Errorf("elsewhere: %d", status)
	}
}

func TestUsers_ComeByCursorToTheEnd(t *testing.T) {
	var rows []string
	for i := range 450 {
		rows = append(rows, fmt.Sprintf("u%d,u%d@x.example,山田,太郎,山田 太郎,enabled,secret-otp,2026-11-25 09:00:00,0,secret-pw,営業部,id%d", i, i, i))
	}
	s := newServer(t, rows...)
	auth := s.signIn(t)
	path, pages, seen := "/20230822/users", 0, map[any]bool{}
	for {
		status, m := s.ask(t, http.MethodGet, path, "", auth)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %v", path, status, m)
		}
		items, _ := m["items"].([]any)
		for _, it := range items {
			u, _ := it.(map[string]any)
			seen[u["user_principal_name"]] = true
		}
		pages++
		cursor, _ := m["cursor"].(string)
		if cursor == "" {
			break
		}
		path = "/20230822/users?cursor=" + url.QueryEscape(cursor)
	}
	if pages != 3 || len(seen) != 450 {
		t.Errorf("%d users in %d pages", len(seen), pages)
	}
	if status, _ := s.ask(t, http.MethodGet, "/20230822/users?cursor=nonsense", "", auth); status != http.StatusBadRequest {
		t.Errorf("bad cursor: %d", status)
	}
}

func TestUser_HasItsPropertiesAndNoSecret(t *testing.T) {
	s := newServer(t, "yamada,yamada@x.example,山田,太郎,山田 太郎,disabled,secret-otp,2026-11-25 09:00:00,1,secret-pw,営業部,WEt4r==")
	_, m := s.ask(t, http.MethodGet, "/20230822/users", "", s.signIn(t))
	items, _ := m["items"].([]any)
	u, _ := items[0].(map[string]any)
	for k, want := range map[string]any{
		"username": "yamada", "user_principal_name": "yamada@x.example", "family_name": "山田", "given_name": "太郎",
		"display_name": "山田 太郎", "disabled": true, "is_admin": true, "immutable_id": "WEt4r==",
	} {
		if u[k] != want {
			t.Errorf("%s is %v, want %v", k, u[k], want)
		}
	}
	if c, _ := u["custom_attributes"].(map[string]any); c["busho"] != "営業部" || len(c) != 1 {
		t.Errorf("custom attributes %v", u["custom_attributes"])
	}
	if strings.Contains(fmt.Sprint(u), "secret") {
		t.Errorf("a secret is listed: %v", u)
	}
}

func TestDownload_IsTheExportItself(t *testing.T) {
	s := newServer(t, "a,a@x.example,,,A,enabled,,,0,,,")
	_, m := s.ask(t, http.MethodGet, "/20230822/users/download/csv", "", s.signIn(t))
	if raw := fmt.Sprint(m["raw"]); !strings.HasPrefix(raw, "\ufeff"+header) || !strings.Contains(raw, "a@x.example") {
		t.Errorf("%q", raw)
	}
	if err := s.SetExport([]byte(header + "\nb,b@x.example,,,B,enabled,,,0,,,\n")); err != nil {
		t.Fatal(err)
	}
	_, m = s.ask(t, http.MethodGet, "/20230822/users", "", s.signIn(t))
	if items, _ := m["items"].([]any); len(items) != 1 || !strings.Contains(fmt.Sprint(items[0]), "b@x.example") {
		t.Errorf("%v", m)
	}
}

func TestNew_RefusesWhatIsNoExport(t *testing.T) {
	for name, export := range map[string]string{
		"empty": "", "no address": "Username,Status\na,enabled\n", "short row": header + "\na,b\n", "quote": header + "\n\"a,b\n",
	} {
		if _, err := New([]byte(export), clock.Real()); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestExport_MayBeShiftJISAndHaveBothAddresses(t *testing.T) {
	export, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte("Username,email address,Email,Display Name,Microsoft Immutable ID (MS)\na,mail@x.example,upn@x.example,山田 太郎,id\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(export, clock.Real())
	if err != nil {
		t.Fatal(err)
	}
	_, m := s.ask(t, http.MethodGet, "/20230822/users", "", s.signIn(t))
	items, _ := m["items"].([]any)
	u, _ := items[0].(map[string]any)
	if u["user_principal_name"] != "upn@x.example" || u["email_address"] != "mail@x.example" || u["display_name"] != "山田 太郎" || u["immutable_id"] != "id" {
		t.Errorf("%v", u)
	}
}
