package graphclient

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// Write sends at most 20 steps in one $batch, in one attempt. Only if Graph refuses
// the token of the whole batch, the token is replaced and the batch sent with the
// new one. Graph may carry out the steps of a batch in any order, so steps that
// depend on each other must be in different batches.
//
// An Outcome is Applied only if its item has a status of 2xx. It is NotDone only
// if it is certain that nothing happened: Graph said so for this item or for the
// batch as a whole, or not one byte was sent. In every other case (5xx, a missing
// item, a cut connection, an answer that makes no sense) it is Unknown, and the run
// looks at the account.
//
// The end of ctx does not stop a batch that was sent: its answer is worth more than
// the seconds it takes.
func (c *Client) Write(ctx context.Context, steps []plan.Step) []destination.Outcome {
	out := make([]destination.Outcome, len(steps))
	if len(steps) == 0 {
		return out
	}
	all := func(did destination.Did, date time.Time, why func(plan.Step) *problem.Problem) []destination.Outcome {
		for i, s := range steps {
			out[i] = destination.Outcome{Did: did, ID: s.Object.ID, ServerTime: date, Why: why(s)}
		}
		return out
	}
	same := func(p *problem.Problem) func(plan.Step) *problem.Problem {
		return func(plan.Step) *problem.Problem { return p }
	}
	if len(steps) > batchSize {
		return all(destination.NotDone, time.Time{}, same(problem.New(problem.Internal, problem.Args{"what": "more than 20 steps in one batch"})))
	}
	unsent := func(err error) []destination.Outcome {
		return all(destination.NotDone, time.Time{}, func(s plan.Step) *problem.Problem {
			if p := problem.Of(err); p != nil {
				return p
			}
			return problem.Wrap(err, problem.NeverSentWrite, problem.Args{"upn": nameOf(s)})
		})
	}
	if err := ctx.Err(); err != nil {
		return unsent(err)
	}
	token, err := c.tokens.Token(ctx, c.writeScopes...)
	if err == nil {
		err = ctx.Err() // the token took its time
	}
	if err != nil {
		return unsent(err)
	}

	// A step whose request cannot be built is refused alone.
	var items []item
	var at []int
	for i, s := range steps {
		it, err := c.writeItem(ctx, s)
		if err != nil {
			out[i] = destination.Outcome{
				Did: destination.NotDone, ID: s.Object.ID,
				Why: problem.Wrap(err, problem.Internal, problem.Args{"what": "request for " + nameOf(s)}),
			}
			continue
		}
		items, at = append(items, it), append(at, i)
	}
	if len(items) == 0 {
		return out
	}
	body, err := encodeBatch(c.root, items)
	for _, it := range items {
		wipe(it.body)
	}
	if err != nil {
		return unsent(problem.Wrap(err, problem.Internal, problem.Args{"what": "body of a batch"}))
	}
	r := request{method: http.MethodPost, url: "/$batch", body: body, scopes: c.writeScopes, needs: "User.ReadWrite.All", what: "POST /$batch"}
	started, sent := c.clock.Now(), time.Now()
	a, err := c.once(context.WithoutCancel(ctx), r, destination.WriteTime, token)
	late := false
	if err == nil && (a.status == http.StatusUnauthorized || claimsWanted(a)) {
		// The batch was refused as a whole and no item carried out, so this is
		// still the first attempt, within the time of one.
		if next, ok := c.renew(ctx, a, token, r.scopes); ok {
			c.log.InfoContext(ctx, "token replaced", "request", describe(r))
			token = next
			if left := destination.WriteTime - time.Since(sent); left > 0 && ctx.Err() == nil {
				a, err = c.once(context.WithoutCancel(ctx), r, left, token)
			} else {
				late = true // a sign-in took the time: the run looks at the accounts again first
			}
		}
	}
	wipe(body)

	settle := func(did destination.Did, why func(plan.Step) *problem.Problem) []destination.Outcome {
		for _, i := range at {
			out[i] = destination.Outcome{Did: did, ID: steps[i].Object.ID, ServerTime: a.date, Why: why(steps[i])}
		}
		return out
	}
	if late {
		return settle(destination.NotDone, func(s plan.Step) *problem.Problem {
			return problem.New(problem.NeverSentWrite, problem.Args{"upn": nameOf(s)})
		})
	}
	if err != nil {
		c.log.WarnContext(ctx, "batch of writes not answered", "items", len(items), "status", a.status, "problem", err.Error())
		return c.unanswered(err, a, settle)
	}
	if a.status != http.StatusOK {
		c.log.WarnContext(ctx, "batch of writes refused", "items", len(items), "status", a.status)
		return c.batchRefused(r, a, settle)
	}
	replies, err := decodeBatch(a, len(items))
	if err != nil {
		c.log.WarnContext(ctx, "answer to a batch of writes not understood", "items", len(items), "problem", err.Error())
		return c.unanswered(err, a, settle)
	}
	who, _ := claims.Read(token)
	for n, i := range at {
		out[i] = c.outcome(steps[i], replies[n], who)
		out[i].ServerTime = a.date
	}
	c.log.InfoContext(ctx, "batch of writes", "items", len(items), "took", c.clock.Now().Sub(started))
	return out
}

