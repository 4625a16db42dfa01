// Package hacapi reads the users of HENNGE Access Control through its API. Start
// with New and API.Read.
//
// The API returns pages with a cursor to the next; it does not report how many
// users there are. A list is complete only if each page was as it should be and the
// last one had no cursor. Everything else is an error, never a shorter list: an
// answer of 401 or 404 in the middle, a page that is cut or is something else, a
// cursor that was used before, a user that appears twice because the list changed
// meanwhile.
//
// HENNGE publishes neither the names of the fields nor limits. The names are looked
// for under several spellings (Fields), and nothing is planned if no user has a UPN
// under any of them.
package hacapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
)

// Addresses of the API, as two clients that read it know them (josys_api_python and
// HENNGE's own log downloader).
const (
	DefaultBase     = "https://api.auth.hennge.com"
	DefaultTokenURL = "https://ap.ssso.hdems.com/oauth/token" //nolint:gosec // an address
	usersPath       = "/20230822/users"
	tokenPath       = "/oauth/token" //nolint:gosec // a path
)

// Options are where the API is and with which client it is read.
type Options struct {
	// Base is the address before /20230822/users; DefaultBase if empty.
	Base string
	// TokenURL is where tokens are issued. If empty: DefaultTokenURL for
	// DefaultBase, else Base and /oauth/token.
	TokenURL string
	// Client and Secret are those of an API client of the kind [HAC API] with
	// read-only access.
	Client string
	Secret secret.Text
	// HTTP sends the requests; it follows no redirects. If nil, one with the
	// system's proxy and certificates is used.
	HTTP *http.Client
	// Clock is the real one if nil.
	Clock clock.Clock
	// Log gets one line a page; nil for none.
	Log *slog.Logger
	// Count is the number of users that HAC's [User List] shows, 0 if it is not
	// known.
	Count int
	// Mappings are the custom attributes to be written.
	Mappings []source.Mapping
	// Fields are the names looked for; those of DefaultFields where empty.
	Fields Fields
}

// API is a HAC API. It is a source.Source and a source.Looker.
type API struct {
	o    Options
	http *http.Client
}

// New makes an API; nothing is sent before Read or Look.
func New(o Options) *API {
	if o.Base == "" {
		o.Base = DefaultBase
	}
	o.Base = strings.TrimRight(o.Base, "/")
	if o.TokenURL == "" {
		o.TokenURL = o.Base + tokenPath
		if o.Base == DefaultBase {
			o.TokenURL = DefaultTokenURL
		}
	}
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	client := &http.Client{}
	if o.HTTP != nil {
		*client = *o.HTTP
	}
	// A redirect would send the token to another host, or return a login page.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.Fields = o.Fields.orDefault()
	return &API{o: o, http: client}
}

// Identity returns which HAC the API reads: its host, and the path before the API's
// own.
func (a *API) Identity() string {
	u, err := url.Parse(a.o.Base)
	if err != nil || u.Host == "" {
		return a.o.Base
	}
	return strings.ToLower(u.Host) + strings.TrimSuffix(u.Path, "/")
}

// Name is the name for screens and logs.
func (a *API) Name() string { return "HAC API" }

// Renews is true: the API always has the current users.
func (a *API) Renews() bool { return true }

// Read reads all pages and checks that the last one was reached. Errors are
// problems of family 2, or ctx's.
func (a *API) Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*directory.Snapshot, error) {
	l, err := a.list(ctx, want, sink)
	if err != nil {
		return nil, err
	}
	if a.o.Count > 0 && a.o.Count != l.raw.Len() {
		return nil, problem.New(problem.SourceCount, problem.Args{
			"name": a.Name(), "rows": strconv.Itoa(l.raw.Len()), "expected": strconv.Itoa(a.o.Count),
		})
	}
	s, err := l.snapshot(int64(a.o.Count))
	if err != nil {
		return nil, source.Sealing(err, a.Name())
	}
	sink.Report(progress.Event{Phase: progress.Source, Done: s.Len(), Total: s.Len(), Ended: true})
	return s, nil
}

// Look reads all pages and returns what they contain.
func (a *API) Look(ctx context.Context) (*source.Overview, error) {
	l, err := a.list(ctx, directory.Standard(), progress.Discard)
	if err != nil {
		return nil, err
	}
	s, err := l.snapshot(0)
	if err != nil {
		return nil, source.Sealing(err, a.Name())
	}
	o := &source.Overview{Name: a.Name(), Rows: s.Len(), Domains: map[string]int{}, About: s.About(), Columns: l.recognised()}
	for u := range s.All() {
		_, domain := directory.SplitUPN(u.UPN())
		o.Domains[strings.ToLower(domain)]++
	}
	return o, nil
}

// list reads to the last page.
func (a *API) list(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*list, error) {
	base, err := usable(a.o.Base)
	if err == nil {
		_, err = usable(a.o.TokenURL)
	}
	if err != nil {
		return nil, err
	}
	if a.o.Client == "" || a.o.Secret.Empty() {
		return nil, problem.New(problem.HACCredentials, problem.Args{"url": a.o.Base})
	}
	l := newList(a, want)
	c := &caller{api: a, sink: sink}
	// Reading may take hours, but pages without users must not go on for ever.
	const mostEmpty = 100
	cursors, empty := map[string]bool{}, 0
	for cursor, number := "", 1; ; number++ {
		address := base + usersPath
		if cursor != "" {
			address += "?" + url.Values{"cursor": {cursor}}.Encode()
		}
		p, err := c.page(ctx, address, number)
		if err != nil {
			return nil, err
		}
		if err := l.add(p, number); err != nil {
			return nil, err
		}
		a.o.Log.DebugContext(ctx, "read a page of users", "page", number, "items", len(p.Items), "more", p.Cursor != "")
		sink.Report(progress.Event{Phase: progress.Source, Done: l.b.Len(), Total: a.total(l.b.Len())})
		if empty++; len(p.Items) > 0 {
			empty = 0
		}
		if p.Cursor == "" {
			l.pages, l.read = number, p.date
			break
		}
		if cursors[p.Cursor] || empty > mostEmpty {
			return nil, problem.New(problem.HACCursor, a.args(number))
		}
		cursor, cursors[p.Cursor] = p.Cursor, true
	}
	if l.read.IsZero() {
		l.read = a.o.Clock.Now()
	}
	if err := l.end(); err != nil {
		return nil, err
	}
	return l, nil
}

// total returns how many users there will be: the number that the user gave, or
// unknown.
func (a *API) total(done int) int {
	if a.o.Count > 0 {
		return max(a.o.Count, done)
	}
	return -1
}

// args returns those of a problem with a page; 0 means the request for a token.
func (a *API) args(page int) problem.Args {
	if page == 0 {
		return problem.Args{"url": a.o.TokenURL}
	}
	return problem.Args{"url": a.o.Base, "page": strconv.Itoa(page)}
}

// usable checks an address: a secret is sent there, so only TLS is accepted.
func usable(address string) (string, error) {
	u, err := url.Parse(address)
	if err == nil && (u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		err = errors.New("not a plain https address")
	}
	if err != nil {
		return "", problem.Wrap(err, problem.HACAddress, problem.Args{"url": address})
	}
	return address, nil
}

// page is one answer of the list.
type page struct {
	Items  []item
	Cursor string
	date   time.Time // the server's, zero if it sent none
}
