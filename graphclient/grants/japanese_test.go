package grants_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/graphclient/grants"
)

// In Japanese a script differs in comments and in what stands in quotes alone, and
// it begins with the mark by which Windows PowerShell 5.1 reads it as UTF-8.
func TestScripts_InJapaneseOnlyWordsDiffer(t *testing.T) {
	quoted := regexp.MustCompile(`"[^"]*"|'[^']*'`)
	expanded := regexp.MustCompile(`\$[A-Za-z]+[ぁ-んァ-ヶ一-龥]`)
	bare := func(line string) string {
		if strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.HasPrefix(line, "#Requires") {
			return "#"
		}
		return quoted.ReplaceAllString(line, "''")
	}
	for name, text := range renderings(t) {
		if strings.Contains(name, "move") {
			continue
		}
		raw, err := grants.Japanese([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		japanese, marked := strings.CutPrefix(string(raw), "\ufeff")
		english, ours := strings.Split(text, "\r\n"), strings.Split(japanese, "\r\n")
		if !marked || len(english) != len(ours) {
			t.Fatalf("%s: marked %v, %d lines of %d", name, marked, len(ours), len(english))
		}
		for i := range english {
			if bare(english[i]) != bare(ours[i]) || strings.Count(english[i], `"`) != strings.Count(ours[i], `"`) || expanded.MatchString(ours[i]) || strings.ContainsAny(ours[i], "‘’“”") {
				t.Errorf("%s: %q became %q", name, english[i], ours[i])
			}
			said := strings.Contains(english[i], "Write-Host '") || strings.Contains(english[i], "throw ") && strings.ContainsAny(english[i], `'"`)
			if said && english[i] == ours[i] && !strings.Contains(english[i], "Application ID") {
				t.Errorf("%s: stays English: %q", name, english[i])
			}
		}
	}
}
