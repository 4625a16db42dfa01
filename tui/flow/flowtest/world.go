// Package flowtest is a world without a tenant, for tests of whoever drives the
// walk: a flow.Backend that remembers what was done to it and fails as told.
package flowtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/flow"
)

// What every world has.
const (
	DomainName = "midori.example"
	TenantID   = "5f0c2a8e-1b7d-4e0f-9c55-2d6a8b1f7e10"
	Account    = "t.mori@midorisample.onmicrosoft.com"
)

// World is a backend without a tenant: it remembers what was done to it.
type World struct {
	t testing.TB
	sync.Mutex
	IsDemo bool
	Still  time.Time // what its clock shows, zero for the machine's
	Name   string    // of the tenant, empty for a Japanese one
	Conns  []consent.Connection

	parts     map[string]chan flow.Part
	codes     int
	ScriptRan bool // the script
	Saved     bool
	Sessions  int // sessions open
	Settings  map[string]string
	SourceErr error
	DryErr    error
	DecideErr error // decisions cannot be stored
	SyncErr   error
	Drift     bool
	Seal      flow.Sealing
	Files     map[string]string
	Applied   []*plan.Plan
	Approvals []run.Approval
	Stopped   []flow.Unfinished // interrupted syncs
	Resumed   []int64
	Undone    []int64
	DryRuns   []run.Overrides
	Answers   []plan.Answer
	Looked    []run.Look // where a reviewer was, as it was kept
	Ask       bool       // the accounts of Extra may have the name of who is to be added
	Twins     bool       // with Ask: two rows more have that name
	Extra     int        // more accounts that the source lacks: deletions
	Stall     bool       // a sync waits for its context after the first row
	Block     bool       // a dry run waits for its context
	Panics    bool       // a dry run has a mistake in it
	Noise     int        // as often a dry run reports its progress, from ten goroutines
	Fail      bool       // one row of a sync fails
	// Ends changes what a sync says it did.
	Ends   func(*run.Report)
	Upkept Upkept

	people
}

// New makes a demo world: the walk plays the people outside of the program.
func New(t testing.TB) *World {
	return &World{
		t: t, IsDemo: true, parts: map[string]chan flow.Part{}, Settings: map[string]string{}, Files: map[string]string{},
		Seal: flow.Sealing{Kind: flow.SealIdentity, Where: "id.txt"},
	}
}

// Simulated is true where the demo is played.
func (w *World) Simulated() bool { return w.IsDemo }

// Clock is the machine's, or the one that stands still.
func (w *World) Clock() clock.Clock {
	if w.Still.IsZero() {
		return clock.Real()
	}
	return still{clock.Real(), w.Still}
}

// still is a clock that always shows the same.
type still struct {
	clock.Clock
	at time.Time
}

func (s still) Now() time.Time { return s.at }

// Connections are Conns.
func (w *World) Connections(context.Context) ([]consent.Connection, error) { return w.Conns, nil }

// Unfinished are the interrupted syncs.
func (w *World) Unfinished(context.Context) ([]flow.Unfinished, error) { return w.Stopped, nil }

// SignIn gives codes that Play answers, and pages that PlayPage does.
func (w *World) SignIn(_ context.Context, t flow.Target) (consent.SignIn, error) {
	w.Lock()
	defer w.Unlock()
	w.Targets = append(w.Targets, t)
	return &fakeSignIn{w: w}, nil
}

// Open counts the session until it is closed.
func (w *World) Open(context.Context, consent.SignIn, consent.Account) (flow.Session, error) {
	w.Lock()
	defer w.Unlock()
	w.Sessions++
	return &session{w: w}, nil
}

// Reopen opens any saved connection but "stale", whose sign-in has ended, and
// "foreign", which another machine sealed.
func (w *World) Reopen(_ context.Context, name string) (flow.Session, error) {
	switch {
	case name == "stale":
		return nil, problem.New(problem.SignInAgain, problem.Args{"permissions": "User.Read.All"})
	case name == "foreign":
		return nil, problem.New(problem.SealedElsewhere, problem.Args{"what": name, "key": "id.txt"})
	case w.locked():
		return nil, problem.New(problem.PassphraseWrong, nil)
	}
	return w.Open(context.Background(), nil, consent.Account{})
}

