package secret

import (
	"context"
	"errors"
	"os"
	"os/user"
	"slices"
	"strings"

	"filippo.io/age"
	"github.com/zalando/go-keyring"

	"github.com/hacsync/hacsync/sync/problem"
)

// keyringService is the name of our keys in a keyring.
const keyringService = "hacsync"

// FromKeyring returns a Sealer with an identity in the operating system's keyring:
// one small key, because Windows allows at most 2,560 bytes. The state keeps its
// public half, and the keyring's entry is named by that, so that a state from
// another machine is recognised and no entry is ever overwritten. Machines that
// share a state have a key each.
func FromKeyring(rows Rows) Sealer { return fromRing(rows, osKeyring{}) }

func fromRing(rows Rows, r ring) *sealer {
	return &sealer{
		kind: Keyring, name: "keyring", where: thisKeyring(),
		late: newLate(&keyringKey{rows: rows, ring: &asked{ring: r}}),
	}
}

// thisKeyring names account and machine, for users who look for a key later.
func thisKeyring() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	if u, err := user.Current(); err == nil {
		return u.Username + "@" + host
	}
	return host
}

// ring is the part of a keyring that is used here.
type ring interface {
	Get(service, user string) (string, error)
	Set(service, user, password string) error
	Delete(service, user string) error
}

type osKeyring struct{}

func (osKeyring) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (osKeyring) Set(service, user, pw string) error       { return keyring.Set(service, user, pw) }
func (osKeyring) Delete(service, user string) error        { return keyring.Delete(service, user) }

// keyringKey is the origin of a key in the keyring: of the one that a mark names,
// or else of any of the state's keys that this keyring has.
type keyringKey struct {
	rows Rows
	ring *asked
	only *Mark
}

// of returns the origin of the one key that a mark names.
func (k *keyringKey) of(m Mark) *keyringKey { return &keyringKey{rows: k.rows, ring: k.ring, only: &m} }

// find looks in the keyring. A key that the state names and the keyring lacks is a
// problem.
func (k *keyringKey) find(ctx context.Context) (*key, error) {
	if k.only != nil {
		return k.one(ctx, []string{k.only.Key}, k.only.Where)
	}
	row, version, err := k.row(ctx)
	if err != nil {
		return nil, err
	}
	return k.named(ctx, row, version)
}

// named returns the key of a row in this keyring.
func (k *keyringKey) named(ctx context.Context, row keyRow, version int64) (*key, error) {
	if version == 0 {
		return nil, ErrOtherKey
	}
	return k.one(ctx, row.publics(), "")
}

// one returns the first of the keys that is in the keyring.
func (k *keyringKey) one(ctx context.Context, publics []string, where string) (*key, error) {
	for _, public := range publics {
		text, err := k.ring.ask(ctx, func(r ring) (string, error) { return r.Get(keyringService, public) })
		if errors.Is(err, keyring.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, keyringProblem(err)
		}
		id, err := age.ParseX25519Identity(strings.TrimSpace(text))
		if err == nil && id.Recipient().String() == public {
			return keyOf(id), nil
		}
	}
	return nil, problem.New(problem.KeyringEmpty, problem.Args{"where": where})
}

// ready makes the key, so that a keyring that stores nothing is found before a user
// signs in.
func (k *keyringKey) ready(ctx context.Context) error {
	_, err := k.make(ctx)
	return err
}

// answers reports whether the keyring can be asked. It creates nothing.
func (k *keyringKey) answers(ctx context.Context) error {
	_, err := k.ring.ask(ctx, func(r ring) (string, error) { return r.Get(keyringService, "-") })
	if err == nil || errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return keyringProblem(err)
}

