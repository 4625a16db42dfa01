package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// parseFilter reads a $filter: eq ne gt ge lt le in, and or not, startswith,
// endswith, any, $count.
func parseFilter(s string) (node, error) {
	p := &filterParser{src: s}
	if err := p.lex(); err != nil {
		return nil, err
	}
	n, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.i != len(p.toks) {
		return nil, fmt.Errorf("syntax error at position %d in '%s'", p.toks[p.i].at, s)
	}
	return n, nil
}

type token struct {
	kind byte // w word, s string, ( ) , :
	text string
	at   int
}

type filterParser struct {
	src  string
	toks []token
	i    int
}

var errFilter = errors.New("syntax error")

func (p *filterParser) lex() error {
	s := p.src
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n':
			i++
		case c == '(' || c == ')' || c == ',' || c == ':':
			p.toks = append(p.toks, token{kind: c, at: i})
			i++
		case c == '\'':
			var b strings.Builder
			j := i + 1
			for {
				k := strings.IndexByte(s[j:], '\'')
				if k < 0 {
					return fmt.Errorf("there is an unterminated string literal at position %d in '%s'", len(s), s)
				}
				b.WriteString(s[j : j+k])
				j += k + 1
				if j < len(s) && s[j] == '\'' {
					b.WriteByte('\'')
					j++
					continue
				}
				break
			}
			p.toks = append(p.toks, token{kind: 's', text: b.String(), at: i})
			i = j
		default:
			j := i
			for j < len(s) && !strings.ContainsRune(" \t\n(),'", rune(s[j])) {
				if s[j] == ':' && !strings.ContainsAny(s[i:j], "0123456789") { // p:p, but not 10:00
					break
				}
				j++
			}
			if j == i {
				return fmt.Errorf("%w at position %d in '%s'", errFilter, i, s)
			}
			p.toks = append(p.toks, token{kind: 'w', text: s[i:j], at: i})
			i = j
		}
	}
	return nil
}

func (p *filterParser) peek() token {
	if p.i < len(p.toks) {
		return p.toks[p.i]
	}
	return token{at: len(p.src)}
}

func (p *filterParser) next() token {
	t := p.peek()
	p.i++
	return t
}

func (p *filterParser) word(w string) bool {
	if t := p.peek(); t.kind == 'w' && strings.EqualFold(t.text, w) {
		p.i++
		return true
	}
	return false
}

func (p *filterParser) take(kind byte) error {
	if t := p.next(); t.kind != kind {
		return fmt.Errorf("%w at position %d in '%s'", errFilter, t.at, p.src)
	}
	return nil
}

func (p *filterParser) or(depth int) (node, error) {
	if depth > 50 {
		return nil, fmt.Errorf("%w: too deep", errFilter)
	}
	left, err := p.and(depth)
	for err == nil && p.word("or") {
		var right node
		right, err = p.and(depth)
		left = &binary{left: left, right: right}
	}
	return left, err
}

func (p *filterParser) and(depth int) (node, error) {
	left, err := p.unary(depth)
	for err == nil && p.word("and") {
		var right node
		right, err = p.unary(depth)
		left = &binary{and: true, left: left, right: right}
	}
	return left, err
}

func (p *filterParser) unary(depth int) (node, error) {
	if depth > 50 {
		return nil, fmt.Errorf("%w: too deep", errFilter)
	}
	if p.word("not") {
		of, err := p.unary(depth + 1)
		return &negation{of}, err
	}
	if p.peek().kind == '(' {
		p.i++
		n, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		return n, p.take(')')
	}
	t := p.next()
	if t.kind != 'w' {
		return nil, fmt.Errorf("%w at position %d in '%s'", errFilter, t.at, p.src)
	}
	if p.peek().kind == '(' {
		name := strings.ToLower(t.text)
		if prop, found := strings.CutSuffix(t.text, "/any"); found {
			return p.any(prop)
		}
		if name == "startswith" || name == "endswith" || name == "contains" {
			return p.function(name)
		}
		return nil, fmt.Errorf("an unknown function with name '%s' was found", t.text)
	}
	return p.comparison(t.text)
}

