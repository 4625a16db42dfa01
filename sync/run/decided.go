package run

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// A decision of a reviewer about rows is stored at once, and belongs to the domain. "Left
// out always" holds until it is taken back. A row or an attribute left out this time, and
// a raise of the guard, hold until a reviewed plan of the domain was synchronised: in the
// wizard, on the command line and, except for the raise, in unattended runs. A decision
// about an undo belongs to the run that is undone.

// decisions are all of a domain.
func (r *Runner) decisions(ctx context.Context, domain string) ([]plan.Decision, error) {
	rows, err := r.Store.Decisions(ctx, r.Connection.Tenant, domain)
	if err != nil {
		return nil, err
	}
	return decisionsOf(rows, domain)
}

func decisionsOf(rows []state.Decision, domain string) ([]plan.Decision, error) {
	ds := make([]plan.Decision, 0, len(rows))
	for _, row := range rows {
		if strings.HasPrefix(row.Key, lookKey) {
			continue
		}
		var d plan.Decision
		if err := json.Unmarshal(row.Data, &d); err != nil {
			return nil, fmt.Errorf("decision %d of %s: %w", row.ID, domain, err)
		}
		ds = append(ds, d)
	}
	return ds, nil
}

// ofKinds are the decisions of some kinds.
func ofKinds(ds []plan.Decision, kinds ...plan.DecisionKind) []plan.Decision {
	return slices.DeleteFunc(slices.Clone(ds), func(d plan.Decision) bool { return !slices.Contains(kinds, d.Kind) })
}

// planned are the decisions that a plan is made with. Attended, rows left out this
// time are part of it, so that a reviewer can take them in.
func planned(ds []plan.Decision, unattended bool) []plan.Decision {
	if unattended {
		return ofKinds(ds, plan.LeaveOutAlways, plan.LeaveOutAttribute, plan.LeaveOutOnce)
	}
	return ofKinds(ds, plan.LeaveOutAlways, plan.LeaveOutAttribute)
}

// Decide keeps decisions: rows and attributes left out, and raises.
func (r *Runner) Decide(ctx context.Context, domain string, ds []plan.Decision) error {
	var save []state.Decision
	var gone []string
	for _, d := range ds {
		switch d.Kind {
		case plan.LeaveOutAlways:
			if d.ID != "" { // it takes the place of this time
				for _, kind := range []plan.Kind{plan.Delete, plan.Rename, plan.Restore, plan.Update} {
					gone = append(gone, decisionKey(plan.Decision{Kind: plan.LeaveOutOnce, ID: d.ID, Row: kind.String()}))
				}
			}
		case plan.LeaveOutOnce, plan.LeaveOutAttribute, plan.RaiseOnce:
		case plan.Allow:
			continue // belongs to one run
		}
		if d.At.IsZero() {
			d.At = r.Clock.Now()
		}
		data, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("encode decision: %w", err)
		}
		save = append(save, state.Decision{Key: decisionKey(d), Data: data})
	}
	return r.Store.ChangeDecisions(ctx, r.Connection.Tenant, directory.FoldUPN(domain), save, gone)
}

// TakeBack removes decisions.
func (r *Runner) TakeBack(ctx context.Context, domain string, ds ...plan.Decision) error {
	var keys []string
	for _, d := range ds {
		keys = append(keys, decisionKey(d))
	}
	return r.Store.ChangeDecisions(ctx, r.Connection.Tenant, directory.FoldUPN(domain), nil, keys)
}

// Decisions are those of a domain, the oldest first.
func (r *Runner) Decisions(ctx context.Context, domain string) ([]plan.Decision, error) {
	return r.decisions(ctx, directory.FoldUPN(domain))
}

// decisionKey says what a decision is about: the object ID of an account, or for a
// new user its UPN; an attribute; a plan.
func decisionKey(d plan.Decision) string {
	key := string(d.Kind) + ":"
	if d.Undo != 0 {
		key += "undo " + strconv.FormatInt(d.Undo, 10) + ":"
	}
	if d.Row != "" {
		key += d.Row + ":"
	}
	switch {
	case d.Plan != "":
		return key + d.Plan
	case d.Attribute != "":
		return key + string(d.Attribute)
	case d.ID != "":
		return key + string(d.ID)
	}
	return key + directory.FoldUPN(d.UPN)
}

// Look is where a reviewer was in a plan: the tab, and how it was narrowed.
type Look struct {
	Tab    string `json:"tab,omitempty"`
	Filter string `json:"filter,omitempty"`
	Search string `json:"search,omitempty"`
}

// lookKey begins the key of a Look among the decisions of a domain.
const lookKey = "look:"

// lookOf is that of a plan.
func lookOf(p *Planned) string {
	return lookKey + strconv.FormatInt(p.Plan.Undoes(), 10) + ":" + strconv.FormatInt(p.Run, 10)
}

