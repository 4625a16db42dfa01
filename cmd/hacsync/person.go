package main

import (
	"context"
	"net/url"
	"runtime"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// personally is how a user signs in on the command line.
type personally struct {
	scopes  []string
	browser bool   // by a page in the browser of this machine, else by code
	words   string // the message that shows the code, and with _page the page
	command string // the same by browser, for users whose code is not allowed
}

// signInPerson lets a user sign in, and returns the account. It asks nothing: the
// code is typed elsewhere.
func (a *app) signInPerson(ctx context.Context, in consent.SignIn, p personally) (consent.Account, error) {
	wait, err := a.showSignIn(ctx, in, p)
	if err != nil {
		return consent.Account{}, a.insteadOfCode(err, p)
	}
	a.tell(a.text("connect.waiting", nil))
	account, err := wait(ctx)
	if err != nil {
		return account, a.insteadOfCode(err, p)
	}
	a.tell(a.text("connect.signed_in", problem.Args{"account": account.UPN}))
	return account, nil
}

// showSignIn shows the code or the page.
func (a *app) showSignIn(ctx context.Context, in consent.SignIn, p personally) (func(context.Context) (consent.Account, error), error) {
	if !p.browser {
		code, wait, err := in.DeviceCode(ctx, p.scopes)
		if err != nil {
			return nil, err
		}
		a.tell(a.text(p.words, codeArgs(a.words, code)))
		a.log.Info("waiting for the sign-in", "until", code.Expires)
		return wait, nil
	}
	page, wait, err := in.Browser(ctx, p.scopes)
	if err != nil {
		return nil, err
	}
	args := problem.Args{"url": page.URL, "time": a.words.Time(page.Expires)}
	a.tell(a.text(p.words+"_page", args))
	a.openPage(ctx, page.URL)
	a.log.Info("waiting for the sign-in", "until", page.Expires)
	return wait, nil
}

// insteadOfCode adds what to do if a policy does not allow sign-in by code: the
// browser is usually allowed.
func (a *app) insteadOfCode(err error, p personally) error {
	if !p.browser && session.Barred(err) {
		a.tell(a.text("connect.use_browser", problem.Args{"command": p.command}))
	}
	return err
}

// openPage opens a page in the browser of this machine, if there is one. The
// address was printed too: over SSH the user opens it elsewhere, and it returns to
// a port of this machine.
func (a *app) openPage(ctx context.Context, page string) {
	if !a.hasBrowser() {
		a.tell(a.text("connect.no_browser", problem.Args{"port": returnPort(page)}))
		return
	}
	go func() {
		if err := browse(ctx, page); err != nil && ctx.Err() == nil {
			a.log.Info("open the page", "error", err)
		}
	}()
}

// hasBrowser reports whether a browser can be opened from here.
func (a *app) hasBrowser() bool {
	if a.getenv("SSH_CONNECTION") != "" || a.getenv("SSH_TTY") != "" {
		return false
	}
	switch runtime.GOOS {
	case "windows", "darwin":
		return true
	}
	return a.getenv("DISPLAY") != "" || a.getenv("WAYLAND_DISPLAY") != ""
}

// returnPort returns the port of this machine that the page returns to.
func returnPort(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	back, err := url.Parse(u.Query().Get("redirect_uri"))
	if err != nil {
		return ""
	}
	return back.Port()
}

// showOn shows a code with a message, and a page with the message of the same ID
// and _page.
func (a *app) showOn(id string, account string) session.Showing {
	return session.Showing{
		Code: func(code consent.Code) {
			args := codeArgs(a.words, code)
			args["account"] = account
			a.tell(a.text(id, args))
		},
		Page: func(ctx context.Context, page consent.Page) {
			a.tell(a.text(id+"_page", problem.Args{
				"url": page.URL, "time": a.words.Time(page.Expires), "account": account,
			}))
			a.openPage(ctx, page.URL)
		},
	}
}
