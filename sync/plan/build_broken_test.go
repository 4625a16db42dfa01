package plan

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Names as they are in Japanese companies, and some that look odd and are right.
var realNames = strings.Split("佐藤 花子|鈴木 一郎|髙橋 美咲|田中 翔太|伊藤 蓮|渡邉 さくら|山﨑 健太|齋藤 ひなた|纐纈 千尋|勅使河原 茉莉|さとう はなこ|ヤマダ タロウ|ﾔﾏﾀﾞ ﾀﾛｳ|ｻﾄｳ ﾊﾅｺ|ｼｮｳﾀ|"+
	"森田　愛子|𠮷田 誠|John Smith|René François|José Muñoz|Zoë Müller|Łukasz Dvořák|Søren Åse Ærø|O'Neil 't Hooft|Anne-Marie d’Arc|Иван Петров|Γιώργος|김민수|王伟|陳怡君|สมชาย|"+
	"エリカ・スミス|(株)山田商事|総務部 人事課|Web開発部|営業2課|R&D センター|C# 開発|#1 チーム|100% 出資|A=B|山田@東京|5-5-5|5%10%15%|2026年度採用|Ｊｏｈｎ Ｓｍｉｔｈ|林|谷 直|李|Ng|Nguyễn Văn An|Ömer Öztürk|Ñ|Éric|ÀÉ|«Nom»|naïve café|1-A|3E|E+|=)|\\o/", "|")

func TestBroken_LeavesRealValuesAlone(t *testing.T) {
	for _, v := range realNames {
		for _, a := range []directory.Attribute{directory.DisplayName, directory.GivenName, directory.Department} {
			if w := broken(a, v); w != nil {
				t.Errorf("%s %q is taken for %s", a, v, w.code)
			}
		}
	}
	for a, values := range map[directory.Attribute][]string{
		directory.MailNickname:      {"yamada.taro", "1e5", "mar1", "12", "5-may", "e+12", "a#b", "007", "may-15"},
		directory.ImmutableID:       {"WEt4r/aDlE3wtGz0UbVoqQ==", "+Et4r/aDlE3wtGz0UbVoqQ==", "/+8=", "12345", "E12345", "6f0c0c2e-0b1a-4c3a-9a55-0a3a2c9a3b10"},
		directory.UserPrincipalName: {"a#b@x.example", "#1@x.example", "mar1@x.example", "1e5@x.example"},
	} {
		for _, v := range values {
			if w := broken(a, v); w != nil {
				t.Errorf("%s %q is taken for %s", a, v, w.code)
			}
		}
	}
}

// No two kanji of frequent names make one that is taken for another encoding's.
func TestBroken_LeavesEveryPairOfNameKanjiAlone(t *testing.T) {
	const kanji = "佐藤鈴木高橋田中伊渡辺山本村小林加吉口松井清斎阿部森池和石川前後岡長谷遠青坂福西太三原金子野竹上下内大今河武安千葉岩新杉久保横宮崎増丸菅酒市島馬桜工関水永片柴菊早浅荒北南東堀秋矢黒白赤富土沢浦広尾望月古熊飯須" +
		"栗奥根津星倉成梅児玉萩細五十嵐浜角瀬町庄向笠栄若徳戸沼場門脇牧澤齋齊渡邉邊濱髙﨑廣國眞龍櫻惠德健翔蓮陽葵結衣愛美咲花恵由香理菜奈央優希真紀直樹浩正弘博文明義昭雄男夫幸光誠隆茂勝進実勉豊稔修学剛輔亮介祐悠斗颯翼拓哉哲達" +
		"莉梨桃杏楓柚心音琴凛凜萌絵瑞穂澪玲怜瑠璃珠世代尋純潤淳順涼遼諒良陸律湊朔蒼碧芽彩綾菖蘭百合佳苗江枝節典敏道徹治司造功孔匠允元弦恒慎慧憲景柊栞桂梓椿槙毅汐洋流渉温滉漣照熙燈瑛瑶環皓睦瞬矩祥禎紘紬絢綱緑織繁羅翠聖聡聰胡能至舞航芙芳芹若苺茉茜莞蓉薫藍虎虹蛍詩誉諭譲貞豪賢路軌辰逸遙那邦郁纐纈鷲鷹鷺鵜凪凌凰嵯峨彌曖澁祿穰籠繪聯蔦螢訣辻邊鑛雛靜顯饗驍鮎鯉麒麟龜"
	rs := []rune(kanji)
	for _, x := range rs {
		for _, y := range rs {
			for _, v := range []string{string([]rune{x, y}), string([]rune{x, y, '子'}), string([]rune{x, ' ', y}), string([]rune{x, y, 'ﾀ', 'ﾛ'})} {
				if w := broken(directory.DisplayName, v); w != nil && (!strings.HasSuffix(v, "ﾛ") || !seldom(y)) {
					t.Fatalf("%q is taken for %s", v, w.code)
				}
			}
		}
	}
}

