package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// rule is a small tenant, and what becomes of it.
type rule struct {
	name                   string
	source, users, deleted []person
	change                 func(*Input)
	want                   []string
}

func check(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			s := newScene()
			s.source, s.users, s.deleted = append(r.source, user("z")), append(r.users, account("z")), r.deleted
			if r.change != nil {
				r.change(&s.in)
			}
			expect(t, s.build(t), r.want...)
		})
	}
}

func decide(ds ...Decision) func(*Input) { return func(in *Input) { in.Decisions = ds } }

func policy(f func(*Policy)) func(*Input) { return func(in *Input) { f(&in.Policy) } }

func all(fs ...func(*Input)) func(*Input) {
	return func(in *Input) {
		for _, f := range fs {
			f(in)
		}
	}
}

func unattended(in *Input) { in.Unattended = true }
func ask(p *Policy)        { p.AskImmutableID = true }

// federated makes the domain of the plan a federated one.
func federated(in *Input) {
	in.Tenant.Domains = slices.Clone(in.Tenant.Domains)
	for i := range in.Tenant.Domains {
		if in.Tenant.Domains[i].Name == dom {
			in.Tenant.Domains[i].Federated = true
		}
	}
}

func TestRule7_MatchesByImmutableIDThenByUPN(t *testing.T) {
	check(t, []rule{
		{
			name:   "by immutable ID: a rename, never a deletion and an addition",
			source: []person{user("new", as("old"), imm("1"))}, users: []person{account("old", imm("1"))},
			change: policy(func(p *Policy) { p.Attributes = directory.Standard()[:3] }),
			want:   []string{"rename new was old"},
		},
		{
			name:   "immutable IDs are compared exactly",
			source: []person{user("a", imm("Id"))}, users: []person{account("b", imm("id"))},
			want: []string{"delete b", "add a"},
		},
		{
			name:   "UPNs without regard to case, which is no change",
			source: []person{user("a", upn("TARO@Midori.Example"))}, users: []person{account("a", upn("taro"))},
		},
		{
			name:   "an empty immutable ID is filled",
			source: []person{user("a")}, users: []person{account("a", imm(""))},
			want: []string{"update a onPremisesImmutableId=imm-a"},
		},
		{
			name:   "an immutable ID is never cleared",
			source: []person{user("a", imm(""))}, users: []person{account("a")},
			change: policy(func(p *Policy) { p.OnEmpty = Clear }),
		},
	})
}

func TestMatch_AnotherImmutableIDIsAConflict(t *testing.T) {
	source, users := []person{user("a", imm("2"))}, []person{account("a", imm("1"))}
	allow := Decision{Kind: Allow, ID: "id-a"}
	again := Decision{Kind: Allow, ID: "id-a", Attribute: directory.UserPrincipalName}
	check(t, []rule{
		{name: "skipped", source: source, users: users, want: []string{"skip a HS-3206"}},
		{name: "allowing it does not help where the policy says skip", source: source, users: users, change: decide(allow), want: []string{"skip a HS-3206"}},
		{name: "held where the policy asks", source: source, users: users, change: policy(ask), want: []string{"skip a HS-3207"}},
		{
			name: "changed where a reviewer allows it", source: source, users: users, change: all(policy(ask), decide(allow)),
			want: []string{"update a onPremisesImmutableId=2"},
		},
		{
			name: "never where nobody watches", source: source, users: users,
			change: all(policy(ask), decide(allow), unattended), want: []string{"skip a HS-3207"},
		},
		{
			name: "never in a federated domain", source: source, users: users,
			change: all(policy(ask), decide(allow), federated), want: []string{"skip a HS-3208"},
		},
		{
			name: "deleted and added again only when a reviewer says so of the UPN", source: source, users: users,
			change: decide(again), want: []string{"delete a", "add a"},
		},
		{
			name: "and not if the addition would be refused", source: []person{user("a", imm("2"), func(p *person) { p.sur = strings.Repeat("x", 65) })},
			users: users, change: decide(again), want: []string{"skip a HS-3305"},
		},
		{name: "nor that where nobody watches", source: source, users: users, change: all(decide(again), unattended), want: []string{"skip a HS-3206"}},
		{
			name: "nor without both immutable IDs", source: []person{user("a", imm(""))}, users: users,
			change: decide(again),
		},
	})
}

func TestMatch_ConflictsAreSkippedWholeAndTheirAccountsKept(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("a", imm("1"), named("X")), user("x", upn("A"), imm("2"))}
	s.users = []person{account("z"), account("a", imm("1")), account("b", imm("2"))}
	expect(t, s.build(t), "skip a HS-3201", "skip A HS-3201")

	check(t, []rule{
		{
			name: "two rows with one immutable ID", source: []person{user("a", imm("1")), user("b", imm("1"))},
			users: []person{account("a", imm("1")), account("b", imm("")), account("c", imm("1x"))},
			want:  []string{"delete c", "skip a HS-3202", "skip b HS-3202"},
		},
		{
			name: "one row means two accounts", source: []person{user("b", imm("1"))},
			users: []person{account("a", imm("1")), account("b", imm("9"))},
			want:  []string{"skip b HS-3203"},
		},
		{
			name: "unless the other has a row of its own: UPNs move on", source: []person{user("b", as("a"), imm("1")), user("c", as("b"), imm("2"))},
			users: []person{account("a", imm("1")), account("b", imm("2"))},
			change: policy(func(p *Policy) {
				p.Attributes = []directory.Attribute{directory.UserPrincipalName, directory.ImmutableID, directory.DisplayName}
			}),
			want: []string{"rename b was a", "rename c was b"},
		},
		{
			name: "several accounts with the immutable ID", source: []person{user("x", imm("1"))},
			users: []person{account("a", imm("1")), account("b", imm("1"))},
			want:  []string{"skip x HS-3204"},
		},
		{
			name: "an account that skipped rows mean by immutable ID is not found by UPN", source: []person{user("a", imm("")), user("b", imm("1")), user("c", imm("1"))},
			users: []person{account("a", imm("1"))},
			want:  []string{"skip b HS-3202", "skip c HS-3202", "skip a HS-3205"},
		},
		{
			name: "a skipped row of another domain spares an account", source: []person{user("x", upn("x@two.example"), imm("1")), user("y", upn("y@two.example"), imm("1"))},
			users: []person{account("a", imm("1"))},
			want:  []string{"skip a HS-3211"},
		},
	})

	s = newScene()
	s.source = []person{user("z"), user("x", func(p *person) { p.upn = "Tarō @" + dom }, imm("")), user("n", func(p *person) { p.upn = "" }, imm(""), alias("jiro"))}
	s.users = []person{account("z"), account("taro"), account("jiro")}
	expect(t, s.build(t), "skip Tarō  HS-3301", "skip  HS-3401", "ask jiro: ", "ask taro: Tarō ")
}

