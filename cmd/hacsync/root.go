package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
)

// root has the flags that every command takes, before or after its name, and
// the commands.
func (a *app) root() *cobra.Command {
	var shown bool // the version
	root := a.command("root", "hacsync", func(ctx context.Context, _ []string) error {
		if shown {
			a.sayVersion()
			return nil
		}
		return a.wizard(ctx)
	})
	root.Flags().BoolVarP(&shown, "version", "v", false, a.text("flag.version", nil))
	f := root.PersistentFlags()
	f.StringVar(&a.flags.State, "state", "", a.text("flag.state", nil))
	f.StringVar(&a.flags.Connection, "connection", "", a.text("flag.connection", nil))
	f.StringVar(&a.flags.Simulator, "simulator", "", a.text("flag.simulator", nil))
	asked := a.flags.json // registering the flag would forget it
	f.BoolVar(&a.flags.json, "json", false, a.text("flag.json", nil))
	a.flags.json = asked
	f.BoolVar(&a.flags.plain, "plain", false, a.text("flag.plain", nil))
	f.BoolVar(&a.flags.ascii, "ascii", false, a.text("flag.ascii", nil))
	f.StringVar(&a.flags.lang, "lang", "", a.text("flag.lang", nil))
	f.StringVar(&a.flags.log, "log", "", a.text("flag.log", nil))
	f.StringVar(&a.flags.logFormat, "log-format", "", a.text("flag.log-format", nil))
	f.StringVar(&a.flags.Identity, "identity", "", a.text("flag.identity", nil))
	f.StringVar(&a.flags.ClientID, "client-id", "", a.text("flag.client-id", nil))
	f.StringVar(&a.flags.As, "as", "", a.text("flag.as", nil))
	_ = root.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{session.AsApplication, session.AsPerson}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.MarkPersistentFlagFilename("simulator", "json")
	_ = root.MarkPersistentFlagFilename("log")
	_ = root.MarkPersistentFlagFilename("identity")
	_ = root.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "ja"}, cobra.ShellCompDirectiveNoFileComp))

	root.AddGroup(
		&cobra.Group{ID: "try", Title: a.text("group.try", nil)},
		&cobra.Group{ID: "tenant", Title: a.text("group.tenant", nil)},
		&cobra.Group{ID: "sync", Title: a.text("group.sync", nil)},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("try", a.demoCommand(), a.simulatorCommand())
	add("tenant", a.connectCommand(), a.connectionsCommand(), a.domainsCommand(), a.checkCommand(), a.grantCommand())
	add("sync", a.dryRunCommand(), a.answerCommand(), a.auditLogCommand(), a.syncCommand(), a.undoCommand(), a.resumeCommand(), a.logsCommand(), a.linksCommand(), a.settingsCommand())
	add("sync", a.periodicCommand(), a.workerCommand(), a.noticesCommand())
	root.AddCommand(a.backupCommand(), a.versionCommand())
	a.helps(root)
	a.completes(root)
	foldFlags(root)
	return root
}
