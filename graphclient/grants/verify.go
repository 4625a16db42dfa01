package grants

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// Find looks for the application by its tag, or by the ID that Adopt was given.
func (d *Dedicated) Find(ctx context.Context, looking consent.SignIn) (bool, error) {
	if d.app.Tag == "" && d.app.ID == "" {
		return false, problem.New(problem.KeyPairMissing, problem.Args{"connection": d.o.Connection.Name})
	}
	w, err := d.as(ctx, looking, []string{consent.FindScope})
	if problem.Has(err, problem.SignInAgain, problem.ConsentMissing, problem.ScopesShort) {
		// The administrator who signed in to grant may look too.
		w, err = d.as(ctx, looking, []string{"Application.ReadWrite.All"})
	}
	if err != nil {
		return false, err
	}
	// One whose home is another organisation has only its service principal here.
	found, err := w.findApplication(ctx)
	if err != nil || !found && !d.foreign() {
		return false, w.refusal(part(partApplication), err)
	}
	principal, err := w.findPrincipal(ctx)
	if err != nil {
		return false, w.refusal(part(partPrincipal), err)
	}
	if !w.made.IsZero() {
		d.since = d.o.Clock.Now()
	}
	if !principal {
		w.app.Principal = ""
	}
	return !d.foreign() || principal, d.save(ctx, w.app)
}

// Verify signs in as the application with nothing remembered, and says what its
// token shows. What was made a moment ago is waited for: up to five minutes for
// the application and its certificate to be known, a minute for what it was
// given. With every grant that is not optional it acts from then on.
func (d *Dedicated) Verify(ctx context.Context) ([]consent.Grant, error) {
	r, err := d.ready(ctx)
	if err != nil {
		return nil, err
	}
	if d.app.ID == "" {
		return nil, problem.New(problem.ApplicationNotKnown, nil)
	}
	for try := 0; ; try++ {
		token, err := d.signIn(ctx, r.Current.Pair, d.since.Add(settling))
		if err != nil {
			return nil, err
		}
		all, complete := d.judge(token)
		if complete {
			who, _ := claims.Read(token)
			app := d.app
			app.Verified = d.o.Clock.Now().UTC().Round(0)
			app.Thumbprint, app.Ends = r.Current.Thumbprint(), r.Current.Ends()
			if who.Object != "" {
				app.Principal = strings.ToLower(who.Object)
			}
			return all, d.save(ctx, app)
		}
		if !d.o.Clock.Now().Before(d.since.Add(roleSettling)) {
			return all, nil
		}
		if err := d.o.Clock.Sleep(ctx, min(time.Second<<min(try, 4), 10*time.Second)); err != nil {
			return nil, err
		}
	}
}

// judge returns what the application's own token shows of the list, and whether all
// that is required is there.
func (d *Dedicated) judge(token string) (all []consent.Grant, complete bool) {
	seen := New(Options{Connection: d.o.Connection, Application: d.app.ID, UserAdministrator: d.o.UserAdministrator}).judge(token)
	all = d.List()
	for i := range all {
		if all[i].Kind == consent.Part {
			all[i].State = consent.Granted // who signs in is there
			continue
		}
		at := slices.IndexFunc(seen, func(s consent.Grant) bool { return s.Kind == all[i].Kind && s.Name == all[i].Name })
		if at >= 0 {
			all[i] = seen[at]
		}
	}
	complete = !slices.ContainsFunc(all, func(g consent.Grant) bool {
		// A role that the token does not show is no obstacle; a permission is.
		return !g.Optional && g.State != consent.Granted && (g.Kind != consent.DirectoryRole || g.State == consent.Missing)
	})
	return all, complete
}

// signIn obtains a token as the application, with nothing remembered. Until end
// it waits for the tenant to know the application and the certificate.
func (d *Dedicated) signIn(ctx context.Context, key *certificate.Pair, end time.Time) (string, error) {
	for try := 0; ; try++ {
		tokens, err := d.o.AsApplication(d.app.ID, key)
		if err != nil {
			return "", err
		}
		token, err := tokens.Token(ctx)
		if err == nil {
			who, readable := claims.Read(token)
			if want := d.o.Connection.Tenant; readable && elsewhere(who.Tenant, want) {
				return "", problem.New(problem.OtherTenant, problem.Args{"upn": d.app.Name, "tenant": who.Tenant, "expected": want})
			}
			return token, nil
		}
		if !problem.Has(err, problem.ClientUnknown, problem.CertificateUnknown) || !d.o.Clock.Now().Before(end) {
			return "", err
		}
		d.o.Log.InfoContext(ctx, "the tenant does not know the application or its certificate yet", "error", err.Error())
		if err := d.o.Clock.Sleep(ctx, min(time.Second<<min(try, 4), 15*time.Second)); err != nil {
			return "", err
		}
	}
}

// elsewhere reports whether a token is of another tenant than the requested one. A
// tenant that is known by a domain alone was found by it: the authority has checked it.
func elsewhere(tenant, meant string) bool {
	return tenant != "" && guid.MatchString(meant) && !strings.EqualFold(tenant, meant)
}
