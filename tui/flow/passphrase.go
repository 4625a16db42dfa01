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
	asks  unlockAsk
	fresh bool  // nothing is sealed with it yet
	why   error // why there is no keyring
	first secret.Text
	err   error
}

// unlockAsk is what is asked now.
type unlockAsk uint8

const (
	unlockNone unlockAsk = iota
	unlockOnce
	unlockAgain  // a new one, for the second time
	unlockDiffer // once more: the second was not the first
	unlockTries  // nothing: it is being tried
)

// unlocked is what became of a passphrase.
type unlocked struct{ err error }

func (u *unlocking) begin(fresh bool, why error) {
	*u = unlocking{asks: unlockOnce, fresh: fresh, why: why}
}

// open reports whether the question is shown.
func (u *unlocking) open() bool { return u.asks != unlockNone }

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
	if u.asks == unlockTries {
		v.wait(words.T("flow.passphrase.trying"))
		return
	}
	if u.asks == unlockDiffer {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Stops, Text: words.T("flow.passphrase.differ")}})
	}
	v.Ask = Question{Kind: Secret, Text: words.T("flow.passphrase.ask")}
	if u.asks == unlockAgain {
		v.Ask.Text = words.T("flow.passphrase.again")
	}
}

// answer takes what was typed.
func (u *unlocking) answer(d *data, a Answer) turn {
	typed := a.Secret
	u.err = nil
	if u.asks == unlockDiffer {
		u.asks = unlockOnce
	}
	switch {
	case a.Command != "":
		return stayed(words.T("flow.not_a_command"))
	case typed.Empty():
		return stayed(words.T("flow.passphrase.empty"))
	case u.fresh && u.asks == unlockOnce:
		if len([]rune(typed.Reveal())) < secret.ShortestPassphrase {
			return stayed(words.T("flow.passphrase.short", "n", secret.ShortestPassphrase))
		}
		u.first, u.asks = typed, unlockAgain
		return turn{}
	case u.fresh && u.first.Reveal() != typed.Reveal():
		u.first, u.asks = secret.Text{}, unlockDiffer
		return turn{}
	}
	u.asks, u.first = unlockTries, secret.Text{}
	b := d.b
	return does(effect(func(ctx context.Context, _ Reporter) any { return unlocked{b.Unseal(ctx, typed)} }))
}

// back goes from the second time to the first; false where the question is left.
func (u *unlocking) back() bool {
	was := u.asks == unlockAgain
	if was || u.asks == unlockDiffer {
		u.asks, u.first = unlockOnce, secret.Text{}
	}
	return was
}

// done reports whether it opened.
func (u *unlocking) done(r unlocked) bool {
	u.asks, u.err = unlockOnce, r.err
	if r.err == nil {
		u.close()
	}
	return r.err == nil
}
