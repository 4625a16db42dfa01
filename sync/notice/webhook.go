package notice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

// sender sends one notice to one target. It is safe for concurrent use.
type sender struct {
	http    *http.Client
	timeout time.Duration // of one attempt, in real time
}

// Timeout is how long a target has to accept a notice.
const Timeout = 20 * time.Second

// SignatureHeader of a webhook holds "sha256=" and the HMAC-SHA256 of the body
// under the target's key, in hex.
const SignatureHeader = "X-Hacsync-Signature"

func newSender(transport http.RoundTripper, timeout time.Duration) *sender {
	if transport == nil {
		transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: Timeout,
			IdleConnTimeout:       30 * time.Second,
			MaxIdleConns:          16,
			ForceAttemptHTTP2:     true,
		}
	}
	if timeout <= 0 {
		timeout = Timeout
	}
	return &sender{timeout: timeout, http: &http.Client{Transport: transport, CheckRedirect: sameHost}}
}

var errElsewhere = errors.New("redirected")

// sameHost follows a redirect that repeats the request on the same host; any other
// would send the notice, and its address, to another party, or lose the body.
func sameHost(to *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > 3 || to.URL.Host != first.URL.Host || to.URL.Scheme != first.URL.Scheme || to.Method != first.Method {
		return errElsewhere
	}
	return nil
}

// send sends a notice to one target.
func (s *sender) send(ctx context.Context, p *message.Printer, t Target, id string, e Event) error {
	u, err := url.Parse(t.Address.Reveal())
	if err != nil {
		return t.unusable(t.Address.Reveal(), "not a URL")
	}
	how, err := wayOf(u)
	if err != nil {
		return err
	}
	w := Say(p, e, t.People)
	var body []byte
	switch how {
	case byShoutrrr:
		return s.shout(ctx, t, w)
	case byWorkflow:
		u.Scheme = strings.TrimPrefix(strings.ToLower(u.Scheme), "teams+")
		body, err = card(w)
	case byWebhook:
		body, err = payload(id, e, w, t.People)
	}
	if err != nil {
		return err
	}
	return s.post(ctx, t, u, body)
}

// note is the body that a webhook gets.
type note struct {
	Schema int `json:"schema"`
	// ID is the same for every attempt to deliver one notice, and for every
	// target of it.
	ID         string    `json:"id"`
	Kind       Kind      `json:"kind"`
	Connection string    `json:"connection"`
	Tenant     string    `json:"tenant"`
	TenantName string    `json:"tenant_name"`
	Domain     string    `json:"domain"`
	Run        int64     `json:"run"`
	At         time.Time `json:"at"`
	Title      string    `json:"title"`
	Text       string    `json:"text"`
	Code       string    `json:"code"`
	Numbers    Numbers   `json:"numbers"`
	Remedy     string    `json:"remedy"`
	Command    string    `json:"command"`
	Since      time.Time `json:"since,omitzero"`
	Ends       time.Time `json:"ends,omitzero"`
	Users      []string  `json:"users,omitempty"`
}

func payload(id string, e Event, w Words, people bool) ([]byte, error) {
	n := note{
		Schema: 1, ID: id, Kind: e.Kind, Connection: message.Clean(e.Connection), Tenant: message.Clean(e.Tenant),
		TenantName: message.Clean(e.TenantName), Domain: message.Clean(e.Domain), Run: e.Run, At: e.At.UTC(),
		Title: w.Title, Text: w.Text, Code: string(w.Code), Numbers: e.Numbers, Remedy: w.Remedy, Command: w.Command,
		Since: e.Since, Ends: e.Ends,
	}
	if e.Kind == Certificate {
		n.Numbers.Days = max(e.days(), 0)
	}
	n.Numbers.Percent = n.Numbers.percent()
	if people {
		for _, u := range e.Users[:min(len(e.Users), MaxUsers)] {
			n.Users = append(n.Users, message.Clean(u))
		}
	}
	return json.Marshal(n) // escapes <, > and & too
}

// card returns an Adaptive Card, the only thing that Teams' workflows post. Its
// lines are text runs, in which Teams reads no markup.
func card(w Words) ([]byte, error) {
	type run struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Weight string `json:"weight,omitempty"`
		Size   string `json:"size,omitempty"`
	}
	type block struct {
		Type    string `json:"type"`
		Inlines []run  `json:"inlines"`
	}
	type content struct {
		Schema  string  `json:"$schema"`
		Type    string  `json:"type"`
		Version string  `json:"version"`
		Body    []block `json:"body"`
	}
	type attachment struct {
		ContentType string  `json:"contentType"`
		Content     content `json:"content"`
	}
	blocks := []block{{"RichTextBlock", []run{{Type: "TextRun", Text: callNobody(w.Title), Weight: "Bolder", Size: "Medium"}}}}
	for line := range strings.SplitSeq(w.Full(), "\n") {
		blocks = append(blocks, block{"RichTextBlock", []run{{Type: "TextRun", Text: callNobody(line)}}})
	}
	return json.Marshal(struct {
		Type        string       `json:"type"`
		Attachments []attachment `json:"attachments"`
	}{"message", []attachment{{
		"application/vnd.microsoft.card.adaptive",
		content{"http://adaptivecards.io/schemas/adaptive-card.json", "AdaptiveCard", "1.2", blocks},
	}}})
}

// post sends a body and accepts a 2xx as success, nothing else.
func (s *sender) post(ctx context.Context, t Target, u *url.URL, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return t.unusable(t.Address.Reveal(), "not a URL")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "hacsync")
	if key := t.Key.Reveal(); key != "" {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(body)
		req.Header.Set(SignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	answer, err := s.http.Do(req)
	if err != nil {
		return s.unanswered(ctx, t, err)
	}
	defer func() { _ = answer.Body.Close() }()
	// Read, so that the connection can be used again; the content is not needed.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode/100 == 2 {
		return nil
	}
	status := strings.TrimSpace(strconv.Itoa(answer.StatusCode) + " " + http.StatusText(answer.StatusCode))
	p := problem.New(problem.NoticeRefused, problem.Args{"target": t.Name, "status": status})
	return p.WithUpstream(problem.Upstream{Status: answer.StatusCode, RetryAfter: retryAfter(answer.Header.Get("Retry-After"))})
}

// unanswered returns the problem of a request without an answer. The client's error
// quotes the whole address, so it is not wrapped.
func (s *sender) unanswered(ctx context.Context, t Target, err error) error {
	if errors.Is(err, errElsewhere) {
		return problem.New(problem.NoticeRedirected, problem.Args{"target": t.Name, "where": t.Where()})
	}
	if ctx.Err() != nil {
		return s.late(ctx, t)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return problem.New(problem.NoticeUnreachable, problem.Args{
		"target": t.Name, "where": t.Where(), "why": t.scrub(err.Error()),
	})
}

// retryAfter reads seconds; a date is ignored, because it would need two clocks to
// be compared.
func retryAfter(s string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int(longest/time.Second))) * time.Second
}
