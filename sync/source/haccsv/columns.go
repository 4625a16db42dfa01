package haccsv

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/source"
)

// The columns of an export by their names in lower case, as HENNGE's help (articles
// 16780013124889 and 44051180264089) lists them; where the pages differ, both names
// are known. Of several names for one use, the first that the file has is taken: in
// a file that also has Email Address, Email is the UPN.
var known = []struct {
	attribute directory.Attribute
	use       source.Use
	names     []string
}{
	{directory.UserPrincipalName, source.Mapped, []string{
		"userprincipalname", "userprincipalname (upn)", "user principal name",
		"login id userprincipalname", "login id (userprincipalname)", "login id (userprincipalname (upn))", "login id (upn)",
		"email (userprincipalname (upn))", "email (upn)",
		"login id", "email", "email address",
		"upn", // may be the ID of a custom attribute
	}},
	{directory.ImmutableID, source.Mapped, []string{
		"microsoft immutable id", "microsoft immutableid", "microsoft_immutable_id", "microsoftimmutableid",
		"immutable id", "immutableid", "immutable_id",
	}},
	{directory.MailNickname, source.Mapped, []string{"username", "user name"}},
	{directory.DisplayName, source.Mapped, []string{"display name"}},
	{directory.Surname, source.Mapped, []string{"family name"}},
	{directory.GivenName, source.Mapped, []string{"given name"}},
	{directory.AccountEnabled, source.Read, []string{statusName}},
	{"", source.Read, []string{lastLoginName}},
}

const (
	statusName    = "status"
	lastLoginName = "last login"
)

// unread are columns of an export that no sync needs.
var unread = map[string]bool{
	"access policy group id": true, "access policy group name": true,
	"is admin": true, "role": true,
}

// layout is the meaning of a header.
type layout struct {
	header []string
	of     []source.Recognised
	// at is the column of an attribute. UPN is always there.
	at        map[directory.Attribute]int
	status    int // -1 if there is none
	lastLogin int // -1 if there is none
	username  int // the column of the Username, else that of mailNickname
	// keys are identifying columns that are used for nothing else: a user who
	// appears in one of them is in the source.
	keys []int
}

// fold returns the form in which column names are compared.
func fold(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), " "))
}

// withPrefix returns the name that begins with prefix, if there is exactly one.
func withPrefix(header []string, prefix string) []string {
	var found []string
	for _, name := range header {
		if name = fold(name); strings.HasPrefix(name, prefix) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found
}

// recognise finds the meaning of a header. file is for problems.
func recognise(file string, header []string, mappings []source.Mapping) (*layout, error) {
	c := &layout{
		header: header, of: make([]source.Recognised, len(header)),
		at: map[directory.Attribute]int{}, status: -1, lastLogin: -1,
	}
	args := problem.Args{"file": file, "columns": list(header)}
	if name := product(header); name != "" {
		args["product"] = name
		return nil, problem.New(problem.FileProduct, args)
	}
	if isUser(header) {
		// Its values may be secret: the problem does not quote them.
		return nil, problem.New(problem.FileNoHeader, problem.Args{"file": file})
	}
	byName := map[string]int{}
	for i, name := range header {
		key := fold(name)
		if first, twice := byName[key]; twice && key != "" {
			return nil, problem.New(problem.FileHeaderTwice, problem.Args{
				"file": file, "column": header[first], "first": strconv.Itoa(first + 1), "second": strconv.Itoa(i + 1),
			})
		}
		byName[key] = i
		c.of[i] = source.Recognised{Column: strings.TrimSpace(name), Use: source.NotMapped}
		if unread[key] || source.HoldsSecret(key) {
			c.of[i].Use = source.Never
		}
	}
	for _, k := range known {
		names := k.names
		if k.attribute == directory.ImmutableID {
			// HENNGE's help shows this one name only shortened.
			names = append(slices.Clone(names), withPrefix(header, "microsoft immutable")...)
		}
		for _, name := range names {
			i, ok := byName[name]
			if !ok {
				continue
			}
			c.of[i].Use, c.of[i].Attribute = k.use, k.attribute
			switch {
			case name == statusName:
				c.status = i
			case name == lastLoginName:
				c.lastLogin = i
			default:
				c.at[k.attribute] = i
			}
			break
		}
	}
	if err := c.mapCustom(file, byName, mappings); err != nil {
		return nil, err
	}
	if _, ok := c.at[directory.UserPrincipalName]; !ok {
		return nil, problem.New(problem.FileNoUPN, args)
	}
	// Each user has one: if the column is missing, the header is not that of an
	// export, or it was edited.
	if _, ok := c.at[directory.MailNickname]; !ok {
		return nil, problem.New(problem.FileNoUsername, args)
	}
	c.identify(byName)
	return c, nil
}

// identify finds the Username, which stays the Username even if another column is
// mapped to mailNickname, and the identifying columns that are used for nothing
// else.
func (c *layout) identify(byName map[string]int) {
	c.username = c.at[directory.MailNickname]
	for _, k := range known {
		if !slices.Contains([]directory.Attribute{directory.UserPrincipalName, directory.ImmutableID, directory.MailNickname}, k.attribute) {
			continue
		}
		for _, name := range k.names {
			i, ok := byName[name]
			if !ok {
				continue
			}
			if k.attribute == directory.MailNickname {
				c.username = i
			} else if c.of[i].Use == source.NotMapped {
				c.keys = append(c.keys, i)
			}
			if c.of[i].Use == source.NotMapped {
				c.of[i].Use = source.Read
			}
		}
	}
}

// mapCustom applies the mappings of the domain's settings. A mapping may replace
// the column that HAC writes to the attribute.
func (c *layout) mapCustom(file string, byName map[string]int, mappings []source.Mapping) error {
	mapped := map[directory.Attribute]bool{}
	for _, m := range mappings {
		i, ok := byName[fold(m.From)]
		if !ok {
			return problem.New(problem.MappingColumn, problem.Args{"name": file, "column": m.From, "columns": list(c.header)})
		}
		args := problem.Args{"name": file, "column": m.From, "attribute": string(m.To)}
		if m.To == "" || m.To == directory.AccountEnabled || m.To == directory.Mail || m.To == directory.OtherKeys || mapped[m.To] {
			return problem.New(problem.MappingTarget, args)
		}
		if c.of[i].Use == source.Never {
			return problem.New(problem.MappingSecret, args)
		}
		mapped[m.To] = true
		if was, ok := c.at[m.To]; ok && c.of[was].Attribute == m.To {
			c.of[was].Use, c.of[was].Attribute = source.NotMapped, ""
		}
		c.at[m.To] = i
		c.of[i].Use, c.of[i].Attribute = source.Mapped, m.To
	}
	return nil
}

// kept returns the attributes that become columns of the snapshot: those wanted
// that the file has, and those that mappings name.
func (c *layout) kept(want []directory.Attribute, mappings []source.Mapping) []directory.Attribute {
	var kept []directory.Attribute
	seen := map[directory.Attribute]bool{directory.UserPrincipalName: true, directory.ImmutableID: true}
	take := func(a directory.Attribute) {
		if _, ok := c.at[a]; ok && !seen[a] {
			seen[a] = true
			kept = append(kept, a)
		}
	}
	for _, a := range want {
		take(a)
	}
	for _, m := range mappings {
		take(m.To)
	}
	if len(c.keys) > 0 {
		kept = append(kept, directory.OtherKeys)
	}
	return kept
}

// list names columns for a sentence. Headers of other files can be anything, so
// their number is limited.
func list(names []string) string {
	const most = 300
	s := strings.Join(names, ", ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + " .."
	}
	return s
}
