// Package theme holds the colours of the screens as named tokens, for dark and
// for light terminals. No other package names a colour. Meaning never lives in
// a colour alone: signs, words and brackets say it too, so that NO_COLOR and a
// printed screen lose nothing.
package theme

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// palette are the tokens. accent is for three things only: the sign of hacsync, the
// present step and the selected line.
type palette struct {
	text, faint, accent           color.Color
	good, warn, bad, badge, paper color.Color
	add, update, rename, restore  color.Color
}

// Styles are the styles of everything that is drawn. They are passed by pointer, and
// made again when the terminal reports whether it is dark.
type Styles struct {
	Text, Faint, Title, Heading, Label, Key lipgloss.Style
	Header, Rule, Status, Footer            lipgloss.Style
	Here, Done                              lipgloss.Style // on the rail, and of tabs
	Selected, Match, Field                  lipgloss.Style
	Good, Warn, Bad                         lipgloss.Style
	// Badge is the one loud thing: a real tenant. Quiet is any other badge.
	Badge, Quiet lipgloss.Style
	Bar, Empty   lipgloss.Style
	Code         lipgloss.Style // a sign-in code
	// QR is black on white in every theme. Dark says whether the drawn parts are the light
	// ones, as they are on a dark terminal: without colours the code is right as well.
	QR   lipgloss.Style
	Dark bool
	// Kinds colour rows by the effect of a plan, by sign.
	Add, Update, Rename, Restore, Delete, Skip lipgloss.Style
}

// New makes the styles for a dark or a light terminal.
func New(dark bool) *Styles {
	pick := lipgloss.LightDark(dark)
	c := func(light, dark string) color.Color { return pick(lipgloss.Color(light), lipgloss.Color(dark)) }
	p := palette{
		text:    c("#1F2328", "#E6E6E6"),
		faint:   c("#656D76", "#8B949E"),
		accent:  c("#0550AE", "#79C0FF"),
		good:    c("#116329", "#56D364"),
		warn:    c("#7D4E00", "#E3B341"),
		bad:     c("#A40E26", "#FF7B72"),
		badge:   c("#A40E26", "#FF7B72"),
		paper:   c("#FFFFFF", "#0D1117"),
		add:     c("#116329", "#56D364"),
		update:  c("#3D5168", "#A9BACD"),
		rename:  c("#6639BA", "#D2A8FF"),
		restore: c("#0B6B74", "#56D4DD"),
	}
	base := lipgloss.NewStyle()
	black, white := lipgloss.Color("#000000"), lipgloss.Color("#FFFFFF")
	ink, ground := black, white
	if dark {
		ink, ground = white, black
	}
	fg := base.Foreground
	return &Styles{
		Text: base, Faint: fg(p.faint), Title: base.Bold(true), Heading: base.Bold(true),
		Label: fg(p.faint), Key: base.Bold(true),
		Header: base, Rule: fg(p.faint), Status: fg(p.faint), Footer: base,
		Here: fg(p.accent).Bold(true), Done: fg(p.good),
		Selected: fg(p.accent).Reverse(true), Match: base.Bold(true), Field: base.Underline(true),
		Good: fg(p.good), Warn: fg(p.warn), Bad: fg(p.bad),
		Badge: base.Bold(true).Foreground(p.paper).Background(p.badge), Quiet: fg(p.faint),
		Bar: base, Empty: fg(p.faint), Code: base.Bold(true),
		QR: base.Foreground(ink).Background(ground), Dark: dark,
		Add: fg(p.add), Update: fg(p.update), Rename: fg(p.rename), Restore: fg(p.restore), Delete: fg(p.bad), Skip: fg(p.warn),
	}
}