func TestBroken_FindsWhatASpreadsheetShows(t *testing.T) {
	for _, v := range strings.Fields("#NAME? #REF! #VALUE! #N/A #DIV/0! #NULL! #NUM! #SPILL! #CALC! #FIELD! #GETTING_DATA #name? #NV #WERT! #NOM? #¡REF! #Н/Д ＃ＮＡＭＥ？ ＃Ｎ／Ａ ﹟NAME? 1E⁺05 1E₊05 ﹦A2 ⁼A2 #LATER! ######## Err:502 1.23E+15 -1.23E+15 +1E+05 1E+05 2,5E+12 =VLOOKUP(A2,B:C,2) =A2 =Sheet1!B2") {
		for _, a := range []directory.Attribute{directory.DisplayName, directory.Surname, directory.MailNickname, directory.ImmutableID} {
			for _, s := range []string{v, " " + v, v + "\u3000"} {
				if w := broken(a, s); w == nil || w.code != problem.SheetValue {
					t.Errorf("%s %q is %v", a, s, w)
				}
			}
		}
	}
	for _, v := range strings.Fields("1-Mar Mar-15 15-Mar-26 2026/3/1 3月1日 2026年3月1日 1/3/2026") {
		for a, want := range map[directory.Attribute]bool{directory.MailNickname: true, directory.ImmutableID: true, directory.DisplayName: false} {
			if w := broken(a, v); (w != nil) != want {
				t.Errorf("%s %q is %v", a, v, w)
			}
		}
	}
	for a, v := range map[directory.Attribute]string{directory.DisplayName: "#REF! 太郎", directory.Surname: "山田 #N/A", directory.UserPrincipalName: "#NAME?@midori.example"} {
		if w := broken(a, v); w == nil || w.code != problem.SheetValue {
			t.Errorf("%s %q is %v", a, v, w)
		}
	}
}

func TestBroken_FindsDamagedText(t *testing.T) {
	for _, v := range []string{
		"森\ufffd", "\ufffe", "\x1b$B?9ED\x1b(B", "$B?9ED(B", "森田 \x1b(J", "&#26862;&#30000;", "&#x68ee;", "R&amp;D", `\u68ee\u7530`, "%E6%A3%AE%E7%94%B0",
		"=?UTF-8?B?5qOu55Sw?=", "=?iso-2022-jp?Q?=1B$B?=", "=E6=A3=AE=E7=94=B0", "????", "?? ??", "？？", "〓〓",
		"譽ｮ逕ｰ", "繧ｵ繝医え", "縺ゅ＞", "æ£®ç”°", "JosÃ©", "\u0090X“c", "Ã¤", "¿¹ÅÄ", "锟斤拷", "ｿｹﾅﾄ ｰｦｻﾒ", "ｺｴﾆ｣",
	} {
		if w := broken(directory.DisplayName, v); w == nil || w.code != problem.GarbledValue {
			t.Errorf("%q is %v", v, w)
		}
	}
}

