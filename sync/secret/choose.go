package secret

import (
	"context"
	"errors"
	"sync"

	"github.com/hacsync/hacsync/sync/problem"
)

// Options decide which key is used.
type Options struct {
	// Identity is the path of an age identity file; empty for none.
	Identity string
	// Passphrase is HACSYNC_PASSPHRASE; empty for none.
	Passphrase Text
	// Rows hold the data by which passphrase and keyring are recognised again.
	Rows Rows
	// Ask asks the user for the passphrase, if neither a file nor the variable
	// names a key and the keyring is not to be used; nil if no user can be asked.
	Ask func(context.Context, Question) (Text, error)
}

// Question is what a user who is asked for the passphrase has to know.
type Question struct {
	// First: nothing is sealed with a passphrase yet, so this one will be it.
	First bool
	// Wrong: the passphrase that was just typed is wrong.
	Wrong bool
}

// Choose picks the key: the identity file if one is named, else the passphrase of
// the variable, else the keyring. If the keyring does not answer, or if something
// is sealed with a passphrase already, it is a passphrase that the user types (see
// Options.Ask and Unlock). A file is read at once; deriving a key from a passphrase
// and asking the keyring wait until something is sealed or opened.
func Choose(ctx context.Context, o Options) (Sealer, error) {
	switch {
	case o.Identity != "":
		return FromIdentityFile(o.Identity)
	case !o.Passphrase.Empty():
		return FromPassphrase(o.Rows, o.Passphrase), nil
	}
	return choose(ctx, o, fromRing(o.Rows, osKeyring{}), workFactor)
}

func choose(ctx context.Context, o Options, ring *sealer, work int) (*preset, error) {
	p := &preset{ring: ring, typed: &typed{rows: o.Rows, ask: o.Ask, work: work}}
	p.pass = &sealer{kind: Passphrase, name: "passphrase", late: newLate(p.typed)}
	_, withPassphrase, err := o.Rows.Sealed(ctx, "", passphraseRow)
	if err != nil {
		return nil, err
	}
	_, withKeyring, err := o.Rows.Sealed(ctx, "", keyringRow)
	if err != nil {
		return nil, err
	}
	p.habit = withPassphrase != 0 && withKeyring == 0
	p.sealed = withPassphrase != 0
	return p, nil
}

// preset is the sealer if no key was named: the keyring, or a passphrase that the
// user types. What is sealed already determines which of the two.
type preset struct {
	ring  *sealer
	pass  *sealer
	typed *typed
	// habit: the state was sealed with a passphrase before, and never with a
	// keyring. sealed: something is sealed with a passphrase.
	habit, sealed bool

	mu     sync.Mutex
	chosen Sealer
}

// choice returns the sealer for something new.
func (p *preset) choice(ctx context.Context) (Sealer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.chosen != nil {
		return p.chosen, nil
	}
	var use Sealer = p.ring
	if p.habit {
		use = p.pass
	} else if err := p.ring.Ready(ctx); err != nil {
		if problem.Of(err) == nil || !p.typed.can() {
			return nil, err
		}
		use = p.pass
	}
	p.chosen = use
	return use, nil
}

func (p *preset) likely() Sealer {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.chosen != nil:
		return p.chosen
	case p.habit:
		return p.pass
	}
	return p.ring
}

func (p *preset) Kind() Kind   { return p.likely().Kind() }
func (p *preset) Name() string { return p.likely().Name() }

func (p *preset) Ready(ctx context.Context) error {
	s, err := p.choice(ctx)
	if err != nil {
		return err
	}
	return s.Ready(ctx)
}

func (p *preset) Mark(ctx context.Context) (Mark, error) {
	s, err := p.choice(ctx)
	if err != nil {
		return Mark{}, err
	}
	return s.Mark(ctx)
}

func (p *preset) Seal(ctx context.Context, plain []byte) ([]byte, error) {
	s, err := p.choice(ctx)
	if err != nil {
		return nil, err
	}
	return s.Seal(ctx, plain)
}

