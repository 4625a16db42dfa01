package signin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/problem"
)

// clockTolerance is how far a clock may be off before it is named as the cause:
// Entra ID accepts five minutes.
const clockTolerance = 5 * time.Minute

// byNumber gives the AADSTS numbers that have words of their own. The source is
// Microsoft's list of authentication error codes.
func byNumber(number int) (problem.Code, bool) {
	code, ok := map[int]problem.Code{
		50011:   problem.RedirectWrong,
		16000:   problem.AccountNotInTenant,
		16003:   problem.AccountNotInTenant,
		50014:   problem.AccountNotInTenant,
		50020:   problem.AccountNotInTenant,
		51004:   problem.AccountNotInTenant,
		90072:   problem.AccountNotInTenant,
		50034:   problem.AccountUnknown,
		50053:   problem.AccountLocked,
		50055:   problem.AccountLocked,
		50144:   problem.AccountLocked,
		50057:   problem.AccountDisabled,
		50074:   problem.SecondFactor,
		50076:   problem.SecondFactor,
		50079:   problem.SecondFactor,
		50072:   problem.SecondFactor,
		50105:   problem.NotAssigned,
		50126:   problem.WrongPassword,
		50132:   problem.SessionRevoked,
		50133:   problem.SessionRevoked,
		50173:   problem.SessionRevoked,
		50158:   problem.ExternalChallenge,
		50097:   problem.DeviceNotFit,
		53000:   problem.DeviceNotFit,
		53001:   problem.DeviceNotFit,
		530002:  problem.DeviceNotFit,
		530003:  problem.DeviceNotFit,
		53003:   problem.BlockedByPolicy,
		53011:   problem.BlockedByPolicy,
		530032:  problem.BlockedByPolicy,
		530034:  problem.BlockedByPolicy,
		530035:  problem.BlockedByPolicy,
		530036:  problem.FlowBlocked,
		65001:   problem.ConsentMissing,
		65004:   problem.ConsentDeclined,
		70018:   problem.CodeUnknown,
		70019:   problem.CodeExpired,
		70020:   problem.CodeExpired,
		70043:   problem.SignInTooOld,
		700016:  problem.ClientUnknown,
		700011:  problem.ClientUnknown,
		700024:  problem.AssertionTime,
		700027:  problem.CertificateUnknown,
		70008:   problem.SignInUnused,
		700082:  problem.SignInUnused,
		7000215: problem.SecretWrong,
		7000222: problem.SecretWrong,
		7000218: problem.PublicFlowOff,
		1000502: problem.CertificateExpired,
		70001:   problem.ApplicationDisabled,
		7000112: problem.ApplicationDisabled,
		7000113: problem.ApplicationDisabled,
		90002:   problem.TenantUnknown,
		90093:   problem.AdminConsent,
		90094:   problem.AdminConsent,
		90095:   problem.AdminConsent,
		90099:   problem.ClientNotAuthorized,
		90038:   problem.OtherCloud,
		90043:   problem.OtherCloud,
		900382:  problem.OtherCloud,
		900432:  problem.OtherCloud,
		900439:  problem.OtherCloud,
		1000104: problem.OtherCloud,
		500021:  problem.TenantRestricted,
		500022:  problem.TenantRestricted,
		65005:   problem.AppNotSetUp,
		500011:  problem.AppNotSetUp,
		650052:  problem.AppNotSetUp,
		650056:  problem.AppNotSetUp,
		650057:  problem.AppNotSetUp,
	}[number]
	return code, ok
}

// byWord gives the OAuth errors that need no number.
func byWord(word string) (problem.Code, bool) {
	code, ok := map[string]problem.Code{
		"authorization_declined": problem.CodeDeclined,
		"access_denied":          problem.PageDeclined,
		"expired_token":          problem.CodeExpired,
		"code_expired":           problem.CodeExpired,
		"bad_verification_code":  problem.CodeUnknown,
	}[word]
	return code, ok
}

// aadsts finds the first number of Entra ID in a text, such as 53003 in
// "AADSTS53003: Access has been blocked".
func aadsts(text string) (int, bool) {
	const mark = "AADSTS"
	upper := strings.ToUpper(text)
	for {
		i := strings.Index(upper, mark)
		if i < 0 {
			return 0, false
		}
		upper = upper[i+len(mark):]
		end := strings.IndexFunc(upper, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(upper)
		}
		if n, err := strconv.Atoi(upper[:end]); err == nil && end >= 4 {
			return n, true
		}
	}
}

