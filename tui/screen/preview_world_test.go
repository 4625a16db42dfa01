package screen

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/theme"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// readAt is when the tenant of the tests was read.
var readAt = time.Date(2026, 11, 25, 0, 34, 0, 0, time.UTC)

const previewDomain = "midori.example"

// company is both sides of a plan, built row by row.
type company struct {
	t               testing.TB
	source, users   *directory.Builder
	deleted         *directory.Builder
	nSource, nUsers int
	nDeleted        int
	policy          plan.Policy
	// past are the accounts that earlier reads saw in the source; asks: the rows of
	// the source that no account has are new in it.
	past map[string]plan.Link
	asks bool
	// absent are the accounts that had no row in the reads of so many days, blocked
	// those that hacsync blocked.
	absent  map[directory.ID]plan.Absence
	blocked map[directory.ID]bool
}

var companyColumns = []directory.Attribute{
	directory.DisplayName, directory.Surname, directory.GivenName, directory.MailNickname, directory.Department,
}

func newCompany(t testing.TB) *company {
	t.Helper()
	c := &company{
		t:       t,
		source:  directory.NewBuilder(directory.Source, companyColumns),
		users:   directory.NewBuilder(directory.Destination, companyColumns),
		deleted: directory.NewBuilder(directory.RecycleBin, companyColumns),
		policy:  plan.DefaultPolicy(),
		past:    map[string]plan.Link{},
		absent:  map[directory.ID]plan.Absence{},
		blocked: map[directory.ID]bool{},
	}
	c.policy.Attributes = append(directory.Standard(), directory.Department)
	c.policy.OnEmpty = plan.Clear
	return c
}

// who is one person on one side.
type who struct {
	local, imm, name, sur, given, dept string
	username                           string // empty: local
	marks                              directory.Marks
	created, seen                      time.Time
	bin, off                           bool // in the recycle bin; sign-in blocked
}

func (c *company) record(w who, id directory.ID) directory.Record {
	upn := w.local
	if !strings.Contains(upn, "@") && upn != "" {
		upn += "@" + previewDomain
	}
	r := directory.Record{
		ID: id, UPN: upn, ImmutableID: w.imm, Marks: w.marks | directory.Enabled, Created: w.created, LastSignIn: w.seen,
	}
	if w.off {
		r.Marks &^= directory.Enabled
	}
	for _, v := range []string{w.name, w.sur, w.given, strings.TrimSuffix(w.local, "@"+previewDomain), w.dept} {
		r.Values = append(r.Values, directory.Text(v))
	}
	return r
}

func (c *company) inSource(w who) {
	c.nSource++
	r := c.record(w, directory.ID(w.user()))
	r.Line = c.nSource + 1
	if _, known := c.past[w.user()]; !known && !c.asks {
		c.past[w.user()] = plan.Link{Username: w.user()}
	}
	r.Marks = directory.Enabled
	if err := c.source.Add(r); err != nil {
		c.t.Fatal(err)
	}
}

func (w who) user() string {
	if w.username != "" {
		return w.username
	}
	return w.local
}

// inTenant makes an account that was in the source under its Username, but for
// machines.
func (c *company) inTenant(w who) {
	if w.marks&directory.Purposes == 0 {
		w.marks |= directory.PurposeUser
	}
	if w.bin {
		c.nDeleted++
		r := c.record(w, directory.ID(fmt.Sprintf("d-%06d", c.nDeleted)))
		r.Deleted = readAt.Add(-24 * time.Hour)
		if err := c.deleted.Add(r); err != nil {
			c.t.Fatal(err)
		}
		return
	}
	c.nUsers++
	if w.local != "copier-3f" && !strings.HasPrefix(w.local, "alone") {
		c.past[w.user()] = plan.Link{
			Account: directory.ID(fmt.Sprintf("u-%06d", c.nUsers)), Username: w.user(), Given: w.given, Family: w.sur, Display: w.name,
			UPN: w.local + "@" + previewDomain, ImmutableID: w.imm, Since: readAt.Add(-44 * 24 * time.Hour), Run: 380,
		}
	}
	if err := c.users.Add(c.record(w, directory.ID(fmt.Sprintf("u-%06d", c.nUsers)))); err != nil {
		c.t.Fatal(err)
	}
}

// same is a person in both, changed in the source.
func (c *company) same(w who, change func(*who)) {
	c.inTenant(w)
	w.username = w.user()
	change(&w)
	c.inSource(w)
}

