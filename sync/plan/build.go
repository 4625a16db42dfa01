package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// builder makes a plan, in this order: who is who (build_match.go), what becomes of
// each source row and each account (build_decide.go), what waits for what (build_chains.go),
// and last order, sums and verdict.
type builder struct {
	in     Input
	domain directory.Domain
	// federated has, for each verified domain of the tenant, whether it is federated; setUp
	// are the domains set up here. Both by folded name.
	federated map[string]bool
	setUp     map[string]bool
	listed    accounts // protected by the policy

	src, users, bin *directory.Snapshot

	// attrs are the attributes to compare, besides UPN and immutable ID.
	attrs []directory.Attribute
	// writeUPN and writeID are false if the policy or a reviewer leaves the attribute out;
	// writeEnabled is true if the status of the source counts.
	writeUPN, writeID, writeEnabled bool

	// fate is the result of match for each source row; matched is the account that it is
	// matched with, or -1, and owner the reverse.
	fate    []fate
	matched []rowID
	owner   []rowID
	// told are accounts that a skip names already; settled those that are unchanged. ours
	// are source rows of the domain, rests those of other domains that the plan rests on.
	told, settled, ours, rests bits
	// sparedBy are accounts that a skipped row of another domain may be about.
	sparedBy map[rowID]rowID
	// usernames: at least one row of the source has a Username.
	usernames bool

	decided decisions
	// unsure are rows that one witness alone matches, with names that cannot be compared:
	// their other values are compared with the departures.
	unsure map[rowID]bool
	// asks are the rows that only one witness, and no name, matches with an account.
	asks map[rowID][]rowID
	// questions are those to ask; inQuestion are their rows, newRows what becomes of each
	// row if it is a person of its own.
	questions  []*asking
	questionOf map[rowID]*asking // by account
	inQuestion map[rowID]bool
	newRows    map[rowID]fateOf
	// explained is why an account that departs may depart.
	explained map[rowID]explained

	rows  []row
	skips []skipRow

	sourceUsers, unchanged, sourceHeld, aliasesKept, askedRows int
	// openRows are the rows that departures were compared with, lostHeld the accounts that
	// lost their row and are held.
	openRows, lostHeld int

	// garbled and worse count rows whose values are not text, or lost letters; shapes
	// counts the forms of immutable IDs.
	garbled, worse int
	shapes         map[form]int
}

// row is an action before it is made: which source row becomes of which account.
// acct is a row of the recycle bin where kind is Restore.
type row struct {
	src, acct rowID
	kind      Kind
	flags     flags
}

type flags uint8

const (
	enters   flags = 1 << iota // enters a federated domain
	resets                     // leaves one
	newUPN                     // restored under another UPN
	replaces                   // a deletion and an addition of one UPN
	missing                    // blocks an account whose person is absent
	paid                       // a deletion that counted when the account was blocked
	dead                       // taken out again while building
)

// skipRow is a skip before it is made.
type skipRow struct {
	code      problem.Code
	src, acct rowID
	bin       bool // acct is in the recycle bin
	extra     problem.Args
}

// Build makes the plan. Its errors are problems: the domain does not belong to the
// tenant, is not verified, is the initial one, has no source row, or a column is
// missing.
func Build(in Input) (*Plan, error) {
	b := &builder{in: in}
	if err := b.prepare(); err != nil {
		return nil, err
	}
	if err := b.match(); err != nil {
		return nil, err
	}
	if b.sourceUsers == 0 {
		return nil, b.noRows()
	}
	b.decide()
	if err := b.believe(); err != nil {
		return nil, err
	}
	b.releaseAll()
	b.absences()
	b.portion()
	b.holdMoves()
	return b.finish().with(in.Answers), nil
}

// ground checks tenant and domain, and sets up what every plan needs.
func (b *builder) ground() error {
	in := &b.in
	name := directory.FoldUPN(in.Domain)
	b.federated, b.setUp, b.listed = map[string]bool{}, map[string]bool{name: true}, accountsOf(in.Policy.Protected)
	var names []string
	found := false
	for _, d := range in.Tenant.Domains {
		folded := directory.FoldUPN(d.Name)
		if d.Verified && !d.Initial {
			names = append(names, folded)
		}
		if d.Verified {
			b.federated[folded] = d.Federated
		}
		if folded == name {
			b.domain, found = d, true
		}
	}
	b.domain.Name = name
	switch {
	case !found:
		slices.Sort(names)
		return problem.New(problem.DomainUnknown, problem.Args{"domain": name, "domains": strings.Join(names, ", ")})
	case b.domain.Initial:
		return problem.New(problem.DomainInitial, problem.Args{"domain": name})
	case !b.domain.Verified:
		return problem.New(problem.DomainUnverified, problem.Args{"domain": name})
	}
	for _, d := range in.SetUp {
		b.setUp[directory.FoldUPN(d)] = true
	}
	if len(in.Policy.Attributes) == 0 {
		in.Policy.Attributes = directory.Standard()
	}
	b.src, b.users, b.bin = in.Source, in.Users, in.Deleted
	if b.bin == nil {
		b.bin = directory.EmptyBin()
	}
	return b.overlay()
}

