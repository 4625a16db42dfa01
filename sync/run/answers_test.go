package run_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// namesake is a village whose user000 has left, and where a new user has their name:
// one question.
func namesake(t *testing.T, n int) (*arena, *process) {
	t.Helper()
	a, p := village(t, n)
	p.dry(t)
	a.leave(at("user000"))
	a.source.rows = append(a.source.rows, user(at("namesake"), "", "人 000"))
	a.later(time.Hour)
	return a, p
}

// ask is the one question of a plan.
func ask(t *testing.T, p *run.Planned) *plan.Question {
	t.Helper()
	if n := p.Plan.QuestionLen(); n != 1 {
		t.Fatalf("%d questions, want one; %+v", n, p.Plan.Counts())
	}
	for _, q := range p.Plan.Questions() {
		return q
	}
	return nil
}

func (p *process) answer(t *testing.T, planned *run.Planned, kind plan.AnswerKind, row string) *run.Planned {
	t.Helper()
	with, err := p.Answer(t.Context(), planned, ask(t, planned).Account.ID, kind, row, "t.mori")
	if err != nil {
		t.Fatal(err)
	}
	return with
}

func (p *process) latest(t *testing.T) *run.Planned {
	t.Helper()
	planned, err := p.Latest(t.Context(), domain)
	if err != nil {
		t.Fatal(err)
	}
	return planned
}

func TestAnswers_AreStoredAtOnceAndAppliedByWhoeverReadsThePlan(t *testing.T) {
	a, p := namesake(t, 30)
	planned := p.dry(t)
	if q := ask(t, planned); q.Answer.Kind != plan.Open || planned.Plan.Len() != 0 {
		t.Fatalf("%+v", q)
	}
	same := p.answer(t, planned, plan.SamePerson, "namesake")
	wantCounts(t, same.Plan, 0, 0, 1, 0, 0)
	_ = p.store.Close() // killed
	p = a.start(t, &gate{})
	defer p.store.Close()
	latest := p.latest(t)
	if q := ask(t, latest); q.Answer.Kind != plan.SamePerson || q.Answer.Row != "namesake" || q.Answer.By != "t.mori" || q.Answer.At.IsZero() {
		t.Errorf("%+v", q.Answer)
	}
	if latest.Plan.Fingerprint() != same.Plan.Fingerprint() {
		t.Error("the answered plan is another one after a restart")
	}
	// The last answer counts; one that is taken back does not, and one about a row
	// that is not asked about changes nothing.
	different := p.answer(t, latest, plan.DifferentPeople, "")
	wantCounts(t, different.Plan, 1, 0, 0, 0, 1)
	if still := p.answer(t, different, plan.SamePerson, "nobody"); still.Plan.Fingerprint() != different.Plan.Fingerprint() {
		t.Error("an answer about a row that is none of the candidates")
	}
	if got := ask(t, p.latest(t)).Answer.Kind; got != plan.DifferentPeople {
		t.Errorf("stored: %q", got)
	}
	p.answer(t, different, plan.NotNow, "")
	wantCounts(t, p.latest(t).Plan, 0, 0, 0, 0, 0)
	p.answer(t, p.latest(t), plan.Open, "")
	if q := ask(t, p.latest(t)); q.Answer.Kind != plan.Open {
		t.Errorf("%+v", q.Answer)
	}
	// An answer stands in the next dry run too.
	p.answer(t, p.latest(t), plan.SamePerson, "namesake")
	a.later(time.Hour)
	wantCounts(t, p.dry(t).Plan, 0, 0, 1, 0, 0)
}

