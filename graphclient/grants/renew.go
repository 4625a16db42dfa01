package grants

import (
	"context"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint by definition; it names a key and proves nothing
	"encoding/base64"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/applications"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// proofAudience is who a proof of possession is made out to: the directory
// itself, by the application ID that it has in every tenant.
const proofAudience = "00000002-0000-0000-c000-000000000000"

// proofLife is how long a proof holds, as Microsoft asks for.
const proofLife = 10 * time.Minute

// Renew makes a new key pair, adds its certificate with a proof of the old key, signs
// in with the new key, and removes the old certificate. An application needs no
// permission to do this for itself. The sealed row is always one step ahead of the
// tenant: if the program is killed, Renew continues where it stopped, and the pair
// that LoadKey returns is registered at every moment.
//
// If the new pair is in use and only the old certificate could not be removed, it
// returns the application and OldCertificateStays.
func (d *Dedicated) Renew(ctx context.Context) (consent.Application, error) {
	if d.foreign() && d.app.Object == "" {
		return d.app, problem.New(problem.ProviderRenews, problem.Args{"application": d.app.ID})
	}
	r, err := d.ready(ctx)
	switch {
	case err != nil:
		return d.app, err
	case d.app.ID == "":
		return d.app, problem.New(problem.ApplicationNotKnown, nil)
	case d.app.Object == "":
		return d.app, problem.New(problem.ApplicationObjectUnknown, problem.Args{"application": d.app.ID})
	}
	if r.Old != nil && r.Next == nil && !d.ended(r.Current) {
		// The last renewal was stopped before its end.
		app, err := d.finish(ctx, r)
		if err != nil || d.o.Clock.Now().Sub(r.Current.Certificate.NotBefore) < 24*time.Hour {
			return app, err
		}
	}
	interrupted := r.Next != nil && !d.ended(r.Next)
	if !interrupted {
		if r.Next, err = d.newPair(); err != nil {
			return d.app, err
		}
		if err := storeRow(ctx, d.o.Keys, r); err != nil {
			return d.app, err
		}
	}
	if interrupted {
		switch _, err := d.signIn(ctx, r.Next.Pair, time.Time{}); {
		case err == nil:
			return d.promote(ctx, r)
		case !problem.Has(err, problem.CertificateUnknown):
			return d.app, err
		}
	}
	if d.ended(r.Current) {
		ended := day(r.Current.Ends())
		if _, err := d.Prepare(ctx); err != nil {
			return d.app, err
		}
		return d.app, problem.New(problem.CertificateEnded, problem.Args{"ended": ended})
	}
	if err := d.addKey(ctx, r); err != nil {
		return d.app, err
	}
	if _, err := d.signIn(ctx, r.Next.Pair, d.o.Clock.Now().Add(settling)); err != nil {
		return d.app, err
	}
	return d.promote(ctx, r)
}

// promote takes the new pair into use and then takes the old certificate away.
func (d *Dedicated) promote(ctx context.Context, r *row) (consent.Application, error) {
	r.Old, r.Current, r.Next = r.Current, r.Next, nil
	if err := storeRow(ctx, d.o.Keys, r); err != nil {
		return d.app, err
	}
	return d.finish(ctx, r)
}

// finish says which pair is in use and takes the old certificate away.
func (d *Dedicated) finish(ctx context.Context, r *row) (consent.Application, error) {
	app := d.app
	app.Thumbprint, app.Ends = r.Current.Thumbprint(), r.Current.Ends()
	if err := d.save(ctx, app); err != nil {
		return d.app, err
	}
	if r.Old != nil && !d.ended(r.Old) {
		if err := d.removeKey(ctx, r); err != nil {
			return d.app, err
		}
	}
	r.Old = nil
	return d.app, storeRow(ctx, d.o.Keys, r)
}

// asSelf makes the way to Graph of the application itself.
func (d *Dedicated) asSelf(key *certificate.Pair) (*graph, error) {
	tokens, err := d.o.AsApplication(d.app.ID, key)
	if err != nil {
		return nil, err
	}
	return newGraph(d.o.Connection.Graph, d.o.HTTP, tokens, nil, d.o.Clock, d.o.Log)
}

// addKey registers the next certificate, proven by the current key.
func (d *Dedicated) addKey(ctx context.Context, r *row) error {
	g, err := d.asSelf(r.Current.Pair)
	if err != nil {
		return err
	}
	proof, err := d.proof(r.Current.Pair)
	if err != nil {
		return err
	}
	send := func(id *uuid.UUID) error {
		key := models.NewKeyCredential()
		key.SetTypeEscaped(new("AsymmetricX509Cert"))
		key.SetUsage(new("Verify"))
		key.SetKey(r.Next.Certificate.Raw)
		if id != nil {
			key.SetKeyId(id)
		}
		body := applications.NewItemAddKeyPostRequestBody()
		body.SetKeyCredential(key)
		body.SetPasswordCredential(nil)
		body.SetProof(&proof)
		var added registered
		info, err := applications.NewApplicationsRequestBuilderInternal(g.sdk()).ByApplicationId(d.app.Object).AddKey().ToPostRequestInformation(ctx, body, nil)
		asked, err := g.bytes(&added, info, err)
		if err != nil {
			return err
		}
		asked.once = true
		if err = g.do(ctx, asked); err == nil && added.KeyID != "" {
			r.Next.KeyID = added.KeyID
		}
		return err
	}
	if id, bad := uuid.Parse(r.Next.KeyID); bad == nil {
		err = send(&id)
	} else {
		err = send(nil)
	}
	if no := refusalOf(err); no != nil && no.Status == http.StatusBadRequest && !no.has(tooLong...) && !no.has(typeForbidden) {
		// The documentation names three properties; keyId is a fourth.
		err = send(nil)
	}
	no := refusalOf(err)
	if no == nil {
		if err != nil {
			return err
		}
		return storeRow(ctx, d.o.Keys, r) // with the keyId it got
	}
	p := policyOr(no, r.Next.Ends(), func() *problem.Problem {
		return problem.Wrap(err, problem.ProofRefused, problem.Args{"answer": no.Message})
	}).WithUpstream(no.Upstream)
	if p.Code == problem.CertificateTooLong {
		// Never registered: the next one may have a shorter life.
		r.Next = nil
		if err := storeRow(ctx, d.o.Keys, r); err != nil {
			return err
		}
	}
	return p
}

// removeKey takes the old certificate away, proven by the current key. Whether
// it was taken away before is asked of the old key itself: it does not sign in.
func (d *Dedicated) removeKey(ctx context.Context, r *row) error {
	g, err := d.asSelf(r.Current.Pair)
	if err != nil {
		return err
	}
	proof, err := d.proof(r.Current.Pair)
	if err != nil {
		return err
	}
	stays := problem.Args{"thumbprint": r.Old.Thumbprint(), "ends": day(r.Old.Ends())}
	id, err := uuid.Parse(r.Old.KeyID)
	if err != nil {
		return problem.Wrap(err, problem.OldCertificateStays, stays)
	}
	body := applications.NewItemRemoveKeyPostRequestBody()
	body.SetKeyId(&id)
	body.SetProof(&proof)
	err = applications.NewApplicationsRequestBuilderInternal(g.sdk()).ByApplicationId(d.app.Object).RemoveKey().Post(ctx, body, nil)
	no := refusalOf(err)
	if no == nil {
		return err
	}
	if _, gone := d.signIn(ctx, r.Old.Pair, time.Time{}); problem.Has(gone, problem.CertificateUnknown) {
		return nil
	}
	return problem.Wrap(err, problem.OldCertificateStays, stays).WithUpstream(no.Upstream)
}

// proof is a JWT that shows possession of a key, for addKey and removeKey. It
// begins a little earlier than now: the clock of this machine may be ahead.
func (d *Dedicated) proof(key *certificate.Pair) (string, error) {
	private, ok := key.Key.(*rsa.PrivateKey)
	if !ok {
		return "", problem.New(problem.KeyPairUnreadable, problem.Args{"why": certificate.ErrNotRSA.Error()})
	}
	from := time.Now().Add(-2 * time.Minute)
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"aud": proofAudience, "iss": d.app.Object, "nbf": from.Unix(), "exp": from.Add(proofLife).Unix(),
	})
	sum := sha1.Sum(key.Certificate.Raw) //nolint:gosec // as above
	t.Header["x5t"], t.Header["kid"] = base64.RawURLEncoding.EncodeToString(sum[:]), key.Thumbprint()
	signed, err := t.SignedString(private)
	if err != nil {
		return "", problem.New(problem.Internal, problem.Args{"what": "sign a proof of possession"})
	}
	return signed, nil
}
