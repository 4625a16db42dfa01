package screen

// syncing shows a sync: the code for the permission to write where Microsoft
// asks for it, then pace, pauses, sums and failures as they come, and what to do
// about rows that are not as they were.
type syncing struct{ *signIn }

func newSyncing(e *env) *syncing { return &syncing{newSignIn(e)} }

// View draws the screen; what stops a sync is the shell's.
func (s *syncing) View(width, height int) frame { return s.columns(width, s.body(width, height)) }

func (s *syncing) body(width, height int) string {
	if _, waits := s.card(); waits || s.v.Work == nil {
		return s.signIn.body(width, height)
	}
	s.pinned = nil
	p := newPage(s.e, width)
	p.title(s.v.Title)
	p.blank()
	p.syncWork(s.v.Work)
	p.blank()
	p.pieces(s.v.Blocks)
	return s.arrange(p.lines, width, height)
}
