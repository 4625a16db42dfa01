// Package assets holds what is embedded in the program: catalogues of words, PowerShell
// templates, the demo. It imports no package of hacsync. Start with Locales.
package assets

import (
	"embed"
	"io/fs"
)

//go:embed locales/*.json
var locales embed.FS

// Locales returns the catalogues, <family>.<language>.json, at the root of the
// returned file system.
func Locales() fs.FS {
	sub, err := fs.Sub(locales, "locales")
	if err != nil {
		panic(err) // only for an invalid path, which "locales" is not
	}
	return sub
}
