package directory

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var testColumns = []Attribute{DisplayName, Surname, GivenName}

// few makes collisions likely: of case, of empty and absent, of address kinds.
var (
	texts     = rapid.SampledFrom([]string{"", "a", "A", "山田", "é", "x\x00y", strings.Repeat("long ", 9000)})
	upns      = rapid.SampledFrom([]string{"", "a@x.example", "A@X.example", "b@x.example", "ﬁ@x.example", "İ@x.example"})
	keys      = rapid.SampledFrom([]string{"", "k", "K", "WEt4r/aDlE3wtGz0UbVoqQ=="})
	addresses = rapid.SliceOfN(rapid.SampledFrom([]string{
		"SMTP:a@x.example", "smtp:A@x.example", "smtp:b@x.example", "SIP:a@x.example", "X500:/o=x", "b@x.example", "",
	}), 0, 4)
)

func drawTime(t *rapid.T, label string) time.Time {
	switch us := rapid.Int64Range(-1e15, 4e15).Draw(t, label); {
	case us < 0:
		return time.Time{}
	case us == 0:
		return unstamp(1)
	default:
		return unstamp(us)
	}
}

func drawRecord(t *rapid.T, side Side, i int) Record {
	r := Record{
		UPN: upns.Draw(t, "upn"), ImmutableID: keys.Draw(t, "immutable"),
		Columns: testColumns, Values: make([]Value, len(testColumns)),
		Marks: Marks(rapid.Uint32Range(0, 1<<17-1).Draw(t, "marks")),
		Mail:  upns.Draw(t, "mail"), Addresses: addresses.Draw(t, "addresses"),
		Created: drawTime(t, "created"), Deleted: drawTime(t, "deleted"), LastSignIn: drawTime(t, "last"),
	}
	if len(r.Addresses) == 0 {
		r.Addresses = nil
	}
	if side == Source {
		r.Line = rapid.IntRange(0, 1<<20).Draw(t, "line")
	} else {
		r.ID = ID(fmt.Sprintf("id-%d", i))
	}
	for k := range r.Values {
		r.Values[k].Text = texts.Draw(t, "text")
		r.Values[k].Set = r.Values[k].Text != "" || rapid.Bool().Draw(t, "set")
	}
	return r
}

func drawRecords(t *rapid.T, side Side, least int) []Record {
	records := make([]Record, rapid.IntRange(least, 40).Draw(t, "rows"))
	for i := range records {
		records[i] = drawRecord(t, side, i)
	}
	return records
}

func sealed(t rapid.TB, side Side, records []Record) *Snapshot {
	b := NewBuilder(side, testColumns)
	for _, r := range records {
		if err := b.Add(r); err != nil {
			t.Fatalf("add: %v", err)
		}
	}
	s, err := b.Seal(Proof{Ended: true, Pages: 1, Items: len(records), Count: int64(len(records))}, About{Name: "test"})
	if err != nil {
		t.Fatalf("seal: %v", err)
	}
	return s
}

func TestSnapshot_GivesBackEveryFieldOfEveryRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.SampledFrom([]Side{Source, Destination, RecycleBin}).Draw(t, "side")
		records := drawRecords(t, side, 1)
		s := sealed(t, side, records)
		if s.Len() != len(records) || s.About().Total != len(records) || s.Side() != side {
			t.Fatalf("got %d rows of the %v", s.Len(), s.Side())
		}
		for u := range s.All() {
			if got, want := u.Record(), records[u.Row()]; !reflect.DeepEqual(got, want) {
				t.Fatalf("row %d:\n got %+v\nwant %+v", u.Row(), got, want)
			}
			r := records[u.Row()]
			for _, a := range append(Standard(), AccountEnabled, Mail, Department) {
				gotText, gotSet := u.Get(a)
				wantText, wantSet := r.Get(a)
				if gotText != wantText || gotSet != wantSet {
					t.Fatalf("row %d %s: got %q %t, want %q %t", u.Row(), a, gotText, gotSet, wantText, wantSet)
				}
			}
		}
	})
}

