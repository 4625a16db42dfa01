// Package problem names what can go wrong, and what a sync leaves unchanged, by
// code and arguments. It holds no sentences: sync/message makes English or Japanese
// of a code and its arguments, so that a screen, a CSV, a notice and a JSON object
// have the same text. Start with Problem; the codes are in codes_<family>.go.
//
// Codes are HS-nnnn. The first digit is the family: 1 sign-in and grants, 2 source,
// 3 planning, 4 writing, 5 state and periodic sync, 9 ours. The number of a code is
// never used again for something else.
package problem

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Code is one kind of problem or skip, such as HS-3101.
type Code string

// Args are the facts that the text of a code needs: a UPN, a file, a line, a
// number. They are shown to users, so they never hold a secret.
type Args map[string]string

// Moment is a time as Args hold it. Texts show it with the function moment, in the
// reader's form and zone.
func Moment(t time.Time) string { return t.UTC().Format(MomentLayout) }

// MomentLayout is the layout of Moment.
const MomentLayout = "2006-01-02 15:04 MST"

// Class is what a caller may do about a problem.
type Class uint8

// The classes. The zero value is Fatal: what is not known to be harmless stops.
const (
	Fatal Class = iota // stop; trying again gives the same answer
	Retry              // the same request may succeed later
	Mend               // a user has to change something first
	Skip               // only this row is left as it is
)

// Group is who decides about a skip.
type Group uint8

// The groups, in the order shown.
const (
	LeftAlone   Group = iota + 1 // by rule
	NotWritable                  // Microsoft 365 would refuse it as it is, or it is a conflict
	NotHere                      // not for this domain
	LeftOut                      // by a user
)

// Upstream is the answer of the other side, kept to reproduce a customer's run.
type Upstream struct {
	Status     int           // HTTP status, 0 if there was no answer
	Code       string        // Graph or OAuth error code, such as ObjectConflict
	Message    string        // its text; for the log, never branched on
	RequestID  string        // request-id of Graph, or correlation ID of Entra ID
	Target     string        // the property the error names
	RetryAfter time.Duration // pause asked for, 0 if none
}

// Problem is an error with a code. Its Error text is for logs; users read the text
// of sync/message.
type Problem struct {
	Code     Code
	Args     Args
	Upstream *Upstream
	// Cause is the wrapped error, if any.
	Cause error
	// class overrides that of the code, if only the answer determines it.
	class *Class
}

// New makes a problem.
func New(code Code, args Args) *Problem { return &Problem{Code: code, Args: args} }

// Wrap makes a problem around err.
func Wrap(err error, code Code, args Args) *Problem {
	return &Problem{Code: code, Args: args, Cause: err}
}

// WithUpstream returns a copy of p that carries the other side's answer.
func (p *Problem) WithUpstream(u Upstream) *Problem {
	q := *p
	q.Upstream = &u
	return &q
}

// WithClass returns a copy of p whose class is c rather than that of its code.
func (p *Problem) WithClass(c Class) *Problem {
	q := *p
	q.class = &c
	return &q
}

// Class returns what a caller may do about p.
func (p *Problem) Class() Class {
	if p.class != nil {
		return *p.class
	}
	return p.Code.Class()
}

// Error returns code, arguments and cause in one line, for logs.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(string(p.Code))
	for _, k := range slices.Sorted(maps.Keys(p.Args)) {
		fmt.Fprintf(&b, " %s=%q", k, p.Args[k])
	}
	if u := p.Upstream; u != nil {
		fmt.Fprintf(&b, " status=%d upstream=%q request_id=%q", u.Status, u.Code, u.RequestID)
	}
	if p.Cause != nil {
		fmt.Fprintf(&b, ": %v", p.Cause)
	}
	return b.String()
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// Is makes errors.Is(err, problem.New(code, nil)) true for any problem of that
// code.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Code == p.Code && t.Args == nil && t.Cause == nil
}

// Of returns the outermost problem in err's chain, or nil.
func Of(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// Has reports whether err's outermost problem has one of the codes.
func Has(err error, codes ...Code) bool {
	p := Of(err)
	return p != nil && slices.Contains(codes, p.Code)
}

// Guarded reports whether err's outermost problem is that the guard cancels.
func Guarded(err error) bool {
	p := Of(err)
	return p != nil && p.Code.Guard()
}

// Stored is the form of a problem in journals and run logs.
type Stored struct {
	Code       Code   `json:"code"`
	Args       Args   `json:"args,omitempty"`
	Status     int    `json:"status,omitempty"`
	Upstream   string `json:"upstream,omitempty"`
	Message    string `json:"message,omitempty"`
	RequestID  string `json:"request_id,omitempty"`
	Target     string `json:"target,omitempty"`
	Underlying string `json:"underlying,omitempty"`
}

// Store returns p's stored form.
func (p *Problem) Store() *Stored {
	if p == nil {
		return nil
	}
	s := &Stored{Code: p.Code, Args: p.Args}
	if u := p.Upstream; u != nil {
		s.Status, s.Upstream, s.Message, s.RequestID, s.Target = u.Status, u.Code, u.Message, u.RequestID, u.Target
	}
	if p.Cause != nil {
		s.Underlying = p.Cause.Error()
	}
	return s
}

// Problem returns the problem of a stored form; nil for nil.
func (s *Stored) Problem() *Problem {
	if s == nil {
		return nil
	}
	p := New(s.Code, s.Args)
	if s.Status != 0 || s.Upstream != "" || s.RequestID != "" {
		p.Upstream = &Upstream{
			Status: s.Status, Code: s.Upstream, Message: s.Message, RequestID: s.RequestID, Target: s.Target,
		}
	}
	if s.Underlying != "" {
		p.Cause = errors.New(s.Underlying)
	}
	return p
}