func TestBuild_WantedUPNs(t *testing.T) {
	upnOnly := policy(func(p *Policy) { p.Attributes = directory.Standard()[:2] })
	check(t, []rule{
		{
			name: "an address of another account", source: []person{user("a")}, users: []person{account("b", address("A@midori.example")), account("c")},
			want: []string{"delete c", "skip a HS-3209", "ask b: a"},
		},
		{
			name: "also of an account that releases the UPN: a mailbox keeps its address", change: upnOnly,
			source: []person{user("b", as("a"), imm("1")), user("c", as("b"), imm("2"))},
			users:  []person{account("a", imm("1")), account("b", imm("2"), address("b@midori.example"))},
			want:   []string{"rename c was b", "skip b HS-3209"},
		},
		{
			name: "but one's own address is none", change: upnOnly,
			source: []person{user("b", as("a"), imm("1"))}, users: []person{account("a", imm("1"), address("b@midori.example"))},
			want: []string{"rename b was a"},
		},
		{
			name: "an added user waits for the rename that releases the UPN", change: upnOnly,
			source: []person{user("b", as("a"), imm("1")), user("a", as("new"), imm("2"))}, users: []person{account("a", imm("1"))},
			want: []string{"rename b was a", "add a"},
		},
		{
			name: "and falls with it", change: all(upnOnly, decide(Decision{Kind: LeaveOutAlways, ID: "id-a"})),
			source: []person{user("b", as("a"), imm("1")), user("a", as("new"), imm("2"))}, users: []person{account("a", imm("1"))},
			want: []string{"skip a HS-3212", "skip a HS-3501"},
		},
		{
			name: "an account that moves to another domain keeps its UPN for now", change: upnOnly,
			source: []person{user("x", upn("x@two.example"), as("a"), imm("1")), user("a", as("new"), imm("2"))}, users: []person{account("a", imm("1"))},
			want: []string{"skip a HS-3220", "skip a HS-3403"},
		},
		{
			name: "a listed UPN is taken by nobody", change: policy(func(p *Policy) { p.Protected = []string{"Break.Glass@midori.example"} }),
			source: []person{user("break.glass")}, want: []string{"skip break.glass HS-3102"},
		},
	})
}

func TestRule6_ProtectedAccountsAreLeftAlone(t *testing.T) {
	marks := []struct {
		mark directory.Marks
		code string
	}{
		{directory.SignedIn, "HS-3101"},
		{directory.Synced, "HS-3103"},
		{directory.Guest, "HS-3104"},
		{directory.Restricted, "HS-3105"},
		{directory.RoleHolder, "HS-3106"},
		{directory.RoleGroup, "HS-3107"},
		{directory.PurposeShared, "HS-3108"},
		{directory.PurposeRoom, "HS-3109"},
		{directory.PurposeEquipment, "HS-3110"},
		{directory.PurposeUnknown | directory.Addressed, "HS-3111"},
		{directory.PurposeOther | directory.Addressed, "HS-3111"},
		{directory.ResourceAccount | directory.PurposeUser, "HS-3113"},
	}
	var rules []rule
	for _, m := range marks {
		only := func(p *person) { p.marks = p.marks&^directory.PurposeUser | m.mark }
		rules = append(rules,
			rule{name: m.code + " not deleted", users: []person{account("a", only)}, want: []string{"skip a " + m.code}},
			rule{name: m.code + " not updated", source: []person{user("a", named("New"))}, users: []person{account("a", only)}, want: []string{"skip a " + m.code}},
			rule{name: m.code + " not renamed", source: []person{user("b", as("a"), imm("imm-a"))}, users: []person{account("a", only)}, want: []string{"skip a " + m.code}},
			rule{name: m.code + " not moved", source: []person{user("b", upn("b@two.example"), imm("imm-a"))}, users: []person{account("a", only)}, want: []string{"skip a " + m.code}},
		)
	}
	rules = append(rules,
		rule{
			name: "listed by UPN", users: []person{account("a")}, want: []string{"skip a HS-3102"},
			change: policy(func(p *Policy) { p.Protected = []string{"A@MIDORI.example"} }),
		},
		rule{
			name: "listed by ID", users: []person{account("a")}, want: []string{"skip a HS-3102"},
			change: policy(func(p *Policy) { p.Protected = []string{"id-a"} }),
		},
		rule{
			name: "an unread mailbox with an Exchange plan is a person's", want: []string{"delete a"},
			users: []person{account("a", func(p *person) {
				p.marks = directory.Enabled | directory.PurposeUnknown | directory.Addressed | directory.ExchangePlan | directory.Licensed
			})},
		},
		rule{
			name: "an unread one that hacsync made and nobody licensed", want: []string{"delete a"},
			users:  []person{account("a", func(p *person) { p.marks = directory.PurposeUnknown | directory.Addressed })},
			change: func(in *Input) { in.Facts.Added = map[directory.ID]bool{"id-a": true} },
		},
		rule{
			name: "but not once it was licensed", want: []string{"skip a HS-3111"},
			users: []person{account("a", func(p *person) {
				p.marks = directory.Enabled | directory.PurposeUnknown | directory.Addressed | directory.Licensed
			})},
			change: func(in *Input) { in.Facts.Added = map[directory.ID]bool{"id-a": true} },
		},
		rule{
			name: "one without any address is no mailbox", want: []string{"delete a"},
			users: []person{account("a", func(p *person) { p.marks = directory.Enabled | directory.PurposeUnknown })},
		},
	)
	check(t, rules)
}

