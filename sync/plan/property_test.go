package plan

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

func directory24(days int) time.Duration { return time.Duration(days) * 24 * time.Hour }

// tb lets helpers for testing.TB be used inside rapid.Check.
type tb struct {
	testing.TB
	t *rapid.T
}

func (b tb) Helper()                     { b.t.Helper() }
func (b tb) Fatal(a ...any)              { b.t.Fatal(a...) }
func (b tb) Fatalf(f string, a ...any)   { b.t.Fatalf(f, a...) }
func (b tb) Skip(a ...any)               { b.t.Skip(a...) }
func (b tb) Errorf(f string, a ...any)   { b.t.Errorf(f, a...) }
func in(outer testing.TB, t *rapid.T) tb { return tb{outer, t} }
func describe(p *Plan) string            { return "\n\t" + strings.Join(brief(p), "\n\t") }

func TestRule5_ASyncConverges(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		b := in(t, r)
		w, p, input := h.plan(b)
		checkSums(b, p)
		if r.Failed() {
			r.Fatal(describe(p))
		}
		again := false // an address that goes with a deleted account frees a UPN for the next plan
		for s := range p.Skips() {
			again = again || s.Why.Code == problem.AddressTaken
			// The other account that a row is matched with by its UPN, or that had it, may
			// have moved on.
			again = again || s.Why.Code == problem.UPNGivenUp || s.Why.Code == problem.UPNWaits && p.Counts().Delete > 0
			again = again || p.Counts().Rename > 0 && (s.Why.Code == problem.FitsTwoAccounts || s.Why.Code == problem.WitnessesDiffer || s.Why.Code == problem.UPNTaken)
		}
		for _, q := range p.Questions() {
			for i := range q.Rows {
				// So does an answer that takes a row from another question. A row that has
				// other names than its account until they are written is then no other
				// account's.
				again = again || q.Rows[i].TakenBy != 0 || p.Counts().Rename+p.Counts().Update > 0 && (q.Answer.Kind == Open || q.Answer.Kind == NotNow)
			}
		}
		if err := w.apply(p, domainOf(input)); err != nil {
			r.Fatalf("%v in%s", err, describe(p))
		}
		q := w.plan(b, input)
		for n := 0; again && n < 2 && q.Len() > 0; n++ { // what the second plan does may free something as well
			if err := w.apply(q, domainOf(input)); err != nil {
				r.Fatalf("%v in%s", err, describe(q))
			}
			q = w.plan(b, input)
		}
		if q.Len() > 0 {
			r.Fatalf("first%s\nthen%s", describe(p), describe(q))
		}
		checkSums(b, q)
	})
}

// untouchable is rule 6 once more, in other words.
func untouchable(m directory.Marks, madeByUs bool) bool {
	for _, x := range []directory.Marks{
		directory.Guest, directory.Synced, directory.Restricted, directory.RoleHolder, directory.RoleGroup,
		directory.SignedIn, directory.PurposeShared, directory.PurposeRoom, directory.PurposeEquipment, directory.ResourceAccount,
	} {
		if m&x != 0 {
			return true
		}
	}
	unread := m&(directory.PurposeUnknown|directory.PurposeOther) != 0
	if !unread || madeByUs && m&(directory.Licensed|directory.WasLicensed) == 0 {
		return false
	}
	blocked := m&directory.Enabled == 0 && m&directory.BlockedByUs == 0
	return blocked || m&(directory.Addressed|directory.SuspendedPlan) != 0 && m&directory.ExchangePlan == 0
}

func TestRule6_NoActionNamesAProtectedAccount(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		if len(h.live) > 0 && rapid.Bool().Draw(r, "list") {
			h.in.Policy.Protected = []string{strings.ToUpper(rapid.SampledFrom(h.live).Draw(r, "listed").upn)}
		}
		w, p, _ := h.plan(in(t, r))
		for a := range p.Actions() {
			if a.User.ID == "" {
				continue
			}
			rec, live := w.live[a.User.ID]
			if !live {
				rec = w.bin[a.User.ID]
			}
			m := rec.Marks | w.purposes[a.User.ID]
			if len(rec.Addresses) > 0 {
				m |= directory.Addressed
			}
			if untouchable(m, false) || len(h.in.Policy.Protected) > 0 && strings.EqualFold(rec.UPN, h.in.Policy.Protected[0]) {
				r.Fatalf("%s of a protected account in%s", a.Kind, describe(p))
			}
		}
	})
}

