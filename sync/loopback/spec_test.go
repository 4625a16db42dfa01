package loopback_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/loopback"
)

func TestParseSpec_TakesEveryKind(t *testing.T) {
	texts := []string{
		"429:retry-after=7,on=PATCH /users/*,count=3", "504-after:p=0.05,seed=1", "slow=2s:on=GET", "lag=30s", "replica=1m0s", "item=missing",
		"item=missing-after:count=1", "item=reorder", "item=429:retry-after-date=9", "no-error:status=404", "500:at=hac",
		"empty-page:on=/users?skiptoken,after=2", "503:on=* /groups/**",
	}
	texts = append(texts, loopback.Kinds()...)
	for _, text := range texts {
		s, err := loopback.ParseSpec(text)
		if err != nil || s.String() != text {
			t.Errorf("%s: %q, %v", text, s, err)
		}
	}
	if s, err := loopback.ParseSpec("lag=30s"); err != nil || s.Lag() != 30*time.Second {
		t.Errorf("lag %v, %v", s.Lag(), err)
	}
	if s, err := loopback.ParseSpec("replica=30s"); err != nil || s.Replica() != 30*time.Second || s.Lag() != 0 {
		t.Errorf("replica %v, %v", s.Replica(), err)
	}
}

func TestParseSpec_SaysWhichPartIsWrongAndWhatItTakes(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                     {"", "cut-before"},
		"5xx":                  {"5xx", "504-after"},
		"slow":                 {"slow", "slow=2s"},
		"slow=fast":            {"fast", "2s"},
		"slow=-1s":             {"-1s", "2s"},
		"lag=":                 {"", "1m"},
		"lag=3s:p=1":           {":p=1", "lag=3s"},
		"replica=3s:p=1":       {":p=1", "replica=3s"},
		"item=cut-after":       {"cut-after", "missing-after"},
		"429=7":                {"429=7", "429"},
		"429:":                 {"", "retry-after="},
		"429:7":                {"7", "retry-after="},
		"429:retry-after=soon": {"retry-after=soon", "0..86400"},
		"500:retry-after=7":    {"retry-after=7", "count="},
		"500:p=0":              {"p=0", "0 < p <= 1"},
		"500:p=1.5":            {"p=1.5", "0 < p <= 1"},
		"500:p=NaN":            {"p=NaN", "0 < p <= 1"},
		"500:count=0":          {"count=0", "1.."},
		"500:count=1,count=2":  {"count=2", "count="},
		"500:after=-1":         {"after=-1", "0.."},
		"500:seed=x":           {"seed=x", "seed=1"},
		"500:on=FETCH /users":  {"on=FETCH /users", "PATCH /users/*"},
		"500:on=GET users":     {"on=GET users", "PATCH /users/*"},
		"500:on=GET ":          {"on=GET ", "PATCH /users/*"},
		"500:at=moon":          {"at=moon", "at=hac"},
		"500:status=200":       {"status=200", "count="},
		"no-error:status=200":  {"status=200", "400..599"},
	} {
		_, err := loopback.ParseSpec(text)
		var bad *loopback.BadSpec
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if bad.Spec != text || bad.Part != want[0] || !strings.Contains(bad.Takes, want[1]) || err.Error() == "" {
			t.Errorf("%q: part %q takes %q, want %q", text, bad.Part, bad.Takes, want)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, text := range append(loopback.Kinds(), "429:retry-after=7,on=PATCH /users/*,count=3", "504-after:p=0.05,seed=1",
		"slow=2s", "lag=30s", "item=missing:on=GET /users?x", "no-error:status=500,at=hac", "503:retry-after-date=1,after=2") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := loopback.ParseSpec(text)
		if err != nil {
			var bad *loopback.BadSpec
			if !errors.As(err, &bad) || bad.Takes == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if s.String() != text || s.Lag() < 0 {
			t.Fatalf("%q became %q, lag %v", text, s, s.Lag())
		}
	})
}
