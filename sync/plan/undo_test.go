package plan

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// did is one thing that a run did an hour ago to the account of a key.
func did(kind Kind, key string, changes ...Change) Applied {
	return Applied{
		Kind: kind, Changes: changes, At: at.Add(-time.Hour),
		User: directory.Ref{ID: directory.ID("id-" + key), UPN: key + "@" + dom, ImmutableID: "imm-" + key},
	}
}

func wrote(a directory.Attribute, before, after string) Change {
	return Change{a, directory.Text(before), directory.Text(after)}
}

func moved(from, to string) Change {
	full := func(s string) string {
		if strings.Contains(s, "@") {
			return s
		}
		return s + "@" + dom
	}
	return wrote(directory.UserPrincipalName, full(from), full(to))
}

// made are the values of an account that a run added.
func made(key string) []Change {
	return []Change{
		wrote(directory.UserPrincipalName, "", key+"@"+dom), wrote(directory.ImmutableID, "", "imm-"+key),
		wrote(directory.DisplayName, "", "Name "+key), wrote(directory.MailNickname, "", key),
		wrote(directory.AccountEnabled, "", "true"),
	}
}

// inverse plans the undo of run 7 in a scene; now is what the scene has.
func (s *scene) inverse(t testing.TB, done ...Applied) *Plan {
	t.Helper()
	u := Undoing{Run: 7, Done: done, Input: s.in}
	u.Users = snapshot(t, directory.Destination, s.users)
	u.Deleted = snapshot(t, directory.RecycleBin, s.deleted)
	for _, p := range s.users {
		u.Now = append(u.Now, directory.Sighting{Ref: directory.Ref{ID: directory.ID(p.id)}, Presence: directory.Live, Record: p.record()})
	}
	for _, p := range s.deleted {
		u.Now = append(u.Now, directory.Sighting{Ref: directory.Ref{ID: directory.ID(p.id)}, Presence: directory.InRecycleBin, Record: p.record()})
	}
	p, err := Invert(u)
	if err != nil {
		t.Fatalf("Invert: %v", err)
	}
	return p
}

// undoes compares an undo with what it should be, and sends it through a file.
func undoes(t *testing.T, p *Plan, want ...string) {
	t.Helper()
	got := brief(p)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("plan:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for i := range p.SkipLen() {
		if no := p.Skip(i).No; no != p.Len()+i+1 {
			t.Errorf("skip %d of a plan of %d has number %d", i, p.Len(), no)
		}
	}
	var file bytes.Buffer
	if err := p.Encode(&file); err != nil {
		t.Fatal(err)
	}
	q, err := Decode(&file)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	if q.Fingerprint() != p.Fingerprint() || q.Undoes() != 7 || q.Verdict().Deletions != p.Verdict().Deletions {
		t.Errorf("a file gives another plan: %s of run %d", q.Fingerprint().Code(), q.Undoes())
	}
	if strings.Join(brief(q), "\n") != strings.Join(got, "\n") {
		t.Errorf("a file gives\n\t%s", strings.Join(brief(q), "\n\t"))
	}
	all := p.Review()
	for a := range p.Actions() {
		all.LeaveOut(a.No)
	}
	for _, r := range []*Plan{p, all.Approve()} {
		c := r.Counts()
		if sum := c.Update + c.Rename - c.MovedIn + c.Delete + c.DestinationHeld; sum != c.Touchable || c.SourceHeld+c.SourceUsers != 0 {
			t.Errorf("the sums do not agree: %+v", c)
		}
		file.Reset()
		if err := r.Encode(&file); err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(&file); err != nil {
			t.Errorf("Decode of what remains: %v", err)
		}
	}
}

