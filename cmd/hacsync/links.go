package main

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
)

// jsonRemembered is what is remembered of an account.
type jsonRemembered struct {
	ID          string     `json:"id"`
	UPN         *string    `json:"upn"` // when the link was learnt
	Username    *string    `json:"username"`
	Source      *string    `json:"source"`
	Since       *time.Time `json:"since"`
	FirstSeen   *time.Time `json:"first_seen"`
	LastSeen    *time.Time `json:"last_seen"`
	Run         int64      `json:"run"`
	AbsentSince *time.Time `json:"absent_since"`
	AbsentDays  int        `json:"absent_days"`
	AbsentReads int        `json:"absent_reads"`
	Claimed     bool       `json:"claimed"`
	AddedBy     int64      `json:"added_by"` // runs; 0 for none
	BlockedBy   int64      `json:"blocked_by"`
}

func (a *app) linksCommand() *cobra.Command {
	var (
		forget, keep string
		yes          bool
	)
	var c *cobra.Command
	c = a.command("links", "links DOMAIN", func(ctx context.Context, args []string) error {
		forgets, keeps := c.Flags().Changed("forget"), c.Flags().Changed("keep") // also with an empty number
		domain := args[0]
		no := int64(0)
		if forgets || keeps {
			var err error
			if no, err = a.runNumber("hacsync links", cmp.Or(forget, keep)); err != nil {
				return err
			}
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if _, err := s.Runner.Settings(ctx, domain); err != nil { // of no domain of the tenant
			return err
		}
		if keeps {
			return a.keepLinks(ctx, s, domain, no, yes)
		}
		links, err := s.Runner.Links(ctx, domain)
		if err != nil {
			return err
		}
		if forgets {
			return a.forgetLinks(ctx, s, domain, no, links, yes)
		}
		return a.listLinks(domain, links)
	})
	c.Args = a.takes("DOMAIN")
	c.Flags().StringVar(&forget, "forget", "", a.text("flag.links-forget", nil))
	c.Flags().StringVar(&keep, "keep", "", a.text("flag.links-keep", nil))
	c.Flags().BoolVar(&yes, "yes", false, a.text("flag.links-yes", nil))
	c.MarkFlagsMutuallyExclusive("forget", "keep")
	return c
}

func (a *app) listLinks(domain string, links []run.Linked) error {
	if a.flags.json {
		out := struct {
			Schema int              `json:"schema"`
			Domain string           `json:"domain"`
			Links  []jsonRemembered `json:"links"`
		}{schema, domain, make([]jsonRemembered, 0, len(links))}
		for _, l := range links {
			out.Links = append(out.Links, jsonRemembered{
				ID: l.ID, UPN: orNone(l.Link.UPN), Username: orNone(l.Link.Username), Source: orNone(l.Link.Source),
				Since: momentOf(l.Link.Since), FirstSeen: momentOf(l.Seen.First), LastSeen: momentOf(l.Seen.Last), Run: l.Link.Run,
				AbsentSince: momentOf(l.Absent.First), AbsentDays: l.Absent.Days, AbsentReads: l.Absent.Reads,
				Claimed: l.Claimed || l.Link.Username != "" || l.Added != 0, AddedBy: l.Added, BlockedBy: l.Blocked,
			})
		}
		a.answer(out)
		return nil
	}
	if len(links) == 0 {
		a.say(a.text("links.none", problem.Args{"domain": domain}))
		return nil
	}
	head := func(id string) string { return a.text("links."+id, nil) }
	rows := [][]string{{head("account"), head("username"), head("since"), head("last"), head("run"), head("absent"), head("claimed")}}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return a.words.Date(t)
	}
	for _, l := range links {
		last, absent, no, claimed := "", "", "", a.words.Text("word.no", nil)
		if !l.Seen.Last.IsZero() {
			last = a.words.Time(l.Seen.Last)
		}
		if l.Absent.Reads > 0 {
			absent = a.words.Int(l.Absent.Days)
		}
		if l.Link.Run != 0 {
			no = strconv.FormatInt(l.Link.Run, 10)
		}
		if l.Claimed || l.Link.Username != "" || l.Added != 0 {
			claimed = a.words.Text("word.yes", nil)
		}
		rows = append(rows, []string{
			message.Clean(cmp.Or(l.Link.UPN, l.ID)), message.Clean(l.Link.Username), day(l.Link.Since), last, no, absent, claimed,
		})
	}
	a.show(a.out).table(rows, -1)
	return nil
}

// forgetLinks takes back what a run taught, after approval.
func (a *app) forgetLinks(ctx context.Context, s *session.Session, domain string, no int64, links []run.Linked, yes bool) error {
	n := 0
	for _, l := range links {
		if l.Link.Run == no {
			n++
		}
	}
	args := problem.Args{"domain": domain, "run": strconv.FormatInt(no, 10), "n": strconv.Itoa(n)}
	if n > 0 {
		if err := a.approveLinks(ctx, yes, "links.question", args, problem.LinksUnapproved, problem.LinksKept); err != nil {
			return err
		}
	}
	n, err := s.Runner.Forget(ctx, domain, no)
	if err != nil {
		return err
	}
	a.linksChanged("links.forgotten", args, jsonTaught{Run: no, Forgotten: &n}, n)
	return nil
}

// keepLinks learns from a dry run that was not applied, after approval.
func (a *app) keepLinks(ctx context.Context, s *session.Session, domain string, no int64, yes bool) error {
	args := problem.Args{"domain": domain, "run": strconv.FormatInt(no, 10)}
	n, err := s.Runner.Keep(ctx, domain, no, func(links int) error {
		args["n"] = strconv.Itoa(links)
		return a.approveLinks(ctx, yes, "links.keep_question", args, problem.KeepUnapproved, problem.KeepDeclined)
	})
	if err != nil {
		return err
	}
	a.linksChanged("links.kept", args, jsonTaught{Run: no, Kept: &n}, n)
	return nil
}

// approveLinks asks the user, unless --yes is given. Without a terminal, and after
// another answer than yes, it returns a problem of the code given for that.
func (a *app) approveLinks(ctx context.Context, yes bool, question string, args problem.Args, unapproved, declined problem.Code) error {
	if yes {
		return nil
	}
	if !a.terminal {
		return problem.New(unapproved, args)
	}
	answer, err := a.ask(ctx, a.text(question, args))
	if err == nil && !input.Yes(answer) {
		err = problem.New(declined, args)
	}
	return err
}

// jsonTaught is how many links of a run were forgotten, or kept.
type jsonTaught struct {
	Schema    int    `json:"schema"`
	Domain    string `json:"domain"`
	Run       int64  `json:"run"`
	Forgotten *int   `json:"forgotten,omitempty"`
	Kept      *int   `json:"kept,omitempty"`
}

func (a *app) linksChanged(id string, args problem.Args, out jsonTaught, n int) {
	if a.flags.json {
		out.Schema, out.Domain = schema, args["domain"]
		a.answer(out)
		return
	}
	args["n"] = strconv.Itoa(n)
	a.say(a.text(id, args))
}

func momentOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
