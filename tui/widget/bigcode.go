package widget

import (
	"strings"
	"unicode"
)

// glyphs are the characters of sign-in codes, five rows high.
const glyphs = `
A  ███ |█   █|█████|█   █|█   █
B ████ |█   █|████ |█   █|████ 
C  ████|█    |█    |█    | ████
D ████ |█   █|█   █|█   █|████ 
E █████|█    |████ |█    |█████
F █████|█    |████ |█    |█    
G  ████|█    |█  ██|█   █| ████
H █   █|█   █|█████|█   █|█   █
I ███| █ | █ | █ |███
J   ███|   █ |   █ |█  █ | ██  
K █  █|█ █ |██  |█ █ |█  █
L █    |█    |█    |█    |█████
M █   █|██ ██|█ █ █|█   █|█   █
N █   █|██  █|█ █ █|█  ██|█   █
O  ███ |█   █|█   █|█   █| ███ 
P ████ |█   █|████ |█    |█    
Q  ███ |█   █|█   █|█  █ | ██ █
R ████ |█   █|████ |█  █ |█   █
S  ████|█    | ███ |    █|████ 
T █████|  █  |  █  |  █  |  █  
U █   █|█   █|█   █|█   █| ███ 
V █   █|█   █|█   █| █ █ |  █  
W █   █|█   █|█ █ █|██ ██|█   █
X █   █| █ █ |  █  | █ █ |█   █
Y █   █| █ █ |  █  |  █  |  █  
Z █████|   █ |  █  | █   |█████
0  ███ |█  ██|█ █ █|██  █| ███ 
1  █ |██ | █ | █ |███
2 ███ |   █|  █ | █  |████
3 ████|   █| ███|   █|████
4 █  █|█  █|█████|   █|   █
5 █████|█    |████ |    █|████ 
6  ███ |█    |████ |█   █| ███ 
7 █████|   █ |  █  | █   |█    
8  ███ |█   █| ███ |█   █| ███ 
9  ███ |█   █| ████|    █| ███ 
- ,,,,|,,,,|████|,,,,|,,,,
`

// BigCode is a sign-in code in large letters: five lines of at most width columns, or
// nil if it does not fit or has a character that no code has. The code is always shown
// as plain text as well.
func (s Signs) BigCode(code string, width int) []string {
	shapes := map[rune][]string{}
	for _, l := range strings.Split(strings.Trim(glyphs, "\n"), "\n") {
		r := []rune(l)
		shapes[r[0]] = strings.Split(strings.ReplaceAll(string(r[2:]), ",", " "), "|")
	}
	var out [5]string
	for i, r := range code {
		shape, ok := shapes[unicode.ToUpper(r)]
		if !ok {
			return nil
		}
		wide := 0
		for _, row := range shape {
			wide = max(wide, len([]rune(row)))
		}
		for n, row := range shape {
			if i > 0 {
				out[n] += " "
			}
			out[n] += row + strings.Repeat(" ", wide-len([]rune(row)))
		}
	}
	lines := make([]string, len(out))
	for i, l := range out {
		lines[i] = strings.TrimRight(strings.ReplaceAll(l, "█", s.Full), " ")
		if len([]rune(l)) > width {
			return nil
		}
	}
	return lines
}
