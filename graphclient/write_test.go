package graphclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

func set(a directory.Attribute, v string) plan.Change {
	return plan.Change{Attribute: a, New: directory.Text(v)}
}

func ref(n int) directory.Ref {
	return directory.Ref{ID: directory.ID(id(n)), UPN: fmt.Sprintf("user%d@midori.example", n)}
}

// sent collects the items of the batches and answers each as the test says.
func (f *fixture) sent(answer func(p part) string) *[]part {
	var all []part
	f.on["POST /$batch"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		f.batch(w, r, func(p part) (string, bool) {
			all = append(all, p)
			return answer(p), true
		})
	}
	return &all
}

func TestWrite_EachVerbIsOneRequest(t *testing.T) {
	f := newFixture(t)
	sent := f.sent(func(p part) string {
		if p.Method == http.MethodPost {
			if strings.HasPrefix(p.URL, "/users") {
				return reply(p, 201, `{"id":"`+strings.ToUpper(id(77))+`"}`)
			}
			return reply(p, 200, `{"id":"`+id(4)+`"}`)
		}
		return reply(p, 204, "null")
	})
	steps := []plan.Step{
		{Verb: plan.Create, Password: true, ForceChange: true, Set: []plan.Change{
			set(directory.UserPrincipalName, "new@midori.example"), set(directory.DisplayName, "森 <&> \"太郎\""), set(directory.MailNickname, "new"),
			set(directory.AccountEnabled, "false"), set("businessPhones", "123"), set("extensionAttribute2", "x"), set("extension_abc_badge", "9"),
		}},
		{Verb: plan.Patch, Object: ref(1), Set: []plan.Change{
			{Attribute: directory.GivenName, Old: directory.Text("Old")},
			set(directory.Surname, "Mori"),
			{Attribute: "jobTitle"},
			{Attribute: "businessPhones"},
			{Attribute: "extensionAttribute1"},
			set(directory.AccountEnabled, "true"),
		}},
		{Verb: plan.PatchUPN, Object: ref(2), Set: []plan.Change{set(directory.UserPrincipalName, "renamed@midori.example"), set(directory.ImmutableID, "Abc=")}},
		{Verb: plan.RestoreUser, Object: ref(3)},
		{Verb: plan.RestoreUser, Object: ref(4), Set: []plan.Change{set(directory.UserPrincipalName, "back@midori.example")}},
		{Verb: plan.DeleteUser, Object: ref(5)},
	}
	out := f.client.Write(t.Context(), steps)
	for i, o := range out {
		want := steps[i].Object.ID
		if i == 0 {
			want = directory.ID(id(77))
		}
		if o.Did != destination.Applied || o.ID != want || o.Why != nil || !o.ServerTime.Equal(f.date) {
			t.Errorf("outcome %d = %+v", i, o)
		}
	}
	if len(*sent) != 6 {
		t.Fatalf("sent %d items", len(*sent))
	}
	want := []struct{ method, url, body string }{
		{"POST", "/users", `{"@odata.type":"#microsoft.graph.user","accountEnabled":false,"businessPhones":["123"],"displayName":"森 <&> \"太郎\"","extension_abc_badge":"9","mailNickname":"new","onPremisesExtensionAttributes":{"extensionAttribute2":"x"},"passwordProfile":{"forceChangePasswordNextSignIn":true},"userPrincipalName":"new@midori.example"}`},
		{"PATCH", "/users/" + id(1), `{"@odata.type":"#microsoft.graph.user","accountEnabled":true,"businessPhones":[],"givenName":null,"jobTitle":null,"onPremisesExtensionAttributes":{"extensionAttribute1":null},"surname":"Mori"}`},
		{"PATCH", "/users/" + id(2), `{"@odata.type":"#microsoft.graph.user","onPremisesImmutableId":"Abc=","userPrincipalName":"renamed@midori.example"}`},
		{"POST", "/directory/deletedItems/" + id(3) + "/restore", ``},
		{"POST", "/directory/deletedItems/" + id(4) + "/restore", `{"autoReconcileProxyConflict":false,"newUserPrincipalName":"back@midori.example"}`},
		{"DELETE", "/users/" + id(5), ``},
	}
	for i, p := range *sent {
		body := map[string]any{}
		var got []byte
		if len(p.Body) > 0 {
			if err := json.Unmarshal(p.Body, &body); err != nil {
				t.Fatal(err)
			}
			if profile, ok := body["passwordProfile"].(map[string]any); ok {
				goodPassword(t, profile["password"])
				delete(profile, "password")
			}
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(body); err != nil {
				t.Fatal(err)
			}
			got = bytes.TrimSpace(b.Bytes())
			if p.Headers["Content-Type"] != "application/json" {
				t.Errorf("item %d has no content type", i)
			}
		}
		if p.Method != want[i].method || p.URL != want[i].url || string(got) != want[i].body {
			t.Errorf("item %d\n got %s %s %s\nwant %s %s %s", i, p.Method, p.URL, got, want[i].method, want[i].url, want[i].body)
		}
	}
	if last := f.tokens.asked[len(f.tokens.asked)-1]; last != "User.ReadWrite.All" {
		t.Errorf("written with a token for %s", last)
	}
}

