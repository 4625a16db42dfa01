package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
	mathbits "math/bits"
	"slices"
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
)

// basis are the marks that a decision rests on, besides those that protect, which no
// account of an action has.
const basis = directory.Enabled | directory.BlockedByUs | directory.Addressed | directory.ExchangePlan | directory.SuspendedPlan |
	directory.Purposes

// hasher writes a plan's content, each part with its length before it, so that
// no two different plans give the same bytes.
type hasher struct {
	h   hash.Hash
	buf []byte
}

func (h *hasher) text(parts ...string) {
	for _, s := range parts {
		h.buf = append(binary.AppendUvarint(h.buf, uint64(len(s))), s...)
	}
}

func (h *hasher) number(ns ...int) {
	for _, n := range ns {
		h.buf = binary.AppendVarint(h.buf, int64(n))
	}
}

func (h *hasher) flag(b bool) {
	if b {
		h.number(1)
	} else {
		h.number(0)
	}
}

func (h *hasher) value(v directory.Value) {
	h.flag(v.Set)
	if v.Set {
		h.text(v.Text)
	}
}

func (h *hasher) write() {
	h.h.Write(h.buf)
	h.buf = h.buf[:0]
}

// fingerprint is a SHA-256 over tenant, domain, policy, the numbers of the guard, the
// source rows that the plan rests on, and its own rows in their order, which does not
// depend on that of the input. It contains no clock, no row number, and no text that a
// user typed; of runs it contains the one that an undo takes back.
func (p *Plan) fingerprint() Fingerprint {
	h := &hasher{h: sha256.New()}
	h.text("hacsync plan "+strconv.Itoa(p.version), p.tenant, p.domain)
	if p.undo != 0 {
		h.text("undo")
		h.number(int(p.undo))
	}
	policy := p.policy
	policy.Protected = slices.Clone(policy.Protected)
	for i, s := range policy.Protected {
		policy.Protected[i] = directory.FoldUPN(s)
	}
	slices.Sort(policy.Protected)
	raw, err := json.Marshal(policy)
	if err != nil {
		panic("plan: policy cannot be written: " + err.Error()) // it has no value that could fail
	}
	h.text(string(raw))
	for _, x := range p.rested {
		h.buf = binary.LittleEndian.AppendUint64(h.buf, x)
	}
	h.number(p.counts.Touchable, p.verdict.MaxAllowedDeletions, p.verdict.MaxDeletions)
	h.flag(p.guard.unattended)
	if p.guard.unattended {
		h.number(p.guard.today, p.guard.usersThen)
	}
	if p.version > 1 {
		p.hashGuard(h)
	}
	h.flag(p.guard.raised)
	h.number(p.book.len(), p.book.skips())
	h.write()
	ties := p.book.ties()
	p.hashQuestions(h)
	for i := range p.book.len() {
		a := p.book.core(i)
		p.hashAction(h, &a, ties[a.No])
		h.write()
	}
	for i := range p.book.skips() {
		s := p.book.skip(i)
		h.number(int(s.Group))
		h.text(string(s.Why.Code), string(s.Ref.ID), directory.FoldUPN(s.Ref.UPN), s.Ref.ImmutableID)
		h.write()
	}
	return Fingerprint(h.h.Sum(nil))
}

// hashQuestions adds what is asked, what was answered, and what each answer would
// do.
func (p *Plan) hashQuestions(h *hasher) {
	for _, q := range p.book.asked() {
		h.text(string(q.Account.ID), q.Basis, string(q.Answer.Kind), q.Answer.Row)
		for i := range q.Rows {
			c := &q.Rows[i]
			h.text(c.Username, directory.FoldUPN(c.Row.UPN), c.Row.ImmutableID)
			h.flag(c.waits)
		}
		h.write()
	}
	for _, no := range p.optionNumbers() {
		a, _ := p.book.option(no)
		p.hashAction(h, &a, nil)
		h.write()
	}
}

// hashGuard adds the numbers of the second judgement and of the guards of other
// domains.
func (p *Plan) hashGuard(h *hasher) {
	h.number(p.counts.Known, p.guard.known, p.guard.paid, p.guard.lostHeld, len(p.guard.origins))
	for _, o := range p.guard.origins {
		h.text(o.Domain)
		h.number(o.Users, o.Percent, o.Number, o.Moves)
	}
	h.write()
}

// restedOn sums the source rows that the plan rests on, in any order: drift is judged
// by them, so they are part of what was approved.
func (p *Plan) restedOn() (total [4]uint64) {
	if p.undo != 0 {
		return total
	}
	columns := p.source.Columns()
	h := &hasher{}
	for u := range p.source.All() {
		if !p.rests(u) {
			continue
		}
		h.buf = h.buf[:0]
		h.text(directory.FoldUPN(u.UPN()), u.ImmutableID())
		if p.version > 1 {
			h.text(u.Username())
		}
		h.flag(u.Marks().Has(directory.Enabled))
		for _, c := range columns {
			v, set := u.Get(c)
			h.text(string(c))
			h.value(directory.Value{Text: v, Set: set})
		}
		sum := sha256.Sum256(h.buf)
		var carry uint64
		for i := range total {
			total[i], carry = mathbits.Add64(total[i], binary.LittleEndian.Uint64(sum[8*i:]), carry)
		}
	}
	return total
}

func (p *Plan) hashAction(h *hasher, a *Action, ties []int) {
	h.number(int(a.Kind))
	h.text(string(a.User.ID), a.User.UPN, a.User.ImmutableID, a.UPN)
	h.number(int(a.Marks & basis))
	h.number(len(a.Changes))
	for _, c := range a.Changes {
		h.text(string(c.Attribute))
		h.value(c.Old)
		h.value(c.New)
	}
	h.text(a.how.temporary)
	h.flag(a.how.enters)
	h.flag(a.how.resets)
	h.flag(a.how.federated)
	h.flag(a.how.newUPN)
	if p.version > 1 {
		h.text(a.Link.Username)
		h.flag(a.how.missing)
		h.flag(a.how.paid)
		if a.Explanation != nil {
			h.text(a.Explanation.Claim)
		}
	}
	if p.undo != 0 {
		h.flag(a.how.unlicensed)
		h.number(len(a.how.made))
		for _, c := range a.how.made {
			h.text(string(c.Attribute))
			h.value(c.New)
		}
	}
	// A row that waits names the other by key, not by number.
	h.number(len(ties), len(a.After), len(a.how.last))
	for _, no := range ties {
		if i, ok := p.find(no); ok {
			h.number(int(p.book.kind(i)))
			b := p.book.core(i)
			h.text(string(b.User.ID), b.UPN)
		}
	}
}