func TestAnswers_AreAskedAgainWhenWhatTheyRestOnChanges(t *testing.T) {
	row := func(a *arena) *directory.Record { return a.row(at("namesake")) }
	for name, c := range map[string]struct {
		change func(*arena)
		again  bool
	}{
		"nothing":              {func(*arena) {}, false},
		"a department":         {func(a *arena) { row(a).Values = append(row(a).Values, directory.Text("営業部")) }, false},
		"the name of the row":  {func(a *arena) { row(a).Values[0] = directory.Text("人 000 ") }, true},
		"the UPN of the row":   {func(a *arena) { row(a).UPN = at("namesake2") }, true},
		"the Username":         {func(a *arena) { row(a).ID = "namesake2" }, true},
		"the ID of the row":    {func(a *arena) { row(a).ImmutableID = "immNew==" }, true},
		"the account's name":   {func(a *arena) { a.account(at("user000")).Values[0] = directory.Text("人 000 様") }, true},
		"the account's ID":     {func(a *arena) { a.account(at("user000")).ImmutableID = "immOld==" }, true},
		"another candidate":    {func(a *arena) { a.source.rows = append(a.source.rows, user(at("third"), "", "人 000")) }, true},
		"a stranger to either": {func(a *arena) { a.source.rows = append(a.source.rows, user(at("third"), "", "山 三")) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, p := namesake(t, 30)
			a.source.more = []directory.Attribute{directory.Department}
			for i := range a.source.rows {
				a.source.rows[i].Values = slices.Clone(a.source.rows[i].Values)
			}
			p.answer(t, p.dry(t), plan.SamePerson, "namesake")
			c.change(a)
			a.later(time.Hour)
			q := ask(t, p.dry(t))
			if again := q.Answer.Kind == plan.Open; again != c.again {
				t.Errorf("answer %+v, want asked again: %v", q.Answer, c.again)
			}
			if c.again && q.Before.Kind != plan.SamePerson {
				t.Errorf("the answer of before is not named: %+v", q.Before)
			}
		})
	}
}

// An answer after which the account is as it should be teaches the link alone.
func TestAnswers_SamePersonWithNothingToWriteLinks(t *testing.T) {
	a, p := village(t, 20)
	p.dry(t)
	r := a.row(at("user001"))
	r.ID, r.Values = "again", slices.Clone(r.Values) // made anew in HAC, without given and family name
	r.Values[1], r.Values[2] = directory.Value{}, directory.Value{}
	a.later(time.Hour)
	planned := p.dry(t)
	if planned.Plan.Len() != 0 {
		t.Fatalf("%+v", planned.Plan.Counts())
	}
	if _, ok := p.usernames(t, a)["again"]; ok {
		t.Fatal("an open question taught a link")
	}
	p.answer(t, planned, plan.SamePerson, "again")
	a.later(time.Hour)
	if planned = p.dry(t); planned.Plan.Len() != 0 || planned.Plan.Counts().OpenQuestions != 0 {
		t.Fatalf("%+v", planned.Plan.Counts())
	}
	got := p.usernames(t, a)
	if _, old := got["user001"]; got["again"] != at("user001") || old {
		t.Errorf("links %v", got)
	}
	a.later(time.Hour)
	if n := p.dry(t).Plan.QuestionLen(); n != 0 {
		t.Errorf("%d questions once it is linked", n)
	}
}

func TestAnswerDrift_AnAnswerChangedSinceThePlanIsDrift(t *testing.T) {
	for _, to := range []plan.AnswerKind{plan.Open, plan.NotNow, plan.DifferentPeople} {
		_, p := namesake(t, 30)
		open := p.dry(t)
		planned := p.answer(t, open, plan.SamePerson, "namesake")
		p.answer(t, planned, to, "") // in another window
		wantDrift(t, p, planned, problem.DriftAnswer)
	}
}

// What was approved is carried out as it was, whatever is answered meanwhile.
func TestResume_CarriesOutTheAnswersThatWereApproved(t *testing.T) {
	a, p := namesake(t, 30)
	a.row(at("user005")).Values[0] = directory.Text("人 005 改")
	planned := p.dry(t)
	_ = p.store.Close()
	dies := a.start(t, &gate{})
	count := dies.gate
	if _, err := dies.Sync(t.Context(), planned, approval(planned)); err != nil {
		t.Fatal(err)
	}
	_ = dies.store.Close()

	a, p = namesake(t, 30)
	a.row(at("user005")).Values[0] = directory.Text("人 005 改")
	planned = p.dry(t)
	dies = a.start(t, &gate{at: indexOf(count.names, "write") + 1})
	if _, err := dies.Sync(t.Context(), planned, approval(planned)); err == nil {
		t.Fatal("not killed")
	}
	_ = dies.store.Close()
	p.answer(t, p.latest(t), plan.DifferentPeople, "")
	open, err := p.Interrupted(t.Context())
	if err != nil || len(open) != 1 {
		t.Fatalf("%v, %v", open, err)
	}
	rep, err := p.Resume(t.Context(), open[0].No)
	if err != nil || rep.Planned != 1 || rep.Seen != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if a.account(at("user000")) == nil || a.account(at("namesake")) != nil {
		t.Errorf("more was done than was approved: %q", a.tenant.writes)
	}
}

