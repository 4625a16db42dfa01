package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
)

// globals are the flags that every command takes.
type globals struct {
	session.Flags
	lang, log, logFormat string
	json, plain, ascii   bool
}

// app is one start of the program.
type app struct {
	args     []string
	in       *os.File
	answers  *bufio.Reader // of in
	out      *output
	stdout   *os.File // where out is one
	err      io.Writer
	getenv   func(string) string
	terminal bool // a user can be asked: stdin is a terminal
	// quiet: commands ask nothing themselves, because the wizard asks on its own
	// screens, or because nothing is to be asked.
	quiet   bool
	flags   globals
	words   *message.Printer
	log     *slog.Logger
	logFile io.Closer
	// logsToErr: the log is JSON on stderr, and so is everything else there.
	logsToErr bool
	clockMu   sync.Mutex
	clocks    map[float64]clock.Clock // by speed
	// result is how the command ended.
	result error
	// answered: the one JSON object has been printed.
	answered bool
}

// newApp looks for the flags that are needed before the others can be read: the
// language of the help, and the form of an error in the flags themselves. The app
// is usable even if an error is returned.
func newApp(args []string, in *os.File, out, err io.Writer, getenv func(string) string) (*app, error) {
	a := &app{args: args, in: in, answers: bufio.NewReader(in), out: &output{to: out}, err: err, getenv: getenv, log: slog.New(slog.DiscardHandler)}
	a.stdout, _ = out.(*os.File)
	a.terminal = in != nil && term.IsTerminal(int(in.Fd()))
	a.flags.json = slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
	lang := language(getenv)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if v, ok := strings.CutPrefix(arg, "--lang="); ok {
			lang = v
		} else if arg == "--lang" && i+1 < len(args) {
			lang = args[i+1]
		}
	}
	words, problem := message.New(lang)
	if problem != nil {
		words, _ = message.New("")
	}
	a.words = words
	return a, problem
}

// env returns what sessions need of the program.
func (a *app) env() *session.Env {
	return &session.Env{
		Flags: a.flags.Flags, Words: a.words, Tell: a.tell, Log: a.log, Clock: a.clockAt, ReadSimulator: a.readySimulator,
		Passphrase: secret.NewText(a.getenv(secret.PassphraseVariable)), AskPassphrase: a.passphraseAsker(),
		Attended: a.terminal, Holder: holder(),
	}
}

// open opens the saved connection that the flags name, with the user or application
// that acts for it.
func (a *app) open(ctx context.Context) (*session.Session, error) {
	return a.openTenant(ctx, session.Want{Tenant: true})
}

func (a *app) openTenant(ctx context.Context, want session.Want) (*session.Session, error) {
	s, err := a.env().Open(ctx, want)
	if err != nil {
		return nil, err
	}
	return a.shown(s), nil
}

// shown gives a session a Runner whose progress is shown line by line.
func (a *app) shown(s *session.Session) *session.Session {
	account := s.Connection().Account
	s.Runner = s.NewRunner(newLines(a.err, a.words), a.showOn("write.code", account), a.showOn("claims.code", account))
	return s
}

// holder returns the name of this process and user in claims.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return fmt.Sprintf("%s@%s, process %d", approver(""), host, os.Getpid())
}

// clockAt returns the clock of a speed, one for the whole program: a second one
// would start again at the machine's time.
func (a *app) clockAt(speed float64) clock.Clock {
	a.clockMu.Lock()
	defer a.clockMu.Unlock()
	if a.clocks == nil {
		a.clocks = map[float64]clock.Clock{}
	}
	if a.clocks[speed] == nil {
		a.clocks[speed] = clock.Scaled(speed)
	}
	return a.clocks[speed]
}

// text returns a message of the command line's own catalogue.
func (a *app) text(id string, args problem.Args) string { return a.words.Text("cmd."+id, args) }

// say writes a line for the user: on stdout, or on stderr if stdout belongs to a
// JSON object.
func (a *app) say(line string) {
	if a.flags.json {
		a.tell(line)
		return
	}
	_, _ = io.WriteString(a.out, flowed(a.out, line)+"\n")
}

// tell writes a line for the user on stderr.
func (a *app) tell(line string) {
	if a.logsToErr { // readers of stderr expect one object a line
		a.log.Info(line)
		return
	}
	_, _ = io.WriteString(a.err, flowed(a.err, line)+"\n")
}

// finish reports the error, if any, and returns the exit code.
func (a *app) finish(err error) int {
	err = a.out.outcome(err)
	code := exitCode(err)
	if err == nil || errors.As(err, new(outcome)) {
		return code
	}
	a.log.Error("ended with an error", "code", string(a.words.Problem(err).Code), "error", err, "exit", code)
	if errors.As(err, new(said)) {
		return code
	}
	a.complain(err)
	if a.flags.json && !a.answered {
		a.answer(failure{Schema: 1, Error: a.fault(err)})
	}
	return code
}

// complain prints an error for the user: what happened, what to do, and the code.
func (a *app) complain(err error) {
	w := a.words.Problem(err)
	line := a.text("error", problem.Args{"what": w.What, "code": string(w.Code)})
	if w.RequestID != "" {
		line = a.text("error_with_request", problem.Args{"what": w.What, "code": string(w.Code), "request": w.RequestID})
	}
	a.tell(line)
	var rows *source.BadRows
	if errors.As(err, &rows) {
		for _, r := range rows.Rows {
			a.tell("  " + a.words.Problem(r).What)
		}
		if more := rows.Total - len(rows.Rows); more > 0 {
			a.tell("  " + a.text("more_rows", problem.Args{"n": a.words.Int(more)}))
		}
	}
	if w.Remedy != "" {
		a.tell(w.Remedy)
	}
}