// prepare checks the input and sets the tables up.
func (b *builder) prepare() error {
	if err := b.ground(); err != nil {
		return err
	}
	if err := b.columns(); err != nil {
		return err
	}
	b.decided = newDecisions(b.in.Decisions, b.in.Unattended)
	b.applyAttributeDecisions()
	b.fate = make([]fate, b.src.Len())
	b.matched = filled(b.src.Len())
	b.owner = filled(b.users.Len())
	b.told, b.settled = newBits(b.users.Len()), newBits(b.users.Len())
	b.ours, b.rests = newBits(b.src.Len()), newBits(b.src.Len())
	b.questionOf = map[rowID]*asking{}
	b.sparedBy, b.asks, b.inQuestion = map[rowID]rowID{}, map[rowID][]rowID{}, map[rowID]bool{}
	b.newRows, b.explained, b.unsure = map[rowID]fateOf{}, map[rowID]explained{}, map[rowID]bool{}
	for s := range b.src.All() {
		if b.usernames = s.Username() != ""; b.usernames {
			break
		}
	}
	return nil
}

// columns sets attrs, and returns an error for a required column that is missing.
func (b *builder) columns() error {
	if !b.src.HasColumn(directory.DisplayName) {
		return problem.New(problem.SourceColumnMissing, problem.Args{
			"source": b.src.About().Name, "attribute": string(directory.DisplayName),
		})
	}
	for _, a := range b.in.Policy.Attributes {
		switch a {
		case directory.UserPrincipalName:
			b.writeUPN = true
		case directory.ImmutableID:
			b.writeID = b.src.HasColumn(directory.ImmutableID)
		case directory.AccountEnabled:
		default:
			if !b.src.HasColumn(a) {
				continue
			}
			if !b.users.HasColumn(a) && a != directory.Mail {
				return problem.New(problem.UsersColumnMissing, problem.Args{"attribute": string(a)})
			}
			b.attrs = append(b.attrs, a)
		}
	}
	b.writeEnabled = b.in.Policy.BlockDisabled && b.src.HasColumn(directory.AccountEnabled)
	return nil
}

func (b *builder) applyAttributeDecisions() {
	for a := range b.decided.attributes {
		switch a {
		case directory.UserPrincipalName:
			b.writeUPN = false
		case directory.ImmutableID:
			b.writeID = false
		case directory.AccountEnabled:
			b.writeEnabled = false
		default:
			b.attrs = slices.DeleteFunc(b.attrs, func(x directory.Attribute) bool { return x == a })
		}
	}
}

// noRows is the problem that the source has no user in the domain; it names the domains
// that it has.
func (b *builder) noRows() error {
	seen := map[string]int{}
	for u := range b.src.All() {
		_, d := directory.SplitUPN(u.UPN())
		if d != "" && len(seen) < 100 {
			seen[directory.FoldUPN(d)]++
		}
	}
	names := make([]string, 0, len(seen))
	for d := range seen {
		names = append(names, d)
	}
	slices.SortFunc(names, func(x, y string) int {
		if seen[x] != seen[y] {
			return seen[y] - seen[x]
		}
		return strings.Compare(x, y)
	})
	return problem.New(problem.NoSourceRows, problem.Args{
		"domain": b.domain.Name, "source": b.src.About().Name,
		"rows": strconv.Itoa(b.src.Len()), "domains": strings.Join(names[:min(len(names), 5)], ", "),
	})
}

// here reports whether a UPN is in the domain of the plan.
func (b *builder) here(upn string) bool { return directory.InDomain(upn, b.domain.Name) }

func (b *builder) skip(s skipRow) {
	b.skips = append(b.skips, s)
	if s.acct >= 0 && !s.bin {
		b.told.set(s.acct)
	}
}

// rowID is the index of an account or source row in its snapshot, or of a row in the
// plan that is being made; -1 is none. A million of them are kept at a time.
type rowID int32

func rowAt(i int) rowID { return rowID(i) } //nolint:gosec // a snapshot has at most 4 billion rows; we plan for 2

// bits is a set of small numbers.
type bits []uint64

func newBits(n int) bits         { return make(bits, (n+63)/64) }
func (s bits) set(i rowID)       { s[i/64] |= 1 << (i % 64) }
func (s bits) has(i rowID) bool  { return s[i/64]&(1<<(i%64)) != 0 }
func (s bits) hasRow(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// filled is n times -1.
func filled(n int) []rowID {
	s := make([]rowID, n)
	for i := range s {
		s[i] = -1
	}
	return s
}
