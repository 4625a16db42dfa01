package flow

import (
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
)

func TestFilePath_TakesOffWhatATerminalAdds(t *testing.T) {
	for _, c := range []struct {
		typed, want string
		windows     bool
	}{
		{`users.csv`, `users.csv`, false},
		{`  /home/mori/users (2).csv `, `/home/mori/users (2).csv`, false},
		{`'/home/mori/users (2).csv' `, `/home/mori/users (2).csv`, false},
		{`/home/mori/users\ \(2\).csv`, `/home/mori/users (2).csv`, false},
		{`file:///home/mori/users%20(2).csv`, `/home/mori/users (2).csv`, false},
		{`「利用者.csv」`, `利用者.csv`, false},
		{`"C:\Users\mori\Downloads\users (2).csv"`, `C:\Users\mori\Downloads\users (2).csv`, true},
		{`& 'C:\Users\mori\users.csv'`, `C:\Users\mori\users.csv`, true},
		{`C:\Users\mori\users.csv`, `C:\Users\mori\users.csv`, true},
	} {
		if got := filePath(c.typed, c.windows); got != c.want {
			t.Errorf("filePath(%q) = %q, want %q", c.typed, got, c.want)
		}
	}
}

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
