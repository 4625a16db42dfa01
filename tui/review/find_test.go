package review

import (
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
)

func TestSearch_FindsVariantsAndInQuotesOnlyItself(t *testing.T) {
	for _, c := range []struct {
		query, name string
		want        bool
	}{
		{"渡辺", "渡邉 翔", true},
		{"渡邊", "渡辺翔", true},
		{"ﾜﾀﾅﾍﾞ", "ワタナベ ショウ", true},
		{"Ａ", "abe.kenji", true},
		{"渡辺翔", "渡邉　翔", true},
		{`"渡辺"`, "渡邉 翔", false},
		{`"渡辺"`, "渡辺 翔", true},
		{"髙﨑", "高崎 一", true},
		{"sato", "鈴木", false},
	} {
		if got := newSearcher(c.query).matches(c.name); got != c.want {
			t.Errorf("search %s in %s: %v", c.query, c.name, got)
		}
	}
}

func TestMarked_BracketsWhatDiffers(t *testing.T) {
	for _, c := range []struct{ before, after, old, now string }{
		{"sato.hana@midori.example", "takahashi.hana@midori.example", "[sato].hana@midori.example", "[takahashi].hana@midori.example"},
		{"佐藤", "高橋", "佐藤", "高橋"},
		{"佐藤　花", "佐藤 花", "佐藤[<U+3000>]花", "佐藤[<U+0020>]花"},
		{"営業1課", "営業2課", "営業[1]課", "営業[2]課"},
		{"Yamada", "Yamada Taro", "Yamada[]", "Yamada[ Taro]"},
	} {
		old, now := marked(plan.Change{Attribute: directory.DisplayName, Old: directory.Text(c.before), New: directory.Text(c.after)})
		if old != c.old || now != c.now {
			t.Errorf("%s -> %s: %s -> %s, want %s -> %s", c.before, c.after, old, now, c.old, c.now)
		}
	}
}

func TestMatcher_FindsWhatTheSearchFound(t *testing.T) {
	for _, x := range []struct{ search, cell, want string }{
		{"渡辺", "渡邉 翔", "渡邉"},
		{"ワタナベ", "ﾜﾀﾅﾍﾞ ｼｮｳ", "ﾜﾀﾅﾍﾞ"},
		{"watanabe", "Ｗａｔａｎａｂｅ", "Ｗａｔａｎａｂｅ"},
		{"sho", "watanabe.sho@midori.example", "sho"},
		{`"渡辺"`, "渡邉 翔", ""},
		{`"渡邉"`, "渡邉 翔", "渡邉"},
		{"渡辺翔", "渡邉　翔", "渡邉　翔"},
		{"", "渡邉", ""},
	} {
		got := ""
		for _, m := range NewMatcher(x.search).Find(x.cell) {
			got += x.cell[m[0]:m[1]]
		}
		if got != x.want {
			t.Errorf("%s in %s marks %q, want %q", x.search, x.cell, got, x.want)
		}
	}
}

func TestNarrows_OnlyASearchThatFindsNoMore(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want bool
	}{
		{"渡辺", "渡", true},
		{"渡", "渡辺", false},
		{"x", "", false},
		{`"渡辺"`, "渡", false},
		{"渡邊", "渡辺", true},
	} {
		if got := Narrows(x.a, x.b); got != x.want {
			t.Errorf("Narrows(%q, %q) = %t", x.a, x.b, got)
		}
	}
}