func TestRule6_TheProtectedAreInNeitherNumberOfTheGuard(t *testing.T) {
	s := newScene()
	s.source = []person{user("z")}
	s.users = []person{account("z"), account("a"), account("b", mark(directory.RoleHolder))}
	p := s.build(t)
	if v := p.Verdict(); v.Users != 2 || v.Deletions != 1 {
		t.Errorf("verdict %+v, want 1 of 2", v)
	}
	if c := p.Counts(); c.DestinationUsers != 3 || c.Touchable != 2 {
		t.Errorf("counts %+v", c)
	}
}

func TestNeed_AsksForTheMailboxOfEveryAccountThatAnActionNames(t *testing.T) {
	s := newScene()
	blank := unmark(directory.PurposeUser)
	s.source = []person{user("z"), user("u", named("New")), user("r2", as("r"), imm("imm-r")), user("n"), user("q2", imm("imm-q"))}
	s.users = []person{account("q", blank), account("z", blank), account("u", blank), account("r", blank), account("d", blank), account("k")}
	p := s.build(t)
	if want := []directory.ID{"id-d", "id-q", "id-r", "id-u"}; !slices.Equal(p.Need(), want) {
		t.Errorf("need %v, want %v", p.Need(), want)
	}
	s.in.Purposes = map[directory.ID]directory.Marks{"id-q": directory.PurposeUser, "id-d": directory.PurposeShared, "id-r": directory.PurposeUser, "id-u": directory.PurposeNone}
	p = s.build(t)
	if len(p.Need()) != 0 {
		t.Errorf("need %v, want none", p.Need())
	}
	expect(t, p, "delete k", "rename r2 was r mailNickname=r2", "add n", "update u displayName=New", "skip d HS-3108", "ask q: q2")
}

func TestBuild_Domains(t *testing.T) {
	upnOnly := policy(func(p *Policy) { p.Attributes = directory.Standard()[:2] })
	move := []person{user("a", as("b"), imm("1"))}
	check(t, []rule{
		{
			name: "an account whose row is in another domain has moved, and is not deleted", want: []string{"skip a HS-3403"},
			source: []person{user("a", upn("a@two.example"))}, users: []person{account("a")},
		},
		{
			name: "also to a domain that is not set up", want: []string{"skip a HS-3404"}, change: func(in *Input) { in.SetUp = []string{dom} },
			source: []person{user("a", upn("a@two.example"))}, users: []person{account("a")},
		},
		{
			name: "also to a domain that the tenant has not", want: []string{"skip a HS-3410"},
			source: []person{user("a", upn("a@elsewhere.example"))}, users: []person{account("a")},
		},
		{
			name: "a move in is a rename", change: upnOnly, source: move, users: []person{account("b", upn("b@two.example"), imm("1"))},
			want: []string{"rename a was b@two.example"},
		},
		{
			name: "only if both domains are set up", change: all(upnOnly, func(in *Input) { in.SetUp = []string{dom} }),
			source: move, users: []person{account("b", upn("b@two.example"), imm("1"))}, want: []string{"skip b@two.example HS-3405"},
		},
		{
			name: "from the onmicrosoft domain, which cannot be set up, never", change: all(upnOnly, func(in *Input) { in.SetUp = nil }),
			source: move, users: []person{account("b", upn("b@midori.onmicrosoft.com"), imm("1"))}, want: []string{"skip b@midori.onmicrosoft.com HS-3405"},
		},
		{
			name: "out of a federated domain there is no password", change: upnOnly,
			source: move, users: []person{account("b", upn("b@fed.example"), imm("1"))}, want: []string{"skip b@fed.example HS-3407"},
		},
		{
			name: "unless one may be set", change: all(upnOnly, policy(func(p *Policy) { p.ResetPasswords = true })),
			source: move, users: []person{account("b", upn("b@fed.example"), imm("1"))}, want: []string{"rename a was b@fed.example"},
		},
		{
			name: "but not where nobody watches", change: all(upnOnly, unattended, policy(func(p *Policy) { p.ResetPasswords = true })),
			source: move, users: []person{account("b", upn("b@fed.example"), imm("1"))}, want: []string{"skip b@fed.example HS-3408"},
		},
		{
			name: "a subdomain is another domain", source: []person{user("a", upn("a@sub.midori.example"))}, users: []person{account("b", upn("b@sub.midori.example"))},
		},
		{
			name: "a row without UPN is in no domain", source: []person{user("hdeadmin", func(p *person) { p.upn = "" }, imm(""))}, want: []string{"skip  HS-3401"},
		},
		{
			name: "nor is one without @", source: []person{user("x", func(p *person) { p.upn = "taro" }, imm(""))}, want: []string{"skip taro HS-3402"},
		},
	})
}

func TestSteps_EnteringAFederatedDomainSendsTheImmutableIDWithTheUPN(t *testing.T) {
	for _, had := range []string{"1", ""} {
		s := newScene()
		s.in.Domain = "fed.example"
		s.source = []person{user("a", upn("a@fed.example"), imm("1")), user("z", upn("z@fed.example"))}
		s.users = []person{account("a", upn("a@"+dom), imm(had)), account("z", upn("z@fed.example"))}
		if had == "" {
			s.in.Decisions = nil
			s.source[0].upn = "b@fed.example"
			s.users[0] = account("a", upn("b@"+dom), imm("1"))
		}
		p := s.build(t)
		a := p.Action(0)
		if a.Kind != Rename || len(a.Steps[0].Set) != 2 || a.Steps[0].Set[1].Attribute != directory.ImmutableID || a.Steps[0].Set[1].New.Text != "1" {
			t.Errorf("steps %+v", a.Steps)
		}
	}
}

