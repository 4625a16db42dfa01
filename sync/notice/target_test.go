package notice

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"

	"github.com/hacsync/hacsync/sync/state/statetest"
)

func TestTarget_AddressesAsServicesShowThem(t *testing.T) {
	for typed, want := range map[string]string{
		"https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX":          "slack://hook:T00000000-B00000000-XXXXXXXXXXXXXXXXXXXXXXXX@webhook",
		"https://discord.com/api/webhooks/123456789012345678/aB3dEfGhIjKlMnOpQrStUvWxYz":         "discord://aB3dEfGhIjKlMnOpQrStUvWxYz@123456789012345678",
		" https://prod-01.japaneast.logic.azure.com:443/workflows/abc/triggers/x?sig=y\n":        "teams+https://prod-01.japaneast.logic.azure.com:443/workflows/abc/triggers/x?sig=y",
		"https://default1.01.environment.api.powerplatform.com/powerautomate/automations?sig=zz": "teams+https://default1.01.environment.api.powerplatform.com/powerautomate/automations?sig=zz",
		"https://ops.example/hook?token=1234":                                                    "https://ops.example/hook?token=1234",
		"smtp://mail.example:587/?from=a@b.example&to=c@b.example":                               "smtp://mail.example:587/?from=a@b.example&to=c@b.example",
		"http://127.0.0.1:8080/hook":                                                             "http://127.0.0.1:8080/hook",
		"http://[::1]:8080/hook":                                                                 "http://[::1]:8080/hook",
		"generic://127.0.0.1:8080/?disabletls=yes":                                               "generic://127.0.0.1:8080/?disabletls=yes",
	} {
		got, err := Target{Name: "x", Address: secret.NewText(typed)}.Check()
		if err != nil || got.Address.Reveal() != want || got.Language != "en" {
			t.Errorf("%s:\ngot  %s %v\nwant %s", typed, got.Address.Reveal(), err, want)
		}
	}
}

func TestTarget_RefusesWithWords(t *testing.T) {
	p, _ := message.New("en")
	for _, c := range []struct {
		target  Target
		address string
		want    problem.Code
	}{
		{Target{Name: "x"}, "http://ops.example/secret-part", problem.TargetInsecure},
		{Target{Name: "x"}, "http://localhost.evil.example/secret-part", problem.TargetInsecure},
		{Target{Name: "x"}, "teams+http://ops.example/secret-part", problem.TargetInsecure},
		{Target{Name: "x"}, "generic://ops.example/secret-part?disabletls=Yes", problem.TargetInsecure},
		{Target{Name: "x"}, "smtp://u:secret-part@mail.example/?from=a@b.c&to=c@d.e&skiptlsverify=true", problem.TargetInsecure},
		{Target{Name: "x"}, "ntfy://ops.example/secret-part?scheme=http", problem.TargetInsecure},
		{Target{Name: "x"}, "generic+http://ops.example/secret-part", problem.TargetInsecure},
		{Target{Name: "x"}, "gopher://ops.example/secret-part", problem.TargetService},
		{Target{Name: "x"}, "logger://secret-part", problem.TargetService},
		{Target{Name: "x"}, "file:///secret-part", problem.TargetService},
		{Target{Name: "x"}, "https:///secret-part", problem.TargetAddress},
		{Target{Name: "x"}, "https://ops.example/secret-part with space", problem.TargetAddress},
		{Target{Name: "x"}, "https://ops.example:port/secret-part", problem.TargetAddress},
		{Target{Name: "x"}, "secret-part", problem.TargetAddress},
		{Target{Name: "x"}, "", problem.TargetAddress},
		{Target{Name: "x"}, "slack://hook:secret-part@webhook", problem.TargetAddress},
		{Target{Name: "x"}, "discord://secret-part", problem.TargetAddress},
		{Target{Name: "x"}, "teams+https://a.webhook.office.com/webhookb2/secret-part", problem.TargetAddress},
		{Target{Name: "x"}, "telegram://secret-part@telegram?chats=1", problem.TargetService},
		{Target{Name: "x"}, "pushover://shoutrrr@secret-part", problem.TargetAddress},
		{Target{Name: "x"}, "smtp://mail.example/?from=secret-part&nonsense=1", problem.TargetAddress},
		{Target{Name: "x"}, "https://ops.example/" + strings.Repeat("secret-part", 500), problem.TargetAddress},
		{Target{Name: "Ops"}, "https://ops.example", problem.TargetName},
		{Target{Name: ""}, "https://ops.example", problem.TargetName},
		{Target{Name: strings.Repeat("x", 41)}, "https://ops.example", problem.TargetName},
		{Target{Name: "x", Kinds: []Kind{"everything"}}, "https://ops.example", problem.TargetKind},
		{Target{Name: "x", Language: "fr"}, "https://ops.example", problem.UnknownLanguage},
	} {
		c.target.Address = secret.NewText(c.address)
		_, err := c.target.Check()
		if !problem.Has(err, c.want) {
			t.Errorf("%s %s: %v, want %s", c.target.Name, c.address, err, c.want)
			continue
		}
		w := p.Problem(err)
		if all := w.What + w.Remedy + err.Error(); strings.Contains(all, "secret-part") || strings.Contains(all, "<no value>") {
			t.Errorf("%s: %s", c.address, all)
		}
	}
}

