package flow

import (
	"context"

	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/tui/words"
)

// unlocking asks for the passphrase that saved data is sealed with, where there is
// no keyring and no identity file: once where something is sealed with it
// already, twice where it is new. It is kept nowhere longer than the question.
type unlocking struct {
	open   bool  // it is asked
	fresh  bool  // nothing is sealed with it yet
	why    error // why there is no keyring
	first  secret.Text
	differ bool // the second was not the first
	err    error
	busy   bool
}

// unlocked is what became of a passphrase.
type unlocked struct{ err error }

func (u *unlocking) begin(fresh bool, why error) { *u = unlocking{open: true, fresh: fresh, why: why} }

func (u *unlocking) close() { *u = unlocking{} }

// noKeyring says in a sentence why the machine does not keep the key itself.
func noKeyring(why error) words.Text {
	if why != nil {
		return words.T("flow.passphrase.so", "what", words.What{Err: why})
	}
	return words.T("flow.passphrase.why")
}

// view asks, and says why.
func (u *unlocking) view(v *View) {
	v.Title = words.T("flow.passphrase.title")
	v.Blocks = nil
	if u.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: u.err})
	}
	id := "flow.passphrase.known"
	if u.fresh {
		id = "flow.passphrase.new"
		v.Blocks = append(v.Blocks, words.Para{Text: noKeyring(u.why)})
	}
	v.Blocks = append(v.Blocks, words.Para{Text: words.T(id, "n", secret.ShortestPassphrase)})
	v.Commands = nil
	if u.busy {
		v.wait(words.T("flow.passphrase.trying"))
		return
	}
	if u.differ {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Stops, Text: words.T("flow.passphrase.differ")}})
	}
	v.Ask = Question{Kind: Secret, Text: words.T("flow.passphrase.ask")}
	if !u.first.Empty() {
		v.Ask.Text = words.T("flow.passphrase.again")
	}
}

// answer takes what was typed.
func (u *unlocking) answer(d *data, a Answer) turn {
	typed := a.Secret
	u.err, u.differ = nil, false
	switch {
	case a.Command != "":
		return stayed(words.T("flow.not_a_command"))
	case typed.Empty():
		return stayed(words.T("flow.passphrase.empty"))
	case u.fresh && u.first.Empty():
		if len([]rune(typed.Reveal())) < secret.ShortestPassphrase {
			return stayed(words.T("flow.passphrase.short", "n", secret.ShortestPassphrase))
		}
		u.first = typed
		return turn{}
	case u.fresh && u.first.Reveal() != typed.Reveal():
		u.first, u.differ = secret.Text{}, true
		return turn{}
	}
	u.busy, u.first = true, secret.Text{}
	b := d.b
	return does(effect(func(ctx context.Context, _ Reporter) any { return unlocked{b.Unseal(ctx, typed)} }))
}

// back goes from the second time to the first; false where the question is left.
func (u *unlocking) back() bool {
	was := !u.first.Empty()
	u.first, u.differ = secret.Text{}, false
	return was
}

// done reports whether it opened.
func (u *unlocking) done(r unlocked) bool {
	u.busy, u.err = false, r.err
	if r.err == nil {
		u.close()
	}
	return r.err == nil
}