// Explain knows AADSTS53003.
func (w *World) Explain(pasted string) *problem.Problem {
	if strings.Contains(pasted, "53003") {
		return problem.New(problem.BlockedByPolicy, problem.Args{"number": "53003", "client": "app"})
	}
	return nil
}

// ReadFile reads from Files.
func (w *World) ReadFile(_ context.Context, path string) (io.ReadCloser, error) {
	w.Lock()
	defer w.Unlock()
	s, ok := w.Files[path]
	if !ok {
		return nil, fmt.Errorf("open %s: no such file", path)
	}
	return io.NopCloser(strings.NewReader(s)), nil
}

// WriteFile writes to Files.
func (w *World) WriteFile(_ context.Context, name string, write func(io.Writer) error) (string, error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return "", err
	}
	w.Lock()
	defer w.Unlock()
	w.Files[name] = b.String()
	return name, nil
}

// Demo is the world itself where the demo is played.
func (w *World) Demo() flow.Demo {
	if !w.IsDemo {
		return nil
	}
	return w
}

// Parts are all.
func (w *World) Parts() []flow.Part {
	return []flow.Part{flow.Approve, flow.Decline, flow.Expire, flow.Block, flow.WrongTenant, flow.ErrorOnPage}
}

// Play answers a code.
func (w *World) Play(_ context.Context, code string, p flow.Part) error {
	w.Lock()
	c := w.parts[code]
	w.Unlock()
	if c == nil {
		return fmt.Errorf("no such code: %s", code)
	}
	c <- p
	return nil
}

// RunScript grants all.
func (w *World) RunScript(context.Context) error {
	w.Lock()
	defer w.Unlock()
	w.ScriptRan = true
	return nil
}

// Export is a file that LookAtSource reads.
func (w *World) Export() (string, int) { return "demo.csv", 22 }

// Latest is the last sign-in code that was given, by its number from 1, and where
// its person's part goes.
func (w *World) Latest() (int, chan<- flow.Part) {
	w.Lock()
	defer w.Unlock()
	return w.codes, w.parts[fmt.Sprintf("CODE%05d", w.codes)]
}

func (w *World) newCode() (consent.Code, chan flow.Part) {
	w.Lock()
	defer w.Unlock()
	w.codes++
	code := fmt.Sprintf("CODE%05d", w.codes)
	c := make(chan flow.Part, 1)
	w.parts[code] = c
	return consent.Code{UserCode: code, URL: "https://microsoft.com/devicelogin", Expires: w.Clock().Now().Add(15 * time.Minute)}, c
}

func played(ctx context.Context, c chan flow.Part) (consent.Account, error) {
	for {
		select {
		case <-ctx.Done():
			return consent.Account{}, ctx.Err()
		case p := <-c:
			switch p {
			case flow.Approve:
				return consent.Account{Tenant: TenantID, UPN: Account, ID: "admin"}, nil
			case flow.Decline:
				return consent.Account{}, problem.New(problem.CodeDeclined, nil)
			case flow.Expire:
				return consent.Account{}, problem.New(problem.CodeExpired, nil)
			case flow.WrongTenant:
				return consent.Account{}, problem.New(problem.OtherTenant, problem.Args{"upn": "x@other.example", "tenant": "other", "expected": TenantID})
			case flow.Block:
				return consent.Account{}, problem.New(problem.BlockedByPolicy, problem.Args{
					"number": "53003", "client": consent.GraphCommandLineTools, "correlation": "4c1f6e0a-7a55", "trace": "9b0e2f51-2c6d",
				})
			case flow.ErrorOnPage: // the program hears nothing
			}
		}
	}
}

type session struct {
	w      *World
	hooks  flow.Hooks
	closed bool
}

