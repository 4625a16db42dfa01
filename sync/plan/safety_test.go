package plan

import (
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
)

// Somebody renamed an account by hand; the mailbox keeps its old address, which
// is the UPN that the source still has for the person.
func TestDeletions_SpareWhoHasTheUPNOfASourceRowAsAddress(t *testing.T) {
	for name, holder := range map[string]func(*person){
		"alias":       func(p *person) { p.addresses = []string{"SMTP:b.new@" + dom, "smtp:B@" + dom} },
		"mail":        func(p *person) { p.mail = "b@" + dom },
		"of a domain": func(p *person) { p.addresses = []string{"smtp:b@elsewhere.example"} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.source = []person{user("a"), user("b", imm(""))}
			s.users = []person{account("a"), account("b", upn("b.new"), imm(""), holder)}
			if name == "of a domain" {
				s.source[1].upn = "b@elsewhere.example"
				expect(t, s.build(t), "ask b.new: b@elsewhere.example")
				return
			}
			expect(t, s.build(t), "skip b HS-3209", "ask b.new: b")
		})
	}
}

func TestDeletions_AnAddressOfAnotherPersonsRowSparesNoAccount(t *testing.T) {
	s := newScene()
	s.source = []person{user("a"), user("b")}
	s.users = []person{account("a"), account("b"), account("z", address("b@"+dom))}
	expect(t, s.build(t), "delete z")
}

// Rows with keys in the wrong form are still about an account.
func TestDeletions_SpareTheAccountThatABadRowMayBeAbout(t *testing.T) {
	tests := []struct {
		name    string
		row     person
		account person
		want    []string
	}{
		{
			"dot behind the domain", user("b", upn("b@"+dom+"."), imm("")), account("b", imm("")),
			[]string{"skip b@" + dom + ". HS-3301", "ask b: b@" + dom + "."},
		},
		{
			"no UPN, known by alias", user("b", imm(""), func(p *person) { p.upn = "" }), account("b", imm("")),
			[]string{"skip  HS-3401", "ask b: "},
		},
		{
			"no UPN, known by name", user("b", imm(""), alias("1234"), func(p *person) { p.upn = "" }), account("b", imm("")),
			[]string{"skip  HS-3401", "ask b: "},
		},
		{
			"UPN without a sign, known by alias", user("b", imm(""), func(p *person) { p.upn = "b midori.example" }), account("b", imm("")),
			[]string{"skip b midori.example HS-3402", "ask b: b midori.example"},
		},
		{
			"UPN with a comma, known by name", user("b", imm(""), alias("1234"), func(p *person) { p.upn = "b@midori,example" }), account("b", imm("")),
			[]string{"ask b: b@midori,example"},
		},
		{
			"immutable ID with what does not show", user("b2", imm("imm-b\u200b")), account("b"),
			[]string{"ask b: b2"},
		},
		{
			"immutable ID in full width", user("b2", imm("ｉｍｍ-ｂ")), account("b"),
			[]string{"ask b: b2"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			s.source = []person{user("a"), tt.row}
			s.users = []person{account("a"), tt.account}
			expect(t, s.build(t), tt.want...)
		})
	}
}

// The domain of the row is none of the tenant's: mistyped, as likely as not.
func TestDeletions_SpareWhoseRowHasADomainThatIsNotTheTenants(t *testing.T) {
	s := newScene()
	s.source = []person{user("a"), user("b", imm(""), upn("b@midori.exmaple"))}
	s.users = []person{account("a"), account("b", imm(""))}
	expect(t, s.build(t), "ask b: b@midori.exmaple")

	s.source[1].name, s.source[1].sur, s.source[1].given = "Another", "", "" // only the local part is alike
	expect(t, s.build(t), "ask b: b@midori.exmaple")

	s.source[1].upn, s.source[1].alias = "c@midori.exmaple", "c" // nothing is
	expect(t, s.build(t), "delete b")

	s.source[1] = user("b", imm(""), upn("b@two.example")) // a domain of its own, whose sync would add the person
	expect(t, s.build(t), "ask b: b@two.example")

	s.source[1] = user("c", imm(""), upn("c@two.example"))
	expect(t, s.build(t), "delete b")
}

// An account that hacsync made, whose mailbox became a shared one and lost its
// licence, looks like one that never had any but for the plans it had.
func TestRule6_AnAccountByHacsyncThatHadALicenceMayBeASharedMailbox(t *testing.T) {
	s := newScene()
	s.source = []person{user("a")}
	s.users = []person{
		account("a"),
		account("new", address("new@"+dom), unmark(directory.PurposeUser), mark(directory.PurposeUnknown)),
		account("was", address("was@"+dom), unmark(directory.PurposeUser), mark(directory.PurposeUnknown|directory.WasLicensed)),
	}
	s.in.Facts.Added = map[directory.ID]bool{"id-new": true, "id-was": true}
	expect(t, s.build(t), "delete new", "skip was HS-3111")
}