func TestDifferentPeople_AreDeletedOnlyAfterTheirAdditionWasSeen(t *testing.T) {
	a, p := namesake(t, 30)
	planned := p.answer(t, p.dry(t), plan.DifferentPeople, "")
	wantCounts(t, planned.Plan, 1, 0, 0, 0, 1)
	a.tenant.lag = 3 * time.Minute
	gone := a.account(at("user000"))
	rep := p.apply(t, planned)
	added := a.account(at("namesake"))
	if rep.State != state.Done || added == nil || a.account(at("user000")) != nil {
		t.Fatalf("%+v, %q", rep, a.tenant.writes)
	}
	if seen := added.Created.Add(a.tenant.lag); gone.Deleted.Before(seen) {
		t.Errorf("deleted at %v, before the addition could be seen at %v", gone.Deleted, seen)
	}
	a.later(time.Hour)
	if next := p.dry(t).Plan; next.Len() != 0 || next.QuestionLen() != 0 {
		t.Errorf("the next plan: %+v", next.Counts())
	}
}

func TestDifferentPeople_AreNotDeletedIfTheirAdditionFails(t *testing.T) {
	a, p := namesake(t, 30)
	p.answer(t, p.dry(t), plan.DifferentPeople, "")
	no := refused(403, "Authorization_RequestDenied")
	a.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb == plan.Create {
			return &no
		}
		return nil
	}
	rep := p.apply(t, p.latest(t))
	if rep.Failed != 1 || rep.NotTried != 1 || len(a.tenant.writes) != 0 {
		t.Fatalf("%+v, %q", rep, a.tenant.writes)
	}
	// Nothing followed from the answer: it stands, and is carried out the next time.
	a.tenant.before = nil
	a.later(time.Hour)
	planned := p.dry(t)
	wantCounts(t, planned.Plan, 1, 0, 0, 0, 1)
	if rep := p.apply(t, planned); rep.State != state.Done {
		t.Errorf("%+v", rep)
	}
}

// successor is a village whose user000 has left and whose UPN another person gets,
// answered so: the account is deleted first.
func successor(t *testing.T) (*arena, *process, *run.Planned) {
	t.Helper()
	a, p := village(t, 30)
	p.dry(t)
	a.leave(at("user000"))
	next := user(at("user000"), "", "別 の人")
	next.ID = "successor"
	a.source.rows = append(a.source.rows, next)
	a.later(time.Hour)
	planned := p.answer(t, p.dry(t), plan.DifferentPeople, "")
	wantCounts(t, planned.Plan, 1, 0, 0, 0, 1)
	return a, p, planned
}

// failing lets a tenant refuse whom it should add.
func (a *arena) failing() {
	no := refused(403, "Authorization_RequestDenied")
	a.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb == plan.Create {
			return &no
		}
		return nil
	}
}

func verbs(writes []string) string {
	var all []string
	for _, w := range writes {
		all = append(all, map[string]string{
			fmt.Sprint(int(plan.Create)): "add", fmt.Sprint(int(plan.DeleteUser)): "delete", fmt.Sprint(int(plan.RestoreUser)): "restore",
		}[strings.Fields(w)[0]])
	}
	return strings.Join(all, " ")
}