func TestTarget_ShowsWhereWithoutSecrets(t *testing.T) {
	for address, want := range map[string]string{
		"https://user:pw@ops.example:8443/hook/abcdef?token=1": "https://ops.example:8443/***",
		"slack://hook:T000-B000-X@webhook":                     "slack://***",
		"smtp://user:pw@mail.example:587/?from=a@b.c":          "smtp://mail.example:587/***",
		"teams+https://prod.logic.azure.com/workflows?sig=1":   "teams+https://prod.logic.azure.com/***",
		"discord://token@id":                                   "discord://***",
		"telegram://token@telegram?chats=1":                    "***",
		"pushover://shoutrrr:token@user":                       "pushover://***",
		"ntfy://topic":                                         "ntfy://***",
		"nonsense":                                             "***",
		"token:secret":                                         "***",
		"tokenlike://x":                                        "***",
		"://":                                                  "***",
	} {
		if got := (Target{Address: secret.NewText(address)}).Where(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	target := Target{Name: "x", Address: secret.NewText("https://ops.example/token"), Key: secret.NewText("token")}
	if s := fmt.Sprintf("%v %+v %#v", target, target, target); strings.Contains(s, "token") {
		t.Error(s)
	}
}

// Whatever text is written about an address, no piece of it is shown: as typed,
// decoded, percent-encoded, quoted by Go's own errors, in another case.
func TestTarget_ScrubLeavesNoPieceOfAnAddress(t *testing.T) {
	token := rapid.StringMatching(`[A-Za-z0-9_~][A-Za-z0-9_.~%+]{5,23}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := token.Draw(t, "a"), token.Draw(t, "b"), token.Draw(t, "c")
		form := rapid.SampledFrom([]string{
			"https://ops.example/%s/%s?sig=%s", "https://%s:%s@ops.example/x?%s", "slack://hook:%s-%s-%s@webhook",
			"discord://%s@%s?thread_id=%s", "zulip://%s:%s@zulip.example?stream=%s", "smtp://%s:%s@mail.example:587/?from=%s&to=x@y.example",
			"teams+https://prod.logic.azure.com/workflows/%s/%s?sig=%s", "gotify://ops.example/%s?title=%s&x=%s", "pushover://shoutrrr:%s@%s?devices=%s",
			"%s%s%s",
		}).Draw(t, "form")
		address := fmt.Sprintf(form, escaped(a), escaped(b), escaped(c))
		target := Target{Name: "x", Address: secret.NewText(address)}
		says := rapid.SampledFrom([]string{
			"Post \"%s\": dial tcp: lookup ops.example: no such host", "bad token %s", "sending %q failed", "%s",
			"x=\"%s\",y", "https://hooks.example/services/%s is gone", "Not Found: /%s",
		}).Draw(t, "says")
		pieces := []string{a, b, c, address}
		if form == "%s%s%s" { // it is unknown where one piece ends
			pieces = []string{address, address, address}
		}
		quoted := rapid.SampledFrom(pieces).Draw(t, "quoted")
		switch rapid.IntRange(0, 5).Draw(t, "as") {
		case 1:
			quoted = url.QueryEscape(quoted)
		case 2:
			quoted = url.PathEscape(quoted)
		case 3:
			quoted = strings.ToLower(quoted)
		case 4:
			quoted = strings.ToUpper(quoted)
		case 5:
			if d, err := url.QueryUnescape(quoted); err == nil {
				quoted = d
			}
		}
		got := strings.ToLower(target.scrub(fmt.Sprintf(says, quoted)))
		for _, p := range pieces {
			if strings.Contains(got, strings.ToLower(p)) && !ordinary(says, p) {
				t.Fatalf("%s in %s", p, got)
			}
		}
		_, err := target.Check()
		where := strings.ToLower(target.Where())
		hosts := "ops.example mail.example prod.logic.azure.com zulip.example"
		for _, p := range pieces[:3] {
			if strings.Contains(where, strings.ToLower(p)) && !strings.Contains(hosts, strings.ToLower(p)) {
				t.Fatalf("%s in %s", p, where)
			}
			if err == nil {
				continue
			}
			if text := strings.ToLower(err.Error()); strings.Contains(text, strings.ToLower(p)) && !strings.Contains(text, `takes="`) {
				t.Fatalf("%s in %s", p, text)
			}
		}
	})
}