func TestFingerprint_DoesNotDependOnTheOrderOfTheInput(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		_, _, input := h.plan(in(t, r))
		rnd := rand.New(rand.NewPCG(uint64(rapid.IntRange(0, 1<<30).Draw(r, "seed")), 1))
		shuffle := func(s []person) []person {
			s = slices.Clone(s)
			rnd.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
			return s
		}
		input.Source = snapshot(in(t, r), directory.Source, shuffle(h.source))
		input.Purposes = h.purposes
		input.Users = snapshot(in(t, r), directory.Destination, shuffle(h.live))
		input.Deleted = snapshot(in(t, r), directory.RecycleBin, shuffle(h.bin))
		q, err := Build(input)
		if err != nil {
			r.Fatal(err)
		}
		// Purposes beyond those asked for may protect more accounts, so the
		// first is built with all of them as well.
		input.Source = snapshot(in(t, r), directory.Source, h.source)
		input.Users = snapshot(in(t, r), directory.Destination, h.live)
		input.Deleted = snapshot(in(t, r), directory.RecycleBin, h.bin)
		p, err := Build(input)
		if err != nil {
			r.Fatal(err)
		}
		if p.Fingerprint() != q.Fingerprint() || describe(p) != describe(q) {
			r.Fatalf("in order%s\nshuffled%s", describe(p), describe(q))
		}
	})
}

func TestBuild_RenamingEveryUserChangesNothingButNames(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		h.in.Past = Past{}
		_, p, _ := h.plan(in(t, r))
		other := func(people []person) []person {
			people = slices.Clone(people)
			for i := range people {
				q := &people[i]
				if q.upn != "" {
					q.upn = "zz" + q.upn
				}
				if q.imm != "" {
					q.imm = "zz" + q.imm
				}
				if q.alias != "" {
					q.alias = "zz" + q.alias
				}
				if q.username != "" {
					q.username = "zz" + q.username
				}
				q.addresses = slices.Clone(q.addresses)
				for j, a := range q.addresses {
					q.addresses[j] = "SMTP:zz" + strings.TrimPrefix(a, "SMTP:")
				}
			}
			return people
		}
		g := *h
		g.source, g.live, g.bin = other(h.source), other(h.live), other(h.bin)
		for i := range g.source { // nothing before the @ would be something now
			if h.source[i].upn == "@"+h.in.Domain {
				r.Skip()
			}
		}
		g.in.Facts.Known = map[string]map[directory.Attribute]bool{}
		for k, v := range h.in.Facts.Known {
			g.in.Facts.Known["zz"+k] = v
		}
		g.in.Decisions = slices.Clone(h.in.Decisions)
		for i := range g.in.Decisions {
			if g.in.Decisions[i].UPN != "" {
				g.in.Decisions[i].UPN = "zz" + g.in.Decisions[i].UPN
			}
		}
		_, q, _ := g.plan(in(t, r))
		shape := func(p *Plan, prefix string) []string {
			var rows []string
			for a := range p.Actions() {
				row := fmt.Sprintf("%s %s %s", a.Kind, a.User.ID, strings.TrimPrefix(a.UPN, prefix))
				for _, c := range a.Changes {
					row += " " + string(c.Attribute)
				}
				rows = append(rows, row)
			}
			for s := range p.Skips() {
				rows = append(rows, fmt.Sprintf("skip %s %s %s", s.Why.Code, s.Ref.ID, strings.TrimPrefix(s.Ref.UPN, prefix)))
			}
			slices.Sort(rows)
			return rows
		}
		if a, b := shape(p, ""), shape(q, "zz"); !slices.Equal(a, b) {
			r.Fatalf("as they are\n\t%s\nrenamed\n\t%s", strings.Join(a, "\n\t"), strings.Join(b, "\n\t"))
		}
		if p.Counts() != q.Counts() {
			r.Fatalf("counts %+v, renamed %+v", p.Counts(), q.Counts())
		}
	})
}

