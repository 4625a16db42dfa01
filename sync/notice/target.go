package notice

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// Target is where notices are sent. Its address holds a token or a password: it is
// a secret, and only Where may be shown.
type Target struct {
	// Name is its name for users: small letters, digits, dots, hyphens,
	// underscores.
	Name string
	// Address is where notices go: https://… of a webhook, teams+https://… of a
	// Teams workflow, or a Shoutrrr address.
	Address secret.Text
	// Key signs the notices of a webhook; empty for none.
	Key secret.Text
	// Kinds are the kinds it gets; empty for all.
	Kinds []Kind
	// Connections are the connections whose notices it gets; empty for all.
	Connections []string
	// Language of its notices: en or ja.
	Language string
	// People: it gets the UPNs of users, not only their numbers.
	People bool
	Added  time.Time
}

// wants reports whether a target gets an event. A recovery goes to the targets that
// got the event that it ends.
func (t Target) wants(e Event) bool {
	if len(t.Connections) > 0 && !slices.Contains(t.Connections, e.Connection) {
		return false
	}
	if len(t.Kinds) == 0 {
		return true
	}
	if !slices.Contains(t.Kinds, e.Kind) {
		return false
	}
	return e.Kind != Recovered || slices.ContainsFunc(e.Was, func(k Kind) bool { return slices.Contains(t.Kinds, k) })
}

// Where returns the address without anything that may be secret: scheme and host,
// or the scheme alone if the host is a token.
func (t Target) Where() string { return redacted(t.Address.Reveal()) }

// The ways in which a target is reached.
type way uint8

const (
	byWebhook  way = iota // JSON over https
	byWorkflow            // an Adaptive Card to a Teams workflow
	byShoutrrr
)

// Limits of what a user types.
const (
	maxName    = 40
	maxAddress = 4096
)

var targetName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// Check returns the target in the form in which it is stored, or a problem. An
// address as Slack, Teams and Discord show it is changed to the one that notices
// are sent to. Nothing is sent.
func (t Target) Check() (Target, error) {
	if len(t.Name) > maxName || !targetName.MatchString(t.Name) {
		return t, problem.New(problem.TargetName, problem.Args{"target": t.Name})
	}
	for _, k := range t.Kinds {
		if !slices.Contains(Kinds(), k) {
			return t, problem.New(problem.TargetKind, problem.Args{"kind": string(k), "takes": kindList()})
		}
	}
	if t.Language == "" {
		t.Language = "en"
	}
	if t.Language != "en" && t.Language != "ja" {
		return t, problem.New(problem.UnknownLanguage, problem.Args{"language": t.Language})
	}
	address := strings.TrimSpace(t.Address.Reveal())
	if len(address) > maxAddress || strings.ContainsFunc(address, func(r rune) bool { return r <= 0x20 || r == 0x7f }) {
		return t, t.unusable(address, "spaces")
	}
	address = native(address)
	t.Address = secret.NewText(address)
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		// The parser's error quotes the address.
		return t, t.unusable(address, "not a URL")
	}
	switch how, err := wayOf(u); {
	case err != nil:
		return t, err
	case how == byShoutrrr:
		if insecure(u) && !loopbackHost(u.Hostname()) {
			return t, problem.New(problem.TargetInsecure, problem.Args{"target": t.Name, "where": t.Where()})
		}
		_, err := t.service()
		return t, err
	default:
		if u.Host == "" || u.Hostname() == "" {
			return t, t.unusable(address, "no host")
		}
		if plainHTTP(u) && !loopbackHost(u.Hostname()) {
			return t, problem.New(problem.TargetInsecure, problem.Args{"target": t.Name, "where": t.Where()})
		}
	}
	return t, nil
}

func (t Target) unusable(address, why string) error {
	return problem.New(problem.TargetAddress, problem.Args{"target": t.Name, "form": redacted(address), "why": why})
}

