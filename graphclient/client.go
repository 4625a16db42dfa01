// Package graphclient is the destination over Microsoft Graph v1.0: it reads a
// tenant whole, looks at single accounts, and writes in batches of 20.
//
// It builds its requests and bodies with the request builders and models of
// msgraph-sdk-go, and sends them itself over a plain net/http transport: the
// SDK's own middleware stands in random order, repeats POSTs after a 504, and
// covers all waits with one timeout. Pages of users are decoded with
// encoding/json, which is ten times as fast as the SDK's parser.
//
// Two rules hold everywhere here. Reads are tried again, in one place (retry.go),
// because reading twice harms nobody. A write is one attempt: whether it may be
// sent again is for the run to decide, which has the journal. And a token goes
// to one host only: a link or redirect to any other is refused, not followed.
package graphclient

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
)

// Tokens gives access tokens for Graph. signin.Client does; a Token call is
// cheap while the last one is fresh.
type Tokens interface {
	// Token returns an access token that holds at least the scopes (bare names,
	// such as User.Read.All). Its errors are problems of family 1 or 4.
	Token(ctx context.Context, scopes ...string) (string, error)
}

// Renewer is implemented by Tokens that can replace a token which Graph refused
// although it had not expired.
type Renewer interface {
	// Renew obtains a new token. claims is the decoded claims challenge of the
	// refusal, empty without one.
	Renew(ctx context.Context, claims string, scopes ...string) (string, error)
}

// Replacer is a Renewer that is told which token was refused: of several
// requests that were refused with one token, the first replaces it for all.
type Replacer interface {
	// Replace is Renew, unless refused was replaced by another already.
	Replace(ctx context.Context, refused, claims string, scopes ...string) (string, error)
}

// Options are what a Client is made of.
type Options struct {
	// Graph is the host, such as https://graph.microsoft.com. Tokens are sent
	// nowhere else.
	Graph string
	// HTTP carries the requests; HTTPClient makes one. Redirects are not
	// followed whatever it says.
	HTTP   *http.Client
	Tokens Tokens
	// ReadScopes are asked for when reading; empty means none in particular
	// (an application's token has what was granted).
	ReadScopes []string
	// WriteScopes are asked for when writing.
	WriteScopes []string
	// SignedIn are everyone who signed in for the connection: marked, and so
	// never touched. Who the token belongs to is added by itself.
	SignedIn []directory.ID
	// Tenant is what is known of the tenant since it was set up: an application
	// may not read the organization, and needs not.
	Tenant directory.Tenant
	Clock  clock.Clock  // nil: the machine's
	Log    *slog.Logger // nil: nothing is logged
}

// Client is a tenant of Microsoft 365. It is safe for concurrent use.
type Client struct {
	host        string // scheme and host, as compared
	root        string // host + /v1.0
	http        *http.Client
	tokens      Tokens
	readScopes  []string
	writeScopes []string
	signedIn    map[directory.ID]bool
	known       directory.Tenant
	clock       clock.Clock
	log         *slog.Logger
}

var _ destination.Destination = (*Client)(nil)

// New makes a Client. It sends nothing yet.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.Graph)
	if err != nil {
		return nil, fmt.Errorf("address of Graph: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("address of Graph must be https://host, it is %q", o.Graph)
	}
	if o.HTTP == nil || o.Tokens == nil {
		return nil, fmt.Errorf("graphclient needs an HTTP client and tokens")
	}
	c := &Client{
		host:        u.Scheme + "://" + strings.ToLower(u.Host),
		http:        transport.Strict(o.HTTP),
		tokens:      o.Tokens,
		readScopes:  o.ReadScopes,
		writeScopes: o.WriteScopes,
		signedIn:    map[directory.ID]bool{},
		known:       o.Tenant,
		clock:       o.Clock,
		log:         o.Log,
	}
	c.root = c.host + "/v1.0"
	for _, id := range o.SignedIn {
		c.signedIn[directory.ID(strings.ToLower(string(id)))] = true
	}
	if c.clock == nil {
		c.clock = clock.Real()
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// HTTPClient makes the HTTP client for Graph and sign-in: see transport.Client.
func HTTPClient(caPEM string) (*http.Client, error) { return transport.Client(caPEM) }
