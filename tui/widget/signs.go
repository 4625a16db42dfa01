package widget

import "strings"

// Signs are the characters of rules and bars. Consoles with Japanese fonts draw
// some of them two columns wide; ASCII is for those.
type Signs struct {
	Rule, Wall, Down, Up string // ─ │ ┬ ┴
	Full, Rest           string // █ ░
	Here                 string // »
	// Half are the upper and the lower half of a character, empty if there are none.
	Half [2]string // ▀ ▄
}

// Lines are the signs of a terminal that draws them one column wide.
func Lines() Signs {
	return Signs{"─", "│", "┬", "┴", "█", "░", "»", [2]string{"▀", "▄"}}
}

// ASCII are the signs that every terminal draws one column wide.
func ASCII() Signs { return Signs{"-", "|", "+", "+", "#", ".", "*", [2]string{}} }

// Bar is a bar of a width, in its full and its empty part: one cell as soon as
// anything is done, full only when all is. total below one is an empty bar.
func (s Signs) Bar(done, total, width int) (full, rest string) {
	n := 0
	if total > 0 && done > 0 && width > 0 {
		n = min(width, max(1, int(int64(done)*int64(width)/int64(total))))
		if done < total {
			n = min(n, width-1)
		}
		n = max(n, 0)
	}
	return strings.Repeat(s.Full, n), strings.Repeat(s.Rest, max(0, width-n))
}
