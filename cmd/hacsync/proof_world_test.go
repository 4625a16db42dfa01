package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const proofDomain = "midori.example"

// proofPerson is an account of the proof's tenants, and a row of their sources,
// with what the oracle compares.
type proofPerson struct {
	ID          string          `json:"id"`
	UPN         string          `json:"userPrincipalName"`
	Display     string          `json:"displayName,omitempty"`
	Given       string          `json:"givenName,omitempty"`
	Surname     string          `json:"surname,omitempty"`
	Nickname    string          `json:"mailNickname,omitempty"`
	ImmutableID string          `json:"onPremisesImmutableId,omitempty"`
	Synced      bool            `json:"onPremisesSyncEnabled,omitempty"`
	Type        string          `json:"userType,omitempty"`
	Deleted     string          `json:"deletedDateTime,omitempty"`
	raw         json.RawMessage // as a snapshot has it
}

type proofTenantFile struct {
	Organization map[string]string `json:"organization"`
	Domains      []map[string]any  `json:"domains"`
	Users        []proofPerson     `json:"users"`
	Deleted      []proofPerson     `json:"deletedUsers"`
	Roles        []map[string]any  `json:"roleAssignments"`
	SignedIn     string            `json:"signedIn"`
}

// proofWorld is a tenant and the source that it is to equal.
type proofWorld struct {
	tenant    []byte
	export    []byte
	rows      []proofPerson
	untouched map[string]bool // ids of accounts that must stay byte for byte
	changes   int
}

const proofAdmin = "admin@midorisample.onmicrosoft.com"

// newProofWorld makes a domain of n accounts that stay as they are, and for
// each size some changes of every kind: 8 added, 6 changed, 2 that swap their
// UPNs, 2 in a chain, 1 renamed and changed, 1 restored, 3 deleted.
func newProofWorld(n, size int) *proofWorld {
	w := &proofWorld{untouched: map[string]bool{}}
	f := proofTenantFile{
		Organization: map[string]string{"id": "6d0c9a1e-0000-4000-8000-0000000000aa", "displayName": "Midori Sample K.K."},
		Domains: []map[string]any{
			{"id": "midorisample.onmicrosoft.com", "isInitial": true},
			{"id": proofDomain, "isDefault": true},
			{"id": "other.example"},
		},
		SignedIn: proofAdmin,
	}
	id := 0
	account := func(upn string, imm bool) proofPerson {
		id++
		local, _, _ := strings.Cut(upn, "@")
		p := proofPerson{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", id), UPN: upn, Nickname: local,
			Display: "表示 " + local, Given: "名 " + local, Surname: "姓 " + local,
		}
		if imm {
			p.ImmutableID = fmt.Sprintf("IMM%05d==", id)
		}
		return p
	}
	keep := func(p proofPerson) {
		w.untouched[p.ID] = true
		f.Users = append(f.Users, p)
	}
	admin := account(proofAdmin, false)
	keep(admin)
	boss := account("boss@"+proofDomain, false)
	keep(boss)
	for _, p := range []proofPerson{admin, boss} {
		f.Roles = append(f.Roles, map[string]any{
			"principalId": p.ID, "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/",
		})
	}
	synced, guest := account("synced@"+proofDomain, true), account("guest@"+proofDomain, false)
	synced.Synced, guest.Type = true, "Guest"
	keep(synced)
	keep(guest)
	keep(account("else@other.example", true))
	for i := range n {
		p := account(fmt.Sprintf("user%04d@%s", i, proofDomain), true)
		keep(p)
		w.rows = append(w.rows, p)
	}
	for k := range size {
		name := func(what string, i int) string { return fmt.Sprintf("%s%d-%d@%s", what, k, i, proofDomain) }
		both := func(upn string, change func(*proofPerson)) {
			p := account(upn, true)
			f.Users = append(f.Users, p)
			change(&p)
			w.rows = append(w.rows, p)
			w.changes++
		}
		for i := range 6 {
			both(name("changed", i), func(p *proofPerson) { p.Surname, p.Display = "新姓", "新 "+p.Display })
		}
		both(name("swap", 0), func(p *proofPerson) { p.UPN = name("swap", 1) })
		both(name("swap", 1), func(p *proofPerson) { p.UPN = name("swap", 0) })
		both(name("chain", 0), func(p *proofPerson) { p.UPN = name("chain", 1) })
		both(name("chain", 1), func(p *proofPerson) { p.UPN = name("end", 0) })
		both(name("moves", 0), func(p *proofPerson) { p.UPN, p.Given = name("moved", 0), "新名" })
		for i := range 3 {
			f.Users = append(f.Users, account(name("gone", i), true))
			w.changes++
		}
		back := account(name("back", 0), true)
		back.Deleted = time.Now().Add(-48 * time.Hour).UTC().Format(time.RFC3339)
		f.Deleted = append(f.Deleted, back)
		back.Surname, back.Deleted = "帰", ""
		w.rows = append(w.rows, back)
		w.changes++
		for i := range 8 {
			p := account(name("add", i), true)
			p.ID = ""
			w.rows = append(w.rows, p)
			w.changes++
		}
	}
	w.tenant, _ = json.Marshal(f)
	var out bytes.Buffer
	c := csv.NewWriter(&out)
	_ = c.Write([]string{"Username", "Email", "Family Name", "Given Name", "Display Name", "Status", "Microsoft Immutable ID"})
	for _, p := range w.rows {
		local, _, _ := strings.Cut(p.UPN, "@")
		_ = c.Write([]string{local, p.UPN, p.Surname, p.Given, p.Display, "enabled", p.ImmutableID})
	}
	c.Flush()
	w.export = out.Bytes()
	return w
}