func TestSnapshot_FindsWhatANaiveSearchFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.SampledFrom([]Side{Source, Destination}).Draw(t, "side")
		records := drawRecords(t, side, 1)
		s := sealed(t, side, records)
		search := func(match func(*Record) bool) []int {
			var rows []int
			for i := range records {
				if match(&records[i]) {
					rows = append(rows, i)
				}
			}
			return rows
		}
		check := func(what, key string, got []User, want []int) {
			var rows []int
			for _, u := range got {
				rows = append(rows, u.Row())
			}
			if !slices.Equal(rows, want) {
				t.Fatalf("%s %q: rows %v, want %v", what, key, rows, want)
			}
		}
		upn := upns.Draw(t, "look for UPN")
		check("UPN", upn, s.ByUPN(upn), search(func(r *Record) bool {
			return upn != "" && FoldUPN(r.UPN) == FoldUPN(upn)
		}))
		key := keys.Draw(t, "look for immutable ID")
		check("immutable ID", key, s.ByImmutableID(key), search(func(r *Record) bool {
			return key != "" && r.ImmutableID == key
		}))
		check("address", upn, s.ByAddress(upn), search(func(r *Record) bool {
			return upn != "" && (FoldUPN(r.Mail) == FoldUPN(upn) || slices.ContainsFunc(r.Addresses, func(a string) bool {
				a = FoldUPN(a)
				return a == FoldUPN(upn) || a == "smtp:"+FoldUPN(upn)
			}))
		}))
		id := ID(fmt.Sprintf("id-%d", rapid.IntRange(0, 50).Draw(t, "look for ID")))
		u, ok := s.ByID(id)
		if want := search(func(r *Record) bool { return r.ID == id }); ok != (len(want) == 1) || ok && u.Row() != want[0] {
			t.Fatalf("ID %s: row %d %t, want %v", id, u.Row(), ok, want)
		}
	})
}

func TestDigest_IgnoresTheOrderOfRowsColumnsAndAddresses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t, Destination, 1)
		want := sealed(t, Destination, records).Digest()

		b := NewBuilder(Destination, []Attribute{GivenName, DisplayName, Surname})
		for _, i := range rapid.Permutation(indexes(len(records))).Draw(t, "order") {
			r := records[i]
			r.Values = []Value{r.Values[2], r.Values[0], r.Values[1]}
			r.Addresses = slices.Clone(r.Addresses)
			slices.Reverse(r.Addresses)
			r.Created, r.LastSignIn, r.Line = time.Now(), time.Now(), i
			if err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		s, err := b.Seal(Proof{Ended: true, Items: len(records), Count: -1}, About{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Digest() != want {
			t.Fatal("the digest changed with the order")
		}
	})
}

func TestDigest_ChangesWithEachValue(t *testing.T) {
	changes := map[string]func(*Record){
		"upn":       func(r *Record) { r.UPN += "x" },
		"immutable": func(r *Record) { r.ImmutableID += "x" },
		"id":        func(r *Record) { r.ID += "x" },
		"mail":      func(r *Record) { r.Mail += "x" },
		"address":   func(r *Record) { r.Addresses = append(slices.Clone(r.Addresses), "smtp:new@x.example") },
		"mark":      func(r *Record) { r.Marks ^= Enabled },
		"value":     func(r *Record) { r.Values = slices.Clone(r.Values); r.Values[1] = Value{r.Values[1].Text + "x", true} },
		"unset":     func(r *Record) { r.Values = slices.Clone(r.Values); r.Values[1].Set = !r.Values[1].Set },
		"swapped": func(r *Record) {
			r.Values = slices.Clone(r.Values)
			r.Values[0], r.Values[1] = Value{r.Values[0].Text + "1", true}, Value{r.Values[0].Text + "2", true}
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				records := drawRecords(t, Destination, 1)
				before := sealed(t, Destination, records).Digest()
				i := rapid.IntRange(0, len(records)-1).Draw(t, "row")
				if name == "unset" {
					records[i].Values[1].Text = ""
					before = sealed(t, Destination, records).Digest()
				}
				change(&records[i])
				if sealed(t, Destination, records).Digest() == before {
					t.Fatal("the digest did not change")
				}
			})
		})
	}
}

