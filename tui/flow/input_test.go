package flow

import (
	"testing"
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