func TestRule8_UndoIsTheInverseOfWhatWasDone(t *testing.T) {
	s := newScene()
	s.users = []person{
		account("new"), account("back"), account("b", upn("renamed"), named("After")), account("upd", dept("After")),
		account("filled", imm("given")), account("off", unmark(directory.Enabled)), account("cleared", dept("")),
	}
	s.deleted = []person{gone("del")}
	p := s.inverse(t,
		did(Add, "new", made("new")...), did(Delete, "del"), did(Restore, "back", wrote(directory.DisplayName, "Old back", "Name back")),
		did(Rename, "b", moved("b", "renamed"), wrote(directory.DisplayName, "Before", "After")),
		did(Update, "upd", wrote(directory.Department, "Before", "After")),
		did(Update, "filled", wrote(directory.ImmutableID, "", "given")),
		did(Update, "off", wrote(directory.AccountEnabled, "true", "false")),
		did(Update, "cleared", wrote(directory.Department, "Had", "")),
	)
	undoes(t, p,
		"delete back", "delete new", "rename b was renamed displayName=Before", "restore del",
		"update cleared department=Had", "update filled onPremisesImmutableId=(none)",
		"update off accountEnabled=true", "update upd department=Before")
	if v := p.Verdict(); v.Deletions != 2 || v.Users != 7 {
		t.Errorf("the guard judges %d of %d", v.Deletions, v.Users)
	}
	if p.Undoes() != 7 || !p.Confirmed() {
		t.Errorf("undoes %d, confirmed %v", p.Undoes(), p.Confirmed())
	}
	var codes []string
	for _, w := range p.Warnings() {
		codes = append(codes, string(w.Code))
	}
	if strings.Join(codes, " ") != "HS-3971 HS-3972 HS-3973" {
		t.Errorf("warnings %v, want what does not come back, and that the source still asks", codes)
	}
}

