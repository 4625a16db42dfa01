package run_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func TestLog_SaysOfEveryLineWhatItIsAboutAndNobodysName(t *testing.T) {
	w := mixed(t)
	var out safeBuffer
	w.Log = slog.New(slog.NewJSONHandler(&out, nil))
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb != plan.Patch {
			return nil
		}
		return &destination.Outcome{Did: destination.NotDone, Why: problem.New(problem.RowConflict, problem.Args{
			"upn": "x", "attribute": "displayName", "now": "山田 秘密",
		}).WithUpstream(problem.Upstream{Status: 400, Code: "Request_BadRequest", RequestID: "r-1", Message: "山田"})}
	}
	p := w.dry(t)
	if _, err := w.Sync(t.Context(), p, approval(p)); err != nil {
		t.Fatal(err)
	}
	said := map[string]map[string]any{}
	for line := range strings.Lines(out.b.String()) {
		if strings.Contains(line, "山田") {
			t.Errorf("a name is in the log: %s", line)
		}
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"tenant", "domain", "run", "kind", "worker"} {
			if o[key] == nil {
				t.Errorf("no %s: %s", key, line)
			}
		}
		said[o["msg"].(string)+" "+o["kind"].(string)] = o
	}
	if o := said["row failed sync"]; o["code"] != string(problem.RowConflict) || o["request_id"] != "r-1" || o["status"] != 400.0 {
		t.Errorf("a row that failed: %v", o)
	}
	if o := said["run ended sync"]; o["state"] != "partial" || o["failed"] != 1.0 || o["seen"] != 3.0 || o["deletions"] != 1.0 {
		t.Errorf("the end: %v", o)
	}
	if o := said["run ended dry-run"]; o["state"] != "done" || o["source_users"] != 41.0 {
		t.Errorf("the end of the dry run: %v", o)
	}
	if said["run began sync"] == nil || said["run began dry-run"] == nil {
		t.Error("a beginning is not said")
	}
}
