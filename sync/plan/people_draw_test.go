package plan

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The cells of a row of the source.
const (
	cUser = iota
	cUPN
	cID
	cFamily
	cGiven
	cDisplay
	cells
)

var cellNames = [cells]string{"Username", "UPN", "ID", "family name", "given name", "display name"}

// slip is one way in which a cell goes wrong. folds: a careful reader of the rules
// still reads the right value, so any number of them must be harmless.
type slip struct {
	kind  string
	on    func(cell int) bool
	folds func(cell int, was string) bool
	do    func(d dice, cell int, s string) string
}

func anyCell(int) bool        { return true }
func isUPN(c int) bool        { return c == cUPN }
func isKey(c int) bool        { return c <= cID }
func isName(c int) bool       { return c >= cFamily }
func isAddress(c int) bool    { return c <= cUPN }
func always(int, string) bool { return true }
func never(int, string) bool  { return false }

// slips are all of them.
var slips = []slip{
	{"substitution", anyCell, never, func(d dice, c int, s string) string { return edit(d, c, s, 0) }},
	{"deletion", anyCell, never, func(d dice, c int, s string) string { return edit(d, c, s, 1) }},
	{"insertion", anyCell, never, func(d dice, c int, s string) string { return edit(d, c, s, 2) }},
	{"transposition", anyCell, never, func(d dice, c int, s string) string { return edit(d, c, s, 3) }},
	{"emptied", anyCell, never, func(dice, int, string) string { return "" }},
	{"case", anyCell, func(c int, _ string) bool { return c != cID }, func(d dice, _ int, s string) string {
		if d.IntN(2) == 0 {
			return strings.ToUpper(s)
		}
		return oneOf(d, s, unicode.IsLetter, func(r rune) string {
			if unicode.IsLower(r) {
				return string(unicode.ToUpper(r))
			}
			return string(unicode.ToLower(r))
		})
	}},
	{"accent", anyCell, func(c int, _ string) bool { return isAddress(c) }, func(d dice, _ int, s string) string {
		return norm.NFC.String(oneOf(d, s, ascii, func(r rune) string { return string(r) + string([]rune("\u0301\u0304\u0308")[d.IntN(3)]) }))
	}},
	{"look-alike", anyCell, func(c int, was string) bool { return isAddress(c) || isName(c) && !strings.ContainsFunc(was, ascii) }, func(d dice, _ int, s string) string {
		like := strings.NewReplacer("a", "а", "e", "е", "o", "ο", "i", "і", "s", "ѕ", "u", "υ", "k", "κ", "t", "τ", "y", "у", "h", "һ",
			"辺", "邉", "崎", "﨑", "斎", "齋", "高", "髙", "沢", "澤", "桜", "櫻", "真", "眞", "島", "嶋", "恵", "惠", "浜", "濱", "亜", "亞", "実", "實", "礼", "禮", "寛", "寬")
		return like.Replace(s)
	}},
	{"full-width", anyCell, always, func(_ dice, _ int, s string) string {
		return strings.Map(func(r rune) rune {
			if r > ' ' && r < 0x7f {
				return r + 0xfee0
			}
			return r
		}, s)
	}},
	{"zero-width", anyCell, always, func(d dice, _ int, s string) string {
		return insert(d, s, string([]rune("\u200b\u200d\ufeff\u00ad\u2060")[d.IntN(5)]))
	}},
	{"stray space", anyCell, always, func(d dice, _ int, s string) string {
		return insert(d, s, string([]rune(" \u3000\u00a0\t")[d.IntN(4)]))
	}},
	{"dots", isUPN, always, func(d dice, _ int, s string) string {
		local, domain, ok := strings.Cut(s, "@")
		if !ok {
			return s
		}
		switch d.IntN(4) {
		case 0:
			return local + ".@" + domain
		case 1:
			return "." + s
		case 2:
			return s + "."
		}
		return strings.Replace(local, ".", "..", 1) + "@" + domain
	}},
	{"padding lost", func(c int) bool { return c == cID }, always, func(_ dice, _ int, s string) string { return strings.TrimRight(s, "=") }},
	{"quotes", isKey, always, func(d dice, _ int, s string) string {
		q := []string{`"`, `'`}[d.IntN(2)]
		return q + s + q
	}},
	{"domain typo", isUPN, never, func(d dice, _ int, s string) string {
		local, _, _ := strings.Cut(s, "@")
		return local + "@" + []string{
			"midor.example", "midori.exmaple", "midorl.example", "mail.midori.example", "two.example", "midori.onmicrosoft.com", "gone.example", "midori.example.com",
		}[d.IntN(8)]
	}},
	{"mailto:", isUPN, always, func(_ dice, _ int, s string) string { return "mailto:" + s }},
	{"brackets", isUPN, always, func(d dice, _ int, s string) string {
		q := []string{"<>", "()", "「」", "[]"}[d.IntN(4)]
		return q[:len(q)/2] + s + q[len(q)/2:]
	}},
	{"name around", isUPN, always, func(_ dice, _ int, s string) string { return "Someone Else <" + s + ">" }},
	{"%40", isUPN, always, func(_ dice, _ int, s string) string { return strings.Replace(s, "@", "%40", 1) }},
	{"prefix", isUPN, always, func(d dice, _ int, s string) string {
		return []string{"SMTP:", "smtp:", "https://portal.example/u/", "x; ", "upn="}[d.IntN(5)] + s
	}},
	{"other script", isName, never, nil}, // the town knows how a person is written
}

