package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// object is one Graph object. It is never changed: a write makes a new one, so
// that readers need no lock once they hold it. Values are kept as the JSON that
// is sent, which makes a page of users a matter of copying.
type object struct {
	t     *entity
	props []value // in the order of t.props
}

type value struct {
	p   uint16
	raw string
}

const null = "null"

func (o *object) at(p uint16) (string, bool) {
	i := sort.Search(len(o.props), func(i int) bool { return o.props[i].p >= p })
	if i < len(o.props) && o.props[i].p == p {
		return o.props[i].raw, true
	}
	return "", false
}

// raw is the JSON of a property, null if it has no value.
func (o *object) raw(name string) string {
	if p, ok := o.t.byName[name]; ok {
		if r, ok := o.at(p); ok {
			return r
		}
	}
	return null
}

// text is a string property, empty if it has no value.
func (o *object) text(name string) string { return unquote(o.raw(name)) }

func (o *object) id() string { return o.text("id") }

func (o *object) flag(name string) bool { return o.raw(name) == "true" }

// list is a property that is a collection of strings.
func (o *object) list(name string) []string { return stringList(o.raw(name)) }

// stringList decodes a JSON list of strings. Nearly all are plain: those are
// cut without a decoder, for this is done for every account at the start.
func stringList(r string) []string {
	if r == null || r == "[]" {
		return nil
	}
	var out []string
	if strings.IndexByte(r, '\\') >= 0 {
		if json.Unmarshal([]byte(r), &out) != nil {
			return nil
		}
		return out
	}
	for rest := r; ; {
		from := strings.IndexByte(rest, '"')
		if from < 0 {
			return out
		}
		to := strings.IndexByte(rest[from+1:], '"')
		if to < 0 {
			return out
		}
		out = append(out, rest[from+1:from+1+to])
		rest = rest[from+to+2:]
	}
}

// with is a copy with some properties replaced.
func (o *object) with(changes map[string]string) *object {
	n := &object{t: o.t, props: make([]value, 0, len(o.props)+len(changes))}
	for _, v := range o.props {
		if _, replaced := changes[o.t.props[v.p].name]; !replaced {
			n.props = append(n.props, v)
		}
	}
	for name, r := range changes {
		p, ok := o.t.byName[name]
		if !ok {
			panic("simulator: " + o.t.name + " has no property " + name)
		}
		n.props = append(n.props, value{p, r})
	}
	slices.SortFunc(n.props, func(a, b value) int { return cmp.Compare(a.p, b.p) })
	return n
}

// newObject makes an object of a type from properties that are JSON.
func newObject(t *entity, props map[string]string) *object {
	return (&object{t: t}).with(props)
}

// appendTo writes the object. With wanted nil the properties that come without
// $select; all that have a value if whole is set.
func (o *object) appendTo(b []byte, wanted []uint16, whole bool) []byte {
	b = append(b, '{')
	first := true
	put := func(p uint16, raw string) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, o.t.props[p].name...)
		b = append(b, '"', ':')
		b = append(b, raw...)
	}
	if whole {
		for _, v := range o.props {
			if v.raw != null || o.t.props[v.p].noted {
				put(v.p, v.raw)
			}
		}
		return append(b, '}')
	}
	if wanted == nil {
		wanted = o.t.plain
	}
	if r, ok := o.at(0); ok { // @odata.type, if it differs
		put(0, r)
	}
	for _, p := range wanted {
		r, ok := o.at(p)
		switch {
		case ok:
		case o.t.props[p].collection:
			r = "[]"
		default:
			r = null
		}
		put(p, r)
	}
	return append(b, '}')
}

// unquote decodes a JSON string; null and what is no string give "".
func unquote(raw string) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil {
		return ""
	}
	return s
}

// quote encodes a string as JSON, keeping everything printable as it is.
func quote(s string) string {
	plain := utf8.ValidString(s)
	for i := 0; plain && i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c == 0x7f {
			plain = false
		}
	}
	// Line separators are the only others that an encoder escapes.
	if plain && (strings.IndexByte(s, 0xe2) < 0 || !strings.ContainsAny(s, "\u2028\u2029")) {
		return `"` + s + `"`
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can always be encoded
	return strings.TrimSuffix(buf.String(), "\n")
}

func quoteList(list []string) string {
	b := []byte{'['}
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, quote(s)...)
	}
	return string(append(b, ']'))
}

func quoteTime(t time.Time) string { return `"` + t.UTC().Format("2006-01-02T15:04:05Z") + `"` }

// canonical gives the one form in which a value is stored, or says why it is
// not of the property's kind.
func (p *property) canonical(raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == null {
		return null, nil
	}
	if p.collection {
		var items []json.RawMessage
		if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
			return "", fmt.Errorf("is not a list")
		}
		b := []byte{'['}
		for i, item := range items {
			one := property{kind: p.kind}
			r, err := one.canonical(item)
			if err != nil {
				return "", fmt.Errorf("item %d %w", i, err)
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, r...)
		}
		return string(append(b, ']')), nil
	}
	switch p.kind {
	case "Edm.String", "Edm.Guid", "Edm.Binary", "Edm.DateTimeOffset", "Edm.Stream":
		return p.canonicalText(raw)
	case "Edm.Boolean":
		if s := string(raw); s == "true" || s == "false" {
			return s, nil
		}
		return "", fmt.Errorf("is neither true nor false")
	case "Edm.Int32":
		if _, err := strconv.ParseInt(string(raw), 10, 32); err != nil {
			return "", fmt.Errorf("is not a whole number")
		}
		return string(raw), nil
	}
	// Complex types and enumerations: an object, or the name of a member.
	var buf bytes.Buffer
	if raw[0] == '"' {
		return p.canonicalText(raw)
	}
	if raw[0] != '{' || json.Compact(&buf, raw) != nil {
		return "", fmt.Errorf("is not an object of type %s", p.kind)
	}
	return buf.String(), nil
}

func (p *property) canonicalText(raw json.RawMessage) (string, error) {
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", fmt.Errorf("is not text")
	}
	switch p.kind {
	case "Edm.Guid":
		if !isGUID(s) {
			return "", fmt.Errorf("is not a GUID")
		}
	case "Edm.DateTimeOffset":
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return "", fmt.Errorf("is not a time such as 2026-01-31T09:00:00Z")
		}
	}
	return quote(s), nil
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
	}
	return true
}
