// Package directorytest has the names that tests make people of.
package directorytest

// Families are family names in kanji and in letters, the frequent ones first.
func Families() [][2]string {
	return [][2]string{
		{"佐藤", "sato"},
		{"鈴木", "suzuki"},
		{"高橋", "takahashi"},
		{"田中", "tanaka"},
		{"伊藤", "ito"},
		{"渡辺", "watanabe"},
		{"山本", "yamamoto"},
		{"中村", "nakamura"},
		{"小林", "kobayashi"},
		{"加藤", "kato"},
		{"吉田", "yoshida"},
		{"山田", "yamada"},
		{"佐々木", "sasaki"},
		{"山口", "yamaguchi"},
		{"松本", "matsumoto"},
		{"井上", "inoue"},
		{"木村", "kimura"},
		{"林", "hayashi"},
		{"斎藤", "saito"},
		{"清水", "shimizu"},
		{"山崎", "yamazaki"},
		{"森", "mori"},
		{"池田", "ikeda"},
		{"橋本", "hashimoto"},
	}
}

// Givens are given names, in the same way.
func Givens() [][2]string {
	return [][2]string{
		{"太郎", "taro"},
		{"花子", "hanako"},
		{"一郎", "ichiro"},
		{"陽子", "yoko"},
		{"健一", "kenichi"},
		{"美咲", "misaki"},
		{"大輔", "daisuke"},
		{"由美", "yumi"},
		{"誠", "makoto"},
		{"恵子", "keiko"},
		{"翔太", "shota"},
		{"愛", "ai"},
		{"直樹", "naoki"},
		{"真由美", "mayumi"},
		{"浩", "hiroshi"},
		{"久美子", "kumiko"},
		{"隆", "takashi"},
		{"裕子", "yuko"},
		{"和也", "kazuya"},
		{"智子", "tomoko"},
		{"修", "osamu"},
		{"明美", "akemi"},
		{"剛", "tsuyoshi"},
		{"香織", "kaori"},
		{"蓮", "ren"},
		{"葵", "aoi"},
		{"悠真", "yuma"},
		{"結衣", "yui"},
		{"湊", "minato"},
		{"凛", "rin"},
	}
}
