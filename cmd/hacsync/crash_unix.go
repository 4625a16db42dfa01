//go:build unix

package main

import (
	"os/signal"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// crashLoudly keeps a panic that nobody recovers, in a goroutine of its own,
// from being taken for an outcome: Go would end the program with exit code 2,
// which means that changes are pending. It aborts instead, and leaves no core
// file, which could hold secrets.
//
// A limit of the size of files is an error of the write, with words, rather than a
// crash.
func crashLoudly() {
	signal.Ignore(unix.SIGXFSZ)
	if unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) == nil {
		debug.SetTraceback("crash")
	}
}
