#!/bin/sh
# Makes preview.svg, the picture in the README, of the program itself: walks the
# demo in tmux up to the preview, and draws what stands on the screen there.
# Needs tmux and Go; run it anywhere in the repository.
set -eu

cd "$(dirname "$0")/../.."
work=$(mktemp -d)
socket="picture-$$"
screen() { tmux -L "$socket" "$@"; }
trap 'screen kill-server 2>/dev/null || true; rm -rf "$work"' EXIT

go build -o "$work/hacsync" ./cmd/hacsync
screen -f /dev/null new-session -d -s picture -x 120 -y 30 \
    "HOME=$work LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=Asia/Tokyo TERM=tmux-256color COLORTERM=truecolor $work/hacsync demo"
screen set-option -g default-terminal tmux-256color

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

shows "+ Add Service"
press 1
shows "What do you do there?"
press Enter
shows "Keep this sign-in?"
press 2
shows "Which domain?"
press Enter
shows "Pre-check of midori.example"
press Enter
shows "Who acts for this connection?"
press Enter
shows "Where do the users come from?"
press 1
shows "users.csv"
press Enter # the demo's export is the preset
shows "How many users does"
press 4541
press Enter
shows "Summary"
press 2 # all changes: the questions are first
# A rename that stands among the deletions and renames.
i=0
while [ "$i" -lt 16 ]; do
    press Down
    i=$((i + 1))
done
shows "> rename, No."
screen capture-pane -e -p -t picture >"$work/screen"
go test ./tui/screen -count=1 -run TestPicture_IsMadeOfAScreen -picture-from "$work/screen" -picture-to "$PWD/assets/pictures/preview.svg" >/dev/null
echo assets/pictures/preview.svg
