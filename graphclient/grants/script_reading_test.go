package grants_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/graphclient/simulator"
)

// What no grammar says and PowerShell does: "$file: text" names a drive, and
// the whole script is refused before its first line runs.
func TestScripts_NoColonFollowsAVariableInAString(t *testing.T) {
	drive := regexp.MustCompile("(?:^|[^`])\\$\\w+:(?:\\W|$)")
	quoted := regexp.MustCompile(`"[^"]*"`)
	for name, text := range renderings(t) {
		for line := range strings.Lines(text) {
			for _, s := range quoted.FindAllString(line, -1) {
				if drive.MatchString(s) && !strings.HasPrefix(strings.TrimSpace(line), "#") {
					t.Errorf("%s: %s", name, s)
				}
			}
		}
	}
	if !drive.MatchString(`"They are in $file: run"`) || drive.MatchString("`$env:X = '1'") {
		t.Error("the pattern finds nothing, or too much")
	}
}

// In the Japanese calendar of a Windows yyyy is the year of the era, and : is
// what the language puts between hours and minutes.
func TestScripts_WriteDatesOfNoCulture(t *testing.T) {
	dates := 0
	for name, text := range renderings(t) {
		for line := range strings.Lines(text) {
			if strings.Contains(line, ".ToString('yyyy") {
				dates++
				if !strings.Contains(line, "ssZ', [Globalization.CultureInfo]::InvariantCulture)") {
					t.Errorf("%s: %s", name, line)
				}
			}
		}
	}
	if dates == 0 {
		t.Error("no date is written")
	}
}

// A tenant without a sign-in is known by a domain alone; the context of the sign-in
// names it by its ID.
func TestPlay_ATenantNamedByADomain(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{})
	id := w.c.Tenant
	w.c.Tenant = "midorisample.onmicrosoft.com"
	text := w.script()
	if !strings.Contains(text, "$tenant = 'midorisample.onmicrosoft.com'") {
		t.Fatal("the script is not for the domain")
	}
	if out, err := w.play(t.TempDir(), text, "PLAY_TENANT="+id); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