func TestDigest_CountsEqualRows(t *testing.T) {
	r := Record{UPN: "a@x.example", Values: make([]Value, len(testColumns))}
	seen := map[Digest]int{}
	for n := 1; n <= 5; n++ {
		d := sealed(t, Source, slices.Repeat([]Record{r}, n)).Digest()
		if was, ok := seen[d]; ok {
			t.Fatalf("%d equal rows have the digest of %d", n, was)
		}
		seen[d] = n
	}
}

func TestDigest_EqualRowsDoNotCancelOut(t *testing.T) {
	row := func(upn string) Record { return Record{UPN: upn, Values: make([]Value, len(testColumns))} }
	a := sealed(t, Source, []Record{row("a@x.example"), row("a@x.example"), row("b@x.example")})
	c := sealed(t, Source, []Record{row("c@x.example"), row("c@x.example"), row("b@x.example")})
	if a.Digest() == c.Digest() {
		t.Fatal("two pairs of equal rows have one digest")
	}
}

func TestDigest_DistinguishesAMissingColumnFromAnEmptyOne(t *testing.T) {
	with := NewBuilder(Source, []Attribute{DisplayName, Surname})
	without := NewBuilder(Source, []Attribute{DisplayName})
	noKey := NewBuilder(Source, []Attribute{DisplayName}).Without(ImmutableID)
	var all []Digest
	for _, b := range []*Builder{with, without, noKey} {
		if err := b.Add(Record{UPN: "a@x.example", Values: make([]Value, len(b.t.columns))}); err != nil {
			t.Fatal(err)
		}
		s, err := b.Seal(Proof{Ended: true, Items: 1, Count: -1}, About{})
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(all, s.Digest()) {
			t.Fatal("the digest is that of other columns")
		}
		all = append(all, s.Digest())
	}
}

func TestSeal_RefusesWhatIsNotProvenComplete(t *testing.T) {
	row := Record{ID: "1", UPN: "a@x.example"}
	tests := map[string]struct {
		side  Side
		rows  int
		proof Proof
		want  error // nil: a snapshot
	}{
		"whole":                            {Source, 1, Proof{Ended: true, Items: 1, Count: -1}, nil},
		"whole and counted":                {Destination, 1, Proof{Ended: true, Items: 1, Count: 1}, nil},
		"not ended":                        {Source, 1, Proof{Items: 1, Count: -1}, &IncompleteError{}},
		"an item was dropped":              {Source, 1, Proof{Ended: true, Items: 2, Count: -1}, &IncompleteError{}},
		"an item too many":                 {Source, 1, Proof{Ended: true, Items: 0, Count: -1}, &IncompleteError{}},
		"the side counts more":             {Destination, 1, Proof{Ended: true, Items: 1, Count: 2}, &IncompleteError{}},
		"the side counts none":             {Destination, 1, Proof{Ended: true, Items: 1, Count: 0}, &IncompleteError{}},
		"empty source":                     {Source, 0, Proof{Ended: true, Count: 0}, ErrEmpty},
		"empty destination, not counted":   {Destination, 0, Proof{Ended: true, Count: -1}, ErrEmpty},
		"empty destination, counted empty": {Destination, 0, Proof{Ended: true, Count: 0}, nil},
		"empty recycle bin":                {RecycleBin, 0, Proof{Ended: true, Count: -1}, nil},
		"zero proof of an empty source":    {Source, 0, Proof{}, &IncompleteError{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := NewBuilder(tt.side, nil)
			for range tt.rows {
				if err := b.Add(row); err != nil {
					t.Fatal(err)
				}
			}
			s, err := b.Seal(tt.proof, About{})
			var incomplete, want *IncompleteError
			switch {
			case tt.want == nil:
				if err != nil || s.Len() != tt.rows {
					t.Fatalf("got %v", err)
				}
			case errors.As(tt.want, &want):
				if !errors.As(err, &incomplete) || incomplete.Rows != tt.rows {
					t.Fatalf("got %v", err)
				}
			case !errors.Is(err, tt.want):
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if (s == nil) != (err != nil) {
				t.Fatal("a snapshot with an error")
			}
			if _, err := b.Seal(tt.proof, About{}); !errors.Is(err, ErrSealed) {
				t.Fatalf("sealed twice: %v", err)
			}
		})
	}
}

func TestAdd_RefusesABadRowAndAllAfterIt(t *testing.T) {
	good := Record{ID: "1", Values: make([]Value, 3)}
	tests := map[string]struct {
		side Side
		bad  Record
		want any
	}{
		"an ID twice":      {Destination, good, &DuplicateError{}},
		"deleted twice":    {RecycleBin, good, &DuplicateError{}},
		"no ID":            {Destination, Record{Values: make([]Value, 3)}, ErrNoID},
		"a value too few":  {Source, Record{Values: make([]Value, 2)}, &ValuesError{}},
		"a value too many": {Source, Record{Values: make([]Value, 4)}, &ValuesError{}},
		"a value too long": {Source, Record{UPN: strings.Repeat("x", chunkSize+1), Values: make([]Value, 3)}, ErrTooLarge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := NewBuilder(tt.side, testColumns)
			if err := b.Add(good); err != nil {
				t.Fatal(err)
			}
			err := b.Add(tt.bad)
			if want, ok := tt.want.(error); ok && !errors.Is(err, want) && reflect.TypeOf(err) != reflect.TypeOf(want) {
				t.Fatalf("got %v, want %T", err, want)
			}
			if err := b.Add(Record{ID: "2", Values: make([]Value, 3)}); err == nil {
				t.Fatal("took a row after an error")
			}
			if _, err := b.Seal(Proof{Ended: true, Items: 1, Count: 1}, About{}); err == nil {
				t.Fatal("sealed after an error")
			}
		})
	}
	b := NewBuilder(Source, nil)
	for range 2 {
		if err := b.Add(Record{UPN: "a@x.example"}); err != nil {
			t.Fatalf("a source may name a UPN twice, for the planner to say so: %v", err)
		}
	}
}

