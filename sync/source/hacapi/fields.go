package hacapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/source"
)

// Fields are the names under which a user's data is looked for, the best first.
// Case, underscores, hyphens and spaces do not matter: user_principal_name equals
// userPrincipalName.
type Fields struct {
	ID, Username, UPN, ImmutableID, FamilyName, GivenName, DisplayName []string
	// Status is "enabled" or "disabled", or true for a user who is disabled;
	// Disabled and Enabled are true or false.
	Status, Disabled, Enabled []string
	// Custom is the object that holds the custom attributes by their IDs.
	Custom []string
}

// DefaultFields returns the plausible spellings: the real ones are not published.
func DefaultFields() Fields {
	return Fields{
		ID:          []string{"id", "user_id", "uuid"},
		Username:    []string{"user_name", "username"},
		UPN:         []string{"user_principal_name", "upn", "email", "email_address"},
		ImmutableID: []string{"microsoft_immutable_id", "immutable_id", "ms_immutable_id"},
		FamilyName:  []string{"family_name", "last_name", "surname"},
		GivenName:   []string{"given_name", "first_name"},
		DisplayName: []string{"display_name", "name"},
		Status:      []string{"status"},
		Disabled:    []string{"disabled", "is_disabled"},
		Enabled:     []string{"enabled", "is_enabled", "active", "is_active"},
		Custom:      []string{"custom_attributes", "custom_fields"},
	}
}

func (f Fields) orDefault() Fields {
	d := DefaultFields()
	or := func(names, fallback []string) []string {
		if len(names) == 0 {
			names = fallback
		}
		folded := make([]string, len(names))
		for i, n := range names {
			folded[i] = fold(n)
		}
		return folded
	}
	return Fields{
		ID: or(f.ID, d.ID), Username: or(f.Username, d.Username), UPN: or(f.UPN, d.UPN),
		ImmutableID: or(f.ImmutableID, d.ImmutableID), FamilyName: or(f.FamilyName, d.FamilyName),
		GivenName: or(f.GivenName, d.GivenName), DisplayName: or(f.DisplayName, d.DisplayName),
		Status: or(f.Status, d.Status), Disabled: or(f.Disabled, d.Disabled), Enabled: or(f.Enabled, d.Enabled),
		Custom: or(f.Custom, d.Custom),
	}
}

// fold returns the form in which names of fields are compared.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}

// item is one user as the API returns it.
type item map[string]json.RawMessage

// list is what was read so far. Which fields the API has is known only at the end:
// it may omit empty ones. So every name of the UPN is a column of a first snapshot,
// from which the final one is made.
type list struct {
	api     *API
	f       Fields
	want    []directory.Attribute
	columns []directory.Attribute // of raw: the wanted ones, the mapped ones, then one for each name of the UPN
	b       *directory.Builder
	raw     *directory.Snapshot
	users   map[string]bool
	pages   int
	read    time.Time

	seen     map[directory.Attribute]bool // columns that at least one user has
	status   bool
	fields   map[string]string              // names as the API spells them, and an example
	of       map[string]directory.Attribute // the attribute that a field is written to
	readOnly map[string]bool                // fields read for a rule
}

func newList(a *API, want []directory.Attribute) *list {
	l := &list{
		api: a, f: a.o.Fields, want: want, users: map[string]bool{}, seen: map[directory.Attribute]bool{},
		fields: map[string]string{}, of: map[string]directory.Attribute{}, readOnly: map[string]bool{},
	}
	take := func(c directory.Attribute) {
		known := c != directory.UserPrincipalName && c != directory.ImmutableID && (l.mapping(c) != nil || l.names(c) != nil)
		if known && !slices.Contains(l.columns, c) {
			l.columns = append(l.columns, c)
		}
	}
	for _, c := range want {
		take(c)
	}
	for _, m := range a.o.Mappings {
		take(m.To)
	}
	for i := range l.f.UPN {
		l.columns = append(l.columns, upnColumn(i))
	}
	l.b = directory.NewBuilder(directory.Source, l.columns)
	return l
}

