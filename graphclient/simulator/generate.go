package simulator

import (
	"fmt"
	"strings"

	"github.com/hacsync/hacsync/sync/clock"
)

// share is the part of n, at least one if n allows it.
func share(n int, perMille int) int {
	x := n * perMille / 1000
	if x == 0 && n >= 20 {
		return 1
	}
	return x
}

// generate makes a company of n users and the export that its HENNGE Access
// Control would give: mostly the same people, some of them new, gone, renamed
// or changed. Equal seeds give equal people; dates count from today.
func generate(n int, seed int64, c clock.Clock) (*tenant, []byte, error) {
	t := newTenant(c)
	t.org = newObject(t.sch["organization"], map[string]string{
		"id":                quote(guid("generated", fmt.Sprint(seed), fmt.Sprint(n))),
		"displayName":       `"Sakura Sample K.K."`,
		"countryLetterCode": `"JP"`, "preferredLanguage": `"ja"`, "createdDateTime": `"2016-04-01T00:00:00Z"`,
	})
	const initial, main, lab = "sakurasample.onmicrosoft.com", "sakura.example", "sakura-lab.example"
	for _, d := range []struct {
		id, auth                    string
		initial, byDefault, checked string
	}{
		{initial, "Managed", "true", "false", "true"},
		{main, "Federated", "false", "true", "true"},
		{lab, "Managed", "false", "false", "true"},
		{"sakura-dev.example", "Managed", "false", "false", "false"},
	} {
		t.domains = append(t.domains, newObject(t.sch["domain"], map[string]string{
			"id": quote(d.id), "authenticationType": quote(d.auth), "isInitial": d.initial, "isDefault": d.byDefault,
			"isVerified": d.checked, "isAdminManaged": "true", "isRoot": "true", "supportedServices": `["Email"]`,
		}))
	}
	t.addWellKnown()
	t.addBuiltInRoles()
	w, err := newWorld(t, seed, c.Now())
	if err != nil {
		return nil, nil, err
	}
	w.hdeadmin()

	// Who signs in, and is left alone.
	admin := &person{local: "admin", domain: initial, family: "管理", given: "者", display: "Global Admin"}
	w.finish(admin)
	admin.imm = ""
	signedIn := w.enter(w.account(admin))
	t.signedIn = signedIn.id
	w.role(signedIn.id, roleGlobalAdmin)
	left := n - 1

	// Accounts that are no business of a sync.
	odd := func(perMille int, f func(i int)) {
		for i := range min(share(n, perMille), left) {
			f(i)
			left--
		}
	}
	odd(4, func(i int) { w.special(fmt.Sprintf("shared-%d", i+1), main, fmt.Sprintf("共有 %d", i+1), "shared") })
	odd(3, func(i int) { w.special(fmt.Sprintf("room-%d", i+1), main, fmt.Sprintf("会議室 %d", i+1), "room") })
	odd(1, func(i int) {
		w.special(fmt.Sprintf("car-%d", i+1), main, fmt.Sprintf("社用車 %d", i+1), "equipment")
	})
	odd(5, func(int) { w.guest(w.stranger("partner.example")) })
	odd(2, func(int) {
		p := w.stranger(main)
		w.synced(p)
		w.row(p)
	})
	kinds := []string{roleUserAdmin, roleHelpdesk, roleExchangeAdmin, roleGlobalReader, roleSecurityReader}
	odd(2, func(i int) {
		p := w.stranger(main)
		r := w.enter(w.account(p))
		w.role(r.id, kinds[i%len(kinds)])
		w.row(p)
	})
	odd(1, func(int) {
		p := w.stranger(main)
		w.eligible(w.enter(w.account(p)).id, roleUserAdmin)
		w.row(p)
	})
	var inGroup []string
	odd(1, func(int) {
		p := w.stranger(main)
		inGroup = append(inGroup, w.enter(w.account(p)).id)
		w.row(p)
	})
	if len(inGroup) > 0 {
		g := newObject(t.sch["group"], map[string]string{
			"id": quote(guid(w.id, "group", "operators")), "displayName": `"Directory operators"`, "isAssignableToRole": "true",
			"securityEnabled": "true", "mailEnabled": "false", "mailNickname": `"operators"`, "createdDateTime": madeLongAgo,
		})
		t.addGroup(g)
		t.members[g.id()] = inGroup
	}

	// People, most of them the same on both sides.
	inLab := left * 12 / 100
	w.people(left-inLab, main, true)
	w.people(inLab, lab, false)
	for i := range share(n, 5) {
		p := w.stranger(main)
		w.binned(p, 3+w.rng.IntN(20))
		if i%5 == 0 { // back again: to be restored
			w.row(p)
		}
	}
	// Rows that cannot be written as they are.
	for i := range share(n, 1) {
		p := w.stranger(main)
		if i%2 == 0 {
			p.local = strings.Replace(p.local, ".", "&", 1)
		} else {
			p.imm = ""
		}
		w.row(p)
	}
	export, err := w.export()
	return t, export, err
}

// people makes n accounts of a domain, and their rows of the export.
func (w *world) people(n int, domain string, federated bool) {
	gone, renamed, changed := share(n, 8), share(n, 3), share(n, 30)
	for i := range n {
		p := w.stranger(domain)
		if !federated && w.rng.IntN(2) == 0 {
			p.imm = ""
		}
		w.enter(w.account(p))
		switch {
		case i < gone:
			continue // left the company
		case i < gone+renamed && p.imm != "":
			q := *p
			other := pick(w, w.names.Family)
			q.family, q.display = other[0], other[0]+" "+p.given
			q.local = w.free(other[1]+"."+strings.TrimLeft(strings.TrimPrefix(p.local, splitFirst(p.local)), "."), domain)
			p = &q
		case i < gone+renamed+changed:
			q := *p
			w.vary(&q, i)
			p = &q
		}
		w.row(p)
	}
	for range share(n, 12) {
		w.row(w.stranger(domain)) // new people
	}
}

func splitFirst(local string) string {
	head, _, _ := strings.Cut(local, ".")
	return head
}

// vary changes a person as people change: another name, another spelling, a
// space of another width, another department.
func (w *world) vary(p *person, i int) {
	switch i % 4 {
	case 0:
		p.display = strings.ReplaceAll(p.display, " ", "\u3000")
	case 1:
		p.family = pick(w, w.names.Family)[0]
		p.display = p.family + " " + p.given
	case 2:
		p.display += " (" + p.dept + ")"
	default:
		p.given = pick(w, w.names.Given)[0]
		p.display = p.family + " " + p.given
	}
}