// Rules of Entra ID: 8 to 256 ASCII characters, three of four classes.
func goodPassword(t *testing.T, v any) {
	t.Helper()
	p, ok := v.(string)
	if !ok || len(p) < 20 || len(p) > 256 {
		t.Fatalf("password of %d characters", len(p))
	}
	for _, class := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!#$%*+-.:=?@_"} {
		if !strings.ContainsAny(p, class) {
			t.Errorf("password has none of %s", class)
		}
	}
}

func TestWrite_PasswordsDifferAndAreNotLogged(t *testing.T) {
	f := newFixture(t)
	var logged bytes.Buffer
	client, err := graphclient.New(graphclient.Options{
		Graph: f.URL, HTTP: f.Client(), Tokens: f.tokens, WriteScopes: []string{"User.ReadWrite.All"}, Clock: f.clock,
		Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	sent := f.sent(func(p part) string { return reply(p, 400, `{"error":{"code":"Request_BadRequest","message":"no"}}`) })
	var steps []plan.Step
	for range 20 {
		steps = append(steps, plan.Step{Verb: plan.Create, Set: []plan.Change{set(directory.UserPrincipalName, "n@midori.example")}})
	}
	out := client.Write(t.Context(), steps)
	seen := map[string]bool{}
	for i, p := range *sent {
		var body struct {
			PasswordProfile struct {
				Password string
				Force    bool `json:"forceChangePasswordNextSignIn"`
			}
		}
		if err := json.Unmarshal(p.Body, &body); err != nil {
			t.Fatal(err)
		}
		secret := body.PasswordProfile.Password
		if seen[secret] || body.PasswordProfile.Force {
			t.Error("the same password twice, or a change forced that was not asked for")
		}
		seen[secret] = true
		if strings.Contains(logged.String(), secret) || strings.Contains(fmt.Sprintf("%+v %v", out[i], out[i].Why), secret) {
			t.Error("a password got out")
		}
	}
	if logged.Len() == 0 || strings.Contains(logged.String(), "Bearer") {
		t.Errorf("log: %s", logged.String())
	}
}

func conflictOf(code, target string) string {
	return fmt.Sprintf(`{"error":{"code":"Request_BadRequest","message":"m","details":[{"code":%q,"target":%q,"message":"m"}],"innererror":{"request-id":"inner-1"}}}`, code, target)
}

func TestWrite_EachItemHasItsOwnOutcome(t *testing.T) {
	upn := set(directory.UserPrincipalName, "wanted@midori.example")
	for name, tc := range map[string]struct {
		step   plan.Step
		answer func(p part) string
		scp    string
		did    destination.Did
		code   problem.Code
		class  problem.Class
		args   map[string]string
	}{
		"UPN taken": {
			plan.Step{Verb: plan.PatchUPN, Object: ref(1), Set: []plan.Change{upn}},
			item(400, conflictOf("ObjectConflict", "userPrincipalName")), "",
			destination.NotDone, problem.ConflictUPN, problem.Mend,
			map[string]string{"upn": "user1@midori.example", "value": "wanted@midori.example"},
		},
		"UPN taken, no details": {
			plan.Step{Verb: plan.Create, Set: []plan.Change{upn}},
			item(409, `{"error":{"code":"Request_MultipleObjectsWithSameKeyValue"}}`), "",
			destination.NotDone, problem.ConflictUPN, problem.Mend,
			map[string]string{"upn": "wanted@midori.example"},
		},
		"address taken": {
			plan.Step{Verb: plan.PatchUPN, Object: ref(1), Set: []plan.Change{upn}},
			item(400, conflictOf("ObjectConflict", "proxyAddresses")), "",
			destination.NotDone, problem.ConflictAddress, problem.Mend,
			map[string]string{"value": "wanted@midori.example"},
		},
		"an address of another attribute taken": {
			plan.Step{Verb: plan.Patch, Object: ref(1), Set: []plan.Change{set(directory.MailNickname, "aki"), set(directory.Surname, "Mori")}},
			item(400, conflictOf("ObjectConflict", "proxyAddresses")), "",
			destination.NotDone, problem.ConflictAddress, problem.Mend,
			map[string]string{"value": "", "change": "mailNickname aki, surname Mori"},
		},
		"taken, nobody says what": {
			plan.Step{Verb: plan.Patch, Object: ref(1), Set: []plan.Change{set(directory.MailNickname, "aki")}},
			item(409, `{"error":{"code":"Request_MultipleObjectsWithSameKeyValue"}}`), "",
			destination.NotDone, problem.ConflictOther, problem.Mend,
			map[string]string{"attribute": "", "change": "mailNickname aki"},
		},
		"immutable ID taken": {
			plan.Step{Verb: plan.Patch, Object: ref(1), Set: []plan.Change{set(directory.ImmutableID, "A=")}},
			item(400, conflictOf("ObjectConflict", "onPremisesImmutableId")), "",
			destination.NotDone, problem.ConflictImmutableID, problem.Mend,
			map[string]string{"value": "A="},
		},
		"value refused": {
			plan.Step{Verb: plan.Patch, Object: ref(1), Set: []plan.Change{set(directory.UsageLocation, "XX")}},
			item(400, conflictOf("InvalidValue", "usageLocation")), "",
			destination.NotDone, problem.ValueRefused, problem.Mend,
			map[string]string{"attribute": "usageLocation", "value": "XX"},
		},
		"value too long": {
			plan.Step{Verb: plan.Patch, Object: ref(1), Set: []plan.Change{set(directory.Surname, "long")}},
			item(400, conflictOf("InvalidLength", "surname")), "",
			destination.NotDone, problem.ValueTooLong, problem.Mend, nil,
		},
		"federated rule": {
			plan.Step{Verb: plan.Patch, Object: ref(1), Set: []plan.Change{set(directory.ImmutableID, "B=")}},
			item(400, conflictOf("InvalidValue", "onPremisesImmutableId")), "",
			destination.NotDone, problem.ImmutableIDRefused, problem.Mend, nil,
		},
		"password": {
			plan.Step{Verb: plan.Create, Set: []plan.Change{upn}},
			item(400, conflictOf("InvalidValue", "passwordProfile/password")), "",
			destination.NotDone, problem.PasswordRefused, problem.Mend, nil,
		},
		"no details at all": {
			plan.Step{Verb: plan.Patch, Object: ref(1)},
			item(400, `{"error":{"code":"Request_BadRequest","message":"On-premises mastered."}}`), "",
			destination.NotDone, problem.WriteRefused, problem.Mend,
			map[string]string{"answer": "On-premises mastered.", "status": "400"},
		},
		"error without error": {
			plan.Step{Verb: plan.Patch, Object: ref(1)}, item(400, `{}`), "", destination.NotDone, problem.WriteRefused, problem.Mend, nil,
		},
		"error without message": {
			plan.Step{Verb: plan.Patch, Object: ref(1)}, item(400, `{"error":{"code":"X"}}`), "", destination.NotDone, problem.WriteRefused, problem.Mend, nil,
		},
		"an administrator": {
			plan.Step{Verb: plan.DeleteUser, Object: ref(1)},
			item(403, `{"error":{"code":"Authorization_RequestDenied"}}`), "",
			destination.NotDone, problem.TargetProtected, problem.Mend, nil,
		},
		"no permission to write": {
			plan.Step{Verb: plan.DeleteUser, Object: ref(1)},
			item(403, `{"error":{"code":"Authorization_RequestDenied"}}`), "User.Read.All",
			destination.NotDone, problem.WriteNotAllowed, problem.Mend, nil,
		},
		"quota": {
			plan.Step{Verb: plan.Create, Set: []plan.Change{upn}},
			item(403, `{"error":{"code":"Directory_QuotaExceeded"}}`), "",
			destination.NotDone, problem.QuotaExceeded, problem.Mend,
			map[string]string{"principal": "admin@midori.example"},
		},
		"gone":       {plan.Step{Verb: plan.Patch, Object: ref(1)}, item(404, `{"error":{"code":"Request_ResourceNotFound"}}`), "", destination.NotDone, problem.AccountGone, problem.Mend, nil},
		"concurrent": {plan.Step{Verb: plan.Patch, Object: ref(1)}, item(409, `{"error":{"code":"Directory_ConcurrencyViolation"}}`), "", destination.NotDone, problem.Concurrent, problem.Retry, nil},
		"dependency": {plan.Step{Verb: plan.Patch, Object: ref(1)}, item(424, `{}`), "", destination.NotDone, problem.NeverSentWrite, problem.Retry, nil},
		"throttled": {
			plan.Step{Verb: plan.Patch, Object: ref(1)}, func(p part) string {
				return fmt.Sprintf(`{"id":%q,"status":429,"headers":{"Retry-After":11},"body":{"error":{"code":"TooManyRequests"}}}`, p.ID)
			}, "", destination.NotDone, problem.Throttled, problem.Retry, map[string]string{"seconds": "11"},
		},
		"token ended":         {plan.Step{Verb: plan.Patch, Object: ref(1)}, item(401, `{}`), "", destination.NotDone, problem.ServerTrouble, problem.Retry, map[string]string{"status": "401"}},
		"500":                 {plan.Step{Verb: plan.Patch, Object: ref(1)}, item(500, `{}`), "", destination.Unknown, problem.NotAnswered, problem.Retry, nil},
		"503":                 {plan.Step{Verb: plan.Create, Set: []plan.Change{upn}}, item(503, `null`), "", destination.Unknown, problem.NotAnswered, problem.Retry, nil},
		"504":                 {plan.Step{Verb: plan.DeleteUser, Object: ref(1)}, item(504, `"html"`), "", destination.Unknown, problem.NotAnswered, problem.Retry, nil},
		"missing":             {plan.Step{Verb: plan.Patch, Object: ref(1)}, func(part) string { return "" }, "", destination.Unknown, problem.NotAnswered, problem.Retry, nil},
		"made without an ID":  {plan.Step{Verb: plan.Create, Set: []plan.Change{upn}}, item(201, `{}`), "", destination.Unknown, problem.NotAnswered, problem.Retry, nil},
		"redirected":          {plan.Step{Verb: plan.Patch, Object: ref(1)}, item(302, `null`), "", destination.Unknown, problem.NotAnswered, problem.Retry, nil},
		"answered twice":      {plan.Step{Verb: plan.Patch, Object: ref(1)}, func(p part) string { return reply(p, 204, "null") + "," + reply(p, 400, "{}") }, "", destination.Unknown, problem.NotAnswered, problem.Retry, nil},
		"answered by another": {plan.Step{Verb: plan.Patch, Object: ref(1)}, func(part) string { return `{"id":"99","status":204}` }, "", destination.Unknown, problem.NotAnswered, problem.Retry, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.tokens.scp = tc.scp
			sent := f.sent(func(p part) string {
				if p.ID == "2" {
					return tc.answer(p)
				}
				return reply(p, 204, "null")
			})
			out := f.client.Write(t.Context(), []plan.Step{{Verb: plan.DeleteUser, Object: ref(8)}, tc.step, {Verb: plan.DeleteUser, Object: ref(9)}})
			if len(*sent) != 3 {
				t.Fatalf("sent %d items: a write is one attempt", len(*sent))
			}
			for _, i := range []int{0, 2} {
				if out[i].Did != destination.Applied {
					t.Errorf("neighbour %d: %+v", i, out[i])
				}
			}
			o := out[1]
			if o.Did != tc.did || o.Why == nil || o.Why.Code != tc.code || o.Why.Class() != tc.class {
				t.Fatalf("outcome = %d %v class %d", o.Did, o.Why, o.Why.Class())
			}
			for k, v := range tc.args {
				if o.Why.Args[k] != v {
					t.Errorf("%s = %q, want %q", k, o.Why.Args[k], v)
				}
			}
			if name == "throttled" && o.Why.Upstream.RetryAfter != 11*time.Second {
				t.Errorf("pause %v", o.Why.Upstream.RetryAfter)
			}
			if tc.did == destination.NotDone && (o.Why.Upstream == nil || o.Why.Upstream.RequestID == "") {
				t.Errorf("no request-id for support: %+v", o.Why.Upstream)
			}
		})
	}
}

// 401 at the door says that nothing was looked at, so the same batch is sent
// once more with a new token: no other answer is taken so.
func TestWrite_ATokenThatEndedIsReplacedOnce(t *testing.T) {
	f := newFixture(t)
	f.on["POST /$batch"] = func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			status(401, `{"error":{"code":"InvalidAuthenticationToken"}}`, "WWW-Authenticate", `Bearer claims="eyJhIjoxfQ=="`)(w)
			return
		}
		f.batch(w, r, func(p part) (string, bool) { return reply(p, 204, "null"), true })
	}
	out := f.client.Write(t.Context(), []plan.Step{{Verb: plan.DeleteUser, Object: ref(8)}})
	if out[0].Did != destination.Applied || len(f.tokens.renews) != 1 || f.tokens.renews[0] != `{"a":1}` || f.count("POST /$batch") != 2 {
		t.Errorf("outcome %+v, renewed for %q", out[0], f.tokens.renews)
	}
	f.answers("POST /$batch", status(401, `{}`))
	out = f.client.Write(t.Context(), []plan.Step{{Verb: plan.DeleteUser, Object: ref(8)}})
	if out[0].Did != destination.NotDone || out[0].Why.Code != problem.TokenRefused || len(f.tokens.renews) != 2 || f.count("POST /$batch") != 4 {
		t.Errorf("outcome %+v, renewed %d times", out[0], len(f.tokens.renews))
	}
}