// Half-width katakana that can be said are a name; those that cannot be were read in
// another encoding. A mark of voice follows ｳ and the rows of ｶ, ｻ, ﾀ and ﾊ.
func TestBroken_KnowsWhichKatakanaCanBeSaid(t *testing.T) {
	const kana = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ"
	for mark, after := range map[rune]string{'ﾞ': "ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ", 'ﾟ': "ﾊﾋﾌﾍﾎ"} {
		for _, k := range kana {
			if want := strings.ContainsRune(after, k); says(k, mark) != want {
				t.Errorf("%c%c can be said: %t", k, mark, !want)
			}
		}
	}
	for _, before := range "ｦｱﾝｰﾞﾟ" { // ﾊﾟｰﾄ, ﾎﾞｰﾄ, ﾊﾟﾝ
		if !says(before, 'ｰ') || !says(before, 'ﾝ') {
			t.Errorf("ｰ and ﾝ can follow %c", before)
		}
	}
}

// What misread looks at begins with one whole character, read from the first two
// bytes of a kanji or kana in UTF-8.
func TestBroken_BeginningsAreWholeCharacters(t *testing.T) {
	found := beginnings()
	for _, r := range "譁縺繧森" { // 森 is none in UTF-8 that was read in any of the encodings
		if found[r] != (r != '森') {
			t.Errorf("%c: %t", r, found[r])
		}
	}
	if found[utf8.RuneError] {
		t.Error("what is no text counts as a beginning")
	}
}

// A name read in another encoding than it was written in is found, most of the
// time: sometimes it is a name all the same.
func TestBroken_FindsNamesReadInAnotherEncoding(t *testing.T) {
	family := strings.Fields("佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 清水 山崎 池田 橋本 阿部 石川 森田 藤田 谷口 さとう タナカ")
	given := strings.Fields("翔太 大輔 健太 陽菜 愛 美咲 葵 さくら 結衣 花子 太郎 愛子 和子 由美子 直美 真由美 智子 裕子 浩 誠 隆 蓮 湊 凛 ひなた リサ")
	utf8Of := func(s string) string { return s }
	written := func(e encoding.Encoding) func(string) string {
		return func(s string) string { b, _ := e.NewEncoder().String(s); return b }
	}
	for _, tt := range []struct {
		name  string
		write func(string) string
		read  encoding.Encoding
		least int // percent that are found
	}{
		{"UTF-8 as Shift_JIS", utf8Of, japanese.ShiftJIS, 100},
		{"UTF-8 as Windows-1252", utf8Of, charmap.Windows1252, 100},
		{"UTF-8 as ISO-8859-1", utf8Of, charmap.ISO8859_1, 100},
		{"UTF-8 as GBK", utf8Of, simplifiedchinese.GBK, 100},
		{"UTF-8 as EUC-JP", utf8Of, japanese.EUCJP, 100},
		{"EUC-JP as Shift_JIS", written(japanese.EUCJP), japanese.ShiftJIS, 84},
		{"EUC-JP as ISO-8859-1", written(japanese.EUCJP), charmap.ISO8859_1, 94},
		{"Shift_JIS as ISO-8859-1", written(japanese.ShiftJIS), charmap.ISO8859_1, 100},
		{"Shift_JIS as UTF-8", written(japanese.ShiftJIS), encoding.Replacement, 100},
	} {
		found, all := 0, 0
		missed := ""
		for _, f := range family {
			for _, g := range given {
				text, err := tt.read.NewDecoder().String(tt.write(f + " " + g))
				if tt.name == "Shift_JIS as UTF-8" {
					text, err = strings.ToValidUTF8(tt.write(f+" "+g), "\ufffd"), nil
				}
				if err != nil {
					continue
				}
				if all++; broken(directory.DisplayName, text) != nil {
					found++
				} else {
					missed = text
				}
			}
		}
		t.Logf("%s: %d of %d found; missed %q", tt.name, found, all, missed)
		if found*100 < tt.least*all {
			t.Errorf("%s: %d of %d found; missed %q", tt.name, found, all, missed)
		}
	}
}

