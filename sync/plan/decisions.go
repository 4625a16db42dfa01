package plan

import (
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// decisions are what reviewers decided, by what it is about.
type decisions struct {
	all        []Decision
	out        map[string]int // by key
	allowed    map[string]int // by key
	again      map[string]int // Allow with Attribute userPrincipalName
	attributes map[directory.Attribute]bool
	used       map[string]bool
	unattended bool
}

func keyOfID(id directory.ID) string { return "id:" + directory.FoldUPN(string(id)) }
func keyOfUPN(upn string) string     { return "upn:" + directory.FoldUPN(upn) }

func (d Decision) key() string {
	if d.ID != "" {
		return keyOfID(d.ID)
	}
	return keyOfUPN(d.UPN)
}

func newDecisions(all []Decision, unattended bool) decisions {
	ds := decisions{
		all: all, out: map[string]int{}, allowed: map[string]int{}, again: map[string]int{},
		attributes: map[directory.Attribute]bool{}, used: map[string]bool{}, unattended: unattended,
	}
	for i, d := range all {
		switch d.Kind {
		case LeaveOutAlways:
			ds.out[d.key()] = i
		case LeaveOutOnce:
			if d.Undo != 0 {
				continue
			}
			if j, ok := ds.out[d.key()]; !ok || all[j].Kind != LeaveOutAlways {
				ds.out[d.key()] = i
			}
		case Allow:
			if d.Attribute == directory.UserPrincipalName {
				ds.again[d.key()] = i
			} else {
				ds.allowed[d.key()] = i
			}
		case LeaveOutAttribute:
			ds.attributes[d.Attribute] = true
		case RaiseOnce:
		}
	}
	return ds
}

func (ds *decisions) use(d Decision) { ds.used[string(d.Kind)+" "+d.key()] = true }

// find looks a decision up by account and by the UPNs of account and row.
func (ds *decisions) find(in map[string]int, id directory.ID, upns ...string) (Decision, bool) {
	if len(in) == 0 {
		return Decision{}, false
	}
	if id != "" {
		if i, ok := in[keyOfID(id)]; ok {
			ds.use(ds.all[i])
			return ds.all[i], true
		}
	}
	for _, u := range upns {
		if i, ok := in[keyOfUPN(u)]; ok && u != "" {
			ds.use(ds.all[i])
			return ds.all[i], true
		}
	}
	return Decision{}, false
}

// allows reports whether a reviewer allowed a held row. Unattended nothing is allowed:
// the reviewer who allowed a row saw another plan.
func (ds *decisions) allows(id directory.ID, upn string) bool {
	if ds.unattended {
		return false
	}
	_, ok := ds.find(ds.allowed, id, upn)
	return ok
}

// allowsAgain reports whether a reviewer allowed a UPN to be used again.
func (ds *decisions) allowsAgain(id directory.ID, upn string) bool {
	if ds.unattended {
		return false
	}
	_, ok := ds.find(ds.again, id, upn)
	return ok
}

// idle are the decisions that fit no row any more, as warnings for a reviewer.
func (ds *decisions) idle() []*problem.Problem {
	var ws []*problem.Problem
	for _, d := range ds.all {
		switch d.Kind {
		case Allow, LeaveOutOnce:
			// What waits for a reviewer's sync may find its row again.
			if !ds.unattended && !ds.used[string(d.Kind)+" "+d.key()] {
				ws = append(ws, problem.New(problem.DecisionIdle, problem.Args{
					"decision": string(d.Kind), "upn": d.UPN, "id": string(d.ID),
				}))
			}
		case LeaveOutAlways, LeaveOutAttribute, RaiseOnce:
		}
	}
	return ws
}
