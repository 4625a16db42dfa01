package haccsv

import (
	"bufio"
	"bytes"
	"strings"

	"github.com/hacsync/hacsync/sync/problem"
)

// separators are the possible separators of columns, with their names. HAC writes
// commas, or tabs in its TSV; a spreadsheet that saves the file again writes
// semicolons in countries where the comma is the decimal sign.
var separators = map[byte]string{',': "comma", '\t': "tab", ';': "semicolon"}

// preamble is what comes before the header.
type preamble struct {
	lines int // number of its lines
	comma byte
}

// preamble reads the lines before the header, which other programs write, and finds
// the separator. start is the beginning of the text.
func (e *export) preamble(text *bufio.Reader, start []byte) (preamble, error) {
	p := preamble{}
	for {
		line, next := cutLine(start)
		bare := strings.Trim(string(line), "\",;\t \u3000")
		lower := strings.ToLower(bare)
		switch {
		case len(bytes.Trim(line, ",;\t \u3000")) == 0 && len(next) > 0:
		case strings.HasPrefix(lower, "version:v"):
			return p, problem.New(problem.FileProduct, problem.Args{
				"file": e.file.path, "product": "Microsoft Entra ID (bulk operation)", "columns": list([]string{bare}),
			})
		case strings.HasPrefix(lower, "#type ") && len(next) > 0:
		case isSep(line):
			after := line[bytes.IndexByte(line, '=')+1:]
			if separators[after[0]] == "" {
				return p, e.separated(after[0])
			}
			p.comma = after[0]
		default:
			if p.comma == 0 {
				p.comma = separator(line)
			}
			e.comma = p.comma
			if separators[p.comma] == "" {
				return p, e.separated(p.comma)
			}
			return p, nil
		}
		if _, err := text.Discard(len(start) - len(next)); err != nil {
			return p, err
		}
		start, p.lines = next, p.lines+1
	}
}

// isSep reports whether a line is the one that names the separator to Excel.
func isSep(line []byte) bool {
	rest := bytes.TrimLeft(line, `"`)
	return len(rest) > 4 && strings.EqualFold(string(rest[:4]), "sep=") && len(bytes.Trim(rest[5:], "\",;\t ")) == 0
}

func (e *export) separated(by byte) error {
	return problem.New(problem.FileSeparator, problem.Args{"file": e.file.path, "separator": string(rune(by))})
}

// cutLine cuts text after its first line and returns the line without its break.
func cutLine(text []byte) (line, next []byte) {
	i := bytes.IndexAny(text, "\r\n")
	if i < 0 {
		return text, nil
	}
	line, next = text[:i], text[i+1:]
	if text[i] == '\r' && len(next) > 0 && next[0] == '\n' {
		next = next[1:]
	}
	return line, next
}

// separator finds what separates the names of columns, by how often it appears
// between them. Separators of other programs are found too, so that a problem can
// name them.
func separator(header []byte) byte {
	counts := [256]int{}
	quoted := false
	for _, c := range header {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte("\t;|^\x1f\x1e\x01") {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// products are exports of other products that have columns of the same names, or
// are easily mistaken for the export: recognised by columns that the export never
// has.
var products = []struct {
	name  string
	least int // how many of the columns it must have
	of    []string
}{
	{"Microsoft 365 admin center", 2, []string{
		"block credential", "licenses", "when created", "proxy addresses", "strong password required", "soft deletion time stamp",
		"last dirsync time", "dirsyncenabled", "oath token metadata", "alternate email address", "office number", "office phone",
		"last password change time stamp", "release track", "object id",
		"サインインのブロック", "資格情報のブロック", "ライセンス", "プロキシ アドレス", "オブジェクト id",
	}},
	{"Microsoft Entra ID", 2, []string{
		"objectid", "usertype", "directorysynced", "creationtype", "accountenabled", "agegroup", "identityissuer", "invitationstate",
		"legalagegroupclassification", "consentprovidedforminor", "onpremisessyncenabled", "onpremisesimmutableid", "mailnickname",
		"assignedlicenses", "businessphones", "dirsyncenabled", "isdirsynced", "blockcredential", "islicensed", "displayname", "name [displayname] required",
		"user name [userprincipalname] required", "object id [id]",
	}},
	{"Active Directory", 1, []string{"distinguishedname", "samaccountname", "objectguid", "objectclass", "useraccountcontrol"}},
	{"Exchange", 2, []string{"recipienttypedetails", "primarysmtpaddress", "externaldirectoryobjectid", "emailaddresses", "windowsemailaddress"}},
	{"Google Workspace", 1, []string{"org unit path [required]", "email address [required]", "first name [required]", "status [read only]", "last sign in [read only]"}},
	{"Okta", 2, []string{"login", "firstname", "lastname", "secondemail", "honorificprefix", "primary email", "secondary email", "activated", "user.login", "user.email", "profileurl"}},
	{"OneLogin", 2, []string{"openid_name", "activated_at", "directory_id", "samaccountname", "member_of", "invitation_sent_at"}},
	{"JumpCloud", 2, []string{"account_locked", "mfaconfigured", "employeeidentifier", "ldap_binding_user", "password_expired"}},
	{"Slack", 2, []string{"billing-active", "has-2fa", "has-sso", "userid", "fullname"}},
	{"Atlassian", 2, []string{"added to org", "org role", "user status", "last seen in jira", "org id"}},
}

// ours are columns of HAC's export that other exports lack.
var ours = []string{
	"access policy group id", "access policy group name", "otp notification email", "otp emergency token", "otp type", "last login",
	"is admin", "self password reset email", "password change policy", "password expiration date", "new password", "family name",
}

// product returns the product whose export has this header, or "". A custom
// attribute may have any name: two columns of HAC's own prove the export.
func product(header []string) string {
	has := map[string]bool{}
	for _, name := range header {
		has[fold(name)] = true
	}
	count := func(names []string) (n int) {
		for _, name := range names {
			if has[name] {
				n++
			}
		}
		return n
	}
	if count(ours) >= 2 {
		return ""
	}
	for _, p := range products {
		if count(p.of) >= p.least {
			return p.name
		}
	}
	return ""
}

// isUser reports whether the supposed header is a user's row: it holds an address.
func isUser(header []string) bool {
	for _, name := range header {
		if at := strings.LastIndexByte(name, '@'); at > 0 && strings.Contains(name[at:], ".") {
			return true
		}
	}
	return false
}
