package state

import (
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hacsync/hacsync/sync/problem"
)

// location is the place of a state: a file, or a PostgreSQL database.
type location struct {
	path     string // of the SQLite file; empty for PostgreSQL
	postgres string // the whole connection string, with its password
	shown    string // to be shown: without a password
}

// FileURL returns the URL of a SQLite state at an absolute path of this machine.
func FileURL(path string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/Users/… becomes /C:/Users/…
	}
	return (&url.URL{Scheme: "sqlite", Path: p}).String()
}

// Shown returns a state's URL without what is or may be a password.
func Shown(url string) string {
	where, err := locate(url)
	if err != nil {
		return redact(url)
	}
	return where.shown
}

// locate parses a state's URL. Its problem shows the URL without what may be a
// password, and never wraps net/url's error, which quotes the whole.
func locate(raw string) (location, error) {
	refuse := func() (location, error) {
		return location{}, problem.New(problem.StateURL, problem.Args{"url": redact(raw)})
	}
	u, err := url.Parse(raw)
	if err != nil {
		return refuse()
	}
	switch u.Scheme {
	case "sqlite":
		if u.Host != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
			return refuse()
		}
		p := filePath(u.Path, runtime.GOOS)
		if !filepath.IsAbs(p) || strings.HasSuffix(p, "/") || strings.ContainsRune(p, 0) {
			return refuse()
		}
		p = filepath.Clean(p)
		return location{path: p, shown: FileURL(p)}, nil
	case "postgres", "postgresql":
		if u.Opaque != "" || (u.Host == "" && u.RawQuery == "") {
			return refuse()
		}
		return location{postgres: raw, shown: shown(u)}, nil
	}
	return refuse()
}

// filePath turns a URL's path into one of the operating system: on Windows, /C:/x
// is C:/x.
func filePath(p, goos string) string {
	if goos == "windows" && len(p) >= 3 && p[0] == '/' && p[2] == ':' {
		return p[1:]
	}
	return p
}

// shown renders a PostgreSQL URL without its password, wherever the URL holds it.
func shown(u *url.URL) string {
	v := *u
	if v.User != nil {
		v.User = url.User(v.User.Username())
	}
	if v.RawQuery != "" {
		q := v.Query()
		for k := range q {
			if lower := strings.ToLower(k); strings.Contains(lower, "pass") || strings.Contains(lower, "key") {
				q.Del(k)
			}
		}
		v.RawQuery = q.Encode()
	}
	v.Fragment, v.RawFragment = "", ""
	return v.String()
}

// redact returns the part of an unusable URL that cannot hold a password: what
// follows the last @, without its parameters.
func redact(raw string) string {
	s, _, _ := strings.Cut(raw, "?")
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		scheme, _, found := strings.Cut(s, "://")
		if !found || strings.ContainsAny(scheme, "@:/") {
			return "..@" + s[i+1:]
		}
		return scheme + "://..@" + s[i+1:]
	}
	return s
}