func kindList() string {
	names := make([]string, 0, len(Kinds()))
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// wayOf returns how an address is reached.
func wayOf(u *url.URL) (way, error) {
	scheme, inner, custom := strings.Cut(strings.ToLower(u.Scheme), "+")
	switch {
	case !custom && (scheme == "https" || scheme == "http"):
		return byWebhook, nil
	case scheme == "teams" && custom && (inner == "https" || inner == "http") && !connectorHost(u.Hostname()):
		return byWorkflow, nil
	case services()[scheme] != nil:
		return byShoutrrr, nil
	}
	return 0, problem.New(problem.TargetService, problem.Args{"scheme": u.Scheme, "takes": strings.Join(serviceNames(), ", ")})
}

// connectorHost reports whether host is one of Teams' old connectors, which take
// another card than workflows do.
func connectorHost(host string) bool {
	return strings.HasSuffix(strings.ToLower(host), ".webhook.office.com")
}

func plainHTTP(u *url.URL) bool {
	s := strings.ToLower(u.Scheme)
	return s == "http" || strings.HasSuffix(s, "+http")
}

// insecure reports whether an address has an option with which Shoutrrr's services
// turn off TLS, or the check of certificates.
func insecure(u *url.URL) bool {
	if plainHTTP(u) {
		return true
	}
	for key, values := range u.Query() {
		for _, v := range values {
			v = strings.ToLower(v)
			off := v == "yes" || v == "true" || v == "1" || v == "on" || v == "y" || v == "t"
			switch strings.ToLower(key) {
			case "disabletls", "skiptlsverify", "disabletlsverification", "skipverify", "insecureskipverify":
				if off {
					return true
				}
			case "scheme":
				if v == "http" {
					return true
				}
			}
		}
	}
	return false
}

// loopbackHost reports whether a host is this machine, by its name alone: no name
// is resolved.
func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// native changes an address as a service shows it to its users into the one that
// notices are sent to.
func native(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return address
	}
	host := strings.ToLower(u.Hostname())
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch {
	case host == "hooks.slack.com" && len(parts) == 4 && parts[0] == "services":
		return "slack://hook:" + parts[1] + "-" + parts[2] + "-" + parts[3] + "@webhook"
	case (host == "discord.com" || host == "discordapp.com") && len(parts) == 4 && parts[0] == "api" && parts[1] == "webhooks":
		return "discord://" + parts[3] + "@" + parts[2]
	case strings.HasSuffix(host, ".logic.azure.com"), strings.HasSuffix(host, ".api.powerplatform.com"), connectorHost(host):
		return "teams+" + address
	}
	return address
}

// shownHosts are the services of Shoutrrr whose addresses have a real host.
var shownHosts = []string{"generic", "gotify", "mattermost", "rocketchat", "smtp", "zulip"}

// redacted returns an address without anything that may be secret.
func redacted(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]{0,30}$`).MatchString(scheme) {
		return "***"
	}
	first, inner, custom := strings.Cut(strings.ToLower(scheme), "+")
	u, err := url.Parse(address)
	hosted := first == "https" || first == "http" || custom && (inner == "https" || inner == "http") || slices.Contains(shownHosts, first)
	if err != nil || !hosted || u.Host == "" || rest == "" {
		if services()[first] == nil && first != "https" && first != "http" {
			return "***"
		}
		return scheme + "://***"
	}
	return scheme + "://" + u.Host + "/***"
}

// secrets returns the pieces of an address that must never be shown: all but scheme
// and shown host, whole and in parts, as typed and decoded. Pieces of three
// characters or fewer are no secrets.
func secrets(address string) []string {
	var all []string
	add := func(s string) {
		if len(s) > 3 && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	if _, shown, ok := strings.Cut(redacted(address), "://"); ok {
		if host := strings.TrimSuffix(shown, "/***"); host != "***" {
			rest = strings.Replace(rest, host, "", 1)
		}
	}
	for _, whole := range []string{address, rest} {
		add(whole)
		if d, err := url.PathUnescape(whole); err == nil {
			add(d)
		}
		if d, err := url.QueryUnescape(whole); err == nil {
			add(d)
		}
	}
	for _, form := range slices.Clone(all)[min(1, len(all)):] {
		for _, cut := range []string{"/", "/?&=#@", "/?&=#@:", "/?&=#@:-,;"} {
			for _, piece := range strings.FieldsFunc(form, func(r rune) bool { return strings.ContainsRune(cut, r) }) {
				if strings.EqualFold(piece, "https") || strings.EqualFold(piece, "http") {
					continue
				}
				add(piece)
				if d, err := url.QueryUnescape(piece); err == nil {
					add(d)
				}
				add(url.QueryEscape(piece))
				add(url.PathEscape(piece))
			}
		}
	}
	// Longer ones first, so that a piece does not leave the rest of a longer one.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

var anyURL = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]+`)

// scrub makes a text from outside about an address fit to be shown: no address, and
// no piece of this one, in it; short, and on one line.
func (t Target) scrub(text string) string {
	text = anyURL.ReplaceAllString(text, "***")
	for _, s := range append(secrets(t.Address.Reveal()), secrets(t.Key.Reveal())...) {
		text = replaceFold(text, s, "***")
	}
	return shorten(text)
}
