package state

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile is a file that a process holds locked for as long as it lives and has
// the claim: the operating system frees the lock when the process dies, and not
// while it is only frozen. The file holds a random text, the proof, made once: only
// a process that locks the very file that a holder named has proven the holder's
// death.
type lockFile struct {
	f     *os.File
	proof string
}

var errLocked = errors.New("locked by another")

func (s *Store) lockPath(name string) string {
	sum := sha256.Sum256([]byte(s.where.shown + "\n" + name))
	return filepath.Join(s.lockDir, hex.EncodeToString(sum[:12])+".lock")
}

// lock locks the file of a claim. It returns nil if another process has the lock,
// or if this machine has no place for the file.
func (s *Store) lock(name string) (*lockFile, error) {
	if s.lockDir == "" {
		return nil, nil
	}
	path := s.lockPath(name)
	l, err := openLock(path, os.O_RDWR|os.O_CREATE, true)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, errLocked):
		return nil, nil
	case s.dialect.sqlite && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.ENOLCK):
		return nil, err
	}
	// A file system without locks, or no cache directory: only the beats decide.
	s.log.Debug("no lock file", "path", path, "err", err)
	return nil, nil
}

// unlocked reports whether the lock of a claim with this proof is free. It asks for
// a shared lock, so that several may test at once.
func (s *Store) unlocked(name, proof string) bool {
	if s.lockDir == "" {
		return false
	}
	l, err := openLock(s.lockPath(name), os.O_RDWR, false)
	if err != nil {
		return false
	}
	defer l.unlock()
	return l.proof == proof
}

func openLock(path string, flags int, exclusive bool) (*lockFile, error) {
	if flags&os.O_CREATE != 0 {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	l := &lockFile{f: f}
	if err := lockNow(f, exclusive); err != nil {
		_ = f.Close()
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, 128))
	if err == nil && len(text) == 0 && exclusive {
		text = []byte(rand.Text())
		_, err = f.WriteAt(text, 0)
	}
	if err != nil {
		l.unlock()
		return nil, err
	}
	l.proof = string(text)
	return l, nil
}

// unlock frees the lock. The file stays, because removing it would let two
// processes lock two files of one name.
func (l *lockFile) unlock() {
	if l != nil {
		_ = l.f.Close()
	}
}
