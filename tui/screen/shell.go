package screen

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/theme"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// How often the mailbox is emptied and waits are drawn again while something runs, and
// otherwise.
const (
	busyTick = 100 * time.Millisecond
	idleTick = time.Second
)

// Options say where the screens are drawn and how.
type Options struct {
	// Printers are the languages, the first at the start; L goes through them.
	Printers []*message.Printer
	// Chosen is told of the language that L switched to; nil for nobody.
	Chosen func(message.Language)
	Input  io.Reader
	Output io.Writer
	// Environ is the environment that the terminal is known by; nil is the
	// process's own.
	Environ []string
	// ASCII: rules and bars of characters that every terminal draws one column
	// wide. Probe asks the terminal whether it needs that.
	ASCII, Probe bool
	// Light is the background until the terminal has said what it is.
	Light bool
	// Width and Height are the window's until the terminal has said so.
	Width, Height int
	// Grace is how long keys are ignored after a screen came by itself: they were
	// typed for the screen before.
	Grace time.Duration
	// Browse opens a page in the browser of this machine; nil where that cannot be.
	Browse func(ctx context.Context, url string) error
}

// Shell is the root model: it routes what happens to the screen of the step,
// drives the flow, and draws the frame around the body.
type Shell struct {
	ctx context.Context
	f   *flow.Flow
	o   Options
	x   *flow.Driver
	env *env

	v      flow.View
	screen screen
	made   map[flow.Step]screen

	width, height int
	sized         bool
	probed        int          // the row in which the width of a rule sign was asked
	said          []words.Text // by the last answer, until the next key
	help          *help
	// asks: quitting was wished for once while something runs.
	asks quitting
	// quiet: keys before that moment were meant for the screen before.
	quiet time.Time
	// stopping: a sync was asked to stop and comes to a safe end.
	stopping bool
	kind     flow.Ending
	leaving  bool
	crash    *flow.Crash
	views    int
	cursor   *tea.Cursor
	now      frame // what the screen shows, as it was drawn last
}

type quitting uint8

const (
	notAsked quitting = iota
	askedQuit
	askedStop // of a sync
)

type (
	// Interrupt asks the shell to end, as a signal does.
	Interrupt struct{}

	tickMsg  time.Time
	probeMsg struct{}
	mailMsg  struct{}
)

// New makes the root model of a program that walks f.
func New(ctx context.Context, f *flow.Flow, o Options) *Shell {
	signs := widget.Lines()
	if o.ASCII {
		signs = widget.ASCII()
	}
	s := &Shell{
		ctx: ctx, f: f, o: o, x: flow.NewDriver(ctx, f), width: o.Width, height: o.Height, sized: o.Width > 0,
		env:  &env{Printer: o.Printers[0], Styles: theme.New(!o.Light), Signs: signs, Now: f.Now, Browse: o.Browse},
		made: map[flow.Step]screen{},
	}
	return s
}

// Init asks the terminal what it is, and enters the first step.
func (s *Shell) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, s.tick(), s.mail()}
	if !s.o.ASCII && s.o.Probe {
		// Only after the first frame: before it the sign would be left on the user's own
		// screen.
		cmds = append(cmds, tea.Tick(busyTick, func(time.Time) tea.Msg { return probeMsg{} }))
	}
	return tea.Batch(append(cmds, s.guarded(func() tea.Cmd { return s.take(s.f.Start()) }))...)
}

// probe draws a rule sign in the last row, asks where the cursor is then, and puts
// the margin of that row back: the keys begin with a space on every screen. (In the
// first row the answer would read as a key.)
func probe(row int) string {
	at := fmt.Sprintf("\x1b[%d;1H", row)
	return "\x1b7" + at + "\u2500\x1b[6n" + at + " \x1b8"
}

// guarded runs f; if hacsync itself has a bug there, the program ends in good order.
func (s *Shell) guarded(f func() tea.Cmd) (cmd tea.Cmd) {
	defer func() {
		if what := recover(); what != nil {
			cmd = s.crashed(&flow.Crash{What: what, Stack: debug.Stack()})
		}
	}()
	return f()
}

func (s *Shell) crashed(c *flow.Crash) tea.Cmd {
	if s.crash == nil {
		s.crash = c
	}
	s.leaving = true
	return tea.Quit
}

// Update takes a message. It does no I/O: what has to be read or written is an
// effect, which begins as a command.
func (s *Shell) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if s.crash != nil {
		return s, tea.Quit
	}
	cmd := s.guarded(func() tea.Cmd { return s.update(msg) })
	return s, cmd
}