// KeepLook keeps where a reviewer is in a plan, of each domain the latest.
func (r *Runner) KeepLook(ctx context.Context, p *Planned, l Look) error {
	rows, err := r.Store.Decisions(ctx, r.Connection.Tenant, p.Plan.Domain())
	if err != nil {
		return err
	}
	var old []string
	for _, row := range rows {
		if strings.HasPrefix(row.Key, lookKey) && row.Key != lookOf(p) {
			old = append(old, row.Key)
		}
	}
	data, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode look: %w", err)
	}
	return r.Store.ChangeDecisions(ctx, r.Connection.Tenant, p.Plan.Domain(), []state.Decision{{Key: lookOf(p), Data: data}}, old)
}

// Reviewed is a plan with what is known of it by now: what reviewers decided, and
// the run that applied it.
func (r *Runner) Reviewed(ctx context.Context, p *Planned) (*Planned, error) {
	rows, err := r.Store.Decisions(ctx, r.Connection.Tenant, p.Plan.Domain())
	if err != nil {
		return nil, err
	}
	with := *p
	if with.Decided, err = decisionsOf(rows, p.Plan.Domain()); err != nil {
		return nil, err
	}
	with.Look = Look{}
	for _, row := range rows {
		if row.Key == lookOf(p) {
			_ = json.Unmarshal(row.Data, &with.Look) // of a later hacsync: nothing is lost
		}
	}
	no := p.Run
	if p.Plan.Undoes() != 0 {
		no = 0 // that which is undone
	}
	if p.Run == 0 { // a file
		if no, err = r.Store.PlanKnown(ctx, r.Connection.Tenant, p.Plan.Fingerprint().String()); err != nil {
			return nil, err
		}
	}
	if no == 0 {
		return &with, nil
	}
	of, err := r.Store.Run(ctx, no)
	if err != nil {
		return nil, err
	}
	if of.Kind != state.DryRun && (of.State == state.Done || of.State == state.Partial) {
		with.Applied = no
		return &with, nil
	}
	by, err := r.appliedBy(ctx, of)
	if by != nil {
		with.Applied = by.No
	}
	return &with, err
}

// appliedBy is the sync that carried out the plan of a dry run, nil for none. One
// that was stopped is still to be resumed.
func (r *Runner) appliedBy(ctx context.Context, dry state.Run) (*state.Run, error) {
	if dry.Kind != state.DryRun {
		return nil, nil
	}
	later, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: dry.Tenant, Domain: dry.Domain, Kind: state.Sync, States: []state.RunState{state.Done, state.Partial}, After: dry.No,
	})
	if err != nil {
		return nil, err
	}
	for _, run := range slices.Backward(later) { // the first one: a later one found it done
		if run.PlanOf == dry.No {
			return &run, nil
		}
	}
	return nil, nil
}

// Remaining is the dry run with the plan of what reviewers left of it.
func (p *Planned) Remaining() *Planned {
	review := p.Plan.Review()
	review.Restore(p.Decided)
	rest := *p
	if review.Touched() {
		rest.Plan = review.Approve()
	}
	return &rest
}

// Computed is the latest run here that made a plan, as it was, with its answers or as
// reviewers left it; 0 for none.
func (r *Runner) Computed(ctx context.Context, p *plan.Plan) (int64, error) {
	no, err := r.Store.PlanKnown(ctx, r.Connection.Tenant, p.Fingerprint().String())
	if err != nil || no > 0 {
		return no, err
	}
	latest, err := r.Latest(ctx, p.Domain())
	switch {
	case problem.Has(err, problem.NoDryRun, problem.PlanMissing):
		return 0, nil
	case err != nil:
		return 0, err
	case latest.Plan.Fingerprint() == p.Fingerprint(), latest.Remaining().Plan.Fingerprint() == p.Fingerprint():
		return latest.Run, nil
	}
	return 0, nil
}

// overwrites are the changes of an account that is there: those that leaving an
// attribute out prevents.
func overwrites(a *plan.Action) []plan.Change {
	if a.Kind != plan.Update && a.Kind != plan.Rename {
		return nil
	}
	return a.Changes
}

// decidedFor removes the decisions that were made for one time, once their plan was
// synchronised. A row that is still in this plan was left out by another reviewer in
// the meantime; that decision stays.
func (s *syncing) decidedFor(ctx context.Context, end state.RunState) error {
	if s.run.Unattended || end != state.Done && end != state.Partial {
		return nil
	}
	ds, err := s.r.decisions(ctx, s.run.Domain)
	if err != nil {
		return err
	}
	rows := map[int]bool{}
	for _, d := range s.plan.Decided(ds) {
		rows[d.No] = true
	}
	stays := map[string]bool{}
	for a := range s.plan.Actions() {
		if d, ok := s.plan.Leave(a.No, false); ok && rows[a.No] {
			stays[decisionKey(d)] = true
		}
		for _, c := range overwrites(&a) {
			stays[decisionKey(plan.Decision{Kind: plan.LeaveOutAttribute, Attribute: c.Attribute})] = true
		}
	}
	var over []plan.Decision
	for _, d := range ds {
		if d.Kind == plan.LeaveOutAlways || stays[decisionKey(d)] || d.Kind == plan.LeaveOutOnce && d.Undo != s.plan.Undoes() ||
			d.Kind == plan.LeaveOutAttribute && s.plan.Undoes() != 0 {
			continue
		}
		over = append(over, d)
	}
	return s.r.TakeBack(ctx, s.run.Domain, over...)
}
