// Package notice reports to administrators what happened to a domain that is
// synchronised unattended: that it failed, that the guard cancelled it, that it
// stopped, that it recovered. Each is reported once, not every hour.
//
// Start with Teller. Tell and Recovered only store what happened, in the state that
// all workers share, and never wait for a network: of all workers that see the same
// event, one stores it. Run delivers what is stored to the targets (target.go,
// webhook.go, shout.go), and repeats a failed delivery for a while. Sentences come
// from sync/message, in the language of each target.
package notice

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// Kind is what a notice is about.
type Kind string

// The kinds. Failed, Guard, Drift and Stopped begin an episode of a domain, in
// which each is reported once; Recovered ends it.
const (
	Failed      Kind = "failed"      // a run failed, for the first time in this episode
	Guard       Kind = "guard"       // the guard cancelled a run
	Drift       Kind = "drift"       // a run was refused, because something changed meanwhile
	Stopped     Kind = "stopped"     // quarantine: the domain is not run any more
	Recovered   Kind = "recovered"   // a run succeeded after any of these
	Certificate Kind = "certificate" // of the dedicated application, near its end
	Held        Kind = "held"        // rows wait for a reviewer
	Questions   Kind = "questions"   // only a user can know whether an account and a row are one person
	Test        Kind = "test"        // a user tests whether notices arrive
)

// Kinds returns those that a target may choose from, in the order in which they are
// shown.
func Kinds() []Kind {
	return []Kind{Failed, Guard, Drift, Stopped, Recovered, Certificate, Held, Questions}
}

// episode returns the kinds that Recovered ends.
func episode() []Kind { return []Kind{Failed, Guard, Drift, Stopped} }

// Event is something that happened. Its texts may come from outside: they are
// cleaned when they are shown.
type Event struct {
	Kind       Kind      `json:"kind"`
	Tenant     string    `json:"tenant"` // tenant ID
	TenantName string    `json:"tenant_name,omitempty"`
	Connection string    `json:"connection"`
	Domain     string    `json:"domain,omitempty"` // empty for Certificate
	Run        int64     `json:"run,omitempty"`    // 0 for none
	At         time.Time `json:"at"`
	// Why is the problem behind it: for Failed, Drift and Stopped, and for Guard if
	// there is more to report than the numbers.
	Why *problem.Problem `json:"-"`
	// Numbers are the numbers of the kind.
	Numbers Numbers `json:"numbers"`
	// Set identifies the rows that are held, or the questions that are open, for
	// example by a digest of their keys: each set is reported once.
	Set string `json:"set,omitempty"`
	// Asked are open questions, as many of them as a notice names. Only a target
	// that asks for people gets them.
	Asked []Asked `json:"asked,omitempty"`
	// Ends is when the certificate ends.
	Ends time.Time `json:"ends,omitzero"`
	// Users are the UPNs of rows that are held or have drifted. Only a target that
	// asks for people gets them. At most MaxUsers are kept.
	Users []string `json:"users,omitempty"`
	// Since is when the episode that Recovered ends began, Was what began it.
	// Recovered fills them in.
	Since time.Time `json:"since,omitzero"`
	Was   []Kind    `json:"was,omitempty"`
}

// Asked is an open question.
type Asked struct {
	No      int    `json:"no"`
	Account string `json:"account"` // UPN
	// Rows are the rows that may be the account's person: Username, else UPN.
	Rows []string `json:"rows"`
	// For are the signs that support it, as package plan names them.
	For []string `json:"for,omitempty"`
}

// MaxUsers is how many UPNs a notice names, and MaxAsked how many questions.
const (
	MaxUsers = 20
	MaxAsked = 5
)