func (s *Shell) update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height, s.sized = m.Width, m.Height, true
	case tea.BackgroundColorMsg:
		*s.env.Styles = *theme.New(m.IsDark())
	case tea.CursorPositionMsg:
		if s.o.Probe && s.probed > 1 && m.Y == s.probed-1 && m.X == 2 {
			s.env.Signs = widget.ASCII()
			return tea.ClearScreen
		}
	case probeMsg:
		s.probed = s.height
		return tea.Raw(probe(s.probed))
	case tickMsg:
		return tea.Batch(s.deliver(), s.tick())
	case mailMsg:
		return tea.Batch(s.deliver(), s.mail())
	case Interrupt:
		s.kind, s.leaving = flow.Interrupted, true
		return tea.Quit
	case foundMsg:
		if x, ok := s.made[flow.Preview]; ok {
			_, cmd, _ := x.Update(m)
			return cmd
		}
	case saidMsg:
		s.said = []words.Text{m.Text}
	case tea.KeyPressMsg:
		return s.key(m)
	case tea.PasteMsg:
		if s.help != nil {
			s.help.search.Insert(m.Content)
			return nil
		}
		return s.pass(m)
	case tea.MouseMsg:
		return s.mouse(m)
	}
	return nil
}

func (s *Shell) tick() tea.Cmd {
	every := idleTick
	if s.f.Busy() {
		every = busyTick
	}
	return tea.Tick(every, func(t time.Time) tea.Msg { return tickMsg(t) })
}

// mail waits until an effect has something to say at once.
func (s *Shell) mail() tea.Cmd {
	ready := s.x.Ready()
	return func() tea.Msg {
		select {
		case <-ready:
			return mailMsg{}
		case <-s.ctx.Done():
			return nil
		}
	}
}

// deliver gives the flow what effects have reported and brought. However many
// reports there are, one view follows.
func (s *Shell) deliver() tea.Cmd {
	var cmds []tea.Cmd
	came := false
	for m, ok := s.x.Next(); ok; m, ok = s.x.Next() {
		came = true
		t := s.x.Deliver(m)
		if m.Crash != nil {
			return s.crashed(m.Crash)
		}
		s.stopping = s.stopping && s.x.Writes()
		cmds = append(cmds, s.turned(t))
	}
	was := shown(s.v)
	s.sync()
	if came && shown(s.v) != was {
		// The screen came by itself: keys typed until now were not meant for it.
		s.quiet = time.Now().Add(s.o.Grace)
		if s.asks != notAsked && !s.f.Losing() {
			s.asks = notAsked
		}
	}
	return tea.Batch(cmds...)
}

// shown distinguishes screens that answer a key differently.
func shown(v flow.View) string {
	id := v.Step.String() + "/" + v.Title.ID + "/" + v.Ask.Text.ID
	for _, o := range v.Ask.Options {
		id += "/" + o.Key
	}
	if v.Ask.Kind == flow.Wait {
		id += "/wait"
	}
	return id
}

// take does what a turn says and shows where it led to.
func (s *Shell) take(t flow.Turn) tea.Cmd {
	cmd := s.turned(t)
	s.sync()
	return cmd
}

func (s *Shell) turned(t flow.Turn) tea.Cmd {
	if len(t.Say) > 0 {
		s.said = t.Say
	}
	if len(t.Effects) > 0 {
		s.asks = notAsked
	}
	s.x.Take(t)
	if s.f.Ended() != nil {
		s.leaving = true
		return tea.Quit
	}
	return nil
}

// sync shows the screen of the step where the flow is now.
func (s *Shell) sync() {
	if s.f.Ended() != nil {
		return
	}
	s.v = s.f.View()
	of := s.v.Step
	if interrupted(s.v) {
		of = flow.SignIn
	}
	screen, ok := s.made[of]
	if !ok {
		screen = screenFor(of, s.env)
		s.made[of] = screen
	}
	s.screen = screen
	screen.Sync(s.v)
}

// pass gives a message to the screen, and its answers to the flow.
func (s *Shell) pass(msg tea.Msg) tea.Cmd {
	cmd, _ := s.passed(msg)
	return cmd
}

func (s *Shell) passed(msg tea.Msg) (tea.Cmd, bool) {
	answers, cmd, handled := s.screen.Update(msg)
	cmds := []tea.Cmd{cmd}
	for _, a := range answers {
		if s.f.Ended() != nil {
			break
		}
		cmds = append(cmds, s.take(s.f.Answer(a)))
	}
	return tea.Batch(cmds...), handled
}

func (s *Shell) mouse(m tea.MouseMsg) tea.Cmd {
	if s.help != nil || s.asks != notAsked || time.Now().Before(s.quiet) {
		return nil
	}
	top := s.bodyTop()
	switch m := m.(type) {
	case tea.MouseClickMsg:
		s.said = nil
		m.Y -= top
		return s.pass(m)
	case tea.MouseWheelMsg:
		m.Y -= top
		return s.pass(m)
	}
	return nil
}

