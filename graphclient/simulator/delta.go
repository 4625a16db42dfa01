package simulator

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"
)

// deltaLife is how long a delta token of the directory lives.
const deltaLife = 7 * 24 * time.Hour

// deltaPage is the number of changes in one answer.
const deltaPage = 200

// deltaPosition is a place in the changes: of the first round, which lists
// everything, or of a later one.
type deltaPosition struct {
	since  uint64 // changes after this one
	until  uint64 // the round ends here
	after  uint64 // seq of the last record sent in this round
	first  bool   // the round that lists everything
	issued int64  // when, for the expiry
	fields string // the selected properties: tokens carry them
}

func (p deltaPosition) token() string {
	s := fmt.Sprintf("1:%d:%d:%d:%t:%d:%s", p.since, p.until, p.after, p.first, p.issued, p.fields)
	return "d~" + base64.RawURLEncoding.EncodeToString([]byte(s))
}

func parseDelta(token string) (deltaPosition, bool) {
	var p deltaPosition
	raw, found := strings.CutPrefix(token, "d~")
	b, err := base64.RawURLEncoding.DecodeString(raw)
	if !found || err != nil {
		return p, false
	}
	f := strings.SplitN(string(b), ":", 7)
	if len(f) != 7 || f[0] != "1" {
		return p, false
	}
	if _, err := fmt.Sscanf(strings.Join(f[1:6], " "), "%d %d %d %t %d", &p.since, &p.until, &p.after, &p.first, &p.issued); err != nil {
		return p, false
	}
	p.fields = f[6]
	return p, true
}

// deltaUsers answers GET /users/delta.
func (s *Server) deltaUsers(c *call) (*answer, *graphError) {
	t := s.t
	q := &c.query
	if q.top > 0 || q.expand != "" || q.orderBy != "" {
		return nil, badRequest("The query parameter is not supported by delta query.")
	}
	p := deltaPosition{until: t.change, first: true, fields: strings.Join(q.selected, ",")}
	token := q.delta
	if q.skipToken != "" {
		token = q.skipToken
	}
	switch {
	case strings.EqualFold(token, "latest"):
		p.first = false
		p.since = t.change
	case token != "":
		var valid bool
		if p, valid = parseDelta(token); !valid {
			return nil, fail(400, "Directory_InvalidDeltaToken", "The delta token is invalid.")
		}
		if c.now.Sub(time.Unix(p.issued, 0)) > deltaLife {
			e := fail(http.StatusGone, "syncStateNotFound", "The sync state generation is not found; start again without a token.")
			e.header = http.Header{"Location": {c.host + "/" + c.version + "/users/delta?$deltatoken="}}
			return nil, e
		}
		if q.skipToken == "" {
			p.until, p.after = t.change, 0 // a new round
		}
		if p.fields != "" {
			q.selected = strings.Split(p.fields, ",")
		}
	}
	p.issued = c.now.Unix()
	wanted, err := c.pick(t.sch["user"], true)
	if err != nil {
		return nil, err
	}
	b := []byte(`{"@odata.context":` + quote(c.host+"/"+c.version+"/$metadata#users"+selectSuffix(q)) + `,`)
	var items []byte
	n, more := 0, false
	minimal := strings.Contains(strings.ToLower(c.header.Get("Prefer")), "return=minimal")
	all := t.users.order
	if len(t.users.gone) > 0 {
		all = append(append([]*record(nil), all...), t.users.gone...)
		sort.Slice(all, func(i, j int) bool { return all[i].seq < all[j].seq })
	}
	for i := sort.Search(len(all), func(i int) bool { return all[i].seq > p.after }); i < len(all); i++ {
		r := all[i]
		one := deltaItem(r, p, wanted, minimal, t.sch["user"])
		if one == "" {
			continue
		}
		if n == deltaPage {
			more = true
			break
		}
		if n > 0 {
			items = append(items, ',')
		}
		items = append(items, one...)
		n++
		p.after = r.seq
	}
	base := c.host + "/" + c.version + "/users/delta?"
	if more {
		b = append(b, `"@odata.nextLink":`+quote(base+"$skiptoken="+p.token())...)
	} else {
		end := deltaPosition{since: p.until, issued: p.issued, fields: p.fields}
		b = append(b, `"@odata.deltaLink":`+quote(base+"$deltatoken="+end.token())...)
	}
	b = append(b, `,"value":[`...)
	b = append(b, items...)
	return ok(append(b, `]}`...)), nil
}

// deltaItem is what a round says of one record, empty if nothing.
func deltaItem(r *record, p deltaPosition, wanted []uint16, minimal bool, e *entity) string {
	switch {
	case r.now.obj == nil: // purged
		if p.first || r.died <= p.since {
			return ""
		}
		return `{"id":` + quote(r.id) + `,"@removed":{"reason":"deleted"}}`
	case r.now.deleted:
		if p.first || r.died <= p.since {
			return ""
		}
		return `{"id":` + quote(r.id) + `,"@removed":{"reason":"changed"}}`
	}
	fresh := p.first || r.born > p.since
	if wanted == nil {
		wanted = e.plain
	}
	touched := false
	for _, i := range wanted {
		if r.touched[i] > p.since {
			touched = true
		}
	}
	if !fresh && !touched {
		return ""
	}
	var send []value
	for _, i := range wanted {
		if e.props[i].alone {
			continue
		}
		if minimal && !fresh && e.props[i].name != "id" && r.touched[i] <= p.since {
			continue
		}
		if raw, has := r.now.obj.at(i); has { // never set: absent; cleared: null
			send = append(send, value{i, raw})
		}
	}
	return string((&object{t: e, props: send}).appendTo(nil, indexes(send), false))
}

func indexes(list []value) []uint16 {
	out := make([]uint16, len(list))
	for i, v := range list {
		out[i] = v.p
	}
	return out
}
