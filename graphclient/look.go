package graphclient

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
)

// Look reads accounts one by one, now: by object ID live, then in the recycle
// bin; by UPN and immutable ID both live and in the recycle bin. WithRoles reads
// every role holder too, for the marks. A Ref that finds nothing gives one
// Sighting that says so.
func (c *Client) Look(ctx context.Context, refs []directory.Ref, want []directory.Attribute, roles destination.Roles) ([]directory.Sighting, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	own, err := c.ownID(ctx)
	if err != nil {
		return nil, err
	}
	a := wanted(want)
	look := looking{c: c, a: a, found: make([][]directory.Sighting, len(refs)), refs: refs}
	power := &holders{}
	g, ctx := errgroup.WithContext(ctx)
	if roles {
		g.Go(func() (err error) {
			power, err = c.holders(ctx, call{})
			return err
		})
	}
	g.Go(func() error { return look.live(ctx) })
	var bin []directory.Record
	if slices.ContainsFunc(refs, func(r directory.Ref) bool { return r.UPN != "" || r.ImmutableID != "" }) {
		// Graph does not find a deleted account by its former UPN, because the
		// UPN now begins with the object ID. So the bin is read and searched here.
		g.Go(func() error {
			_, err := c.listDeleted(ctx, call{}, a, func(r directory.Record) error {
				bin = append(bin, r)
				return nil
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	look.search(bin)

	var all []directory.Sighting
	for i, ref := range refs {
		if len(look.found[i]) == 0 {
			all = append(all, directory.Sighting{Ref: ref, Presence: directory.Absent, ServerTime: look.last.date})
			continue
		}
		for _, s := range look.found[i] {
			s.Record.Marks |= power.marks(s.Record.ID)
			if c.signedIn[s.Record.ID] || s.Record.ID == own && own != "" {
				s.Record.Marks |= directory.SignedIn
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// looking is one Look under way.
type looking struct {
	c     *Client
	a     attributes
	refs  []directory.Ref
	found [][]directory.Sighting
	last  reply // any answer, for the server's time
}

// add notes a sighting of ref i, once an account.
func (l *looking) add(i int, p directory.Presence, r directory.Record, at *reply) {
	for _, s := range l.found[i] {
		if s.Record.ID == r.ID {
			return
		}
	}
	s := directory.Sighting{Ref: l.refs[i], Presence: p, Record: r}
	if at != nil {
		s.ServerTime = at.date
	} else {
		s.ServerTime = l.last.date
	}
	l.found[i] = append(l.found[i], s)
}

// key is one of the keys of one ref.
type key struct {
	ref  int
	kind directory.Attribute // "" for the object ID
}

// live asks for every key of every ref, then for the IDs that are not live in
// the recycle bin.
func (l *looking) live(ctx context.Context) error {
	var (
		items []item
		keys  []key
	)
	ask := func(k key, at string, err error) error {
		if err != nil {
			return err
		}
		items = append(items, item{method: http.MethodGet, url: at, needs: needUsers, object: true})
		keys = append(keys, k)
		return nil
	}
	for i, ref := range l.refs {
		if ref.ID != "" {
			at, err := l.c.userURL(ctx, string(ref.ID), l.a.sel)
			if err := ask(key{i, ""}, at, err); err != nil {
				return err
			}
		}
		if ref.UPN != "" {
			at, err := l.c.userURL(ctx, ref.UPN, l.a.sel)
			if strings.HasPrefix(ref.UPN, "$") { // documented: such a UPN goes in quotes
				at, err = l.c.root+"/users('"+url.PathEscape(quote(ref.UPN))+"')?$select="+strings.Join(l.a.sel, ","), nil
			}
			if err := ask(key{i, directory.UserPrincipalName}, at, err); err != nil {
				return err
			}
		}
		if ref.ImmutableID != "" {
			q := url.Values{"$filter": {"onPremisesImmutableId eq '" + quote(ref.ImmutableID) + "'"}}
			at := l.c.root + "/users?$select=" + strings.Join(l.a.sel, ",") + "&" + strings.Replace(q.Encode(), "%24filter", "$filter", 1)
			if err := ask(key{i, directory.ImmutableID}, strings.ReplaceAll(at, "+", "%20"), nil); err != nil {
				return err
			}
		}
	}
	replies, err := l.c.readBatch(ctx, call{}, items, nil)
	if err != nil {
		return err
	}
	var gone []key
	for n, r := range replies {
		l.last = *r
		k := keys[n]
		if k.kind == directory.ImmutableID {
			if err := l.filtered(ctx, k, items[n], r); err != nil {
				return err
			}
			continue
		}
		rec, ok, err := l.c.oneUser(items[n], r, l.a, false)
		switch {
		case err != nil:
			return err
		case ok:
			l.add(k.ref, directory.Live, rec, r)
		case k.kind == "":
			gone = append(gone, k)
		}
	}
	return l.binned(ctx, gone)
}

// filtered takes the answer to a filter.
func (l *looking) filtered(ctx context.Context, k key, it item, r *reply) error {
	what := request{method: it.method, url: it.url, needs: needUsers}
	if r.status != http.StatusOK {
		return l.c.readProblem(what, r.answer())
	}
	p, err := decode[page[userWithMore]](r.answer(), what)
	if err != nil {
		return err
	}
	if p.Value == nil {
		return broken(r.answer(), what, "no value")
	}
	keep := func(us []userWithMore) error {
		for i := range us {
			// A filter ignores case in some tenants; immutable IDs do not.
			if us[i].ImmutableID == l.refs[k.ref].ImmutableID {
				l.add(k.ref, directory.Live, us[i].record(l.a, false), r)
			}
		}
		return nil
	}
	_ = keep(*p.Value) // never fails
	if p.Next == "" {
		return nil
	}
	_, err = readPages(ctx, l.c, call{}, l.c.get(p.Next, needUsers), keep)
	return err
}

// binned looks for object IDs in the recycle bin.
func (l *looking) binned(ctx context.Context, keys []key) error {
	var items []item
	for _, k := range keys {
		at, err := l.c.deletedUserURL(ctx, string(l.refs[k.ref].ID), l.a.deleted)
		if err != nil {
			return err
		}
		items = append(items, item{method: http.MethodGet, url: at, needs: needUsers, object: true})
	}
	replies, err := l.c.readBatch(ctx, call{}, items, nil)
	if err != nil {
		return err
	}
	for n, r := range replies {
		l.last = *r
		rec, ok, err := l.c.oneUser(items[n], r, l.a, true)
		if err != nil {
			return err
		}
		if ok {
			l.add(keys[n].ref, directory.InRecycleBin, rec, r)
		}
	}
	return nil
}

// search finds refs in the recycle bin by UPN and immutable ID.
func (l *looking) search(bin []directory.Record) {
	if len(bin) == 0 {
		return
	}
	byUPN, byID := map[string][]int{}, map[string][]int{}
	for i := range bin {
		upn := directory.FoldUPN(bin[i].UPN)
		byUPN[upn] = append(byUPN[upn], i)
		if bin[i].ImmutableID != "" {
			byID[bin[i].ImmutableID] = append(byID[bin[i].ImmutableID], i)
		}
	}
	for i, ref := range l.refs {
		var hits []int
		if ref.UPN != "" {
			hits = append(hits, byUPN[directory.FoldUPN(ref.UPN)]...)
		}
		if ref.ImmutableID != "" {
			hits = append(hits, byID[ref.ImmutableID]...)
		}
		for _, h := range hits {
			l.add(i, directory.InRecycleBin, bin[h], nil)
		}
	}
}

// quote doubles the apostrophes of an OData string.
func quote(s string) string { return strings.ReplaceAll(s, "'", "''") }