func TestInvert_WhatIsNotAsTheRunLeftItIsAConflict(t *testing.T) {
	recently := func(d Applied) Applied { d.At = at.Add(-time.Minute); return d }
	name := wrote(directory.DisplayName, "Before", "After")
	for _, c := range []struct {
		name    string
		users   []person
		deleted []person
		done    Applied
		set     func(*scene)
		want    []string
	}{
		{"a value was changed since", []person{account("a", named("Other"))}, nil, did(Update, "a", name), nil, []string{"skip a HS-3601"}},
		{
			"one value was changed since, the other is put back",
			[]person{account("a", named("Other"), dept("New"))},
			nil,
			did(Update, "a", name, wrote(directory.Department, "Old", "New")), nil,
			[]string{"update a department=Old", "skip a HS-3601"},
		},
		{
			"a value that the run changed and changed back",
			[]person{account("a", dept("New"))},
			nil,
			did(Update, "a", wrote(directory.DisplayName, "Name a", "Name a"), wrote(directory.Department, "Old", "New")), nil,
			[]string{"update a department=Old"},
		},
		{
			"a value that the run changed and changed back, and that was changed since",
			[]person{account("a", named("Other"), dept("New"))},
			nil,
			did(Update, "a", wrote(directory.DisplayName, "Name a", "Name a"), wrote(directory.Department, "Old", "New")), nil,
			[]string{"update a department=Old"},
		},
		{"an added account was changed", []person{account("a", named("Other"))}, nil, did(Add, "a", made("a")...), nil, []string{"skip a HS-3602"}},
		{"an added account was blocked", []person{account("a", unmark(directory.Enabled))}, nil, did(Add, "a", made("a")...), nil, []string{"skip a HS-3602"}},
		{"an added account was renamed", []person{account("a", upn("other"))}, nil, did(Add, "a", made("a")...), nil, []string{"skip other HS-3602"}},
		{"a restored account was renamed", []person{account("a", upn("other"))}, nil, did(Restore, "a"), nil, []string{"skip other HS-3602"}},
		{"an added account was licensed", []person{account("a", mark(directory.Licensed))}, nil, did(Add, "a", made("a")...), nil, []string{"skip a HS-3603"}},
		{"an added account has a role now", []person{account("a", mark(directory.RoleHolder))}, nil, did(Add, "a", made("a")...), nil, []string{"skip a HS-3106"}},
		{"a changed account is protected now", []person{account("a", named("After"), mark(directory.Synced))}, nil, did(Update, "a", name), nil, []string{"skip a HS-3103"}},
		{
			"a changed account is on the list",
			[]person{account("a", named("After"))},
			nil, did(Update, "a", name),
			func(s *scene) { s.in.Policy.Protected = []string{"A@midori.example"} },
			[]string{"skip a HS-3102"},
		},
		{
			"a changed account turned into a shared mailbox",
			[]person{account("a", named("After"), unmark(directory.PurposeUser), mark(directory.PurposeShared))},
			nil,
			did(Update, "a", name), nil,
			[]string{"skip a HS-3108"},
		},
		{
			"a changed account was blocked, and nobody knows the kind of its mailbox",
			[]person{account("a", named("After"), unmark(directory.PurposeUser|directory.Enabled), mark(directory.PurposeUnknown))},
			nil,
			did(Update, "a", name), nil,
			[]string{"skip a " + string(problem.ProtectedDisabled)},
		},
		{
			"a reviewer left the account out of every plan",
			[]person{account("a", named("After"))},
			nil, did(Update, "a", name),
			func(s *scene) { s.in.Decisions = []Decision{{Kind: LeaveOutAlways, ID: "id-a", By: "t.mori"}} },
			[]string{"skip a HS-3501"},
		},
		{"an account was deleted since", nil, []person{gone("a")}, did(Update, "a", name), nil, []string{"skip a HS-3604"}},
		{"an account is gone for good", nil, nil, did(Update, "a", name), nil, []string{"skip a HS-3605"}},
		{"a deleted account is gone for good", nil, nil, did(Delete, "a"), nil, []string{"skip a HS-3605"}},
		{"a deleted account is purged today", nil, []person{gone("a", binnedAt(at.Add(-29*24*time.Hour)))}, did(Delete, "a"), nil, []string{"skip a HS-3606"}},
		{"a deleted account is purged tomorrow", nil, []person{gone("a", binnedAt(at.Add(-29*24*time.Hour+time.Minute)))}, did(Delete, "a"), nil, []string{"restore a"}},
		{"a deleted account came from on-premises", nil, []person{gone("a", mark(directory.Synced))}, did(Delete, "a"), nil, []string{"skip a HS-3616"}},
		{"the UPN of a deleted account is taken", []person{account("b", upn("a"))}, []person{gone("a")}, did(Delete, "a"), nil, []string{"skip a HS-3607"}},
		{"the UPN of a deleted account is an address", []person{account("b", address("a@"+dom))}, []person{gone("a")}, did(Delete, "a"), nil, []string{"skip a HS-3209"}},
		{"the immutable ID of a deleted account is taken", []person{account("b", imm("imm-a"))}, []person{gone("a")}, did(Delete, "a"), nil, []string{"skip a HS-3609"}},
		{"a former UPN is taken", []person{account("a", upn("n")), account("b", upn("a"))}, nil, did(Rename, "a", moved("a", "n")), nil, []string{"skip n HS-3607"}},
		{"a former UPN is an address of another", []person{account("a", upn("n")), account("b", address("a@"+dom))}, nil, did(Rename, "a", moved("a", "n")), nil, []string{"skip n HS-3209"}},
		{"a former UPN is an own address", []person{account("a", upn("n"), address("a@"+dom))}, nil, did(Rename, "a", moved("a", "n")), nil, []string{"rename a was n"}},
		{"a former immutable ID is taken", []person{account("a", imm("new")), account("b", imm("old"))}, nil, did(Update, "a", wrote(directory.ImmutableID, "old", "new")), nil, []string{"skip a HS-3609"}},
		{
			"an immutable ID in a federated domain",
			[]person{account("a", upn("a@fed.example"), imm("new"))},
			nil,
			did(Update, "a", wrote(directory.ImmutableID, "", "new")), func(s *scene) { s.in.Domain = "fed.example" },
			[]string{"skip a@fed.example HS-3610"},
		},
		{"a display name that was empty", []person{account("a")}, nil, did(Update, "a", wrote(directory.DisplayName, "", "Name a")), nil, []string{"skip a HS-3611"}},
		{"a domain that is gone", []person{account("a")}, nil, did(Rename, "a", moved("a@gone.example", "a")), nil, []string{"skip a HS-3612"}},
		{"a move from another domain", []person{account("a")}, nil, did(Rename, "a", moved("a@two.example", "a")), nil, []string{"rename a@two.example was a"}},
		{
			"a move from a domain that is not set up",
			[]person{account("a")},
			nil, did(Rename, "a", moved("a@two.example", "a")),
			func(s *scene) { s.in.SetUp = []string{dom} },
			[]string{"skip a HS-3617"},
		},
		{"back to a federated domain", []person{account("a")}, nil, did(Rename, "a", moved("a@fed.example", "a")), nil, []string{"rename a@fed.example was a"}},
		{"back to a federated domain without an ID", []person{account("a", imm(""))}, nil, did(Rename, "a", moved("a@fed.example", "a")), nil, []string{"skip a HS-3617"}},
		{"an account that is in another domain now", []person{account("a", upn("a@two.example"), named("After"))}, nil, did(Update, "a", name), nil, []string{"skip a@two.example HS-3613"}},
		{"a value that does not show yet", []person{account("a", named("Before"))}, nil, recently(did(Update, "a", name)), nil, []string{"skip a HS-3614"}},
		{"a deletion that does not show yet", []person{account("a")}, nil, recently(did(Delete, "a")), nil, []string{"skip a HS-3614"}},
		{"an addition that does not show yet", nil, nil, recently(did(Add, "a", made("a")...)), nil, []string{"skip a HS-3614"}},
		{"a restored value that does not show yet", []person{account("a", named("Before"))}, nil, recently(did(Restore, "a", name)), nil, []string{"skip a HS-3614"}},
		{"a restored value that is a third one", []person{account("a", named("Other"))}, nil, recently(did(Restore, "a", name)), nil, []string{"skip a HS-3602"}},
		{"an added value that was emptied", []person{account("a", named(""))}, nil, recently(did(Add, "a", made("a")...)), nil, []string{"skip a HS-3602"}},
		{"a value that is as before", []person{account("a", named("Before"))}, nil, did(Update, "a", name), nil, []string{"skip a HS-3615"}},
		{"an added account that was deleted", nil, []person{gone("a")}, did(Add, "a", made("a")...), nil, []string{"skip a HS-3615"}},
		{"a deleted account that is back", []person{account("a")}, nil, did(Delete, "a"), nil, []string{"skip a HS-3615"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			// Somebody else is there, so that the tenant is not empty.
			s.users, s.deleted = append(c.users, account("zz"), account("fed", upn("zz@fed.example"))), c.deleted
			if c.set != nil {
				c.set(s)
			}
			undoes(t, s.inverse(t, c.done), c.want...)
		})
	}
}

