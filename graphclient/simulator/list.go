package simulator

import (
	"encoding/base64"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// defaultPage is the size of a page without $top.
const defaultPage = 100

// position is where a page begins: after the seq-th record, or at an offset of a sorted
// list.
type position struct {
	after  uint64
	offset int
	count  int // of the first page, -1 if not asked for
	page   int
}

func (p position) token() string {
	s := "1:" + strconv.FormatUint(p.after, 36) + ":" + strconv.Itoa(p.offset) + ":" + strconv.Itoa(p.count) + ":" + strconv.Itoa(p.page)
	return "m~" + base64.RawURLEncoding.EncodeToString([]byte(s))
}

func parsePosition(token string) (position, bool) {
	raw, found := strings.CutPrefix(token, "m~")
	if !found {
		return position{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil {
		return position{}, false
	}
	f := strings.Split(string(b), ":")
	if len(f) != 5 || f[0] != "1" {
		return position{}, false
	}
	after, err1 := strconv.ParseUint(f[1], 36, 64)
	offset, err2 := strconv.Atoi(f[2])
	count, err3 := strconv.Atoi(f[3])
	page, err4 := strconv.Atoi(f[4])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || offset < 0 || page < 1 {
		return position{}, false
	}
	return position{after, offset, count, page}, true
}

// item is an object with its place in the order of its collection.
type item struct {
	seq uint64
	obj *object
}

// source hands out the items of a collection after a seq, in order, until yield
// says no.
type source func(after uint64, yield func(item) bool)

func fromList(list []*object) source {
	return func(after uint64, yield func(item) bool) {
		for i := int(after); i < len(list); i++ { //nolint:gosec // an index we gave out
			if !yield(item{uint64(i) + 1, list[i]}) {
				return
			}
		}
	}
}

// listing answers a list request: filter, order, page, count, links.
type listing struct {
	typ     *entity
	context string // what follows $metadata#
	from    source
	typed   bool // write @odata.type with each object
	max     int  // 0 for 999
	total   int  // number of items where nothing is filtered, -1 if it must be counted
	expand  bool // $expand is tolerated
}

func (s *Server) list(c *call, l listing) (*answer, *graphError) {
	q := &c.query
	advanced := c.eventual() && q.count
	if q.search {
		if !c.eventual() {
			return nil, fail(400, "Request_UnsupportedQuery", "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'")
		}
		return nil, fail(501, "NotImplemented", "$search is not served by the simulator.")
	}
	if q.expand != "" && !l.expand {
		return nil, fail(501, "NotImplemented", "$expand is not served by the simulator here.")
	}
	wanted, err := c.pick(l.typ, true)
	if err != nil {
		return nil, err
	}
	if q.filter != nil {
		if err := q.filter.check(l.typ, advanced); err != nil {
			return nil, err
		}
	}
	var orderProp uint16
	if q.orderBy != "" {
		p, found := l.typ.byFold[strings.ToLower(q.orderBy)]
		if !found {
			return nil, fail(400, "BadRequest", "Could not find a property named '"+q.orderBy+"' on type 'microsoft.graph."+l.typ.name+"'.")
		}
		if q.filter != nil && !advanced {
			return nil, fail(400, "Request_UnsupportedQuery", "Sorting not supported for current query.")
		}
		orderProp = p
	}
	pos := position{count: -1, page: 1}
	if q.skipToken != "" {
		var valid bool
		if pos, valid = parsePosition(q.skipToken); !valid {
			return nil, fail(400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
		}
	}
	size := q.top
	if size == 0 {
		size = defaultPage
	}
	if l.max > 0 && size > l.max {
		size = l.max
	}
	if limit := s.opts.PageSize; limit > 0 && size > limit {
		size = limit
	}
	page, more, total := s.page(l, q, pos, size, orderProp, c.eventual() && q.count && pos.count < 0)
	if c.eventual() && q.count && pos.count < 0 {
		pos.count = total
	}
	b := make([]byte, 0, 512+len(page)*600)
	b = append(b, `{"@odata.context":`...)
	b = append(b, quote(c.host+"/"+c.version+"/$metadata#"+l.context+selectSuffix(q))...)
	if c.eventual() && q.count && pos.count >= 0 && q.skipToken == "" {
		b = append(b, `,"@odata.count":`...)
		b = strconv.AppendInt(b, int64(pos.count), 10)
	}
	if more {
		next := pos
		next.page++
		next.offset += len(page)
		if len(page) > 0 {
			next.after = page[len(page)-1].seq
		}
		b = append(b, `,"@odata.nextLink":`...)
		b = append(b, quote(c.nextLink("$skiptoken", next.token()))...)
	}
	b = append(b, `,"value":[`...)
	for i, it := range page {
		if i > 0 {
			b = append(b, ',')
		}
		if l.typed {
			b = appendTyped(b, it.obj, wanted)
		} else {
			b = it.obj.appendTo(b, wanted, false)
		}
	}
	return ok(append(b, `]}`...)), nil
}

// page collects one page and, if asked to, counts what matches in all.
func (s *Server) page(l listing, q *query, pos position, size int, orderProp uint16, count bool) (page []item, more bool, total int) {
	match := func(o *object) bool { return q.filter == nil || q.filter.match(o) }
	if q.orderBy != "" {
		var all []item
		l.from(0, func(it item) bool {
			if match(it.obj) {
				all = append(all, it)
			}
			return true
		})
		key := func(it item) string {
			r, _ := it.obj.at(orderProp)
			return strings.ToLower(unquote(r))
		}
		sort.SliceStable(all, func(i, j int) bool {
			if q.desc {
				return key(all[i]) > key(all[j])
			}
			return key(all[i]) < key(all[j])
		})
		from := min(pos.offset, len(all))
		to := min(from+size, len(all))
		return all[from:to], to < len(all), len(all)
	}
	if count && q.filter == nil && l.total >= 0 {
		total, count = l.total, false
	}
	page = make([]item, 0, size)
	l.from(pos.after, func(it item) bool {
		if !match(it.obj) {
			return true
		}
		if len(page) < size {
			page = append(page, it)
		} else {
			more = true
		}
		if count {
			total++
			return true
		}
		return !more
	})
	return page, more, total
}

// appendTyped writes an object with its type first.
func appendTyped(b []byte, o *object, wanted []uint16) []byte {
	if _, has := o.at(0); has {
		return o.appendTo(b, wanted, false)
	}
	b = append(b, `{"@odata.type":"#microsoft.graph.`...)
	b = append(b, o.t.name...)
	b = append(b, `",`...)
	at := len(b)
	b = o.appendTo(b, wanted, false)
	copy(b[at:], b[at+1:]) // the object's own opening brace
	return b[:len(b)-1]
}

func selectSuffix(q *query) string {
	if q.selected == nil {
		return ""
	}
	return "(" + strings.Join(q.selected, ",") + ")"
}

// nextLink is the request's own address with one option replaced.
func (c *call) nextLink(option, value string) string {
	v := url.Values{}
	for k, list := range c.query.raw {
		if k == "$skiptoken" || k == "skiptoken" || k == "$deltatoken" || k == "deltatoken" {
			continue
		}
		v[k] = list
	}
	v.Set(option, value)
	// Graph writes the $ of its options as it is.
	return c.host + "/" + c.version + c.path + "?" + strings.ReplaceAll(v.Encode(), "%24", "$")
}

// one answers a request for one object.
func (c *call) one(o *object, context string) (*answer, *graphError) {
	wanted, err := c.pick(o.t, false)
	if err != nil {
		return nil, err
	}
	return c.entity(o, context+selectSuffix(&c.query), "", wanted), nil
}

// entity answers an object, with more before its properties.
func (c *call) entity(o *object, context, more string, wanted []uint16) *answer {
	b := append(make([]byte, 0, 1024), `{"@odata.context":`...)
	b = append(b, quote(c.host+"/"+c.version+"/$metadata#"+context+"/$entity")+","+more...)
	at := len(b)
	b = o.appendTo(b, wanted, false)
	copy(b[at:], b[at+1:]) // its own brace
	return ok(b[:len(b)-1])
}

// countAnswer answers a plain number, as /$count does.
func countAnswer(n int) *answer {
	return (&answer{status: 200, body: []byte(strconv.Itoa(n))}).set("Content-Type", "text/plain")
}

// candidates uses the indexes for filters that name a user by a unique key.
// Without such a filter done is false.
func (u *users) candidates(n node) (out []*record, done bool) {
	add := func(r *record) {
		if r != nil {
			out = append(out, r)
		}
	}
	key := func(prop, v string) ([]*record, bool) {
		var r *record
		switch strings.ToLower(prop) {
		case "id":
			r = u.byID[strings.ToLower(v)]
		case "userprincipalname":
			r = u.byUPN[strings.ToLower(v)]
		case "onpremisesimmutableid":
			r = u.byIMM[v]
		case "mail":
			return u.byAdr["smtp:"+strings.ToLower(v)], true
		default:
			return nil, false
		}
		if r == nil {
			return nil, true
		}
		return []*record{r}, true
	}
	switch f := n.(type) {
	case *compare:
		if f.op != "eq" || f.lit.raw == null {
			return nil, false
		}
		return key(f.prop, textOf(f.lit))
	case *oneOf:
		for _, l := range f.lits {
			rs, found := key(f.prop, textOf(l))
			if !found {
				return nil, false
			}
			for _, r := range rs {
				add(r)
			}
		}
		return out, true
	case *anyOf:
		if f.op == "eq" && f.sub == "" && strings.EqualFold(f.prop, "proxyAddresses") {
			return u.byAdr[strings.ToLower(f.arg)], true
		}
	case *binary:
		l, lok := u.candidates(f.left)
		if f.and && lok {
			return l, true
		}
		r, rok := u.candidates(f.right)
		if f.and && rok {
			return r, true
		}
		if !f.and && lok && rok {
			return append(append([]*record(nil), l...), r...), true
		}
	}
	return nil, false
}
