package simulator

import (
	"fmt"
	"strings"
)

// node is one part of a $filter.
type node interface {
	// match evaluates it for an object.
	match(*object) bool
	// check refuses what Graph refuses: unknown properties, operators that are
	// advanced.
	check(e *entity, advanced bool) *graphError
}

type (
	binary struct {
		and         bool
		left, right node
	}
	negation struct{ of node }
	compare  struct {
		prop, op string
		lit      literal
		p        uint16
	}
	function struct {
		name, prop string
		arg        string
		p          uint16
	}
	oneOf struct {
		prop string
		lits []literal
		p    uint16
	}
	anyOf struct { // prop/any(x:x eq 'v'), prop/any(x:x/sub eq 'v')
		prop, op, sub, arg string
		p                  uint16
	}
	countIs struct { // prop/$count eq 0
		prop, op string
		lit      literal
		p        uint16
	}
)

// literal is a value in a filter, as JSON.
type literal struct {
	raw  string
	text bool
}

func (n *binary) match(o *object) bool {
	if n.and {
		return n.left.match(o) && n.right.match(o)
	}
	return n.left.match(o) || n.right.match(o)
}

func (n *binary) check(e *entity, adv bool) *graphError {
	if err := n.left.check(e, adv); err != nil {
		return err
	}
	return n.right.check(e, adv)
}

func (n *negation) match(o *object) bool { return !n.of.match(o) }

func (n *negation) check(e *entity, adv bool) *graphError {
	if !adv {
		return unsupportedQuery()
	}
	return n.of.check(e, adv)
}

func unsupportedQuery() *graphError {
	return fail(400, "Request_UnsupportedQuery", "Unsupported Query.")
}

func lookup(e *entity, prop string, p *uint16) *graphError {
	name, _, _ := strings.Cut(prop, "/")
	i, ok := e.byFold[strings.ToLower(name)]
	if !ok {
		return fail(400, "BadRequest", "Invalid filter clause: Could not find a property named '"+prop+"' on type 'microsoft.graph."+e.name+"'.")
	}
	*p = i
	return nil
}

func (n *compare) check(e *entity, adv bool) *graphError {
	if err := lookup(e, n.prop, &n.p); err != nil {
		return err
	}
	d := e.props[n.p]
	if n.op == "ne" && !adv {
		return unsupportedQuery()
	}
	if n.lit.raw == null && !adv {
		return unsupportedQuery()
	}
	if d.kind == "Edm.Boolean" && n.lit.raw != "true" && n.lit.raw != "false" && n.lit.raw != null {
		return fail(400, "BadRequest", "Invalid filter clause: A binary operator with incompatible types was detected.")
	}
	return nil
}

// match compares the property with the literal. Order ignores the case of text;
// of equality see equalValue.
func (n *compare) match(o *object) bool {
	raw, _ := o.at(n.p)
	if raw == "" {
		raw = null
	}
	switch n.op {
	case "eq":
		return equalValue(o.t.props[n.p].name, raw, n.lit)
	case "ne":
		return !equalValue(o.t.props[n.p].name, raw, n.lit)
	}
	if raw == null {
		return false
	}
	a, b := raw, n.lit.raw
	if n.lit.text || raw[0] == '"' {
		a, b = strings.ToLower(unquote(raw)), strings.ToLower(textOf(n.lit))
	}
	switch n.op {
	case "ge":
		return a >= b
	case "le":
		return a <= b
	case "gt":
		return a > b
	}
	return a < b
}

func textOf(l literal) string {
	if l.text {
		return unquote(l.raw)
	}
	return l.raw
}

// equalValue compares two JSON values as the directory does: text without regard
// to case, but for the immutable ID.
func equalValue(name, raw string, l literal) bool {
	if raw == l.raw {
		return true
	}
	if raw == null || l.raw == null || raw[0] != '"' {
		return false
	}
	if name == "onPremisesImmutableId" {
		return unquote(raw) == textOf(l)
	}
	return strings.EqualFold(unquote(raw), textOf(l))
}

func (n *function) check(e *entity, adv bool) *graphError {
	if err := lookup(e, n.prop, &n.p); err != nil {
		return err
	}
	switch n.name {
	case "endswith":
		name := e.props[n.p].name
		if name != "mail" && name != "otherMails" && name != "userPrincipalName" && name != "proxyAddresses" {
			return unsupportedQuery()
		}
		if !adv {
			return fail(400, "Request_UnsupportedQuery",
				"Operator 'endsWith' is not supported because the 'ConsistencyLevel:eventual' header is missing. Refer to https://aka.ms/graph-docs/advanced-queries for more information")
		}
	case "contains":
		return unsupportedQuery()
	}
	return nil
}

func (n *function) match(o *object) bool {
	raw, found := o.at(n.p)
	if !found || raw == null {
		return false
	}
	s := unquote(raw)
	if len(s) < len(n.arg) {
		return false
	}
	if n.name == "endswith" {
		return strings.EqualFold(s[len(s)-len(n.arg):], n.arg)
	}
	return strings.EqualFold(s[:len(n.arg)], n.arg)
}

func (n *oneOf) check(e *entity, _ bool) *graphError {
	if len(n.lits) > 15 {
		return fail(400, "BadRequest", "Too many child clauses specified in search filter expression containing 'OR' operators: "+fmt.Sprint(len(n.lits))+". Max allowed: 15.")
	}
	return lookup(e, n.prop, &n.p)
}

func (n *oneOf) match(o *object) bool {
	raw, found := o.at(n.p)
	if !found {
		return false
	}
	for _, l := range n.lits {
		if equalValue(o.t.props[n.p].name, raw, l) {
			return true
		}
	}
	return false
}

func (n *anyOf) check(e *entity, adv bool) *graphError {
	if err := lookup(e, n.prop, &n.p); err != nil {
		return err
	}
	if !e.props[n.p].collection {
		return fail(400, "BadRequest", "Invalid filter clause: 'any' needs a collection, '"+n.prop+"' is none.")
	}
	if n.op == "endswith" && !adv {
		return unsupportedQuery()
	}
	return nil
}

func (n *anyOf) match(o *object) bool {
	if n.sub != "" {
		return matchInner(o.raw(o.t.props[n.p].name), n.sub, n.arg)
	}
	for _, s := range o.list(o.t.props[n.p].name) {
		switch {
		case n.op == "eq" && strings.EqualFold(s, n.arg):
			return true
		case n.op == "startswith" && len(s) >= len(n.arg) && strings.EqualFold(s[:len(n.arg)], n.arg):
			return true
		case n.op == "endswith" && len(s) >= len(n.arg) && strings.EqualFold(s[len(s)-len(n.arg):], n.arg):
			return true
		}
	}
	return false
}

func (n *countIs) check(e *entity, adv bool) *graphError {
	if !adv {
		return unsupportedQuery()
	}
	return lookup(e, n.prop, &n.p)
}

func (n *countIs) match(o *object) bool {
	size := fmt.Sprint(countItems(o.raw(o.t.props[n.p].name)))
	if n.op == "ne" {
		return size != n.lit.raw
	}
	return size == n.lit.raw
}
