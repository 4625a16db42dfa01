package loopback

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Spec is one fault as it is written on a command line:
//
//	KIND[:OPTION,…]
//
// KIND is one of Kinds, or one of these with a value: slow=D (a pause of the clock
// before the answer), lag=D (reads show the state of so long ago), replica=D (for
// this time one replica does not know a user that was made or restored: 404 to
// writes and to every other read of it), and item=KIND, which matches only items of
// a batch; there missing and missing-after leave the item out of the answer, before
// or after its effect.
//
// Options: on=METHOD PATH?TEXT chooses calls (either part may be left out, * is any
// one segment, ** any rest, TEXT must be in the query); at=graph, authority or hac,
// by default graph; after=N lets the first N calls pass; count=N stops after N;
// p=0.05 with seed=N makes it random, the same for the same calls;
// retry-after=SECONDS and retry-after-date=SECONDS go with 429 and 503, status=N
// with no-error.
//
// Without on, a fault matches requests and the items of a batch alike.
type Spec struct {
	text  string
	kind  string
	items bool          // items of a batch only
	value time.Duration // of slow, lag and replica

	at           string
	method, path string
	query        string
	after, count int
	p            float64
	seed         int64
	retryAfter   int // seconds, -1 for none
	retryDate    bool
	status       int
}

// BadSpec reports what in a fault's text is not understood.
type BadSpec struct {
	Spec  string
	Part  string // the part that is wrong
	Takes string // what is allowed there
}

// Error is for logs only.
func (e *BadSpec) Error() string {
	return fmt.Sprintf("fault %q: %q stands where %s could", e.Spec, e.Part, e.Takes)
}

// Kinds returns the names of the faults that take no value, in the order shown.
func Kinds() []string {
	return []string{
		"401", "403", "404", "412", "429", "500", "503", "504", "conflict", "no-error", "html-500", "html-502", "cut-before",
		"500-after", "503-after", "504-after", "html-502-after", "cut-middle", "cut-after",
		"truncate", "empty", "malformed", "empty-page", "repeat-page", "drop-row", "wrong-count", "reorder",
	}
}

const (
	kindSlow    = "slow"
	kindLag     = "lag"
	kindReplica = "replica"
	kindItem    = "item"
	kindReorder = "reorder"
)

// String returns the text that the fault was made of.
func (s Spec) String() string { return s.text }

// Lag returns how far reads lag behind, 0 unless the fault is lag=D.
func (s Spec) Lag() time.Duration {
	if s.kind != kindLag {
		return 0
	}
	return s.value
}

// Replica returns for how long a replica does not know a new user, 0 unless the
// fault is replica=D.
func (s Spec) Replica() time.Duration {
	if s.kind != kindReplica {
		return 0
	}
	return s.value
}

// modelled reports whether the fault is a behaviour of the simulator itself, and
// not a change of its answers.
func (s *Spec) modelled() bool { return s.kind == kindLag || s.kind == kindReplica }

// ParseSpec reads a fault. Its errors are *BadSpec.
func ParseSpec(text string) (Spec, error) {
	s := Spec{text: text, at: "graph", p: 1, retryAfter: -1, status: 400}
	head, options, more := strings.Cut(text, ":")
	if err := s.readKind(head); err != nil {
		return Spec{}, err
	}
	if !more {
		return s, nil
	}
	if s.modelled() {
		return Spec{}, s.bad(":"+options, s.kind+"="+s.value.String())
	}
	given := map[string]bool{}
	for option := range strings.SplitSeq(options, ",") {
		name, value, has := strings.Cut(option, "=")
		if !has || given[name] || value == "" || !slices.Contains(s.options(), name) {
			return Spec{}, s.bad(option, strings.Join(s.options(), "=, ")+"=")
		}
		given[name] = true
		if err := s.readOption(name, value); err != nil {
			return Spec{}, err
		}
	}
	return s, nil
}

func (s *Spec) bad(part, takes string) error { return &BadSpec{Spec: s.text, Part: part, Takes: takes} }

// options returns those that go with the kind.
func (s *Spec) options() []string {
	all := []string{"on", "at", "after", "count", "p", "seed"}
	switch s.kind {
	case "429", "503", "503-after":
		all = append(all, "retry-after", "retry-after-date")
	case "no-error":
		all = append(all, "status")
	}
	return all
}

