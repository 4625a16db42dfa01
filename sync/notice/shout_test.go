package notice

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"

	"github.com/hacsync/hacsync/sync/state/statetest"
)

// internet replaces every host that Shoutrrr's services have in their code: they
// all use the default transport. Not for parallel tests.
func internet(t *testing.T, answer func(r *http.Request, body string) (int, string)) *[]string {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked = append(asked, r.Header.Get("X-Real")+" "+string(body))
		mu.Unlock()
		status, text := answer(r, string(body))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(local.Close)
	real := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = real })
	http.DefaultTransport = roundTripper(func(r *http.Request) (*http.Response, error) {
		there := r.Clone(r.Context())
		there.Header.Set("X-Real", r.Method+" "+r.URL.String())
		there.URL.Scheme, there.URL.Host = "http", strings.TrimPrefix(local.URL, "http://")
		return real.RoundTrip(there)
	})
	return &asked
}

// Addresses of services, each with tokens that must not be seen.
const (
	token1 = "AAAAbbbb1111CCCC"
	token2 = "DDDDeeee2222FFFF"
	token3 = "gggg3333HHHHiiii44445555"
)

func services4() map[string]string {
	return map[string]string{
		"slack":      "https://hooks.slack.com/services/" + strings.ToUpper(token1) + "/" + strings.ToUpper(token2) + "/" + token3,
		"slack-bot":  "slack://xoxb:123456789012-123456789012-" + token3 + "@C0123456",
		"discord":    "https://discord.com/api/webhooks/123456789012345678/" + token3,
		"pagerduty":  "pagerduty://events.pagerduty.com/" + "0123456789abcdef0123456789abcdef",
		"lark":       "lark://open.larksuite.com/" + token3,
		"wecom":      "wecom://693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa",
		"teams":      "https://midori.webhook.office.com/webhookb2/11111111-4444-4444-8444-cccccccccccc@22222222-4444-4444-8444-cccccccccccc/IncomingWebhook/33333333012222222222333333333344/44444444-4444-4444-8444-cccccccccccc/" + token3,
		"mattermost": "mattermost://chat.example/" + token3,
		"googlechat": "googlechat://chat.googleapis.com/v1/spaces/FOO/messages?key=" + token1 + "&token=" + token3,
		"ntfy":       "ntfy://user:" + token1 + "@ntfy.example/" + token3,
		"gotify":     "gotify://gotify.example/AbCdEfGhIjKlMnO",
		"pushover":   "pushover://shoutrrr:" + token1 + "@" + token2,
		"opsgenie":   "opsgenie://api.opsgenie.com/" + token3,
		"rocketchat": "rocketchat://chat.example/" + token1 + "/" + token2,
		"zulip":      "zulip://bot%40example.com:" + token1 + "@zulip.example/?stream=ops",
	}
}

func TestShoutrrr_ServicesGetNoMarkup(t *testing.T) {
	asked := internet(t, func(r *http.Request, _ string) (int, string) {
		switch real := r.Header.Get("X-Real"); {
		case strings.Contains(real, "hooks.slack.com"):
			return 200, "ok"
		case strings.Contains(real, "discord.com"):
			return 204, ""
		case strings.Contains(real, "opsgenie"):
			return 202, `{"ok":true,"status":1}`
		}
		return 200, `{"ok":true,"status":1,"id":1}`
	})
	wants := map[string]string{
		"slack": "POST https://hooks.slack.com/services/", "slack-bot": "POST https://slack.com/api/chat.postMessage",
		"discord": "POST https://discord.com/api/webhooks/123456789012345678/", "teams": "POST https://midori.webhook.office.com/webhookb2/",
		"googlechat": "POST https://chat.googleapis.com/v1/spaces/", "opsgenie": "POST https://api.opsgenie.com",
		"rocketchat": "POST https://chat.example/hooks/", "pushover": "POST https://api.pushover.net/", "zulip": "POST https://bot",
	}
	p, _ := message.New("ja")
	s := newSender(nil, 5*time.Second)
	e := failure("midori.example")
	e.TenantName = "<!channel> [みどり](https://evil.example) @everyone"
	for name, address := range services4() {
		if wants[name] == "" {
			continue // a transport of its own, or several requests
		}
		target, err := Target{Name: name, Address: secret.NewText(address)}.Check()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		before := len(*asked)
		if err := s.send(t.Context(), p, target, "id", e); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := strings.Join((*asked)[before:], "\n")
		if !strings.Contains(got, wants[name]) || !strings.Contains(got, "midori.example: 定期同期が失敗しました") && name != "zulip" && name != "pushover" {
			t.Errorf("%s: %s", name, got)
		}
		if strings.Contains(got, "<!channel>") || strings.Contains(got, "@everyone") {
			t.Errorf("%s reads markup: %s", name, got)
		}
	}
}

