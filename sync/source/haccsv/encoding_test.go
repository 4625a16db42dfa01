package haccsv

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	xencoding "golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// Names as in life: the frequent ones first, and some that are rare, have old
// characters, or only kana.
var (
	families = strings.Fields("佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 森 池田 橋本 阿部 石川 山下 中島 石井 小川 前田 岡田 長谷川 藤田 後藤 近藤 村上 遠藤 青木 坂本 斉藤 福田 太田 西村 藤井 金子 岡本 藤原 三浦 中野 原田 中川 松田 竹内 小野 田村 中山 和田 石田 森田 上田 原 内田 柴田 酒井 宮崎 横山 高木 安藤 宮本 大野 小島 谷口 今井 工藤 高田 増田 丸山 杉山 村田 大塚 新井 小山 平野 藤本 河野 上野 野口 武田 松井 千葉 菅原 岩崎 久保 木下 佐野 野村 松尾 市川 菊地 杉本 古川 大西 島田 水野 桜井 渡部 吉川 山内 西田 飯田 菊池 西川 小松 北村 安田 五十嵐 川口 平田 関 中田 久保田 東 服部 川崎 岩田 土屋 福島 本田 辻 樋口 秋山 田口 永井 中西 吉村 川上 石原 大橋 松岡 馬場 浜田 森本 星野 矢野 浅野 松下 大久保 吉岡 小池 野田 荒木 大谷 松浦 熊谷 黒田 尾崎 永田 川村 望月 堀 田辺 内藤 菅野 西山 谷 津田 萩原 鷲尾 齋藤 渡邉 髙橋 山﨑 纐纈 勅使河原 蓼沼 埴原 さいとう タナカ")
	givens   = strings.Fields("翔太 大輔 健太 拓也 翔 健一 陽菜 愛 美咲 葵 さくら 結衣 花子 太郎 愛子 和子 幸子 恵子 由美子 明美 直美 真由美 久美子 智子 裕子 浩 誠 隆 茂 豊 明 進 勇 勝 学 博 修 亮 大樹 直樹 達也 和也 哲也 健 淳 剛 徹 聡 悟 学 優子 陽子 香織 恵 由佳 舞 彩 千尋 蓮 湊 樹 悠真 陽翔 結菜 凛 紬 さくら ひなた 美月 杏 莉子 大翔 颯太 一郎 二郎 正 清 三郎 正雄 文子 節子 京子 洋子 弘子 みどり ゆかり マリア エリカ リサ 瑛太 琉生 碧 陸 直 怜 茉莉 麗")
	kanas    = strings.Fields("ﾔﾏﾀﾞ ｻﾄｳ ﾀﾅｶ ｽｽﾞｷ ﾀｶﾊｼ ｲﾄｳ ﾜﾀﾅﾍﾞ ﾅｶﾑﾗ ｺﾊﾞﾔｼ ｶﾄｳ ﾖｼﾀﾞ ｻｻｷ ﾏﾂﾓﾄ ｼｮｳﾀ ﾀﾞｲｽｹ ﾊﾅｺ ﾀﾛｳ ﾕｳｷ ﾐｻｷ ﾁﾋﾛ ｼﾞｭﾝｺ ﾘｮｳ ｹﾝｲﾁ ﾏｯｸｽ ﾘｻ ﾍﾟﾄﾞﾛ ﾏﾘｰ")
	latins   = strings.Fields("John Mary Nguyen Smith Anna Wang Kim Taro")
)

// person draws the names of a user: of every hundred, half Latin.
func person(r *rand.Rand, half, latin float64) (family, given string) {
	pick := func(from []string) string {
		// The frequent ones come first.
		return from[int(float64(len(from))*r.Float64()*r.Float64())]
	}
	switch p := r.Float64(); {
	case p < latin:
		return pick(latins), pick(latins)
	case p < latin+half:
		return pick(kanas), pick(kanas)
	}
	return pick(families), pick(givens)
}

// listOf is an export of n users, at least one of them with a Japanese name.
func listOf(r *rand.Rand, n int, half, latin float64) string {
	rows := []string{header}
	at := r.IntN(n)
	for i := range n {
		share := latin
		if i == at {
			share = 0
		}
		family, given := person(r, half, share)
		id := make([]byte, 16)
		for i := range id {
			id[i] = byte(r.Uint32())
		}
		rows = append(rows, fmt.Sprintf("u%d,u%d@midori.example,%s,%s,%s %s,enabled,1,All,,,,2026-11-25 09:03:11,0,,,,,,,%s",
			i, i, family, given, family, given, base64.StdEncoding.EncodeToString(id)))
	}
	return lines(rows...)
}

