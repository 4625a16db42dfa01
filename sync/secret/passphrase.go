package secret

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"filippo.io/age"

	"github.com/hacsync/hacsync/sync/problem"
)

// The rows of the state itself by which keys are recognised again.
const (
	passphraseRow = "key/passphrase"
	keyringRow    = "key/keyring"
)

// workFactor is age's own default for scrypt: about 0.7 s and 256 MiB. A process
// derives the key once.
const workFactor = 18

// FromPassphrase returns a Sealer with a passphrase. The passphrase itself seals
// one thing, a random identity that is a row of the state; all else is sealed to
// that identity, so that a process derives one key however much it opens. The row
// is made when something is first sealed or opened; of two processes that make it
// at once one wins, and the other uses the winner's.
func FromPassphrase(rows Rows, passphrase Text) Sealer {
	return passphraseSealer(&passphraseKey{rows: rows, passphrase: passphrase, work: workFactor, shortest: ShortestPassphrase})
}

// ShortestPassphrase is how many characters a new passphrase has at least: it alone
// stands between a copied state and a sign-in.
const ShortestPassphrase = 12

func passphraseSealer(p *passphraseKey) Sealer {
	return &sealer{kind: Passphrase, name: PassphraseVariable, late: newLate(p)}
}

type passphraseKey struct {
	rows       Rows
	passphrase Text
	work       int
	shortest   int // of a new passphrase
}

// keyRow is what the state keeps of a key. It has a version of its own, so that an
// older program reports that rather than "wrong passphrase".
type keyRow struct {
	Version int `json:"version"`
	// Recipient is the public half.
	Recipient string `json:"recipient"`
	// Others are the public halves of keys in keyrings of other machines and
	// accounts that use the same state, the latest first.
	Others []string `json:"others,omitempty"`
	// Identity is the secret half, sealed with the passphrase; for a keyring it is
	// empty, because the keyring has it.
	Identity []byte `json:"identity,omitempty"`
}

const keyRowVersion = 1

func readKeyRow(data []byte, kind Kind) (row keyRow, err error) {
	if err := decodeRow(data, keyRowVersion, &row, "", kind); err != nil {
		return keyRow{}, err
	}
	for _, public := range row.publics() {
		if !isPublic(public) {
			return keyRow{}, damaged(errors.New("no public half of a key"), "", kind)
		}
	}
	return row, nil
}

// find opens the row. A row that does not exist yet is ErrOtherKey.
func (p *passphraseKey) find(ctx context.Context) (*key, error) {
	data, version, err := p.rows.Sealed(ctx, "", passphraseRow)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return nil, fmt.Errorf("no row of a passphrase: %w", ErrOtherKey)
	}
	return p.open(data)
}

// ready tries the passphrase on the row. If there is none, it writes nothing: a
// passphrase that was typed for a sign-in that then failed would be the only valid
// one for ever.
func (p *passphraseKey) ready(ctx context.Context) error {
	if _, err := p.find(ctx); !errors.Is(err, ErrOtherKey) {
		return err
	}
	return p.longEnough()
}

// longEnough refuses a new passphrase that is easily guessed.
func (p *passphraseKey) longEnough() error {
	if utf8.RuneCountInString(p.passphrase.Reveal()) < p.shortest {
		return problem.New(problem.PassphraseShort, problem.Args{"n": strconv.Itoa(p.shortest)})
	}
	return nil
}

// make makes the row if there is none.
func (p *passphraseKey) make(ctx context.Context) (*key, error) {
	k, err := p.find(ctx)
	if !errors.Is(err, ErrOtherKey) {
		return k, err
	}
	if err := p.longEnough(); err != nil {
		return nil, err
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	data, err := p.seal(id)
	if err != nil {
		return nil, err
	}
	err = p.rows.SaveSealed(ctx, "", passphraseRow, data, 0)
	if errors.Is(err, ErrStale) {
		// Another process was quicker; its identity is used.
		return p.find(ctx)
	}
	if err != nil {
		return nil, err
	}
	return keyOf(id), nil
}

// seal seals a new identity with the passphrase.
func (p *passphraseKey) seal(id *age.X25519Identity) ([]byte, error) {
	r, err := age.NewScryptRecipient(p.passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	r.SetWorkFactor(p.work)
	sealed, err := (&key{recipient: r}).seal([]byte(id.String()))
	if err != nil {
		return nil, err
	}
	return encodeRow(keyRow{Version: keyRowVersion, Recipient: id.Recipient().String(), Identity: sealed})
}

// open opens the row's identity with the passphrase.
func (p *passphraseKey) open(data []byte) (*key, error) {
	row, err := readKeyRow(data, Passphrase)
	if err != nil {
		return nil, err
	}
	s, err := age.NewScryptIdentity(p.passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	text, err := (&key{identities: []age.Identity{s}}).open(row.Identity)
	if errors.Is(err, ErrOtherKey) {
		return nil, problem.New(problem.PassphraseWrong, nil)
	}
	if err != nil {
		return nil, damaged(err, "", Passphrase)
	}
	id, err := age.ParseX25519Identity(string(text))
	if err != nil || id.Recipient().String() != row.Recipient {
		return nil, damaged(errors.New("another identity than its public half"), "", Passphrase) // the error may quote it
	}
	return keyOf(id), nil
}