// What a run added is known to be a person's, also where the kind of its mailbox
// cannot be read; what it restored is not.
func TestInvert_AnAddedAccountIsKnownByItself(t *testing.T) {
	s := newScene()
	s.users = []person{account("a", unmark(directory.PurposeUser), mark(directory.PurposeUnknown), address("a@"+dom))}
	undoes(t, s.inverse(t, did(Add, "a", made("a")...)), "delete a")
	undoes(t, s.inverse(t, did(Restore, "a")), "skip a "+string(problem.ProtectedUnread))
	s.in.Facts.Added = map[directory.ID]bool{"id-a": true} // by another run
	undoes(t, s.inverse(t, did(Restore, "a")), "delete a")
}

func TestInvert_WarnsOnlyOfWhatItDoes(t *testing.T) {
	for want, done := range map[problem.Code]Applied{
		"":                   did(Update, "a", wrote(directory.DisplayName, "Before", "Name a")),
		problem.UndoRenames:  did(Rename, "a", moved("b", "a")),
		problem.UndoRestores: did(Delete, "c"),
	} {
		s := newScene()
		s.users, s.deleted = []person{account("a")}, []person{gone("c")}
		var got []string
		for _, w := range s.inverse(t, done).Warnings() {
			got = append(got, string(w.Code))
		}
		if all := strings.TrimSpace(string(want) + " " + string(problem.UndoSourceAsks)); strings.Join(got, " ") != all {
			t.Errorf("warnings %v, want %s", got, all)
		}
	}
}

