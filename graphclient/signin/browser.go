package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// pageLife is how long the sign-in page waits for the user.
const pageLife = 10 * time.Minute

// Browser returns the page at which the user signs in with a browser of this machine:
// authorization code with PKCE (S256). The browser returns to a port on loopback that
// is open until wait returns, or until the page's time is over. The page is not opened
// here. See consent.SignIn.
func (c *Client) Browser(ctx context.Context, scopes []string) (consent.Page, func(context.Context) (consent.Account, error), error) {
	if ctx.Err() != nil {
		return consent.Page{}, nil, context.Cause(ctx)
	}
	verifier, state := random(), random()
	l, err := land(ctx, state)
	if err != nil {
		return consent.Page{}, nil, problem.Wrap(err, problem.NoLanding, problem.Args{"why": err.Error()})
	}
	challenge := c.demand.now()
	w := &watch{asked: c.full(scopes)}
	at, err := c.pageAddress(watching(ctx, w), l, w, challenge, verifier)
	if err != nil {
		l.close()
		return consent.Page{}, nil, c.failed(ctx, err, w)
	}
	page := consent.Page{URL: at, Expires: c.o.Clock.Now().Add(pageLife)}
	over := make(chan struct{})
	go func() {
		// Ends with the page's time, or with the landing.
		ending, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			select {
			case <-l.closed:
				cancel()
			case <-ending.Done():
			}
		}()
		if c.o.Clock.Sleep(ending, pageLife) == nil {
			close(over)
			l.close()
		}
	}()
	wait := func(ctx context.Context) (consent.Account, error) {
		defer l.close()
		var back redirect
		select {
		case back = <-l.answer:
		case <-ctx.Done():
			return consent.Account{}, context.Cause(ctx)
		case <-over:
			return consent.Account{}, problem.New(problem.PageExpired, nil)
		case <-l.closed: // waited for before
			return consent.Account{}, problem.New(problem.PageExpired, nil)
		}
		if back.refused != nil {
			return consent.Account{}, c.withClock(c.refused(back.refused))
		}
		w := &watch{asked: w.asked, signing: true}
		options := []public.AcquireByAuthCodeOption{public.WithChallenge(verifier)}
		if challenge != "" {
			options = append(options, public.WithClaims(challenge))
		}
		res, err := c.msal.AcquireTokenByAuthCode(watching(ctx, w), back.code, l.address(), w.asked, options...)
		if err != nil {
			return consent.Account{}, c.failed(ctx, err, w)
		}
		return c.signedIn(res, scopes, w, challenge)
	}
	return page, wait, nil
}

// pageAddress is the address for the browser. MSAL makes it, without state and
// challenge, which its own sign-in by browser does not publish.
func (c *Client) pageAddress(ctx context.Context, l *landing, w *watch, claims, verifier string) (string, error) {
	var options []public.AuthCodeURLOption
	if claims != "" {
		options = append(options, public.WithClaims(claims))
	}
	if c.o.Account != "" {
		options = append(options, public.WithLoginHint(c.o.Account))
	}
	// MSAL adds these to every other request by itself. Without the last there is
	// no refresh token.
	asked := append(slices.Clone(w.asked), "openid", "profile", "offline_access")
	at, err := c.msal.AuthCodeURL(ctx, c.o.ClientID, l.address(), asked, options...)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(at)
	if err != nil {
		return "", fmt.Errorf("address of the sign-in page: %w", err)
	}
	if u.Scheme != "https" || !c.http.home(u.Host) {
		return "", problem.New(problem.ForeignHost, problem.Args{"host": u.Host, "expected": c.http.host})
	}
	sum := sha256.Sum256([]byte(verifier))
	q := u.Query()
	q.Set("state", l.state)
	q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
	q.Set("code_challenge_method", "S256")
	q.Set("response_mode", "query")
	if c.o.Account == "" {
		// The account signed in to the browser may not be the administrator's.
		q.Set("prompt", "select_account")
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// random is 256 bits for an address: 43 characters, as PKCE asks of a verifier
// at least.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: the program ends instead
	return base64.RawURLEncoding.EncodeToString(b)
}
