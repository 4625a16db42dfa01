package directory

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

const benchRows = 1_000_000

func benchRecord(i int) Record {
	domain := [...]string{"midori.example", "midori-logi.example", "midori-group.example"}[i%3]
	upn := fmt.Sprintf("user.%07d@%s", i, domain)
	return Record{
		ID:          ID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)),
		UPN:         upn,
		ImmutableID: fmt.Sprintf("%022d==", i),
		Values:      []Value{Text(fmt.Sprintf("山田 太郎%d", i)), Text("山田"), Text(fmt.Sprintf("太郎%d", i))},
		Marks:       Enabled,
		Mail:        upn,
		Addresses:   []string{"SMTP:" + upn},
	}
}

// naive is what a snapshot would be without columns.
type naive struct {
	rows             []Record
	byID             map[ID]int
	byUPN, immutable map[string]int
}

// BenchmarkSnapshot builds a destination of a million users with three attributes,
// then looks each up by three keys; for comparison the same with a slice of structs
// and maps. B/user is what stays on the heap.
func BenchmarkSnapshot(b *testing.B) {
	b.Run("columns", func(b *testing.B) {
		for range b.N {
			measure(b, func() any {
				builder := NewBuilder(Destination, testColumns)
				for i := range benchRows {
					if err := builder.Add(benchRecord(i)); err != nil {
						b.Fatal(err)
					}
				}
				s, err := builder.Seal(Proof{Ended: true, Items: benchRows, Count: benchRows}, About{})
				if err != nil {
					b.Fatal(err)
				}
				s.ByUPN("x")
				s.ByImmutableID("x")
				return s
			}, func(kept any) {
				s := kept.(*Snapshot)
				for u := range s.All() {
					if v, ok := s.ByID(u.ID()); !ok || v != u || s.ByUPN(u.UPN())[0] != u || s.ByImmutableID(u.ImmutableID())[0] != u {
						b.Fatal("not found")
					}
				}
			})
		}
	})
	b.Run("naive", func(b *testing.B) {
		for range b.N {
			measure(b, func() any {
				n := &naive{byID: map[ID]int{}, byUPN: map[string]int{}, immutable: map[string]int{}}
				for i := range benchRows {
					r := benchRecord(i)
					n.rows = append(n.rows, r)
					n.byID[r.ID], n.byUPN[strings.ToLower(r.UPN)], n.immutable[r.ImmutableID] = i, i, i
				}
				return n
			}, func(kept any) {
				n := kept.(*naive)
				for i := range n.rows {
					r := &n.rows[i]
					if n.byID[r.ID] != i || n.byUPN[strings.ToLower(r.UPN)] != i || n.immutable[r.ImmutableID] != i {
						b.Fatal("not found")
					}
				}
			})
		}
	})
}

func BenchmarkDigest(b *testing.B) {
	builder := NewBuilder(Destination, testColumns)
	for i := range benchRows / 10 {
		if err := builder.Add(benchRecord(i)); err != nil {
			b.Fatal(err)
		}
	}
	s, err := builder.Seal(Proof{Ended: true, Items: benchRows / 10, Count: -1}, About{})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		s.sum()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(benchRows/10), "ns/user")
}

func measure(b *testing.B, build func() any, look func(any)) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, start := heap(), time.Now()
	kept := build()
	built := time.Since(start)
	after := heap()
	start = time.Now()
	look(kept)
	b.ReportMetric(built.Seconds(), "s-build")
	b.ReportMetric(time.Since(start).Seconds(), "s-look")
	b.ReportMetric(float64(after-before)/benchRows, "B/user")
	runtime.KeepAlive(kept)
}