func TestReview_LeavingOutAnyRowsLeavesAPlanThatCanBeApplied(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		w, p, input := h.plan(in(t, r))
		if p.Len() == 0 {
			r.Skip()
		}
		if rapid.Bool().Draw(r, "from file") {
			p = recode(in(t, r), p)
		}
		review := p.Review()
		for range rapid.IntRange(1, 6).Draw(r, "moves") {
			no := rapid.IntRange(1, p.Len()).Draw(r, "row")
			if review.IsOut(no) && rapid.Bool().Draw(r, "in again") {
				review.TakeIn(no)
			} else {
				review.LeaveOut(no)
			}
		}
		q := review.Approve()
		checkSums(in(t, r), q)
		if q.Counts() != review.Counts() || q.Verdict().Cancelled != review.Verdict().Cancelled {
			r.Fatalf("review %+v, approved %+v", review.Counts(), q.Counts())
		}
		for a := range q.Actions() {
			if review.IsOut(a.No) {
				r.Fatalf("row %d is left out and in the plan", a.No)
			}
		}
		back := recode(in(t, r), q)
		if back.Fingerprint() != q.Fingerprint() || describe(back) != describe(q) || back.Counts() != q.Counts() {
			r.Fatalf("approved%s\nfrom its file%s", describe(q), describe(back))
		}
		if err := w.apply(q, domainOf(input)); err != nil {
			r.Fatalf("%v in%s\nof%s", err, describe(q), describe(p))
		}
	})
}

func recode(t testing.TB, p *Plan) *Plan {
	t.Helper()
	var buf bytes.Buffer
	if err := p.Encode(&buf); err != nil {
		t.Fatalf("%v", err)
	}
	first := buf.String()
	q, err := Decode(&buf)
	if err != nil {
		t.Fatalf("%v\n%s", err, first)
	}
	var again bytes.Buffer
	if err := q.Encode(&again); err != nil {
		t.Fatalf("%v", err)
	}
	if again.String() != first {
		t.Fatalf("encoded again:\n%s\nwas\n%s", again.String(), first)
	}
	return q
}

func TestRule2_TheGuardCountsWhatThePlanDoes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		h.in.Unattended = false
		w, p, _ := h.plan(in(t, r))
		deletions, known, users := 0, 0, 0
		lose := func(a Action) {
			deletions++
			if a.Explanation == nil || a.Explanation.Claim != "" {
				known++
			}
		}
		for a := range p.Actions() {
			if a.Kind == Delete && !(h.in.Policy.OnMissing == BlockMissing && w.blocked[a.User.ID]) {
				lose(a)
			}
			for _, c := range a.Changes {
				if c.Attribute == directory.AccountEnabled && c.New.Text == "false" && (a.Kind == Update || a.Kind == Rename) {
					lose(a)
				}
			}
		}
		asked := map[directory.ID]bool{} // kinds of mailbox are read where an action would name the account
		for a := range p.Actions() {
			asked[a.User.ID] = true
		}
		for s := range p.Skips() {
			asked[s.Ref.ID] = asked[s.Ref.ID] || s.Group == problem.LeftAlone && s.Why.Code < problem.NeverSeen
		}
		for id, rec := range w.live {
			m := rec.Marks
			if len(rec.Addresses) > 0 {
				m |= directory.Addressed
			}
			if asked[id] {
				m |= w.purposes[id]
			}
			if strings.HasSuffix(strings.ToLower(rec.UPN), "@"+h.in.Domain) && !untouchable(m, false) {
				users++
			}
		}
		limit, number := h.in.Policy.MaxAllowedDeletions, h.in.Policy.MaxDeletions
		over := func(n, of int) bool { return n > 0 && float64(n)/max(float64(of), 1e-9) >= float64(limit)/100 }
		of := p.Counts().Known
		cancelled := over(deletions, users) || of > 0 && over(known, of) || number >= 0 && deletions > 0 && deletions >= number
		v := p.Verdict()
		all, tighter := v.Deletions == deletions && v.Users == users, v.Deletions == known && v.Users == of
		if v.Claimed && !tighter || !v.Claimed && !all || v.Claimed != (of > 0 && known*users > deletions*of) || of > users ||
			v.Cancelled != cancelled && !(v.Cancelled && v.Why.Code == problem.MovesCancel) {
			r.Fatalf("verdict %+v; counted %d of %d, known %d of %d, cancelled %t%s", v, deletions, users, known, of, cancelled, describe(p))
		}
	})
}

