package state

import (
	"testing"
)

// FuzzImage reads images as a damaged journal might hold them: what reads is
// written the same again.
func FuzzImage(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", `{"displayName":"青井 空"}`, `{"displayName":null,"userPrincipalName":"a@b.example"}`,
		`{"displayName":5}`, `[]`, `{"accountEnabled":"true"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := imageOf(text)
		if !ok && m != nil {
			t.Fatalf("%q does not read, and gives %v", text, m)
		}
		again, ok := imageOf(m.text())
		if !ok || len(again) != len(m) {
			t.Fatalf("%d values, %d after writing them again", len(m), len(again))
		}
		for a := range m {
			was, _ := m.Get(a)
			if now, ok := again.Get(a); !ok || now != was {
				t.Fatalf("%s: %v, %v after writing it again", a, was, now)
			}
		}
	})
}

func TestImage_DistinguishesNoneFromUnreadable(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "{}": true, `{"a":null}`: true, `{"a":"b"}`: true, `{"a":5}`: false, `{"a":"b"`: false, "[]": false,
	} {
		if _, ok := imageOf(text); ok != want {
			t.Errorf("%q reads: %t", text, ok)
		}
	}
}