// lossless encodes a list that the encoding has all characters of.
func lossless(e xencoding.Encoding, text string) (string, bool) {
	s, err := e.NewEncoder().String(text)
	if err != nil {
		return "", false
	}
	back, err := e.NewDecoder().String(s)
	return s, err == nil && back == text
}

// The numbers are those of lists as small companies have them, down to one user
// with a Japanese name among others.
func TestRead_DistinguishesJapaneseEncodings(t *testing.T) {
	type unsure struct{ all, refused int }
	counts := map[string]*unsure{}
	get := reader(t)
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		n := rapid.SampledFrom([]int{1, 2, 3, 10, 100}).Draw(t, "users")
		latin := rapid.SampledFrom([]float64{0, .5, 1}).Draw(t, "latin")
		half := rapid.SampledFrom([]float64{0, 0, .1, .3}).Draw(t, "half-width")
		text := listOf(r, n, half, latin)
		whole, err := get(text)
		if err != nil {
			t.Fatal(err)
		}
		want := whole.Digest()
		count := func(name string, refused bool) {
			if counts[name] == nil {
				counts[name] = &unsure{}
			}
			if counts[name].all++; refused {
				counts[name].refused++
			}
		}
		for name, e := range map[string]xencoding.Encoding{
			"Shift_JIS": japanese.ShiftJIS, "UTF-16LE": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "UTF-16BE": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
			"bare UTF-16LE": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "bare UTF-16BE": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
		} {
			b, ok := lossless(e, text)
			if !ok {
				continue
			}
			s, err := get(b)
			if name == "Shift_JIS" {
				count(name, err != nil)
				if problem.Has(err, problem.FileUnsure) && thin(text) {
					continue
				}
			}
			if err != nil || s.Digest() != want {
				t.Fatalf("%s: %v\n%s", name, err, japaneseRows(text))
			}
		}
		for name, e := range map[string]xencoding.Encoding{"EUC-JP": japanese.EUCJP, "ISO-2022-JP": japanese.ISO2022JP} {
			b, ok := lossless(e, text)
			if !ok {
				continue
			}
			_, err := get(b)
			p := problem.Of(err)
			count(name, p == nil || p.Code != problem.FileForeign)
			switch {
			case p == nil:
				t.Fatalf("%s was read:\n%s", name, japaneseRows(text))
			case p.Code == problem.FileForeign && p.Args["encoding"] == name:
			case name == "EUC-JP" && thin(text):
			default:
				t.Fatalf("%s: %v\n%s", name, err, japaneseRows(text))
			}
		}
	})
	for name, c := range counts {
		t.Logf("%s: %d of %d lists not told", name, c.refused, c.all)
		if c.refused*20 > c.all+20 {
			t.Errorf("%s: %d of %d lists were not told", name, c.refused, c.all)
		}
	}
}

// thin reports whether a list has so few Japanese names, or none but half-width
// ones, that it may be anything.
func thin(text string) bool {
	names, wide := map[string]bool{}, false
	for cell := range strings.FieldsFuncSeq(text, func(r rune) bool { return r < utf8.RuneSelf }) {
		names[cell] = true
		wide = wide || strings.ContainsFunc(cell, func(r rune) bool { return r < '｡' || r > 'ﾟ' })
	}
	return len(names) <= 3 || !wide
}

func japaneseRows(text string) string {
	var rows []string
	for row := range strings.SplitSeq(text, "\r\n") {
		if !ascii([]byte(row)) {
			rows = append(rows, row)
		}
	}
	return strings.Join(rows[:min(len(rows), 10)], "\n")
}

// reader reads contents one after the other.
func reader(t testing.TB) func(string) (*directory.Snapshot, error) {
	path := filepath.Join(t.TempDir(), "users.csv")
	return func(content string) (*directory.Snapshot, error) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return New(path, Options{Zone: time.UTC}).Read(context.Background(), directory.Standard(), progress.Discard)
	}
}