func TestBuild_RefusesDomainsThatCannotBeSynchronised(t *testing.T) {
	s := newScene()
	s.source = []person{user("a")}
	s.users = []person{account("a")}
	for domain, want := range map[string]problem.Code{
		"no.example":             problem.DomainUnknown,
		"unverified.example":     problem.DomainUnverified,
		"midori.onmicrosoft.com": problem.DomainInitial,
		"two.example":            problem.NoSourceRows,
	} {
		s.in.Domain = domain
		_, err := Build(s.input(t))
		code(t, err, want)
		if domain == "no.example" && !strings.Contains(problem.Of(err).Args["domains"], dom) {
			t.Errorf("%v does not name the domains there are", err)
		}
		if domain == "two.example" && !strings.Contains(problem.Of(err).Args["domains"], dom) {
			t.Errorf("%v does not name the domains of the source", err)
		}
	}
	s.in.Domain = "MIDORI.example"
	if p := s.build(t); p.Domain() != dom {
		t.Errorf("domain %q", p.Domain())
	}
}

func TestBuild_RefusesASourceWithoutDisplayNamesAndUsersWithoutWhatIsWritten(t *testing.T) {
	s := newScene()
	s.source, s.users = []person{user("a")}, []person{account("a")}
	in := s.input(t)
	b := directory.NewBuilder(directory.Source, nil)
	if err := b.Add(directory.Record{UPN: "a@" + dom}); err != nil {
		t.Fatal(err)
	}
	var err error
	if in.Source, err = b.Seal(directory.Proof{Ended: true, Items: 1, Count: -1}, directory.About{}); err != nil {
		t.Fatal(err)
	}
	_, err = Build(in)
	code(t, err, problem.SourceColumnMissing)

	in = s.input(t)
	b = directory.NewBuilder(directory.Destination, []directory.Attribute{directory.DisplayName})
	if err := b.Add(directory.Record{ID: "id-a", UPN: "a@" + dom, Values: make([]directory.Value, 1)}); err != nil {
		t.Fatal(err)
	}
	if in.Users, err = b.Seal(directory.Proof{Ended: true, Items: 1, Count: 1}, directory.About{}); err != nil {
		t.Fatal(err)
	}
	_, err = Build(in)
	code(t, err, problem.UsersColumnMissing)
}

func TestBuild_ValuesThatGraphWouldRefuse(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	check(t, []rule{
		{name: "UPN with an accent", source: []person{user("a", upn("josé"))}, want: []string{"skip josé HS-3301"}},
		{name: "UPN with a space", source: []person{user("a", upn("a b"))}, want: []string{"skip a b HS-3301"}},
		{name: "UPN with all signs that are allowed", source: []person{user("a", upn("a'.-_!#^~9Z"))}, want: []string{"add a'.-_!#^~9Z"}},
		{name: "UPN with 64 before the @", source: []person{user("a", upn(long(64)))}, want: []string{"add " + long(64)}},
		{name: "UPN with 65 before the @", source: []person{user("a", upn(long(65)))}, want: []string{"skip " + long(65) + " HS-3302"}},
		{name: "UPN with a dot before the @", source: []person{user("a", upn("a."))}, want: []string{"skip a. HS-3303"}},
		{name: "UPN with nothing before the @", source: []person{user("a", upn("@"+dom))}, want: []string{"skip  HS-3304"}},
		{name: "display name of 256", source: []person{user("a", named(long(256)))}, want: []string{"add a"}},
		{name: "display name of 257", source: []person{user("a", named(long(257)))}, want: []string{"skip a HS-3305"}},
		{name: "counted in UTF-16", source: []person{user("a", named(strings.Repeat("𠮷", 129)))}, want: []string{"skip a HS-3305"}},
		{name: "and not in bytes", source: []person{user("a", named(strings.Repeat("花", 256)))}, want: []string{"add a"}},
		{name: "surname of 65", source: []person{user("a", func(p *person) { p.sur = long(65) })}, want: []string{"skip a HS-3305"}},
		{name: "given name of 65", source: []person{user("a", func(p *person) { p.given = long(65) })}, want: []string{"skip a HS-3305"}},
		{name: "alias of 65", source: []person{user("a", alias(long(65)))}, want: []string{"skip a HS-3305"}},
		{
			name: "an update with a value too long is skipped whole", source: []person{user("a", named("New"), func(p *person) { p.sur = long(65) })},
			users: []person{account("a")}, want: []string{"skip a HS-3305"},
		},
		{
			name: "a value too long that is not written hurts nobody", source: []person{user("a", named("New"), func(p *person) { p.sur = long(65) })},
			users: []person{account("a", func(p *person) { p.sur = long(65) })}, want: []string{"update a displayName=New"},
		},
		{
			name: "a rename to a UPN that is none", source: []person{user("a", upn("ä"))}, users: []person{account("a")},
			want: []string{"skip ä HS-3301"},
		},
		{name: "no display name", source: []person{user("a", named(""))}, want: []string{"skip a HS-3306"}},
		{name: "no alias", source: []person{user("a", alias(""))}, want: []string{"skip a HS-3307"}},
		{name: "alias with a space", source: []person{user("a", alias("a b"))}, want: []string{"skip a HS-3308"}},
		{name: "alias with an @", source: []person{user("a", alias("a@b"))}, want: []string{"skip a HS-3308"}},
		{name: "alias beyond ASCII", source: []person{user("a", alias("花"))}, want: []string{"skip a HS-3308"}},
		{name: "immutable ID with $", source: []person{user("a", imm("a$"))}, want: []string{"skip a HS-3309"}},
		{name: "immutable ID with _", source: []person{user("a", imm("a_"))}, users: []person{account("a", imm(""))}, want: []string{"skip a HS-3309"}},
		{name: "no immutable ID in a federated domain", source: []person{user("a", imm(""))}, change: federated, want: []string{"skip a HS-3310"}},
		{name: "nor is one needed in a managed one", source: []person{user("a", imm(""))}, want: []string{"add a"}},
		{name: "control characters are written", source: []person{user("a", named("x\x1by"))}, want: []string{"add a"}},
	})
}