// fault is an error as a JSON object.
type fault struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Remedy    string `json:"remedy"`
	RequestID string `json:"request_id"`
}

// failure is what --json prints in place of an answer.
type failure struct {
	Schema int   `json:"schema"`
	Error  fault `json:"error"`
}

func (a *app) fault(err error) fault {
	w := a.words.Problem(err)
	return fault{Code: string(w.Code), Message: w.What, Remedy: w.Remedy, RequestID: w.RequestID}
}

// answer prints the one JSON object.
func (a *app) answer(v any) {
	a.answered = true
	b, err := safeJSON(v)
	if err != nil {
		a.log.Error("encode answer", "error", err)
		return
	}
	_, _ = a.out.Write(append(b, '\n'))
}

// openLog opens what --log names: a file, readable by its owner alone, or stderr
// (-), as services need it. It is JSON if --log-format or the name of the file asks
// for it.
func (a *app) openLog(ctx context.Context) error {
	format := a.flags.logFormat
	switch {
	case format != "" && format != "json" && format != "text":
		return wrongUsage("hacsync", a.text("usage.choice", problem.Args{"flag": "log-format", "takes": "json, text", "value": format}))
	case a.flags.log == "" || a.logFile != nil:
		return nil
	case format == "" && strings.HasSuffix(a.flags.log, ".json"):
		format = "json"
	}
	to := a.err
	if a.flags.log != "-" {
		f, err := a.logTo(ctx, a.flags.log)
		if err != nil {
			return err
		}
		a.logFile, to = f, f
	}
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	if format == "json" {
		a.log = slog.New(slog.NewJSONHandler(to, options))
		a.logsToErr = a.logFile == nil
	} else {
		a.log = slog.New(slog.NewTextHandler(to, options))
	}
	return nil
}

func (a *app) logTo(ctx context.Context, path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		return a.openThrough(ctx, path)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, notWritten(path, err)
	}
	return f, nil
}

func (a *app) closeLog() {
	if a.logFile != nil {
		_ = a.logFile.Close()
	}
}

// usage makes a problem of cobra's error about the arguments.
func (a *app) usage(root *cobra.Command, err error) error {
	if problem.Of(err) != nil || errors.Is(err, a.out.err) { // help and completion print while cobra runs
		return err
	}
	path := root.Name()
	if c, _, findErr := root.Find(a.args); findErr == nil {
		path = c.CommandPath()
	}
	return wrongUsage(path, a.misuse(root, err))
}

func wrongUsage(path, text string) error {
	return problem.New(problem.UsageWrong, problem.Args{"text": text, "command": path})
}

// notRead and notWritten return the problems of files that the user named.
func notRead(file string, err error) error {
	switch {
	case errors.Is(err, input.ErrEncoding):
		return problem.Wrap(err, problem.FileNoText, problem.Args{"file": file})
	case errors.Is(err, fs.ErrNotExist):
		return problem.Wrap(err, problem.FileNotFound, problem.Args{"file": file})
	}
	return problem.Wrap(err, problem.FileNotRead, problem.Args{"file": file, "why": why(err)})
}

func notWritten(file string, err error) error {
	return problem.Wrap(err, problem.FileNotWritten, problem.Args{"file": file, "why": why(err)})
}

// why returns the operating system's own reason, without operation and path.
func why(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// command makes a command whose words are in the catalogue under cmd.<id>. Its
// error is kept for finish; cobra sees only errors of the arguments.
func (a *app) command(id, use string, run func(ctx context.Context, args []string) error) *cobra.Command {
	c := &cobra.Command{
		Use:               use,
		Short:             a.text(id+".brief", nil),
		SilenceErrors:     true,
		SilenceUsage:      true,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	if a.words.Has("cmd." + id + ".more") {
		c.Long = a.text(id+".brief", nil) + "\n\n" + a.text(id+".more", nil)
	}
	if a.words.Has("cmd." + id + ".example") {
		c.Example = a.text(id+".example", nil)
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		a.result = a.openLog(c.Context())
		if a.result == nil {
			a.log.Info("start", "command", c.CommandPath(), "version", version())
			a.result = run(c.Context(), args)
		}
		return nil
	}
	return c
}

// takes says which arguments a command takes, by name; those in brackets may be
// left out, and the last one with … be several. What is a DOMAIN the command gets as
// all of hacsync writes it, in whatever width and case it was typed. An empty one
// names none: that of another domain must not stand in for it.
func (a *app) takes(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		for i, name := range names {
			given, domain := i < len(args), strings.Trim(name, "[]") == "DOMAIN"
			if given && domain {
				args[i] = directory.FoldUPN(input.Fold(args[i]))
			}
			if !given && !strings.HasPrefix(name, "[") || given && domain && args[i] == "" {
				return wrongUsage(c.CommandPath(), a.text("usage.missing", problem.Args{"name": strings.Trim(name, "[]")}))
			}
		}
		if len(args) > len(names) && !strings.Contains(strings.Join(names, ""), "…") {
			return wrongUsage(c.CommandPath(), a.text("usage.extra", problem.Args{"argument": args[len(names)]}))
		}
		return nil
	}
}
