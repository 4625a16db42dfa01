package simulator

import (
	"encoding/json"
	"slices"
	"strings"
)

// plan is a service plan as assignedPlans has it.
type plan struct {
	Service string `json:"service"`
	Status  string `json:"capabilityStatus"`
	ID      string `json:"servicePlanId"`
}

func plansOf(raw string) []plan {
	var plans []plan
	_ = json.Unmarshal([]byte(raw), &plans) // null is none
	return plans
}

// Plans and licences as Graph lists them.
const (
	exchangePlan = `{"assignedDateTime":"2024-04-01T00:00:00Z","capabilityStatus":"Enabled","service":"exchange","servicePlanId":"efb87545-963c-4e0d-99df-69c6916d9eb0"}`
	teamsPlan    = `{"assignedDateTime":"2024-04-01T00:00:00Z","capabilityStatus":"Enabled","service":"TeamspaceAPI","servicePlanId":"57ff2da0-773e-42df-b2af-ffb7a2317929"}`
	phonePlan    = `{"assignedDateTime":"2024-04-01T00:00:00Z","capabilityStatus":"Enabled","service":"MicrosoftCommunicationsOnline","servicePlanId":"f47330e9-c134-43b3-9993-e7f004506889"}`
	licenceE3    = `[{"disabledPlans":[],"skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965"}]`
)

// plansOfLicence are the plans of a licence that the tenant sells, by its SKU:
// Office 365 E3 and E5, and the Teams Phone Resource Account.
func plansOfLicence(sku string) []string {
	switch strings.ToLower(sku) {
	case "05e9a617-0261-4cee-bb44-138d3ef5d965", "6fd2c87f-b296-42f0-b197-1e91e994b900", "c7df2760-2c81-4ef7-b578-5b5392b571df":
		return []string{exchangePlan, teamsPlan}
	case "440eaaa8-b3e0-484b-a8be-62870b9ba70a":
		return []string{phonePlan}
	}
	return nil
}

// licences gives a user of a tenant file the plans of its licences, unless the file
// names plans itself; their states must be known to Graph.
func (l *loader) licences(where string, props map[string]string) error {
	states := []string{"Enabled", "Warning", "Suspended", "Deleted", "LockedOut"}
	for i, p := range plansOf(props["assignedPlans"]) {
		if !slices.Contains(states, p.Status) {
			return bad(where, "property assignedPlans item %d has the capabilityStatus %q, which is none of %s", i, p.Status, strings.Join(states, ", "))
		}
	}
	if props["assignedPlans"] != "" || props["assignedLicenses"] == "" {
		return nil
	}
	var held []struct {
		SKU string `json:"skuId"`
	}
	_ = json.Unmarshal([]byte(props["assignedLicenses"]), &held) // a list of objects, as it was read
	var plans []string
	for _, h := range held {
		plans = append(plans, plansOfLicence(h.SKU)...)
	}
	if len(plans) > 0 {
		props["assignedPlans"] = "[" + strings.Join(plans, ",") + "]"
	}
	return nil
}