// escaped makes a token fit for a place in a URL; what is a valid escape stays.
func escaped(s string) string {
	if _, err := url.PathUnescape(s); err == nil {
		return s
	}
	return strings.ReplaceAll(s, "%", "%25")
}

// ordinary: the sentence itself holds the piece.
func ordinary(says, piece string) bool {
	return strings.Contains(strings.ToLower(says), strings.ToLower(piece))
}

func TestBook_KeepsEveryTargetThatSeveralAdd(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		key := identity(t)
		stores := []*Book{bookOf(t, openStore(t, place), key), bookOf(t, openStore(t, place), key)}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if _, err := stores[i%2].Add(t.Context(), Target{
					Name: fmt.Sprintf("t%d", i), Address: secret.NewText("https://ops.example/" + secretPath),
				}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got, err := stores[0].Targets(t.Context())
		if err != nil || len(got) != 8 || got[7].Name != "t7" || got[7].Address.Reveal() != "https://ops.example/"+secretPath {
			t.Errorf("%v %v", got, err)
		}
		if _, err := stores[1].Add(t.Context(), Target{Name: "t3", Address: secret.NewText("https://ops.example")}); !problem.Has(err, problem.TargetExists) {
			t.Error(err)
		}
		if err := stores[1].Remove(t.Context(), "t9"); !problem.Has(err, problem.TargetUnknown) {
			t.Error(err)
		}
		for i := range 8 {
			all.Go(func() {
				if err := stores[i%2].Remove(t.Context(), fmt.Sprintf("t%d", i)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got, err := stores[0].Targets(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("%v %v", got, err)
		}
	})
}

// The row in the state shows nothing of an address.
func TestBook_IsSealed(t *testing.T) {
	s := openStore(t, statetest.NewFile(t))
	b := bookOf(t, s, identity(t))
	if _, err := b.Add(t.Context(), Target{Name: "ops-room", Address: secret.NewText("https://ops.example/" + secretPath), Key: secret.NewText("signing key")}); err != nil {
		t.Fatal(err)
	}
	sealed, _, err := s.Sealed(t.Context(), "", bookRow)
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{secretPath, "ops.example", "ops-room", "signing key"} {
		if strings.Contains(string(sealed), never) {
			t.Errorf("%s is in clear", never)
		}
	}
	if _, err := bookOf(t, s, identity(t)).Targets(t.Context()); !problem.Has(err, problem.TargetsSealed) || !errors.Is(err, secret.ErrOtherKey) {
		t.Errorf("%v", err)
	}
}

func TestDefuse_MarkupMentionsNoUserAndLinksNowhere(t *testing.T) {
	const name = "Evil <!channel> <https://evil.example|click> [x](https://evil.example) *b* `c` @everyone @all kim@midori.example & Co"
	slack := defuse(slackText, name)
	if strings.ContainsAny(slack, "<>*`") || !strings.Contains(slack, "&lt;!channel&gt;") || !strings.Contains(slack, "&amp; Co") {
		t.Error(slack)
	}
	md := defuse(markdown, name)
	for _, want := range []string{`\<\!channel\>`, `\[x\]\(https://evil.example\)`, `\*b\*`, "\\`c\\`"} {
		if !strings.Contains(md, want) {
			t.Errorf("no %s in %s", want, md)
		}
	}
	for _, m := range []markup{plainText, slackText, markdown} {
		got := defuse(m, name)
		if strings.Contains(got, "@everyone") || strings.Contains(got, "@all") || !strings.Contains(got, "kim@midori.example") {
			t.Error(got)
		}
	}
	if !slices.IsSorted(serviceNames()) || !slices.Contains(serviceNames(), "slack") || slices.Contains(serviceNames(), "logger") {
		t.Errorf("%v", serviceNames())
	}
}