func TestRule2_UnattendedTheDayCountsToo(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		h.in.Unattended = true
		h.in.Policy.MaxSignInChanges = rapid.SampledFrom([]int{0, 10, 30, 100}).Draw(r, "sign-in limit")
		f := &h.in.Facts
		f.DeletionsToday = rapid.IntRange(0, 12).Draw(r, "today")
		f.UsersThen = rapid.SampledFrom([]int{0, 1, 5, 20, 40}).Draw(r, "then")
		_, p, _ := h.plan(in(t, r))
		check := func(p *Plan, v Verdict, today, then int) {
			deletions, known, changes, users := 0, 0, 0, p.Counts().Touchable
			lost := p.guard.lostHeld
			for a := range p.Actions() {
				gone := a.Kind == Delete
				counted := a.Kind == Rename
				for _, c := range a.Changes {
					existing := a.Kind == Update || a.Kind == Rename
					gone = gone || existing && c.Attribute == directory.AccountEnabled && c.New.Text == "false"
					counted = counted || a.Kind == Update && (c.Attribute == directory.ImmutableID || c.Old.Set && !c.New.Set)
				}
				if gone {
					deletions++
					if a.Explanation == nil || a.Explanation.Claim != "" {
						known++
					}
				}
				if counted {
					changes++
				}
			}
			if then == 0 {
				then = users + today
			}
			over := func(n, of, percent int) bool { return float64(n)/max(float64(of), 1e-9) >= float64(percent)/100 }
			pol := h.in.Policy
			cancelled := deletions > 0 && (over(deletions, users, pol.MaxAllowedDeletions) ||
				pol.MaxDeletions >= 0 && deletions >= pol.MaxDeletions ||
				(today > 0 || f.UsersThen > 0) && over(deletions+today, then, pol.MaxAllowedDeletions)) ||
				changes > 0 && over(changes, users, pol.MaxSignInChanges) ||
				lost > 0 && (over(deletions+lost, users, pol.MaxAllowedDeletions) || over(known+lost, p.Counts().Known, pol.MaxAllowedDeletions) ||
					pol.MaxDeletions >= 0 && deletions+lost >= pol.MaxDeletions) ||
				v.Changed > 0 && over(v.Changed, users, pol.MaxChanges)
			if v.Cancelled && v.Why.Code == problem.GuardCancelsKnown || v.Claimed {
				return // another test's
			}
			if v.Cancelled != cancelled || v.SignInChanges != changes || v.Deletions != deletions {
				r.Fatalf("%+v; counted %d deletions, %d changes of %d, %d of %d before, cancelled %t%s",
					v, deletions, changes, users, today, then, cancelled, describe(p))
			}
		}
		check(p, p.Verdict(), f.DeletionsToday, f.UsersThen)
		check(p, p.Today(3, 25), 3, 25)
		for s := range p.Skips() {
			if want := map[problem.Code]bool{
				"HS-3207": true, "HS-3354": true, "HS-3408": true, "HS-3409": true, "HS-3121": true, "HS-3124": true, "HS-3125": true, "HS-3216": true,
			}[s.Why.Code]; s.Held() != want {
				r.Fatalf("%s held: %t", s.Why.Code, s.Held())
			}
		}
	})
}

// matchedBy reports whether any account has a key of a row, so that its name alone
// keeps no other account.
func matchedBy(h *hostile, s person) bool {
	for l := range h.in.Past.Links() {
		if l.Username == s.username || s.username == "" && l.Username == s.upn {
			return true
		}
	}
	return slices.ContainsFunc(h.live, func(a person) bool {
		return a.imm != "" && a.imm == s.imm || strings.EqualFold(a.upn, s.upn)
	})
}

// twoOf reports whether two Usernames are known to be two people.
func twoOf(h *hostile, x, y string) bool {
	s, one := h.in.Past.seen(x)
	t, two := h.in.Past.seen(y)
	return one && two && min(s.Last.Unix(), t.Last.Unix())-max(s.First.Unix(), t.First.Unix()) > 31*24*3600
}

