package grants

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/applicationswithappid"
	"github.com/microsoftgraph/msgraph-sdk-go/applicationswithuniquename"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/rolemanagement"
	"github.com/microsoftgraph/msgraph-sdk-go/serviceprincipals"
	"github.com/microsoftgraph/msgraph-sdk-go/serviceprincipalswithappid"

	"github.com/hacsync/hacsync/graphclient/adapter"
	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// giving is one run of Give, as who signed in for it.
type giving struct {
	d   *Dedicated
	g   *graph
	r   *row
	who claims.Claims
	app consent.Application
	// made is when the youngest thing that later steps rest on was made.
	made time.Time
	// resource is Microsoft Graph's own service principal here, read once.
	resource models.ServicePrincipalable
}

// Give makes the application with its certificate and its service principal, and gives
// it every permission of the list, each read back. What exists already is kept, so the
// program may be killed at any moment and started again.
func (d *Dedicated) Give(ctx context.Context, granting consent.SignIn, tell func(consent.Given)) error {
	if _, err := d.Prepare(ctx); err != nil {
		return err
	}
	r, err := d.ready(ctx)
	if err != nil {
		return err
	}
	w, err := d.as(ctx, granting, d.Scopes())
	if err != nil {
		return err
	}
	w.r, w.app = r, d.app
	for _, grant := range d.List() {
		if grant.Kind == consent.Part && grant.Name == partSignIn {
			continue // Verify's
		}
		already, err := w.give(ctx, grant)
		switch {
		case err == nil:
			grant.State = consent.Granted
		case grant.Optional && problem.Of(err) != nil && problem.Of(err).Class() == problem.Mend:
			d.o.Log.WarnContext(ctx, "an optional permission was not given", "grant", grant.Name, "error", err.Error())
			grant.State = consent.Missing
		default:
			return err
		}
		if tell != nil {
			tell(consent.Given{Grant: grant, Already: already})
		}
		if err := d.save(ctx, w.app); err != nil {
			return err
		}
	}
	for _, other := range d.o.Others {
		key := credential{cert: other}
		_, err := w.step(ctx, part(partCertificate), key.look(w), key.give(w))
		if err != nil {
			return err
		}
	}
	d.since = d.o.Clock.Now()
	return nil
}

// as makes the way to Graph of a person.
func (d *Dedicated) as(ctx context.Context, in consent.SignIn, scopes []string) (*giving, error) {
	tokens, err := d.o.AsPerson(in)
	if err != nil {
		return nil, err
	}
	g, err := newGraph(d.o.Connection.Graph, d.o.HTTP, tokens, scopes, d.o.Clock, d.o.Log)
	if err != nil {
		return nil, err
	}
	who, err := g.who(ctx)
	if err != nil {
		return nil, err
	}
	if want := d.o.Connection.Tenant; elsewhere(who.Tenant, want) {
		return nil, problem.New(problem.OtherTenant, problem.Args{"upn": who.Username(), "tenant": who.Tenant, "expected": want})
	}
	return &giving{d: d, g: g, who: who, app: d.app}, nil
}

// give takes one step of the list.
func (w *giving) give(ctx context.Context, grant consent.Grant) (already bool, err error) {
	switch {
	case grant.Kind == consent.AppRole:
		return w.appRole(ctx, grant)
	case grant.Kind == consent.DirectoryRole:
		return w.directoryRole(ctx, grant)
	case grant.Name == partApplication:
		return w.step(ctx, grant, w.findApplication, w.makeApplication)
	case grant.Name == partCertificate:
		key := credential{cert: w.r.Current.Certificate, keyID: w.r.Current.KeyID}
		already, err = w.step(ctx, grant, key.look(w), key.give(w))
		if problem.Has(err, problem.CertificateTooLong) {
			// Never registered: the next one may have a shorter life.
			w.r.Current = nil
			if serr := storeRow(ctx, w.d.o.Keys, w.r); serr != nil {
				return false, serr
			}
		}
		if err == nil && key.found != "" && key.found != w.r.Current.KeyID {
			w.r.Current.KeyID = key.found
			err = storeRow(ctx, w.d.o.Keys, w.r)
		}
		return already, err
	default:
		return w.step(ctx, grant, w.findPrincipal, w.makePrincipal)
	}
}

