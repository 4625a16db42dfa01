//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// sameOwner gives a file the mode of another and, where this account may, its
// owner; a file that another account reads goes on being readable by it.
func sameOwner(f *os.File, old fs.FileInfo) error {
	// A file that could not be given away must not become readable by the wrong
	// group: its mode is widened last.
	if was, ok := old.Sys().(*syscall.Stat_t); ok {
		if now, err := f.Stat(); err == nil {
			is, ok := now.Sys().(*syscall.Stat_t)
			if ok && (is.Uid != was.Uid || is.Gid != was.Gid) && f.Chown(int(was.Uid), int(was.Gid)) != nil {
				return nil
			}
		}
	}
	return f.Chmod(old.Mode().Perm())
}
