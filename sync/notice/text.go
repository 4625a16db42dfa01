package notice

import (
	"strings"
	"unicode/utf8"

	"github.com/hacsync/hacsync/sync/message"
)

// maxWhy is how much of an answer is shown, in characters.
const maxWhy = 240

// shorten makes one clean line of at most maxWhy characters.
func shorten(text string) string {
	text = strings.Join(strings.Fields(message.Clean(text)), " ")
	if utf8.RuneCountInString(text) > maxWhy {
		text = string([]rune(text)[:maxWhy]) + "…"
	}
	return text
}

// replaceFold replaces old in text without regard to the case of ASCII letters.
func replaceFold(text, old, by string) string {
	if old == "" {
		return text
	}
	lower, low := lowerASCII(text), lowerASCII(old)
	var b strings.Builder
	for {
		i := strings.Index(lower, low)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		b.WriteString(by)
		text, lower = text[i+len(old):], lower[i+len(old):]
	}
}

// lowerASCII keeps the length in bytes, which strings.ToLower does not.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// markup is how a service interprets text.
type markup uint8

const (
	plainText markup = iota
	slackText        // &, < and > begin entities, links and mentions
	markdown         // \ takes away the meaning of a character
)

// defuse makes a text that a service shows as it is: a name with markup in it makes
// no link and mentions no user.
func defuse(m markup, text string) string {
	text = strings.ReplaceAll(text, "\r", "")
	switch m {
	case slackText:
		text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "*", "∗", "~", "∼").Replace(text)
	case markdown:
		var b strings.Builder
		for _, r := range text {
			if strings.ContainsRune("\\`*_~[]()<>#|!", r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		text = b.String()
	case plainText:
	}
	return callNobody(text)
}

// callNobody changes an @ at the beginning of a word, with which chats mention
// users (@all, @channel, @everyone). An @ inside a word belongs to an address.
func callNobody(text string) string {
	var b strings.Builder
	before := ' '
	for _, r := range text {
		if r == '@' && !wordRune(before) {
			b.WriteRune('＠')
		} else {
			b.WriteRune(r)
		}
		before = r
	}
	return b.String()
}

func wordRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '_' || r == '-' || r == '…' || r > 0x7f && r != '＠'
}
