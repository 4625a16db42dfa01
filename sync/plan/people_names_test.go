package plan

import (
	"strconv"
	"strings"
)

// name is one name in the scripts that it is written in.
type name struct {
	kanji, kana, romaji string
	weight              int
}

// in is the name in a script: 0 kanji, 1 katakana, 2 Latin letters.
func (n name) in(script int) string {
	switch script {
	case 0:
		return n.kanji
	case 1:
		return n.kana
	}
	return strings.ToUpper(n.romaji[:1]) + n.romaji[1:]
}

// familyNames are the 100 most frequent family names of Japan, and how many thousands
// of people have each, rounded.
const familyNames = `佐藤/サトウ/sato/1860 鈴木/スズキ/suzuki/1780 高橋/タカハシ/takahashi/1400 田中/タナカ/tanaka/1320
伊藤/イトウ/ito/1060 渡辺/ワタナベ/watanabe/1050 山本/ヤマモト/yamamoto/1040 中村/ナカムラ/nakamura/1030 小林/コバヤシ/kobayashi/1020
加藤/カトウ/kato/880 吉田/ヨシダ/yoshida/820 山田/ヤマダ/yamada/810 佐々木/ササキ/sasaki/670 山口/ヤマグチ/yamaguchi/640
松本/マツモト/matsumoto/620 井上/イノウエ/inoue/610 木村/キムラ/kimura/570 林/ハヤシ/hayashi/540 斎藤/サイトウ/saito/540
清水/シミズ/shimizu/530 山崎/ヤマザキ/yamazaki/480 阿部/アベ/abe/450 森/モリ/mori/460 池田/イケダ/ikeda/440
橋本/ハシモト/hashimoto/440 山下/ヤマシタ/yamashita/410 石川/イシカワ/ishikawa/420 中島/ナカジマ/nakajima/400 前田/マエダ/maeda/380
藤田/フジタ/fujita/370 後藤/ゴトウ/goto/370 小川/オガワ/ogawa/370 岡田/オカダ/okada/370 村上/ムラカミ/murakami/360
長谷川/ハセガワ/hasegawa/370 近藤/コンドウ/kondo/370 石井/イシイ/ishii/360 坂本/サカモト/sakamoto/310 遠藤/エンドウ/endo/320
藤井/フジイ/fujii/300 青木/アオキ/aoki/290 西村/ニシムラ/nishimura/300 福田/フクダ/fukuda/290 斉藤/サイトウ/saito/280
太田/オオタ/ota/280 藤原/フジワラ/fujiwara/290 三浦/ミウラ/miura/290 岡本/オカモト/okamoto/280 松田/マツダ/matsuda/280
中川/ナカガワ/nakagawa/270 中野/ナカノ/nakano/270 原田/ハラダ/harada/260 小野/オノ/ono/260 田村/タムラ/tamura/250
竹内/タケウチ/takeuchi/240 金子/カネコ/kaneko/250 中山/ナカヤマ/nakayama/220 和田/ワダ/wada/230 石田/イシダ/ishida/230
工藤/クドウ/kudo/220 上田/ウエダ/ueda/220 原/ハラ/hara/220 森田/モリタ/morita/220 酒井/サカイ/sakai/220
横山/ヨコヤマ/yokoyama/210 柴田/シバタ/shibata/220 宮崎/ミヤザキ/miyazaki/210 宮本/ミヤモト/miyamoto/210 内田/ウチダ/uchida/200
高木/タカギ/takagi/200 谷口/タニグチ/taniguchi/190 安藤/アンドウ/ando/200 大野/オオノ/ono/200 丸山/マルヤマ/maruyama/180
今井/イマイ/imai/190 高田/タカダ/takada/170 藤本/フジモト/fujimoto/170 武田/タケダ/takeda/170 村田/ムラタ/murata/180
上野/ウエノ/ueno/170 杉山/スギヤマ/sugiyama/170 増田/マスダ/masuda/170 平野/ヒラノ/hirano/150 菅原/スガワラ/sugawara/150
大塚/オオツカ/otsuka/150 千葉/チバ/chiba/150 久保/クボ/kubo/150 松井/マツイ/matsui/150 小島/コジマ/kojima/160
岩崎/イワサキ/iwasaki/150 桜井/サクライ/sakurai/140 野口/ノグチ/noguchi/150 松尾/マツオ/matsuo/150 野村/ノムラ/nomura/140
木下/キノシタ/kinoshita/140 菊地/キクチ/kikuchi/140 佐野/サノ/sano/140 大西/オオニシ/onishi/130 杉本/スギモト/sugimoto/130 新井/アライ/arai/130`