func ascii(r rune) bool { return r < 0x80 && unicode.IsLetter(r) }

// oneOf changes one character of those that fit.
func oneOf(d dice, s string, fits func(rune) bool, to func(rune) string) string {
	var at []int
	rs := []rune(s)
	for i, r := range rs {
		if fits(r) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return s
	}
	i := at[d.IntN(len(at))]
	return string(rs[:i]) + to(rs[i]) + string(rs[i+1:])
}

func insert(d dice, s, what string) string {
	rs := []rune(s)
	i := d.IntN(len(rs) + 1)
	return string(rs[:i]) + what + string(rs[i:])
}

// edit is one of the four errors of a hand; in a UPN it is before the @.
func edit(d dice, cell int, s string, how int) string {
	local, rest := s, ""
	if i := strings.IndexByte(s, '@'); i >= 0 && cell == cUPN {
		local, rest = s[:i], s[i:]
	}
	rs := []rune(local)
	if len(rs) == 0 {
		return s
	}
	letters := []rune("abcdefghijklmnopqrstuvwxyz0123456789")
	switch {
	case isName(cell) && unicode.Is(unicode.Han, rs[0]):
		letters = []rune("一中大山川田木村松林井上下石原本野子美太郎健佐")
	case isName(cell) && rs[0] > 0x3000:
		letters = []rune("アイウエオカキクケコサシスセソタチツテトナニノマミムヤユヨラリルレロワン")
	}
	i := d.IntN(len(rs))
	r := letters[d.IntN(len(letters))]
	switch how {
	case 0:
		rs[i] = r
	case 1:
		rs = slices.Delete(rs, i, i+1)
	case 2:
		rs = slices.Insert(rs, i, r)
	case 3:
		if len(rs) < 2 {
			return s
		}
		i = d.IntN(len(rs) - 1)
		rs[i], rs[i+1] = rs[i+1], rs[i]
	}
	return string(rs) + rest
}

// line is a row of a file: its cells, and its person.
type line struct {
	entry
	no int
	// base is what a careful reader takes the cells for.
	base [cells]string
	// slipped: this file says other than HAC.
	slipped bool
	// twice: another row has the Username too.
	twice bool
}

// file is what a read of the source gives.
type file struct {
	source string
	lines  []line
}

