package loopback_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/loopback"
)

// service is a server behind the faults: it counts its effects.
type service struct {
	effects int
	answers map[string]string // by path; else a list of three
	gzip    bool
}

const three = `{"@odata.context":"https://graph.example/v1.0/$metadata#users","value":[{"id":"1"},{"id":"2"},{"id":"3"}]}`

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.effects++
	body, ok := s.answers[r.URL.Path]
	if !ok {
		body = three
	}
	if s.gzip {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(body))
		_ = z.Close()
		return
	}
	_, _ = io.WriteString(w, body)
}

func faults(t *testing.T, specs ...string) *loopback.Faults {
	t.Helper()
	var all []loopback.Spec
	for _, text := range specs {
		s, err := loopback.ParseSpec(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return loopback.NewFaults(clock.Real(), all...)
}

// call sends one request through the faults; cut reports that no answer came.
func call(t *testing.T, s *service, f loopback.Fault, method, path string) (res *httptest.ResponseRecorder, cut bool) {
	t.Helper()
	res = httptest.NewRecorder()
	defer func() { cut = recover() != nil }()
	loopback.Handler(s, "graph", f, 0, clock.Real()).ServeHTTP(res, httptest.NewRequest(method, path, nil))
	return res, false
}

func TestFaults_DoWhatTheySay(t *testing.T) {
	code := func(want string) func(*testing.T, *httptest.ResponseRecorder) {
		return func(t *testing.T, r *httptest.ResponseRecorder) {
			var e struct{ Error struct{ Code string } }
			if err := json.Unmarshal(r.Body.Bytes(), &e); err != nil || e.Error.Code != want {
				t.Errorf("body %s, want code %s", r.Body, want)
			}
		}
	}
	body := func(want string) func(*testing.T, *httptest.ResponseRecorder) {
		return func(t *testing.T, r *httptest.ResponseRecorder) {
			if r.Body.String() != want {
				t.Errorf("body %s, want %s", r.Body, want)
			}
		}
	}
	ids := func(want string) func(*testing.T, *httptest.ResponseRecorder) {
		return func(t *testing.T, r *httptest.ResponseRecorder) {
			if got := idsOf(t, r); got != want {
				t.Errorf("rows %s, want %s", got, want)
			}
		}
	}
	html := func(t *testing.T, r *httptest.ResponseRecorder) {
		if r.Header().Get("Content-Type") != "text/html" || !strings.HasPrefix(r.Body.String(), "<html>") {
			t.Errorf("%v %s", r.Header(), r.Body)
		}
	}
	for spec, want := range map[string]struct {
		status  int // 0: cut
		effects int
		more    func(*testing.T, *httptest.ResponseRecorder)
	}{
		"401": {401, 0, func(t *testing.T, r *httptest.ResponseRecorder) {
			code("InvalidAuthenticationToken")(t, r)
			if !strings.Contains(r.Header().Get("WWW-Authenticate"), "invalid_token") {
				t.Error(r.Header())
			}
		}},
		"403": {403, 0, code("Authorization_RequestDenied")},
		"404": {404, 0, code("Request_ResourceNotFound")},
		"412": {412, 0, code("Request_PreconditionFailed")},
		"429": {429, 0, func(t *testing.T, r *httptest.ResponseRecorder) {
			code("TooManyRequests")(t, r)
			if r.Header().Values("Retry-After") != nil || !strings.Contains(r.Body.String(), `"status":"429"`) {
				t.Errorf("%v %s", r.Header(), r.Body)
			}
		}},
		"429:retry-after=7": {429, 0, func(t *testing.T, r *httptest.ResponseRecorder) {
			if r.Header().Get("Retry-After") != "7" {
				t.Error(r.Header())
			}
		}},
		"429:retry-after-date=7": {429, 0, func(t *testing.T, r *httptest.ResponseRecorder) {
			at, err := http.ParseTime(r.Header().Get("Retry-After"))
			date, err2 := http.ParseTime(r.Header().Get("Date"))
			if err != nil || err2 != nil || at.Sub(date) != 7*time.Second {
				t.Error(r.Header())
			}
		}},
		"500":               {500, 0, code("Service_InternalServerError")},
		"503:retry-after=1": {503, 0, code("ServiceUnavailable")},
		"504":               {504, 0, code("GatewayTimeout")},
		"conflict": {400, 0, func(t *testing.T, r *httptest.ResponseRecorder) {
			if !strings.Contains(r.Body.String(), `"code":"ObjectConflict"`) {
				t.Error(r.Body)
			}
		}},
		"no-error":            {400, 0, body(`{"message":"An error has occurred."}`)},
		"no-error:status=500": {500, 0, nil},
		"html-500":            {500, 0, html},
		"html-502":            {502, 0, html},
		"cut-before":          {0, 0, nil},
		"500-after":           {500, 1, code("Service_InternalServerError")},
		"503-after":           {503, 1, code("ServiceUnavailable")},
		"504-after":           {504, 1, code("GatewayTimeout")},
		"html-502-after":      {502, 1, html},
		"cut-after":           {0, 1, nil},
		"truncate":            {200, 1, body(three[:len(three)/2])},
		"empty":               {200, 1, body("")},
		"malformed": {200, 1, func(t *testing.T, r *httptest.ResponseRecorder) {
			if json.Valid(r.Body.Bytes()) || r.Body.Len() == 0 {
				t.Error(r.Body)
			}
		}},
		"empty-page": {200, 1, ids("")},
		"drop-row":   {200, 1, ids("1 3")},
		"repeat-page": {200, 1, func(t *testing.T, r *httptest.ResponseRecorder) {
			if !strings.Contains(r.Body.String(), `"@odata.nextLink":"https://graph.example/v1.0/users?$top=3"`) {
				t.Error(r.Body)
			}
		}},
		"wrong-count": {200, 1, body(three)}, // nothing to count here
		"slow=1ms":    {200, 1, ids("1 2 3")},
		"reorder":     {200, 1, body(three)},
	} {
		for _, packed := range []bool{false, true} {
			s := &service{gzip: packed}
			f := faults(t, spec)
			res, cut := call(t, s, f, http.MethodGet, "/v1.0/users?$top=3")
			if cut != (want.status == 0) || !cut && res.Code != want.status || s.effects != want.effects {
				t.Errorf("%s: cut %v, status %d, %d effects", spec, cut, res.Code, s.effects)
				continue
			}
			if packed && res.Header().Get("Content-Encoding") == "gzip" {
				z, err := gzip.NewReader(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				plain, err := io.ReadAll(z)
				if err != nil {
					t.Fatal(err)
				}
				res.Body = bytes.NewBuffer(plain)
			}
			if want.more != nil {
				t.Run(spec, func(t *testing.T) { want.more(t, res) })
			}
		}
	}
}

func idsOf(t *testing.T, r *httptest.ResponseRecorder) string {
	t.Helper()
	var v struct {
		Value []struct{ ID string }
	}
	if err := json.Unmarshal(r.Body.Bytes(), &v); err != nil || v.Value == nil {
		t.Errorf("body %s: %v", r.Body, err)
	}
	var ids []string
	for _, row := range v.Value {
		ids = append(ids, row.ID)
	}
	return strings.Join(ids, " ")
}

func TestFaults_RepeatThePageBeforeAndCountOneTooMany(t *testing.T) {
	s := &service{answers: map[string]string{"/v1.0/users/$count": "41"}}
	f := faults(t, "repeat-page:on=/users?skiptoken", "wrong-count")
	first, _ := call(t, s, f, http.MethodGet, "/v1.0/users?$top=3")
	if strings.Contains(first.Body.String(), "nextLink") {
		t.Errorf("first page %s", first.Body)
	}
	f = faults(t, "repeat-page:after=1", "wrong-count")
	call(t, s, f, http.MethodGet, "/v1.0/users?$top=3")
	s.answers["/v1.0/users"] = `{"value":[{"id":"4"}]}`
	second, _ := call(t, s, f, http.MethodGet, "/v1.0/users?$skiptoken=x")
	if idsOf(t, second) != "1 2 3" {
		t.Errorf("second page %s", second.Body)
	}
	count, _ := call(t, s, f, http.MethodGet, "/v1.0/users/$count")
	if count.Body.String() != "42" {
		t.Errorf("count %s", count.Body)
	}
	s.answers["/v1.0/users"] = `{"@odata.count":9,"value":[]}`
	f = faults(t, "wrong-count")
	counted, _ := call(t, s, f, http.MethodGet, "/v1.0/users")
	if !strings.Contains(counted.Body.String(), `"@odata.count":10`) {
		t.Errorf("page with a count %s", counted.Body)
	}
}

func TestFaults_CutInTheMiddleSendsHalf(t *testing.T) {
	h := loopback.Handler(&service{}, "graph", faults(t, "cut-middle"), 0, clock.Real())
	srv, ca := serve(t, h)
	res, err := get(t, trusting(ca, ""), srv.URL()+"/v1.0/users")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err == nil || len(b) == 0 || len(b) >= len(three) {
		t.Errorf("read %d bytes, %v", len(b), err)
	}
}

func TestFaults_ChooseCalls(t *testing.T) {
	exchange := func(method, path, item, service string) loopback.Exchange {
		return loopback.Exchange{Service: service, Method: method, Path: path, Item: item}
	}
	for spec, want := range map[string]string{
		"500":                               "list middle one group batch itemread itempatch",
		"500:on=GET":                        "list middle one group itemread",
		"500:on=GET /users":                 "list middle",
		"500:on=GET /users?skiptoken":       "middle",
		"500:on=/users/*":                   "one itemread itempatch",
		"500:on=* /Users/*":                 "one itemread itempatch",
		"500:on=PATCH /users/*":             "itempatch",
		"500:on=GET /groups/**":             "group",
		"500:on=GET /groups/*":              "",
		"500:on=POST /$batch":               "batch",
		"item=500":                          "itemread itempatch",
		"item=500:on=GET /users/*":          "itemread",
		"item=reorder":                      "",
		"500:at=hac":                        "hac",
		"500:at=authority,on=POST /*/token": "token",
	} {
		var got []string
		for _, e := range []struct {
			name string
			e    loopback.Exchange
		}{
			{"list", exchange("GET", "/v1.0/users?$top=9", "", "graph")},
			{"middle", exchange("GET", "/v1.0/users?$SkipToken=x", "", "graph")},
			{"one", exchange("GET", "/v1.0/users/a", "", "graph")},
			{"group", exchange("GET", "/v1.0/groups/a/owners", "", "graph")},
			{"batch", exchange("POST", "/v1.0/$batch", "", "graph")},
			{"itemread", exchange("GET", "/v1.0/users/a", "1", "graph")},
			{"itempatch", exchange("PATCH", "/v1.0/users/a", "2", "graph")},
			{"hac", exchange("GET", "/v1/users", "", "hac")},
			{"token", exchange("POST", "/x/token", "", "authority")},
		} {
			if faults(t, spec).Before(t.Context(), e.e) != nil {
				got = append(got, e.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s met %s, want %s", spec, got, want)
		}
	}
}

func TestFaults_CountSkipAndChance(t *testing.T) {
	fired := func(n int, spec string, path func(i int) string) string {
		f := faults(t, spec)
		var b strings.Builder
		for i := range n {
			if f.Before(t.Context(), loopback.Exchange{Service: "graph", Method: "GET", Path: path(i)}) != nil {
				b.WriteByte('x')
			} else {
				b.WriteByte('.')
			}
		}
		if got := f.Fired()[spec]; got != strings.Count(b.String(), "x") {
			t.Errorf("%s: says it fired %d times: %s", spec, got, b.String())
		}
		return b.String()
	}
	same := func(int) string { return "/v1.0/users" }
	if got := fired(8, "500:after=2,count=3", same); got != "..xxx..." {
		t.Error(got)
	}
	if got := fired(4, "500", same); got != "xxxx" {
		t.Error(got)
	}
	one, two := fired(2000, "500:p=0.05,seed=1", same), fired(2000, "500:p=0.05,seed=2", same)
	if n := strings.Count(one, "x"); n < 60 || n > 150 {
		t.Errorf("%d of 2000 at 5 %%", n)
	}
	if one == two || one != fired(2000, "500:p=0.05,seed=1", same) {
		t.Error("chance does not follow from the seed")
	}
	// The faults of an address do not depend on the calls in between.
	mixed := fired(4000, "500:p=0.05,seed=1", func(i int) string {
		if i%2 == 1 {
			return fmt.Sprintf("/v1.0/users/%d", i)
		}
		return "/v1.0/users?$skiptoken=" + fmt.Sprint(i)
	})
	var every strings.Builder
	for i := 0; i < len(mixed); i += 2 {
		every.WriteByte(mixed[i])
	}
	if every.String() != one {
		t.Error("other calls changed what an address meets")
	}
}

func TestFaults_SlowWaitsOnTheClockAndLetsOthersAnswer(t *testing.T) {
	c := &slept{Clock: clock.Real()}
	slow, err := loopback.ParseSpec("slow=2s")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := loopback.ParseSpec("503")
	if err != nil {
		t.Fatal(err)
	}
	a := loopback.NewFaults(c, slow, bad).Before(t.Context(), loopback.Exchange{Service: "graph", Method: "GET", Path: "/v1.0/users"})
	if a == nil || a.Status != 503 || c.total != 2*time.Second {
		t.Errorf("answer %v after %v", a, c.total)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if a := loopback.NewFaults(c, slow).Before(gone, loopback.Exchange{Service: "graph"}); a == nil || !a.Cut {
		t.Error("a client that has gone was answered")
	}
}

func TestFaults_ReorderABatch(t *testing.T) {
	s := &service{answers: map[string]string{"/v1.0/$batch": `{"responses":[{"id":"1"},{"id":"2"},{"id":"3"}]}`}}
	res, _ := call(t, s, faults(t, "item=reorder"), http.MethodPost, "/v1.0/$batch")
	var v struct{ Responses []struct{ ID string } }
	if err := json.Unmarshal(res.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range v.Responses {
		ids = append(ids, r.ID)
	}
	if slices.IsSorted(ids) || len(ids) != 3 {
		t.Errorf("order %s", ids)
	}
}

func TestChain_TheFirstThatAnswersHasTheCall(t *testing.T) {
	if loopback.Chain(nil, nil) != nil {
		t.Error("nothing became a fault")
	}
	s := &service{}
	f := loopback.Chain(nil, faults(t, "drop-row"), faults(t, "503:on=POST"), faults(t, "500:on=POST"))
	if res, _ := call(t, s, f, http.MethodPost, "/v1.0/users"); res.Code != 503 {
		t.Errorf("status %d", res.Code)
	}
	if res, _ := call(t, s, f, http.MethodGet, "/v1.0/users"); idsOf(t, res) != "1 3" {
		t.Errorf("body %s", res.Body)
	}
}
