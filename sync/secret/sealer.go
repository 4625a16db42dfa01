package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Sealer seals small data, such as a token cache, so that only a process with the
// same key can open it. It is safe for concurrent use.
type Sealer interface {
	// Kind is where the key comes from.
	Kind() Kind
	// Name is the key's name for users: the identity file, the variable, the
	// keyring.
	Name() string
	// Ready checks whether something new can be sealed. It may make a key in the
	// keyring, and ask for a passphrase; it stores nothing of either in the state.
	Ready(ctx context.Context) error
	// Mark returns the key that Seal seals under. It makes one if there is none
	// yet.
	Mark(ctx context.Context) (Mark, error)
	// Seal encrypts plain.
	Seal(ctx context.Context, plain []byte) ([]byte, error)
	// Open decrypts what Seal returned. For data that another key sealed it returns
	// ErrOtherKey; data that was changed since may look like that, or is a problem
	// of its own. Obtaining the key may fail with a problem. Open makes no key.
	Open(ctx context.Context, sealed []byte) ([]byte, error)
	// With returns the sealer for the key that a mark names, or ErrOtherKey if this
	// is another key.
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

// ErrOtherKey reports that something was not sealed with this key.
var ErrOtherKey = errors.New("not sealed with this key")

// Mark identifies a key without revealing it: what the state knows of the key of a
// connection's sealed rows. The zero Mark is unknown.
type Mark struct {
	Kind Kind `json:"kind"`
	// Key is the public half of the key, as age-keygen -y prints it.
	Key string `json:"key"`
	// Where it was at that time: the path of the identity file, or the account
	// and machine whose keyring it is.
	Where string `json:"where,omitempty"`
}

// Rows are the sealed rows of a state. Rows with an empty connection belong to the
// state itself. A version of 0 is a missing row; no two rows ever have the same
// version, even one after the other. SaveSealed and RemoveSealed return ErrStale
// when the version is not that of the row any more.
type Rows interface {
	Sealed(ctx context.Context, connection, name string) (sealed []byte, version int64, err error)
	SaveSealed(ctx context.Context, connection, name string, sealed []byte, version int64) error
	RemoveSealed(ctx context.Context, connection, name string, version int64) error
	// SealedNames returns the names of all rows.
	SealedNames(ctx context.Context) ([]RowName, error)
}

// RowName identifies a sealed row.
type RowName struct{ Connection, Name string }

// key is an age key in memory.
type key struct {
	recipient  age.Recipient
	public     string // of the recipient
	identities []age.Identity
	publics    []string // of the identities
}

// keyOf returns the key of one identity.
func keyOf(id *age.X25519Identity) *key {
	public := id.Recipient().String()
	return &key{recipient: id.Recipient(), public: public, identities: []age.Identity{id}, publics: []string{public}}
}

// with returns the key that seals under the one of its identities that a mark
// names.
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

// recipientOf returns the public half of an identity; nil for a kind that is not
// used.
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

// origin is where a key comes from. find returns the key if it exists already, else
// an error that is ErrOtherKey; then make makes it.
type origin interface {
	find(ctx context.Context) (*key, error)
	make(ctx context.Context) (*key, error)
	ready(ctx context.Context) error
}

// late is a key that is obtained when it is first needed, once per process.
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

// sealer is a Sealer over one key, in memory or late.
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

// atHand is the origin of a key in memory.
type atHand struct{ key *key }

func (a atHand) find(context.Context) (*key, error) { return a.key, nil }
func (a atHand) make(context.Context) (*key, error) { return a.key, nil }
func (a atHand) ready(context.Context) error        { return nil }
