// Package graphclient is the destination over Microsoft Graph v1.0: it reads a
// tenant whole, looks at single accounts, and writes in batches of 20.
//
// What is small is read with the request builders and models of msgraph-sdk-go,
// over the adapter in package adapter. Pages of users and $batch are decoded with
// encoding/json, which is ten times as fast as the SDK's parser.
//
// Three rules hold everywhere here. A read is repeated in one place (retry.go),
// because a repeated read does no harm. A write is one attempt: the run decides
// whether to send it again, because the run has the journal. A token goes to one
// host only: a link or redirect to another host is refused.
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

// Replacer is a Renewer that learns which token was refused. If several requests
// were refused with one token, the first replaces it for all.
type Replacer interface {
	// Replace is Renew, unless refused was replaced by another already.
	Replace(ctx context.Context, refused, claims string, scopes ...string) (string, error)
}

// Options are what a Client is made of.
type Options struct {
	// Graph is the host, such as https://graph.microsoft.com. Tokens are sent to
	// this host only.
	Graph string
	// HTTP carries the requests; HTTPClient makes one. Redirects are never
	// followed, also if this client would follow them.
	HTTP   *http.Client
	Tokens Tokens
	// ReadScopes are asked for when reading; empty means none in particular
	// (an application's token has what was granted).
	ReadScopes []string
	// WriteScopes are asked for when writing.
	WriteScopes []string
	// SignedIn are the accounts that signed in for the connection. They are
	// marked, and so never changed. The account of the token is added to them.
	SignedIn []directory.ID
	// Tenant is what was read of the tenant when it was set up: an application
	// has no permission to read the organization.
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