// Every service's errors are reported without any piece of its address: a host that
// cannot be reached (Go's errors quote the URL), and one that repeats what it was
// sent.
func TestShoutrrr_TroubleShowsNoToken(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(io.Discard) })
	p, _ := message.New("en")
	s := newSender(nil, 5*time.Second)
	try := func(how string) {
		for name, address := range services4() {
			target, err := Target{Name: name, Address: secret.NewText(address)}.Check()
			if err != nil {
				t.Fatal(err)
			}
			err = s.send(t.Context(), p, target, "id", failure("midori.example"))
			if err == nil {
				t.Errorf("%s %s: no error", how, name)
				continue
			}
			w := p.Problem(err)
			all := err.Error() + w.What + w.Remedy + fmt.Sprintf("%+v", err)
			for _, never := range append(secrets(target.Address.Reveal()), token1, token2, token3, strings.ToUpper(token1)) {
				if len(never) > 11 && strings.Contains(all, never) && !strings.Contains(target.Where(), never) {
					t.Errorf("%s %s: %s in %s", how, name, never, all)
				}
			}
			if !problem.Has(err, problem.NoticeNotSent) {
				t.Errorf("%s %s: %v", how, name, err)
			}
		}
	}
	real := http.DefaultTransport
	http.DefaultTransport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") })
	try("unreachable")
	http.DefaultTransport = real
	internet(t, func(r *http.Request, body string) (int, string) {
		return 400, r.Header.Get("X-Real") + " " + r.Header.Get("Authorization") + " " + body
	})
	try("repeated")
	if logged.Len() > 0 {
		t.Errorf("logged: %s", logged.String())
	}
}

// A Teams workflow gets an Adaptive Card of text runs, in which Teams reads no
// markup.
func TestWorkflow_IsSentACard(t *testing.T) {
	end := newEndpoint(t)
	p, _ := message.New("en")
	s := newSender(end.Client().Transport, time.Second)
	target, err := Target{Name: "teams", Address: secret.NewText("teams+" + end.URL + "/workflows/x?sig=" + secretPath)}.Check()
	if err != nil {
		t.Fatal(err)
	}
	e := failure("midori.example")
	e.TenantName = "[x](https://evil.example)"
	if err := s.send(t.Context(), p, target, "id", e); err != nil {
		t.Fatal(err)
	}
	var card struct {
		Type        string `json:"type"`
		Attachments []struct {
			ContentType string `json:"contentType"`
			Content     struct {
				Type string `json:"type"`
				Body []struct {
					Type    string `json:"type"`
					Inlines []struct {
						Type string `json:"type"`
						Text string `json:"text"`
					} `json:"inlines"`
				} `json:"body"`
			} `json:"content"`
		} `json:"attachments"`
	}
	if err := json.Unmarshal(end.got()[0], &card); err != nil {
		t.Fatal(err)
	}
	a := card.Attachments[0]
	if card.Type != "message" || a.ContentType != "application/vnd.microsoft.card.adaptive" || a.Content.Type != "AdaptiveCard" || len(a.Content.Body) < 4 {
		t.Errorf("%s", end.got()[0])
	}
	for i, b := range a.Content.Body {
		if b.Type != "RichTextBlock" || len(b.Inlines) != 1 || b.Inlines[0].Type != "TextRun" || b.Inlines[0].Text == "" {
			t.Errorf("%+v", b)
		}
		if i == 0 && b.Inlines[0].Text != "midori.example: periodic sync failed" {
			t.Errorf("%+v", b)
		}
	}
	if !strings.Contains(end.paths[0], "sig="+secretPath) {
		t.Error(end.paths[0])
	}
}

