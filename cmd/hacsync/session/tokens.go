package session

import (
	"context"
	"slices"
	"sync"

	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
)

// renewing are tokens that can be replaced: of a user or of an application.
type renewing interface {
	Token(ctx context.Context, scopes ...string) (string, error)
	Renew(ctx context.Context, claims string, scopes ...string) (string, error)
}

// answering are a user's tokens. If Microsoft asks for more than the saved sign-in
// proves (a claims challenge: a second factor, another network), the user signs in
// again and the operation goes on.
type answering struct {
	renewing
	// ask lets the user sign in for the scopes; nil: no user is asked.
	ask func(ctx context.Context, scopes []string) error
	// patient: a user is there, so that a saved sign-in which ended is renewed too.
	patient bool

	mu    sync.Mutex
	times int // of signing in

	replacing sync.Mutex // held while a refused token is replaced
}

// Token returns a token for the scopes.
func (t *answering) Token(ctx context.Context, scopes ...string) (string, error) {
	before := t.count()
	token, err := t.renewing.Token(ctx, scopes...)
	if err == nil || !t.curable(err) {
		return token, err
	}
	return t.again(ctx, before, scopes, err)
}

// Renew replaces a token that was refused.
func (t *answering) Renew(ctx context.Context, challenge string, scopes ...string) (string, error) {
	before := t.count()
	token, err := t.renewing.Renew(ctx, challenge, scopes...)
	if err == nil || problem.Of(err) == nil || challenge == "" && !t.curable(err) {
		return token, err
	}
	if p := problem.Of(err); p.Class() != problem.Mend {
		return token, err // such as no network: a sign-in would not help
	}
	return t.again(ctx, before, scopes, err)
}

// Replace is Renew for a token that was refused, once for all requests that were
// refused with it: the token that one of them obtained serves the others.
func (t *answering) Replace(ctx context.Context, refused, challenge string, scopes ...string) (string, error) {
	t.replacing.Lock()
	defer t.replacing.Unlock()
	if token, err := t.renewing.Token(ctx, scopes...); err == nil && token != refused {
		return token, nil
	}
	return t.Renew(ctx, challenge, scopes...)
}

// curable reports whether a new sign-in can repair an error.
func (t *answering) curable(err error) bool {
	if problem.Has(err, problem.SecondFactor, problem.ExternalChallenge, problem.ClaimsWanted) {
		return true
	}
	return t.patient && problem.Has(err, problem.SignInAgain, problem.SessionRevoked, problem.SignInTooOld, problem.SignInUnused)
}

func (t *answering) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.times
}

// again lets the user sign in, once for all requests that wait for it.
func (t *answering) again(ctx context.Context, before int, scopes []string, why error) (string, error) {
	if t.ask == nil {
		return "", why
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.times == before {
		if err := t.ask(ctx, scopes); err != nil {
			return "", err
		}
		t.times++
	}
	return t.renewing.Token(ctx, scopes...)
}

// Showing shows how a user signs in during an operation; what is nil cannot be
// shown.
type Showing struct {
	Code func(consent.Code)
	Page func(ctx context.Context, page consent.Page)
}

// asking returns a function that lets a user sign in to the session's connection;
// nil if nothing can be shown.
func (s *Session) asking(show Showing) func(context.Context, []string) error {
	if show.Code == nil {
		return nil
	}
	return func(ctx context.Context, scopes []string) error {
		s.env.Log.Info("Microsoft wants a new sign-in", "scopes", scopes)
		return s.again(ctx, scopes, show)
	}
}

// again lets a user of the connection's tenant sign in: by code, and if a policy
// does not allow that, with the browser of this machine.
func (s *Session) again(ctx context.Context, scopes []string, show Showing) error {
	who, err := s.byCode(ctx, scopes, show)
	if Barred(err) && show.Page != nil {
		s.env.Log.Info("sign-in by code is not allowed", "error", err)
		who, err = s.byPage(ctx, scopes, show)
	}
	if err != nil {
		return err
	}
	c := s.Connection()
	if who.Tenant != c.Tenant {
		return problem.New(problem.OtherTenant, problem.Args{"upn": who.UPN, "tenant": who.Tenant, "expected": c.Tenant})
	}
	if err := s.SignedIn(ctx, who); err != nil {
		return err
	}
	return run.MaySignIn(ctx, who, slices.Contains(c.SignedIn, who.ID))
}

func (s *Session) byCode(ctx context.Context, scopes []string, show Showing) (consent.Account, error) {
	code, wait, err := s.access.DeviceCode(ctx, scopes)
	if err != nil {
		return consent.Account{}, err
	}
	show.Code(code)
	return wait(ctx)
}

func (s *Session) byPage(ctx context.Context, scopes []string, show Showing) (consent.Account, error) {
	page, wait, err := s.access.Browser(ctx, scopes)
	if err != nil {
		return consent.Account{}, err
	}
	show.Page(ctx, page)
	return wait(ctx)
}

// Barred reports whether a policy does not allow sign-in by code; the browser is
// usually allowed.
func Barred(err error) bool {
	return problem.Has(err, problem.BlockedByPolicy, problem.FlowBlocked, problem.DeviceNotFit)
}

// mayWrite obtains the permission to write. An application has it or not; a user
// gets it silently if it was consented to, else by a code.
func (s *Session) mayWrite(ctx context.Context, show Showing) error {
	if app := s.access.acting.Load(); app != nil {
		return applicationMayWrite(ctx, app)
	}
	scopes := []string{consent.WriteScope}
	_, err := s.access.Silent(ctx, scopes)
	if p := problem.Of(err); err == nil || p == nil || p.Class() != problem.Mend {
		return err
	}
	if show.Code == nil {
		return err
	}
	s.env.Log.Info("permission to write is not there silently", "error", err)
	return s.again(ctx, scopes, show)
}

// applicationMayWrite checks the application's token; a permission that was just
// granted is only in a new one.
func applicationMayWrite(ctx context.Context, acting renewing) error {
	token, err := acting.Token(ctx)
	if err != nil {
		return err
	}
	if who, ok := claims.Read(token); !ok || who.MayWriteUsers() {
		return nil // if the token cannot be read, Graph decides
	}
	if token, err = acting.Renew(ctx, ""); err != nil {
		return err
	}
	if who, ok := claims.Read(token); ok && !who.MayWriteUsers() {
		return problem.New(problem.GrantMissing, problem.Args{"grant": consent.WriteScope})
	}
	return nil
}
