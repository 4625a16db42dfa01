//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// sameOwner gives a file the mode of another and, if this account may set it, its
// owner; so an account that reads the old file can still read the new one.
func sameOwner(f *os.File, old fs.FileInfo) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	was, ok := old.Sys().(*syscall.Stat_t)
	is, same := now.Sys().(*syscall.Stat_t)
	if ok && same && (is.Uid != was.Uid || is.Gid != was.Gid) {
		if f.Chown(int(was.Uid), int(was.Gid)) != nil {
			return nil //nolint:nilerr // it stays unreadable for others: its mode may be meant for another group
		}
	}
	return f.Chmod(old.Mode().Perm())
}