func (s *session) Connection() consent.Connection {
	name := s.w.Name
	if name == "" {
		name = "みどりサンプル株式会社"
	}
	c := consent.Connection{
		Name: "midori", Tenant: TenantID, TenantName: name, Initial: "midorisample.onmicrosoft.com",
		Account: Account, Cloud: "simulated",
	}
	if app := s.w.application.Application(); app.ID != "" {
		c.Application = &app
	} else if len(s.w.Conns) > 0 {
		c.Application = s.w.Conns[0].Application
	}
	return c
}

func (s *session) Engine(h flow.Hooks) flow.Engine { return &session{w: s.w, hooks: h} }
func (s *session) Grants() consent.Grants          { return s }

func (s *session) Sealing() flow.Sealing {
	s.w.Lock()
	defer s.w.Unlock()
	if s.w.seal != "" {
		return flow.Sealing{Kind: flow.SealPassphrase}
	}
	return s.w.Seal
}

func (s *session) Save(context.Context) error {
	s.w.Lock()
	defer s.w.Unlock()
	s.w.Saved = true
	return nil
}

func (s *session) AuditLog(_ context.Context, w io.Writer, p *run.Planned) error {
	_, err := fmt.Fprintf(w, "audit log of plan %s\n", p.Plan.Fingerprint().Code())
	return err
}

func (s *session) Close() error {
	s.w.Lock()
	defer s.w.Unlock()
	if !s.closed {
		s.closed = true
		s.w.Sessions--
	}
	return nil
}

func (s *session) List() []consent.Grant {
	return []consent.Grant{
		{Name: "User.Read.All", Kind: consent.DelegatedScope, When: consent.ForDryRun, State: consent.Granted},
		{Name: consent.WriteScope, Kind: consent.DelegatedScope, When: consent.ForSync, State: consent.Later},
		{Name: "MailboxSettings.Read", Kind: consent.AppRole, When: consent.ForPeriodic, Optional: true, State: consent.Missing},
	}
}

func (s *session) Check(context.Context) ([]consent.Grant, error) {
	s.w.Lock()
	defer s.w.Unlock()
	list := s.List()
	if s.w.ScriptRan {
		list[2].State = consent.Granted
	}
	return list, nil
}

func (s *session) Script(w io.Writer) error {
	_, err := io.WriteString(w, "# permissions\r\nConnect-MgGraph\r\n")
	return err
}

