package message

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// avoided are words that another one replaces: one word for one thing. Texts that may
// use such a word are in apart, or in the row's own list of messages.
var avoided = map[Language][]struct {
	word    string // a regular expression
	instead string
	in      string   // only in messages whose IDs match, in all without it
	not     []string // messages that mean something else by the word
}{
	English: {
		{word: `[Rr]ecycle bin`, instead: "[Deleted users]"},
		{word: `(public|private|secret) half`, instead: "public key, private key"},
		{word: `\b[Ee]-?mail address`, instead: "mail address"},
		{word: `\((default|by default)\b`, instead: "preset"},
		{word: `\bsynchroniz`, instead: "synchronis"},
		{word: `\bcanceled\b`, instead: "cancelled"},
		{word: `\bthis (computer|PC|device)\b`, instead: "this machine"},
		{word: `\bthis program\b`, instead: "hacsync"},
		{word: `\blog(ged)? in\b`, instead: "sign in"},
		{word: `\bMaximum Allowed\b`, instead: "Max Allowed Deletions"},
	},
	Japanese: {
		{word: `端末`, instead: "このコンピューター、別のデバイス、ターミナル"},
		{word: `マシン`, instead: "コンピューター"},
		{word: `この状態を|この状態の保存|元の状態を使う|状態 \{\{\.state|状態のデータベース|ステート`, instead: "データ (--state)"},
		{word: `ソース`, instead: "同期元"},
		{word: `詳細を表示`, instead: "詳細の確認"},
		{word: `Dry ?Run`, instead: "ドライラン"},
		{word: `プラン`, instead: "計画", not: []string{"HS-3111.what"}}, // of Exchange
		{word: `ガード`, instead: "ユーザー削除許容率"},
		{word: `人で停止`, instead: "N 人以上でキャンセル"},
		{word: `ドメイン(は|を)解除`, instead: "停止を解除"},
		{word: `続行`, instead: "再開", in: `resume`},
		{word: `中止`, instead: "キャンセル", in: `guard|HS-39`},
		{word: `キャンセル`, instead: "中止", in: `drift|drifted`},
		{word: `(^|[^ァ-ヶー])ラン($|[^ァ-ヶー])`, instead: "実行"},
		{word: `インターバル`, instead: "間隔"},
		{word: `実行元`, instead: "実行場所"},
		{word: `アンドゥ`, instead: "元に戻す"},
		{word: `今回のみ`, instead: "今回だけ"},
		{word: `ルール`, instead: "規則、ポリシー"},
		{word: `名前の?変更`, instead: "UPN 変更"},
		{word: `値の削除`, instead: "値の消去"},
		{word: `[ごゴ][みミ]箱`, instead: "[削除済みのユーザー]"},
		{word: `確認済み`, instead: "完了確認", not: []string{ // of a domain, or of the reader's own check
			"flow.domain.verified", "HS-3410.remedy", "HS-5507.what", "HS-3612.what", "HS-4117.what", "grant.Domain.Read.All.why",
			"explained.linked_vouched",
		}},
		{word: `全件であることは未確認`, instead: "件数は未確認"},
		{word: `事前チェック`, instead: "事前確認"},
		{word: `設備`, instead: "備品"},
		{word: `読み込`, instead: "読み取"},
		{word: `再試行`, instead: "再読み込み、やり直す"},
		{word: `読み直`, instead: "再読み込み、改めて読み取る"},
		{word: `権限`, instead: "アクセス許可", not: []string{"HS-5240.remedy"}}, // CREATE of PostgreSQL
		{word: `同意`, instead: "承諾"},
		{word: `ログイン`, instead: "サインイン"},
		{word: `として動作|の役を演じ|人なしで`, instead: "として実行、人の操作なしで"},
		{word: `グローバル管理者|Global Admin`, instead: "全体管理者"},
		{word: `User Administrator|Global Reader|Privileged Role|Application Administrator`, instead: "ユーザー管理者、グローバル閲覧者 ..."},
		{word: `シークレット`, instead: "クライアント秘密鍵"},
		{word: `の半分`, instead: "秘密鍵、公開鍵"},
		{word: `メール アドレス`, instead: "メールアドレス"},
		{word: `文章|メッセージをコピー`, instead: "文面"},
		{word: `\(状態 `, instead: "状態コード"},
		{word: `全件ダウンロード|Download All|User List|\[Users\]`, instead: "[ユーザー一覧], and no button quoted"},
		{word: `両側`, instead: "同期元と同期先"},
		{word: `このプログラム`, instead: "hacsync"},
		{word: `up/down|Ctrl\+`, instead: "↑↓, ctrl+"},
		// Style.
		{word: `[，．！？]`, instead: "、。: ?"},
		{word: `既に|揃|全て|下さい|出来る|出来ま`, instead: "kana"},
		{word: `[二三四五六七八九十](つ|度|回|人|件)`, instead: "digits"},
		{word: `(\}\}|[0-9]) ?名`, instead: "人"},
		{word: `[0-9](人|件|行|回|日|分|秒|時間|度)`, instead: "a space before the unit"},
		{word: `[ぁ-んァ-ヶ一-龥][A-Za-z0-9]|[A-Za-z0-9][ぁ-んァ-ヶ一-龥]`, instead: "a space between"},
		{word: `[ぁ-んァ-ヶ一-龥]\(|\)[ぁ-んァ-ヶ一-龥]`, instead: "a space outside of ( )"},
		{word: `(ユーザ|サーバ|フォルダ|コンピュータ|ブラウザ|ワーカ)($|[^ー])`, instead: "a long vowel"},
		{word: `か$`, instead: "a request, or か?"},
	},
}

// apart are names and set phrases that hold such a word rightly: what a screen of
// HENNGE or Microsoft shows, word for word, and longer words.
var apart = map[Language][]string{
	English: {
		"Synchronization was canceled because the deletion percentage reached the threshold.", // HENNGE's guides
		"[Email Address]", "[Login ID UserPrincipalName]",
	},
	Japanese: {
		"リソース", "テンプレート", "再読み込み", "[読み込み専用]", "[APIクライアント]", "[全てのAPI]", "[Users] > [Active", "権限付与", "特権ロール", "組織の代理として同意する",
		"全体管理者 (グローバル管理者)", "クライアント シークレット", "[証明書とシークレット]", "[Last Login]", "[Login ID UserPrincipalName]",
		"クライアントID",
	},
}

func TestGlossary_OneWordForOneThing(t *testing.T) {
	for lang, rows := range avoided {
		all := catalogues(t, lang)
		for _, row := range rows {
			word, in := regexp.MustCompile(row.word), regexp.MustCompile(row.in)
			needed := map[string]bool{}
			for _, id := range slices.Sorted(maps.Keys(all)) {
				text := all[id].text
				for _, a := range apart[lang] {
					text = strings.ReplaceAll(text, a, "…")
				}
				found := word.FindString(text)
				if found == "" || !in.MatchString(id) {
					continue
				}
				if slices.Contains(row.not, id) {
					needed[id] = true
					continue
				}
				t.Errorf("%s: %s says %q, which is %s: %s", all[id].file, id, found, row.instead, all[id].text)
			}
			for _, id := range row.not {
				if !needed[id] {
					t.Errorf("%s does not say %q any more: take it from the list", id, row.word)
				}
			}
		}
	}
}