func TestInvert_AConflictShowsThreeValues(t *testing.T) {
	s := newScene()
	s.users = []person{account("a", named("Now"))}
	p := s.inverse(t, did(Update, "a", wrote(directory.DisplayName, "Before", "Wrote")))
	if a := p.Skip(0).Why.Args; a["before"] != "Before" || a["wrote"] != "Wrote" || a["now"] != "Now" || a["attribute"] != "displayName" {
		t.Errorf("the conflict has %v", a)
	}
}

func TestInvert_UPNsGoBackInTheOrderOfTheirChains(t *testing.T) {
	s := newScene()
	// A swap; a chain whose end was free; an added account on the UPN of a
	// renamed one; and one on the UPN of a deleted one.
	s.users = []person{
		account("a", upn("b")), account("b", upn("a")),
		account("c", upn("d")), account("d", upn("e")),
		account("f", upn("g")), account("n", upn("f"), imm("imm-n")),
		account("m", upn("h"), imm("imm-m")),
	}
	s.deleted = []person{gone("h")}
	add := func(key, at string) Applied {
		d := did(Add, key, made(key)...)
		d.Changes[0] = moved("", at)
		d.Changes[0].Old = directory.Value{}
		return d
	}
	p := s.inverse(t,
		did(Rename, "a", moved("a", "b")), did(Rename, "b", moved("b", "a")),
		did(Rename, "c", moved("c", "d")), did(Rename, "d", moved("d", "e")),
		did(Rename, "f", moved("f", "g")), add("n", "f"), add("m", "h"), did(Delete, "h"))
	undoes(t, p, "delete f", "delete h",
		"rename a was b", "rename b was a", "rename c was d", "rename d was e", "rename f was g", "restore h")
	held := map[string]directory.ID{} // a model of the tenant: UPN → account
	for _, u := range s.users {
		held[u.upn] = directory.ID(u.id)
	}
	for w := range p.Waves() {
		freed := map[string]bool{}
		for _, step := range w.Steps {
			var to string
			switch step.Verb {
			case DeleteUser:
				freed[step.Object.UPN] = true
				continue
			case RestoreUser:
				to = step.Object.UPN
			case PatchUPN:
				to = step.Set[0].New.Text
				freed[step.Set[0].Old.Text] = true
			case Create, Patch:
				continue
			}
			if by, taken := held[to]; taken && by != step.Object.ID {
				t.Errorf("%s is given to %s while %s has it", to, step.Object.ID, by)
			}
			held[to] = step.Object.ID
		}
		for upn := range freed {
			delete(held, upn)
		}
		for _, step := range w.Steps { // given and freed in one wave does not happen
			if step.Verb == PatchUPN || step.Verb == RestoreUser {
				to := step.Object.UPN
				if step.Verb == PatchUPN {
					to = step.Set[0].New.Text
				}
				held[to] = step.Object.ID
			}
		}
	}
	// Whoever leaves the deletion out leaves the rename out that waits for it.
	r := p.Review()
	if out := r.LeaveOut(1); len(out) != 2 {
		t.Errorf("left out %v, want the rename too", out)
	}
}

func TestInvert_ARowWhoseHolderStaysFallsWithItsChain(t *testing.T) {
	s := newScene()
	s.users = []person{account("a", upn("b")), account("b", upn("c")), account("x", upn("b2")), account("y", upn("a"))}
	p := s.inverse(t, did(Rename, "a", moved("a", "b")), did(Rename, "b", moved("b", "c"), wrote(directory.DisplayName, "Before", "Name b")))
	undoes(t, p, "update c displayName=Before", "skip b HS-3607", "skip c HS-3608")
}

func TestInvert_AnAccountLeftOnItsTemporaryUPNGoesBack(t *testing.T) {
	s := newScene()
	b := &builder{in: s.in}
	s.users = []person{account("a", upn(b.temporaryName("id-a"))), account("b", upn(b.temporaryName("id-a")+"@two.example"))}
	p := s.inverse(t, did(Rename, "a", moved("a", "n")), did(Rename, "b", moved("b", "m")))
	undoes(t, p, "rename a was "+b.temporaryName("id-a"), "skip "+b.temporaryName("id-a")+"@two.example HS-3601")
}

