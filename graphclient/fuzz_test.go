package graphclient

import (
	"encoding/json"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

// FuzzBatchAnswer reads answers of a $batch: each gives one reply or none for every
// item, or a problem. A reply is for one item alone.
func FuzzBatchAnswer(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", "[]", "<html>", `{"responses":[]}`, `{"responses":null}`,
		`{"responses":[{"id":"2","status":204},{"id":"1","status":201,"headers":{"Date":"x"},"body":{"id":"a"}}]}`,
		`{"responses":[{"id":"1","status":200},{"id":"1","status":500}]}`, `{"responses":[{"id":"9","status":200},{"id":"","status":-1}]}`,
		`{"responses":[{"id":"1","status":200,"headers":{"Retry-After":5},"body":"dGV4dA=="}]}`, `{"responses":[null]}`,
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = min(max(n, 1), batchSize)
		replies, err := decodeBatch(answer{status: 200, body: b}, n)
		if err != nil {
			return
		}
		if len(replies) != n {
			t.Fatalf("%d replies to %d items", len(replies), n)
		}
		for i, r := range replies {
			for _, other := range replies[:i] {
				if r != nil && r == other {
					t.Fatalf("one reply for two items")
				}
			}
			if r != nil {
				_ = r.answer()
			}
		}
	})
}

// FuzzPage reads pages of a list: what is no JSON object whole is a problem, and
// what is taken was valid.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		"", " ", "null", "{}", "[]", "<html>", `{"value":[]}`, `{"value":null}`, `{"value":[{"id":"1","userPrincipalName":"a@b.example"}]}`,
		`{"value":[{"id":1}]}`, `{"value":[],"@odata.nextLink":"https://x.invalid/"}`, `{"value":[]}{}`, `{"value":[`, `{"@odata.nextLink":5}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decode[page[map[string]any]](answer{status: 200, body: b}, request{what: "users"})
		if err != nil {
			if problem.Of(err) == nil {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if !json.Valid(b) || p.Value == nil && p.Next == "" && len(b) == 0 {
			t.Fatalf("taken: %q", b)
		}
	})
}
