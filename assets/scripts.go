package assets

import (
	"embed"
	"io/fs"
)

//go:embed scripts/*.ps1.tmpl
var scripts embed.FS

// Scripts returns the PowerShell templates: grant (a user's permissions),
// application (a dedicated application's), move (mailboxes to the tenant's first
// domain), and common, which holds what they share.
func Scripts() fs.FS {
	sub, err := fs.Sub(scripts, "scripts")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}
