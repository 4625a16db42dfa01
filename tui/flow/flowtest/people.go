package flowtest

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/tui/flow"
)

// people are those outside of the program, and what is kept of them.
type people struct {
	Targets     []flow.Target    // of sign-ins
	Asked       [][]string       // the scopes of sign-ins, in their order
	Forgotten   []string         // connections
	HACClient   string           // that was saved last
	HACSecret   string           // and its secret
	Passphrase  string           // that saved data is sealed with; empty for any
	NoKeyring   bool             // nothing opens or is saved without a passphrase
	Moved       int              // scripts that move objects
	Refuse      *problem.Problem // how the next sign-in ends, nil as it is played
	Challenge   bool             // a dry run asks for a sign-in in between
	Stranger    bool             // whoever signs in after the first is of another tenant
	seal        string           // the passphrase that was typed
	application application
}

type fakeSignIn struct {
	w    *World
	done bool
}

func (s *fakeSignIn) ask(scopes []string) (string, chan flow.Part, time.Time) {
	code, c := s.w.newCode()
	s.w.Lock()
	defer s.w.Unlock()
	s.w.Asked = append(s.w.Asked, scopes)
	return code.UserCode, c, code.Expires
}

func (s *fakeSignIn) DeviceCode(_ context.Context, scopes []string) (consent.Code, func(context.Context) (consent.Account, error), error) {
	code, c, until := s.ask(scopes)
	return consent.Code{UserCode: code, URL: "https://microsoft.com/devicelogin", Expires: until}, s.wait(c), nil
}

// Browser gives a page whose sign-in ends as the part that is played for its URL.
func (s *fakeSignIn) Browser(_ context.Context, scopes []string) (consent.Page, func(context.Context) (consent.Account, error), error) {
	code, c, until := s.ask(scopes)
	url := "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?client_id=14d82eec-204b-4c2f-b7e8-296a70dab67e" +
		"&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A53127&code_challenge=k2oYXKqiZrucvpgengXLeM1zKwsygOeURBK7b4-PB68&state=" + code
	s.w.Lock()
	defer s.w.Unlock()
	s.w.parts[url] = c
	return consent.Page{URL: url, Expires: until}, s.wait(c), nil
}

func (s *fakeSignIn) wait(c chan flow.Part) func(context.Context) (consent.Account, error) {
	return func(ctx context.Context) (consent.Account, error) {
		a, err := played(ctx, c)
		if s.w.Refuse != nil {
			return consent.Account{}, s.w.Refuse
		}
		if err == nil {
			s.w.Lock()
			defer s.w.Unlock()
			s.done = true
			if s.w.Stranger && len(s.w.Asked) > 1 {
				a.Tenant, a.UPN = "00000000-0000-4000-8000-000000000000", "x@other.example"
			}
		}
		return a, err
	}
}

func (s *fakeSignIn) Silent(context.Context, []string) (consent.Account, error) {
	return consent.Account{}, problem.New(problem.SignInAgain, nil)
}

// PlayPage answers the page of a sign-in by browser.
func (w *World) PlayPage(ctx context.Context, url string, p flow.Part) error {
	return w.Play(ctx, url, p)
}

// Domains are the one of the world.
func (w *World) Domains(context.Context, string) ([]string, error) { return []string{DomainName}, nil }

// Forget removes saved data.
func (w *World) Forget(_ context.Context, name string) error {
	w.Lock()
	defer w.Unlock()
	w.Forgotten = append(w.Forgotten, name)
	for i, c := range w.Conns {
		if c.Name == name {
			w.Conns = append(append([]consent.Connection(nil), w.Conns[:i]...), w.Conns[i+1:]...)
			return nil
		}
	}
	return problem.New(problem.NoSavedData, problem.Args{"connection": name})
}

func (w *World) locked() bool {
	w.Lock()
	defer w.Unlock()
	return w.NoKeyring && w.seal == ""
}

// NeedsPassphrase is true where there is no keyring, until one was typed.
func (w *World) NeedsPassphrase(context.Context) (need, first bool, why error) {
	if !w.locked() {
		return false, false, nil
	}
	if w.Passphrase != "" {
		return true, false, nil
	}
	return true, true, problem.New(problem.KeyringAbsent, nil)
}

// Unseal takes Passphrase, or any where there is none yet.
func (w *World) Unseal(_ context.Context, typed secret.Text) error {
	w.Lock()
	defer w.Unlock()
	if w.Passphrase != "" && typed.Reveal() != w.Passphrase {
		return problem.New(problem.PassphraseWrong, nil)
	}
	w.seal = typed.Reveal()
	return nil
}

// Sealed is the passphrase that was typed last and taken.
func (w *World) Sealed() string {
	w.Lock()
	defer w.Unlock()
	return w.seal
}

// challenged asks for a sign-in in the middle of something, where told so.
func (s *session) challenged(ctx context.Context) error {
	s.w.Lock()
	asks := s.w.Challenge
	s.w.Challenge = false
	s.w.Unlock()
	if !asks {
		return nil
	}
	code, c := s.w.newCode()
	s.hooks.Code(code)
	_, err := played(ctx, c)
	return err
}

func (s *session) ForGranting(context.Context) (consent.SignIn, error) {
	return &fakeSignIn{w: s.w}, nil
}

func (s *session) SaveHAC(_ context.Context, client string, key secret.Text) error {
	s.w.Lock()
	defer s.w.Unlock()
	s.w.HACClient, s.w.HACSecret = client, key.Reveal()
	return nil
}

func (s *session) HAC(context.Context) (string, error) {
	s.w.Lock()
	defer s.w.Unlock()
	return s.w.HACClient, nil
}

func (s *session) MoveScript(_ context.Context, w io.Writer, found *destination.Precheck) error {
	s.w.Lock()
	s.w.Moved++
	s.w.Unlock()
	_, err := fmt.Fprintf(w, "# move %d objects\r\n", len(found.Shared)+len(found.Rooms)+len(found.Things))
	return err
}
