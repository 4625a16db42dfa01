//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func TestWriteFile_LeavesAPipeWhatItIsAndFeedsItsReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	got := make(chan string)
	go func() {
		b, _ := os.ReadFile(path)
		got <- string(b)
	}()
	if err := quietly(t).writeFile(t.Context(), path, text("the plan")); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "the plan" {
		t.Errorf("the reader got %q", s)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Errorf("the pipe became %v, %v", info.Mode(), err)
	}
}

func TestWriteFile_StopsWaitingForAReaderWhenItIsStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := quietly(t).writeFile(ctx, path, text("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was stopped", err)
	}
	if r, err := os.OpenFile(path, os.O_RDWR, 0); err == nil { // lets the waiting goroutine go
		_ = r.Close()
	}
}

func TestWriteFile_TakesADeviceForWhatIsWrittenThrough(t *testing.T) {
	// Only examined: an error in the code must not cost the machine its device.
	_, info, err := quietly(t).standing(os.DevNull)
	if err != nil || info == nil || info.Mode().IsRegular() {
		t.Errorf("the null device is taken for a file: %v, %v", info, err)
	}
}

func TestWriteFile_WritesWhatALinkLeadsToAndKeepsTheLink(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "there", "target")
	must(t, os.Mkdir(filepath.Dir(target), 0o700), os.WriteFile(target, []byte("old"), 0o640))
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	must(t, os.Symlink(filepath.Join("there", "target"), first), os.Symlink("first", second))
	if err := quietly(t).writeFile(t.Context(), second, text("new")); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{first, second} {
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v", link, err)
		}
	}
	if b, err := os.ReadFile(target); string(b) != "new" || err != nil {
		t.Errorf("the target has %q, %v", b, err)
	}
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil || len(entries) != 1 {
		t.Errorf("something was left beside the target: %v, %v", entries, err)
	}
}

func TestWriteFile_KeepsTheModeOfAFileThatIsThereAndHidesANewOne(t *testing.T) {
	dir := t.TempDir()
	there, fresh := filepath.Join(dir, "there"), filepath.Join(dir, "fresh")
	must(t, os.WriteFile(there, []byte("old"), 0o600), os.Chmod(there, 0o644))
	a := quietly(t)
	must(t, a.writeFile(t.Context(), there, text("new")), a.writeFile(t.Context(), fresh, text("new")))
	for path, want := range map[string]fs.FileMode{there: 0o644, fresh: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
	}
}

func TestWriteFile_RefusesWhatCannotBeAFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Mkdir(at("folder"), 0o700),
		os.Symlink("folder", at("to-folder")), os.Symlink("missing", at("nowhere")), os.Symlink("missing/too", at("deeper")),
		os.Symlink("b", at("a")), os.Symlink("a", at("b")))
	for name, kind := range map[string]string{
		"folder": "folder", "to-folder": "folder", "nowhere": "nowhere", "deeper": "nowhere", "a": "circle",
	} {
		before, _ := os.Lstat(at(name))
		err := quietly(t).writeFile(t.Context(), at(name), text("x"))
		if p := problem.Of(err); !problem.Has(err, problem.FileNoTarget) || p.Args["kind"] != kind {
			t.Errorf("%s: %v, want %s", name, err, kind)
		}
		if after, err := os.Lstat(at(name)); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s was replaced", name)
		}
	}
	if err := quietly(t).writeFile(t.Context(), at("missing/file"), text("x")); !problem.Has(err, problem.FileNotWritten) {
		t.Errorf("in a folder that is not there: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 6 {
		t.Errorf("something was left behind: %v, %v", entries, err)
	}
}

func TestWriteFile_LeavesTheOldWholeWhereTheNewFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, []byte("old"), 0o600))
	half := func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return syscall.ENOSPC
	}
	if err := quietly(t).writeFile(t.Context(), path, half); !problem.Has(err, problem.FileNotWritten) {
		t.Errorf("error %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "old" {
		t.Errorf("the file has %q", b)
	}
}

func TestWriteFile_WritesIntoTheFileThatStdoutGoesTo(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	must(t, err)
	defer f.Close()
	a, err := newApp(nil, nil, f, io.Discard, func(string) string { return "" })
	must(t, err)
	a.say("before")
	must(t, a.writeFile(t.Context(), f.Name(), text("plan\n")))
	a.say("after")
	if b, _ := os.ReadFile(f.Name()); string(b) != "before\nplan\nafter\n" {
		t.Errorf("stdout has %q", b)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// full refuses every write after the first few bytes, as a full disk does.
type full struct {
	room int
	err  error
}

func (f *full) Write(b []byte) (int, error) {
	if len(b) > f.room {
		return 0, f.err
	}
	f.room -= len(b)
	return len(b), nil
}

func TestProgram_SaysWhatStdoutDidNotTake(t *testing.T) {
	env := func(string) string { return "" }
	for name, args := range map[string][]string{
		"text": {"version"}, "json": {"version", "--json"}, "the version": {"--version"},
		"help": {"--help"}, "completion": {"completion", "bash"}, "help of a command": {"help", "sync"},
	} {
		var err bytes.Buffer
		code := program(args, nil, &full{room: 5, err: syscall.ENOSPC}, &err, env)
		if code != exitError || !strings.Contains(err.String(), string(problem.FileNotWritten)) {
			t.Errorf("%s: exit %d, stderr %q", name, code, err.String())
		}
		err.Reset()
		code = program(args, nil, &full{room: 5, err: syscall.EPIPE}, &err, env)
		if code != exitDone || err.Len() > 0 {
			t.Errorf("%s into a closed pipe: exit %d, stderr %q", name, code, err.String())
		}
	}
}

func TestOutput_KeepsTheWorseError(t *testing.T) {
	lost := errors.New("disk full")
	guard := problem.New(problem.GuardCancels, nil)
	for name, c := range map[string]struct {
		lost, err error
		want      problem.Code
	}{
		"nothing went wrong":        {nil, nil, ""},
		"a dry run that was lost":   {lost, outcome(exitPending), problem.FileNotWritten},
		"the write that failed":     {lost, lost, problem.FileNotWritten},
		"the guard, and stdout too": {lost, guard, problem.GuardCancels},
	} {
		got := (&output{err: c.lost}).outcome(c.err)
		if p := problem.Of(got); (p == nil) != (c.want == "") || p != nil && p.Code != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	pipe := &output{err: syscall.EPIPE}
	if got := pipe.outcome(outcome(exitPending)); exitCode(got) != exitPending {
		t.Errorf("a closed pipe changed the outcome: %v", got)
	}
}
