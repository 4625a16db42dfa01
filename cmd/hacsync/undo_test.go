package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// sameaccounts TENANTFILE TENANTFILE [PROPERTY…] compares all accounts of two
// tenants by ID, with every property but those named.
func sameAccounts(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: sameaccounts TENANTFILE TENANTFILE [PROPERTY…]")
	}
	read := func(file string) map[string]map[string]any {
		var tenant struct {
			Users []map[string]any `json:"users"`
		}
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &tenant))
		all := map[string]map[string]any{}
		for _, u := range tenant.Users {
			for _, property := range args[2:] {
				delete(u, property)
			}
			id, _ := u["id"].(string)
			all[id] = u
		}
		return all
	}
	one, other := read(args[0]), read(args[1])
	var differ []string
	for _, id := range slices.Sorted(maps.Keys(one)) {
		if !reflect.DeepEqual(one[id], other[id]) {
			differ = append(differ, id)
		}
	}
	for id := range other {
		if one[id] == nil {
			differ = append(differ, id)
		}
	}
	switch {
	case len(one) == 0:
		ts.Fatalf("%s has no accounts", args[0])
	case !neg && len(differ) > 0:
		ts.Fatalf("%d accounts differ: %s", len(differ), strings.Join(differ, ", "))
	case neg && len(differ) == 0:
		ts.Fatalf("all accounts are the same")
	}
}