// upnColumn returns the column of the first snapshot for the i-th name of the UPN.
func upnColumn(i int) directory.Attribute { return directory.Attribute("upn " + strconv.Itoa(i)) }

// names returns the names of the field that is written to an attribute.
func (l *list) names(c directory.Attribute) []string {
	switch c {
	case directory.ImmutableID:
		return l.f.ImmutableID
	case directory.MailNickname:
		return l.f.Username
	case directory.DisplayName:
		return l.f.DisplayName
	case directory.Surname:
		return l.f.FamilyName
	case directory.GivenName:
		return l.f.GivenName
	}
	return nil
}

func (l *list) mapping(c directory.Attribute) *source.Mapping {
	for i := range l.api.o.Mappings {
		if m := &l.api.o.Mappings[i]; m.To == c {
			return m
		}
	}
	return nil
}

// add adds the users of a page.
func (l *list) add(p *page, number int) error {
	for _, it := range p.Items {
		if err := l.addItem(it, number); err != nil {
			if problem.Of(err) == nil {
				err = problem.Wrap(err, problem.HACAnswer, l.api.args(number))
			}
			return err
		}
	}
	return nil
}

func (l *list) addItem(it item, number int) error {
	u, err := l.open(it)
	if err != nil {
		return err
	}
	if err := l.once(u, number); err != nil {
		return err
	}
	r := directory.Record{Line: l.b.Len() + 1, Values: make([]directory.Value, len(l.columns))}
	for i, c := range l.columns {
		if strings.HasPrefix(string(c), "upn ") {
			continue
		}
		v, found, err := u.attribute(c)
		if err != nil {
			return err
		}
		l.seen[c] = l.seen[c] || found
		r.Values[i] = v
	}
	base := len(l.columns) - len(l.f.UPN)
	for i, name := range l.f.UPN {
		v, found, err := u.text(name)
		if err != nil {
			return err
		}
		l.seen[upnColumn(i)] = l.seen[upnColumn(i)] || found && v.Set
		r.Values[base+i] = directory.Text(strings.TrimSpace(v.Text))
	}
	username, err := u.first(l.f.Username)
	if err != nil {
		return err
	}
	r.ID = directory.ID(strings.TrimSpace(username.Text))
	id, found, err := u.attribute(directory.ImmutableID)
	if err != nil {
		return err
	}
	l.seen[directory.ImmutableID] = l.seen[directory.ImmutableID] || found
	r.ImmutableID = strings.TrimSpace(id.Text)
	enabled, err := u.enabled()
	if err != nil {
		return err
	}
	if enabled {
		r.Marks |= directory.Enabled
	}
	return l.b.Add(r)
}

// once refuses a user who appears a second time: by ID, or by Username, which HAC
// never changes and compares with regard to case.
func (l *list) once(u *user, number int) error {
	for _, names := range [][]string{l.f.ID, l.f.Username} {
		v, err := u.first(names)
		if err != nil {
			return err
		}
		if v.Text == "" {
			continue
		}
		if l.users[v.Text] {
			args := l.api.args(number)
			args["user"] = v.Text
			return problem.New(problem.HACTwice, args)
		}
		l.users[v.Text] = true
		return nil
	}
	return nil
}

// end checks the list and finds out which columns it has.
func (l *list) end() error {
	raw, err := l.b.Seal(directory.Proof{Ended: true, Pages: l.pages, Items: l.b.Len(), Count: -1}, directory.About{})
	if err != nil {
		return source.Sealing(err, l.api.Name())
	}
	l.raw = raw
	if _, ok := l.upn(); !ok {
		return problem.New(problem.HACNoUPN, problem.Args{"url": l.api.o.Base, "fields": l.fieldNames()})
	}
	return l.checkMappings()
}

// upn returns the best name of the UPN that at least one user has.
func (l *list) upn() (directory.Attribute, bool) {
	for i := range l.f.UPN {
		if l.seen[upnColumn(i)] {
			return upnColumn(i), true
		}
	}
	return "", false
}

