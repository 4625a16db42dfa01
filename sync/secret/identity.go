package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"unicode/utf8"

	"filippo.io/age"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
)

// FromIdentityFile returns a Sealer with the age identity in a file, as age-keygen
// writes it. Of several identities, the first seals and all open. On Unix a file
// that others may read is refused.
func FromIdentityFile(path string) (Sealer, error) {
	args := problem.Args{"file": path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, problem.Wrap(err, problem.IdentityMissing, args)
	case err != nil:
		return nil, problem.Wrap(err, problem.IdentityUnreadable, args)
	case info.IsDir():
		args["why"] = "folder"
		return nil, problem.New(problem.IdentityInvalid, args)
	}
	// Windows has no such mode: there the folder protects the file.
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, problem.New(problem.IdentityExposed,
			problem.Args{"file": path, "mode": fmt.Sprintf("%04o", mode)})
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.IdentityUnreadable, args)
	}
	text, err := io.ReadAll(input.Reader(bytes.NewReader(raw)))
	if err != nil {
		return nil, problem.Wrap(err, problem.IdentityUnreadable, args)
	}
	k, err := parseIdentities(text)
	if err != nil {
		// The parser's errors quote the line, which is the secret.
		args["why"] = whyInvalid(text)
		return nil, problem.New(problem.IdentityInvalid, args)
	}
	where := path
	if absolute, err := filepath.Abs(path); err == nil {
		where = absolute
	}
	return &sealer{kind: Identity, name: path, where: where, late: newLate(atHand{k})}, nil
}

func parseIdentities(text []byte) (*key, error) {
	identities, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	k := &key{identities: identities}
	for _, id := range identities {
		r, ok := recipientOf(id).(fmt.Stringer)
		if !ok {
			return nil, errors.New("an identity of another kind")
		}
		k.publics = append(k.publics, r.String())
	}
	return k.with(k.publics[0])
}

// whyInvalid returns why a file holds no usable identity, as a word that the text
// of the problem knows.
func whyInvalid(text []byte) string {
	has := func(s string) bool { return bytes.Contains(text, []byte(s)) }
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return "empty"
	case has("age-encryption.org/v1"), has("BEGIN AGE ENCRYPTED FILE"):
		return "encrypted"
	case has("AGE-PLUGIN-"):
		return "plugin"
	case has("PRIVATE KEY"):
		return "other"
	case !utf8.Valid(text), bytes.IndexByte(text, 0) >= 0:
		return "encoding"
	case has("age1") && !has("AGE-SECRET-KEY-"):
		return "public"
	}
	return ""
}

// GenerateIdentity writes a new identity to a file that must not exist, with
// mode 0600. What was sealed with it is lost with the file.
func GenerateIdentity(path string) error {
	args := problem.Args{"file": path}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return problem.Wrap(err, problem.IdentityUnreadable, args)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return problem.Wrap(err, problem.IdentityExists, args)
	}
	if err != nil {
		return problem.Wrap(err, problem.IdentityUnreadable, args)
	}
	_, err = fmt.Fprintf(f, "# public key: %s\n%s\n", id.Recipient(), id)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		// Half a file would be refused as an identity for ever.
		_ = os.Remove(path)
		return problem.Wrap(err, problem.IdentityUnreadable, args)
	}
	return nil
}
