package haccsv

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// CleanPath makes a path of what a user types, pastes or drops into a terminal: it
// removes quotation marks, file:// and the backslashes of a dropped name, and
// replaces ~ by the home folder.
func CleanPath(s string) string { return cleanPath(s, filepath.Separator, os.UserHomeDir) }

func cleanPath(s string, separator rune, home func() (string, error)) string {
	s = strings.TrimSpace(s)
	// PowerShell drops a file as & 'C:\…'.
	s = strings.TrimSpace(strings.TrimPrefix(s, "& "))
	quoted := false
	for _, q := range [][2]string{{`"`, `"`}, {`'`, `'`}, {"“", "”"}} {
		if inner, ok := strings.CutPrefix(s, q[0]); ok && len(s) > len(q[0]) {
			if inner, ok = strings.CutSuffix(inner, q[1]); ok {
				s, quoted = inner, true
				break
			}
		}
	}
	if len(s) >= 7 && strings.EqualFold(s[:7], "file://") {
		return fromURL(s, separator)
	}
	if separator != '\\' && !quoted {
		s = unescape(s)
	}
	if s == "~" || strings.HasPrefix(s, "~/") || separator == '\\' && strings.HasPrefix(s, `~\`) {
		if dir, err := home(); err == nil {
			s = dir + s[1:]
		}
	}
	return s
}

// fromURL returns the path of a file URL: file:///C:/x, file:///home/x, and
// file://server/share/x.
func fromURL(s string, separator rune) string {
	u, err := url.Parse(s)
	if err != nil {
		return s[len("file://"):]
	}
	p := u.Path
	if len(p) >= 3 && p[0] == '/' && p[2] == ':' {
		p = p[1:] // a drive letter
	} else if u.Host != "" && !strings.EqualFold(u.Host, "localhost") {
		p = "//" + u.Host + p
	}
	if separator == '\\' {
		p = strings.ReplaceAll(p, "/", `\`)
	}
	return p
}

// unescape removes the backslashes that a terminal puts before spaces and the like;
// those of a Windows path, before a letter, stay.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(" ()[]{}&'\"!$;`*?#~\\|<>,", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