// generic, to a real server on loopback, by Shoutrrr itself.
func TestShoutrrr_GenericReachesARealServer(t *testing.T) {
	var got []string
	local := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.URL.Path+" "+string(body))
	}))
	defer local.Close()
	b := newBench(t, statetest.NewFile(t))
	b.add(t, Target{Name: "generic", Address: secret.NewText("generic://" + strings.TrimPrefix(local.URL, "http://") + "/hook?template=json&disabletls=yes")})
	b.tell(t, failure("midori.example"))
	b.flush(t)
	b.flush(t)
	if len(got) != 1 || !strings.HasPrefix(got[0], "/hook ") || !strings.Contains(got[0], `"title":"midori.example: periodic sync failed"`) {
		t.Errorf("%v", got)
	}
}

// mailServer is a small SMTP server on loopback.
type mailServer struct {
	net.Listener
	mu    sync.Mutex
	mails []string
	// refuse is the answer to RCPT, if not empty.
	refuse string
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailServer{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.serve(c)
		}
	}()
	return m
}

func (m *mailServer) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say("220 mail.example ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch command := strings.ToUpper(strings.TrimSpace(line)); {
		case strings.HasPrefix(command, "EHLO"):
			say("250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME")
		case strings.HasPrefix(command, "AUTH"):
			say("235 ok")
		case strings.HasPrefix(command, "RCPT") && m.refuse != "":
			say(m.refuse)
		case command == "DATA":
			say("354 go on")
			var body strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				body.WriteString(strings.TrimPrefix(line, "."))
			}
			m.mu.Lock()
			m.mails = append(m.mails, body.String())
			m.mu.Unlock()
			say("250 taken")
		case command == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestShoutrrr_MailReachesARealServer(t *testing.T) {
	server := newMailServer(t)
	b := newBench(t, statetest.NewFile(t))
	address := "smtp://ops:" + token1 + "@" + server.Addr().String() + "/?from=hacsync@midori.example&fromname=hacsync&to=a@midori.example,b@midori.example&usehtml=yes&auth=plain"
	b.add(t, Target{Name: "mail", Language: "ja", Address: secret.NewText(address)})
	e := failure("midori.example")
	e.TenantName = "みどり\r\nBcc: everyone@midori.example"
	b.tell(t, e)
	b.flush(t)
	b.flush(t)
	server.mu.Lock()
	defer server.mu.Unlock()
	if len(server.mails) != 2 {
		t.Fatalf("%d mails; %s", len(server.mails), b.logs.String())
	}
	var to []string
	for _, text := range server.mails {
		m, err := mail.ReadMessage(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		to = append(to, m.Header.Get("To"))
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || subject != "midori.example: 定期同期が失敗しました" || m.Header.Get("Bcc") != "" || !strings.HasPrefix(m.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%q %v %v", subject, err, m.Header)
		}
		body, _ := io.ReadAll(m.Body)
		if !strings.Contains(string(body), "HS-5018") || strings.Contains(text, token1) {
			t.Errorf("%s", body)
		}
	}
	slices.Sort(to)
	if !slices.Equal(to, []string{"a@midori.example", "b@midori.example"}) {
		t.Errorf("%v", to)
	}
}

func TestShoutrrr_MailThatIsRefusedIsTriedAgain(t *testing.T) {
	server := newMailServer(t)
	server.refuse = "550 no such user " + token1
	b := newBench(t, statetest.NewFile(t))
	if err := b.book.Remove(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	b.add(t, Target{Name: "mail", Address: secret.NewText("smtp://" + server.Addr().String() + "/?from=hacsync@midori.example&to=" + token1 + "@midori.example")})
	b.tell(t, failure("midori.example"))
	b.flush(t)
	list, err := b.teller.Undelivered(t.Context())
	if err != nil || len(list) != 1 || list[0].GivenUp || list[0].Next.IsZero() {
		t.Fatalf("%+v %v", list, err)
	}
	if all := fmt.Sprint(list[0].Why, b.logs.String()); strings.Contains(all, token1) || !strings.Contains(all, "550") {
		t.Error(all)
	}
}

// A service that never returns delays the caller no longer than the timeout.
func TestShoutrrr_IsLeftAloneAfterTheTimeout(t *testing.T) {
	release := make(chan struct{})
	local := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(local.Close)
	t.Cleanup(func() { close(release) })
	p, _ := message.New("en")
	s := newSender(nil, 200*time.Millisecond)
	start := time.Now()
	address := "generic://" + strings.TrimPrefix(local.URL, "http://") + "/x?disabletls=yes"
	err := s.send(t.Context(), p, Target{Name: "x", Address: secret.NewText(address)}, "id", failure("a.example"))
	if !problem.Has(err, problem.NoticeTooSlow) || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}