// givenNames are nearly 200 given names of people at work, the more frequent first.
const givenNames = `誠/マコト/makoto 隆/タカシ/takashi 健一/ケンイチ/kenichi 和也/カズヤ/kazuya 大輔/ダイスケ/daisuke 健太/ケンタ/kenta
翔太/ショウタ/shota 拓也/タクヤ/takuya 直樹/ナオキ/naoki 浩/ヒロシ/hiroshi 明美/アケミ/akemi 裕子/ユウコ/yuko 陽子/ヨウコ/yoko 恵子/ケイコ/keiko
久美子/クミコ/kumiko 由美子/ユミコ/yumiko 直子/ナオコ/naoko 智子/トモコ/tomoko 美咲/ミサキ/misaki 愛/アイ/ai 彩/アヤ/aya 舞/マイ/mai
達也/タツヤ/tatsuya 哲也/テツヤ/tetsuya 剛/ツヨシ/tsuyoshi 学/マナブ/manabu 亮/リョウ/ryo 大樹/ダイキ/daiki 翔/ショウ/sho 蓮/レン/ren
洋子/ヨウコ/yoko 幸子/サチコ/sachiko 真由美/マユミ/mayumi 香織/カオリ/kaori 千尋/チヒロ/chihiro 麻衣/マイ/mai 恵/メグミ/megumi 優子/ユウコ/yuko
修/オサム/osamu 茂/シゲル/shigeru 進/ススム/susumu 豊/ユタカ/yutaka 勇/イサム/isamu 清/キヨシ/kiyoshi 聡/サトシ/satoshi 淳/ジュン/jun
純/ジュン/jun 徹/トオル/toru 潤/ジュン/jun 悟/サトル/satoru 章/アキラ/akira 明/アキラ/akira 昭/アキラ/akira 博/ヒロシ/hiroshi
弘/ヒロシ/hiroshi 和彦/カズヒコ/kazuhiko 秀樹/ヒデキ/hideki 雅彦/マサヒコ/masahiko 正人/マサト/masato 英明/ヒデアキ/hideaki 浩二/コウジ/koji 健二/ケンジ/kenji
一郎/イチロウ/ichiro 太郎/タロウ/taro 次郎/ジロウ/jiro 健/ケン/ken 俊介/シュンスケ/shunsuke 祐介/ユウスケ/yusuke 洋平/ヨウヘイ/yohei 慎也/シンヤ/shinya
真一/シンイチ/shinichi 雄太/ユウタ/yuta 悠斗/ユウト/yuto 陸/リク/riku 颯太/ソウタ/sota 大和/ヤマト/yamato 海斗/カイト/kaito 涼/リョウ/ryo
優/ユウ/yu 智也/トモヤ/tomoya 貴之/タカユキ/takayuki 孝/タカシ/takashi 崇/タカシ/takashi 武/タケシ/takeshi 毅/タケシ/takeshi 篤/アツシ/atsushi
敦/アツシ/atsushi 仁/ヒトシ/hitoshi 均/ヒトシ/hitoshi 勉/ツトム/tsutomu 努/ツトム/tsutomu 肇/ハジメ/hajime 敏夫/トシオ/toshio 信夫/ノブオ/nobuo
康平/コウヘイ/kohei 良太/リョウタ/ryota 亮太/リョウタ/ryota 圭介/ケイスケ/keisuke 浩介/コウスケ/kosuke 俊/シュン/shun 匠/タクミ/takumi 裕太/ユウタ/yuta
翼/ツバサ/tsubasa 光/ヒカル/hikaru 薫/カオル/kaoru 望/ノゾミ/nozomi 和子/カズコ/kazuko 節子/セツコ/setsuko 京子/キョウコ/kyoko 文子/フミコ/fumiko
美智子/ミチコ/michiko 典子/ノリコ/noriko 順子/ジュンコ/junko 弘子/ヒロコ/hiroko 悦子/エツコ/etsuko 和美/カズミ/kazumi 博美/ヒロミ/hiromi 直美/ナオミ/naomi
真理子/マリコ/mariko 理恵/リエ/rie 美穂/ミホ/miho 美紀/ミキ/miki 由紀/ユキ/yuki 雪/ユキ/yuki 友美/トモミ/tomomi 朋子/トモコ/tomoko
純子/ジュンコ/junko 綾子/アヤコ/ayako 綾/アヤ/aya 綾香/アヤカ/ayaka 沙織/サオリ/saori 詩織/シオリ/shiori 千春/チハル/chiharu 美香/ミカ/mika
加奈/カナ/kana 加奈子/カナコ/kanako 麻美/アサミ/asami 亜美/アミ/ami 美穂子/ミホコ/mihoko 里美/サトミ/satomi 聡美/サトミ/satomi 瞳/ヒトミ/hitomi
葵/アオイ/aoi 陽菜/ヒナ/hina 結衣/ユイ/yui 優花/ユウカ/yuka 由佳/ユカ/yuka 遥/ハルカ/haruka 明日香/アスカ/asuka 桃子/モモコ/momoko
さくら/サクラ/sakura 楓/カエデ/kaede 七海/ナナミ/nanami 凛/リン/rin 杏/アン/an 美優/ミユ/miyu 萌/モエ/moe 千夏/チナツ/chinatsu
梨花/リカ/rika 里香/リカ/rika 絵里/エリ/eri 恵理/エリ/eri 玲子/レイコ/reiko 礼子/レイコ/reiko 奈々/ナナ/nana 菜々子/ナナコ/nanako
早紀/サキ/saki 咲/サキ/saki 志保/シホ/shiho 静香/シズカ/shizuka 静/シズカ/shizuka 恭子/キョウコ/kyoko 敬子/ケイコ/keiko 圭子/ケイコ/keiko
花子/ハナコ/hanako 洋一/ヨウイチ/yoichi 雅人/マサト/masato 政樹/マサキ/masaki 正樹/マサキ/masaki 裕樹/ユウキ/yuki 勇気/ユウキ/yuki 祐樹/ユウキ/yuki
晃/アキラ/akira 昇/ノボル/noboru 登/ノボル/noboru 寛/ヒロシ/hiroshi 広志/ヒロシ/hiroshi 輝/テル/teru 守/マモル/mamoru 実/ミノル/minoru 稔/ミノル/minoru 治/オサム/osamu`

// readNames reads a list. Where it says no weights, they fall with the place: the
// first of 200 is borne by one in 100, as in life.
func readNames(list string) []name {
	var all []name
	for i, entry := range strings.Fields(list) {
		parts := strings.Split(entry, "/")
		n := name{kanji: parts[0], kana: parts[1], romaji: parts[2], weight: 10000 / (60 + i)}
		if len(parts) > 3 {
			n.weight, _ = strconv.Atoi(parts[3])
		}
		all = append(all, n)
	}
	return all
}

// dice decides what happens: a seeded generator, or rapid, which makes what fails
// smaller.
type dice interface{ IntN(n int) int }

// weighted draws one of the first n names, the frequent ones more often.
func weighted(d dice, all []name, n int) int {
	n = min(n, len(all))
	sum := 0
	for _, x := range all[:n] {
		sum += x.weight
	}
	at := d.IntN(sum)
	for i, x := range all[:n] {
		if at -= x.weight; at < 0 {
			return i
		}
	}
	return 0
}
