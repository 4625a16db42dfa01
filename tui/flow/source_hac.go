package flow

import (
	"cmp"
	"context"
	"strings"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/tui/words"
)

type (
	// newestSeen is the newest export of the download folder, empty for none.
	newestSeen struct{ path string }
	// hacKept is the client of the HAC API that is kept.
	hacKept struct {
		client string
		err    error
	}
	hacSaved struct{ err error }
)

// hac asks which client of the HAC API is kept.
func (s *sourceStep) hac(d *data) turn {
	s.working, s.err = words.T("flow.source.reading"), nil
	session := d.session
	return does(effect(func(ctx context.Context, _ Reporter) any {
		client, err := session.HAC(ctx)
		return hacKept{client, err}
	}))
}

func (s *sourceStep) seenHAC(r hacKept) turn {
	s.kept, s.err = r.client, r.err
	s.asks = askHAC
	if r.client == "" {
		s.asks = askClient
	}
	return turn{}
}

func (s *sourceStep) viewHAC(v *View) {
	v.Title = words.T("flow.source.hac")
	switch s.asks {
	case askHAC:
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.hac.kept", "client", s.kept)})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "use", Options: []Option{
			{Key: "use", Text: words.T("flow.hac.use", "client", s.kept)},
			{Key: "change", Text: words.T("flow.hac.change"), Note: words.T("flow.hac.change_note")},
			{Key: "other", Text: words.T("flow.source.another")},
		}}
	case askClient:
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.hac.what")}, words.Para{Text: words.T("flow.hac.sealed")})
		v.Ask = Question{Kind: Line, Text: words.T("flow.hac.f_client"), Preset: cmp.Or(s.client, s.kept)}
	case askKey:
		v.Blocks = append(v.Blocks, words.Facts{{Label: words.T("flow.hac.f_client"), Value: words.Raw(s.client)}}, words.Para{Text: words.T("flow.hac.sealed")})
		v.Ask = Question{Kind: Secret, Text: words.T("flow.hac.key_ask")}
	case askWhere, askPath, askCount:
	}
}

func (s *sourceStep) answerHAC(d *data, a Answer) turn {
	if a.Command != "" {
		return stayed(words.T("flow.not_a_command"))
	}
	switch s.asks {
	case askHAC:
		switch a.Text {
		case "use":
			return s.look(d, "hac")
		case "change":
			s.asks = askClient
			return turn{}
		case "other":
			s.asks = askWhere
			return turn{}
		}
		return turn{}
	case askClient:
		client := strings.TrimSpace(input.Fold(a.Text))
		if client == "" || strings.ContainsAny(client, " \t") {
			return stayed(words.T("flow.hac.client_bad"))
		}
		s.client, s.asks = client, askKey
		return turn{}
	case askWhere, askPath, askCount, askKey:
	}
	if a.Secret.Empty() {
		return stayed(words.T("flow.hac.key_empty"))
	}
	s.working, s.err = words.T("flow.source.reading"), nil
	session, client, key := d.session, s.client, a.Secret
	return does(effect(func(ctx context.Context, _ Reporter) any {
		return hacSaved{session.SaveHAC(ctx, client, key)}
	}))
}
