package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// query holds the OData options of a request.
type query struct {
	selected  []string // nil without $select
	filter    node
	filterRaw string
	top       int // 0 without $top
	count     bool
	orderBy   string // property, empty without $orderby
	desc      bool
	skipToken string
	delta     string // $deltatoken
	hasDelta  bool
	search    bool
	expand    string
	raw       url.Values
}

// parseQuery reads the options; names may lack their $.
func parseQuery(raw string) (query, *graphError) {
	var q query
	if raw == "" {
		return q, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, fail(400, "BadRequest", "Invalid query string.")
	}
	q.raw = values
	for name, list := range values {
		key := strings.ToLower(name)
		if !strings.HasPrefix(key, "$") {
			if known := []string{"select", "filter", "top", "count", "orderby", "expand", "search", "skiptoken", "deltatoken", "skip", "format"}; slices.Contains(known, key) {
				key = "$" + key
			} else {
				continue // a custom option is ignored
			}
		}
		if len(list) > 1 {
			return q, fail(400, "BadRequest", "Query option '"+name+"' was specified more than once, but it must be specified at most once.")
		}
		v := list[0]
		switch key {
		case "$select":
			q.selected = []string{}
			for s := range strings.SplitSeq(v, ",") {
				if s = strings.TrimSpace(s); s != "" {
					q.selected = append(q.selected, s)
				}
			}
		case "$filter":
			q.filterRaw = v
			n, err := parseFilter(v)
			if err != nil {
				return q, fail(400, "BadRequest", "Invalid filter clause: "+err.Error())
			}
			q.filter = n
		case "$top":
			n, err := strconv.Atoi(v)
			if err != nil || n < 0 {
				return q, fail(400, "BadRequest", "Invalid value '"+v+"' for $top query option found. The $top query option requires a non-negative integer value.")
			}
			if n < 1 || n > 999 {
				return q, fail(400, "Request_UnsupportedQuery", "Invalid page size specified: '"+v+"'. Must be between 1 and 999 inclusive.")
			}
			q.top = n
		case "$count":
			switch strings.ToLower(v) {
			case "true":
				q.count = true
			case "false":
			default:
				return q, fail(400, "BadRequest", "Invalid value '"+v+"' for $count query option found.")
			}
		case "$orderby":
			prop, dir, _ := strings.Cut(strings.TrimSpace(v), " ")
			q.orderBy = prop
			q.desc = strings.EqualFold(strings.TrimSpace(dir), "desc")
		case "$skiptoken":
			q.skipToken = v
		case "$deltatoken":
			q.delta, q.hasDelta = v, true
		case "$search":
			q.search = true
		case "$expand":
			q.expand = v
		case "$skip":
			return q, badRequest("'$skip' is not supported by the service.")
		case "$format":
		default:
			return q, fail(400, "BadRequest", "The query parameter '"+name+"' is not supported.")
		}
	}
	return q, nil
}

// eventual reports whether a request has the header that the advanced query
// capabilities need; a list needs $count as well.
func (c *call) eventual() bool {
	return strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual")
}

// counts refuses a $count that is not asked for as the documentation has it:
// eventual, and as the text that it is.
func (c *call) counts() *graphError {
	if !c.eventual() {
		return badRequest("$count is not currently supported.")
	}
	accept := strings.ToLower(strings.Join(c.header.Values("Accept"), ","))
	if accept == "" || strings.Contains(accept, "text/plain") || strings.Contains(accept, "text/*") || strings.Contains(accept, "*/*") {
		return nil
	}
	return fail(http.StatusNotAcceptable, "NotAcceptable", "A supported MIME type could not be found that matches the content type of the response. None of the supported type(s) 'text/plain' matches the acceptable types.")
}

// pick finds the selected properties, nil for those that come by themselves.
func (c *call) pick(e *entity, collection bool) ([]uint16, *graphError) {
	if c.query.selected == nil {
		return nil, nil
	}
	out := []uint16{}
	for _, s := range c.query.selected {
		if s == "*" {
			return nil, nil
		}
		name, _, _ := strings.Cut(s, "/")
		p, ok := e.byFold[strings.ToLower(name)]
		if !ok || e.props[p].name == odataType {
			return nil, fail(400, "BadRequest",
				"Parsing OData Select and Expand failed: Could not find a property named '"+s+"' on type 'microsoft.graph."+e.name+"'.")
		}
		if collection && e.props[p].alone && e.props[p].name != "signInActivity" {
			return nil, fail(501, "NotImplemented", "This operation target is not yet supported.")
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if id := e.byName["id"]; e.name == "user" && !slices.Contains(out, id) {
		out = append(out, id) // Graph always sends the key of an entity it lists
	}
	slices.Sort(out)
	return out, nil
}
