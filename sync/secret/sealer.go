package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Sealer seals small things, such as a token cache, for whoever has the same
// key. It is safe for concurrent use.
type Sealer interface {
	// Kind is where the key comes from.
	Kind() Kind
	// Name names the key for people: the identity file, the variable, the
	// keyring.
	Name() string
	// Ready finds out whether something new can be sealed. It may make a key in
	// the keyring, and ask for a passphrase; it keeps nothing of either in the
	// state.
	Ready(ctx context.Context) error
	// Mark names the key that Seal seals under. It makes one where there is none
	// yet.
	Mark(ctx context.Context) (Mark, error)
	// Seal encrypts plain.
	Seal(ctx context.Context, plain []byte) ([]byte, error)
	// Open decrypts what Seal gave. What another key sealed is ErrOtherKey; what
	// was changed since may be taken for that, or is a problem that says so.
	// Getting at the key may fail with a problem. It makes no key.
	Open(ctx context.Context, sealed []byte) ([]byte, error)
	// With gives the sealer for the very key that a mark names, ErrOtherKey where
	// this is another.
	With(ctx context.Context, m Mark) (Sealer, error)
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

// ErrOtherKey says that something was not sealed with this key.
var ErrOtherKey = errors.New("not sealed with this key")

// Mark names a key without being one: what the state knows of the key of a
// connection's sealed rows. The zero Mark is unknown.
type Mark struct {
	Kind Kind `json:"kind"`
	// Key is the public half of the key, as age-keygen -y prints it.
	Key string `json:"key"`
	// Where it was at that time: the path of the identity file, or the account
	// and machine whose keyring it is.
	Where string `json:"where,omitempty"`
}

// Rows are the sealed rows of a state. Rows of no connection (an empty name)
// belong to the state itself. A version of 0 is a row that is not there; no two
// rows ever have the same version, even one after the other. SaveSealed and
// RemoveSealed give ErrStale when the version is not that of the row any more.
type Rows interface {
	Sealed(ctx context.Context, connection, name string) (sealed []byte, version int64, err error)
	SaveSealed(ctx context.Context, connection, name string, sealed []byte, version int64) error
	RemoveSealed(ctx context.Context, connection, name string, version int64) error
	// SealedNames lists every row that there is.
	SealedNames(ctx context.Context) ([]RowName, error)
}

// RowName is where a sealed row stands.
type RowName struct{ Connection, Name string }

// key is an age key at hand.
type key struct {
	recipient  age.Recipient
	public     string // of the recipient
	identities []age.Identity
	publics    []string // of the identities
}

// keyOf is a key of one identity.
func keyOf(id *age.X25519Identity) *key {
	public := id.Recipient().String()
	return &key{recipient: id.Recipient(), public: public, identities: []age.Identity{id}, publics: []string{public}}
}

// with is the key that seals under the one of its identities that a mark names.
func (k *key) with(public string) (*key, error) {
	for i, p := range k.publics {
		if p != public {
			continue
		}
		other := *k
		other.public, other.recipient = p, recipientOf(k.identities[i])
		return &other, nil
	}
	return nil, ErrOtherKey
}

// recipientOf is the public half of an identity; nil for a kind that is not used.
func recipientOf(id age.Identity) age.Recipient {
	switch id := id.(type) {
	case *age.X25519Identity:
		return id.Recipient()
	case *age.HybridIdentity:
		return id.Recipient()
	}
	return nil
}

func (k *key) seal(plain []byte) ([]byte, error) {
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

// open decrypts what this key sealed.
func (k *key) open(sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), k.identities...)
	if err != nil {
		return nil, unopened(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, unopened(err)
	}
	return plain, nil
}

// origin is where a key comes from. find gives it where it exists already, an
// error that is ErrOtherKey where it does not; make makes it then.
type origin interface {
	find(ctx context.Context) (*key, error)
	make(ctx context.Context) (*key, error)
	ready(ctx context.Context) error
}

// late is a key that is obtained when it is first needed, once a process.
type late struct {
	// turn lets one goroutine obtain it; a channel, so that a context can end
	// the wait.
	turn chan struct{}
	key  *key
	from origin
}

func newLate(from origin) *late { return &late{turn: make(chan struct{}, 1), from: from} }

func (l *late) get(ctx context.Context, obtain func(context.Context) (*key, error)) (*key, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if l.key == nil {
		// A failure is not kept: the keyring may be unlocked the next time.
		k, err := obtain(ctx)
		if err != nil {
			return nil, err
		}
		l.key = k
	}
	return l.key, nil
}

// sealer is a Sealer over one key, at hand or late.
type sealer struct {
	kind  Kind
	name  string
	where string
	late  *late
}

func (s *sealer) Kind() Kind   { return s.kind }
func (s *sealer) Name() string { return s.name }

func (s *sealer) Ready(ctx context.Context) error { return s.late.from.ready(ctx) }

func (s *sealer) Mark(ctx context.Context) (Mark, error) {
	k, err := s.late.get(ctx, s.late.from.make)
	if err != nil {
		return Mark{}, err
	}
	return Mark{Kind: s.kind, Key: k.public, Where: s.where}, nil
}

func (s *sealer) Seal(ctx context.Context, plain []byte) ([]byte, error) {
	k, err := s.late.get(ctx, s.late.from.make)
	if err != nil {
		return nil, err
	}
	return k.seal(plain)
}

func (s *sealer) Open(ctx context.Context, sealed []byte) ([]byte, error) {
	k, err := s.late.get(ctx, s.late.from.find)
	if err != nil {
		return nil, err
	}
	return k.open(sealed)
}

func (s *sealer) With(ctx context.Context, m Mark) (Sealer, error) {
	// An identity file may hold what was once another kind's key.
	if s.kind != Identity && s.kind != m.Kind {
		return nil, ErrOtherKey
	}
	from := s.late.from
	if ring, ok := from.(*keyringKey); ok {
		from = ring.of(m)
	} else {
		k, err := s.late.get(ctx, from.find)
		if err != nil {
			return nil, err
		}
		if k, err = k.with(m.Key); err != nil {
			return nil, err
		}
		from = atHand{k}
	}
	return &sealer{kind: s.kind, name: s.name, where: m.Where, late: newLate(from)}, nil
}

// atHand is the origin of a key that is there.
type atHand struct{ key *key }

func (a atHand) find(context.Context) (*key, error) { return a.key, nil }
func (a atHand) make(context.Context) (*key, error) { return a.key, nil }
func (a atHand) ready(context.Context) error        { return nil }