func item(code int, body string) func(p part) string {
	return func(p part) string { return reply(p, code, body) }
}

func TestWrite_BatchAsAWhole(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(w http.ResponseWriter)
		did    destination.Did
		code   problem.Code
	}{
		"throttled":         {status(429, ``, "Retry-After", "30"), destination.NotDone, problem.Throttled},
		"token refused":     {status(401, `{}`), destination.NotDone, problem.TokenRefused},
		"not allowed":       {status(403, `{"error":{"code":"Authorization_RequestDenied"}}`), destination.NotDone, problem.WriteNotAllowed},
		"malformed by us":   {status(400, `{"error":{"code":"BadRequest","message":"m"}}`), destination.NotDone, problem.WriteRefused},
		"redirected":        {status(307, ``, "Location", "https://evil.example/"), destination.NotDone, problem.ForeignHost},
		"503":               {status(503, ``), destination.Unknown, problem.NotAnswered},
		"html 502":          {status(502, `<html/>`), destination.Unknown, problem.NotAnswered},
		"202":               {status(202, ``), destination.Unknown, problem.NotAnswered},
		"cut in the middle": {cut, destination.Unknown, problem.NotAnswered},
		"cut at once":       {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, destination.Unknown, problem.NotAnswered},
		"garbled":           {status(200, `{"responses":[{"id":"1","status":204`), destination.Unknown, problem.NotAnswered},
		"empty":             {status(200, ``), destination.Unknown, problem.NotAnswered},
		"no responses":      {status(200, `{}`), destination.Unknown, problem.NotAnswered},
		"none answered":     {status(200, `{"responses":[]}`), destination.Unknown, problem.NotAnswered},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.answers("POST /$batch", tc.answer)
			out := f.client.Write(t.Context(), []plan.Step{{Verb: plan.DeleteUser, Object: ref(1)}, {Verb: plan.DeleteUser, Object: ref(2)}})
			for i, o := range out {
				if o.Did != tc.did || o.Why == nil || o.Why.Code != tc.code || o.ID != ref(i+1).ID {
					t.Errorf("outcome = %+v %v", o, o.Why)
				}
			}
			if n := f.count("POST /$batch"); n != 1 && (n != 2 || tc.code != problem.TokenRefused) {
				t.Errorf("sent %d times: a write is one attempt", n)
			}
			if len(f.clock.slept) > 0 {
				t.Error("it waited: pauses of writes belong to the run")
			}
		})
	}
}

