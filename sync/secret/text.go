// Package secret protects secrets: with Text, which is never printed, and by
// sealing with age under a key that the state does not hold. The key comes from an
// identity file, a passphrase, or the operating system's keyring. Start with Choose
// for the key, and with Row for what is sealed.
package secret

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// ErrStale is what Rows return when a sealed row is no longer the one that was
// read.
var ErrStale = errors.New("the sealed row was changed by another process")

// hidden replaces a Text wherever it is printed.
const hidden = "[hidden]"

// Text is a secret that is never printed: every way of formatting, logging or
// encoding it gives a fixed word. Only Reveal returns the text itself. The zero
// Text is empty.
//
// The text is behind a pointer because fmt does not call methods of unexported
// fields: a struct that holds a Text and is printed with %+v shows an address at
// worst.
type Text struct{ p *string }

// NewText wraps a secret.
func NewText(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{p: &s}
}

// Reveal returns the secret itself, for code that needs it.
func (t Text) Reveal() string {
	if t.p == nil {
		return ""
	}
	return *t.p
}

// Empty reports whether there is no secret.
func (t Text) Empty() bool { return t.p == nil }

// String hides the secret.
func (t Text) String() string { return hidden }

// GoString hides the secret from %#v.
func (t Text) GoString() string { return hidden }

// Format hides the secret from every verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret from encoders.
func (t Text) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON hides the secret from JSON.
func (t Text) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// LogValue hides the secret from slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(hidden) }
