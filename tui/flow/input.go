package flow

import (
	"net/url"
	"path/filepath"
	"strings"
)

// filePath takes off what a terminal or a file manager puts around a path that
// is pasted or dropped: quotes, file://, escaped spaces. windows says whether
// backslashes separate folders.
func filePath(s string, windows bool) string {
	s = strings.TrimSpace(s)
	// PowerShell drops & 'C:\a b.csv'.
	if rest, ok := strings.CutPrefix(s, "& "); ok && windows {
		s = strings.TrimSpace(rest)
	}
	for _, q := range [...][2]string{{`"`, `"`}, {"'", "'"}, {"“", "”"}, {"「", "」"}, {"<", ">"}} {
		if in, ok := strings.CutPrefix(s, q[0]); ok {
			if in, ok := strings.CutSuffix(in, q[1]); ok {
				return fromURL(in, windows)
			}
		}
	}
	if !windows && !strings.HasPrefix(s, "file:") {
		var b strings.Builder
		esc := false
		for _, r := range s {
			if r == '\\' && !esc {
				esc = true
				continue
			}
			esc = false
			b.WriteRune(r)
		}
		s = b.String()
	}
	return fromURL(s, windows)
}

func fromURL(s string, windows bool) string {
	if !strings.HasPrefix(strings.ToLower(s), "file:") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	p := u.Path
	if windows {
		p = strings.TrimPrefix(p, "/")
		if u.Host != "" {
			p = "//" + u.Host + "/" + p
		}
		p = filepath.FromSlash(p)
	}
	return p
}