// Whatever else it is, it is refused, and never read as something else.
func TestRead_RefusesEveryOtherEncoding(t *testing.T) {
	chinese := strings.Fields("王伟 李娜 张敏 刘洋 陈静 杨勇 赵磊 黄强 周杰 吴艳 徐丽 孙涛 马超 朱明 胡斌 郭靖 林志玲 何欣 高峰 罗琳")
	taiwan := strings.Fields("陳怡君 林志明 黃雅婷 張家豪 李淑芬 王小明 吳宗翰 劉俊傑 蔡佩珊 楊惠美 許文龍 鄭雅文 謝婉婷 郭美玲")
	korean1 := strings.Fields("김민수 이영희 박지훈 최수진 정민호 강현우 조은지 윤서연 장동건 임지현 한가람 오세훈 서민정 신동엽")
	french := strings.Fields("René François Gérard Zoë Müller Jürgen Åsa Björn Peña José Muñoz Søren Łukasz Dvořák Çelik Öztürk Éric Sébastien Zürn Größe")
	russian := strings.Fields("Иван Мария Сергей Анна Дмитрий Ольга Петров Иванова Смирнов Кузнецова")
	thai := strings.Fields("สมชาย สมหญิง ประยุทธ์ วิชัย อรุณ เพ็ญ แก้ว")
	greek := strings.Fields("Γιώργος Μαρία Νίκος Ελένη Παπαδόπουλος")
	tests := []struct {
		name  string
		e     xencoding.Encoding
		names []string
	}{
		{"GBK", simplifiedchinese.GBK, chinese},
		{"GB18030", simplifiedchinese.GB18030, chinese},
		{"HZ-GB2312", simplifiedchinese.HZGB2312, chinese},
		{"GBK, old characters", simplifiedchinese.GBK, taiwan},
		{"GBK, Japanese", simplifiedchinese.GBK, families[:60]},
		{"Big5", traditionalchinese.Big5, taiwan},
		{"EUC-KR", korean.EUCKR, korean1},
		{"Windows-1252", charmap.Windows1252, french},
		{"ISO-8859-15", charmap.ISO8859_15, french},
		{"ISO-8859-2", charmap.ISO8859_2, french},
		{"Windows-1254", charmap.Windows1254, french},
		{"Macintosh", charmap.Macintosh, french},
		{"CP850", charmap.CodePage850, french},
		{"CP437", charmap.CodePage437, french},
		{"Windows-1251", charmap.Windows1251, russian},
		{"KOI8-R", charmap.KOI8R, russian},
		{"CP866", charmap.CodePage866, russian},
		{"Windows-1253", charmap.Windows1253, greek},
		{"Windows-874", charmap.Windows874, thai},
		{"UTF-32LE", utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), families},
		{"UTF-32BE", utf32.UTF32(utf32.BigEndian, utf32.UseBOM), families},
		{"UTF-32LE without mark", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), families},
		{"UTF-32BE without mark", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), families},
		{"EBCDIC", charmap.CodePage037, french},
	}
	get := reader(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var names []string // that the encoding can write
			for _, name := range tt.names {
				if b, ok := lossless(tt.e, name); ok && (!ascii([]byte(b)) || strings.HasPrefix(tt.name, "HZ") || strings.HasPrefix(tt.name, "UTF-32")) {
					names = append(names, name)
				}
			}
			rapid.Check(t, func(t *rapid.T) {
				rows, distinct := []string{header}, map[string]bool{}
				for i := range rapid.SampledFrom([]int{1, 2, 5, 30}).Draw(t, "users") {
					family, given := rapid.SampledFrom(names).Draw(t, "family"), rapid.SampledFrom(names).Draw(t, "given")
					distinct[family], distinct[given] = true, true
					rows = append(rows, fmt.Sprintf("u%d,u%d@midori.example,%s,%s,%s %s,enabled,1,All,,,,2026-11-25 09:03:11,0,,,,,,,", i, i, family, given, family, given))
				}
				b, ok := lossless(tt.e, lines(rows...))
				if !ok {
					t.Fatal("not written")
				}
				if tt.name == "Windows-874" && len(rows) < 30 {
					return // a name or two may be half-width katakana
				}
				s, err := get(b)
				if err == nil {
					v, _ := s.At(0).Get(directory.DisplayName)
					t.Fatalf("was read, as %s: %q of\n%s", s.About().Encoding, v, rows[1])
				}
				if problem.Has(err, problem.FileForeign) && problem.Of(err).Args["encoding"] == "EUC-JP" && len(distinct) > 8 {
					t.Fatalf("%v", err)
				}
			})
		})
	}
}

