//go:build unix

package main

import (
	"os/signal"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// crashLoudly prevents that an unrecovered panic, in a goroutine of its own, is
// mistaken for an outcome: Go would end the program with exit code 2, which means
// that changes are pending. It aborts instead, and leaves no core file, which could
// hold secrets.
//
// A write beyond a limit of the size of files returns an error, with words, instead
// of a crash.
func crashLoudly() {
	signal.Ignore(unix.SIGXFSZ)
	if unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) == nil {
		debug.SetTraceback("crash")
	}
}
