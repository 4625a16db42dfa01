// Package directory defines the words for users and where they are: User, UPN,
// Attribute, Domain, Snapshot. It imports no package of hacsync. Start with Snapshot,
// and with Builder, which makes one.
package directory

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ID identifies a user on a side: the object ID of an account in the destination,
// the Username of a user in the source. Neither changes while the user exists.
type ID string

// Attribute is the name of a user property, as Microsoft Graph v1.0 spells it.
type Attribute string

// The attributes that a HAC export maps to, and those that rules read.
const (
	UserPrincipalName Attribute = "userPrincipalName"
	ImmutableID       Attribute = "onPremisesImmutableId"
	MailNickname      Attribute = "mailNickname"
	DisplayName       Attribute = "displayName"
	GivenName         Attribute = "givenName"
	Surname           Attribute = "surname"
	AccountEnabled    Attribute = "accountEnabled" // "true" or "false"
	Mail              Attribute = "mail"
	UsageLocation     Attribute = "usageLocation"
	Department        Attribute = "department"
)

// OtherKeys is the column of a source for the other keys of a row: the cells of
// HAC's identifying columns (Email in addition to the UPN) that no other column of
// the snapshot has, one a line. It is only looked up, never written.
const OtherKeys Attribute = "otherKeys"

// JoinKeys returns the value of OtherKeys for a row: the cells that differ from the
// keys it has already.
func JoinKeys(r *Record, cells []string) Value {
	said := []string{FoldUPN(r.UPN), FoldUPN(string(r.ID)), FoldUPN(r.ImmutableID), ""}
	var more []string
	for _, cell := range cells {
		cell = strings.TrimSpace(cell)
		if key := FoldUPN(cell); !slices.Contains(said, key) {
			said, more = append(said, key), append(more, cell)
		}
	}
	if len(more) == 0 {
		return Value{}
	}
	return Text(strings.Join(more, "\n"))
}

// Standard returns the attributes of the guides' table, in the order they are
// shown. UPN and immutable ID come first: they are keys as well.
func Standard() []Attribute {
	return []Attribute{UserPrincipalName, ImmutableID, DisplayName, Surname, GivenName, MailNickname}
}

// Value is an attribute's text. Set is false if the side has no value; that differs
// from an empty one only in that JSON shows null.
type Value struct {
	Text string
	Set  bool
}

// Text returns a Value that is set unless s is empty.
func Text(s string) Value { return Value{Text: s, Set: s != ""} }

// Side is where a snapshot was read.
type Side uint8

// The sides.
const (
	Source Side = iota + 1
	Destination
	RecycleBin // the destination's deleted users
)

// String names the side, for logs.
func (s Side) String() string {
	switch s {
	case Source:
		return "source"
	case Destination:
		return "destination"
	case RecycleBin:
		return "recycle bin"
	}
	return "unknown side"
}

// Marks are facts about an account on which rules decide.
type Marks uint32

// The marks. What cannot be read is marked too (PurposeUnknown): it protects.
const (
	Enabled          Marks = 1 << iota // may sign in; in the source, status enabled
	Guest                              // userType other than Member and null, #EXT# UPN, an externalUserState, or not a user at all
	Synced                             // synchronised from on-premises
	Restricted                         // in a restricted management administrative unit
	RoleHolder                         // holds a directory role, active or eligible, at any scope
	RoleGroup                          // member or owner of a role-assignable group
	SignedIn                           // signed in for this connection
	Addressed                          // has mail or proxyAddresses
	ExchangePlan                       // has an Exchange plan that works, in its grace period too
	Licensed                           // has any plan that was not removed
	PurposeUser                        // mailbox purpose: a person's
	PurposeShared                      // shared mailbox
	PurposeRoom                        // room mailbox
	PurposeEquipment                   // equipment mailbox
	PurposeOther                       // any other purpose
	PurposeNone                        // there is no mailbox
	PurposeUnknown                     // asked for and refused
	WasLicensed                        // has, or had before, any plan
	SuspendedPlan                      // has an Exchange plan that no longer works: its mailbox may still exist
	OldMember                          // userType is null, as of the oldest accounts, and nothing shows that it is external
	ResourceAccount                    // of Teams: an auto attendant or a call queue
	BlockedByUs                        // hacsync itself blocked its sign-in, by the journal
)

