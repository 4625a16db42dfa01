package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/state"
)

// jsonDomain is a domain with its sync state.
type jsonDomain struct {
	Name       string     `json:"domain"`
	Verified   bool       `json:"verified"`
	Federated  bool       `json:"federated"`
	Initial    bool       `json:"initial"`
	Default    bool       `json:"default"`
	SetUp      bool       `json:"set_up"`
	Source     string     `json:"source"`
	LastDryRun *state.Run `json:"last_dry_run"`
	LastSync   *state.Run `json:"last_sync"`
	Running    string     `json:"running"`
}

func (a *app) domainsCommand() *cobra.Command {
	c := a.command("domains", "domains", func(ctx context.Context, _ []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		domains, err := s.Runner.Domains(ctx)
		if err != nil {
			return err
		}
		if a.flags.json {
			list := make([]jsonDomain, 0, len(domains))
			for _, d := range domains {
				list = append(list, jsonDomain{
					Name: d.Name, Verified: d.Verified, Federated: d.Federated, Initial: d.Initial, Default: d.Default,
					SetUp: d.SetUp, Source: d.Source, LastDryRun: d.LastDryRun, LastSync: d.LastSync, Running: d.Running,
				})
			}
			a.answer(struct {
				Schema     int          `json:"schema"`
				Connection string       `json:"connection"`
				Tenant     string       `json:"tenant"`
				Domains    []jsonDomain `json:"domains"`
			}{schema, s.Connection().Name, s.Connection().Tenant, list})
			return nil
		}
		head := func(id string) string { return a.text("domains."+id, nil) }
		rows := [][]string{{head("domain"), head("signs_in"), head("state"), head("dry_run"), head("sync")}}
		for _, d := range domains {
			how := head("managed")
			if d.Federated {
				how = head("federated")
			}
			what := head("not_set_up")
			switch {
			case !d.Verified:
				what = head("unverified")
			case d.Initial:
				what = head("initial")
			case d.Running != "":
				what = head("running")
			case d.SetUp:
				what = head("set_up")
			}
			rows = append(rows, []string{message.Clean(d.Name), how, what, a.lastRun(d.LastDryRun), a.lastRun(d.LastSync)})
		}
		a.show(a.out).table(rows, -1)
		return nil
	})
	c.Args = a.takes()
	return c
}

// lastRun is a run in a few words.
func (a *app) lastRun(r *state.Run) string {
	if r == nil {
		return "-"
	}
	return a.words.Int(int(r.No)) + ", " + a.words.Text("run.state."+string(r.State), nil) + ", " + a.words.Time(r.Started)
}