func TestDifferentPeople_WithOneUPNAreDeletedFirst(t *testing.T) {
	a, p, planned := successor(t)
	first := a.account(at("user000"))
	rep := p.apply(t, planned)
	if got := verbs(a.tenant.writes); rep.State != state.Done || got != "delete add" {
		t.Fatalf("%s, %+v", got, rep)
	}
	if now := a.account(at("user000")); now == nil || now.ID == first.ID || now.Values[0].Text != "別 の人" {
		t.Errorf("%+v", now)
	}
	a.later(time.Hour)
	if next := p.dry(t).Plan; next.Len() != 0 || next.QuestionLen() != 0 {
		t.Errorf("the next plan: %+v", next.Counts())
	}
	if got := p.usernames(t, a); got["successor"] != at("user000") {
		t.Errorf("links %v", got)
	}
	if _, err := p.undoAll(t.Context(), rep.Run); err != nil {
		t.Fatal(err)
	}
	a.wantPicture(t, a.picture())
}

// picture is the tenant as it was when the arena was sealed.
func (a *arena) picture() map[directory.ID]string {
	t := &tenant{users: map[directory.ID]*directory.Record{}}
	for id, u := range a.before {
		t.users[id] = &u
	}
	return t.picture()
}

func TestDifferentPeople_WhoseAdditionFailsAreRestored(t *testing.T) {
	a, p, planned := successor(t)
	a.failing()
	rep := p.apply(t, planned)
	if got := verbs(a.tenant.writes); got != "delete restore" {
		t.Fatalf("%s", got)
	}
	a.wantPicture(t, a.picture())
	if rep.State != state.Partial || rep.Failed != 2 || rep.Seen != 0 {
		t.Errorf("%+v", rep)
	}
	wantPutBack := func(rows []run.RowResult) {
		t.Helper()
		found := false
		for _, row := range rows {
			if row.Kind == plan.Delete {
				found = row.Outcome == run.OutcomeFailed && row.Why.Code == problem.RowPutBack && row.Why.Args["no"] != "" && row.UPN == at("user000")
			}
		}
		if !found {
			t.Errorf("the line of the answer does not say what became of it: %+v", rows)
		}
	}
	wantPutBack(rep.Rows)
	rows, seen, err := p.Rows(t.Context(), rep.Run)
	if err != nil || seen != 0 {
		t.Errorf("%d seen, %v", seen, err)
	}
	wantPutBack(rows)
	entries, err := p.store.Journal(t.Context(), rep.Run)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%+v, %v", entries, err)
	}
	for _, e := range entries {
		if want := map[bool]state.EntryState{true: state.Rejected, false: state.Seen}[e.Verb == "create"]; e.State != want {
			t.Errorf("%s is %s", e.Verb, e.State)
		}
	}
	// It is asked about once more, lest every hour deletes and restores; and it has
	// cost nobody's account.
	a.later(time.Hour)
	next, err := p.DryRun(t.Context(), domain, run.Overrides{Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	if c := next.Plan.Counts(); next.Plan.Len() != 0 || c.OpenQuestions != 1 || next.Plan.Verdict().Today != 0 {
		t.Errorf("the next plan: %+v, %+v", c, next.Plan.Verdict())
	}
	// Nothing of it is left to be undone.
	if _, err := p.Undo(t.Context(), rep.Run); !problem.Has(err, problem.UndoNothing) {
		t.Errorf("undo: %v", err)
	}
}

func TestDifferentPeople_WhoCannotBeRestoredAreReported(t *testing.T) {
	a, p, planned := successor(t)
	no := refused(403, "Authorization_RequestDenied")
	a.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb == plan.Create || s.Verb == plan.RestoreUser {
			return &no
		}
		return nil
	}
	rep := p.apply(t, planned)
	if rep.Failed != 2 || rep.Causes[problem.RowNotPutBack] != 1 {
		t.Errorf("%+v", rep)
	}
	a.tenant.before = nil
	undo, err := p.Undo(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, undo.Plan, 0, 0, 0, 1, 0)
}

// Nobody is restored whom somebody else deleted.
func TestDifferentPeople_WhomAnotherHandDeletedStayDeleted(t *testing.T) {
	a, p, planned := successor(t)
	a.failing()
	u := a.account(at("user000"))
	u.Deleted = a.clock.Now()
	a.tenant.bin[u.ID] = u
	delete(a.tenant.users, u.ID)
	rep := p.apply(t, planned)
	if len(a.tenant.writes) != 0 || rep.Seen != 1 || rep.Failed != 1 {
		t.Errorf("%q, %+v", a.tenant.writes, rep)
	}
}

