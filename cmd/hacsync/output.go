package main

import (
	"errors"
	"io"
	"runtime"
	"syscall"
)

// output is stdout. It keeps the first error of a write, and writes no more after
// it: most code that prints checks no error, and finish reports it.
type output struct {
	to  io.Writer
	err error
}

// Write writes unless a write has failed before.
func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	o.err = err
	return n, err
}

// closed reports whether the reader of stdout has ended, as head does: that is no
// error. On Unix the signal ends the program before.
func (o *output) closed() bool {
	var no syscall.Errno
	const brokenPipe, noData = 109, 232
	return errors.Is(o.err, syscall.EPIPE) ||
		runtime.GOOS == "windows" && errors.As(o.err, &no) && (no == brokenPipe || no == noData)
}

// outcome returns the error of the program: that of stdout if it could not be
// written, unless err is more serious.
func (o *output) outcome(err error) error {
	known := err != nil && !errors.As(err, new(outcome)) && !errors.Is(err, o.err)
	switch {
	case o.err == nil, known:
		return err
	case !o.closed():
		return notWritten("stdout", o.err)
	case errors.Is(err, o.err):
		return nil
	}
	return err
}
