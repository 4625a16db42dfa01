package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
)

// The environment variables for values that, as arguments, every user of the
// machine could see.
const (
	noticeAddressVariable = "HACSYNC_NOTICE_ADDRESS"
	noticeKeyVariable     = "HACSYNC_NOTICE_KEY"
)

// noticeFlags are those of hacsync notices add and remove.
type noticeFlags struct {
	kinds, only []string
	language    string
	people      bool
	all         bool
}

func (a *app) noticesCommand() *cobra.Command {
	c := a.command("notices", "notices", a.listTargets)
	c.Args = a.takes()
	list := a.command("notices_list", "list", a.listTargets)
	list.Args = a.takes()

	var f noticeFlags
	add := a.command("notices_add", "add NAME", func(ctx context.Context, args []string) error {
		return a.addTarget(ctx, args[0], f)
	})
	add.Args = a.takesTarget
	add.Flags().StringSliceVar(&f.kinds, "kinds", nil, a.text("flag.kinds", nil))
	add.Flags().StringSliceVar(&f.only, "only", nil, a.text("flag.only", nil))
	add.Flags().StringVar(&f.language, "language", "", a.text("flag.language", nil))
	add.Flags().BoolVar(&f.people, "people", false, a.text("flag.people", nil))

	var yes bool
	remove := a.command("notices_remove", "remove [NAME]", func(ctx context.Context, args []string) error {
		return a.removeTarget(ctx, args, f.all, yes)
	})
	remove.Args = a.takes("[NAME]")
	remove.Flags().BoolVar(&f.all, "all", false, a.text("flag.notices-all", nil))
	remove.Flags().BoolVar(&yes, "yes", false, a.text("flag.notices-yes", nil))

	test := a.command("notices_test", "test [NAME]", a.testTargets)
	test.Args = a.takes("[NAME]")
	c.AddCommand(list, add, remove, test)
	return c
}

// takesTarget refuses an address among the arguments with a problem of its own: it
// is a secret that others could already see.
func (a *app) takesTarget(c *cobra.Command, args []string) error {
	for _, arg := range args {
		if strings.Contains(arg, "://") {
			return problem.New(problem.TargetAddressShown, problem.Args{"variable": noticeAddressVariable})
		}
	}
	return a.takes("NAME")(c, args)
}

// targets opens the state with the book of its targets.
func (a *app) targets(ctx context.Context) (*session.Session, *notice.Book, error) {
	s, err := a.env().Open(ctx, session.Want{Key: true})
	if err != nil {
		return nil, nil, err
	}
	return s, notice.NewBook(s.Store, s.Sealer), nil
}

// jsonTarget is a target as --json shows it: nothing in it is secret.
type jsonTarget struct {
	Name        string        `json:"target"`
	Where       string        `json:"where"`
	Kinds       []notice.Kind `json:"kinds"`
	Connections []string      `json:"connections"`
	Language    string        `json:"language"`
	People      bool          `json:"people"`
	Signed      bool          `json:"signed"`
	Added       time.Time     `json:"added"`
}

func targetObject(t notice.Target) jsonTarget {
	o := jsonTarget{
		Name: t.Name, Where: t.Where(), Kinds: append([]notice.Kind{}, t.Kinds...), Connections: append([]string{}, t.Connections...),
		Language: t.Language, People: t.People, Signed: !t.Key.Empty(), Added: t.Added,
	}
	if len(o.Kinds) == 0 {
		o.Kinds = notice.Kinds()
	}
	return o
}

// jsonUndelivered is a notice that did not arrive.
type jsonUndelivered struct {
	Target   string    `json:"target"`
	Title    string    `json:"title"`
	Attempts int       `json:"attempts"`
	GivenUp  bool      `json:"given_up"`
	Next     time.Time `json:"next,omitzero"`
	Error    fault     `json:"error"`
}

