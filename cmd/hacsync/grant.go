package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

// grantFlags are those of hacsync grant.
type grantFlags struct {
	script, application bool
	browser, yes        bool
	find, verify, renew bool
	out, id, moveScript string
	tenant, cloud       string
	provider            string
	userAdministrator   bool
	life                int // days
	addCertificate      []string
	certificateOut      string
}

func (a *app) grantCommand() *cobra.Command {
	var f grantFlags
	c := a.command("grant", "grant", func(ctx context.Context, _ []string) error {
		return a.grant(ctx, f)
	})
	c.Args = a.takes()
	flags := c.Flags()
	flags.BoolVar(&f.script, "script", false, a.text("flag.script", nil))
	flags.BoolVar(&f.application, "application", false, a.text("flag.application", nil))
	flags.StringVar(&f.out, "out", "", a.text("flag.script-out", nil))
	flags.BoolVar(&f.browser, "browser", false, a.text("flag.browser", nil))
	flags.BoolVar(&f.yes, "yes", false, a.text("flag.grant-yes", nil))
	flags.StringVar(&f.id, "id", "", a.text("flag.grant-id", nil))
	flags.BoolVar(&f.find, "find", false, a.text("flag.find", nil))
	flags.BoolVar(&f.verify, "verify", false, a.text("flag.verify", nil))
	flags.BoolVar(&f.renew, "renew", false, a.text("flag.renew", nil))
	a.wholeFlag(c, &f.life, "life", 1, maxLife)
	flags.StringArrayVar(&f.addCertificate, "add-certificate", nil, a.text("flag.add-certificate", nil))
	flags.StringVar(&f.certificateOut, "certificate-out", "", a.text("flag.certificate-out", nil))
	flags.StringVar(&f.provider, "provider", "", a.text("flag.provider", nil))
	flags.BoolVar(&f.userAdministrator, "user-administrator", false, a.text("flag.user-administrator", nil))
	flags.StringVar(&f.moveScript, "move-script", "", a.text("flag.move-script", nil))
	flags.StringVar(&f.tenant, "tenant", "", a.text("flag.grant-tenant", nil))
	flags.StringVar(&f.cloud, "cloud", "public", a.text("flag.cloud", nil))
	flags.Lookup("life").DefValue = "" // a year; the help has no word for it
	_ = c.MarkFlagFilename("add-certificate", "pem", "cer", "crt")
	return c
}

// checkGrant refuses flags that contradict each other.
func (a *app) checkGrant(f grantFlags) error {
	var chosen []string
	for _, one := range []struct {
		flag string
		set  bool
	}{
		{"--script", f.script},
		{"--id", f.id != ""},
		{"--find", f.find},
		{"--verify", f.verify},
		{"--renew", f.renew},
		{"--add-certificate", len(f.addCertificate) > 0},
		{"--certificate-out", f.certificateOut != ""},
		{"--move-script", f.moveScript != ""},
	} {
		if one.set {
			chosen = append(chosen, one.flag)
		}
	}
	const command = "hacsync grant"
	switch {
	case len(chosen) > 1:
		return wrongUsage(command, a.text("usage.one_of", problem.Args{"flags": strings.Join(chosen, ", ")}))
	case f.out != "" && !f.script && f.moveScript == "":
		return wrongUsage(command, a.text("usage.grant", problem.Args{"flag": "out"}))
	}
	return nil
}

// maxLife is the longest life of a new certificate, in days: three years, which is
// more than any policy recommends.
const maxLife = 1096

// grant does what the flags request; without such a flag, it makes the dedicated
// application in place.
func (a *app) grant(ctx context.Context, f grantFlags) error {
	if err := a.checkGrant(f); err != nil {
		return err
	}
	others, err := readCertificates(f.addCertificate)
	if err != nil {
		return err
	}
	s, err := a.openToGrant(ctx, f)
	if err != nil {
		return err
	}
	defer s.Close()
	d := s.Dedicated(session.Choices{
		Life: time.Duration(f.life) * 24 * time.Hour, Provider: f.provider, UserAdministrator: f.userAdministrator, Others: others,
	})
	switch {
	case f.moveScript != "":
		return a.moveScript(ctx, s, f)
	case f.script && !f.application && s.Connection().Account == "" && s.Application() == nil:
		// The script grants to a user, and no user has signed in.
		return wrongUsage("hacsync grant", a.text("usage.needs", problem.Args{"flag": "application", "value": "--script"}))
	case f.script && !f.application:
		return a.printScript(ctx, f.out, "grant.saved", a.localised(f.out, s.Grants().Script))
	case f.script:
		if _, err := d.Prepare(ctx); err != nil {
			return err
		}
		return a.printScript(ctx, f.out, "grant.application_saved", a.localised(f.out, func(w io.Writer) error { return d.Script(ctx, w) }))
	case f.certificateOut != "":
		return a.certificateOut(ctx, s, d, f.certificateOut)
	case f.renew:
		return a.renew(ctx, s, d)
	case f.id != "":
		return a.adopt(ctx, s, d, f.id)
	case f.find:
		return a.findApplication(ctx, s, d, f)
	case f.verify:
		return a.verifyApplication(ctx, s, d, nil)
	}
	return a.give(ctx, s, d, f)
}

// printScript writes a script to a file or to stdout.
func (a *app) printScript(ctx context.Context, out, saved string, script func(io.Writer) error) error {
	var text bytes.Buffer
	if err := script(&text); err != nil {
		return err
	}
	if out != "" {
		if err := a.writeFile(ctx, out, func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err }); err != nil {
			return err
		}
	}
	switch {
	case a.flags.json:
		a.answer(struct {
			Schema int    `json:"schema"`
			Script string `json:"script"`
			File   string `json:"file"`
		}{schema, text.String(), out})
	case out != "":
		a.say(a.text(saved, problem.Args{"file": out}))
	default:
		_, err := a.out.Write(text.Bytes())
		return err
	}
	return nil
}

// localised is a script that gives grants in the reader's language, if it is for a
// file: in Japanese it is no longer ASCII, which a pipe of Windows would spoil.
func (a *app) localised(file string, script func(io.Writer) error) func(io.Writer) error {
	if file == "" || a.words.Language() != message.Japanese {
		return script
	}
	return func(w io.Writer) error {
		var text bytes.Buffer
		if err := script(&text); err != nil {
			return err
		}
		content, err := grants.Japanese(text.Bytes())
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
}

// moveScript prints the script that moves everything other than people out of a
// domain.
func (a *app) moveScript(ctx context.Context, s *session.Session, f grantFlags) error {
	found, err := s.Runner.Precheck(ctx, f.moveScript)
	if err != nil {
		return err
	}
	return a.printScript(ctx, f.out, "grant.move_saved", func(w io.Writer) error {
		return grants.MoveScript(w, s.Connection(), found)
	})
}

// readCertificates reads public certificates of other machines, PEM or DER.
func readCertificates(files []string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, notRead(file, err)
		}
		der := raw
		if block, _ := pem.Decode(input.PEM(raw)); block != nil {
			if block.Type != "CERTIFICATE" {
				return nil, problem.New(problem.NoPublicCertificate, problem.Args{"file": file})
			}
			der = block.Bytes
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, problem.New(problem.NoPublicCertificate, problem.Args{"file": file})
		}
		all = append(all, c)
	}
	return all, nil
}