func TestWorse(t *testing.T) {
	for _, tt := range []struct {
		a        directory.Attribute
		old, new string
		want     problem.Code
	}{
		{directory.DisplayName, "髙橋 花子", "?橋 花子", problem.LettersLost},
		{directory.DisplayName, "髙橋 花子", "〓橋 花子", problem.LettersLost},
		{directory.DisplayName, "What?", "Who?", ""},
		{directory.DisplayName, "森田", "ﾓﾘﾀ", problem.HalfWidth},
		{directory.DisplayName, "モリタ", "ﾓﾘﾀ", ""},
		{directory.DisplayName, "ﾓﾘﾀ", "ﾓﾘﾀﾞ", ""},
		{directory.DisplayName, "森田 愛子", "森ﾀ 愛子", problem.HalfWidth},
		{directory.DisplayName, "山田 太郎", "山田 é太郎", problem.MixedScripts},
		{directory.DisplayName, "Taro", "Tаro", ""}, // a Cyrillic а: LooksSame is for that
		{directory.DisplayName, "山田", "山Ω", problem.MixedScripts},
		{directory.DisplayName, "佐藤", "鈴木", ""},
		{directory.DisplayName, "佐藤 花子", "Sato Hanako", ""},
		{directory.DisplayName, "Sato Hanako", "佐藤 花子", ""},
		{directory.Department, "営業部", "Web営業部", ""},
		{directory.MailNickname, "007", "7", problem.ZerosLost},
		{directory.UserPrincipalName, "007@x.example", "7@x.example", problem.ZerosLost},
		{directory.ImmutableID, "007", "7", problem.ZerosLost},
		{directory.MailNickname, "7", "007", ""},
		{directory.DisplayName, "007", "7", ""},
		{directory.DisplayName, "", "??橋", ""},
		{directory.AccountEnabled, "true", "false", ""},
	} {
		if got := worse(Change{tt.a, directory.Text(tt.old), directory.Text(tt.new)}); got != tt.want {
			t.Errorf("%s %q to %q: %q, want %q", tt.a, tt.old, tt.new, got, tt.want)
		}
	}
}

func TestWorse_IsNeverWhatIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := directory.Text(rapid.String().Draw(t, "v"))
		for _, a := range directory.Standard() {
			if c := worse(Change{a, v, v}); c != "" {
				t.Fatal(c)
			}
		}
		broken(directory.DisplayName, v.Text) // takes anything
	})
}

func TestBuild_LeavesRowsWithBrokenValuesAsTheyAre(t *testing.T) {
	for name, tt := range map[string]struct {
		row  person
		code problem.Code
	}{
		"an error as ID":     {user("a", imm("#NAME?")), problem.SheetValue},
		"an error as name":   {user("a", named("#REF!")), problem.SheetValue},
		"a damaged name":     {user("a", named("森\ufffd")), problem.GarbledValue},
		"dots in the alias":  {user("a", alias("a..b")), problem.AliasDot},
		"a dot at the start": {user("a", alias(".a")), problem.AliasDot},
		"a dot at the end":   {user("a", alias("a.")), problem.AliasDot},
	} {
		for _, there := range []bool{false, true} {
			s := newScene()
			s.in.Policy.ChangeAlias = true
			s.source = []person{tt.row, user("other")}
			s.users = []person{account("other")}
			if there {
				s.users = append(s.users, account("a"))
			}
			p := s.build(t)
			if p.Len() != 0 || p.SkipLen() != 1 || p.Skip(0).Why.Code != tt.code || p.Skip(0).Group != problem.NotWritable {
				t.Errorf("%s, there %t: %d actions, skips %v", name, there, p.Len(), codes(p))
			}
		}
	}
}

func codes(p *Plan) []string {
	var all []string
	for s := range p.Skips() {
		all = append(all, string(s.Why.Code))
	}
	return all
}