func (a *app) listTargets(ctx context.Context, _ []string) error {
	s, book, err := a.targets(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	all, err := book.Targets(ctx)
	if err != nil {
		return err
	}
	missed, err := notice.New(notice.Options{Store: s.Store, Book: book, Log: a.log}).Undelivered(ctx)
	if err != nil {
		return err
	}
	if a.flags.json {
		list := make([]jsonTarget, 0, len(all))
		for _, t := range all {
			list = append(list, targetObject(t))
		}
		undelivered := make([]jsonUndelivered, 0, len(missed))
		for _, u := range missed {
			undelivered = append(undelivered, jsonUndelivered{
				Target: u.Target, Title: notice.Say(a.words, u.Event, false).Title, Attempts: u.Attempts, GivenUp: u.GivenUp,
				Next: u.Next, Error: a.fault(u.Problem(a.words)),
			})
		}
		a.answer(struct {
			Schema      int               `json:"schema"`
			Targets     []jsonTarget      `json:"targets"`
			Undelivered []jsonUndelivered `json:"undelivered"`
		}{schema, list, undelivered})
		return nil
	}
	if len(all) == 0 {
		a.say(a.text("notices.none", nil))
	} else {
		a.showTargets(all)
	}
	if len(missed) > 0 {
		a.say("")
		a.say(a.text("notices.undelivered", nil))
		for _, u := range missed {
			w := a.words.Problem(u.Problem(a.words))
			a.say("  " + w.What + " [" + string(w.Code) + "]")
		}
	}
	return nil
}

func (a *app) showTargets(all []notice.Target) {
	head := func(id string) string { return a.text("notices."+id, nil) }
	rows := [][]string{{head("name"), head("where"), head("kinds"), head("connections"), head("language"), head("added_at")}}
	for _, t := range all {
		kinds := make([]string, 0, len(t.Kinds)+1)
		for _, k := range t.Kinds {
			kinds = append(kinds, string(k))
		}
		if len(kinds) == 0 {
			kinds = append(kinds, head("all"))
		}
		if t.People {
			kinds = append(kinds, head("people"))
		}
		connections := head("all")
		if len(t.Connections) > 0 {
			connections = message.Clean(strings.Join(t.Connections, ", "))
		}
		rows = append(rows, []string{t.Name, message.Clean(t.Where()), strings.Join(kinds, ", "), connections, t.Language, a.words.Date(t.Added)})
	}
	a.show(a.out).table(rows, -1)
}

func (a *app) addTarget(ctx context.Context, name string, f noticeFlags) error {
	t := notice.Target{
		Name: name, Connections: f.only, Language: f.language, People: f.people, Added: time.Now(),
		Key: secret.NewText(a.getenv(noticeKeyVariable)),
	}
	if t.Language == "" {
		t.Language = string(a.words.Language())
	}
	for _, k := range f.kinds {
		t.Kinds = append(t.Kinds, notice.Kind(strings.TrimSpace(k)))
	}
	var err error
	if t.Address, err = a.targetAddress(ctx, name); err != nil {
		return err
	}
	s, book, err := a.targets(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, c := range t.Connections {
		if _, err := s.Store.Connection(ctx, c); err != nil {
			return err
		}
	}
	if t, err = book.Add(ctx, t); err != nil {
		return err
	}
	if a.flags.json {
		a.answer(struct {
			Schema int `json:"schema"`
			jsonTarget
		}{schema, targetObject(t)})
		return nil
	}
	a.say(a.text("notices.added", problem.Args{"target": t.Name, "where": t.Where()}))
	return nil
}

// targetAddress reads the address from the environment, from a user who types it
// without echo, or from the first line of standard input.
func (a *app) targetAddress(ctx context.Context, name string) (secret.Text, error) {
	address := secret.NewText(strings.TrimSpace(a.getenv(noticeAddressVariable)))
	var err error
	switch {
	case !address.Empty():
	case a.terminal:
		address, err = a.readHidden(ctx, a.text("notices.address", problem.Args{"target": name}))
	case a.in != nil:
		var line string
		line, err = a.answers.ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		address = secret.NewText(strings.TrimSpace(line))
	}
	if err != nil {
		return address, err
	}
	if strings.TrimSpace(address.Reveal()) == "" {
		return address, problem.New(problem.TargetAddressMissing, problem.Args{"variable": noticeAddressVariable})
	}
	return address, nil
}

func (a *app) removeTarget(ctx context.Context, args []string, all, sure bool) error {
	if all == (len(args) > 0) {
		return wrongUsage("hacsync notices remove", a.text("usage.missing", problem.Args{"name": "NAME"}))
	}
	s, book, err := a.targets(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	removed, said := "", a.text("notices.cleared", nil)
	if all {
		if !sure {
			if !a.terminal {
				return wrongUsage("hacsync notices remove", a.text("usage.needs", problem.Args{"flag": "yes", "value": "--all"}))
			}
			answer, err := a.ask(ctx, a.text("notices.question", nil))
			if err != nil || !input.Yes(answer) {
				return err
			}
		}
		err = book.Clear(ctx)
	} else {
		removed, said = args[0], a.text("notices.removed", problem.Args{"target": args[0]})
		err = book.Remove(ctx, args[0])
	}
	if err != nil {
		return err
	}
	if a.flags.json {
		a.answer(struct {
			Schema  int    `json:"schema"`
			Removed string `json:"removed"`
			All     bool   `json:"all"`
		}{schema, removed, all})
		return nil
	}
	a.say(said)
	return nil
}

// jsonTrial is what one target answered to a test notice.
type jsonTrial struct {
	Target  string  `json:"target"`
	Where   string  `json:"where"`
	OK      bool    `json:"ok"`
	Seconds float64 `json:"seconds"`
	Error   *fault  `json:"error,omitempty"`
}

// testTargets sends a test notice. If a target did not accept it, that is reported
// for the target, and the exit code is 1.
func (a *app) testTargets(ctx context.Context, args []string) error {
	s, book, err := a.targets(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	trials, err := notice.New(notice.Options{Store: s.Store, Book: book, Log: a.log}).Test(ctx, strings.Join(args, ""))
	if err != nil {
		return err
	}
	result := error(nil)
	list := make([]jsonTrial, 0, len(trials))
	for _, t := range trials {
		trial := jsonTrial{Target: t.Target.Name, Where: t.Target.Where(), OK: t.Err == nil, Seconds: t.Took.Seconds()}
		words := problem.Args{"target": t.Target.Name, "where": t.Target.Where(), "duration": a.words.Duration(t.Took)}
		if t.Err == nil {
			a.say(a.text("notices.took", words))
		} else {
			fault := a.fault(t.Err)
			trial.Error, result = &fault, outcome(exitError)
			a.say(a.text("notices.refused", words))
			a.complain(t.Err)
		}
		list = append(list, trial)
	}
	if a.flags.json {
		a.answer(struct {
			Schema int         `json:"schema"`
			Tests  []jsonTrial `json:"tests"`
		}{schema, list})
	}
	return result
}

// checkNotices warns of notices that should have arrived and did not.
func (a *app) checkNotices(ctx context.Context, store *state.Store, c consent.Connection, f *findings) error {
	missed, err := notice.New(notice.Options{Store: store, Log: a.log}).Undelivered(ctx)
	if err != nil {
		return err
	}
	for _, u := range missed {
		if u.Event.Tenant != c.Tenant {
			continue
		}
		w := a.words.Problem(u.Problem(a.words))
		f.found = append(f.found, checked{Name: "notices", State: checkWarning, What: w.What, Remedy: w.Remedy, Code: w.Code})
	}
	return nil
}