func TestWrite_NotDoneWhereNothingWasSent(t *testing.T) {
	steps := []plan.Step{{Verb: plan.DeleteUser, Object: ref(1)}}
	t.Run("host not reached", func(t *testing.T) {
		f := newFixture(t)
		f.CloseClientConnections()
		f.Close()
		o := f.client.Write(t.Context(), steps)[0]
		if o.Did != destination.NotDone || o.Why.Code != problem.NoConnection || o.Why.Class() != problem.Retry {
			t.Errorf("outcome = %+v %v", o, o.Why)
		}
	})
	t.Run("certificate not trusted", func(t *testing.T) {
		f := newFixture(t)
		c, err := graphclient.New(graphclient.Options{Graph: f.URL, HTTP: &http.Client{}, Tokens: f.tokens, Clock: f.clock})
		if err != nil {
			t.Fatal(err)
		}
		o := c.Write(t.Context(), steps)[0]
		if o.Did != destination.NotDone || o.Why.Code != problem.TLSUnknownCA || o.Why.Args["issuer"] == "" {
			t.Errorf("outcome = %+v %v", o, o.Why)
		}
	})
	t.Run("no permission to write yet", func(t *testing.T) {
		f := newFixture(t)
		f.tokens.err = problem.New(problem.ConsentMissing, nil)
		o := f.client.Write(t.Context(), steps)[0]
		if o.Did != destination.NotDone || o.Why.Code != problem.ConsentMissing {
			t.Errorf("outcome = %+v", o)
		}
	})
	t.Run("ended before", func(t *testing.T) {
		f := newFixture(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		o := f.client.Write(ctx, steps)[0]
		if o.Did != destination.NotDone || o.Why.Code != problem.NeverSentWrite || len(f.log) > 0 {
			t.Errorf("outcome = %+v, sent %v", o, f.log)
		}
	})
	t.Run("too many", func(t *testing.T) {
		f := newFixture(t)
		out := f.client.Write(t.Context(), make([]plan.Step, 21))
		if len(out) != 21 || out[20].Did != destination.NotDone || len(f.log) > 0 {
			t.Errorf("%d outcomes, sent %v", len(out), f.log)
		}
	})
	t.Run("a step without object", func(t *testing.T) {
		f := newFixture(t)
		f.sent(func(p part) string { return reply(p, 204, "null") })
		out := f.client.Write(t.Context(), []plan.Step{{Verb: plan.DeleteUser}, steps[0]})
		if out[0].Did != destination.NotDone || out[0].Why.Code != problem.Internal || out[1].Did != destination.Applied {
			t.Errorf("outcomes = %+v", out)
		}
	})
}

// Ctrl+C while a batch is under way: its answer is still waited for.
func TestWrite_FinishesWhatWasSent(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.on["POST /$batch"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		cancel()
		time.Sleep(50 * time.Millisecond)
		f.batch(w, r, func(p part) (string, bool) { return reply(p, 204, "null"), true })
	}
	if o := f.client.Write(ctx, []plan.Step{{Verb: plan.DeleteUser, Object: ref(1)}})[0]; o.Did != destination.Applied {
		t.Errorf("outcome = %+v %v", o, o.Why)
	}
}

func TestNew_RefusesAnAddressThatIsNotOfGraph(t *testing.T) {
	for _, graph := range []string{"", "http://graph.example", "https://graph.example/v1.0", "graph.example", "https://"} {
		if _, err := graphclient.New(graphclient.Options{Graph: graph, HTTP: http.DefaultClient, Tokens: &tokens{}}); err == nil {
			t.Errorf("%q is taken", graph)
		}
	}
	if _, err := graphclient.New(graphclient.Options{Graph: "https://graph.example"}); err == nil {
		t.Error("works without tokens")
	}
}