// step looks; gives what is missing; and looks until it is seen. Every give here
// may be carried out twice without harm, so an answer that never came, and one
// that says there is one already, are settled by looking.
func (w *giving) step(ctx context.Context, grant consent.Grant, look func(context.Context) (bool, error), give func(context.Context) error) (already bool, err error) {
	seen, err := look(ctx)
	if err != nil || seen {
		return seen, w.refusal(grant, err)
	}
	end := w.d.o.Clock.Now().Add(settling)
	for looks, pauses := 0, 0; ; pauses++ {
		if looks%5 == 0 { // again after a while: a lost answer may have been a lost request
			err = give(ctx)
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		seen, lerr := look(ctx)
		switch {
		case lerr == nil && seen:
			return false, nil
		case exists(err):
			err = nil
			looks++ // there, and not shown yet
		case err != nil && !w.settles(err):
			return false, w.refusal(grant, err)
		case err != nil:
			w.d.o.Log.InfoContext(ctx, "the tenant does not know yet what was just made in it", "step", grant.Name, "error", err.Error())
		case lerr != nil:
			return false, w.refusal(grant, lerr)
		default:
			looks++
		}
		if !w.d.o.Clock.Now().Before(end) {
			return false, problem.New(problem.GrantNotSeen, problem.Args{"step": grant.Name})
		}
		if err := w.d.o.Clock.Sleep(ctx, min(time.Second<<min(pauses, 4), 15*time.Second)); err != nil {
			return false, err
		}
	}
}

// exists reports whether a refusal says that what was to be given is there. Of
// app roles Graph says so in words alone.
func exists(err error) bool {
	no := refusalOf(err)
	return no != nil && (no.Status == http.StatusConflict || no.Status == http.StatusBadRequest) &&
		(no.has("Request_MultipleObjectsWithSameKeyValue", "ObjectConflict") || strings.Contains(no.Message, "already exists"))
}

// settles reports whether a refusal may be due to the youth of what the request
// names: Entra ID makes it known everywhere within some minutes.
func (w *giving) settles(err error) bool {
	no := refusalOf(err)
	return no != nil && (no.Status == http.StatusBadRequest || no.Status == http.StatusNotFound) &&
		!no.has(tooLong...) && !no.has(typeForbidden) &&
		!w.made.IsZero() && w.d.o.Clock.Now().Sub(w.made) < settling
}

// What a policy of the tenant for applications answers.
var tooLong = []string{"CredentialInvalidLifetimeAsPerAppPolicy", "InvalidKeyEndDate", "KeyCredentialsInvalidEndDate"}

const typeForbidden = "CredentialTypeNotAllowedAsPerAppPolicy"

// refusal names what Graph refused; nil stays nil.
func (w *giving) refusal(grant consent.Grant, err error) error {
	no := refusalOf(err)
	if no == nil {
		return err
	}
	if no.Status == http.StatusForbidden {
		return problem.Wrap(err, problem.GrantRoleMissing, problem.Args{
			"upn": w.who.Username(), "step": grant.Name, "role": w.lacks(grant),
		}).WithUpstream(no.Upstream)
	}
	var ends time.Time
	if w.r != nil && w.r.Current != nil {
		ends = w.r.Current.Ends()
	}
	return policyOr(no, ends, func() *problem.Problem {
		return problem.Wrap(err, problem.GrantRefused, problem.Args{
			"step": grant.Name, "status": strconv.Itoa(no.Status), "code": no.Code, "answer": no.Message,
		})
	}).WithUpstream(no.Upstream)
}

// policyOr names a refusal by a policy for applications, else what or says.
// ends is the end of the certificate that was to be registered.
func policyOr(no *refusal, ends time.Time, or func() *problem.Problem) *problem.Problem {
	switch {
	case no.has(tooLong...):
		return problem.Wrap(no, problem.CertificateTooLong, problem.Args{"ends": day(ends), "answer": no.Message})
	case no.has(typeForbidden):
		return problem.Wrap(no, problem.CertificateForbidden, problem.Args{"answer": no.Message})
	}
	return or()
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

// lacks names the roles that the signed-in administrator is missing for granting, as
// far as the token shows; if it shows none, the role that the step needs.
func (w *giving) lacks(grant consent.Grant) string {
	held := func(any ...string) bool {
		return slices.ContainsFunc(w.who.Roles, func(id string) bool {
			return slices.Contains(append(any, globalAdministrator), strings.ToLower(id))
		})
	}
	const registers, gives = "Application Administrator", "Privileged Role Administrator"
	var lacking []string
	if !held(applicationAdmin, cloudAppAdmin) && !w.d.foreign() {
		lacking = append(lacking, registers)
	}
	if !held(privilegedRoleAdmin) {
		lacking = append(lacking, gives)
	}
	if len(w.who.Roles) > 0 && len(lacking) > 0 {
		return strings.Join(lacking, ", ")
	}
	if grant.Kind == consent.Part {
		return registers
	}
	return gives
}

// registration is what is read of an application.
type registration struct {
	ID      string    `json:"id"`
	AppID   string    `json:"appId"`
	Name    string    `json:"displayName"`
	Created time.Time `json:"createdDateTime"`
	Tags    []string  `json:"tags"`

	Keys []registered `json:"keyCredentials"`
}

// findApplication looks by the tag, and by an ID that a user named if that application
// belongs to hacsync. It never looks by the name, which any application may have.
func (w *giving) findApplication(ctx context.Context) (bool, error) {
	selected := []string{"id", "appId", "displayName", "createdDateTime", "tags", "keyCredentials"}
	root, sdk := w.g.sdk()
	byTag := func() (*kiota.RequestInformation, error) {
		return applicationswithuniquename.NewApplicationsWithUniqueNameRequestBuilderInternal(root, sdk, new(doubled(w.app.Tag))).
			ToGetRequestInformation(ctx, &applicationswithuniquename.ApplicationsWithUniqueNameRequestBuilderGetRequestConfiguration{
				QueryParameters: &applicationswithuniquename.ApplicationsWithUniqueNameRequestBuilderGetQueryParameters{Select: selected},
			})
	}
	byID := func() (*kiota.RequestInformation, error) {
		return applicationswithappid.NewApplicationsWithAppIdRequestBuilderInternal(root, sdk, new(doubled(w.app.ID))).
			ToGetRequestInformation(ctx, &applicationswithappid.ApplicationsWithAppIdRequestBuilderGetRequestConfiguration{
				QueryParameters: &applicationswithappid.ApplicationsWithAppIdRequestBuilderGetQueryParameters{Select: selected},
			})
	}
	for _, key := range []struct {
		value string
		named bool // by a user
		ask   func() (*kiota.RequestInformation, error)
	}{{w.app.Tag, false, byTag}, {w.app.ID, true, byID}} {
		if key.value == "" {
			continue
		}
		var a registration
		info, err := key.ask()
		r, err := w.g.bytes(&a, info, err)
		if err == nil {
			err = w.g.do(ctx, r)
		}
		if no := refusalOf(err); no != nil && no.Status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return false, err
		}
		if a.ID == "" || a.AppID == "" {
			return false, problem.New(problem.BrokenAnswer, problem.Args{"what": "GET /applications", "detail": "no ID"})
		}
		if w.app.Tag != "" && key.named && !w.ours(a) {
			continue
		}
		if !strings.EqualFold(w.app.ID, a.AppID) {
			w.app.Principal, w.app.Verified = "", time.Time{}
		}
		w.app.ID, w.app.Object, w.app.Name = strings.ToLower(a.AppID), strings.ToLower(a.ID), a.Name
		if now := w.d.o.Clock.Now(); a.Created.After(now.Add(-settling)) {
			w.made = now
		}
		return true, nil
	}
	return false, nil
}

// ours reports whether an application that a user named by its ID belongs to hacsync:
// it has our tag or our certificate, or has acted for the connection before. Without
// this check, a mistyped ID would give the application of another program our
// certificate, and the right to write users.
func (w *giving) ours(a registration) bool {
	return !w.app.Verified.IsZero() || slices.Contains(a.Tags, w.app.Tag) || slices.ContainsFunc(a.Keys, func(r registered) bool {
		return w.app.Thumbprint != "" && strings.EqualFold(r.Name, w.app.Thumbprint)
	})
}

// makeApplication makes it under its tag, or does nothing if that is there: the
// tag is a key of the directory, so there is never a second one.
func (w *giving) makeApplication(ctx context.Context) error {
	w.made = w.d.o.Clock.Now()
	a := models.NewApplication()
	a.SetDisplayName(&w.app.Name)
	a.SetSignInAudience(new("AzureADMyOrg"))
	a.SetTags([]string{w.app.Tag})
	headers := kiota.NewRequestHeaders()
	headers.Add("Prefer", "create-if-missing")
	root, sdk := w.g.sdk()
	_, err := applicationswithuniquename.NewApplicationsWithUniqueNameRequestBuilderInternal(root, sdk, new(doubled(w.app.Tag))).
		Patch(ctx, a, &applicationswithuniquename.ApplicationsWithUniqueNameRequestBuilderPatchRequestConfiguration{Headers: headers})
	return err
}

func (w *giving) findPrincipal(ctx context.Context) (bool, error) {
	sp, err := w.servicePrincipal(ctx, w.app.ID, "id", "appId")
	if no := refusalOf(err); no != nil && no.Status == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.app.Principal = strings.ToLower(adapter.Value(sp.GetId()))
	return w.app.Principal != "", nil
}

// servicePrincipal reads that of an application.
func (w *giving) servicePrincipal(ctx context.Context, app string, selected ...string) (models.ServicePrincipalable, error) {
	root, sdk := w.g.sdk()
	return serviceprincipalswithappid.NewServicePrincipalsWithAppIdRequestBuilderInternal(root, sdk, new(doubled(app))).
		Get(ctx, &serviceprincipalswithappid.ServicePrincipalsWithAppIdRequestBuilderGetRequestConfiguration{
			QueryParameters: &serviceprincipalswithappid.ServicePrincipalsWithAppIdRequestBuilderGetQueryParameters{Select: selected},
		})
}

func (w *giving) makePrincipal(ctx context.Context) error {
	sp := models.NewServicePrincipal()
	sp.SetAppId(&w.app.ID)
	_, err := serviceprincipals.NewServicePrincipalsRequestBuilderInternal(w.g.sdk()).Post(ctx, sp, nil)
	if err == nil {
		w.made = w.d.o.Clock.Now()
	}
	return err
}

// graphItself reads the service principal of Microsoft Graph, whose app roles
// have the IDs of this cloud.
func (w *giving) graphItself(ctx context.Context) (models.ServicePrincipalable, error) {
	if w.resource != nil {
		return w.resource, nil
	}
	sp, err := w.servicePrincipal(ctx, graphApp, "id", "appRoles")
	if err != nil {
		return nil, err
	}
	w.resource = sp
	return sp, nil
}

func (w *giving) appRole(ctx context.Context, grant consent.Grant) (bool, error) {
	of, err := w.graphItself(ctx)
	if err != nil {
		return false, w.refusal(grant, err)
	}
	var role *uuid.UUID
	for _, r := range of.GetAppRoles() {
		if adapter.Value(r.GetValue()) == grant.Name && slices.Contains(r.GetAllowedMemberTypes(), "Application") {
			role = r.GetId()
		}
	}
	if role == nil {
		return false, problem.New(problem.PermissionUnknown, problem.Args{"permission": grant.Name})
	}
	principal, perr := uuid.Parse(w.app.Principal)
	resource, rerr := uuid.Parse(adapter.Value(of.GetId()))
	if err := errors.Join(perr, rerr); err != nil {
		return false, problem.Wrap(err, problem.BrokenAnswer, problem.Args{"what": "GET /servicePrincipals", "detail": "no ID"})
	}
	given := serviceprincipals.NewServicePrincipalsRequestBuilderInternal(w.g.sdk()).ByServicePrincipalId(w.app.Principal).AppRoleAssignments()
	return w.step(ctx, grant, func(ctx context.Context) (bool, error) {
		return found(ctx, given, &serviceprincipals.ItemAppRoleAssignmentsRequestBuilderGetRequestConfiguration{
			QueryParameters: &serviceprincipals.ItemAppRoleAssignmentsRequestBuilderGetQueryParameters{Top: new(int32(999))},
		}, func(a models.AppRoleAssignmentable) bool {
			return adapter.Value(a.GetAppRoleId()) == *role && adapter.Value(a.GetResourceId()) == resource
		})
	}, func(ctx context.Context) error {
		a := models.NewAppRoleAssignment()
		a.SetPrincipalId(&principal)
		a.SetResourceId(&resource)
		a.SetAppRoleId(role)
		_, err := given.Post(ctx, a, nil)
		return err
	})
}

func (w *giving) directoryRole(ctx context.Context, grant consent.Grant) (bool, error) {
	good := append(orRoles(grant.ID), grant.ID)
	given := rolemanagement.NewRoleManagementRequestBuilderInternal(w.g.sdk()).Directory().RoleAssignments()
	return w.step(ctx, grant, func(ctx context.Context) (bool, error) {
		return found(ctx, given, &rolemanagement.DirectoryRoleAssignmentsRequestBuilderGetRequestConfiguration{
			QueryParameters: &rolemanagement.DirectoryRoleAssignmentsRequestBuilderGetQueryParameters{
				Filter: new("principalId eq '" + doubled(w.app.Principal) + "'"),
			},
		}, func(a models.UnifiedRoleAssignmentable) bool {
			return adapter.Value(a.GetDirectoryScopeId()) == "/" && slices.Contains(good, strings.ToLower(adapter.Value(a.GetRoleDefinitionId())))
		})
	}, func(ctx context.Context) error {
		a := models.NewUnifiedRoleAssignment()
		a.SetPrincipalId(&w.app.Principal)
		a.SetRoleDefinitionId(&grant.ID)
		a.SetDirectoryScopeId(new("/"))
		_, err := given.Post(ctx, a, nil)
		return err
	})
}

// errFound ends the reading of a list at the entry that was looked for.
var errFound = errors.New("found")

// found reads a list to its last page, or until one entry is it. A list of
// something that is not known yet is empty.
func found[B adapter.Lists[B, Q, P], Q any, P adapter.Page[T], T any](ctx context.Context, b B, q *Q, is func(T) bool) (bool, error) {
	err := adapter.Each(ctx, b, q, func(v T) error {
		if is(v) {
			return errFound
		}
		return nil
	})
	no := refusalOf(err)
	switch {
	case errors.Is(err, errFound):
		return true, nil
	case no != nil && no.Status == http.StatusNotFound:
		return false, nil
	case errors.Is(err, adapter.ErrRepeats), errors.Is(err, adapter.ErrNull):
		return false, problem.Wrap(err, problem.BrokenAnswer, problem.Args{"what": "a list of what was granted", "detail": err.Error()})
	}
	return false, err
}