func (s *Spec) readKind(head string) error {
	name, value, valued := strings.Cut(head, "=")
	switch {
	case valued && (name == kindSlow || name == kindLag || name == kindReplica):
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 || d > 24*time.Hour {
			return s.bad(value, "500ms, 2s, 1m")
		}
		s.kind, s.value = name, d
		return nil
	case valued && name == kindItem:
		s.items = true
		switch value {
		case "missing":
			s.kind = "cut-before"
		case "missing-after":
			s.kind = "cut-after"
		case kindReorder:
			s.kind, s.items = kindReorder, false
		default:
			if !slices.Contains(itemKinds(), value) {
				return s.bad(value, strings.Join(itemKinds(), ", "))
			}
			s.kind = value
		}
		return nil
	case !valued && slices.Contains(Kinds(), name):
		s.kind = name
		return nil
	}
	return s.bad(head, strings.Join(append(Kinds(), "slow=2s", "lag=30s", "replica=30s", "item=KIND"), ", "))
}

// itemKinds returns those that may follow item=.
func itemKinds() []string {
	kinds := slices.DeleteFunc(Kinds(), func(k string) bool { return strings.HasPrefix(k, "cut-") })
	return append(kinds, "missing", "missing-after")
}

func (s *Spec) readOption(name, value string) error {
	number := func(from, to int) (int, error) {
		n, err := strconv.Atoi(value)
		if err != nil || n < from || n > to {
			return 0, s.bad(name+"="+value, fmt.Sprintf("%s=%d..%d", name, from, to))
		}
		return n, nil
	}
	var err error
	switch name {
	case "at":
		if !slices.Contains([]string{"graph", "authority", "hac"}, value) {
			return s.bad(name+"="+value, "at=graph, at=authority, at=hac")
		}
		s.at = value
	case "on":
		return s.readOn(value)
	case "after":
		s.after, err = number(0, 1e9)
	case "count":
		s.count, err = number(1, 1e9)
	case "p":
		p, bad := strconv.ParseFloat(value, 64)
		if bad != nil || !(p > 0 && p <= 1) { // not a number fails both comparisons
			return s.bad(name+"="+value, "0 < p <= 1")
		}
		s.p = p
	case "seed":
		n, bad := strconv.ParseInt(value, 10, 64)
		if bad != nil {
			return s.bad(name+"="+value, "seed=1")
		}
		s.seed = n
	case "retry-after":
		s.retryAfter, err = number(0, 86400)
	case "retry-after-date":
		s.retryDate = true
		s.retryAfter, err = number(0, 86400)
	case "status":
		s.status, err = number(400, 599)
	}
	return err
}

// readOn reads METHOD PATH?TEXT.
func (s *Spec) readOn(value string) error {
	const takes = "on=PATCH /users/*, on=GET /users?skiptoken, on=GET, on=/users/**"
	method, path, both := strings.Cut(value, " ")
	if !both && strings.HasPrefix(method, "/") {
		method, path = "*", method
	}
	path, s.query, _ = strings.Cut(path, "?")
	if method != "*" && !slices.Contains([]string{"GET", "POST", "PATCH", "PUT", "DELETE"}, method) ||
		both && path == "" || path != "" && !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \t\n") {
		return s.bad("on="+value, takes)
	}
	s.method, s.path = method, path
	return nil
}

// meets reports whether a fault matches a call. Paths are compared as they are in
// the request, without the version; names without regard to case.
func (s *Spec) meets(e Exchange) bool {
	if e.Service != s.at || s.items && e.Item == "" {
		return false
	}
	path, query, _ := strings.Cut(e.Path, "?")
	path = withoutVersion(path)
	if s.kind == kindReorder && (e.Item != "" || !strings.EqualFold(path, "/$batch")) {
		return false
	}
	if s.method != "" && s.method != "*" && s.method != e.Method {
		return false
	}
	if !strings.Contains(strings.ToLower(query), strings.ToLower(s.query)) {
		return false
	}
	return s.path == "" || fits(strings.Split(s.path, "/"), strings.Split(path, "/"))
}

func withoutVersion(path string) string {
	if rest, ok := strings.CutPrefix(path, "/v1.0/"); ok {
		return "/" + rest
	}
	return path
}

func fits(pattern, path []string) bool {
	for i, p := range pattern {
		switch {
		case p == "**":
			return true
		case i >= len(path):
			return false
		case p != "*" && !strings.EqualFold(p, path[i]):
			return false
		}
	}
	return len(pattern) == len(path)
}