func (p *preset) Open(ctx context.Context, sealed []byte) ([]byte, error) {
	return p.likely().Open(ctx, sealed)
}

func (p *preset) With(ctx context.Context, m Mark) (Sealer, error) {
	switch m.Kind {
	case Keyring:
		return p.ring.With(ctx, m)
	case Passphrase:
		return p.pass.With(ctx, m)
	case Identity:
	}
	return nil, ErrOtherKey
}

// NeedsPassphrase reports whether a user has to type a passphrase: something is
// sealed with one, or there is no other way to seal. first: nothing is sealed with
// one yet, so that it should be typed twice.
func NeedsPassphrase(ctx context.Context, s Sealer) (need, first bool) {
	p, ok := s.(*preset)
	if !ok || p.typed.given() {
		return false, false
	}
	if p.sealed {
		return true, false
	}
	k, ok := p.ring.late.from.(*keyringKey)
	return ok && k.answers(ctx) != nil, true
}

// WhyNoKeyring returns why the keyring of this machine cannot be used; nil if it
// answers, or if another key was named.
func WhyNoKeyring(ctx context.Context, s Sealer) error {
	p, ok := s.(*preset)
	if !ok {
		return nil
	}
	k, ok := p.ring.late.from.(*keyringKey)
	if !ok {
		return nil
	}
	return k.answers(ctx)
}

// Unlock takes the passphrase that the user typed. One that does not open what is
// sealed is a problem; one for a state without sealed data is kept until something
// is sealed.
func Unlock(ctx context.Context, s Sealer, passphrase Text) error {
	p, ok := s.(*preset)
	if !ok {
		return nil
	}
	if passphrase.Empty() {
		return problem.New(problem.PassphraseEmpty, nil)
	}
	return p.typed.unlock(ctx, passphrase)
}

// typed is the origin of a key under a passphrase that the user types.
type typed struct {
	rows Rows
	ask  func(context.Context, Question) (Text, error)
	work int

	mu         sync.Mutex
	passphrase Text
}

func (t *typed) get() Text {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.passphrase
}

func (t *typed) set(p Text) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passphrase = p
}

func (t *typed) given() bool { return !t.get().Empty() }
func (t *typed) can() bool   { return t.given() || t.ask != nil }

func (t *typed) key(p Text) *passphraseKey {
	return &passphraseKey{rows: t.rows, passphrase: p, work: t.work}
}

func (t *typed) unlock(ctx context.Context, p Text) error {
	if _, err := t.key(p).find(ctx); err != nil && !errors.Is(err, ErrOtherKey) {
		return err
	}
	t.set(p)
	return nil
}

// askTries is how often the user may type a wrong passphrase.
const askTries = 3

// obtained asks for the passphrase if it is not known yet.
func (t *typed) obtained(ctx context.Context) error {
	if t.given() {
		return nil
	}
	if t.ask == nil {
		return problem.New(problem.PassphraseNeeded, nil)
	}
	_, version, err := t.rows.Sealed(ctx, "", passphraseRow)
	if err != nil {
		return err
	}
	q := Question{First: version == 0}
	for range askTries {
		var p Text
		if p, err = t.ask(ctx, q); err != nil {
			return err
		}
		if p.Empty() {
			return problem.New(problem.PassphraseEmpty, nil)
		}
		if err = t.unlock(ctx, p); !problem.Has(err, problem.PassphraseWrong) {
			return err
		}
		q.Wrong = true
	}
	return err
}

func (t *typed) find(ctx context.Context) (*key, error) {
	if err := t.obtained(ctx); err != nil {
		return nil, err
	}
	return t.key(t.get()).find(ctx)
}

func (t *typed) make(ctx context.Context) (*key, error) {
	if err := t.obtained(ctx); err != nil {
		return nil, err
	}
	return t.key(t.get()).make(ctx)
}

func (t *typed) ready(ctx context.Context) error {
	if err := t.obtained(ctx); err != nil {
		return err
	}
	return t.key(t.get()).ready(ctx)
}
