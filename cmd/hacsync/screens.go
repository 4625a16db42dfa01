package main

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/term"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui"
	"github.com/hacsync/hacsync/tui/flow"
)

// screens reports whether the wizard can be drawn: line by line was not requested,
// and both stdin and stdout are terminals.
func (a *app) screens() bool {
	return !a.flags.plain && a.terminal && a.stdout != nil && term.IsTerminal(int(a.stdout.Fd())) && a.getenv("TERM") != "dumb"
}

// onScreen runs f on the terminal.
func (a *app) onScreen(ctx context.Context, f *flow.Flow) (flow.Outcome, error) {
	printers := []*message.Printer{a.words}
	for _, lang := range []string{"en", "ja"} {
		if lang == string(a.words.Language()) {
			continue
		}
		p, err := message.New(lang)
		if err != nil {
			return flow.Outcome{}, err
		}
		printers = append(printers, p)
	}
	linux := a.getenv("TERM") == "linux" // the console has few signs
	return tui.Run(ctx, f, tui.Options{
		Printers: printers, Chosen: a.rememberLanguage, Input: a.in, Output: a.stdout, ASCII: a.flags.ascii || linux, Probe: true, Browse: browse,
	})
}

// browse opens a page in the browser of this machine.
func browse(ctx context.Context, url string) error {
	if !strings.HasPrefix(url, "https://") {
		return errors.New("not a page of the web")
	}
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	return exec.CommandContext(ctx, name, args...).Run()
}
