package plan

import (
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/problem"
)

// guesses finds the source rows that may be about an account although neither
// immutable ID nor UPN say so: rows that name their person badly. What it finds
// spares the account; it never writes to it.
type guesses struct {
	b *builder
	// Rows that mean no account, by what is left to know them by: those without
	// a usable UPN by alias and by name, those in a domain that is none of the
	// tenant's by local part, those whose immutable ID has characters that do not
	// show by the ID without them.
	alias, name, local, id map[string][]int32
}

func (b *builder) guesses() *guesses {
	g := &guesses{
		b: b, alias: map[string][]int32{}, name: map[string][]int32{},
		local: map[string][]int32{}, id: map[string][]int32{},
	}
	for n := range b.matched {
		i := int32(n) //nolint:gosec // as in match
		s := b.src.At(n)
		if b.matched[i] >= 0 || s.ImmutableID() != "" && len(b.users.ByImmutableID(s.ImmutableID())) > 0 {
			continue // it is known whom it means
		}
		if id := s.ImmutableID(); names.LooseID(id) != id {
			g.id[names.LooseID(id)] = append(g.id[names.LooseID(id)], i)
		}
		local, domain := directory.SplitUPN(names.LooseUPN(s.UPN()))
		if _, known := b.federated[domain]; known {
			continue // another account, or another domain's to look for
		}
		if domain != "" {
			g.local[local] = append(g.local[local], i)
			continue
		}
		if alias, _ := s.Get(directory.MailNickname); alias != "" {
			g.alias[names.LooseUPN(alias)] = append(g.alias[names.LooseUPN(alias)], i)
		}
		for _, k := range b.names(s) {
			g.name[k] = append(g.name[k], i)
		}
	}
	return g
}

// spare says why an account that no row means is not deleted all the same, or "".
func (g *guesses) spare(u directory.User) (problem.Code, problem.Args) {
	b := g.b
	var held []string
	for _, a := range append(u.Addresses(), u.Mail()) {
		for _, s := range b.src.ByUPN(directory.FoldAddress(a)) {
			if b.matched[s.Row()] < 0 {
				held = append(held, s.UPN())
			}
		}
	}
	if len(held) > 0 {
		return problem.SparedByAddress, problem.Args{"other": slices.Min(held)}
	}
	local, _ := directory.SplitUPN(directory.FoldUPN(u.UPN()))
	names := b.names(u)
	for _, i := range g.local[local] {
		s := b.src.At(int(i))
		if slices.ContainsFunc(b.names(s), func(k string) bool { return slices.Contains(names, k) }) {
			held = append(held, s.UPN())
		}
	}
	if len(held) > 0 {
		return problem.SparedByName, problem.Args{"other": slices.Min(held)}
	}
	if len(g.alias[local]) > 0 || u.ImmutableID() != "" && len(g.id[u.ImmutableID()]) > 0 ||
		slices.ContainsFunc(names, func(k string) bool { return len(g.name[k]) > 0 }) {
		return problem.Spared, nil
	}
	return "", nil
}