func TestValues_LimitsOfMappedAttributes(t *testing.T) {
	for a, limit := range map[directory.Attribute]int{
		directory.Department: 64, "companyName": 64, "mobilePhone": 64, "jobTitle": 128, "city": 128, "state": 128,
		"country": 128, "postalCode": 40, "streetAddress": 1024, "employeeId": 16, "extensionAttribute7": 1024,
	} {
		for n, ok := range map[int]bool{limit: true, limit + 1: false} {
			w := checkChange(Change{Attribute: a, New: directory.Text(strings.Repeat("é", n))})
			if (w == nil) != ok {
				t.Errorf("%s of %d: %v", a, n, w)
			}
			if w != nil && (w.code != problem.ValueLong || w.args["attribute"] != string(a)) {
				t.Errorf("%s of %d: %v", a, n, w)
			}
		}
	}
	for v, ok := range map[string]bool{"JP": true, "jp": true, "JPN": false, "日本": false, "1": false} {
		if w := checkChange(Change{Attribute: directory.UsageLocation, New: directory.Text(v)}); (w == nil) != ok {
			t.Errorf("usage location %q: %v", v, w)
		}
	}
	if w := checkUPN("a@" + strings.Repeat("x", 49)); w == nil || w.args["limit"] != "48" {
		t.Errorf("domain of 49: %v", w)
	}
}

func TestBuild_OnEmpty(t *testing.T) {
	source := []person{user("a", dept(""), named(""), alias(""))}
	users := []person{account("a", dept("Sales"))}
	with := func(on OnEmpty, known map[string]map[directory.Attribute]bool) func(*Input) {
		return func(in *Input) {
			in.Policy.Attributes = append(directory.Standard(), directory.Department, directory.UsageLocation)
			in.Policy.OnEmpty, in.Facts.Known = on, known
		}
	}
	known := map[directory.Attribute]bool{directory.Department: true}
	check(t, []rule{
		{name: "keep", source: source, users: users, change: with(Keep, nil)},
		{name: "clear, but never what is never cleared", source: source, users: users, change: with(Clear, nil), want: []string{"update a department=(none)"}},
		{name: "clear-known that is not known", source: source, users: users, change: with(ClearKnown, nil)},
		{
			name: "clear-known by immutable ID", source: source, users: users, want: []string{"update a department=(none)"},
			change: with(ClearKnown, map[string]map[directory.Attribute]bool{"imm-a": known}),
		},
		{
			name: "clear-known by UPN", source: source, users: users, want: []string{"update a department=(none)"},
			change: with(ClearKnown, map[string]map[directory.Attribute]bool{"a@" + dom: known}),
		},
	})
}

func TestBuild_AMissingColumnNeverClears(t *testing.T) {
	s := newScene()
	s.source, s.users = []person{user("a")}, []person{account("a", dept("Sales"))}
	s.in.Policy.OnEmpty = Clear
	s.in.Policy.Attributes = append(directory.Standard(), directory.Department)
	in := s.input(t)
	b := directory.NewBuilder(directory.Source, testColumns[:4]) // no department
	b.Without(directory.ImmutableID)
	r := s.source[0].record()
	r.Values = r.Values[:4]
	r.ImmutableID = ""
	if err := b.Add(r); err != nil {
		t.Fatal(err)
	}
	var err error
	if in.Source, err = b.Seal(directory.Proof{Ended: true, Items: 1, Count: -1}, directory.About{}); err != nil {
		t.Fatal(err)
	}
	p, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, p)
	if !warned(p, problem.ColumnAbsent) {
		t.Errorf("no warning: %v", p.Warnings())
	}
}

func warned(p *Plan, c problem.Code) bool {
	return slices.ContainsFunc(p.Warnings(), func(w *problem.Problem) bool { return w.Code == c })
}

func TestBuild_TheAliasOfAMailboxIsKept(t *testing.T) {
	source := []person{user("a", alias("new"))}
	check(t, []rule{
		{name: "with an address", source: source, users: []person{account("a", address("a@midori.example"))}},
		{name: "with a plan", source: source, users: []person{account("a", mark(directory.ExchangePlan))}},
		{name: "without a mailbox it follows", source: source, users: []person{account("a")}, want: []string{"update a mailNickname=new"}},
		{
			name: "with one when it is opted in", source: source, users: []person{account("a", address("a@midori.example"))},
			change: policy(func(p *Policy) { p.ChangeAlias = true }), want: []string{"update a mailNickname=new"},
		},
	})
	s := newScene()
	s.source, s.users = source, []person{account("a", address("a@midori.example"))}
	if !warned(s.build(t), problem.AliasesKept) {
		t.Error("nobody says that the alias is kept")
	}
}

func TestBuild_OnDisabled(t *testing.T) {
	disabled := unmark(directory.Enabled)
	on := policy(func(p *Policy) { p.BlockDisabled = true })
	check(t, []rule{
		{name: "ignored by preset", source: []person{user("a", disabled)}, users: []person{account("a")}},
		{name: "blocked", source: []person{user("a", disabled)}, users: []person{account("a")}, change: on, want: []string{"update a accountEnabled=false"}},
		{name: "unblocked only by who blocked", source: []person{user("a")}, users: []person{account("a", disabled)}, change: on},
		{
			name: "unblocked", source: []person{user("a")}, users: []person{account("a", disabled)}, want: []string{"update a accountEnabled=true"},
			change: all(on, func(in *Input) { in.Facts.Blocked = map[directory.ID]bool{"id-a": true} }),
		},
	})
	s := newScene()
	s.in.Policy.BlockDisabled = true
	s.source = []person{user("z"), user("a", disabled), user("n", disabled)}
	s.users = []person{account("z"), account("a")}
	p := s.build(t)
	if v := p.Verdict(); v.Deletions != 1 || v.Blocks != 1 {
		t.Errorf("a block does not count with the deletions: %+v", v)
	}
	for a := range p.Actions() {
		enabled, _ := a.change(directory.AccountEnabled)
		if enabled.New.Text != "false" {
			t.Errorf("%s: accountEnabled %q", a.Kind, enabled.New.Text)
		}
		if a.Kind == Update && (!a.Blocks || !a.SignIn || !has(a, problem.BlockKeepsSessions)) {
			t.Errorf("a block is not marked: %+v", a)
		}
	}
	// A new account is enabled, except for the status of its row where the policy uses it.
	for _, c := range []struct {
		block   bool
		status  directory.Marks
		enabled string
	}{{true, directory.Enabled, "true"}, {true, 0, "false"}, {false, directory.Enabled, "true"}, {false, 0, "true"}} {
		s := newScene()
		s.in.Policy.BlockDisabled = c.block
		s.source, s.users = []person{user("z"), user("n", only(c.status))}, []person{account("z")}
		p := s.build(t)
		expect(t, p, "add n")
		a := p.Action(0)
		if got, _ := a.change(directory.AccountEnabled); got.New.Text != c.enabled {
			t.Errorf("%+v: accountEnabled %q", c, got.New.Text)
		}
	}
}

