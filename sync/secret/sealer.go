package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/hacsync/hacsync/sync/problem"
)

// Sealer seals small things, such as a token cache, for whoever has the same
// key. It is safe for concurrent use.
type Sealer interface {
	// Seal encrypts plain.
	Seal(ctx context.Context, plain []byte) ([]byte, error)
	// Open decrypts what Seal gave. What another key sealed, or what was
	// changed, is ErrOtherKey; getting at the key may fail with a problem.
	Open(ctx context.Context, sealed []byte) ([]byte, error)
	// Kind is where the key comes from.
	Kind() Kind
	// Name names the key for people: the identity file, the variable, the
	// keyring.
	Name() string
}

// Kind is where a key comes from.
type Kind string

// The kinds, in the order in which Choose looks for them.
const (
	Identity   Kind = "identity"
	Passphrase Kind = "passphrase"
	Keyring    Kind = "keyring"
)

// PassphraseVariable is the environment variable that holds a passphrase.
const PassphraseVariable = "HACSYNC_PASSPHRASE"

// ErrOtherKey says that something was not sealed with this key, or was changed
// since.
var ErrOtherKey = errors.New("not sealed with this key")

// Rows are the sealed rows of a state. Rows of no connection (an empty name)
// belong to the state itself. A version of 0 is a row that is not there;
// SaveSealed gives ErrStale when the version is not that of the row any more.
type Rows interface {
	Sealed(ctx context.Context, connection, name string) (sealed []byte, version int64, err error)
	SaveSealed(ctx context.Context, connection, name string, sealed []byte, version int64) error
}

// Options say which key to use.
type Options struct {
	// Identity is the path of an age identity file; empty for none.
	Identity string
	// Passphrase is HACSYNC_PASSPHRASE; empty for none.
	Passphrase Text
	// Rows hold what passphrase and keyring need to be recognised again.
	Rows Rows
}

// Choose picks the key: the identity file where one is named, else the
// passphrase, else the keyring. A file is read at once; deriving a key from a
// passphrase and asking the keyring wait until something is sealed or opened.
func Choose(_ context.Context, o Options) (Sealer, error) {
	switch {
	case o.Identity != "":
		return FromIdentityFile(o.Identity)
	case !o.Passphrase.Empty():
		return FromPassphrase(o.Rows, o.Passphrase), nil
	}
	return FromKeyring(o.Rows), nil
}

// key is an age key at hand.
type key struct {
	recipient  age.Recipient
	identities []age.Identity
}

func (k key) seal(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, k.recipient)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return b.Bytes(), nil
}

// open decrypts. Whatever is wrong with sealed, it is not what this key sealed.
func (k key) open(sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), k.identities...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOtherKey, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOtherKey, err)
	}
	return plain, nil
}

// late is a key that is obtained when it is first needed, once a process.
type late struct {
	// turn lets one goroutine obtain it; a channel, so that a context can end
	// the wait.
	turn   chan struct{}
	key    *key
	obtain func(context.Context) (*key, error)
}

func newLate(obtain func(context.Context) (*key, error)) *late {
	return &late{turn: make(chan struct{}, 1), obtain: obtain}
}

func (l *late) get(ctx context.Context) (*key, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if l.key == nil {
		// A failure is not kept: the keyring may be unlocked the next time.
		k, err := l.obtain(ctx)
		if err != nil {
			return nil, err
		}
		l.key = k
	}
	return l.key, nil
}

// sealer is a Sealer over a key, at hand or late.
type sealer struct {
	kind Kind
	name string
	late *late
}

func (s *sealer) Kind() Kind   { return s.kind }
func (s *sealer) Name() string { return s.name }

func (s *sealer) Seal(ctx context.Context, plain []byte) ([]byte, error) {
	k, err := s.late.get(ctx)
	if err != nil {
		return nil, err
	}
	return k.seal(plain)
}

func (s *sealer) Open(ctx context.Context, sealed []byte) ([]byte, error) {
	k, err := s.late.get(ctx)
	if err != nil {
		return nil, err
	}
	return k.open(sealed)
}

// elsewhere is the problem of a row that cannot be opened.
func elsewhere(err error, what, key string) error {
	return problem.Wrap(err, problem.SealedElsewhere, problem.Args{"what": what, "key": key})
}
