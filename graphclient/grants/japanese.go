package grants

import (
	"encoding/json"
	"io/fs"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/assets"
)

// Japanese is a script that gives grants, with its comments and messages in
// Japanese: UTF-8 with a byte order mark, by which Windows PowerShell 5.1 knows it. So
// it is for a file alone: what goes through a pipe stays ASCII.
func Japanese(script []byte) ([]byte, error) {
	english, err := scriptWords("en")
	if err != nil {
		return nil, broken(err)
	}
	japanese, err := scriptWords("ja")
	if err != nil {
		return nil, broken(err)
	}
	var pairs []string
	for name, why := range english.Grant { // # 1  User.Read.All: users
		pairs = append(pairs, ascii(name+": "+why.For), name+": "+japanese.Grant[name].For)
	}
	for id, text := range english.Script {
		pairs = append(pairs, text, japanese.Script[id])
	}
	return []byte("\ufeff" + strings.NewReplacer(longestFirst(pairs)...).Replace(string(script))), nil
}

// longestFirst sorts pairs of an old and a new text by the length of the old one:
// where two begin alike the Replacer takes the first.
func longestFirst(pairs []string) []string {
	sorted := slices.Collect(slices.Chunk(pairs, 2))
	slices.SortFunc(sorted, func(a, b []string) int { return len(b[0]) - len(a[0]) })
	return slices.Concat(sorted...)
}

// scriptFile is what a catalogue has for scripts.
type scriptFile struct {
	Grant  map[string]reason `json:"grant"`
	Script map[string]string `json:"script"`
}

func scriptWords(lang string) (scriptFile, error) {
	var words scriptFile
	raw, err := fs.ReadFile(assets.Locales(), "signin."+lang+".json")
	if err == nil {
		err = json.Unmarshal(raw, &words)
	}
	return words, err
}
