package main

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRule10_JSONShowsNothingRaw(t *testing.T) {
	raw := "a\x1b[31m\u202eb\u0085c\u200bd\u2028e\U000e0001f\x7f 森 <&>"
	b, err := safeJSON(map[string]string{"name": raw})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(b) {
		if r < ' ' || mustEscape(r) {
			t.Errorf("%q stands raw in %s", r, b)
		}
	}
	if !strings.Contains(string(b), "森 <&>") {
		t.Errorf("readable text was escaped: %s", b)
	}
}

func TestSafeJSON_KeepsEveryValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]string{rapid.String().Draw(t, "key"): rapid.String().Draw(t, "value")}
		b, err := safeJSON(want)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		for k, v := range want {
			if got[k] != v {
				t.Fatalf("%q became %q", v, got[k])
			}
		}
	})
}