// failed turns an error of MSAL, with the HTTP answers that were recorded, into a
// problem of family 1, or of family 4 for a network error. If ctx has ended, its cause
// is returned unchanged.
func (d *desk) failed(ctx context.Context, err error, w *watch) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p := problem.Of(err); p != nil {
		return p
	}
	if errors.Is(err, errVault) {
		return problem.Wrap(err, problem.SavedDataUnreadable, problem.Args{"why": err.Error()})
	}
	if w.trouble != nil {
		return w.trouble
	}
	if w.polling && errors.Is(err, context.DeadlineExceeded) {
		return problem.New(problem.CodeExpired, nil) // the code's own end
	}
	if w.last != nil && !w.last.pending() {
		return d.withClock(d.refused(w.last))
	}
	if w.granted != nil {
		var short []string
		for _, full := range w.asked {
			bare := full[strings.LastIndexByte(full, '/')+1:]
			if !claims.Covers(w.granted, bare) && !claims.Covers(w.granted, full) {
				short = append(short, bare)
			}
		}
		if len(short) > 0 {
			return problem.New(problem.ScopesShort, problem.Args{"permissions": strings.Join(short, ", ")})
		}
	}
	// MSAL puts an answer that it cannot read into its error, with the tokens. So
	// nothing of a good answer is passed on, and of another the first line only.
	detail := firstLine(err.Error())
	if w.granted != nil {
		detail = "token answer"
	}
	return problem.Wrap(errors.New(detail), problem.SignInBroken, problem.Args{"host": d.http.host, "detail": detail})
}

func (f *refusal) pending() bool {
	return f.Error == "authorization_pending" || f.Error == "slow_down"
}

// refused names an error answer.
func (d *desk) refused(f *refusal) *problem.Problem {
	number, found := aadsts(f.Description)
	if !found && len(f.Numbers) > 0 {
		number = f.Numbers[0]
	}
	u := problem.Upstream{
		Status: f.Status, Code: f.Error, Message: f.Description, RequestID: f.Correlation, Target: f.Suberror,
	}
	if number != 0 {
		u.Code = fmt.Sprintf("AADSTS%d", number)
	}
	args := problem.Args{
		"number": "", "client": d.o.ClientID, "correlation": f.Correlation, "trace": f.Trace, "time": f.Time,
		"answer": firstLine(f.Description), "error": f.Error, "tenant": d.o.Tenant, "host": d.http.host,
		"status": strconv.Itoa(f.Status), "ended": "",
	}
	if number != 0 {
		args["number"] = strconv.Itoa(number)
	}
	code := problem.SignInRefused
	switch known, ok := byNumber(number); {
	case ok:
		code = known
		// The number is the same for a certificate that is not registered and for
		// one that has expired; only the text differs.
		if number == 700027 && strings.Contains(strings.ToLower(f.Description), "key used is expired") {
			code = problem.CertificateExpired
		}
	case number != 0:
		code = problem.SignInOther
	}
	if number == 0 || code == problem.SignInOther {
		if known, ok := byWord(f.Error); ok && (number == 0 || known != problem.PageDeclined) {
			code = known
		}
	}
	if code == problem.SignInRefused && f.Error == "" {
		code = problem.SignInBroken
		args["detail"] = fmt.Sprintf("HTTP %d", f.Status)
		if f.Status >= 500 || f.Status == 429 {
			code = problem.AuthorityTrouble
		}
	}
	return problem.New(code, args).WithUpstream(u)
}

// withClock names a wrong clock as the cause where it may well be: times in what
// was signed here, or codes and tokens that seem to have ended.
func (d *desk) withClock(p *problem.Problem) *problem.Problem {
	skew := d.http.skew()
	if d.o.Clock != clock.Real() || skew.Abs() < clockTolerance {
		return p
	}
	switch p.Code {
	case problem.AssertionTime, problem.SignInOther, problem.SignInRefused, problem.SignInTooOld, problem.CodeExpired, problem.CodeUnknown:
	default:
		return p
	}
	direction := "ahead"
	if skew < 0 {
		direction = "behind"
	}
	q := problem.Wrap(p, problem.ClockOff, problem.Args{
		"minutes": strconv.Itoa(int(skew.Abs().Round(time.Minute).Minutes())), "direction": direction,
	})
	return q.WithUpstream(*p.Upstream)
}

// Explain finds the problem that a pasted error names: AADSTS53003, a whole
// sentence with such a number in it, or an OAuth word. nil if it names none.
func Explain(pasted string) *problem.Problem {
	args := problem.Args{
		"number": "", "client": "", "correlation": "", "trace": "", "time": "", "answer": firstLine(pasted), "error": "",
		"tenant": "", "ended": "", "host": "", "status": "",
	}
	text := strings.TrimSpace(pasted)
	if n, err := strconv.Atoi(text); err == nil && len(text) >= 5 && len(text) <= 7 {
		text = fmt.Sprintf("AADSTS%d", n) // the number alone
	}
	if number, ok := aadsts(text); ok {
		args["number"] = strconv.Itoa(number)
		if code, ok := byNumber(number); ok {
			return problem.New(code, args)
		}
		return problem.New(problem.SignInOther, args)
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		if code, ok := byWord(word); ok {
			return problem.New(code, args)
		}
	}
	return nil
}

// firstLine is what is shown of a text from elsewhere: its first line, without
// control characters and marks that turn the direction of writing.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	line, _, _ = strings.Cut(line, " Trace ID:") // shown apart
	line = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, line))
	const most = 300
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + ".."
	}
	return line
}