// Purposes are the marks for the kind of mailbox.
const Purposes = PurposeUser | PurposeShared | PurposeRoom | PurposeEquipment | PurposeOther | PurposeNone | PurposeUnknown

// Has reports whether all of m are in x.
func (x Marks) Has(m Marks) bool { return x&m == m }

// Any reports whether one of m is in x.
func (x Marks) Any(m Marks) bool { return x&m != 0 }

// Domain is a domain of the tenant.
type Domain struct {
	Name      string `json:"name"` // lower case
	Federated bool   `json:"federated"`
	Verified  bool   `json:"verified"`
	Initial   bool   `json:"initial"` // the tenant's onmicrosoft.com domain
	Default   bool   `json:"default"`
}

// Tenant is a Microsoft 365 tenant.
type Tenant struct {
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	Initial        string   `json:"initial"`          // its onmicrosoft.com domain
	OnPremisesSync bool     `json:"on_premises_sync"` // another master synchronises into it
	Domains        []Domain `json:"domains,omitempty"`
}

// Record is one user with all that a side knows, outside of a snapshot.
type Record struct {
	ID          ID
	UPN         string // as the side spells it; deleted accounts without the ID prefix
	ImmutableID string
	// Line is the row's place in the source, from 1; 0 in the destination.
	Line int
	// Columns name Values; UPN and immutable ID are not among them.
	Columns []Attribute
	Values  []Value
	Marks   Marks
	// Mail and Addresses (proxyAddresses, with their prefix) are only in the
	// destination.
	Mail      string
	Addresses []string
	// Created, Deleted and LastSignIn are zero if they are not known. In the source
	// LastSignIn is the Last Login.
	Created, Deleted, LastSignIn time.Time
}

// Get returns an attribute of the record: a column, or one with a field of its own
// (UPN, immutable ID, accountEnabled, mail).
func (r *Record) Get(a Attribute) (string, bool) {
	switch a {
	case UserPrincipalName:
		return r.UPN, r.UPN != ""
	case ImmutableID:
		return r.ImmutableID, r.ImmutableID != ""
	case AccountEnabled:
		if r.Marks.Has(Enabled) {
			return "true", true
		}
		return "false", true
	}
	for i, c := range r.Columns {
		if c == a {
			return r.Values[i].Text, r.Values[i].Set
		}
	}
	if a == Mail {
		return r.Mail, r.Mail != ""
	}
	return "", false
}

// Ref identifies an account by all that is known of it.
type Ref struct {
	ID          ID     `json:"id,omitempty"`
	UPN         string `json:"upn,omitempty"`
	ImmutableID string `json:"immutable_id,omitempty"`
}

// Presence is where an account was found.
type Presence uint8

// The presences.
const (
	Absent Presence = iota
	Live
	InRecycleBin
)

// Sighting is what a read of one Ref found. A Ref may find several accounts: by
// ID, by UPN, by immutable ID; each is a Sighting of its own.
type Sighting struct {
	Ref      Ref
	Presence Presence
	Record   Record // zero if Absent
	// ServerTime is the destination's clock at the answer.
	ServerTime time.Time
}

// FoldUPN returns the form in which UPNs, domains and addresses are compared: Entra
// ID ignores case. No other character becomes an ASCII letter: the Kelvin sign and
// the dotted capital I of Turkish do not equal k and i, in Entra ID either.
func FoldUPN(s string) string {
	upper := false
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
		upper = upper || 'A' <= c && c <= 'Z'
	}
	if !upper {
		return s
	}
	return strings.ToLower(s)
}

func foldRune(r rune) rune {
	if l := unicode.ToLower(r); r < utf8.RuneSelf || l >= utf8.RuneSelf {
		return l
	}
	return r
}

// SplitUPN cuts a UPN at its last @. Without one, domain is empty.
func SplitUPN(upn string) (local, domain string) {
	i := strings.LastIndexByte(upn, '@')
	if i < 0 {
		return upn, ""
	}
	return upn[:i], upn[i+1:]
}

// InDomain reports whether upn belongs to the domain, without regard to case;
// a subdomain is another domain.
func InDomain(upn, domain string) bool {
	_, d := SplitUPN(upn)
	return d != "" && (d == domain || strings.EqualFold(d, domain) && FoldUPN(d) == FoldUPN(domain))
}