func (p *filterParser) function(name string) (node, error) {
	p.i++ // (
	prop := p.next()
	if err := p.take(','); err != nil || prop.kind != 'w' {
		return nil, fmt.Errorf("%w in '%s'", errFilter, p.src)
	}
	arg := p.next()
	if arg.kind != 's' {
		return nil, fmt.Errorf("%w at position %d in '%s'", errFilter, arg.at, p.src)
	}
	return &function{name: name, prop: prop.text, arg: arg.text}, p.take(')')
}

func (p *filterParser) any(prop string) (node, error) {
	p.i++ // (
	v := p.next()
	if err := p.take(':'); err != nil || v.kind != 'w' {
		return nil, fmt.Errorf("%w in '%s'", errFilter, p.src)
	}
	n := &anyOf{prop: prop}
	inner := p.next()
	if inner.kind != 'w' {
		return nil, fmt.Errorf("%w at position %d in '%s'", errFilter, inner.at, p.src)
	}
	if op := strings.ToLower(inner.text); op == "startswith" || op == "endswith" {
		f, err := p.function(op)
		if err != nil {
			return nil, err
		}
		fn, isFn := f.(*function)
		if !isFn || fn.prop != v.text {
			return nil, fmt.Errorf("%w in '%s'", errFilter, p.src)
		}
		n.op, n.arg = op, fn.arg
		return n, p.take(')')
	}
	head, sub, _ := strings.Cut(inner.text, "/")
	op, arg := p.next(), p.next()
	if head != v.text || !strings.EqualFold(op.text, "eq") || (arg.kind != 's' && arg.kind != 'w') {
		return nil, fmt.Errorf("%w at position %d in '%s'", errFilter, op.at, p.src)
	}
	n.op, n.sub, n.arg = "eq", sub, arg.text
	return n, p.take(')')
}

func (p *filterParser) comparison(prop string) (node, error) {
	op := p.next()
	name := strings.ToLower(op.text)
	if op.kind != 'w' {
		return nil, fmt.Errorf("%w at position %d in '%s'", errFilter, op.at, p.src)
	}
	switch name {
	case "eq", "ne", "gt", "ge", "lt", "le":
		l, err := p.literal()
		if err != nil {
			return nil, err
		}
		if base, found := strings.CutSuffix(prop, "/$count"); found {
			return &countIs{prop: base, op: name, lit: l}, nil
		}
		return &compare{prop: prop, op: name, lit: l}, nil
	case "in":
		if err := p.take('('); err != nil {
			return nil, err
		}
		n := &oneOf{prop: prop}
		for {
			l, err := p.literal()
			if err != nil {
				return nil, err
			}
			n.lits = append(n.lits, l)
			if p.peek().kind == ',' {
				p.i++
				continue
			}
			return n, p.take(')')
		}
	}
	return nil, fmt.Errorf("%w at position %d in '%s'", errFilter, op.at, p.src)
}

func (p *filterParser) literal() (literal, error) {
	t := p.next()
	switch t.kind {
	case 's':
		return literal{raw: quote(t.text), text: true}, nil
	case 'w':
		switch low := strings.ToLower(t.text); {
		case low == "null", low == "true", low == "false":
			return literal{raw: low}, nil
		case json.Valid([]byte(t.text)):
			return literal{raw: t.text}, nil
		default: // a GUID or a time
			return literal{raw: quote(t.text), text: true}, nil
		}
	}
	return literal{}, fmt.Errorf("%w at position %d in '%s'", errFilter, t.at, p.src)
}

// countItems counts the items of a JSON list.
func countItems(raw string) int {
	if raw == null || raw == "[]" {
		return 0
	}
	var items []json.RawMessage
	if json.Unmarshal([]byte(raw), &items) != nil {
		return 0
	}
	return len(items)
}

// matchInner reports whether an object of a JSON list has a property with a
// value, such as assignedPlans/any(p:p/service eq 'exchange').
func matchInner(raw, sub, value string) bool {
	if raw == null {
		return false
	}
	var items []map[string]any
	if json.Unmarshal([]byte(raw), &items) != nil {
		return false
	}
	for _, item := range items {
		if strings.EqualFold(fmt.Sprint(item[sub]), value) {
			return true
		}
	}
	return false
}