// Numbers are counts; what is 0 is left out of JSON.
type Numbers struct {
	// Guard: deletions (and sign-in blocks) compared with the destination users of
	// the domain, and the limits: in percent, and absolute (-1 or 0 for none).
	Deletions        int     `json:"deletions,omitempty"`
	DestinationUsers int     `json:"destination_users,omitempty"`
	Percent          float64 `json:"percent,omitempty"`
	LimitPercent     int     `json:"limit_percent,omitempty"`
	LimitCount       int     `json:"limit_count,omitempty"`
	// Guard, of changes that affect sign-in, with their own limit in percent.
	SignInChanges      int `json:"sign_in_changes,omitempty"`
	SignInLimitPercent int `json:"sign_in_limit_percent,omitempty"`
	// Failed and Stopped: how many runs failed in a row.
	Failures int `json:"failures,omitempty"`
	// Drift and Held: rows.
	Drifted int `json:"drifted,omitempty"`
	Held    int `json:"held,omitempty"`
	// Failed, after a sync that was begun: rows.
	RowsDone   int `json:"rows_done,omitempty"`
	RowsFailed int `json:"rows_failed,omitempty"`
	// Certificate: whole days that are left.
	Days int `json:"days,omitempty"`
	// Questions: those that are open, and the accounts and rows that wait for them;
	// what the run did without a user.
	Questions int `json:"questions,omitempty"`
	Accounts  int `json:"accounts,omitempty"`
	Rows      int `json:"rows,omitempty"`
	Added     int `json:"added,omitempty"`
	Updated   int `json:"updated,omitempty"`
	Renamed   int `json:"renamed,omitempty"`
	Restored  int `json:"restored,omitempty"`
	Deleted   int `json:"deleted,omitempty"`
	// Guard: accounts that lost their row in this read, and are held or asked about.
	Lost int `json:"lost,omitempty"`
}

// changes is what the run did.
func (n Numbers) changes() int { return n.Added + n.Updated + n.Renamed + n.Restored + n.Deleted }

// Notifier gets what periodic sync reports. No method waits for a network. Errors
// are those of the state: a notice that was not stored may be passed again the next
// time.
type Notifier interface {
	// Tell stores that something happened, unless it was reported already in this
	// episode (or, of a certificate, for this many days; of held rows, for this
	// set; of questions, until they change). A certificate that is not near its end
	// is not reported: Tell may be called with it every hour. An event of kind
	// Questions without any questions ends what was reported of them, and is
	// reported as a recovery.
	Tell(ctx context.Context, e Event) error
	// Recovered ends the domain's episode, and reports so to the targets that got
	// its beginning. Without an episode nothing happens, so it may be called after
	// every success.
	Recovered(ctx context.Context, e Event) error
	// Forget ends the domain's episode without a notice: a user released the
	// domain, and later failures are reported again.
	Forget(ctx context.Context, tenant, domain string) error
}

// Nobody is a Notifier that does nothing.
type Nobody struct{}

// Tell does nothing.
func (Nobody) Tell(context.Context, Event) error { return nil }

// Recovered does nothing.
func (Nobody) Recovered(context.Context, Event) error { return nil }

// Forget does nothing.
func (Nobody) Forget(context.Context, string, string) error { return nil }

// key identifies what is reported once. Domain names compare without regard to
// case.
func (e Event) key() string {
	parts := []string{string(e.Kind), e.Tenant}
	switch e.Kind {
	case Certificate:
		parts = append(parts, e.Connection, e.Ends.UTC().Format("20060102T150405"), e.threshold())
	case Held:
		parts = append(parts, strings.ToLower(e.Domain), e.Set)
	case Recovered:
		parts = append(parts, strings.ToLower(e.Domain), e.At.UTC().Format("20060102T150405.000000000"))
	case Failed, Guard, Drift, Stopped, Questions, Test:
		parts = append(parts, strings.ToLower(e.Domain))
	}
	return strings.Join(parts, "/")
}

// thresholds returns the days before a certificate's end at which it is reported; 0
// means that it has ended.
func thresholds() []int { return []int{0, 1, 7, 14, 30} }

// threshold returns the smallest of thresholds that the days left do not exceed, as
// text; empty while the end is further away. If several thresholds were passed
// since the last check, only the smallest is reported.
func (e Event) threshold() string {
	left := e.Ends.Sub(e.At)
	for _, days := range thresholds() {
		if left <= time.Duration(days)*24*time.Hour {
			return strconv.Itoa(days)
		}
	}
	return ""
}
