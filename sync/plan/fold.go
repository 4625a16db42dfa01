package plan

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/hacsync/hacsync/sync/directory"
)

// variants are characters of Japanese names that one person writes and another
// takes for the same: the second of each pair stands for both. Compatibility
// forms (神 for 神) are folded by NFKC and not among them.
const variants = "邉辺 邊辺 﨑崎 嵜崎 碕崎 髙高 齋斎 齊斎 斉斎 濵浜 濱浜 德徳 櫻桜 澤沢 廣広 國国 圡土 𠮷吉 嶋島 嶌島 冨富 " +
	"眞真 惠恵 藏蔵 瀧滝 龍竜 條条 榮栄 增増 瀨瀬 槇槙 薗園 桒桑 曾曽 淵渕 渊渕 黑黒 靑青 淸清 豐豊 實実 學学 壽寿 與与 萬万 彌弥 禮礼 應応 " +
	"圓円 關関 會会 壯壮 將将 來来 寬寛 鐵鉄 檜桧 舘館 敎教 步歩 緖緒 祐祐 鷗鴎 顯顕 遙遥 晧皓 渚渚 隆隆 塚塚 " +
	"諸諸 都都 侮侮 梅梅 海海 巖巌 嚴厳 蘆芦 籔薮 藪薮 埜野 邨村 莊荘 峯峰 嶽岳 驒騨 釼剣 劒剣 劍剣 劔剣 萠萌 凛凜 穗穂 亙亘 " +
	"富富 亞亜 壹壱 勳勲 勲勲 衞衛 薰薫 營営 榎榎 奧奥 假仮 樂楽 龜亀 峽峡 狹狭 曉暁 區区 驅駆 縣県 恆恒 廳庁 裝装 總総 臺台 瀨瀬 竝並 佛仏 邦邦 辨弁 瓣弁 辯弁 餘余 搖揺 樣様 覽覧 綠緑 壘塁 勵励 靈霊 鍊錬 爐炉 勞労 郞郎 錄録 灣湾"

// folder gives the forms in which names are compared.
type folder map[rune]rune

func newFolder() folder {
	f := folder{}
	for pair := range strings.FieldsSeq(variants) {
		r := []rune(pair)
		if len(r) == 2 && r[0] != r[1] {
			f[r[0]] = r[1]
		}
	}
	return f
}

// plain reports whether s has only characters that no folding touches.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] < 0x20 || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// look is the form of what the eye sees: full-width and half-width, variants,
// all kinds and numbers of spaces, and what does not show are one.
func (f folder) look(s string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKC.String(s) {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Cf, r), unicode.IsControl(r), unicode.Is(unicode.Variation_Selector, r):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if v, ok := f[r]; ok {
			r = v
		}
		b.WriteRune(r)
	}
	return b.String()
}

// looksSame reports whether two different values cannot be told apart by eye.
func (f folder) looksSame(a, b string) bool {
	if a == b || a == "" || b == "" {
		return false
	}
	return f.look(a) == f.look(b)
}

// name is the form in which two names may mean one person: look, without regard
// to case, kind of kana, spaces and signs.
func (f folder) name(s string) string {
	var b strings.Builder
	for _, r := range f.look(s) {
		switch {
		case r >= 'ァ' && r <= 'ヶ':
			r -= 'ァ' - 'ぁ'
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != 'ー':
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// looseUPN is the UPN that somebody may have meant who typed s: half-width,
// without spaces, accents, characters that do not show and a dot at the end.
func looseUPN(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		b.WriteRune(r)
	}
	return directory.FoldUPN(strings.TrimRight(b.String(), "."))
}