// proofSnapshot is a tenant as the simulator saves it.
type proofSnapshot struct {
	live, bin map[string]proofPerson
}

func readSnapshot(t testing.TB, b []byte) proofSnapshot {
	t.Helper()
	var f struct {
		Users   []json.RawMessage `json:"users"`
		Deleted []json.RawMessage `json:"deletedUsers"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	s := proofSnapshot{live: map[string]proofPerson{}, bin: map[string]proofPerson{}}
	for _, side := range []struct {
		raw []json.RawMessage
		m   map[string]proofPerson
	}{{f.Users, s.live}, {f.Deleted, s.bin}} {
		for _, raw := range side.raw {
			p := proofPerson{raw: raw}
			if err := json.Unmarshal(raw, &p); err != nil {
				t.Fatal(err)
			}
			side.m[p.ID] = p
		}
	}
	return s
}

// check is the oracle. It knows no plans: accounts equal the source, none exists
// twice, none got another id, nothing protected changed, people who left are in the
// recycle bin, and every change is in the journal, by id.
func (w *proofWorld) check(t testing.TB, was, now proofSnapshot, journal map[string]bool) {
	t.Helper()
	ids := map[string]string{} // immutable ID → id before
	for _, m := range []map[string]proofPerson{was.live, was.bin} {
		for id, p := range m {
			if p.ImmutableID != "" {
				ids[p.ImmutableID] = id
			}
		}
	}
	byUPN := map[string][]proofPerson{}
	for _, p := range now.live {
		byUPN[strings.ToLower(p.UPN)] = append(byUPN[strings.ToLower(p.UPN)], p)
	}
	wanted := map[string]bool{}
	for _, row := range w.rows {
		found := byUPN[strings.ToLower(row.UPN)]
		if len(found) != 1 {
			t.Errorf("%s is there %d times", row.UPN, len(found))
			continue
		}
		p := found[0]
		wanted[p.ID] = true
		if old, had := ids[row.ImmutableID]; had && old != p.ID {
			t.Errorf("%s has another id than before", row.UPN)
		}
		got := []string{p.Display, p.Given, p.Surname, p.ImmutableID}
		if want := []string{row.Display, row.Given, row.Surname, row.ImmutableID}; !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", row.UPN, got, want)
		}
	}
	for id := range w.untouched {
		if !bytes.Equal(was.live[id].raw, now.live[id].raw) {
			t.Errorf("%s was not to be touched: %s, before %s", was.live[id].UPN, now.live[id].raw, was.live[id].raw)
		}
	}
	for id, p := range now.live {
		if !wanted[id] && !w.untouched[id] {
			t.Errorf("%s was left over", p.UPN)
		}
	}
	for id, p := range now.bin {
		if _, before := was.live[id]; !before {
			t.Errorf("%s was made and deleted", p.UPN)
		}
	}
	for id := range was.live {
		if _, live := now.live[id]; !live {
			if _, deleted := now.bin[id]; !deleted {
				t.Errorf("%s is nowhere any more", was.live[id].UPN)
			}
		}
	}
	for _, m := range []map[string]proofPerson{now.live, now.bin} {
		for id, p := range m {
			same := bytes.Equal(p.raw, was.live[id].raw) || bytes.Equal(p.raw, was.bin[id].raw)
			if !same && !journal[id] {
				t.Errorf("the journal does not explain the change of %s", p.UPN)
			}
		}
	}
}
