package main

import "testing"

func TestQuoted_AUnitFileReadsTheWordBack(t *testing.T) {
	for in, want := range map[string]string{
		"/usr/local/bin/hacsync":      "/usr/local/bin/hacsync",
		"/home/mori san/hacsync":      `"/home/mori san/hacsync"`,
		"sqlite:///home/m/a%20b.db":   "sqlite:///home/m/a%%20b.db",
		`C:\x "y"`:                    `"C:\\x \"y\""`,
		"postgres://db/x?options=$me": "postgres://db/x?options=$$me",
	} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%s) = %s, want %s", in, got, want)
		}
	}
}
