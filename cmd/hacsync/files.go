package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// writeFile writes a file that the user named with a flag. A file is written whole
// or not at all: a new one is readable by that user alone, an existing one keeps
// its mode and, if this account may set it, its owner. A link stays, and the file
// that it leads to is written. A pipe, a terminal or another character device is
// written to and not replaced. All else is refused.
func (a *app) writeFile(ctx context.Context, path string, write func(io.Writer) error) error {
	target, info, err := a.standing(path)
	if err != nil {
		return err
	}
	if info != nil && !info.Mode().IsRegular() {
		return a.writeThrough(ctx, path, write)
	}
	if info != nil && a.isStdout(info) {
		return write(a.out) // --out /dev/stdout with stdout in a file: if it were replaced, the file would lose all other output
	}
	if err := replaceFile(target, info, write); err != nil {
		return notWritten(path, err)
	}
	return nil
}

// standing finds what a path leads to: the path without links, and what exists
// there, nil for nothing. What cannot be written to is a problem.
func (a *app) standing(path string) (string, fs.FileInfo, error) {
	refuse := func(kind, target string) (string, fs.FileInfo, error) {
		return "", nil, problem.New(problem.FileNoTarget, problem.Args{"file": path, "kind": kind, "target": target})
	}
	link, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil, nil
	}
	if err != nil {
		return "", nil, notWritten(path, err)
	}
	isLink := link.Mode()&fs.ModeSymlink != 0
	info, err := os.Stat(path)
	switch {
	case isLink && errors.Is(err, fs.ErrNotExist):
		to, _ := os.Readlink(path)
		return refuse("nowhere", to)
	case isLink && errors.Is(err, syscall.ELOOP):
		return refuse("circle", "")
	case err != nil:
		return "", nil, notWritten(path, err)
	}
	mode := info.Mode()
	switch {
	case mode.IsDir():
		return refuse("folder", "")
	case mode&fs.ModeNamedPipe != 0, mode&fs.ModeCharDevice != 0:
		return path, info, nil
	case !mode.IsRegular():
		return refuse("other", "")
	}
	if !isLink {
		return path, info, nil
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", nil, notWritten(path, err)
	}
	return target, info, nil
}

// isStdout reports whether a file is the one that stdout goes to.
func (a *app) isStdout(info fs.FileInfo) bool {
	if a.stdout == nil {
		return false
	}
	out, err := a.stdout.Stat()
	return err == nil && os.SameFile(out, info)
}

// writeThrough writes into something that is not a regular file.
func (a *app) writeThrough(ctx context.Context, path string, write func(io.Writer) error) error {
	f, err := a.openThrough(ctx, path)
	if err != nil {
		return err
	}
	err = write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return notWritten(path, err)
	}
	return nil
}

// openThrough opens an existing pipe or device to append to. It waits until a pipe
// has a reader, and informs the user of that.
func (a *app) openThrough(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() { // nothing can interrupt it; the program ends then
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		done <- opened{f, err}
	}()
	notice := time.AfterFunc(slow, func() { a.tell(a.text("waiting.pipe", problem.Args{"file": path})) })
	defer notice.Stop()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case o := <-done:
		if o.err != nil {
			return nil, notWritten(path, o.err)
		}
		return o.f, nil
	}
}

// replaceFile writes a new file in the same folder and renames it, so that a reader
// finds all of the old or all of the new. old is nil if the file does not exist.
func replaceFile(path string, old fs.FileInfo, write func(io.Writer) error) (err error) {
	if old != nil { // what its owner made read-only is not replaced
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".hacsync-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if old != nil {
		if err := sameOwner(f, old); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	err = os.Rename(f.Name(), path)
	if old != nil && errors.Is(err, syscall.EBUSY) {
		// A single file that a container mounts cannot be replaced.
		if err = copyInto(path, f.Name()); err == nil {
			_ = os.Remove(f.Name())
		}
	}
	return err
}

// copyInto writes a finished file over another.
func copyInto(path, from string) error {
	whole, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, bytes.NewReader(whole))
	return errors.Join(err, f.Sync(), f.Close())
}

// slow is how long another program may take to answer before the user is informed
// of the wait.
const slow = 2 * time.Second