func (c *company) plan() *plan.Plan {
	c.t.Helper()
	seal := func(b *directory.Builder, n int) *directory.Snapshot {
		s, err := b.Seal(directory.Proof{Ended: true, Pages: 1, Items: n, Count: int64(n)}, directory.About{Name: "users.csv", Read: readAt, Newest: readAt})
		if err != nil {
			c.t.Fatal(err)
		}
		return s
	}
	past := plan.Past{Source: "hac", At: readAt.Add(-15 * time.Hour), Claimed: map[directory.ID]bool{}, Absent: c.absent}
	b := plan.NewPastBuilder()
	for _, user := range slices.Sorted(maps.Keys(c.past)) {
		if err := b.Add(c.past[user], plan.Seen{First: readAt.Add(-60 * 24 * time.Hour), Last: past.At}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := b.Seal(&past); err != nil {
		c.t.Fatal(err)
	}
	p, err := plan.Build(plan.Input{
		Tenant: directory.Tenant{ID: "t-1", Name: "Midori Sample K.K.", Initial: "midorisample.onmicrosoft.com", Domains: []directory.Domain{
			{Name: "midorisample.onmicrosoft.com", Verified: true, Initial: true},
			{Name: previewDomain, Verified: true},
		}},
		Domain: previewDomain, SetUp: []string{previewDomain},
		Source: seal(c.source, c.nSource), Users: seal(c.users, c.nUsers), Deleted: seal(c.deleted, c.nDeleted),
		Policy: c.policy, Past: past, At: readAt,
		Facts: plan.Facts{Blocked: c.blocked},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// hostile are texts that no user should have.
var hostile = []string{
	"\x1b[31mred\x1b[0m", "a\tb\nc\r\x00d", "\u202egnp.exe", "ｱｲｳﾞﾊﾟ", "👨‍👩‍👧‍👦 family", "e\u0301\u0301\u0301accent",
	"=cmd|' /C calc'!A0", strings.Repeat("長い名前", 40), "\xff\xfe broken", "﷽ wide", "[brackets] ]x[",
}

// story is a company with rows of every kind and every group of skips.
func story(t testing.TB) *plan.Plan { return told(t, func(*company) {}) }

// asking is the same company, of whose leavers three may be among the new rows.
func asking(t testing.TB) *plan.Plan { return told(t, func(c *company) { c.asks = true }) }

// blocking is the company that blocks leavers before it deletes them: two wait to be
// deleted, one came back.
func blocking(t testing.TB) *plan.Plan {
	return told(t, func(c *company) {
		c.policy.OnMissing, c.policy.DeleteAfter = plan.BlockMissing, 20
		gone := func(w who, days int) {
			w.off, w.marks = true, directory.Licensed
			c.inTenant(w)
			id := directory.ID(fmt.Sprintf("u-%06d", c.nUsers))
			at := readAt.AddDate(0, 0, -days)
			c.absent[id], c.blocked[id] = plan.Absence{First: at, Last: readAt.Add(-15 * time.Hour), Days: days, Reads: 24 * days}, true
		}
		gone(who{local: "imai.tetsu", imm: "imm-imai", name: "今井 哲"}, 6)
		gone(who{local: "nishida.ai", imm: "imm-nishida", name: "西田 愛"}, 1)
		back := who{local: "okubo.jun", imm: "imm-okubo", name: "大久保 純"}
		gone(back, 3)
		c.inSource(back)
	})
}

func told(t testing.TB, with func(*company)) *plan.Plan {
	t.Helper()
	c := newCompany(t)
	with(c)
	day := 24 * time.Hour
	made := time.Date(2021, 4, 1, 0, 0, 0, 0, time.UTC)
	gone := func(local, name string, licensed bool, seen time.Duration, dept string) {
		w := who{local: local, imm: "imm-" + local, name: name, created: made, dept: dept}
		if licensed {
			w.marks = directory.Licensed
		}
		if seen > 0 {
			w.seen = readAt.Add(-seen)
		}
		c.inTenant(w)
	}
	gone("abe.kenji", "阿部 健二", true, 22*day, "")
	gone("copier-3f", "複合機 3F", false, 0, "")
	gone("endo.mai", "遠藤 舞", true, 5*day, "")
	gone("hara.yoko", "原 洋子", false, 0, "")
	gone("kobayashi.rei", "小林 玲", true, 7*time.Hour, "")
	gone("m.brown", "Michael Brown", true, 7*time.Hour, "")
	gone("watanabe.sho", "渡邉 翔", true, 13*day, "営業部")
	rename := func(now, was, name string, change func(*who)) {
		w := who{local: was, imm: "imm-" + was, name: name, sur: strings.Fields(name)[0], created: made}
		c.same(w, func(w *who) {
			w.local = now
			if change != nil {
				change(w)
			}
		})
	}
	rename("aoki.misaki", "ito.misaki", "青木 美咲", nil)
	rename("lin.meihua", "lin.m", "林 美華", nil)
	rename("takahashi.hana", "sato.hana", "佐藤　花", func(w *who) { w.name, w.sur = "高橋 花", "高橋" })
	rename("zhao.lei", "zhao.l", "趙 磊", nil)
	c.inTenant(who{local: "back.again", imm: "imm-back", name: "戻 太郎", bin: true})
	c.inSource(who{local: "back.again", imm: "imm-back", name: "戻 太郎"})
	c.inSource(who{local: "watanabe.s", name: "渡辺 翔", dept: "営業部"})
	if c.asks {
		c.inSource(who{local: "hara.yoko2", imm: "imm-hara-2", name: "原 洋子", dept: "総務部"})
		c.inSource(who{local: "y.hara", imm: "imm-hara-y", name: "原 洋子", dept: "経理部"})
		c.inSource(who{local: "kobayashi.rei@midori.example (leave)", username: "rei.k", name: "小林 玲"})
	}
	c.inSource(who{local: "watanabe.yui", imm: "imm-yui", name: "渡邊 結衣"})
	for i := range 8 {
		c.inSource(who{local: fmt.Sprintf("new.person%02d", i), imm: fmt.Sprintf("imm-new-%d", i), name: fmt.Sprintf("新人 %d号", i)})
	}
	c.same(who{local: "watanabe.ai", imm: "imm-ai", name: "渡辺　藍"}, func(w *who) { w.name = "渡辺 藍" })
	c.same(who{local: "watanabe.gen", imm: "imm-gen", name: "渡邉 元", dept: "営業部"}, func(w *who) { w.dept = "営業2課" })
	c.same(who{local: "saito.ken", imm: "imm-ken", name: "斉藤 健", sur: "斉藤", dept: "総務"}, func(w *who) { w.name, w.sur, w.dept = "斎藤 健", "斎藤", "" })
	for i, h := range hostile {
		c.same(who{local: fmt.Sprintf("hostile%02d", i), imm: fmt.Sprintf("imm-h-%d", i), name: "before", dept: "x"}, func(w *who) { w.name, w.dept = h, h })
	}
	for i := range 40 {
		c.same(who{local: fmt.Sprintf("upd.person%02d", i), imm: fmt.Sprintf("imm-u-%d", i), name: fmt.Sprintf("山田　%d", i)}, func(w *who) { w.name = strings.ReplaceAll(w.name, "　", " ") })
	}
	for i := range 200 {
		c.same(who{local: fmt.Sprintf("quiet.person%03d", i), imm: fmt.Sprintf("imm-q-%d", i), name: fmt.Sprintf("静か %d", i)}, func(*who) {})
	}
	for i, mark := range []directory.Marks{directory.PurposeShared, directory.PurposeShared, directory.PurposeRoom, directory.Synced, directory.RoleHolder, directory.SignedIn} {
		c.inTenant(who{local: fmt.Sprintf("alone%02d", i), name: "営業窓口 " + hostile[i], marks: mark})
	}
	c.inSource(who{local: "bad upn", imm: "imm-bad", name: "空白 有"})
	c.inSource(who{local: "twice", imm: "imm-t1", name: "二重 一"})
	c.inSource(who{local: "twice", imm: "imm-t2", name: "二重 二"})
	c.inSource(who{local: "", imm: "imm-none", name: "hdeadmin"})
	return c.plan()
}

// crowd is a company of n rows, nearly all of them updates.
func crowd(t testing.TB, n int) *plan.Plan {
	t.Helper()
	c := newCompany(t)
	for i := range n {
		w := who{local: fmt.Sprintf("user%07d", i), imm: fmt.Sprintf("imm-%07d", i), name: fmt.Sprintf("山田　太郎%d", i), sur: "山田"}
		switch {
		case i%1000 == 0:
			c.inTenant(w)
		case i%50 == 0:
			c.inSource(w)
		default:
			c.same(w, func(w *who) { w.name = fmt.Sprintf("山田 太郎%d", i) })
		}
	}
	c.policy.MaxAllowedDeletions = 100
	return c.plan()
}

// world is a flow at the preview of a plan with its screen.
type world struct {
	t    testing.TB
	plan *plan.Plan
	f    *flow.Flow
	x    *flow.Driver
	e    *env
	s    *preview
	// width and height of the body.
	width, height int
	said          []words.Text
}

// stillBackend is a world whose dry run gives one plan, a little after it was made.
type stillBackend struct {
	*flowtest.World
	plan *plan.Plan
}

func (b stillBackend) Reopen(ctx context.Context, name string) (flow.Session, error) {
	s, err := b.World.Reopen(ctx, name)
	return stillSession{s, b.plan}, err
}

type stillSession struct {
	flow.Session
	plan *plan.Plan
}

func (s stillSession) Connection() consent.Connection {
	c := s.Session.Connection()
	c.Account = "t.mori"
	return c
}

func (s stillSession) Engine(h flow.Hooks) flow.Engine {
	return stillEngine{s.Session.Engine(h), s.plan}
}

type stillEngine struct {
	flow.Engine
	plan *plan.Plan
}

func (e stillEngine) DryRun(context.Context, string, run.Overrides) (*run.Planned, error) {
	return &run.Planned{Plan: e.plan, Run: 412, At: readAt}, nil
}

func newEnv(t testing.TB, lang string) *env {
	t.Helper()
	p, err := message.New(lang)
	if err != nil {
		t.Fatal(err)
	}
	return &env{Printer: p.In(time.FixedZone("JST", 9*3600)), Styles: theme.New(true), Signs: widget.Lines(), Now: func() time.Time { return readAt }}
}

func newWorld(t testing.TB, p *plan.Plan, lang string, width, height int) *world {
	t.Helper()
	w := &world{t: t, plan: p, e: newEnv(t, lang), width: width, height: height}
	back := flowtest.New(t)
	back.IsDemo, back.Still, back.Conns = false, readAt.Add(6*time.Minute), saved()[:1]
	w.f = flow.New(stillBackend{back, p}, flow.Options{Version: "1.2", Count: -1})
	w.x = flow.NewDriver(t.Context(), w.f)
	w.settle(w.f.Start())
	for _, a := range []string{"saved", "1", "go", previewDomain, "go", "go", "file", "users.csv", "22"} {
		w.settle(w.f.Answer(flow.Answer{Text: a}))
	}
	if w.f.At() != flow.Preview {
		t.Fatalf("the walk is at %s", w.f.At())
	}
	w.s = newPreview(w.e)
	w.s.Sync(w.f.View())
	w.view()
	return w
}

// keys presses keys by name, and does what commands say; a text in quotes is typed.
func (w *world) keys(names ...string) *world {
	w.t.Helper()
	for _, name := range names {
		if text, ok := strings.CutPrefix(name, "type:"); ok {
			for _, r := range text {
				w.send(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
			continue
		}
		w.send(press(name))
	}
	return w
}

func press(name string) tea.KeyPressMsg {
	codes := map[string]rune{
		"esc": tea.KeyEscape, "enter": tea.KeyEnter, "up": tea.KeyUp, "down": tea.KeyDown, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
		"home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace, "tab": tea.KeyTab,
	}
	var mod tea.KeyMod
	if rest, ok := strings.CutPrefix(name, "shift+"); ok {
		mod, name = tea.ModShift, rest
	}
	if c, ok := codes[name]; ok {
		return tea.KeyPressMsg{Code: c, Mod: mod}
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: ' ', Text: " "}
	}
	code, _ := utf8.DecodeRuneInString(name)
	return tea.KeyPressMsg{Code: code, Text: name}
}

// send is one message, what its command brings, and the flow's answer.
func (w *world) send(msg tea.Msg) bool {
	w.t.Helper()
	answers, cmd, handled := w.s.Update(msg)
	for _, a := range answers {
		w.answer(a)
	}
	if cmd != nil {
		if m := cmd(); m != nil {
			w.send(m)
		}
	}
	return handled
}

func (w *world) answer(a flow.Answer) {
	w.settle(w.f.Answer(a))
	if v := w.f.View(); v.Review != nil {
		w.s.Sync(v)
	}
}

// settle does what a turn starts, and waits for its end.
func (w *world) settle(turn flow.Turn) {
	w.said = append(w.said, turn.Say...)
	w.x.Take(turn)
	for w.f.Busy() {
		m, ok := w.x.Next()
		if !ok {
			<-w.x.Ready()
			continue
		}
		w.settle(w.x.Deliver(m))
	}
}

func (w *world) view() string { return w.s.View(w.width, w.height).body }

// screen is the body as a terminal shows it, without styles.
func (w *world) screen() string { return drawn(w.view(), w.width, w.height) }

func drawn(view string, width, height int) string {
	buf := uv.NewScreenBuffer(width, height)
	uv.NewStyledString(view).Draw(buf, buf.Bounds())
	lines := strings.Split(buf.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return strings.Join(lines, "\n")
}

func (w *world) has(texts ...string) *world {
	w.t.Helper()
	got := w.screen()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			w.t.Fatalf("the screen lacks %q:\n%s", text, got)
		}
	}
	return w
}

func (w *world) lacks(texts ...string) *world {
	w.t.Helper()
	got := w.screen()
	for _, text := range texts {
		if strings.Contains(got, text) {
			w.t.Fatalf("the screen has %q:\n%s", text, got)
		}
	}
	return w
}
