package assets

import (
	"embed"
	"fmt"
)

//go:embed deploy
var deploy embed.FS

// Deploy returns a unit, task or container file of hacsync worker, by its name in
// the folder deploy. An unknown name is an error.
func Deploy(name string) (string, error) {
	b, err := deploy.ReadFile("deploy/" + name)
	if err != nil {
		return "", fmt.Errorf("deployment file %s: %w", name, err)
	}
	return string(b), nil
}
