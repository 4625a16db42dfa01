package simulator

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one Graph request: an HTTP request, or an item of a $batch. Both go
// the same way.
type call struct {
	method  string
	path    string // after the version, such as /users/x
	raw     string // the query as it came
	segs    []string
	query   query
	header  http.Header
	body    []byte
	host    string // https://host of the request, for links
	version string // v1.0
	who     *caller
	now     time.Time
	reqID   string
	cliID   string
	vars    []string // what matched * in the route
}

// answer is what goes back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) set(k, v string) *answer {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(k, v)
	return a
}

const jsonType = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8"

func ok(body []byte) *answer {
	return (&answer{status: http.StatusOK, body: body}).set("Content-Type", jsonType)
}

func noContent() *answer { return &answer{status: http.StatusNoContent} }

// detail is one entry of an error's details.
type detail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target,omitempty"`
}

// graphError is an error in Graph's own form.
type graphError struct {
	status  int
	code    string
	message string
	details []detail
	header  http.Header
}

func (e *graphError) Error() string { return e.code + ": " + e.message }

func fail(status int, code, message string, details ...detail) *graphError {
	return &graphError{status: status, code: code, message: message, details: details}
}

func badRequest(message string, details ...detail) *graphError {
	return fail(http.StatusBadRequest, "Request_BadRequest", message, details...)
}

// conflict is a unique key that another object holds: status 400, and for an
// address a second detail.
func conflict(property string) *graphError {
	m := "Another object with the same value for property " + property + " already exists."
	e := badRequest(m, detail{"ObjectConflict", m, property})
	if property == "proxyAddresses" {
		e.details = append(e.details, detail{Code: "ConflictingObjects", Message: m})
	}
	return e
}

func invalidValue(title, property string) *graphError {
	m := "Invalid value specified for property '" + property + "' of resource '" + title + "'."
	return badRequest(m, detail{"InvalidValue", m, property})
}

func notFound(id string) *graphError {
	return fail(http.StatusNotFound, "Request_ResourceNotFound",
		"Resource '"+id+"' does not exist or one of its queried reference-property objects are not present.")
}

func denied() *graphError {
	return fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

// errorAnswer writes the envelope.
func (c *call) errorAnswer(e *graphError) *answer {
	type inner struct {
		Date      string `json:"date"`
		RequestID string `json:"request-id"`
		ClientID  string `json:"client-request-id"`
	}
	var env struct {
		Error struct {
			Code    string   `json:"code"`
			Message string   `json:"message"`
			Details []detail `json:"details,omitempty"`
			Inner   inner    `json:"innerError"`
		} `json:"error"`
	}
	env.Error.Code, env.Error.Message, env.Error.Details = e.code, e.message, e.details
	env.Error.Inner = inner{c.now.UTC().Format("2006-01-02T15:04:05"), c.reqID, c.cliID}
	b, _ := json.Marshal(env) // strings can always be encoded
	a := (&answer{status: e.status, body: b}).set("Content-Type", "application/json")
	for k, v := range e.header {
		a.header[k] = v
	}
	return a
}

// newGUID is a random GUID.
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// splitPath cuts a path into decoded segments. A key in parentheses becomes a
// segment of its own: users('x') is users, x; servicePrincipals(appId='x') is
// servicePrincipals, (appId)x.
func splitPath(path string) ([]string, bool) {
	var out []string
	for s := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if s == "" {
			continue
		}
		seg, err := url.PathUnescape(s)
		if err != nil {
			return nil, false
		}
		name, key, found := strings.Cut(seg, "(")
		if !found || !strings.HasSuffix(key, ")") || name == "" {
			out = append(out, seg)
			continue
		}
		key = strings.TrimSuffix(key, ")")
		if key == "" { // delta()
			out = append(out, name)
			continue
		}
		alt := ""
		if k, v, named := strings.Cut(key, "="); named && !strings.HasPrefix(key, "'") {
			alt, key = "("+k+")", v
		}
		if len(key) >= 2 && key[0] == '\'' && key[len(key)-1] == '\'' {
			key = strings.ReplaceAll(key[1:len(key)-1], "''", "'")
		}
		out = append(out, name, alt+key)
	}
	return out, true
}
