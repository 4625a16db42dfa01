package widget

import (
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/message"
)

// longest is how many characters an input holds: enough for a path, not for a file.
const longest = 2000

// Input is a line that a person types. Its zero value is empty and ready.
type Input struct {
	text []rune
	at   int // the cursor, before text[at]
}

// Value is its text.
func (in *Input) Value() string { return string(in.text) }

// Set puts s into it, the cursor after it.
func (in *Input) Set(s string) {
	in.text, in.at = nil, 0
	in.Insert(s)
}

// Insert puts s in at the cursor: its first line, without controls.
func (in *Input) Insert(s string) {
	s = strings.TrimLeft(s, "\r\n")
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i]
	}
	add := []rune(message.Clean(s))
	add = add[:min(len(add), max(0, longest-len(in.text)))]
	in.text = append(in.text[:in.at:in.at], append(add, in.text[in.at:]...)...)
	in.at += len(add)
}

// Key handles a key; false if the key has no meaning here.
func (in *Input) Key(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "left", "ctrl+b":
		in.at = max(0, in.at-1)
	case "right", "ctrl+f":
		in.at = min(len(in.text), in.at+1)
	case "home", "ctrl+a":
		in.at = 0
	case "end", "ctrl+e":
		in.at = len(in.text)
	case "ctrl+left", "alt+left", "alt+b":
		in.at = in.word(-1)
	case "ctrl+right", "alt+right", "alt+f":
		in.at = in.word(1)
	case "backspace", "ctrl+h", "shift+backspace":
		in.cut(in.at-1, in.at)
	case "delete", "ctrl+d":
		in.cut(in.at, in.at+1)
	case "ctrl+w", "alt+backspace", "ctrl+backspace":
		in.cut(in.word(-1), in.at)
	case "ctrl+u":
		in.cut(0, in.at)
	case "ctrl+k":
		in.cut(in.at, len(in.text))
	default:
		if k.Text == "" || k.Mod&(tea.ModCtrl|tea.ModAlt) != 0 {
			return false
		}
		in.Insert(k.Text)
	}
	return true
}

// Dots is View for a secret: a sign for each character.
func (in *Input) Dots(width int) (text string, cursor int) {
	hidden := Input{text: []rune(strings.Repeat("*", len(in.text))), at: in.at}
	return hidden.View(width)
}

func (in *Input) cut(from, to int) {
	from, to = max(0, from), min(len(in.text), to)
	if from < to {
		in.text = append(in.text[:from:from], in.text[to:]...)
		in.at = from
	}
}

// word is where the word before or after the cursor begins or ends.
func (in *Input) word(by int) int {
	i := in.at
	look := func(i int) rune {
		if by < 0 {
			return in.text[i-1]
		}
		return in.text[i]
	}
	more := func(i int) bool { return by < 0 && i > 0 || by > 0 && i < len(in.text) }
	for more(i) && unicode.IsSpace(look(i)) {
		i += by
	}
	for more(i) && !unicode.IsSpace(look(i)) {
		i += by
	}
	return i
}

// View is the part of it around the cursor, exactly width columns, and the
// column of the cursor.
func (in *Input) View(width int) (text string, cursor int) {
	if width < 2 {
		return Fit("", width), 0
	}
	before := string(in.text[:in.at])
	if Width(before) > width-1 {
		before = lastColumns(before, width-1)
	}
	cursor = Width(before)
	s := before + firstColumns(string(in.text[in.at:]), width-cursor)
	return s + strings.Repeat(" ", max(0, width-Width(s))), cursor
}