// make makes a key if this keyring has none of the state's. It puts a new identity
// into the keyring and its public half into the state. The keyring comes first, and
// is read back, so that the state never names a key that does not exist. Of two
// processes that make one at once, the later uses the other's.
func (k *keyringKey) make(ctx context.Context) (*key, error) {
	if k.only != nil {
		return k.find(ctx)
	}
	for range storeTries {
		// One reading is both searched and written over: between two of them another
		// process can name its key, and this one would add a second.
		row, version, err := k.row(ctx)
		if err != nil {
			return nil, err
		}
		found, err := k.named(ctx, row, version)
		if err == nil || !errors.Is(err, ErrOtherKey) && !problem.Has(err, problem.KeyringEmpty) {
			return found, err
		}
		made, err := k.add(ctx)
		if err != nil {
			return nil, err
		}
		data, err := encodeRow(keyRow{Version: keyRowVersion, Recipient: made.public, Others: row.publics()})
		if err != nil {
			return nil, err
		}
		err = k.rows.SaveSealed(ctx, "", keyringRow, data, version)
		if err == nil {
			return made, nil
		}
		_ = k.remove(ctx, made.public)
		if !errors.Is(err, ErrStale) {
			return nil, err
		}
	}
	return nil, problem.New(problem.SealedContended, problem.Args{"what": keyringService})
}

// add puts a new identity into the keyring.
func (k *keyringKey) add(ctx context.Context) (*key, error) {
	// Whether it answers distinguishes a missing keyring from one that stores
	// nothing.
	if err := k.answers(ctx); err != nil {
		return nil, err
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	public := id.Recipient().String()
	_, err = k.ring.ask(ctx, func(r ring) (string, error) { return "", r.Set(keyringService, public, id.String()) })
	if err != nil {
		known := keyringProblem(err)
		if problem.Has(known, problem.KeyringAbsent) {
			return nil, problem.Wrap(err, problem.KeyringKeepsNothing, problem.Args{"why": err.Error()})
		}
		return nil, known
	}
	// The library reports it as stored even if the user dismissed the question.
	made, err := k.one(ctx, []string{public}, "")
	if problem.Has(err, problem.KeyringEmpty) {
		return nil, problem.New(problem.KeyringKeepsNothing, problem.Args{"why": ""})
	}
	return made, err
}

// remove deletes a key from the keyring. A missing one is no error.
func (k *keyringKey) remove(ctx context.Context, public string) error {
	_, err := k.ring.ask(ctx, func(r ring) (string, error) { return "", r.Delete(keyringService, public) })
	if err == nil || errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return keyringProblem(err)
}

// row reads what the state knows of keys in keyrings.
func (k *keyringKey) row(ctx context.Context) (row keyRow, version int64, err error) {
	data, version, err := k.rows.Sealed(ctx, "", keyringRow)
	if err != nil || version == 0 {
		return row, 0, err
	}
	row, err = readKeyRow(data, Keyring)
	return row, version, err
}

// publics returns the public halves that a row of the keyring names.
func (r keyRow) publics() []string {
	if r.Recipient == "" {
		return nil
	}
	return append([]string{r.Recipient}, r.Others...)
}

// without returns the row without one of its keys.
func (r keyRow) without(public string) keyRow {
	left := slices.DeleteFunc(r.publics(), func(p string) bool { return p == public })
	r.Recipient, r.Others = "", nil
	if len(left) > 0 {
		r.Recipient, r.Others = left[0], left[1:]
	}
	return r
}

// keyringProblem distinguishes a keyring that does not exist from one that does not
// give its key. The library wraps neither, so the errors of the Secret Service and
// macOS have to be recognised by their texts; unknown texts count as a missing
// keyring, and both problems have the same remedy.
func keyringProblem(err error) error {
	if problem.Of(err) != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := strings.ToLower(err.Error())
	for _, sign := range []string{"locked", "unlock", "dismissed", "cancel", "denied", "not allowed", "exit status 36", "exit status 51", "exit status 128"} {
		if strings.Contains(text, sign) {
			return problem.Wrap(err, problem.KeyringRefused, nil)
		}
	}
	return problem.Wrap(err, problem.KeyringAbsent, problem.Args{"why": whyAbsent(text)})
}

// The reasons why no keyring answers, as the text of the problem distinguishes
// them.
const (
	noBus     = "bus"     // no D-Bus session
	noService = "service" // no secret service on it
	otherwise = "other"
)

func whyAbsent(text string) string {
	for _, sign := range []string{"org.freedesktop.secrets", "serviceunknown", "secret.service"} {
		if strings.Contains(text, sign) {
			return noService
		}
	}
	for _, sign := range []string{"dbus", "dial unix", "session bus", "connection closed", "broken pipe"} {
		if strings.Contains(text, sign) {
			return noBus
		}
	}
	return otherwise
}