func TestInvert_TheFingerprintNamesTheRun(t *testing.T) {
	s := newScene()
	s.users = []person{account("a", named("After"))}
	u := Undoing{Run: 7, Done: []Applied{did(Update, "a", wrote(directory.DisplayName, "Before", "After"))}, Input: s.in}
	u.Users, u.Deleted = snapshot(t, directory.Destination, s.users), snapshot(t, directory.RecycleBin, nil)
	u.Now = []directory.Sighting{{Presence: directory.Live, Record: s.users[0].record()}}
	p, err := Invert(u)
	if err != nil {
		t.Fatal(err)
	}
	u.Run = 8
	if q, err := Invert(u); err != nil || q.Fingerprint() == p.Fingerprint() || q.Len() != 1 {
		t.Errorf("another run has the same fingerprint, or %v", err)
	}
	u.Domain = "nowhere.example"
	_, err = Invert(u)
	code(t, err, problem.DomainUnknown)
}

func TestInvert_WhatTheGuardOfADeletionRestsOnIsDrift(t *testing.T) {
	s := newScene()
	s.users = []person{account("a"), account("zz")}
	p := s.inverse(t, did(Add, "a", made("a")...))
	look := func(p person) []directory.Sighting {
		return []directory.Sighting{{Ref: directory.Ref{ID: "id-a"}, Presence: directory.Live, Record: p.record()}}
	}
	if d, _ := p.Drift(look(account("a"))); len(d) != 0 {
		t.Errorf("drift %v without a change", d)
	}
	for _, c := range []struct {
		set  func(*person)
		want problem.Code
	}{
		{named("In use"), problem.DriftValue},
		{mark(directory.Licensed), problem.UndoLicensed},
		{unmark(directory.Enabled), problem.DriftValue},
		{upn("other"), problem.DriftValue},
	} {
		if d, _ := p.Drift(look(account("a", c.set))); len(d) != 1 || d[0].Why.Code != c.want {
			t.Errorf("drift %v, want %s", d, c.want)
		}
	}
	still := p.Action(0).Steps[0]
	if len(still.Still) != 5 || !still.Unlicensed || len(still.Set) != 0 {
		t.Errorf("the step is %+v, want what it must find and nothing to send", still)
	}
	if s := p.SourceDrift(nil); s != nil {
		t.Errorf("an undo has a source: %v", s)
	}
	if d, done := p.Drift([]directory.Sighting{{Ref: directory.Ref{ID: "id-a"}, Presence: directory.InRecycleBin, Record: gone("a").record()}}); len(d) != 0 || len(done) != 1 {
		t.Errorf("drift %v, done %v of a deletion that is done", d, done)
	}
}

func TestInvert_AsksForTheKindOfMailboxOfWhomItTouches(t *testing.T) {
	s := newScene()
	s.users = []person{account("a", named("After"), unmark(directory.PurposeUser)), account("b", unmark(directory.PurposeUser))}
	p := s.inverse(t, did(Update, "a", wrote(directory.DisplayName, "Before", "After")), did(Add, "b", made("b")...))
	if n := p.Need(); len(n) != 2 {
		t.Errorf("needs %v", n)
	}
	s.in.Purposes = map[directory.ID]directory.Marks{"id-a": directory.PurposeRoom, "id-b": directory.PurposeNone}
	undoes(t, s.inverse(t, did(Update, "a", wrote(directory.DisplayName, "Before", "After")), did(Add, "b", made("b")...)),
		"delete b", "skip a HS-3109")
}

func TestInvert_LeavesAloneWhatTheJournalDoesNotTell(t *testing.T) {
	for _, kind := range []Kind{Add, Update, Rename, Delete, Restore} {
		s := newScene()
		s.users = []person{account("a")}
		one := did(kind, "a", made("a")...)
		one.Unread = true
		undoes(t, s.inverse(t, one), "skip a HS-3618")
	}
}
