package directory

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestInDomain(t *testing.T) {
	tests := []struct {
		upn, domain string
		want        bool
	}{
		{"a@midori.example", "midori.example", true},
		{"a@MIDORI.example", "midori.example", true},
		{"a@sub.midori.example", "midori.example", false},
		{"a@notmidori.example", "midori.example", false},
		{"b@midori.example@other.example", "midori.example", false},
		{"a", "", false},
		{"a@", "", false},
	}
	for _, tt := range tests {
		if got := InDomain(tt.upn, tt.domain); got != tt.want {
			t.Errorf("InDomain(%q, %q) = %t", tt.upn, tt.domain, got)
		}
	}
}

func TestFoldUPN_MakesNoASCIILetterOfAnother(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"a.b@x.example", "a.b@x.example"},
		{"A.B@X.Example", "a.b@x.example"},
		{"\u212aen@x.example", "\u212aen@x.example"},
		{"\u0130da@x.example", "\u0130da@x.example"},
		{"ÉMILE@X.example", "émile@x.example"},
		{"山田@X.example", "山田@x.example"},
	} {
		if got := FoldUPN(tt.in); got != tt.want {
			t.Errorf("FoldUPN(%q) is %q, want %q", tt.in, got, tt.want)
		}
	}
	if InDomain("a@\u212aontoso.example", "kontoso.example") {
		t.Error("a domain with a Kelvin sign is taken for one with a k")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		got := FoldUPN(s)
		if FoldUPN(got) != got {
			t.Fatalf("%q folds again: %q", s, got)
		}
		ascii := func(s string) (n int) {
			for i := range len(s) {
				if s[i] < utf8.RuneSelf {
					n++
				}
			}
			return n
		}
		if ascii(got) != ascii(s) {
			t.Fatalf("%q becomes %q", s, got)
		}
		if want := strings.ToLower(s); ascii(s) == len(s) && got != want {
			t.Fatalf("%q becomes %q", s, got)
		}
	})
}

func BenchmarkFoldUPN(b *testing.B) {
	for _, s := range []string{"yamada.taro@midori.example", "Yamada.Taro@Midori.example", "山田.taro@midori.example"} {
		b.Run(s, func(b *testing.B) {
			for b.Loop() {
				FoldUPN(s)
			}
		})
	}
}
