package flow

import (
	"slices"
	"strings"

	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// The commands of the preview, as an answer names them.
const (
	CmdNext      = "next"
	CmdPrevious  = "previous"
	CmdSearch    = "search"
	CmdSame      = review.WordSame
	CmdDifferent = review.WordDifferent
	CmdNotNow    = review.WordNotNow
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
	// These are a screen's alone.
	CmdOrder = "order"
	CmdAll   = "all"
	CmdCopy  = "copy"

	// CmdTab is followed by the tab.
	CmdTab = "tab:"
)

// previewCommand is a row of the table of what can be done at the preview: how it
// is called, where it works, and what it does.
type previewCommand struct {
	Command
	do func(*previewStep, *data, Answer) turn
}

// previewCommands are all of them, in the order in which they are explained. A new
// one is a row here and its words: footer, help and the line by line walk show it.
func previewCommands(r *review.Review, atQuestions bool) []previewCommand {
	t := words.T
	one, rows := []Shows{ShowsQuestion}, []Shows{ShowsRows}
	list := []previewCommand{
		{Command{Name: CmdNext, Key: "n", Word: "next", Help: t("preview.cmd_next"), On: InLines}, turnPage(1)},
		{Command{Name: CmdPrevious, Key: "v", Word: "previous", Help: t("preview.cmd_previous"), On: InLines}, turnPage(-1)},
	}
	for _, p := range r.Tabs() {
		list = append(list, tabCommand(p))
	}
	if r.Tabs()[0].Tab == review.TabQuestions {
		list = append(list, []previewCommand{
			{Command{Name: CmdSame, Key: review.KeySame, Word: CmdSame, Also: "同一人物", Arg: t("preview.arg_row"), Help: t("preview.cmd_same"), Short: t("preview.key.same"), At: one}, (*previewStep).reply},
			{Command{Name: CmdDifferent, Key: review.KeyDifferent, Word: CmdDifferent, Also: "別人", Help: t("preview.cmd_different"), Short: t("preview.key.different"), At: one}, (*previewStep).reply},
			{Command{Name: CmdNotNow, Word: CmdNotNow, Also: "保留", Help: t("preview.cmd_notnow"), Short: t("question.answer.not-now"), At: one}, (*previewStep).reply},
			{Command{Name: CmdReopen, Key: "z", Word: "takeback", Help: t("preview.cmd_reopen"), Short: t("preview.key.back"), At: one}, (*previewStep).reply},
			{Command{Name: CmdList, Key: "l", Word: "list", Help: t("preview.cmd_list"), On: InLines, At: []Shows{ShowsQuestion, ShowsQuestions}}, (*previewStep).listAll},
			{Command{Name: CmdCopy, Key: "C", Short: t("preview.key.copy"), On: OnScreen, At: one}, nil},
		}...)
	}
	filter, save := t("preview.cmd_filter", "list", filterWords(review.TabAll)), t("preview.cmd_save")
	if atQuestions {
		filter, save = t("preview.cmd_filter_questions", "list", filterWords(review.TabQuestions)), t("preview.cmd_save_questions")
	}
	return append(list, []previewCommand{
		{Command{Name: CmdSearch, Key: "/", Word: "search", Arg: t("flow.arg_text"), Help: t("preview.cmd_search"), Short: t("preview.key.search")}, (*previewStep).search},
		{Command{Name: CmdFilter, Key: "f", Word: "filter", Arg: t("preview.arg_filter"), Help: filter, Short: t("preview.key.filter"), On: InLines}, (*previewStep).filter},
		{Command{Name: CmdOut, Key: "o", Word: "out", Arg: t("preview.arg_rows"), Help: t("preview.cmd_out"), Short: t("preview.key.out"), On: InLines}, (*previewStep).take},
		{Command{Name: CmdIn, Key: "i", Word: "in", Arg: t("preview.arg_rows"), Help: t("preview.cmd_in"), Short: t("preview.key.in"), On: InLines}, (*previewStep).take},
		{Command{Name: CmdOrder, Key: "o", Short: t("preview.key.order"), On: OnScreen}, nil},
		{Command{Name: CmdAll, Key: "*", On: OnScreen}, nil},
		{Command{Name: CmdAttribute, Word: "attribute", Arg: t("preview.arg_attribute"), Help: t("preview.cmd_attribute")}, (*previewStep).attribute},
		{Command{Name: CmdTakeBack, Key: "z", Word: "takeback", Help: t("preview.cmd_takeback"), Short: t("preview.key.back"), At: rows}, (*previewStep).takeBackRows},
		{Command{Name: CmdLimit, Key: "m", Word: "limit", Help: t("word.max-allowed-deletions"), Short: t("preview.key.limit")}, (*previewStep).changeLimit},
		{Command{Name: CmdAuditLog, Key: "a", Word: "auditlog", Help: t("preview.cmd_auditlog"), Short: t("preview.key.audit")}, (*previewStep).saveAuditLog},
		{Command{Name: CmdSave, Key: "w", Word: "save", Help: save, Short: t("preview.key.save")}, (*previewStep).save},
		{Command{Name: CmdDryRun, Key: "d", Word: "dryrun", Help: t("preview.cmd_dryrun"), Short: t("word.dry-run")}, (*previewStep).dryRun},
		{Command{Name: CmdSync, Key: "s", Word: "sync", Help: t("preview.cmd_sync"), Short: t("word.sync-now")}, (*previewStep).sync},
	}...)
}

// tabCommand lists the rows of one tab.
func tabCommand(p review.Part) previewCommand {
	c := Command{Name: CmdTab + string(p.Tab), Key: p.Sign, Word: string(p.Tab), On: InLines}
	switch p.Tab {
	case review.TabQuestions:
		// ? is help everywhere.
		c.Key, c.Word, c.Help = "", "questions", words.T("preview.cmd_questions")
	case review.TabAll:
		c.Help = words.T("preview.cmd_all")
	case review.TabBlock:
		c.Help = words.T("preview.cmd_block")
	case review.TabSkip:
		c.Help = words.T("preview.cmd_skip")
	case review.TabSummary:
		c.Help = words.T("preview.cmd_summary")
	default:
		c.Help = words.T("preview.cmd_kind", "kind", words.T("kind."+string(p.Tab)))
	}
	return previewCommand{c, func(s *previewStep, d *data, _ Answer) turn {
		s.row, s.many = 0, false
		s.show(d, p.Tab, review.NoFilter, "")
		return turn{}
	}}
}

// filterWords are the filters of a tab with what each has.
func filterWords(tab review.Tab) words.Texts {
	var out words.Texts
	for _, f := range review.Filters(tab) {
		out = append(out, words.T("preview.filter_word", "word", string(f), "what", review.FilterWord(tab, f)))
	}
	return out
}

// answers are the commands that answer a question or take its answer back.
func answers() []string { return []string{CmdSame, CmdDifferent, CmdNotNow, CmdReopen} }

// command does what a row of the table says.
func (s *previewStep) command(d *data, a Answer) turn {
	for _, c := range previewCommands(d.review, s.atQuestions(d)) {
		if c.Name == a.Command && c.do != nil {
			if by := d.planned.Applied; by > 0 && decides(c.Name) {
				return stayed(words.T("preview.applied", "run", int(by)))
			}
			return c.do(s, d, a)
		}
	}
	return stayed(words.T("flow.not_a_command"))
}

// decides reports whether a command decides about what a sync would do: of a plan
// that was applied there is nothing to decide.
func decides(name string) bool {
	return slices.Contains([]string{CmdOut, CmdIn, CmdTakeBack, CmdAttribute, CmdLimit, CmdSync}, name)
}

// atQuestions reports whether questions are listed, each or as rows.
func (s *previewStep) atQuestions(d *data) bool {
	return s.listed(d).query.Tab == review.TabQuestions
}

func turnPage(by int) func(*previewStep, *data, Answer) turn {
	return func(s *previewStep, d *data, _ Answer) turn { return s.page(d, by) }
}

func (s *previewStep) listAll(*data, Answer) turn {
	s.many = !s.many
	return turn{}
}

func (s *previewStep) search(d *data, a Answer) turn {
	l := s.listed(d)
	s.row = 0
	tab := l.query.Tab
	if tab == review.TabSummary {
		tab = review.TabAll
	}
	s.show(d, tab, l.query.Filter, strings.TrimSpace(a.Text))
	return turn{}
}

func (s *previewStep) filter(d *data, a Answer) turn {
	f := review.Filter(words.Fold(a.Text))
	tab := review.TabAll
	if s.atQuestions(d) {
		tab = review.TabQuestions
	}
	s.row = 0
	if f != review.NoFilter && !slices.Contains(review.Filters(tab), f) {
		var list words.Texts
		for _, f := range review.Filters(tab) {
			list = append(list, words.Raw("f "+string(f)))
		}
		return stayed(words.T("preview.no_such_filter", "list", list))
	}
	s.show(d, tab, f, "")
	return turn{}
}

func (s *previewStep) takeBackRows(d *data, _ Answer) turn {
	raised := d.review.RaisedBy()
	changed, back := d.review.TakeBack()
	if len(changed) == 0 {
		return stayed(words.T("preview.nothing_taken_back"))
	}
	return s.tookIn(d, raised, changed, back)
}

func (s *previewStep) changeLimit(*data, Answer) turn {
	s.asks, s.limit, s.most = askGuard, "", ""
	return turn{}
}

// save writes the plan, or the questions that are listed.
func (s *previewStep) save(d *data, a Answer) turn {
	if a.Rows == nil && s.atQuestions(d) {
		for _, i := range s.listed(d).rows {
			a.Rows = append(a.Rows, d.review.No(int(i)))
		}
	}
	if a.Rows != nil {
		return s.saveQuestions(d, a)
	}
	return s.savePlan(d)
}

func (s *previewStep) dryRun(d *data, _ Answer) turn {
	if d.file != nil {
		return stayed(words.T("preview.file_no_dryrun"))
	}
	return goTo(DryRun)
}