// otherKeys returns the columns of the first snapshot for those names of the UPN
// that at least one user has and that are not the best one: an address in addition
// to the UPN.
func (l *list) otherKeys() []directory.Attribute {
	var found []directory.Attribute
	best, _ := l.upn()
	for i := range l.f.UPN {
		if c := upnColumn(i); c != best && l.seen[c] {
			found = append(found, c)
		}
	}
	return found
}

func (l *list) checkMappings() error {
	to := map[directory.Attribute]bool{}
	for _, m := range l.api.o.Mappings {
		args := problem.Args{"name": l.api.Name(), "column": m.From, "attribute": string(m.To)}
		switch m.To {
		case "", directory.AccountEnabled, directory.Mail, directory.OtherKeys, directory.UserPrincipalName, directory.ImmutableID:
			return problem.New(problem.MappingTarget, args)
		}
		switch {
		case to[m.To]:
			return problem.New(problem.MappingTarget, args)
		case source.HoldsSecret(m.From):
			return problem.New(problem.MappingSecret, args)
		case !l.seen[m.To]:
			args["columns"] = l.fieldNames()
			return problem.New(problem.MappingColumn, args)
		}
		to[m.To] = true
	}
	return nil
}

func (l *list) fieldNames() string { return strings.Join(slices.Sorted(maps.Keys(l.fields)), ", ") }

// snapshot makes the final one: with the columns that the API has, and the UPN from
// its best name. count is the number that the user gave, 0 for none.
func (l *list) snapshot(count int64) (*directory.Snapshot, error) {
	var columns []directory.Attribute
	for _, c := range l.columns[:len(l.columns)-len(l.f.UPN)] {
		if l.seen[c] {
			columns = append(columns, c)
		}
	}
	upn, _ := l.upn()
	others := l.otherKeys()
	if len(others) > 0 {
		columns = append(columns, directory.OtherKeys)
	}
	b := directory.NewBuilder(directory.Source, columns)
	if !l.seen[directory.ImmutableID] {
		b.Without(directory.ImmutableID)
	}
	if !l.status {
		b.Without(directory.AccountEnabled)
	}
	values, cells := make([]directory.Value, len(columns)), make([]string, len(others))
	for u := range l.raw.All() {
		r := directory.Record{ID: u.ID(), ImmutableID: u.ImmutableID(), Line: u.Line(), Marks: u.Marks(), Values: values}
		r.UPN, _ = u.Get(upn)
		for i, c := range columns {
			values[i].Text, values[i].Set = u.Get(c)
		}
		if len(others) > 0 {
			for i, c := range others {
				cells[i], _ = u.Get(c)
			}
			values[len(values)-1] = directory.JoinKeys(&r, cells)
		}
		if err := b.Add(r); err != nil {
			return nil, err
		}
	}
	// The API lists everybody and proves its own end: no search can have cut it.
	proof := directory.Proof{Ended: true, Pages: l.pages, Items: b.Len(), Count: int64(b.Len())}
	if count > 0 {
		proof.Count = count
	}
	return b.Seal(proof, directory.About{Name: l.api.Name(), Read: l.read, OwnEnd: true})
}

// recognised returns how each field was understood, those that are written first.
func (l *list) recognised() []source.Recognised {
	var all []source.Recognised
	upn, _ := l.upn()
	for _, name := range slices.Sorted(maps.Keys(l.fields)) {
		r := source.Recognised{Column: name, Example: l.fields[name], Attribute: l.of[name]}
		for i, n := range l.f.UPN {
			switch {
			case fold(name) != n:
			case upnColumn(i) == upn:
				r.Attribute = directory.UserPrincipalName
			case l.seen[upnColumn(i)]:
				l.readOnly[name] = true
			}
		}
		switch {
		case source.HoldsSecret(name):
			r.Use = source.Never
		case r.Attribute != "":
			r.Use = source.Mapped
		case l.readOnly[name]:
			r.Use = source.Read
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b source.Recognised) int {
		return cmp.Compare(rank(a.Use), rank(b.Use))
	})
	return all
}

func rank(u source.Use) int {
	return slices.Index([]source.Use{source.Mapped, source.Read, source.NotMapped, source.Never}, u)
}

// user is an item with its fields under folded names.
type user struct {
	l      *list
	fields map[string]field
	custom map[string]field
}