func TestRule7_WhomASourceRowMayMeanIsNeverDeleted(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		w, p, _ := h.plan(in(t, r))
		again := map[string]bool{}
		for _, d := range h.in.Decisions {
			if d.Kind == Allow && d.Attribute == directory.UserPrincipalName {
				again[string(d.ID)], again[strings.ToLower(d.UPN)] = true, true
			}
		}
		answered := map[directory.ID]bool{}
		for _, q := range p.Questions() {
			answered[q.Account.ID] = q.Answer.Kind == DifferentPeople
		}
		for a := range p.Actions() {
			if a.Kind != Delete && !a.how.missing {
				continue
			}
			u := w.live[a.User.ID]
			name, _ := u.Get(directory.DisplayName)
			for _, s := range h.source {
				if s.imm != "" && s.imm == a.User.ImmutableID {
					r.Fatalf("%s is deleted, and its immutable ID in the source%s", a.User.UPN, describe(p))
				}
				if answered[a.User.ID] || again[string(a.User.ID)] || again[strings.ToLower(a.User.UPN)] {
					continue
				}
				username := s.username
				if username == "" {
					username = s.upn
				}
				byID := s.imm != "" && slices.ContainsFunc(h.live, func(a person) bool { return a.imm == s.imm })
				if strings.EqualFold(s.upn, a.User.UPN) || !byID && a.Link.Username != "" && a.Link.Username == username ||
					!matchedBy(h, s) && !twoOf(h, username, a.Link.Username) && s.name != "" && s.name == name {
					r.Fatalf("%s is deleted and in the source as %+v%s", a.User.UPN, s, describe(p))
				}
			}
		}
	})
}

// look finds what refs name in the world.
func (w *world) look(refs []directory.Ref) []directory.Sighting {
	var found []directory.Sighting
	for _, ref := range refs {
		n := len(found)
		for p, all := range map[directory.Presence]map[directory.ID]directory.Record{directory.Live: w.live, directory.InRecycleBin: w.bin} {
			for id, r := range all {
				if ref.ID == id || ref.UPN != "" && strings.EqualFold(r.UPN, ref.UPN) || ref.ImmutableID != "" && ref.ImmutableID == r.ImmutableID {
					if len(r.Addresses) > 0 {
						r.Marks |= directory.Addressed
					}
					found = append(found, directory.Sighting{Ref: ref, Presence: p, Record: r})
				}
			}
		}
		if len(found) == n {
			found = append(found, directory.Sighting{Ref: ref, Presence: directory.Absent})
		}
	}
	return found
}

func TestRule3_NothingDriftsByItselfAndAllIsDoneAfterASync(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		w, p, input := h.plan(in(t, r))
		if rapid.Bool().Draw(r, "from file") {
			p = recode(in(t, r), p)
		}
		if drifted, done := p.Drift(w.look(p.Touches())); len(drifted) > 0 || len(done) > 0 {
			r.Fatalf("before: drifted %v, done %v in%s", driftsOf(drifted), done, describe(p))
		}
		if d := p.SourceDrift(input.Source); len(d) > 0 {
			r.Fatalf("source: %v", driftsOf(d))
		}
		other := append(slices.Clone(h.source), person{upn: "another@elsewhere.example", name: "Another"})
		if d := p.SourceDrift(snapshot(in(t, r), directory.Source, other)); len(d) > 0 {
			r.Fatalf("source with a stranger: %v in%s", driftsOf(d), describe(p))
		}
		if err := w.apply(p, domainOf(input)); err != nil {
			r.Fatal(err)
		}
		if drifted, done := p.Drift(w.look(p.Touches())); len(drifted) > 0 || len(done) != p.Len() {
			r.Fatalf("after: drifted %v, done %v in%s", driftsOf(drifted), done, describe(p))
		}
	})
}

func TestRule5_ConvergesAlsoWhileListsStillShowTheOldValues(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHostile(r)
		w, p, input := h.plan(in(t, r))
		stale := h.world()
		if err := w.apply(p, domainOf(input)); err != nil {
			r.Fatal(err)
		}
		if fresh := w.plan(in(t, r), input); fresh.Len() > 0 {
			r.Skip() // a UPN that only the deletion frees
		}
		for _, rec := range w.live {
			rec.Columns = append(slices.Clone(rec.Columns), directory.AccountEnabled)
			rec.Values = append(slices.Clone(rec.Values), directory.Value{})
			input.Facts.Recent = append(input.Facts.Recent, rec)
		}
		for id := range w.bin {
			if _, was := stale.live[id]; was {
				input.Facts.Recent = append(input.Facts.Recent, directory.Record{ID: id})
			}
		}
		stale.blocked, stale.made, stale.deleted = w.blocked, w.made, w.deleted
		if q := stale.plan(in(t, r), input); q.Len() > 0 {
			r.Fatalf("first%s\nthen, from the old list%s", describe(p), describe(q))
		}
	})
}
