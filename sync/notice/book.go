package notice

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// Book keeps the targets in one sealed row of the state, which every process with
// the same key can read.
type Book struct {
	rows   secret.Rows
	sealer secret.Sealer
}

// NewBook makes the book of a state.
func NewBook(rows secret.Rows, sealer secret.Sealer) *Book { return &Book{rows: rows, sealer: sealer} }

// bookRow is the row's name; it belongs to no connection.
const bookRow = "notice-targets"

// bookVersion is the version of the row's form.
const bookVersion = 1

// page is the form in which targets are sealed.
type page struct {
	Version int     `json:"version"`
	Targets []entry `json:"targets"`
}

type entry struct {
	Name        string    `json:"name"`
	Address     string    `json:"address"`
	Key         string    `json:"key,omitempty"`
	Kinds       []Kind    `json:"kinds,omitempty"`
	Connections []string  `json:"connections,omitempty"`
	Language    string    `json:"language"`
	People      bool      `json:"people,omitempty"`
	Added       time.Time `json:"added"`
}

// Targets lists them by name.
func (b *Book) Targets(ctx context.Context) ([]Target, error) {
	p, _, err := b.read(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Target, 0, len(p.Targets))
	for _, e := range p.Targets {
		all = append(all, Target{
			Name: e.Name, Address: secret.NewText(e.Address), Key: secret.NewText(e.Key), Kinds: e.Kinds,
			Connections: e.Connections, Language: e.Language, People: e.People, Added: e.Added,
		})
	}
	slices.SortFunc(all, func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func (b *Book) read(ctx context.Context) (page, int64, error) {
	p := page{Version: bookVersion}
	sealed, version, err := b.rows.Sealed(ctx, "", bookRow)
	if err != nil || version == 0 {
		return p, 0, err
	}
	plain, err := b.sealer.Open(ctx, sealed)
	if errors.Is(err, secret.ErrOtherKey) {
		return p, 0, problem.Wrap(err, problem.TargetsSealed, problem.Args{"key": b.sealer.Name()})
	}
	if err != nil {
		return p, 0, err
	}
	p = page{}
	// The decoder's error may quote what it read.
	if json.Unmarshal(plain, &p) != nil || p.Version != bookVersion {
		return p, 0, problem.New(problem.TargetsNewer, nil)
	}
	return p, version, nil
}

// Add checks a target and enters it; its name must be free.
func (b *Book) Add(ctx context.Context, t Target) (Target, error) {
	t, err := t.Check()
	if err != nil {
		return t, err
	}
	return t, b.change(ctx, func(p *page) error {
		if slices.ContainsFunc(p.Targets, func(e entry) bool { return e.Name == t.Name }) {
			return problem.New(problem.TargetExists, problem.Args{"target": t.Name})
		}
		p.Targets = append(p.Targets, entry{
			Name: t.Name, Address: t.Address.Reveal(), Key: t.Key.Reveal(), Kinds: t.Kinds,
			Connections: t.Connections, Language: t.Language, People: t.People, Added: t.Added,
		})
		return nil
	})
}

// Remove removes a target. What is still to be delivered to it is dropped.
func (b *Book) Remove(ctx context.Context, name string) error {
	return b.change(ctx, func(p *page) error {
		i := slices.IndexFunc(p.Targets, func(e entry) bool { return e.Name == name })
		if i < 0 {
			return unknownTarget(name, names(p.Targets))
		}
		p.Targets = slices.Delete(p.Targets, i, i+1)
		return nil
	})
}

func names(all []entry) []string {
	var n []string
	for _, e := range all {
		n = append(n, e.Name)
	}
	slices.Sort(n)
	return n
}

func unknownTarget(name string, known []string) error {
	return problem.New(problem.TargetUnknown, problem.Args{"target": name, "known": strings.Join(known, ", ")})
}

// Clear removes every target, also those that cannot be opened because their key is
// lost.
func (b *Book) Clear(ctx context.Context) error {
	for range changeTries {
		_, version, err := b.rows.Sealed(ctx, "", bookRow)
		if err != nil || version == 0 {
			return err
		}
		if err = b.seal(ctx, page{Version: bookVersion}, version); !errors.Is(err, secret.ErrStale) {
			return err
		}
	}
	return problem.New(problem.TargetsContended, nil)
}

// changeTries is how often a change is tried when others change the row too.
const changeTries = 16

// change reads, changes and seals; if another process wrote meanwhile, it starts
// again, so that no target is lost.
func (b *Book) change(ctx context.Context, f func(*page) error) error {
	for range changeTries {
		p, version, err := b.read(ctx)
		if err != nil {
			return err
		}
		if err := f(&p); err != nil {
			return err
		}
		if err = b.seal(ctx, p, version); !errors.Is(err, secret.ErrStale) {
			return err
		}
	}
	return problem.New(problem.TargetsContended, nil)
}

// seal replaces the row if its version is still the one read.
func (b *Book) seal(ctx context.Context, p page, version int64) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return err
	}
	sealed, err := b.sealer.Seal(ctx, plain)
	if err != nil {
		return err
	}
	return b.rows.SaveSealed(ctx, "", bookRow, sealed, version)
}