func TestDifferentPeople_KilledAnywhereTheAccountIsBackInTheEnd(t *testing.T) {
	count := &gate{}
	live := func(g *gate, lag time.Duration) (*arena, error) {
		a, p, planned := successor(t)
		_ = p.store.Close()
		a.failing()
		a.tenant.lag = lag
		dies := a.start(t, g)
		defer dies.store.Close()
		_, err := dies.Sync(t.Context(), planned, approval(planned))
		return a, err
	}
	if _, err := live(count, 0); err != nil {
		t.Fatal(err)
	}
	t.Logf("crosses %d times: %q", count.crossed, count.names)
	restored := 0
	for at := 1; at <= count.crossed; at++ {
		for _, behind := range []bool{false, true} {
			a, err := live(&gate{at: at, behind: behind}, 0)
			if err == nil && at < count.crossed-1 {
				t.Fatalf("%d: not killed", at)
			}
			p := a.start(t, &gate{})
			open, err := p.Interrupted(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range open {
				rep, err := p.Resume(t.Context(), r.No)
				if err != nil && !benign(err) {
					t.Fatalf("%d %s behind=%v: %v", at, count.names[at-1], behind, err)
				}
				if rep != nil && rep.Causes[problem.RowPutBack] == 1 {
					restored++
				}
			}
			a.wantPicture(t, a.picture())
			a.onceEach(t)
			_ = p.store.Close()
			if t.Failed() {
				t.Fatalf("%d %s behind=%v: %q", at, count.names[at-1], behind, a.tenant.writes)
			}
		}
	}
	if restored == 0 {
		t.Error("no resumed sync restored anybody")
	}
}

// A tenant whose recycle bin and lists lag is waited for, also where a replica that
// showed the deleted account is followed by one that does not.
func TestDifferentPeople_AreRestoredAlthoughReadsLag(t *testing.T) {
	a, p, planned := successor(t)
	a.failing()
	id := a.account(at("user000")).ID
	shown, looks := map[directory.Presence]time.Time{}, 0
	a.tenant.hide = func(u directory.ID, where directory.Presence) bool {
		if u != id || len(a.tenant.writes) == 0 {
			return false
		}
		now := a.clock.Now()
		if shown[where].IsZero() {
			shown[where] = now.Add(2 * time.Minute)
		}
		if where == directory.InRecycleBin && now.Before(shown[where]) {
			looks++
			return looks != 3 // seen once, and hidden again
		}
		return now.Before(shown[where])
	}
	rep := p.apply(t, planned)
	if got := verbs(a.tenant.writes); got != "delete restore" || rep.Causes[problem.RowPutBack] != 1 {
		t.Errorf("%s, %+v", got, rep)
	}
	a.wantPicture(t, a.picture())
}

// heir is a village whose user000 has left, and where a new user has the UPN. Absent
// people are blocked for two days.
func heir(t *testing.T) (a *arena, p *process, first directory.ID) {
	t.Helper()
	a, p = village(t, 30)
	p.set(t, map[string]string{"on_missing": "block", "delete_after": "2"})
	p.dry(t)
	a.leave(at("user000"))
	r := user(at("user000"), "", "別 の人")
	r.ID = "newcomer"
	a.source.rows = append(a.source.rows, r)
	a.later(24 * time.Hour)
	return a, p, a.account(at("user000")).ID
}

// An answer stands until what it asks for is done whole: of different people first a
// block, and days later a deletion and an addition.
func TestAnswers_DifferentPeopleStandsUntilTheAccountIsDeleted(t *testing.T) {
	a, p, first := heir(t)
	p.answer(t, p.dry(t), plan.DifferentPeople, "")
	for day, want := range [][5]int{{0, 1, 0, 0, 0}, {}, {1, 0, 0, 0, 1}} {
		planned := p.dry(t)
		if q := ask(t, planned); q.Answer.Kind != plan.DifferentPeople {
			t.Fatalf("day %d: the answer is %+v", day, q.Answer)
		}
		wantCounts(t, planned.Plan, want[0], want[1], want[2], want[3], want[4])
		if got := p.known(t)[string(first)].Absent.Days; planned.Plan.Len() > 0 && got != day {
			t.Errorf("day %d: %d days of absence are counted", day, got)
		}
		if planned.Plan.Len() > 0 {
			if rep := p.apply(t, planned); rep.State != state.Done {
				t.Fatalf("day %d: %+v", day, rep)
			}
		}
		a.later(24 * time.Hour)
	}
	if id := a.account(at("user000")).ID; id == first {
		t.Error("the newcomer has the account of the leaver")
	}
	answers, err := p.store.Answers(t.Context(), "t-1", domain)
	if err != nil || len(answers) != 1 || answers[0].Used <= 0 {
		t.Errorf("not used up: %+v, %v", answers, err)
	}
	if last := p.dry(t).Plan; last.Len() != 0 || last.QuestionLen() != 0 {
		t.Errorf("%+v", last.Counts())
	}
}

// An addition that fails gives the account back, and the answer is asked for again.
func TestAnswers_WhereTheAdditionFailsTheBlockedAccountIsRestored(t *testing.T) {
	a, p, first := heir(t)
	p.answer(t, p.dry(t), plan.DifferentPeople, "")
	for range 2 {
		if planned := p.dry(t); planned.Plan.Len() > 0 {
			p.apply(t, planned)
		}
		a.later(24 * time.Hour)
	}
	a.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb == plan.Create {
			out := refused(400, "Request_BadRequest")
			return &out
		}
		return nil
	}
	planned := p.dry(t)
	wantCounts(t, planned.Plan, 1, 0, 0, 0, 1)
	p.apply(t, planned)
	a.tenant.before = nil
	if id := a.account(at("user000")).ID; id != first {
		t.Errorf("%s has the UPN, want the account that was there", id)
	}
	a.later(time.Hour)
	if q := ask(t, p.dry(t)); q.Answer.Kind != plan.Open {
		t.Errorf("tried again by the answer: %+v", q.Answer)
	}
}

