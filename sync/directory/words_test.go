package directory

import "testing"

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
