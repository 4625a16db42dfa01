package plan

import (
	"iter"
	"slices"
)

// waveSize bounds a wave that nothing waits for, so that a million steps are
// never made at once.
const waveSize = 2000

// Waves are the steps of all actions in this order: renames that release a UPN, link by
// link, from the free end of each chain; the other renames; values; restores, then what
// is written to the restored accounts; additions, first those that a deletion waits
// for; sign-in blocks; deletions. Only a deletion whose UPN is used again comes before
// the row that takes the UPN; behind that row comes a step that restores the account if
// the row fails. The caller cuts a wave into requests of 20; a step and one that
// depends on it are never in one wave.
//
// Barrier is set if a later step depends on a step of the wave.
func (p *Plan) Waves() iter.Seq[Wave] {
	return func(yield func(Wave) bool) {
		w := &waver{book: p.book, yield: yield}
		w.deletes(Rename)
		w.renames()
		w.patches(Rename, false)
		w.patches(Update, false)
		w.patches(Rename, true)
		w.awaited = map[int]bool{}
		w.each(Delete, func(a Action) {
			for _, no := range a.After {
				w.awaited[no] = true
			}
		})
		w.restores(false)
		w.adds(false)
		w.deletes(Restore, Add)
		w.restores(true)
		w.adds(true)
		w.takesBack()
		w.blocks()
		w.deletes()
	}
}

type waver struct {
	book  book
	yield func(Wave) bool
	done  bool
	steps []Step
	ties  map[int][]int
	// awaited are additions that a deletion waits for.
	awaited map[int]bool
}

// flush ends the wave under way.
func (w *waver) flush(barrier bool) {
	if len(w.steps) == 0 || w.done {
		w.steps = nil
		return
	}
	w.done = !w.yield(Wave{Steps: w.steps, Barrier: barrier})
	w.steps = nil
}

// put adds a step to a wave that may be cut anywhere.
func (w *waver) put(s Step) {
	w.steps = append(w.steps, s)
	if len(w.steps) >= waveSize {
		w.flush(false)
	}
}

// each calls f for the actions of a kind.
func (w *waver) each(k Kind, f func(Action)) {
	n := w.book.len()
	for i := kindStart(w.book, k); i < n && !w.done && w.book.kind(i) == k; i++ {
		f(w.book.core(i))
	}
}

// kindStart is the first row of a kind or of one after it; rows are in that order.
func kindStart(b book, k Kind) int {
	lo, hi := 0, b.len()
	for lo < hi {
		mid := (lo + hi) / 2
		if b.kind(mid) < k {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// renames sends the renames that others wait for first, one wave for each link, then
// the rest.
func (w *waver) renames() {
	w.ties = w.book.ties()
	awaited := map[int]bool{}
	for _, on := range w.ties {
		for _, no := range on {
			awaited[no] = true
		}
	}
	linked := map[int]Action{}
	w.each(Rename, func(a Action) {
		if awaited[a.No] || len(a.After) > 0 || a.how.temporary != "" {
			linked[a.No] = a
		}
	})
	depth := map[int]int{} // of the first step
	var depthOf func(no int) int
	depthOf = func(no int) int {
		a, ok := linked[no]
		if !ok {
			return -1
		}
		if d, ok := depth[no]; ok {
			return d
		}
		d := 0
		for _, before := range a.After {
			d = max(d, depthOf(before)+1)
		}
		depth[no] = d
		return d
	}
	var levels [][]Step
	put := func(d int, s Step) {
		for len(levels) <= d {
			levels = append(levels, nil)
		}
		levels[d] = append(levels[d], s)
	}
	var free []Step // last links: nothing waits for them
	ends := 0
	nos := make([]int, 0, len(linked))
	for no := range linked {
		nos = append(nos, no)
	}
	slices.Sort(nos)
	for _, no := range nos {
		a := linked[no]
		d := depthOf(no)
		for _, s := range a.Steps {
			if s.Verb != PatchUPN {
				continue
			}
			if len(s.After) > 0 { // the end of a cycle
				for _, before := range s.After {
					d = max(d, depthOf(before)+1)
				}
			}
			if !awaited[no] || len(s.After) > 0 {
				free = append(free, s)
				ends = max(ends, d)
				continue
			}
			put(d, s)
		}
	}
	for _, l := range levels {
		w.steps = l
		w.flush(true)
	}
	for _, s := range free {
		w.put(s)
	}
	w.each(Rename, func(a Action) {
		if _, ok := linked[a.No]; ok {
			return
		}
		for _, s := range a.Steps {
			if s.Verb == PatchUPN {
				w.put(s)
			}
		}
	})
	w.flush(false)
}

// patches sends values, or new passwords; sign-in blocks come later.
func (w *waver) patches(k Kind, passwords bool) {
	w.each(k, func(a Action) {
		for _, s := range a.Steps {
			if s.Verb == Patch && s.Password == passwords && !s.blocks() {
				w.put(s)
			}
		}
	})
	w.flush(false)
}

// behind reports whether an addition waits for a deletion that frees its UPN.
func (w *waver) behind(a *Action) bool {
	for _, no := range a.After {
		if i, ok := w.book.find(no); ok && w.book.kind(i) == Delete {
			return true
		}
	}
	return false
}

// restores waits until the accounts are back before it writes to them.
func (w *waver) restores(behind bool) {
	var then bool
	w.each(Restore, func(a Action) {
		if w.behind(&a) != behind {
			return
		}
		w.steps = append(w.steps, a.Steps[0])
		then = then || len(a.Steps) > 1 || w.awaited[a.No]
	})
	w.flush(then)
	w.each(Restore, func(a Action) {
		if w.behind(&a) != behind {
			return
		}
		for _, s := range a.Steps[1:] {
			w.put(s)
		}
	})
	w.flush(false)
}

// adds sends first what a deletion waits for, and waits until it is seen.
func (w *waver) adds(behind bool) {
	w.each(Add, func(a Action) {
		if w.awaited[a.No] && w.behind(&a) == behind {
			w.steps = append(w.steps, a.Steps[0])
		}
	})
	w.flush(true)
	w.each(Add, func(a Action) {
		if !w.awaited[a.No] && w.behind(&a) == behind {
			w.put(a.Steps[0])
		}
	})
	w.flush(false)
}

func (w *waver) blocks() {
	for _, k := range []Kind{Rename, Update} {
		w.each(k, func(a Action) {
			for _, s := range a.Steps {
				if s.blocks() {
					w.put(s)
				}
			}
		})
	}
	w.flush(false)
}

// takesBack sends the restorations of deletions whose UPN was not taken.
func (w *waver) takesBack() {
	w.each(Delete, func(a Action) {
		for _, s := range a.Steps {
			if s.Unless != 0 {
				w.put(s)
			}
		}
	})
	w.flush(false)
}

// deletes sends deletions: those whose UPN goes to a row of one of the kinds; without a
// kind, those whose UPN goes to no row.
func (w *waver) deletes(takers ...Kind) {
	w.each(Delete, func(a Action) {
		if a.how.with == 0 {
			if len(takers) == 0 {
				w.put(a.Steps[0])
			}
			return
		}
		if i, ok := w.book.find(a.how.with); ok && slices.Contains(takers, w.book.kind(i)) {
			w.steps = append(w.steps, a.Steps[0])
		}
	})
	w.flush(len(takers) > 0)
}