func has(a Action, c problem.Code) bool {
	return slices.ContainsFunc(a.Warnings, func(w *problem.Problem) bool { return w.Code == c })
}

func TestBuild_RecycleBin(t *testing.T) {
	a := []person{user("a", imm("1"))}
	noID := []person{user("a", imm(""))}
	allow := decide(Decision{Kind: Allow, UPN: "a@" + dom})
	again := decide(Decision{Kind: Allow, UPN: "a@" + dom, Attribute: directory.UserPrincipalName})
	check(t, []rule{
		{name: "restored by immutable ID", source: a, deleted: []person{gone("a", imm("1"))}, want: []string{"restore a"}},
		{name: "values that differ are written after", source: a, deleted: []person{gone("a", imm("1"), named("Old"))}, want: []string{"restore a displayName=Name a"}},
		{name: "under a new UPN", source: a, deleted: []person{gone("a", imm("1"), upn("old"))}, want: []string{"restore a"}},
		{name: "not if several fit", source: a, deleted: []person{gone("a", imm("1")), gone("b", imm("1"))}, want: []string{"skip a HS-3351"}},
		{name: "not from on-premises", source: a, deleted: []person{gone("a", imm("1"), mark(directory.Synced))}, want: []string{"skip a HS-3352"}},
		{
			name: "not in the last 24 hours", source: a, want: []string{"skip a HS-3353"},
			deleted: []person{gone("a", imm("1"), binnedAt(at.Add(-29*24*time.Hour)))},
		},
		{
			name: "but before", source: a, want: []string{"restore a"},
			deleted: []person{gone("a", imm("1"), binnedAt(at.Add(-29*24*time.Hour+time.Second)))},
		},
		{name: "no guest", source: a, deleted: []person{gone("a", imm("1"), mark(directory.Guest))}, want: []string{"skip a HS-3355"}},
		{name: "by UPN with both IDs differing: another person", source: a, deleted: []person{gone("a", imm("2"))}, want: []string{"add a"}},
		{name: "by UPN with one ID empty: held", source: noID, deleted: []person{gone("a", imm("2"))}, want: []string{"skip a HS-3354"}},
		{name: "the other ID", source: a, deleted: []person{gone("a", imm(""))}, want: []string{"skip a HS-3354"}},
		{name: "allowed", source: a, deleted: []person{gone("a", imm(""))}, change: allow, want: []string{"restore a onPremisesImmutableId=1"}},
		{name: "allowed where nobody watches", source: a, deleted: []person{gone("a", imm(""))}, change: all(allow, unattended), want: []string{"skip a HS-3354"}},
		{name: "added instead", source: a, deleted: []person{gone("a", imm(""))}, change: again, want: []string{"add a"}},
		{
			name: "added instead, by the ID of the deleted account", source: a, deleted: []person{gone("a", imm(""))}, want: []string{"add a"},
			change: decide(Decision{Kind: Allow, ID: "id-a", UPN: "a@" + dom, Attribute: directory.UserPrincipalName}),
		},
		{
			name: "not if it is live again", source: a, users: []person{account("a", imm("1"))}, deleted: []person{gone("a", imm("1"))},
		},
		{
			name: "nor from a list that still shows as deleted who is live", source: []person{user("a", imm("1")), user("x", imm(""))}, want: []string{"add a"},
			users: []person{account("x", imm(""), func(p *person) { p.id = "id-a" })}, deleted: []person{gone("a", imm("1"))},
		},
		{
			name: "another row's by ID is nobody's by UPN", source: []person{user("b", imm("1"), alias("a"), named("Name a")), user("a", imm(""))}, want: []string{"restore b", "add a"},
			deleted: []person{gone("a", imm("1"))},
			change:  policy(func(p *Policy) { p.Attributes = directory.Standard()[:2] }),
		},
		{
			name: "of a federated domain", source: a, deleted: []person{gone("a", imm("1"), upn("a@fed.example"))}, want: []string{"skip a HS-3356"},
		},
		{
			name: "of another domain that is set up", source: a, deleted: []person{gone("a", imm("1"), upn("a@two.example"))}, want: []string{"restore a"},
		},
		{
			name: "of a domain that is not set up", source: a, deleted: []person{gone("a", imm("1"), upn("a@midori.onmicrosoft.com"))}, want: []string{"skip a HS-3405"},
		},
	})
	s := newScene()
	s.source = []person{user("z"), user("a", imm("1")), user("b")}
	s.users = []person{account("z")}
	s.deleted = []person{gone("a", imm("1"), upn("old"), named("Old")), gone("b")}
	s.in.Facts.Deleted = map[directory.ID]bool{"id-b": true}
	p := s.build(t)
	x := p.Action(0)
	if len(x.Steps) != 2 || x.Steps[0].Verb != RestoreUser || x.Steps[0].Set[0].New.Text != "a@"+dom || x.Steps[1].Verb != Patch {
		t.Errorf("steps %+v", x.Steps)
	}
	if !has(x, problem.DeletedByHand) || has(p.Action(1), problem.DeletedByHand) {
		t.Error("what hacsync did not delete is not marked")
	}
}

