package main

import (
	"os"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// A deletion that was put back does not count as a deletion that was seen done: its
// line reports that the account was restored, and why.
func TestLogs_ADeletionThatWasPutBackSaysSo(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"deleted and restored again, because the addition failed", "a@x.example  a@x.example was deleted and restored", "1 request seen done"},
		"ja": {"削除した後に復元 (追加に失敗したため)", "a@x.example を削除した後、復元しました", "1"},
	} {
		var out lineBuffer
		a, err := newApp([]string{"--lang", lang}, os.Stdin, &out, &out, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		back := problem.New(problem.RowPutBack, problem.Args{"upn": "a@x.example", "no": "3"}).Store()
		a.logRows([]jsonEntry{
			{No: 1, Kind: "update", Request: "patch", UPN: "u@x.example", State: string(state.Seen)},
			{No: 2, Kind: "delete", Request: "delete", UPN: "a@x.example", State: string(state.Seen), PutBack: true},
			{No: 2, Step: 1, Kind: "delete", Request: "restore", UPN: "a@x.example", State: string(state.Seen), Problem: back, PutBack: true},
			{No: 3, Kind: "add", Request: "create", UPN: "a@x.example", State: string(state.Rejected)},
		})
		text := strings.Join(out.lines(), "\n")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", lang, w, text)
			}
		}
		if n := strings.Count(text, "  a@x.example  "); n != 2 {
			t.Errorf("%s: %d lines\n%s", lang, n, text)
		}
	}
}