// file writes down what HAC has at present.
func (v *town) file(source string) *file {
	f := &file{source: source}
	for _, e := range v.hac {
		if e.source == source {
			f.lines = append(f.lines, line{entry: e, base: e.cell})
		}
	}
	for i := len(f.lines) - 1; i > 0; i-- {
		j := v.d.IntN(i + 1)
		f.lines[i], f.lines[j] = f.lines[j], f.lines[i]
	}
	return f
}

// mar makes n slips in a file, each of one kind, and counts them.
func (v *town) mar(f *file, n int) {
	for range n {
		if len(f.lines) == 0 {
			return
		}
		if k := v.d.IntN(8); k < 7 {
			v.marCell(f)
		} else {
			v.marRows(f)
		}
	}
}

func (v *town) slipped(kind string, n int) { v.sums.slips[kind] += n }

func (v *town) marCell(f *file) {
	l := &f.lines[v.d.IntN(len(f.lines))]
	cell, s := v.d.IntN(cells), slips[v.d.IntN(len(slips))]
	if !s.on(cell) {
		for cell = 0; !s.on(cell); cell++ {
		}
		if s.do == nil {
			cell = cFamily + v.d.IntN(3)
		}
	}
	if l.slipped && !s.folds(cell, l.cell[cell]) {
		return // one slip that loses something is enough for a row
	}
	was := l.cell[cell]
	now := ""
	if s.do == nil {
		other := v.people[l.who]
		other.script = (other.script + 1 + v.d.IntN(2)) % 3
		now = other.names()[cell-cFamily]
	} else if was != "" {
		now = s.do(v.d, cell, was)
	}
	if now == was {
		return
	}
	folds := s.folds(cell, was)
	l.cell[cell] = now
	if !folds {
		l.base[cell] = now
	}
	l.slipped = true
	v.slipped(cellNames[cell]+", "+s.kind, 1)
}

// marRows makes a slip that several rows have a part in.
func (v *town) marRows(f *file) {
	n := len(f.lines)
	i := v.d.IntN(n)
	cols := [][]int{{cID}, {cUser}, {cUPN}, {cFamily, cGiven, cDisplay}}
	col := cols[v.d.IntN(len(cols))]
	label := cellNames[col[0]]
	if len(col) > 1 {
		label = "names"
	}
	move := func(to, from *line) {
		for _, c := range col {
			to.cell[c], to.base[c] = from.cell[c], from.base[c]
		}
		to.slipped = true
	}
	switch v.d.IntN(8) {
	case 0: // exchanged between two rows
		j := v.d.IntN(n)
		a, b := &f.lines[i], &f.lines[j]
		if i == j || a.slipped || b.slipped || !v.apart(a, b, col[0]) {
			return
		}
		was := *a
		move(a, b)
		move(b, &was)
		v.slipped(label+", exchanged", 1)
	case 1: // copied from another row
		j := v.d.IntN(n)
		a, b := &f.lines[i], &f.lines[j]
		if i == j || a.slipped || b.slipped || !v.apart(a, b, col[0]) {
			return
		}
		move(a, b)
		v.slipped(label+", copied", 1)
	case 2: // shifted by a row, from row i on
		for k := i; k+1 < n; k++ {
			if f.lines[k].slipped || !v.apart(&f.lines[k], &f.lines[k+1], col[0]) {
				return
			}
		}
		if n-i < 2 || f.lines[n-1].slipped {
			return
		}
		for k := n - 1; k > i; k-- {
			move(&f.lines[k], &f.lines[k-1])
		}
		blank := line{}
		move(&f.lines[i], &blank)
		v.slipped(label+", shifted by a row", 1)
	case 3: // cells of one row, or of the whole file, moved a column on
		all := v.d.IntN(2) == 0
		by := 1 + v.d.IntN(cells-1)
		for k := range f.lines {
			if l := &f.lines[k]; (all || k == i) && !l.slipped {
				was := *l
				for c := range cells {
					l.cell[c], l.base[c] = was.cell[(c+by)%cells], was.base[(c+by)%cells]
				}
				l.slipped = true
			}
		}
		if all {
			v.slipped("file, columns shifted", 1)
		} else {
			v.slipped("row, cells shifted", 1)
		}
	case 4: // a row that ends too early
		l := &f.lines[i]
		if l.slipped {
			return
		}
		for c := 1 + v.d.IntN(cells-1); c < cells; c++ {
			l.cell[c], l.base[c] = "", ""
		}
		l.slipped = true
		v.slipped("row, cut off", 1)
	case 5: // a row of no person
		l := line{entry: entry{who: nobody, source: f.source}, slipped: true}
		for c := range cells {
			l.cell[c] = []string{"", "#N/A", "#NAME?", "?", "@", "(3 rows)", "\ufffd\ufffd", "@" + dom}[v.d.IntN(8)]
			l.base[c] = l.cell[c]
		}
		f.lines = append(f.lines, l)
		v.slipped("row, broken", 1)
	case 7: // an ID of a leaver
		l := &f.lines[i]
		if len(v.left) == 0 || l.slipped {
			return
		}
		if old := v.left[v.d.IntN(len(v.left))]; old.cell[cID] != "" && !v.namesMeet(l.cell, old.cell) {
			l.cell[cID], l.base[cID] = old.cell[cID], old.cell[cID]
			l.slipped = true
			v.slipped("ID, of somebody who left", 1)
		}
	case 6: // a row that occurs twice
		l := f.lines[i]
		if l.slipped {
			return
		}
		l.slipped, f.lines[i].slipped = true, true
		f.lines = append(f.lines, l)
		v.slipped("row, doubled", 1)
	}
}

