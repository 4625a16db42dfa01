// Command hacsync synchronises users from HENNGE Access Control to Microsoft
// 365 (Microsoft Entra ID).
//
// Start here: main.go starts and ends the program; root.go has the commands and the
// flags that all of them take; every command has a file of its own; package session
// opens what they work with. A command holds no rule: it calls sync/run, and shows
// the answer.
//
// Every command keeps these rules:
//
//   - --json prints exactly one object on stdout. All else goes to stderr.
//   - An error is one sentence, what to do next, and a code; on stderr, and with
//     --json on stdout as well.
//   - The exit code comes from one function, exitCode.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // Windows and bare containers have no zones of their own

	"golang.org/x/term"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

func main() {
	os.Exit(program(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// program is the whole of hacsync. It returns the exit code.
func program(args []string, in *os.File, out, err io.Writer, getenv func(string) string) (code int) {
	crashLoudly()
	a, problem := newApp(args, in, out, err, getenv)
	if problem != nil {
		return a.finish(problem)
	}
	restore := a.rememberTerminal()
	defer func() {
		if what := recover(); what != nil {
			restore()
			code = a.finish(a.panicked(what, debug.Stack()))
		}
		a.closeLog()
	}()

	ctx, stop := interruptible(restore)
	defer stop()
	ctx = secret.OnWait(ctx, func(waits bool) {
		if waits {
			a.tell(a.text("waiting.keyring", nil))
		}
	})
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(a.out)
	root.SetErr(err)
	if failed := root.ExecuteContext(ctx); failed != nil {
		return a.finish(a.usage(root, failed))
	}
	return a.finish(a.result)
}

// interruptible returns a context that the first SIGINT, SIGTERM or hang-up ends,
// so that operations under way stop safely. The second one kills.
func interruptible(restore func()) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		cancel()
		if _, ok := <-signals; ok {
			restore()
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel()
	}
}

// rememberTerminal returns the function that restores the terminal.
func (a *app) rememberTerminal() func() {
	if !a.terminal {
		return func() {}
	}
	fd := int(a.in.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(fd, state) }
}

// panicked returns the error of a bug in hacsync itself. The stack goes only to the
// log file: it may hold any values.
func (a *app) panicked(what any, stack []byte) error {
	a.log.Error("panic", "what", fmt.Sprint(what), "stack", string(stack))
	return problem.New(problem.Internal, problem.Args{"what": fmt.Sprintf("%T", what)})
}
