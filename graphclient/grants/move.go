package grants

import (
	"io"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/problem"
)

// moving is what the template of the move is filled with.
type moving struct {
	Connection, Tenant, Domain, Initial, Environment, Exchange string
	SignInScopes                                               []string
	Guessed                                                    bool
	Moves                                                      []move
}

// move is one account whose UPN changes.
type move struct{ Kind, From, To string }

// MoveScript writes the PowerShell that moves what a domain contains other than
// people (shared, room and equipment mailboxes) to the tenant's first domain, so that a
// sync of the domain does not meet them. Their addresses stay. It is made from
// what Precheck found; accounts from on-premises are left out, and groups have
// no UPN. Its errors are problems: NothingToMove, InitialUnknown.
func MoveScript(w io.Writer, c consent.Connection, found *destination.Precheck) error {
	initial := strings.ToLower(strings.TrimSpace(c.Initial))
	if initial == "" {
		return problem.New(problem.InitialUnknown, nil)
	}
	m := moving{
		Connection: ascii(c.Name), Tenant: ascii(c.Tenant), Domain: ascii(found.Domain.Name), Initial: ascii(initial),
		Environment: environment(c.Cloud), Exchange: exchangeEnvironment(c.Cloud), Guessed: found.Guessed,
		SignInScopes: []string{"User.ReadWrite.All", "Domain.Read.All"},
	}
	for _, k := range []struct {
		kind string
		upns []string
	}{{"shared", found.Shared}, {"room", found.Rooms}, {"equipment", found.Things}} {
		for _, upn := range k.upns {
			local, domain, ok := strings.Cut(upn, "@")
			synced := slices.ContainsFunc(found.Synced, func(s string) bool { return strings.EqualFold(s, upn) })
			if !ok || local == "" || synced || strings.EqualFold(domain, initial) {
				continue
			}
			m.Moves = append(m.Moves, move{k.kind, upn, local + "@" + initial})
		}
	}
	if len(m.Moves) == 0 {
		return problem.New(problem.NothingToMove, problem.Args{"domain": found.Domain.Name})
	}
	return render(w, "move", m)
}

// exchangeEnvironment is what Connect-ExchangeOnline calls a cloud.
func exchangeEnvironment(cloud string) string {
	switch cloud {
	case "usgov":
		return "O365USGovGCCHigh"
	case "usgovdod":
		return "O365USGovDoD"
	case "china":
		return "O365China"
	}
	return "O365Default"
}