func TestBuild_LeavesALoneIDOfAnotherShape(t *testing.T) {
	base := func(i int) string { return fmt.Sprintf("AAAAAAAAAAAAAAAAAAAA%02d==", i)[:24] }
	for name, tt := range map[string]struct {
		ids     []string // in addition to 8 of 16 bytes
		refused int
	}{
		"its padding lost":           {[]string{"WEt4r/aDlE3wtGz0UbVoqQ"}, 1},
		"a number":                   {[]string{"1234567890"}, 1},
		"a word":                     {[]string{"taro"}, 1},
		"a GUID":                     {[]string{"6f0c0c2e-0b1a-4c3a-9a55-0a3a2c9a3b10"}, 1},
		"one like the others":        {[]string{"WEt4r/aDlE3wtGz0UbVoqQ=="}, 0},
		"two of one other shape":     {[]string{"12345", "67890"}, 0},
		"each of a shape of its own": {[]string{"12345", "taro"}, 2},
	} {
		s := newScene()
		for i := range 8 {
			s.source = append(s.source, user(fmt.Sprintf("u%d", i), imm(base(i))))
			s.users = append(s.users, account(fmt.Sprintf("u%d", i), imm(base(i))))
		}
		for i, id := range tt.ids {
			s.source = append(s.source, user(fmt.Sprintf("new%d", i), imm(id)))
		}
		p := s.build(t)
		got := 0
		for k := range p.Skips() {
			if k.Why.Code == problem.ImmutableIDShape {
				got++
			}
		}
		if got != tt.refused || p.Counts().Add != len(tt.ids)-tt.refused {
			t.Errorf("%s: %d refused, %d added: %v", name, got, p.Counts().Add, codes(p))
		}
	}
}

func TestBuild_RefusesASourceThatWasMisread(t *testing.T) {
	for _, tt := range []struct {
		name          string
		garbled, good int
		new           string
		refused       bool
	}{
		{"a handful", 5, 5, "?橋", false},
		{"more than a handful", 6, 5, "?橋", true},
		{"of many", 6, 600, "?橋", false},
		{"one percent", 6, 594, "?橋", false},
		{"more than one percent", 6, 593, "?橋", true},
		{"garbled", 6, 5, "譽ｮ逕ｰ", true},
		{"half-width", 6, 5, "ｱｲ", true},
		{"changed", 20, 5, "鈴木", false},
	} {
		s := newScene()
		for i := range tt.garbled + tt.good {
			name := "森田"
			if i < tt.garbled {
				name = tt.new
			}
			s.source = append(s.source, user(fmt.Sprintf("u%d", i), named(name)))
			s.users = append(s.users, account(fmt.Sprintf("u%d", i), named("森田")))
		}
		p, err := Build(s.input(t))
		if tt.refused != problem.Has(err, problem.SourceMisread) || tt.refused != (err != nil) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if err != nil {
			if a := problem.Of(err).Args; a["rows"] != fmt.Sprint(tt.garbled) || a["of"] != fmt.Sprint(tt.garbled+tt.good) {
				t.Errorf("%s: %v", tt.name, a)
			}
			continue
		}
		if tt.new == "?橋" {
			found := false
			for _, w := range p.Warnings() {
				found = found || w.Code == problem.ValuesWorse && w.Args["rows"] == fmt.Sprint(tt.garbled)
			}
			if !found || !has(p.Action(0), problem.LettersLost) {
				t.Errorf("%s: not warned about", tt.name)
			}
		}
	}
}

func TestShape(t *testing.T) {
	for id, want := range map[string]form{
		"WEt4r/aDlE3wtGz0UbVoqQ==":             {of: inBase64, n: 16},
		"AAECAwQ=":                             {of: inBase64, n: 5},
		"6f0c0c2e-0b1a-4c3a-9a55-0a3a2c9a3b10": {of: inGUID},
		"6f0c0c2e+0b1a-4c3a-9a55-0a3a2c9a3b10": {kinds: [2]uint64{1<<'+' | 1<<'-' | 1<<'0', 1 << ('a' - 64)}},
		"123":                                  {of: inDigits},
		"deadbeef":                             {of: inHex, n: 8},
		"a.b@x.example":                        {of: inAddress},
		"E-12":                                 {kinds: [2]uint64{1<<'-' | 1<<'0', 1 << ('a' - 64)}},
		"山田":                                   {wide: true},
	} {
		if got := shape(id); got != want {
			t.Errorf("%s is %+v, want %+v", id, got, want)
		}
	}
}