func (s *session) Domains(ctx context.Context) ([]run.DomainInfo, error) {
	if s.w.Upkept.Mute {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []run.DomainInfo{
		{Domain: directory.Domain{Name: DomainName, Verified: true}},
		{Domain: directory.Domain{Name: "midori-dev.example"}},
		{Domain: directory.Domain{Name: "midorisample.onmicrosoft.com", Verified: true, Initial: true}},
	}, nil
}

func (s *session) Precheck(_ context.Context, domain string) (*destination.Precheck, error) {
	return &destination.Precheck{
		Domain: directory.Domain{Name: domain, Verified: true}, Users: 24,
		Shared: []string{"sales", "support"}, Rooms: []string{"room-osaka-3f"}, Admins: []string{"t.mori"}, Guessed: true,
	}, nil
}

func (s *session) policy() plan.Policy {
	p := plan.DefaultPolicy()
	if v := s.w.Settings["max_allowed_deletions"]; v != "" {
		_, _ = fmt.Sscan(v, &p.MaxAllowedDeletions)
	}
	if v := s.w.Settings["max_deletions"]; v != "" {
		_, _ = fmt.Sscan(v, &p.MaxDeletions)
	}
	return p
}

func (s *session) Settings(context.Context, string) (run.Settings, error) {
	s.w.Lock()
	defer s.w.Unlock()
	return run.ParseSettings(s.w.Settings)
}

func (s *session) SetSettings(_ context.Context, _ string, kv map[string]string) error {
	s.w.Lock()
	defer s.w.Unlock()
	for k, v := range kv {
		s.w.Settings[k] = v
	}
	return nil
}

func (s *session) LookAtSource(_ context.Context, _, spec string) (*source.Overview, error) {
	if s.w.SourceErr != nil {
		return nil, s.w.SourceErr
	}
	o := &source.Overview{
		Name: strings.TrimPrefix(spec, "csv:"), Encoding: "UTF-8", Comma: "comma", Rows: 22,
		Domains: map[string]int{DomainName: 21, "": 1},
		Columns: []source.Recognised{
			{Column: "Email Address", Attribute: directory.UserPrincipalName, Use: source.Mapped, Example: "yamada.taro@midori.example"},
			{Column: "Display Name", Attribute: directory.DisplayName, Use: source.Mapped, Example: "山田 太郎"},
			{Column: "New Password", Use: source.Never},
		},
	}
	if strings.Contains(spec, "other") {
		o.Domains = map[string]int{"elsewhere.example": 22}
	}
	if spec == "hac" {
		o.Encoding, o.Name = "", "HAC API"
	}
	return o, nil
}

func person(i int) (upn, name string) {
	names := []string{"佐藤 花", "鈴木 一郎", "高橋 渚", "田中 次郎", "渡邉 翔", "ﾜﾀﾅﾍﾞ ｼｮｳ", "Michael Brown"}
	return fmt.Sprintf("user%02d@%s", i, DomainName), names[i%len(names)]
}

// build makes a plan of 21 users in the source and 22 and more accounts: 2
// deletions and more, 1 addition, 3 updates.
func (s *session) build(o run.Overrides) (*plan.Plan, error) {
	columns := []directory.Attribute{directory.DisplayName, directory.MailNickname}
	src := directory.NewBuilder(directory.Source, columns)
	dst := directory.NewBuilder(directory.Destination, columns)
	add := func(b *directory.Builder, i int, name string, line int, id directory.ID, m directory.Marks) {
		upn, _ := person(i)
		rec := directory.Record{ID: id, UPN: upn, ImmutableID: fmt.Sprintf("imm-%02d", i), Line: line, Columns: columns, Values: []directory.Value{directory.Text(name), directory.Text(fmt.Sprintf("user%02d", i))}, Marks: m}
		if err := b.Add(rec); err != nil {
			s.w.t.Fatal(err)
		}
	}
	live := directory.Enabled | directory.Licensed | directory.PurposeUser
	for i := range 21 {
		_, name := person(i)
		add(src, i, name, i+2, directory.ID(fmt.Sprintf("user%02d", i)), directory.Enabled)
		if i == 20 {
			continue
		}
		if i < 3 {
			name += "子"
		}
		add(dst, i, name, 0, directory.ID(fmt.Sprintf("id-%02d", i)), live)
	}
	if s.w.Twins {
		for i := 40; i < 42; i++ {
			_, name := person(34)
			add(src, i, name, i+2, directory.ID(fmt.Sprintf("user%02d", i)), directory.Enabled)
		}
	}
	for i := 30; i < 32+s.w.Extra; i++ {
		_, name := person(i)
		if i > 31 && !s.w.Ask { // nobody's namesake
			name = fmt.Sprintf("leaver %d", i)
		}
		add(dst, i, name, 0, directory.ID(fmt.Sprintf("id-%02d", i)), live)
	}
	add(dst, 90, "営業窓口", 0, "id-90", directory.Addressed|directory.PurposeShared)
	seal := func(b *directory.Builder, count int64) *directory.Snapshot {
		snap, err := b.Seal(directory.Proof{Ended: true, Pages: 1, Items: b.Len(), Count: count}, directory.About{Name: "side", Total: b.Len()})
		if err != nil {
			s.w.t.Fatal(err)
		}
		return snap
	}
	bin := directory.NewBuilder(directory.RecycleBin, columns)
	count := int64(-1)
	if o.Count > 0 {
		count = int64(src.Len())
	}
	policy := s.policy()
	policy.Attributes = []directory.Attribute{directory.UserPrincipalName, directory.DisplayName, directory.MailNickname}
	purposes := map[directory.ID]directory.Marks{"id-90": directory.PurposeShared}
	for i := range 60 {
		purposes[directory.ID(fmt.Sprintf("id-%02d", i))] = directory.PurposeUser
	}
	return plan.Build(plan.Input{
		Tenant: directory.Tenant{ID: TenantID, Name: "みどりサンプル株式会社", Initial: "midorisample.onmicrosoft.com", Domains: []directory.Domain{
			{Name: DomainName, Verified: true, Default: true},
		}},
		Domain: DomainName, SetUp: []string{DomainName}, Source: seal(src, count), Users: seal(dst, int64(dst.Len())), Deleted: seal(bin, -1),
		Purposes: purposes, Policy: policy, Decisions: s.planned(), Answers: s.w.Answers, At: s.w.Clock().Now(),
	})
}

func (s *session) DryRun(ctx context.Context, _ string, o run.Overrides) (*run.Planned, error) {
	s.w.Lock()
	s.w.DryRuns = append(s.w.DryRuns, o)
	block, noise, err := s.w.Block, s.w.Noise, s.w.DryErr
	s.w.Unlock()
	s.hooks.Progress.Report(progress.Event{Phase: progress.Source, Done: 21, Total: 21, Ended: true})
	if err := s.challenged(ctx); err != nil {
		return nil, err
	}
	if s.w.Panics {
		panic("secret in a panic")
	}
	var all sync.WaitGroup
	for n := range min(noise, 10) {
		all.Go(func() {
			for i := n; i < noise; i += 10 {
				s.hooks.Progress.Report(progress.Event{Phase: progress.Users, Done: i})
			}
		})
	}
	all.Wait()
	s.w.Lock()
	s.w.Noise = 0
	s.w.Unlock()
	if block {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	s.hooks.Progress.Report(progress.Event{Phase: progress.Users, Done: 23, Total: 23, Ended: true})
	p, err := s.build(o)
	if err != nil {
		return nil, err
	}
	return s.Reviewed(ctx, &run.Planned{Run: int64(len(s.w.DryRuns)), Plan: p, At: s.w.Clock().Now(), Source: o.Source, Count: o.Count})
}

// planned are the decisions that a plan is made with.
func (s *session) planned() []plan.Decision {
	all, _ := s.Decisions(context.Background(), "")
	return slices.DeleteFunc(all, func(d plan.Decision) bool {
		return d.Kind != plan.LeaveOutAlways && d.Kind != plan.LeaveOutAttribute
	})
}

// Answer keeps answers as the state does: a later one takes the place of those
// about the same account.
func (s *session) Answer(_ context.Context, p *run.Planned, account directory.ID, kind plan.AnswerKind, row, by string) (*run.Planned, error) {
	s.w.Lock()
	defer s.w.Unlock()
	s.w.Answers = slices.DeleteFunc(s.w.Answers, func(a plan.Answer) bool { return a.Account == account })
	for _, q := range p.Plan.Questions() {
		for i := range q.Rows {
			key := q.Rows[i].RowKey()
			if q.Account.ID == account && kind != plan.Open && (kind != plan.SamePerson || key == row) {
				s.w.Answers = append(s.w.Answers, plan.Answer{Kind: kind, Account: account, Row: key, Basis: q.Basis, By: by, At: s.w.Clock().Now()})
			}
		}
	}
	with := *p
	with.Plan, with.Decided = p.Plan.Answer(s.w.Answers), slices.Clone(s.w.Upkept.LeftOut)
	return &with, nil
}

func (s *session) Knows(context.Context, plan.Fingerprint) (bool, error) { return true, nil }

func (s *session) Stored(ctx context.Context, no int64) (*run.Planned, error) {
	p, err := s.build(run.Overrides{})
	if err != nil {
		return nil, err
	}
	return s.Reviewed(ctx, &run.Planned{Run: no, Plan: p, At: s.w.Clock().Now()})
}

// Undo gives a plan as a dry run would: what an inverse holds is the planner's.
func (s *session) Undo(_ context.Context, no int64) (*run.Planned, error) {
	s.w.Lock()
	s.w.Undone = append(s.w.Undone, no)
	s.w.Unlock()
	p, err := s.build(run.Overrides{})
	if err != nil {
		return nil, err
	}
	return &run.Planned{Run: no, Plan: p, At: s.w.Clock().Now()}, nil
}

func (s *session) Resume(ctx context.Context, no int64) (*run.Report, error) {
	p, err := s.Stored(ctx, no)
	if err != nil {
		return nil, err
	}
	s.w.Lock()
	s.w.Resumed = append(s.w.Resumed, no)
	s.w.Unlock()
	return s.Sync(ctx, p, run.Approval{Fingerprint: p.Plan.Fingerprint()})
}

func (s *session) Sync(ctx context.Context, p *run.Planned, a run.Approval) (*run.Report, error) {
	if a.Fingerprint != p.Plan.Fingerprint() {
		return nil, problem.New(problem.NotApproved, nil)
	}
	if why := p.Plan.Applyable(); why != nil && !(a.RaiseOnce && why.Code.Guard()) {
		return nil, why
	}
	s.w.Lock()
	err, drift := s.w.SyncErr, s.w.Drift && !a.SkipDrifted
	s.w.Unlock()
	if err != nil {
		return nil, err
	}
	if drift {
		first := p.Plan.Action(0)
		return &run.Report{Run: 99, Drifted: []plan.Drifted{{No: first.No, Kind: first.Kind, UPN: first.UPN, Attribute: "surname", Then: "佐藤", Now: "高橋"}}},
			problem.New(problem.PlanDrifted, problem.Args{"rows": "1", "domain": DomainName})
	}
	code, c := s.w.newCode()
	s.hooks.Code(code)
	if _, err := played(ctx, c); err != nil {
		return nil, err
	}
	s.w.Lock()
	s.w.Applied, s.w.Approvals = append(s.w.Applied, p.Plan), append(s.w.Approvals, a)
	s.w.Upkept.LeftOut = slices.DeleteFunc(s.w.Upkept.LeftOut, func(d plan.Decision) bool { return d.Kind != plan.LeaveOutAlways })
	stall, fail := s.w.Stall, s.w.Fail
	s.w.Unlock()
	rep := &run.Report{
		Run: 100, State: state.Done, Plan: p.Plan, Planned: p.Plan.Len(), ByKind: map[plan.Kind]run.Tally{}, Started: s.w.Clock().Now(),
	}
	for act := range p.Plan.Actions() {
		t := rep.ByKind[act.Kind]
		t.Planned++
		switch {
		case stall && rep.Sent > 0:
			rep.NotTried++
			rep.Rows = append(rep.Rows, run.RowResult{No: act.No, Kind: act.Kind, UPN: act.UPN, Outcome: run.OutcomeNotTried})
		case fail && rep.Sent == 0:
			t.Sent, t.Failed = t.Sent+1, t.Failed+1
			rep.Sent, rep.Failed = rep.Sent+1, rep.Failed+1
			why := problem.New(problem.RowDrifted, problem.Args{"upn": act.UPN, "attribute": "surname", "then": "佐藤", "now": "高橋\x1b[31m"})
			rep.Rows = append(rep.Rows, run.RowResult{No: act.No, Kind: act.Kind, UPN: act.UPN, Outcome: run.OutcomeFailed, Why: why})
			s.hooks.Progress.Report(progress.Event{Phase: progress.Write, Row: &progress.Row{No: act.No, Kind: act.Kind.String(), UPN: act.UPN, Outcome: "failed", Err: why}})
		default:
			t.Sent, t.Seen = t.Sent+1, t.Seen+1
			rep.Sent, rep.Seen = rep.Sent+1, rep.Seen+1
			s.hooks.Progress.Report(progress.Event{Phase: progress.Write, Done: rep.Sent, Total: rep.Planned, Row: &progress.Row{No: act.No, Kind: act.Kind.String(), UPN: act.UPN, Outcome: "seen"}})
		}
		rep.ByKind[act.Kind] = t
	}
	rep.Ended = s.w.Clock().Now()
	if stall {
		<-ctx.Done()
		return rep, problem.Wrap(context.Cause(ctx), problem.Interrupted, problem.Args{"run": "100", "domain": DomainName})
	}
	if fail {
		rep.State = state.Partial
	}
	if s.w.Ends != nil {
		s.w.Ends(rep)
	}
	return rep, nil
}
