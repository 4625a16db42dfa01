package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/hacsync/hacsync/tui/words"
)

// saidMsg is a message of a screen to the shell: a sentence for the status line.
type saidMsg struct{ Text words.Text }

// toClipboard puts a text on the terminal's clipboard (OSC 52) and reports it. A
// program cannot know whether the terminal accepted it, so the text is always readable
// on the screen as well.
func toClipboard(text string, say words.Text) tea.Cmd {
	return tea.Batch(tea.SetClipboard(text), func() tea.Msg { return saidMsg{say} })
}

// plainText is lines without their styles and margins.
func plainText(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(strings.TrimPrefix(ansi.Strip(l), " "), " "))
		b.WriteByte('\n')
	}
	if s := strings.Trim(b.String(), "\n"); s != "" {
		return s + "\n"
	}
	return ""
}
