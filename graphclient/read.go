package graphclient

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// settle is how long a second read waits for counts and lists to agree.
const settle = 20 * time.Second

// Read reads the tenant whole: every account, the recycle bin, and all that
// protects accounts. The number of accounts is proven by the tenant's own
// count, before and after; see proven.
func (c *Client) Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*destination.Reading, error) {
	if sink == nil {
		sink = progress.Discard
	}
	out := &destination.Reading{}
	a := wanted(want)
	own, err := c.ownID(ctx)
	if err != nil {
		return nil, err
	}
	var (
		known = make(chan struct{})
		power *holders
		ended time.Time
	)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		out.Tenant, err = c.tenant(ctx, call{progress.Users, sink})
		return err
	})
	g.Go(func() (err error) {
		power, err = c.holders(ctx, call{progress.Roles, sink})
		if err == nil {
			close(known)
		}
		return err
	})
	// Marks are part of a row, so rows wait for the role holders; pages are
	// fetched meanwhile.
	mark := func(r *directory.Record) error {
		select {
		case <-known:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		r.Marks |= power.marks(r.ID)
		if c.signedIn[r.ID] || r.ID == own && own != "" {
			r.Marks |= directory.SignedIn
		}
		return nil
	}
	g.Go(func() (err error) {
		out.Deleted, err = c.readDeleted(ctx, call{progress.Deleted, sink}, a)
		return err
	})
	g.Go(func() (err error) {
		out.Users, ended, err = c.readUsers(ctx, sink, a, mark)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out.Notes = power.notes()
	out.ServerTime = ended
	if ended.IsZero() {
		out.ServerTime = c.clock.Now().UTC()
	}
	return out, nil
}

// ownID is the account that the token for reading belongs to, empty for an
// application.
func (c *Client) ownID(ctx context.Context) (directory.ID, error) {
	token, err := c.tokens.Token(ctx, c.readScopes...)
	if err != nil {
		return "", err
	}
	who, _ := claims.Read(token)
	return who.Person(), nil
}

// listUsers reads a list of users to its end.
func (c *Client) listUsers(ctx context.Context, k call, r request, a attributes, each func([]user) error) (walk, error) {
	if !a.extra {
		return readPages(ctx, c, k, r, each)
	}
	return readPages(ctx, c, k, r, func(more []userWithMore) error {
		plain := make([]user, len(more))
		for i := range more {
			plain[i] = more[i].user
		}
		return each(plain)
	})
}

// readUsers reads all accounts until their number is proven: counted before
// and after, else reconciled with what changed since a delta token taken
// before, else read once more. Counts and lists of the directory are eventual,
// so they may differ for a while with nothing lost.
func (c *Client) readUsers(ctx context.Context, sink progress.Sink, a attributes, mark func(*directory.Record) error) (*directory.Snapshot, time.Time, error) {
	k := call{progress.Users, sink}
	recount := call{progress.Recount, sink}
	var p *problem.Problem
	for attempt := range 2 {
		if attempt > 0 {
			if err := c.clock.Sleep(ctx, settle); err != nil {
				return nil, time.Time{}, err
			}
		}
		token, err := c.deltaNow(ctx, k)
		if err != nil {
			return nil, time.Time{}, err
		}
		before, err := c.countUsers(ctx, k)
		if err != nil {
			return nil, time.Time{}, err
		}
		b := directory.NewBuilder(directory.Destination, a.columns)
		w, err := c.fill(ctx, k, b, a, mark, before)
		if err != nil {
			return nil, time.Time{}, err
		}
		after, err := c.countUsers(ctx, recount)
		if err != nil {
			return nil, time.Time{}, err
		}
		recount.report(b.Len(), after, true)
		about := directory.About{Name: c.hostname(), Read: w.date, Total: b.Len()}
		if n := b.Len(); before == n && after == n {
			s, err := seal(b, directory.Proof{Ended: true, Pages: w.pages, Items: w.items, Count: int64(after)}, about)
			return s, w.date, err
		}
		c.log.InfoContext(ctx, "count differs", "before", before, "read", b.Len(), "after", after, "attempt", attempt+1)
		s, date, counted, err := c.reconcile(ctx, recount, b, w, about, a, mark, token)
		if err == nil && s != nil {
			return s, date, nil
		}
		if err != nil && (problem.Of(err) == nil || !problem.Has(err, problem.ReadRefused, problem.BrokenAnswer)) {
			return nil, time.Time{}, err
		}
		p = problem.New(problem.CountDiffers, problem.Args{"read": strconv.Itoa(b.Len()), "counted": strconv.Itoa(max(counted, after))})
	}
	return nil, time.Time{}, p
}

// fill adds every page of users to b.
func (c *Client) fill(ctx context.Context, k call, b *directory.Builder, a attributes, mark func(*directory.Record) error, total int) (walk, error) {
	at, err := c.usersURL(ctx, a.sel, "")
	if err != nil {
		return walk{}, err
	}
	r := c.get(at, needUsers)
	w, err := c.listUsers(ctx, k, r, a, func(us []user) error {
		for i := range us {
			if us[i].ID == "" {
				return problem.New(problem.BrokenAnswer, problem.Args{"what": describe(r), "detail": "an account without id"})
			}
			rec := us[i].record(a, false)
			if err := mark(&rec); err != nil {
				return err
			}
			if err := add(b, rec, "users"); err != nil {
				return err
			}
		}
		k.report(b.Len(), total, false)
		return nil
	})
	if err != nil {
		return w, err
	}
	if b.Len() == 0 {
		return w, problem.New(problem.NoAccounts, nil)
	}
	k.report(b.Len(), b.Len(), true)
	return w, nil
}

// add puts a row into a builder; the same account on two pages is an error.
func add(b *directory.Builder, r directory.Record, what string) error {
	if err := b.Add(r); err != nil {
		if problem.Of(err) != nil {
			return err
		}
		return problem.Wrap(err, problem.AccountTwice, problem.Args{"what": what, "id": string(r.ID)})
	}
	return nil
}

func seal(b *directory.Builder, p directory.Proof, about directory.About) (*directory.Snapshot, error) {
	s, err := b.Seal(p, about)
	if err != nil && problem.Of(err) == nil {
		return nil, problem.Wrap(err, problem.BrokenAnswer, problem.Args{"what": "list", "detail": "not complete"})
	}
	return s, err
}

// countUsers asks the tenant how many accounts it has.
func (c *Client) countUsers(ctx context.Context, k call) (int, error) {
	at, err := c.userCountURL(ctx)
	if err != nil {
		return 0, err
	}
	r := c.get(at, needUsers)
	r.header = http.Header{"ConsistencyLevel": {"eventual"}, "Accept": {"text/plain, application/json"}}
	n := 0
	r.accept = func(a answer) (err error) {
		// The answer is text and begins with a byte order mark at times.
		text := bytes.TrimSpace(bytes.TrimPrefix(a.body, []byte("\xef\xbb\xbf")))
		if n, err = strconv.Atoi(string(text)); err != nil || n < 0 {
			return broken(a, r, "not a number")
		}
		return nil
	}
	if _, err := c.read(ctx, k, r); err != nil {
		return 0, err
	}
	return n, nil
}

// deltaNow takes a token from which later changes can be asked for.
func (c *Client) deltaNow(ctx context.Context, k call) (string, error) {
	r := c.get(c.deltaNowURL(), needUsers)
	w, err := readPages(ctx, c, k, r, func([]struct{}) error { return nil })
	if err == nil && w.delta == "" {
		return "", problem.New(problem.BrokenAnswer, problem.Args{"what": describe(r), "detail": "no deltaLink"})
	}
	return w.delta, err
}

// reconcile brings what was read up to date with what changed since the token, and
// compares it with a fresh count. If they still differ, it returns no snapshot.
func (c *Client) reconcile(ctx context.Context, k call, b *directory.Builder, w walk, about directory.About, a attributes,
	mark func(*directory.Record) error, token string,
) (*directory.Snapshot, time.Time, int, error) {
	read, err := seal(b, directory.Proof{Ended: true, Pages: w.pages, Items: w.items, Count: -1}, about)
	if err != nil {
		return nil, time.Time{}, -1, err
	}
	type change struct {
		ID      string    `json:"id"`
		Removed *struct{} `json:"@removed"`
	}
	changed := map[directory.ID]bool{}
	if _, err = readPages(ctx, c, k, c.get(token, needUsers), func(cs []change) error {
		for _, ch := range cs {
			changed[directory.ID(lower(ch.ID))] = true
		}
		return nil
	}); err != nil {
		return nil, time.Time{}, -1, err
	}
	// What an account is now is asked of the account, not of the delta: its
	// entries repeat and come in any order.
	fresh, date, err := c.usersByID(ctx, k, changed, a)
	if err != nil {
		return nil, time.Time{}, -1, err
	}
	next := directory.NewBuilder(directory.Destination, a.columns)
	for u := range read.All() {
		if changed[u.ID()] {
			continue
		}
		if err := add(next, u.Record(), "users"); err != nil {
			return nil, time.Time{}, -1, err
		}
	}
	for _, rec := range fresh {
		if err := mark(&rec); err != nil {
			return nil, time.Time{}, -1, err
		}
		if err := add(next, rec, "users"); err != nil {
			return nil, time.Time{}, -1, err
		}
	}
	counted, err := c.countUsers(ctx, k)
	if err != nil {
		return nil, time.Time{}, -1, err
	}
	c.log.InfoContext(ctx, "reconciled", "changed", len(changed), "accounts", next.Len(), "counted", counted)
	if next.Len() != counted {
		return nil, time.Time{}, counted, nil
	}
	if !date.IsZero() {
		w.date = date
	}
	about.Total, about.Read = next.Len(), w.date
	s, err := seal(next, directory.Proof{Ended: true, Pages: w.pages, Items: next.Len(), Count: int64(counted)}, about)
	return s, w.date, counted, err
}

// usersByID reads the accounts that exist of ids.
func (c *Client) usersByID(ctx context.Context, k call, ids map[directory.ID]bool, a attributes) ([]directory.Record, time.Time, error) {
	var items []item
	for id := range ids {
		at, err := c.userURL(ctx, string(id), a.sel)
		if err != nil {
			return nil, time.Time{}, err
		}
		items = append(items, item{method: http.MethodGet, url: at, needs: needUsers, object: true})
	}
	replies, err := c.readBatch(ctx, k, items, nil)
	if err != nil {
		return nil, time.Time{}, err
	}
	var all []directory.Record
	var date time.Time
	for i, r := range replies {
		date = r.date
		rec, found, err := c.oneUser(items[i], r, a, false)
		if err != nil {
			return nil, time.Time{}, err
		}
		if found {
			all = append(all, rec)
		}
	}
	return all, date, nil
}

// oneUser reads the answer for a single account; 404 is no error.
func (c *Client) oneUser(it item, r *reply, a attributes, bin bool) (directory.Record, bool, error) {
	what := request{method: it.method, url: it.url, needs: it.needs}
	if r.status == http.StatusNotFound {
		return directory.Record{}, false, nil
	}
	if r.status != http.StatusOK {
		return directory.Record{}, false, c.readProblem(what, r.answer())
	}
	u, err := decode[userWithMore](r.answer(), what)
	if err != nil {
		return directory.Record{}, false, err
	}
	if u.ID == "" {
		return directory.Record{}, false, broken(r.answer(), what, "an account without id")
	}
	return u.record(a, bin), true, nil
}

// readDeleted reads the recycle bin. Graph gives no count of it, so its last page
// is the only proof that it is complete.
func (c *Client) readDeleted(ctx context.Context, k call, a attributes) (*directory.Snapshot, error) {
	b := directory.NewBuilder(directory.RecycleBin, a.columns)
	w, err := c.listDeleted(ctx, k, a, func(rec directory.Record) error { return add(b, rec, "deleted users") })
	if err != nil {
		return nil, err
	}
	k.report(b.Len(), b.Len(), true)
	return seal(b, directory.Proof{Ended: true, Pages: w.pages, Items: w.items, Count: -1},
		directory.About{Name: c.hostname(), Read: w.date, Total: b.Len()})
}

// listDeleted calls each for every account of the recycle bin.
func (c *Client) listDeleted(ctx context.Context, k call, a attributes, each func(directory.Record) error) (walk, error) {
	at, err := c.deletedUsersURL(ctx, a.deleted)
	if err != nil {
		return walk{}, err
	}
	n := 0
	r := c.get(at, needUsers)
	return c.listUsers(ctx, k, r, a, func(us []user) error {
		for i := range us {
			if us[i].ID == "" {
				return problem.New(problem.BrokenAnswer, problem.Args{"what": describe(r), "detail": "an account without id"})
			}
			if err := each(us[i].record(a, true)); err != nil {
				return fmt.Errorf("recycle bin: %w", err)
			}
		}
		n += len(us)
		k.report(n, -1, false)
		return nil
	})
}
