package graphclient

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// refusal reads what Graph said in an answer that is not a success.
func (c *Client) refusal(a answer) (problem.Upstream, []string) {
	at := a.date
	if at.IsZero() {
		at = c.clock.Now()
	}
	return transport.Refusal(a.status, a.header, a.body, at)
}

// seconds is the pause that Graph asked for, for messages.
func seconds(u problem.Upstream) string {
	return strconv.Itoa(int(u.RetryAfter.Seconds()))
}

// readProblem names an answer to a read that is not a success.
func (c *Client) readProblem(r request, a answer) *problem.Problem {
	u, _ := c.refusal(a)
	what, status := describe(r), strconv.Itoa(a.status)
	p := problem.New(problem.ReadRefused, problem.Args{"status": status, "code": u.Code, "what": what})
	switch {
	case a.status == http.StatusTooManyRequests:
		p = problem.New(problem.Throttled, problem.Args{"seconds": seconds(u)})
	case a.status == http.StatusUnauthorized && claimsOf(a.header) != "":
		p = problem.New(problem.ClaimsWanted, problem.Args{"host": c.hostname()})
	case a.status == http.StatusUnauthorized:
		p = problem.New(problem.TokenRefused, problem.Args{"host": c.hostname()})
	case a.status == http.StatusForbidden && (u.Code == "insufficient_claims" || claimsOf(a.header) != ""):
		p = problem.New(problem.ClaimsWanted, problem.Args{"host": c.hostname()})
	case a.status == http.StatusForbidden:
		p = problem.New(problem.PermissionMissing, problem.Args{"permission": r.needs, "what": what})
	case a.status == http.StatusProxyAuthRequired:
		p = problem.New(problem.ProxyFailed, problem.Args{"host": c.hostname(), "detail": "407 Proxy Authentication Required"})
	case a.status >= 500 && a.status != http.StatusNotImplemented, a.status == http.StatusRequestTimeout:
		p = problem.New(problem.ServerTrouble, problem.Args{"status": status, "what": what})
	}
	return p.WithUpstream(u)
}

// writeProblem names the refusal of one step. It reads codes and targets, because
// messages change. mayWrite says that the token holds the permission to write, so
// that a 403 is about the account and not about the permission. principal is the
// account whose quota counts.
func writeProblem(s plan.Step, u problem.Upstream, details []string, mayWrite bool, principal string) *problem.Problem {
	upn := nameOf(s)
	has := func(code string) bool {
		if strings.EqualFold(u.Code, code) {
			return true
		}
		for _, d := range details {
			if strings.EqualFold(d, code) {
				return true
			}
		}
		return false
	}
	refuse := func(code problem.Code, more ...string) *problem.Problem {
		args := problem.Args{"upn": upn}
		for i := 0; i+1 < len(more); i += 2 {
			args[more[i]] = more[i+1]
		}
		return problem.New(code, args).WithUpstream(u)
	}
	switch {
	case u.Status == http.StatusTooManyRequests:
		return problem.New(problem.Throttled, problem.Args{"seconds": seconds(u)}).WithUpstream(u)
	case u.Status == http.StatusUnauthorized:
		return refuse(problem.TokenRefused, "host", "Microsoft Graph")
	case has("Directory_QuotaExceeded"):
		return refuse(problem.QuotaExceeded, "principal", principal)
	case has("insufficient_claims"):
		return refuse(problem.ClaimsWanted, "host", "Microsoft Graph")
	case u.Status == http.StatusForbidden && has("Authorization_RequestDenied") && mayWrite:
		return refuse(problem.TargetProtected)
	case u.Status == http.StatusForbidden:
		return refuse(problem.WriteNotAllowed)
	case has("ObjectConflict"), has("Request_MultipleObjectsWithSameKeyValue"):
		return conflict(s, u, refuse)
	case u.Status == http.StatusNotFound:
		return refuse(problem.AccountGone)
	case u.Status == http.StatusConflict, u.Status == http.StatusLocked, has("Directory_ConcurrencyViolation"):
		return refuse(problem.Concurrent)
	case u.Status == http.StatusFailedDependency:
		return refuse(problem.NeverSentWrite)
	case has("Directory_ExpiredSubscription"), has("SubscriptionDisabled"):
		return refuse(problem.SubscriptionRefused)
	case u.Target != "":
		return badValue(s, u, has, refuse)
	}
	return refuse(problem.WriteRefused, "status", strconv.Itoa(u.Status), "code", u.Code, "answer", u.Message)
}

type refusal = func(problem.Code, ...string) *problem.Problem

// conflict names the value that another object has already.
func conflict(s plan.Step, u problem.Upstream, refuse refusal) *problem.Problem {
	target := leaf(u.Target)
	if target == "" {
		if _, ok := setting(s, directory.UserPrincipalName); ok {
			target = string(directory.UserPrincipalName)
		}
	}
	value, _ := setting(s, directory.Attribute(target))
	switch strings.ToLower(target) {
	case "userprincipalname":
		if value == "" {
			value = s.Object.UPN
		}
		return refuse(problem.ConflictUPN, "value", value)
	case "proxyaddresses", "mail", "signinnames", "identities":
		upn, _ := setting(s, directory.UserPrincipalName)
		if value == "" {
			value = upn
		}
		// Exchange makes addresses from other attributes. Graph does not say which
		// address is taken.
		return refuse(problem.ConflictAddress, "value", value, "change", changeOf(s))
	case "onpremisesimmutableid":
		return refuse(problem.ConflictImmutableID, "value", value)
	}
	return refuse(problem.ConflictOther, "attribute", target, "change", changeOf(s))
}

// changeOf is what a step sets, and to which values, for messages.
func changeOf(s plan.Step) string {
	all := make([]string, 0, len(s.Set))
	for _, c := range s.Set {
		all = append(all, strings.TrimSpace(string(c.Attribute)+" "+c.New.Text))
	}
	return strings.Join(all, ", ")
}

// badValue names the value that was refused.
func badValue(s plan.Step, u problem.Upstream, has func(string) bool, refuse refusal) *problem.Problem {
	target := leaf(u.Target)
	value, _ := setting(s, directory.Attribute(target))
	switch strings.ToLower(target) {
	case "passwordprofile", "password":
		return refuse(problem.PasswordRefused)
	case "onpremisesimmutableid":
		return refuse(problem.ImmutableIDRefused, "value", value)
	case "onpremisessyncenabled", "dirsyncenabled":
		return refuse(problem.SyncedRefused)
	case "userprincipalname":
		if has("DomainNotVerified") || has("InvalidDomain") {
			return refuse(problem.DomainRefused, "value", value)
		}
	}
	if has("InvalidLength") || has("PropertyValueTooLong") {
		return refuse(problem.ValueTooLong, "attribute", target, "value", value)
	}
	return refuse(problem.ValueRefused, "attribute", target, "value", value)
}

// leaf is the last part of a target such as passwordProfile/password.
func leaf(target string) string {
	if i := strings.LastIndexAny(target, "/."); i >= 0 {
		return target[i+1:]
	}
	return target
}
