package assets

import "embed"

//go:embed scripts/*.ps1.tmpl
var scripts embed.FS

// Script is a PowerShell template, by its name without folder and extension.
func Script(name string) (string, error) {
	b, err := scripts.ReadFile("scripts/" + name + ".ps1.tmpl")
	return string(b), err
}