// An undo of what was done so far asks again.
func TestUndo_OfABlockAsksAgain(t *testing.T) {
	a, p, first := heir(t)
	p.answer(t, p.dry(t), plan.DifferentPeople, "")
	rep := p.apply(t, p.dry(t))
	a.later(time.Hour)
	if _, err := p.undoAll(t.Context(), rep.Run); err != nil {
		t.Fatal(err)
	}
	a.later(time.Hour)
	planned := p.dry(t)
	if q := ask(t, planned); q.Answer.Kind != plan.Open || planned.Plan.Len() != 0 {
		t.Errorf("%+v, %+v", q.Answer, planned.Plan.Counts())
	}
	if is := p.known(t)[string(first)]; is.Claimed || is.Absent.Days != 0 {
		t.Errorf("still remembered: %+v", is)
	}
}

// Whom a reviewer let go is deleted when the days are over, though no complete read
// ever had the account.
func TestAnswers_ABlockByAReviewersWordIsDeletedUnattended(t *testing.T) {
	a, p := village(t, 30)
	p.set(t, map[string]string{"on_missing": "block", "delete_after": "2"})
	p.dry(t)
	a.tenant.person(at("stranger"), "", "人 900")  // no row is like it
	a.tenant.person(at("stranger2"), "", "人 901") // a namesake joins
	a.source.rows = append(a.source.rows, user(at("namesake"), "", "人 901"))
	a.later(24 * time.Hour)
	p.answer(t, p.dry(t), plan.DifferentPeople, "")
	planned := p.dry(t)
	wantCounts(t, planned.Plan, 1, 2, 0, 0, 0)
	p.apply(t, planned)
	for day, want := range []int{0, 2} {
		a.later(24 * time.Hour)
		planned, err := p.DryRun(t.Context(), domain, run.Overrides{Unattended: true})
		if err != nil {
			t.Fatal(err)
		}
		if c := planned.Plan.Counts(); c.Delete != want || planned.Plan.Len() != want || c.Questions != 0 {
			t.Errorf("day %d: %+v", day+1, c)
		}
	}
}
