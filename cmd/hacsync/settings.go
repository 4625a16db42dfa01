package main

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/secret"
)

// settingsVersion is the version of the file that settings --export writes. A
// newer one is refused.
const settingsVersion = 1

// settingsFile is what settings --export writes.
type settingsFile struct {
	Version  int               `json:"hacsync_settings"`
	Domain   string            `json:"domain"`
	Settings map[string]string `json:"settings"`
}

// keyHACClient is a setting of the connection rather than of a domain: the
// client ID at the HAC API. Its secret comes from the environment, and both are
// kept sealed.
const keyHACClient = "hac_client"

// hacSecretVariable is the environment variable with that secret: every user of the
// machine could see an argument.
const hacSecretVariable = "HACSYNC_HAC_SECRET"

func (a *app) settingsCommand() *cobra.Command {
	var export, load string
	c := a.command("settings", "settings DOMAIN [KEY=VALUE…]", func(ctx context.Context, args []string) error {
		domain := args[0]
		pairs, err := a.pairs(args[1:])
		if err != nil {
			return err
		}
		if load != "" {
			imported, err := readSettings(load)
			if err != nil {
				return err
			}
			maps.Copy(imported, pairs)
			pairs = imported
			if spec, ok := pairs[run.KeySource]; ok {
				if pairs[run.KeySource], err = absoluteSource(spec); err != nil {
					return err
				}
			}
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if client, ok := pairs[keyHACClient]; ok {
			delete(pairs, keyHACClient)
			key := secret.NewText(a.getenv(hacSecretVariable))
			switch {
			case client == "":
				key = secret.Text{}
			case key.Empty():
				return problem.New(problem.NoHACAccess, problem.Args{"domain": domain})
			}
			if err := s.SaveHAC(ctx, client, key); err != nil {
				return err
			}
		}
		if len(pairs) > 0 {
			if err := s.Runner.SetSettings(ctx, domain, pairs); err != nil {
				return err
			}
		}
		now, err := s.Runner.Settings(ctx, domain)
		if err != nil {
			return err
		}
		kv := now.Pairs()
		if export != "" {
			return a.exportSettings(ctx, export, domain, kv)
		}
		if a.flags.json {
			a.answer(struct {
				Schema   int               `json:"schema"`
				Domain   string            `json:"domain"`
				Settings map[string]string `json:"settings"`
			}{schema, domain, kv})
			return nil
		}
		presets := run.DefaultSettings().Pairs()
		rows := [][]string{}
		for _, k := range slices.Sorted(maps.Keys(kv)) {
			mark := ""
			if v, ok := presets[k]; ok && v == kv[k] {
				mark = a.text("settings.preset", nil)
			}
			rows = append(rows, []string{message.Clean(k), message.Clean(kv[k]), mark})
		}
		a.show(a.out).table(rows, -1)
		return nil
	})
	c.Args = a.takes("DOMAIN", "[KEY=VALUE…]")

	c.Flags().StringVar(&export, "export", "", a.text("flag.export", nil))
	c.Flags().StringVar(&load, "import", "", a.text("flag.import", nil))
	return c
}

// pairs reads key=value arguments.
func (a *app) pairs(args []string) (map[string]string, error) {
	kv := make(map[string]string, len(args))
	for _, arg := range args {
		k, v, ok := strings.Cut(arg, "=")
		if !ok || k == "" {
			return nil, wrongUsage("hacsync settings", a.text("usage.pair", problem.Args{"argument": arg}))
		}
		if k == run.KeySource {
			spec, err := absoluteSource(v)
			if err != nil {
				return nil, err
			}
			v = spec
		}
		kv[k] = v
	}
	return kv, nil
}

func (a *app) exportSettings(ctx context.Context, path, domain string, kv map[string]string) error {
	write := func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(settingsFile{Version: settingsVersion, Domain: domain, Settings: kv})
	}
	if path == "-" && !a.flags.json {
		return write(a.out)
	}
	if path == "-" {
		return wrongUsage("hacsync settings", a.text("usage.export_json", nil))
	}
	if err := a.writeFile(ctx, path, write); err != nil {
		return err
	}
	if a.flags.json {
		a.answer(struct {
			Schema int    `json:"schema"`
			Domain string `json:"domain"`
			File   string `json:"file"`
		}{schema, domain, path})
		return nil
	}
	a.say(a.text("settings.exported", problem.Args{"file": path}))
	return nil
}

// readSettings reads what exportSettings wrote.
func readSettings(path string) (map[string]string, error) {
	raw, err := input.File(path)
	if err != nil {
		return nil, notRead(path, err)
	}
	wrong := func(why string) error {
		return problem.New(problem.SettingsFileWrong, problem.Args{"file": path, "why": why})
	}
	var version struct {
		Version int `json:"hacsync_settings"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return nil, wrong(err.Error())
	}
	switch {
	case version.Version > settingsVersion:
		return nil, problem.New(problem.SettingsNewer, problem.Args{"version": strconv.Itoa(version.Version)})
	case version.Version < 1:
		return nil, wrong("hacsync_settings")
	}
	var f settingsFile
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, wrong(err.Error())
	}
	if f.Settings == nil {
		return nil, wrong("settings")
	}
	return f.Settings, nil
}