// unanswered is the outcome when no answer came for the batch as a whole.
func (c *Client) unanswered(err error, a answer, settle func(destination.Did, func(plan.Step) *problem.Problem) []destination.Outcome) []destination.Outcome {
	p := problem.Of(err)
	if a.status == 0 && transport.NeverSent(err) || p != nil && p.Code == problem.ForeignHost {
		return settle(destination.NotDone, func(plan.Step) *problem.Problem { return p })
	}
	return settle(destination.Unknown, func(s plan.Step) *problem.Problem {
		q := problem.Wrap(err, problem.NotAnswered, problem.Args{"upn": nameOf(s)})
		if p != nil && p.Upstream != nil {
			q = q.WithUpstream(*p.Upstream)
		}
		return q
	})
}

// batchRefused is the outcome when the batch as a whole was answered with an
// error: below 500 no item was looked at.
func (c *Client) batchRefused(r request, a answer, settle func(destination.Did, func(plan.Step) *problem.Problem) []destination.Outcome) []destination.Outcome {
	p := c.readProblem(r, a)
	if a.status >= 500 || a.status < 300 || a.status == http.StatusRequestTimeout {
		return settle(destination.Unknown, func(s plan.Step) *problem.Problem {
			return problem.New(problem.NotAnswered, problem.Args{"upn": nameOf(s)}).WithUpstream(*p.Upstream)
		})
	}
	return settle(destination.NotDone, func(s plan.Step) *problem.Problem {
		switch p.Code {
		case problem.PermissionMissing:
			return problem.New(problem.WriteNotAllowed, problem.Args{"upn": nameOf(s)}).WithUpstream(*p.Upstream)
		case problem.ReadRefused:
			return problem.New(problem.WriteRefused, problem.Args{
				"upn": nameOf(s), "status": p.Args["status"], "code": p.Args["code"], "answer": p.Upstream.Message,
			}).WithUpstream(*p.Upstream)
		}
		return p
	})
}

// outcome reads the answer to one step.
func (c *Client) outcome(s plan.Step, r *reply, who claims.Claims) destination.Outcome {
	o := destination.Outcome{ID: s.Object.ID}
	if r == nil {
		o.Why = problem.New(problem.NotAnswered, problem.Args{"upn": nameOf(s)})
		return o
	}
	if r.status >= 200 && r.status < 300 {
		if s.Verb == plan.Create {
			id, err := createdID(r.body)
			if err != nil {
				// The account may exist. Without its ID, only a look can find out.
				o.Why = problem.Wrap(err, problem.NotAnswered, problem.Args{"upn": nameOf(s)})
				return o
			}
			o.ID = id
		}
		o.Did = destination.Applied
		return o
	}
	u, details := c.refusal(r.answer())
	if r.status >= 500 && r.status != http.StatusNotImplemented || r.status < 400 || r.status == http.StatusRequestTimeout {
		o.Why = problem.New(problem.NotAnswered, problem.Args{"upn": nameOf(s)}).WithUpstream(u)
		return o
	}
	o.Did = destination.NotDone
	if r.status == http.StatusUnauthorized && claimsOf(r.header) == "" {
		// The batch was accepted with this token: the service behind it may lag.
		o.Why = problem.New(problem.ServerTrouble, problem.Args{"status": "401", "what": nameOf(s)}).WithUpstream(u)
		return o
	}
	o.Why = writeProblem(s, u, details, who.MayWriteUsers(), who.Principal())
	return o
}

// setting is what a step sets an attribute to.
func setting(s plan.Step, a directory.Attribute) (string, bool) {
	for _, c := range s.Set {
		if strings.EqualFold(string(c.Attribute), string(a)) {
			return c.New.Text, true
		}
	}
	return "", false
}

// nameOf is how messages name the account of a step.
func nameOf(s plan.Step) string {
	if s.Object.UPN != "" {
		return s.Object.UPN
	}
	if upn, ok := setting(s, directory.UserPrincipalName); ok {
		return upn
	}
	return string(s.Object.ID)
}

func createdID(body []byte) (directory.ID, error) {
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return "", err
	}
	if v.ID == "" {
		return "", errors.New("an answer to a create without id")
	}
	return directory.ID(lower(v.ID)), nil
}

// writeItem is the request of one step.
func (c *Client) writeItem(ctx context.Context, s plan.Step) (item, error) {
	if s.Verb != plan.Create && s.Object.ID == "" {
		return item{}, errors.New("a step on an account without object ID")
	}
	id := string(s.Object.ID)
	switch s.Verb {
	case plan.Create:
		body, err := userBody(s)
		return item{method: http.MethodPost, url: c.root + "/users", body: body}, err
	case plan.Patch, plan.PatchUPN:
		body, err := userBody(s)
		if err != nil {
			return item{}, err
		}
		at, err := c.userURL(ctx, id, nil)
		return item{method: http.MethodPatch, url: at, body: body}, err
	case plan.RestoreUser:
		return c.restoreItem(ctx, s)
	case plan.DeleteUser:
		at, err := c.deleteUserURL(ctx, id)
		return item{method: http.MethodDelete, url: at}, err
	}
	return item{}, errors.New("an unknown verb")
}

// restoreItem restores an account, under another UPN if the step sets one. The SDK's
// request has no body, so it is written here. autoReconcileProxyConflict is left false:
// true would remove addresses.
func (c *Client) restoreItem(ctx context.Context, s plan.Step) (item, error) {
	at, err := c.restoreURL(ctx, string(s.Object.ID))
	if err != nil {
		return item{}, err
	}
	it := item{method: http.MethodPost, url: at}
	upn, ok := setting(s, directory.UserPrincipalName)
	if !ok || upn == "" {
		return it, nil
	}
	it.body, err = json.Marshal(map[string]any{
		"newUserPrincipalName":       strings.TrimSpace(upn),
		"autoReconcileProxyConflict": false,
	})
	return it, err
}