func TestColumn_KeepsTextsAcrossChunks(t *testing.T) {
	var c column
	var want []string
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		n := random.IntN(4000)
		switch i % 50 {
		case 7:
			n = 0
		case 9:
			n = chunkSize
		}
		want = append(want, strings.Repeat(string(rune('a'+i%26)), n))
		if !c.add(want[i], false) {
			t.Fatal("full")
		}
		if got := c.get(i); got != want[i] {
			t.Fatalf("while building, text %d has %d bytes, want %d", i, len(got), n)
		}
	}
	c.seal()
	for i := range want {
		if got := c.get(i); got != want[i] {
			t.Fatalf("text %d has %d bytes, want %d", i, len(got), len(want[i]))
		}
	}
}

func TestSnapshot_WithMarksLeavesTheOriginalAlone(t *testing.T) {
	s := sealed(t, Destination, []Record{
		{ID: "1", Marks: Enabled, Values: make([]Value, 3)},
		{ID: "2", Values: make([]Value, 3)},
	})
	more := s.WithMarks(map[ID]Marks{"1": RoleHolder, "nobody": Guest})
	if u, _ := s.ByID("1"); u.Marks() != Enabled {
		t.Fatal("the original changed")
	}
	if u, _ := more.ByID("1"); u.Marks() != Enabled|RoleHolder {
		t.Fatalf("got marks %b", u.Marks())
	}
	if more.At(1).Marks() != 0 || more.Digest() == s.Digest() {
		t.Fatal("wrong row, or the digest does not tell")
	}
}

func TestSnapshot_SaysWhichColumnsASideHas(t *testing.T) {
	b := NewBuilder(Source, []Attribute{DisplayName}).Without(ImmutableID).Without(AccountEnabled)
	if err := b.Add(Record{UPN: "a@x.example", Marks: Enabled, Values: make([]Value, 1)}); err != nil {
		t.Fatal(err)
	}
	s, err := b.Seal(Proof{Ended: true, Items: 1, Count: -1}, About{})
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[Attribute]bool{
		UserPrincipalName: true, DisplayName: true, Surname: false, ImmutableID: false, AccountEnabled: false,
	} {
		if s.HasColumn(a) != want {
			t.Errorf("HasColumn(%s) is %t", a, !want)
		}
	}
	if _, set := s.At(0).Get(AccountEnabled); set {
		t.Error("a source without status says whether the account is enabled")
	}
}

func indexes(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}
