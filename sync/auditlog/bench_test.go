package auditlog

import (
	"fmt"
	"io"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// BenchmarkCSV writes 20,000 updates and 2,000 skips.
func BenchmarkCSV(b *testing.B) {
	benchmark(b, CSV)
}

// BenchmarkHTML writes the same as a page.
func BenchmarkHTML(b *testing.B) {
	benchmark(b, HTML)
}

func benchmark(b *testing.B, write func(io.Writer, *message.Printer, Report) error) {
	p, err := message.New("en")
	if err != nil {
		b.Fatal(err)
	}
	f := &fake{whole: true}
	for i := range 20_000 {
		upn := fmt.Sprintf("user%05d@midori.example", i)
		f.actions = append(f.actions, plan.Action{
			No: i + 1, Kind: plan.Update, User: directory.Ref{ID: directory.ID(fmt.Sprintf("id-%05d", i)), UPN: upn}, UPN: upn, Name: "佐藤 恵",
			Changes: []plan.Change{{Attribute: directory.DisplayName, Old: directory.Text("佐藤　恵"), New: directory.Text("佐藤 恵")}},
		})
	}
	for i := range 2_000 {
		f.skips = append(f.skips, plan.Skipped{
			No: 20_001 + i, Group: problem.LeftAlone, Ref: directory.Ref{UPN: fmt.Sprintf("room%d@midori.example", i)},
			Why: problem.New(problem.UnknownLanguage, problem.Args{"language": "x"}),
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := write(io.Discard, p, Report{Plan: f}); err != nil {
			b.Fatal(err)
		}
	}
}
