package notice

import (
	"context"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/discord"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/googlechat"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/lark"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/mattermost"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/rocketchat"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/slack"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/teams"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/wecom"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/zulip"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/email/smtp"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/incident/opsgenie"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/incident/pagerduty"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/gotify"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/pushover"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/specialized/generic"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/hacsync/hacsync/sync/problem"
)

// service is one of Shoutrrr's, and how it is used.
type service struct {
	new func() types.Service
	// text is how the service interprets text.
	text markup
	// untitled: it has no field for a title, so the title becomes the first line.
	untitled bool
}

// services returns those of Shoutrrr that notices may be sent to, by scheme. Its
// router is not used: it writes addresses into its log, and it has services that
// write to the terminal. Two others are left out: telegram of v0.13.2 treats a
// message that was never sent as one that arrived, and matrix signs in when its
// address is read.
func services() map[string]*service {
	return map[string]*service{
		"discord":    {new: func() types.Service { return &discord.Service{} }, text: markdown},
		"generic":    {new: func() types.Service { return &generic.Service{} }},
		"googlechat": {new: func() types.Service { return &googlechat.Service{} }, text: slackText, untitled: true},
		"gotify":     {new: func() types.Service { return &gotify.Service{} }},
		"lark":       {new: func() types.Service { return &lark.Service{} }, untitled: true},
		"mattermost": {new: func() types.Service { return &mattermost.Service{} }, text: markdown, untitled: true},
		"ntfy":       {new: func() types.Service { return &ntfy.Service{} }, untitled: true}, // its title is a header: ASCII only
		"opsgenie":   {new: func() types.Service { return &opsgenie.Service{} }, untitled: true},
		"pagerduty":  {new: func() types.Service { return &pagerduty.Service{} }, untitled: true},
		"pushover":   {new: func() types.Service { return &pushover.Service{} }},
		"rocketchat": {new: func() types.Service { return &rocketchat.Service{} }, text: markdown, untitled: true},
		"slack":      {new: func() types.Service { return &slack.Service{} }, text: slackText},
		"smtp":       {new: func() types.Service { return &smtp.Service{} }},
		"teams":      {new: func() types.Service { return &teams.Service{} }, text: markdown},
		"wecom":      {new: func() types.Service { return &wecom.Service{} }, untitled: true},
		"zulip":      {new: func() types.Service { return &zulip.Service{} }, text: markdown, untitled: true},
	}
}

// serviceNames returns their schemes, sorted.
func serviceNames() []string { return slices.Sorted(maps.Keys(services())) }

// serviceOf returns the service of an address.
func serviceOf(u *url.URL) (string, *service) {
	scheme, _, _ := strings.Cut(strings.ToLower(u.Scheme), "+")
	return scheme, services()[scheme]
}

// service makes Shoutrrr's service for the target. Its errors quote the address, so
// they are returned without it. It gets no logger: it would log addresses and
// answers.
func (t Target) service() (s types.Service, err error) {
	address := t.Address.Reveal()
	defer func() {
		if recover() != nil { // a parser that panics on an unexpected address
			s, err = nil, t.unusable(address, "unusable")
		}
	}()
	u, err := url.Parse(address)
	if err != nil {
		return nil, t.unusable(address, "not a URL")
	}
	scheme, kind := serviceOf(u)
	if kind == nil {
		return nil, problem.New(problem.TargetService, problem.Args{"scheme": scheme, "takes": strings.Join(serviceNames(), ", ")})
	}
	s = kind.new()
	if strings.Contains(u.Scheme, "+") {
		custom, ok := s.(interface {
			GetConfigURLFromCustom(customURL *url.URL) (*url.URL, error)
		})
		if !ok {
			return nil, t.unusable(address, scheme+"+ …")
		}
		if u, err = custom.GetConfigURLFromCustom(u); err != nil {
			return nil, t.unusable(address, t.scrub(err.Error()))
		}
	}
	if scheme == "smtp" {
		q := u.Query()
		q.Del("usehtml")
		if _, has := u.User.Password(); has && !loopbackHost(u.Hostname()) {
			// A password never goes over a connection in clear.
			q.Set("requirestarttls", "yes")
		}
		u.RawQuery = q.Encode()
	}
	if err := s.Initialize(u, nil); err != nil {
		return nil, t.unusable(address, t.scrub(err.Error()))
	}
	return s, nil
}

// shout sends by Shoutrrr, whose services accept no context: one that does not
// return in time is abandoned, and ends by itself.
func (s *sender) shout(ctx context.Context, t Target, w Words) error {
	svc, err := t.service()
	if err != nil {
		return err
	}
	u, _ := url.Parse(t.Address.Reveal()) // service has checked that it parses
	scheme, kind := serviceOf(u)
	title, text := defuse(kind.text, w.Title), defuse(kind.text, w.Full())
	params := types.Params{}
	switch {
	case kind.untitled:
		text = title + "\n" + text
	case scheme == "smtp":
		// Headers are ASCII.
		params["title"] = mime.BEncoding.Encode("UTF-8", title)
	default:
		params["title"] = title
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil { // some panic on an answer that never came
				done <- problem.New(problem.NoticeNotSent, problem.Args{"target": t.Name, "where": t.Where(), "why": "no answer"})
			}
		}()
		done <- svc.Send(text, &params)
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		return s.late(ctx, t)
	}
	switch {
	case err == nil:
		return nil
	case problem.Of(err) != nil:
		return err
	}
	// Not wrapped: its text may hold the address.
	return problem.New(problem.NoticeNotSent, problem.Args{"target": t.Name, "where": t.Where(), "why": t.scrub(err.Error())})
}

// late returns the error of a target that did not answer in time, or of a caller
// whose context ended.
func (s *sender) late(ctx context.Context, t Target) error {
	if context.Cause(ctx) == context.DeadlineExceeded { //nolint:errorlint // exactly our own deadline
		return problem.New(problem.NoticeTooSlow, problem.Args{
			"target": t.Name, "where": t.Where(), "seconds": seconds(s.timeout),
		})
	}
	return context.Cause(ctx)
}

func seconds(d time.Duration) string { return strings.TrimSuffix(d.Round(time.Second).String(), "s") }
