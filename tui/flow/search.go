package flow

import "strings"

// variants fold forms of one character of Japanese names that people do not keep
// apart: the first of each group stands for all. 渡辺, 渡邉 and 渡邊 find each
// other.
func variants() *strings.Replacer {
	groups := []string{
		"辺邉邊", "崎﨑碕", "高髙", "斉齊斎齋", "沢澤", "広廣", "浜濱濵", "国國", "島嶋嶌", "徳德", "恵惠",
		"真眞", "竜龍", "桜櫻", "蔵藏", "瀬瀨", "槙槇", "桑桒", "吉𠮷", "柳栁桺", "富冨", "峰峯", "関關",
		"黒黑", "栄榮", "弥彌", "実實", "寿壽", "静靜", "礼禮", "万萬", "与與", "亀龜",
		"塩鹽", "館舘", "曽曾", "巌巖", "角⻆", "児兒", "条條", "穂穗", "頼賴", "滝瀧", "円圓", "来來",
		"図圖", "総總", "戸戶", "青靑", "清淸", "緑綠", "将將", "渓溪", "渕淵渊", "薮藪", "桧檜", "鴎鷗",
	}
	var pairs []string
	for _, g := range groups {
		r := []rune(g)
		for _, v := range r[1:] {
			pairs = append(pairs, string(v), string(r[0]))
		}
	}
	return strings.NewReplacer(pairs...)
}

// searcher finds what a person types in names: after NFKC (half-width and
// full-width), without regard to case or spaces, and with variants folded. In
// quotes it finds only itself.
type searcher struct {
	exact  string
	folded string
	fold   func(string) string
}

func newSearcher(query string) searcher {
	query = strings.TrimSpace(query)
	for _, q := range [...][2]string{{`"`, `"`}, {"“", "”"}, {"「", "」"}} {
		if in, ok := strings.CutPrefix(query, q[0]); ok {
			if in, ok := strings.CutSuffix(in, q[1]); ok && in != "" {
				return searcher{exact: in}
			}
		}
	}
	f := nameFolder()
	return searcher{folded: f(query), fold: f}
}

// nameFolder gives the form in which names are compared when searching.
func nameFolder() func(string) string {
	v := variants()
	return func(s string) string {
		return v.Replace(strings.Join(strings.Fields(Fold(s)), ""))
	}
}

func (s searcher) empty() bool { return s.exact == "" && s.folded == "" }

func (s searcher) matches(texts ...string) bool {
	for _, t := range texts {
		if s.exact != "" && strings.Contains(t, s.exact) || s.folded != "" && strings.Contains(s.fold(t), s.folded) {
			return true
		}
	}
	return false
}
