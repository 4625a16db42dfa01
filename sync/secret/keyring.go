package secret

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"filippo.io/age"
	"github.com/zalando/go-keyring"

	"github.com/hacsync/hacsync/sync/problem"
)

// keyringService is the name under which a keyring shows our key.
const keyringService = "hacsync"

// FromKeyring seals with an identity that the operating system's keyring keeps:
// one small key, because Windows stops at 2,560 bytes. The state keeps its
// public half, and the keyring's entry is named by that, so that a state that
// came from elsewhere is recognised and no entry is ever overwritten.
func FromKeyring(rows Rows) Sealer {
	k := &keyringKey{rows: rows, ring: osKeyring{}}
	return &sealer{kind: Keyring, name: "keyring", late: newLate(k.obtain)}
}

// ring is the part of a keyring that is used.
type ring interface {
	Get(service, user string) (string, error)
	Set(service, user, password string) error
	Delete(service, user string) error
}

type osKeyring struct{}

func (osKeyring) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (osKeyring) Set(service, user, pw string) error       { return keyring.Set(service, user, pw) }
func (osKeyring) Delete(service, user string) error        { return keyring.Delete(service, user) }

type keyringKey struct {
	rows Rows
	ring ring
}

func (k *keyringKey) obtain(ctx context.Context) (*key, error) {
	data, version, err := k.rows.Sealed(ctx, "", keyringRow)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		if data, err = k.create(ctx); err != nil {
			return nil, err
		}
	}
	row, err := readKeyRow(data)
	if err != nil {
		return nil, err
	}
	text, err := ask(ctx, func() (string, error) { return k.ring.Get(keyringService, row.Recipient) })
	if errors.Is(err, keyring.ErrNotFound) {
		return nil, problem.Wrap(err, problem.KeyringEmpty, nil)
	}
	if err != nil {
		return nil, keyringProblem(err)
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(text))
	if err != nil || id.Recipient().String() != row.Recipient {
		return nil, problem.New(problem.KeyringEmpty, nil)
	}
	return &key{recipient: id.Recipient(), identities: []age.Identity{id}}, nil
}

// create puts a new identity into the keyring and its public half into the
// state, and gives the state's row: another process's, if that was quicker. The
// keyring comes first, so that the state never names a key that does not exist.
func (k *keyringKey) create(ctx context.Context) ([]byte, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	user := id.Recipient().String()
	if _, err := ask(ctx, func() (string, error) {
		return "", k.ring.Set(keyringService, user, id.String())
	}); err != nil {
		return nil, keyringProblem(err)
	}
	data, err := json.Marshal(keyRow{Version: keyRowVersion, Recipient: user})
	if err != nil {
		return nil, err
	}
	err = k.rows.SaveSealed(ctx, "", keyringRow, data, 0)
	if errors.Is(err, ErrStale) {
		_, _ = ask(ctx, func() (string, error) { return "", k.ring.Delete(keyringService, user) })
		data, _, err = k.rows.Sealed(ctx, "", keyringRow)
	}
	return data, err
}

// ask calls the keyring, which may show a question and take no context.
func ask(ctx context.Context, call func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := call()
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// keyringProblem tells a keyring that is not there from one that does not give
// its key. The library wraps neither, so what the Secret Service and macOS say
// has to be recognised by their texts; unknown texts count as absent, and both
// have the same way on.
func keyringProblem(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := strings.ToLower(err.Error())
	for _, sign := range []string{"locked", "unlock", "dismissed", "cancel", "denied", "not allowed", "exit status 36", "exit status 51", "exit status 128"} {
		if strings.Contains(text, sign) {
			return problem.Wrap(err, problem.KeyringRefused, nil)
		}
	}
	return problem.Wrap(err, problem.KeyringAbsent, nil)
}
