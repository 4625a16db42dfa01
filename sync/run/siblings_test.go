package run_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/run"
)

// An account of a sibling domain, linked there or not, is asked about before its person
// gets a second one here; not where another HAC feeds that domain.
func TestSiblings_AreThoseThatTheSameSourceFeeds(t *testing.T) {
	const sibling = "fed.example"
	a, p := village(t, 20)
	a.tenant.person("stray@"+sibling, "", "Stray")
	for _, k := range []string{"kept", "gone"} {
		u := a.tenant.person(k+"@"+sibling, "", k)
		a.source.rows = append(a.source.rows, directory.Record{
			ID: directory.ID("hac-" + k), UPN: u.UPN, Marks: u.Marks, Columns: u.Columns, Values: slices.Clone(u.Values),
		})
	}
	if err := p.SetSettings(t.Context(), sibling, map[string]string{"source": "hac", "on_missing": "keep"}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.DryRun(t.Context(), sibling, run.Overrides{}); err != nil {
		t.Fatal(err)
	}
	p.dry(t)
	// Who was made anew here has the name, and nothing else, of one who is linked there.
	row := *a.row("gone@" + sibling)
	a.leave("gone@" + sibling)
	row.ID, row.UPN = "hac-anew", at("anew")
	row.Values = slices.Clone(row.Values)
	row.Values[3] = directory.Text("anew")
	other := row
	other.ID, other.UPN = "hac-other", at("other")
	other.Values = []directory.Value{directory.Text("Stray"), directory.Text("S Stray"), directory.Text("G Stray"), directory.Text("other")}
	a.source.rows = append(a.source.rows, row, other)
	a.later(time.Hour)
	if c := p.dry(t).Plan.Counts(); c.Questions != 2 || c.Add != 0 {
		t.Errorf("%+v", c)
	}
	if err := p.SetSettings(t.Context(), sibling, map[string]string{"source": "csv:other.csv", "source_name": "branch"}); err != nil {
		t.Fatal(err)
	}
	if c := p.dry(t).Plan.Counts(); c.Questions != 1 || c.Add != 1 { // the link of this source stays
		t.Errorf("fed by another source: %+v", c)
	}
}