func TestRead_NamesAnEncodingThatIsKnown(t *testing.T) {
	row := func(name string) string {
		return lines("Username,Email,Display Name", "a,a@x.example,"+name, "b,b@x.example,Bob")
	}
	get := reader(t)
	for name, tt := range map[string]struct{ content, want string }{
		"UTF-7":                       {row("+aO51MA-"), "UTF-7"},
		"UTF-7 first on a line":       {"Display Name,Username,Email\n+aO51MA-,a,a@x.example\n", "UTF-7"},
		"UTF-7, open":                 {row("+aO51MA"), "UTF-7"},
		"UTF-7 by its mark":           {"+/v8-" + row("Bob"), "UTF-7"},
		"ISO-2022-JP":                 {row("\x1b$B?9ED\x1b(B"), "ISO-2022-JP"},
		"ISO-2022-JP, old":            {row("\x1b$@?9ED\x1b(J"), "ISO-2022-JP"},
		"ISO-2022-JP, half-width":     {row("\x1b(IT0@^\x1b(B"), "ISO-2022-JP"},
		"ISO-2022-JP-1":               {row("\x1b$(D?9ED\x1b(B"), "ISO-2022-JP"},
		"ISO-2022-KR":                 {row("\x1b$)C\x0e1h9N\x0f"), "ISO-2022-KR"},
		"ISO-2022-CN":                 {row("\x1b$)A\x0eMuN0\x0f"), "ISO-2022-CN"},
		"HZ":                          {row("~{MuN0~}"), "HZ-GB-2312"},
		"UTF-32":                      {"\xff\xfe\x00\x00E\x00\x00\x00", "UTF-32"},
		"GB18030 by its mark":         {"\x84\x31\x95\x33" + row("Bob"), "GB18030"},
		"EUC-JP, half-width":          {row("\x8e\xd4\x8e\xcf\x8e\xc0\x8e\xde \x8e\xca\x8e\xc5\x8e\xba"), "EUC-JP"},
		"EUC-JP with a supplementary": {row("\x8f\xb0\xa1\xc6\xa3\xb9\xb0\xbb\xb3"), "EUC-JP"},
	} {
		_, err := get(tt.content)
		if p := problem.Of(err); p == nil || p.Code != problem.FileForeign || p.Args["encoding"] != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, content := range map[string]string{
		"an ID with + in it":    lines("Username,Email,Microsoft Immutable ID", "a,a@x.example,+aO51MA4zUb1/0UbVoqQjw=="),
		"a telephone number":    lines("Username,Email,Tel", "a,a@x.example,+81901234567"),
		"an address with +":     lines("Username,Email,Tel", "a,a+test-1@x.example,x"),
		"a tilde":               row("~Bob~ {x}"),
		"one Latin name":        row("René"),
		"a Latin name alone":    row("Ö Å"),
		"Cyrillic":              row("Иван Петров"),
		"Greek":                 row("Γιώργος"),
		"Hebrew":                row("דוד לוי"),
		"an escape among kanji": row("森田 \x1b$B?9ED\x1b(B"),
	} {
		if _, err := get(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// 谷 直 in EUC-JP is ë ľ in UTF-8: the encoding cannot be decided.
	if _, err := get(row("\xc3\xab \xc4\xbe")); !problem.Has(err, problem.FileUnsure) {
		t.Errorf("short text: %v", err)
	}
	if p := problem.Of(func() error { _, err := get(row("\xc3\xb2")); return err }()); p != nil && p.Args["line"] != "2" {
		t.Errorf("short text: %v", p)
	}
}

// A list of nothing but half-width katakana is read, although every name of it
// has as many bytes as characters of other encodings would have.
func TestRead_ReadsHalfWidthKatakanaAlone(t *testing.T) {
	names := strings.Fields("ﾔﾏﾀﾞ ﾀｶﾊｼ ﾅｶﾑﾗ ﾏﾂﾓﾄ ｲﾉｳｴ ﾖｼﾀﾞ ﾐｷ ﾘｻ ﾓﾘ ﾕｷ ﾏﾘ ﾐﾎ ﾄﾓﾐ ｼﾝｼﾞ ﾖｳｺ ﾌｧﾋﾞｵ")
	rows := []string{"Username,Email,Display Name"}
	for i, name := range names {
		rows = append(rows, fmt.Sprintf("u%d,u%d@x.example,%s", i, i, name))
	}
	b, ok := lossless(japanese.ShiftJIS, lines(rows...))
	if !ok {
		t.Fatal("not written")
	}
	even, ok := lossless(japanese.ShiftJIS, lines(rows[:12]...))
	if !ok {
		t.Fatal("not written")
	}
	for _, content := range []string{b, even} {
		s := mustRead(t, content, Options{})
		for i, name := range names[:s.Len()] {
			if got, _ := s.At(i).Get(directory.DisplayName); got != name {
				t.Errorf("%q is %q", name, got)
			}
		}
	}
}