// field is a field with its name as the API spells it.
type field struct {
	name string
	raw  json.RawMessage
}

func (l *list) open(it item) (*user, error) {
	u := &user{l: l, fields: make(map[string]field, len(it)), custom: map[string]field{}}
	for name, raw := range it {
		key := fold(name)
		if slices.Contains(l.f.Custom, key) {
			var custom map[string]json.RawMessage
			if err := json.Unmarshal(raw, &custom); err != nil {
				return nil, fmt.Errorf("field %s: %w", name, err)
			}
			for id, raw := range custom {
				u.custom[strings.ToLower(strings.TrimSpace(id))] = field{id, raw}
				l.example(id, raw)
			}
			continue
		}
		if other, twice := u.fields[key]; twice {
			return nil, fmt.Errorf("fields %s and %s are one", other.name, name)
		}
		u.fields[key] = field{name, raw}
		l.example(name, raw)
	}
	return u, nil
}

// example stores a field and its first text, unless it may be secret.
func (l *list) example(name string, raw json.RawMessage) {
	if had, ok := l.fields[name]; ok && had != "" {
		return
	}
	l.fields[name] = ""
	if v, err := scalar(raw); err == nil && !source.HoldsSecret(name) {
		l.fields[name] = v.Text
	}
}

// attribute returns the value of an attribute, and whether the user has the field.
func (u *user) attribute(c directory.Attribute) (v directory.Value, found bool, err error) {
	if m := u.l.mapping(c); m != nil {
		f, ok := u.custom[strings.ToLower(strings.TrimSpace(m.From))]
		if !ok {
			f, ok = u.fields[fold(m.From)]
		}
		if !ok || source.HoldsSecret(m.From) {
			return v, false, nil
		}
		u.l.of[f.name] = c
		v, err = f.value()
		return v, true, err
	}
	for _, name := range u.l.names(c) {
		if v, found, err = u.text(name); found || err != nil {
			if f := u.fields[name]; found {
				u.l.of[f.name] = c
			}
			break
		}
	}
	if c == directory.MailNickname {
		local, _ := directory.SplitUPN(strings.TrimSpace(v.Text))
		v = directory.Text(local)
	}
	return v, found, err
}

func (u *user) text(name string) (v directory.Value, found bool, err error) {
	f, ok := u.fields[name]
	if !ok {
		return v, false, nil
	}
	v, err = f.value()
	return v, true, err
}

// first returns the value of the first of names that the user has.
func (u *user) first(names []string) (directory.Value, error) {
	for _, name := range names {
		if v, found, err := u.text(name); found || err != nil {
			return v, err
		}
	}
	return directory.Value{}, nil
}

// enabled reads the status; a user without any status is enabled.
func (u *user) enabled() (bool, error) {
	for _, kind := range []struct {
		names []string
		off   []string // values that disable
	}{
		// The one client known to read it treated every true value as a person who
		// has left.
		{u.l.f.Status, []string{"disabled", "true", "1"}},
		{u.l.f.Disabled, []string{"true", "1"}},
		{u.l.f.Enabled, []string{"false", "0"}},
	} {
		for _, name := range kind.names {
			v, found, err := u.text(name)
			if err != nil {
				return false, err
			}
			if found {
				u.l.status = true
				u.l.readOnly[u.fields[name].name] = true
				return !slices.Contains(kind.off, strings.ToLower(strings.TrimSpace(v.Text))), nil
			}
		}
	}
	return true, nil
}

func (f field) value() (directory.Value, error) {
	v, err := scalar(f.raw)
	if err != nil {
		return v, fmt.Errorf("field %s: %w", f.name, err)
	}
	return v, nil
}

// scalar returns a text, a number or a truth value as text; null is not set.
func scalar(raw json.RawMessage) (directory.Value, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
		return directory.Value{}, nil
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return directory.Value{}, err
		}
		return directory.Text(s), nil
	case raw[0] == '{' || raw[0] == '[':
		return directory.Value{}, fmt.Errorf("not a text")
	}
	return directory.Text(string(raw)), nil
}