// apart reports whether two rows have no name in common that alone would count for a
// person. If such rows are exchanged and no other value identifies the people, no
// reader can see it. With a Username or an ID of another the UPN is still right: then
// only the whole name must differ.
func (v *town) apart(a, b *line, cell int) bool {
	if a.who == b.who || a.who < 0 || b.who < 0 {
		return false
	}
	if cell == cUser || cell == cID {
		return !a.changed && !b.changed && plainly(a.cell[cDisplay]) != plainly(b.cell[cDisplay]) && plainly(a.cell[cFamily]) != plainly(b.cell[cFamily]) && inOneScript(a.cell, b.cell)
	}
	return !v.namesMeet(a.cell, b.cell)
}

func (v *town) namesMeet(a, b [cells]string) bool {
	return plainly(a[cGiven]) == plainly(b[cGiven]) || plainly(a[cDisplay]) == plainly(b[cDisplay]) || !inOneScript(a, b)
}

func (v *town) newID() string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(v.d.IntN(256))
	}
	return strings.NewReplacer("_", "/", "$", "+").Replace(base64.StdEncoding.EncodeToString(b))
}

// freeUPN is a UPN that was never in use.
func (v *town) freeUPN(p human, domain string) string {
	g, f := givens[p.given].romaji, families[p.family].romaji
	local := [...]string{g + "." + f, f + "." + g, g[:1] + "." + f, f, "u"}[v.style]
	for n := 0; ; n++ {
		upn := local
		if n > 0 || v.style == 4 {
			upn += fmt.Sprint(n + 1)
		}
		if upn += "@" + domain; !v.used[upn] {
			v.used[upn] = true
			return upn
		}
	}
}

// freeUsername is a Username that was never in use.
func (v *town) freeUsername(p human, upn string) string {
	local, _, _ := strings.Cut(upn, "@")
	if v.d.IntN(10) < 2 {
		local = givens[p.given].romaji[:1] + families[p.family].romaji[:1]
	}
	for n := 0; ; n++ {
		name := local
		switch {
		case v.userStyle == 1:
			name = fmt.Sprintf("e%04d", len(v.used)+n)
		case n > 0:
			name += fmt.Sprint(n + 1)
		}
		if !v.used["u:"+name] {
			v.used["u:"+name] = true
			return name
		}
	}
}
