package review

import (
	"slices"

	"github.com/hacsync/hacsync/tui/words"
)

// The commands of a review, as an answer names them.
const (
	CmdNext      = "next"
	CmdPrevious  = "previous"
	CmdSearch    = "search"
	CmdSame      = "same"
	CmdDifferent = "different"
	CmdNotNow    = "not-now"
	CmdReopen    = "reopen"
	CmdList      = "list"
	CmdFilter    = "filter"
	CmdOut       = "out"
	CmdIn        = "in"
	CmdAttribute = "attribute"
	CmdTakeBack  = "takeback"
	CmdLimit     = "limit"
	CmdAuditLog  = "auditlog"
	CmdSave      = "save"
	CmdDryRun    = "dryrun"
	CmdSync      = "sync"

	// CmdTab is followed by the tab.
	CmdTab = "tab:"
)

// Answers are the commands that answer a question or take its answer back.
func Answers() []string { return []string{CmdSame, CmdDifferent, CmdNotNow, CmdReopen} }

// Command is what a person may do with the plan.
type Command struct {
	Name string // what an answer says
	Key  string // by a key, or
	Word string // by a word
	Arg  words.Text
	Help words.Text
	// Also is the word in Japanese.
	Also string
	// Questions: only where a question is shown.
	Questions bool
	// Lines: only where rows are listed line by line; a screen has ways of its own.
	Lines bool
}

// Commands are all of them, in the order in which they are explained.
func (r *Review) Commands() []Command { return r.commands }

func commandsOf(parts []Part) []Command {
	rows, attribute := words.T("preview.arg_rows"), words.T("preview.arg_attribute")
	list := []Command{
		{Name: CmdNext, Key: "n", Word: "next", Help: words.T("preview.cmd_next"), Lines: true},
		{Name: CmdPrevious, Key: "v", Word: "previous", Help: words.T("preview.cmd_previous"), Lines: true},
	}
	for _, p := range parts {
		c := Command{Name: CmdTab + string(p.Tab), Key: p.Sign, Word: string(p.Tab), Lines: true}
		switch p.Tab {
		case TabQuestions:
			// ? is help everywhere.
			c.Key, c.Word, c.Help = "", "questions", words.T("preview.cmd_questions")
		case TabAll:
			c.Help = words.T("preview.cmd_all")
		case TabBlock:
			c.Help = words.T("preview.cmd_block")
		case TabSkip:
			c.Help = words.T("preview.cmd_skip")
		case TabSummary:
			c.Help = words.T("preview.cmd_summary")
		default:
			c.Help = words.T("preview.cmd_kind", "kind", words.T("kind."+string(p.Tab)))
		}
		list = append(list, c)
	}
	if parts[0].Tab == TabQuestions {
		row := words.T("preview.arg_row")
		list = append(
			list,
			Command{Name: CmdSame, Key: "=", Word: "same", Also: "同一人物", Arg: row, Help: words.T("preview.cmd_same"), Questions: true},
			Command{Name: CmdDifferent, Key: "D", Word: "different", Also: "別人", Help: words.T("preview.cmd_different"), Questions: true},
			Command{Name: CmdNotNow, Word: "not-now", Also: "保留", Help: words.T("preview.cmd_notnow"), Questions: true},
			Command{Name: CmdReopen, Key: "z", Word: "takeback", Help: words.T("preview.cmd_reopen"), Questions: true},
			Command{Name: CmdList, Key: "l", Word: "list", Help: words.T("preview.cmd_list"), Questions: true, Lines: true},
		)
	}
	return append(
		list,
		Command{Name: CmdSearch, Key: "/", Word: "search", Arg: words.T("flow.arg_text"), Help: words.T("preview.cmd_search")},
		Command{Name: CmdFilter, Key: "f", Word: "filter", Arg: words.T("preview.arg_filter"), Help: words.T("preview.cmd_filter", "list", explained()), Lines: true},
		Command{Name: CmdOut, Key: "o", Word: "out", Arg: rows, Help: words.T("preview.cmd_out"), Lines: true},
		Command{Name: CmdIn, Key: "i", Word: "in", Arg: rows, Help: words.T("preview.cmd_in"), Lines: true},
		Command{Name: CmdAttribute, Word: "attribute", Arg: attribute, Help: words.T("preview.cmd_attribute")},
		Command{Name: CmdTakeBack, Key: "z", Word: "takeback", Help: words.T("preview.cmd_takeback")},
		Command{Name: CmdLimit, Key: "m", Word: "limit", Help: words.T("word.max-allowed-deletions")},
		Command{Name: CmdAuditLog, Key: "a", Word: "auditlog", Help: words.T("preview.cmd_auditlog")},
		Command{Name: CmdSave, Key: "w", Word: "save", Help: words.T("preview.cmd_save")},
		Command{Name: CmdDryRun, Key: "d", Word: "dryrun", Help: words.T("preview.cmd_dryrun")},
		Command{Name: CmdSync, Key: "s", Word: "sync", Help: words.T("preview.cmd_sync")},
	)
}

// ForQuestions is a command as it is where questions are listed.
func (r *Review) ForQuestions(c Command) Command {
	switch c.Name {
	case CmdFilter:
		var list words.Texts
		for _, f := range Filters(TabQuestions) {
			list = append(list, words.T("preview.filter_word", "word", string(f), "what", FilterWord(TabQuestions, f)))
		}
		c.Help = words.T("preview.cmd_filter_questions", "list", list)
	case CmdSave:
		c.Help = words.T("preview.cmd_save_questions")
	}
	return c
}

// explained are the filters with what each has.
func explained() words.Texts {
	var out words.Texts
	for _, f := range Filters(TabAll) {
		out = append(out, words.T("preview.filter_word", "word", string(f), "what", words.T("preview.filter."+string(f))))
	}
	return out
}

// Key is the key of a command.
func (r *Review) Key(name string) string {
	if i := slices.IndexFunc(r.commands, func(c Command) bool { return c.Name == name }); i >= 0 {
		return r.commands[i].Key
	}
	return ""
}

// Pressed is the command that a screen's key stands for by itself.
func (r *Review) Pressed(key string) (name string, ok bool) {
	for _, c := range r.commands {
		if c.Key == key && c.Arg.IsZero() && !c.Lines && !c.Questions {
			return c.Name, true
		}
	}
	return "", false
}