func TestBuild_ReviewersDecisions(t *testing.T) {
	out := func(k DecisionKind, id directory.ID, upn string) func(*Input) {
		return decide(Decision{Kind: k, ID: id, UPN: upn, By: "t.mori", Why: "printer", At: at})
	}
	check(t, []rule{
		{name: "a deletion left out always", users: []person{account("a")}, change: out(LeaveOutAlways, "id-a", ""), want: []string{"skip a HS-3501"}},
		{name: "a deletion left out once", users: []person{account("a")}, change: out(LeaveOutOnce, "id-a", ""), want: []string{"skip a HS-3502"}},
		{name: "an addition left out", source: []person{user("a")}, change: out(LeaveOutAlways, "", "A@"+dom), want: []string{"skip a HS-3501"}},
		{name: "an update left out", source: []person{user("a", named("New"))}, users: []person{account("a")}, change: out(LeaveOutOnce, "id-a", ""), want: []string{"skip a HS-3502"}},
		{name: "always is shown also where nothing would change", source: []person{user("a")}, users: []person{account("a")}, change: out(LeaveOutAlways, "id-a", ""), want: []string{"skip a HS-3501"}},
		{name: "once is not", source: []person{user("a")}, users: []person{account("a")}, change: out(LeaveOutOnce, "id-a", "")},
		{
			name: "by ID the account, not its UPN", users: []person{account("a"), account("b")},
			change: out(LeaveOutAlways, "id-a", "b@"+dom), want: []string{"delete b", "skip a HS-3501"},
		},
		{
			name: "an attribute left out", source: []person{user("a", named("New"), func(p *person) { p.sur = "New" })}, users: []person{account("a")},
			change: decide(Decision{Kind: LeaveOutAttribute, Attribute: directory.DisplayName}), want: []string{"update a surname=New"},
		},
		{
			name: "the UPN left out: no rename", source: []person{user("b", as("a"), imm("imm-a"))}, users: []person{account("a")},
			change: all(policy(func(p *Policy) { p.Attributes = directory.Standard()[:2] }), decide(Decision{Kind: LeaveOutAttribute, Attribute: directory.UserPrincipalName})),
		},
	})
	s := newScene()
	s.source, s.users = []person{user("z")}, []person{account("z"), account("a")}
	out(LeaveOutAlways, "id-a", "")(&s.in)
	why := s.build(t).Skip(0).Why
	if why.Args["by"] != "t.mori" || why.Args["why"] != "printer" || why.Args["at"] == "" {
		t.Errorf("who, why and when: %v", why.Args)
	}
	s.in.Decisions = []Decision{{Kind: Allow, ID: "id-gone", UPN: "x@" + dom}}
	if !warned(s.build(t), problem.DecisionIdle) {
		t.Error("nobody says that a decision fits no row")
	}
}

func TestQuestions_OnePersonWhoComesAndGoes(t *testing.T) {
	pairs := map[string]string{
		"渡邉 翔": "渡辺 翔", "渡邊翔": "渡辺　翔", "髙﨑": "高崎", "齋藤": "斉藤", "ﾜﾀﾅﾍﾞ": "わたなべ", "ＡＮＮ": "ann", "𠮷田": "吉田", "神谷": "神谷",
	}
	for was, is := range pairs {
		s := newScene()
		s.source = []person{user("z"), user("new", named(is), func(p *person) { p.sur, p.given = "", "" })}
		s.users = []person{account("z"), account("old", named(was), func(p *person) { p.sur, p.given = "", "" })}
		expect(t, s.build(t), "ask old: new")
	}
	ann := []person{user("new", named("Ann"), imm(""))}
	accounts := []person{account("old", named("Ann"))}
	check(t, []rule{
		{name: "open, unattended", source: ann, users: accounts, change: unattended, want: []string{"ask old: new"}},
		{name: "open, attended", source: ann, users: accounts, want: []string{"ask old: new"}},
		{
			name: "also where both have an ID", source: []person{user("new", named("Ann"))}, users: []person{account("old", named("Ann"))},
			want: []string{"ask old: new"},
		},
	})
	for how, want := range [][]string{
		{"ask old: new"},
		{"ask old: new = not-now"},
		{"delete old", "add new", "ask old: new = different"},
		{"rename new was old surname=Sur new givenName=Given new mailNickname=new", "ask old: new = same new"},
	} {
		s := newScene()
		s.source, s.users = append(ann, user("z")), append(accounts, account("z"))
		p := s.build(t)
		s.in.Answers = answers(p.Question(0), how)
		q := s.build(t)
		expect(t, q, want...)
		expect(t, p.Answer(s.in.Answers), want...)
		if p.Answer(s.in.Answers).Fingerprint() != q.Fingerprint() {
			t.Errorf("answered later it is another plan: %v", want)
		}
		if how == 2 && !slices.Equal(q.Action(0).After, []int{q.Action(1).No}) {
			t.Errorf("the deletion does not wait for the addition: %v", q.Action(0).After)
		}
	}
}

func TestRule10_ValuesThatLookTheSameAreMarked(t *testing.T) {
	s := newScene()
	s.source = []person{user("a", named("佐藤 花")), user("b", named("x\u202ey"))}
	s.users = []person{account("a", named("佐藤　花")), account("b")}
	p := s.build(t)
	if a, b := p.Action(0), p.Action(1); !has(a, problem.LooksSame) || has(a, problem.ControlCharacter) || !has(b, problem.ControlCharacter) || has(b, problem.LooksSame) {
		t.Errorf("warnings %v, %v", a.Warnings, b.Warnings)
	}
}

