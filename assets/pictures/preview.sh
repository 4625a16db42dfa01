#!/bin/sh
# Makes preview.svg and preview.ja.svg, the pictures in the README, of the program
# itself: walks the demo in tmux up to the preview in each language, and draws what
# stands on the screen there.
# Needs tmux and Go; run it anywhere in the repository.
set -eu

cd "$(dirname "$0")/../.."
work=$(mktemp -d)
socket="picture-$$"
screen() { tmux -L "$socket" "$@"; }
trap 'screen kill-server 2>/dev/null || true; rm -rf "$work"' EXIT

go build -o "$work/hacsync" ./cmd/hacsync
# shows waits until the screen has a text.
shows() {
    tries=0
    until screen capture-pane -p -t picture | grep -qF -- "$1"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 150 ]; then
            echo "preview.sh: the screen never showed: $1" >&2
            screen capture-pane -p -t picture >&2
            exit 1
        fi
        sleep 0.2
    done
    sleep 0.6 # keys are ignored for a moment after a screen came by itself
}
press() { screen send-keys -t picture "$@"; }

# picture draws the preview in a language; its words say when each step is there.
picture() {
    lang=$1 file=$2 add=$3 play=$4 keep=$5 domain=$6 findings=$7 who=$8 where=$9
    shift 9
    count=$1 summary=$2 rename=$3
    screen -f /dev/null new-session -d -s picture -x 120 -y 30 \
        "HOME=$work/$lang LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=Asia/Tokyo TERM=tmux-256color COLORTERM=truecolor $work/hacsync demo --lang $lang"
    screen set-option -g default-terminal tmux-256color
    shows "$add"
    press 1
    shows "$play"
    press Enter
    shows "$keep"
    press 2
    shows "$domain"
    press Enter
    shows "$findings"
    press Enter
    shows "$who"
    press Enter
    shows "$where"
    press 1
    shows "users.csv"
    press Enter # the demo's export is the preset
    shows "$count"
    press 4541
    press Enter
    shows "$summary"
    press 2 # all changes: the questions are first
    # A rename that stands among the deletions and renames.
    i=0
    while [ "$i" -lt 16 ]; do
        press Down
        i=$((i + 1))
    done
    shows "$rename"
    screen capture-pane -e -p -t picture >"$work/screen"
    screen kill-session -t picture
    go test ./tui/screen -count=1 -run TestPicture_IsMadeOfAScreen -picture-from "$work/screen" -picture-to "$PWD/assets/pictures/$file" >/dev/null
    echo "assets/pictures/$file"
}

mkdir "$work/en" "$work/ja"
picture en preview.svg "+ Add Service" "What do you do there?" "Keep this sign-in?" "Which domain?" "Pre-check of midori.example" \
    "Who acts for this connection?" "Where do the users come from?" "How many users does" "Summary" "> rename, No."
picture ja preview.ja.svg "+ サービスを追加" "操作を選択してください" "このサインインを保存しますか?" "ドメインを選択してください" "midori.example の事前確認" \
    "同期を実行するアカウント" "ユーザーの同期元を選択してください" "ユーザー数を入力してください" "集計" "> UPN 変更、No."
