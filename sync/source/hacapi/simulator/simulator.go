// Package simulator is the HAC API on loopback: a token for an API client, the list
// of users by cursor, and the export as CSV. What it lists comes from a HAC export.
// Start with New.
//
// The names of the properties of a user are not published; the ones used here are
// those of the export in snake_case, with the custom attributes in an object of
// their own.
package simulator

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"github.com/hacsync/hacsync/sync/clock"
)

// pageSize is the number of users in one answer.
const pageSize = 200

// tokenLife is how long a token is valid, by the machine's clock.
const tokenLife = time.Hour

// Server serves one export. It is an http.Handler.
type Server struct {
	client, secret string
	clock          clock.Clock

	mu     sync.Mutex
	names  []string // properties of the columns
	custom []bool   // which are custom attributes
	users  [][]string
	csv    []byte
	tokens map[string]time.Time
}

// standard are the columns, in lower case, that have a property of their own;
// all others are custom attributes. Secret columns have none: they are not
// listed.
var standard = map[string]string{
	"username":                  "username",
	"email address":             "email_address",
	"email":                     upnField,
	"family name":               "family_name",
	"given name":                "given_name",
	"display name":              "display_name",
	"status":                    "disabled",
	"access policy group id":    "access_policy_group_id",
	"access policy group name":  "access_policy_group_name",
	"otp notification email":    "",
	"otp emergency token":       "",
	"otp type":                  "",
	"last login":                "last_login",
	"is admin":                  "is_admin",
	"self password reset email": "",
	"password change policy":    "",
	"password expiration date":  "password_expiration_date",
	"new password":              "",
	"role":                      "role",
}

const upnField = "user_principal_name"

// fields returns the properties of an export's columns; custom reports which are
// custom attributes.
func fields(header []string) (names []string, custom []bool, err error) {
	names, custom = make([]string, len(header)), make([]bool, len(header))
	upn := -1
	for i, h := range header {
		low := strings.ToLower(strings.TrimSpace(h))
		name, known := standard[low]
		switch {
		case strings.HasPrefix(low, "microsoft immutable"):
			name, known = "immutable_id", true
		case low == "email address" && upn < 0, low == "email":
			upn = i
		}
		names[i], custom[i] = name, !known
		if !known {
			names[i] = h
		}
	}
	if upn < 0 {
		return nil, nil, errors.New("the export has no column Email or Email Address")
	}
	names[upn] = upnField // if there are both, Email holds the UPN
	return names, custom, nil
}

// New serves a HAC export with commas: UTF-8 with or without BOM, or Shift_JIS.
func New(export []byte, c clock.Clock) (*Server, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, fmt.Errorf("draw the client secret: %w", err)
	}
	s := &Server{
		client: "hac-" + hex.EncodeToString(b[:8]), secret: hex.EncodeToString(b[8:]),
		clock: c, tokens: map[string]time.Time{},
	}
	if err := s.SetExport(export); err != nil {
		return nil, err
	}
	return s, nil
}

// Client returns the ID of the API client that may read.
func (s *Server) Client() string { return s.client }

// Secret returns the secret of that client.
func (s *Server) Secret() string { return s.secret }

// SetExport replaces the export that is listed.
func (s *Server) SetExport(export []byte) error {
	header, rows, err := parse(export)
	if err != nil {
		return err
	}
	names, custom, err := fields(header)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names, s.custom, s.users, s.csv = names, custom, rows, bytes.Clone(export)
	return nil
}

// Export returns the export that is listed, as it was given.
func (s *Server) Export() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.csv)
}

// parse reads an export: UTF-8, or the Shift_JIS of a console's download.
func parse(export []byte) (header []string, rows [][]string, err error) {
	text := bytes.TrimPrefix(export, []byte("\ufeff"))
	if !utf8.Valid(text) {
		if text, err = japanese.ShiftJIS.NewDecoder().Bytes(text); err != nil {
			return nil, nil, fmt.Errorf("the export is neither UTF-8 nor Shift_JIS: %w", err)
		}
	}
	r := csv.NewReader(bytes.NewReader(text))
	if header, err = r.Read(); err != nil {
		return nil, nil, fmt.Errorf("read the header of the export: %w", err)
	}
	if rows, err = r.ReadAll(); err != nil {
		return nil, nil, fmt.Errorf("read the export: %w", err)
	}
	return header, rows, nil
}

// user returns one row as the API shows it.
func user(names []string, custom []bool, row []string) map[string]any {
	u := map[string]any{}
	attributes := map[string]string{}
	for i, name := range names {
		switch {
		case custom[i]:
			attributes[name] = row[i]
		case name == "":
		case name == "disabled":
			u[name] = row[i] == "disabled"
		case name == "is_admin":
			u[name] = row[i] == "1"
		default:
			u[name] = row[i]
		}
	}
	u["custom_attributes"] = attributes
	return u
}

// ServeHTTP answers requests to the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/oauth/token":
		s.token(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/20230822/users":
		if s.allowed(w, r) {
			s.list(w, r)
		}
	case r.Method == http.MethodGet && strings.TrimSuffix(r.URL.Path, "/") == "/20230822/users/download/csv":
		if s.allowed(w, r) {
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			_, _ = w.Write(s.Export())
		}
	default:
		answer(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
	}
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	id, secret, has := r.BasicAuth()
	if !has || id != s.client || secret != s.secret {
		w.Header().Set("WWW-Authenticate", "Basic")
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	if err := r.ParseForm(); err != nil || r.PostFormValue("grant_type") != "client_credentials" {
		answer(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
		return
	}
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	token := hex.EncodeToString(b[:])
	s.mu.Lock()
	s.tokens[token] = time.Now().Add(tokenLife)
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "bearer", "expires_in": int(tokenLife / time.Second)})
}

func (s *Server) allowed(w http.ResponseWriter, r *http.Request) bool {
	token, has := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	expires, known := s.tokens[token]
	s.mu.Unlock()
	if has && known && time.Now().Before(expires) {
		return true
	}
	answer(w, http.StatusUnauthorized, map[string]string{"message": "Unauthorized"})
	return false
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	from := 0
	if c := r.URL.Query().Get("cursor"); c != "" {
		b, err := base64.StdEncoding.DecodeString(c)
		n, nerr := strconv.Atoi(strings.TrimPrefix(string(b), "after="))
		if err != nil || nerr != nil || n < 0 {
			answer(w, http.StatusBadRequest, map[string]string{"message": "invalid cursor"})
			return
		}
		from = n
	}
	s.mu.Lock()
	names, custom, users := s.names, s.custom, s.users
	s.mu.Unlock()
	from = min(from, len(users))
	to := min(from+pageSize, len(users))
	items := make([]map[string]any, 0, to-from)
	for _, row := range users[from:to] {
		items = append(items, user(names, custom, row))
	}
	out := map[string]any{"items": items}
	if to < len(users) {
		// Base64 with + and = in it: a client has to encode it for the URL.
		out["cursor"] = base64.StdEncoding.EncodeToString([]byte("after=" + strconv.Itoa(to)))
	}
	answer(w, http.StatusOK, out)
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