func TestAction_SaysWhatIsWorthALook(t *testing.T) {
	s := newScene()
	s.in.Policy.OnEmpty = Clear
	s.in.Policy.Attributes = append(directory.Standard(), directory.Department)
	s.in.Facts.Undone = map[directory.ID]bool{"id-d": true}
	s.source = []person{user("z"), user("r2", as("r"), imm("imm-r")), user("f"), user("c", dept("")), user("n", alias("z"))}
	s.users = []person{
		account("z"), account("r"), account("f", imm("")), account("c", dept("Sales")),
		account("d", mark(directory.Licensed), func(p *person) { p.created, p.lastSignIn = at.Add(-time.Hour), at }),
	}
	s.deleted = []person{gone("old", imm("imm-f"))}
	p := s.build(t)
	byUPN := map[string]Action{}
	for a := range p.Actions() {
		byUPN[a.UPN] = a
	}
	for upn, want := range map[string]problem.Code{
		"r2": problem.RenameReaches, "f": problem.DeletedHasID, "c": problem.ValueCleared, "d": problem.UndoneBefore, "n": problem.AliasShared,
	} {
		if a := byUPN[upn+"@"+dom]; !has(a, want) {
			t.Errorf("%s: no %s in %v", upn, want, a.Warnings)
		}
	}
	if e := byUPN["d@"+dom].Evidence; e == nil || !e.Licensed || !e.Enabled || !e.LastSignIn.Equal(at) || e.Created.IsZero() || e.Purpose != directory.PurposeUser {
		t.Errorf("evidence %+v", e)
	}
	for upn, want := range map[string]bool{"r2": true, "f": true, "c": false, "n": false, "d": false} {
		if byUPN[upn+"@"+dom].SignIn != want {
			t.Errorf("%s: affects sign-in %t", upn, !want)
		}
	}
	if c := p.Counts(); c.SignIn != 2 {
		t.Errorf("counts %+v", c)
	}
	if v := p.Verdict(); v.SignInChanges != 3 {
		t.Errorf("verdict %+v", v)
	}
	if !warned(p, problem.AliasesShared) {
		t.Errorf("warnings %v", p.Warnings())
	}
}

func TestPlan_WarnsAsAWhole(t *testing.T) {
	s := newScene()
	s.source, s.users = []person{user("a")}, []person{account("a")}
	in := s.input(t)
	in.Tenant.OnPremisesSync = true
	b := directory.NewBuilder(directory.Source, testColumns)
	if err := b.Add(s.source[0].record()); err != nil {
		t.Fatal(err)
	}
	var err error
	if in.Source, err = b.Seal(directory.Proof{Ended: true, Items: 1, Count: -1}, directory.About{Newest: at.Add(-25 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	p, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []problem.Code{problem.NotConfirmed, problem.TwoMasters, problem.SourceOld} {
		if !warned(p, c) {
			t.Errorf("no %s in %v", c, p.Warnings())
		}
	}
	if p.Confirmed() {
		t.Error("confirmed without a count")
	}
	if q := s.build(t); len(q.Warnings()) != 0 || !q.Confirmed() {
		t.Errorf("warnings %v", q.Warnings())
	}
}

func TestSteps_NewAccounts(t *testing.T) {
	for _, fed := range []bool{false, true} {
		s := newScene()
		s.source, s.users = []person{user("a"), user("z")}, []person{account("z")}
		if fed {
			federated(&s.in)
		}
		st := s.build(t).Action(0).Steps
		if len(st) != 1 || st[0].Verb != Create || !st[0].Password || st[0].ForceChange == fed {
			t.Errorf("federated %t: %+v", fed, st)
		}
		var enabled string
		for _, c := range st[0].Set {
			if c.Attribute == directory.AccountEnabled {
				enabled = c.New.Text
			}
		}
		if enabled != "true" {
			t.Errorf("accountEnabled %q", enabled)
		}
	}
}

func TestBuild_WhatWasWrittenLatelyOverlaysTheList(t *testing.T) {
	name := func(n string) ([]directory.Attribute, []directory.Value) {
		return []directory.Attribute{directory.DisplayName}, []directory.Value{directory.Text(n)}
	}
	rec := func(id, upn, n string) directory.Record {
		r := directory.Record{ID: directory.ID(id), UPN: upn, Marks: directory.Enabled}
		if n != "" {
			r.Columns, r.Values = name(n)
		}
		return r
	}
	recent := func(rs ...directory.Record) func(*Input) { return func(in *Input) { in.Facts.Recent = rs } }
	check(t, []rule{
		{name: "updated", source: []person{user("a", named("New"))}, users: []person{account("a")}, change: recent(rec("id-a", "a@"+dom, "New"))},
		{name: "renamed", source: []person{user("b", imm("imm-a"))}, users: []person{account("a", named("Name b"), alias("b"), func(p *person) { p.sur, p.given = "Sur b", "Given b" })}, change: recent(rec("id-a", "b@"+dom, ""))},
		{name: "deleted", users: []person{account("a")}, change: recent(rec("id-a", "", ""))},
		{
			name: "deleted, and back in the source: restored", source: []person{user("a")}, users: []person{account("a")},
			change: recent(rec("id-a", "", "")), want: []string{"restore a"},
		},
		{
			name: "added", source: []person{user("a")}, change: func(in *Input) {
				r := user("a").record()
				r.ID = "id-new"
				in.Facts.Recent = []directory.Record{r}
			},
		},
		{name: "restored", source: []person{user("a")}, deleted: []person{gone("a")}, change: recent(rec("id-a", "a@"+dom, ""))},
		{name: "protection stays", users: []person{account("a", mark(directory.RoleHolder))}, change: recent(rec("id-a", "a@"+dom, "")), want: []string{"skip a HS-3106"}},
	})
}

func TestAction_AFilledIDOfAFederatedDomainStays(t *testing.T) {
	for _, fed := range []bool{false, true} {
		s := newScene()
		s.source, s.users = []person{user("a"), user("z")}, []person{account("a", imm("")), account("z")}
		if fed {
			federated(&s.in)
		}
		if a := s.build(t).Action(0); has(a, problem.ImmutableIDStays) != fed || !a.SignIn {
			t.Errorf("federated %t: %v", fed, a.Warnings)
		}
	}
}
