package plan

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// limits are the longest values that Microsoft Graph takes, from its own documentation
// of user. They are counted in UTF-16 code units, as .NET counts a string: 𠮷 is two. If
// Graph counts otherwise, it allows more: a row may be skipped that it would have
// taken, never the reverse.
var limits = map[directory.Attribute]int{ //nolint:gochecknoglobals // a table
	directory.DisplayName:  256,
	directory.GivenName:    64,
	directory.Surname:      64,
	directory.MailNickname: 64,
	directory.ImmutableID:  256,
	directory.Department:   64,
	"companyName":          64,
	"mobilePhone":          64,
	"jobTitle":             128,
	"city":                 128,
	"state":                128,
	"country":              128,
	"postalCode":           40,
	"streetAddress":        1024,
	"employeeId":           16,
}

// The limits of a UPN, and the characters that it may have besides letters and digits.
// The same page says: no accents, no dot directly before the @.
const (
	upnLimit       = 113
	upnLocalLimit  = 64
	upnDomainLimit = 48
	upnSigns       = "'.-_!#^~"
)

// aliasForbidden are the ASCII characters that mailNickname does not take.
const aliasForbidden = `@()\[]";:<>, `

// immutableForbidden are the characters that onPremisesImmutableId does not take.
const immutableForbidden = "$_"

// wrong is why a row cannot be written.
type wrong struct {
	code problem.Code
	args problem.Args
}

// units counts the UTF-16 code units of s.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

func limitOf(a directory.Attribute) int {
	if n, ok := limits[a]; ok {
		return n
	}
	if strings.HasPrefix(string(a), "extensionAttribute") ||
		strings.HasPrefix(string(a), "onPremisesExtensionAttributes/") {
		return 1024
	}
	return 0
}

// checkUPN returns why Graph would refuse a UPN, or nil.
func checkUPN(upn string) *wrong {
	local, domain := directory.SplitUPN(upn)
	for i, part := range [2]string{local, domain} {
		for _, r := range part {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			case i == 0 && r < 0x80 && strings.ContainsRune(upnSigns, r):
			case i == 1 && (r == '.' || r == '-'):
			default:
				return &wrong{problem.UPNCharacter, problem.Args{"character": visible(r)}}
			}
		}
	}
	switch {
	case local == "":
		return &wrong{problem.UPNNoLocal, nil}
	case strings.HasSuffix(local, "."):
		return &wrong{problem.UPNDot, nil}
	case strings.HasSuffix(domain, "."):
		return &wrong{problem.UPNCharacter, problem.Args{"character": "."}}
	}
	for _, l := range [...]struct{ length, limit int }{
		{len(local), upnLocalLimit}, {len(domain), upnDomainLimit}, {len(upn), upnLimit},
	} {
		if l.length > l.limit {
			return &wrong{problem.UPNTooLong, problem.Args{
				"limit": strconv.Itoa(l.limit), "length": strconv.Itoa(l.length),
			}}
		}
	}
	return nil
}

// checkChange returns why Graph would refuse a change, or nil.
func checkChange(c Change) *wrong {
	if !c.New.Set {
		return nil
	}
	v := c.New.Text
	if w := broken(c.Attribute, v); w != nil {
		return w
	}
	switch c.Attribute {
	case directory.UserPrincipalName:
		return checkUPN(v)
	case directory.ImmutableID:
		if i := strings.IndexAny(v, immutableForbidden); i >= 0 {
			return &wrong{problem.ImmutableIDCharacter, problem.Args{"value": v, "character": v[i : i+1]}}
		}
	case directory.MailNickname:
		for _, r := range v {
			if r <= ' ' || r >= 0x7f || strings.ContainsRune(aliasForbidden, r) {
				return &wrong{problem.AliasCharacter, problem.Args{"value": v, "character": visible(r)}}
			}
		}
		if strings.HasPrefix(v, ".") || strings.HasSuffix(v, ".") || strings.Contains(v, "..") {
			return &wrong{problem.AliasDot, problem.Args{"value": v}}
		}
	case directory.UsageLocation:
		if len(v) != 2 || !letter(v[0]) || !letter(v[1]) {
			return &wrong{problem.UsageLocationUnknown, problem.Args{"value": v}}
		}
	}
	if limit := limitOf(c.Attribute); limit > 0 && len(v) > limit {
		if n := units(v); n > limit {
			return &wrong{problem.ValueLong, problem.Args{
				"attribute": string(c.Attribute), "limit": strconv.Itoa(limit), "length": strconv.Itoa(n),
			}}
		}
	}
	return nil
}

// checkChanges returns why Graph would refuse the first of the changes that it would
// refuse, or nil.
func checkChanges(changes []Change) *wrong {
	for _, c := range changes {
		if w := checkChange(c); w != nil {
			return w
		}
	}
	return nil
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// neverCleared are attributes that are kept although the source has no value.
func neverCleared(a directory.Attribute) bool {
	switch a {
	case directory.DisplayName, directory.UserPrincipalName, directory.MailNickname,
		directory.ImmutableID, directory.UsageLocation, directory.Mail, directory.AccountEnabled:
		return true
	}
	return false
}

// visible writes a character so that it can be seen: itself, or U+3000.
func visible(r rune) string {
	if unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Mn, r) {
		return string(r)
	}
	return "U+" + strings.ToUpper(pad4(strconv.FormatInt(int64(r), 16)))
}

func pad4(s string) string { return strings.Repeat("0", max(0, 4-len(s))) + s }

// hidden finds a character that is invisible, or changes the order of others.
func hidden(s string) (rune, bool) {
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) || r == 0x7f {
			return r, true
		}
	}
	return 0, false
}