// key takes a key: first what works everywhere at any time, then the screen's,
// then what works wherever letters are no text.
func (s *Shell) key(k tea.KeyPressMsg) tea.Cmd {
	name := keyName(k)
	if name == "ctrl+c" {
		return s.quit(true)
	}
	if time.Now().Before(s.quiet) {
		return nil
	}
	if name == "ctrl+z" {
		return tea.Suspend
	}
	if name == "ctrl+l" {
		return tea.ClearScreen
	}
	if s.asks != notAsked {
		return s.askedKey(name)
	}
	if s.help != nil {
		if s.help.key(k, name) {
			s.help = nil
		}
		return nil
	}
	if s.small() {
		return nil
	}
	if name == "esc" && len(s.said) > 0 {
		s.said = nil // what looks as if it could be closed is closed first
		return nil
	}
	s.said = nil
	cmd, handled := s.passed(k)
	if handled {
		return cmd
	}
	switch name {
	case "esc":
		return tea.Batch(cmd, s.back())
	case "?", "f1":
		s.help = &help{}
	case "L":
		s.language()
	case "q":
		return tea.Batch(cmd, s.quit(false))
	}
	return cmd
}

// back is one step back. What writes is not left but stopped, and asked first.
func (s *Shell) back() tea.Cmd {
	switch {
	case s.v.Back:
		return s.take(s.f.Answer(flow.Answer{Command: flow.CmdBack}))
	case s.x.Writes() && !s.stopping:
		s.asks = askedStop
	}
	return nil
}

// quit leaves, and asks once while something runs; now is ctrl+c.
func (s *Shell) quit(now bool) tea.Cmd {
	switch {
	case s.asks == askedQuit:
		return s.leave(now)
	case s.stopping && now:
		// Asked for once more: the screen is left, and the safe end waited for.
		s.kind, s.leaving = flow.Interrupted, true
		return tea.Quit
	case s.asks == askedStop:
		return s.stopSafely()
	case s.x.Writes():
		s.asks = askedStop
		s.help = nil
	case s.f.Losing():
		s.asks = askedQuit
		s.help = nil
	default:
		return s.leave(now)
	}
	return nil
}

// leave ends the walk; ctrl+c counts as an interruption, as it does line by line.
func (s *Shell) leave(interrupted bool) tea.Cmd {
	s.asks = notAsked
	if interrupted {
		s.kind = flow.Interrupted
	}
	return s.take(s.f.Answer(flow.Answer{Command: flow.CmdQuit}))
}

// stopSafely ends a sync after the requests under way; its result is shown.
func (s *Shell) stopSafely() tea.Cmd {
	s.asks, s.stopping, s.said = notAsked, true, nil // the status line says so while it lasts
	s.x.Cancel()
	return nil
}

// askedKey is a key while it is asked whether to quit.
func (s *Shell) askedKey(name string) tea.Cmd {
	asked := s.asks
	s.asks = notAsked
	switch name {
	case "q", "enter", "y":
		if asked == askedStop {
			return s.stopSafely()
		}
		return s.leave(false)
	}
	return nil
}

// language is the next language; every text is made again.
func (s *Shell) language() {
	for i, p := range s.o.Printers {
		if p.Language() == s.env.Printer.Language() {
			s.env.Printer = s.o.Printers[(i+1)%len(s.o.Printers)]
			if s.o.Chosen != nil {
				s.o.Chosen(s.env.Printer.Language())
			}
			break
		}
	}
	s.sync()
}

// otherLanguage is what L switches to, in that language.
func (s *Shell) otherLanguage() string {
	for i, p := range s.o.Printers {
		if p.Language() == s.env.Printer.Language() && len(s.o.Printers) > 1 {
			return s.o.Printers[(i+1)%len(s.o.Printers)].Text("tui.language", nil)
		}
	}
	return ""
}

// End waits, once the screen is gone, for what writes to come to a safe end,
// closes what was opened, and says on out what was done. Its error is one of
// writing, or a flow.Crash.
func (s *Shell) End(out io.Writer, interrupted bool) (flow.Outcome, error) {
	if interrupted {
		s.kind = flow.Interrupted
	}
	w := &writer{w: out}
	s.settle(w)
	outcome := flow.Outcome{Kind: s.kind, End: *s.f.Stopped()}
	if e := s.f.Ended(); e != nil {
		outcome.End = *e
	}
	_ = s.f.Close()
	for _, l := range widget.Wrap(words.Say(s.printer(), outcome.Closing()), min(max(s.width, 40), 100)) {
		w.line(l)
	}
	if s.crash != nil {
		return outcome, s.crash
	}
	return outcome, w.err
}

// settle waits for what still runs.
func (s *Shell) settle(out *writer) {
	if s.x.Writes() {
		out.line(words.Say(s.printer(), words.T("flow.plain.stopping")))
	}
	if crash := s.x.Settle(); s.crash == nil {
		s.crash = crash
	}
}

// writer keeps the first error of writing.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) line(s string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.w, s+"\n")
	}
}

// printer is in the language that was chosen last.
func (s *Shell) printer() *message.Printer { return s.env.Printer }
