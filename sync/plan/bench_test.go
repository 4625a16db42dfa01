package plan

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
)

// bulk is a domain of n users: most unchanged, 3 % changed, 1 % renamed, added
// and deleted each.
func bulk(b *testing.B, n int) Input {
	b.Helper()
	src := directory.NewBuilder(directory.Source, testColumns)
	dst := directory.NewBuilder(directory.Destination, testColumns)
	add := func(to *directory.Builder, p person) {
		if err := to.Add(p.record()); err != nil {
			b.Fatal(err)
		}
	}
	for i := range n {
		u := user(fmt.Sprintf("taro.yamada%07d", i))
		a := u
		u.id = "user-" + u.imm
		a.id, a.marks = fmt.Sprintf("00000000-0000-4000-8000-%012d", i), directory.Enabled|directory.PurposeUser
		switch {
		case i%100 == 0:
			u.upn = fmt.Sprintf("new%07d@%s", i, dom)
		case i%100 == 1:
			add(src, u)
			continue
		case i%100 == 2:
			add(dst, a)
			continue
		case i%100 < 6:
			u.dept, u.name = "Sales", u.name+" x"
		}
		add(src, u)
		add(dst, a)
	}
	in := newScene().in
	seal := func(bd *directory.Builder) *directory.Snapshot {
		s, err := bd.Seal(directory.Proof{Ended: true, Items: bd.Len(), Count: int64(bd.Len())}, directory.About{})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	in.Source, in.Users = seal(src), seal(dst)
	in.Deleted = seal(directory.NewBuilder(directory.RecycleBin, testColumns))
	return in
}

// linked is bulk after a year: every account has a link.
func linked(b *testing.B, n int) Input {
	b.Helper()
	in := bulk(b, n)
	past := NewPastBuilder()
	in.Past.At = at.Add(-directory24(1))
	seen := Seen{First: at.Add(-directory24(365)), Last: in.Past.At}
	for u := range in.Users.All() {
		c := calledBy(u)
		if err := past.Add(Link{
			Account: u.ID(), Username: "user-" + u.ImmutableID(), Given: c.given, Family: c.family, Display: c.display,
			UPN: u.UPN(), ImmutableID: u.ImmutableID(), Since: at.Add(-directory24(300)), Run: 3,
		}, seen); err != nil {
			b.Fatal(err)
		}
	}
	if err := past.Seal(&in.Past); err != nil {
		b.Fatal(err)
	}
	return in
}

func benchmarkBuild(b *testing.B, in Input) {
	n := in.Users.Len()
	if _, err := Build(in); err != nil { // makes the indexes of the snapshots, which are theirs
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	var p *Plan
	for b.Loop() {
		var err error
		if p, err = Build(in); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/(1<<20), "MB-kept")
	if p.Counts().Delete != (n+98)/99 {
		b.Fatalf("%+v", p.Counts())
	}
}

func BenchmarkBuild100k(b *testing.B) { benchmarkBuild(b, bulk(b, 100_000)) }

func BenchmarkBuildLinked100k(b *testing.B) { benchmarkBuild(b, linked(b, 100_000)) }

func BenchmarkBuild1M(b *testing.B) { benchmarkBuild(b, bulk(b, 1_000_000)) }

func BenchmarkBuildLinked1M(b *testing.B) { benchmarkBuild(b, linked(b, 1_000_000)) }

// BenchmarkBuildFirst is a first sync: the domain has no account yet.
func BenchmarkBuildFirst100k(b *testing.B) {
	in := bulk(b, 100_000)
	users := directory.NewBuilder(directory.Destination, testColumns)
	var err error
	if in.Users, err = users.Seal(directory.Proof{Ended: true, Count: 0}, directory.About{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Build(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode100k(b *testing.B) {
	p, err := Build(bulk(b, 100_000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Encode(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
