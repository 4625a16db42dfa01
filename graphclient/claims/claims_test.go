package claims_test

import (
	"encoding/base64"
	"testing"

	"github.com/hacsync/hacsync/graphclient/claims"
)

func token(body string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(body)) + ".s"
}

func TestRead_DistinguishesUsersFromApplications(t *testing.T) {
	c, ok := claims.Read(token(`{"oid":"ABC","tid":"t","upn":"a@b.example","scp":"User.Read.All User.ReadWrite.All","wids":["w"],"acct":0}`))
	if !ok || c.Person() != "abc" || c.Principal() != "a@b.example" || !c.MayWriteUsers() || c.IsGuest() || c.IsPersonal() {
		t.Errorf("claims = %+v", c)
	}
	c, ok = claims.Read(token(`{"oid":"abc","appid":"id","app_displayname":"hacsync","roles":["User.Read.All"],"idtyp":"app"}`))
	if !ok || c.Person() != "" || c.Principal() != "hacsync" || c.MayWriteUsers() {
		t.Errorf("claims = %+v", c)
	}
	for _, bad := range []string{"", "opaque", "a.b.c", token(`[`), token(`{"scp":1}`)} {
		if c, ok := claims.Read(bad); ok || c.Person() != "" {
			t.Errorf("%q was read: %+v", bad, c)
		}
	}
}

func TestRead_KnowsGuestsAndPersonalAccounts(t *testing.T) {
	for body, want := range map[string][2]bool{
		`{"tid":"t","upn":"a@b"}`:                                              {false, false},
		`{"tid":"t","upn":"a_b#EXT#@c"}`:                                       {true, false},
		`{"tid":"t","unique_name":"live.com#a@b","idp":"live.com"}`:            {true, true},
		`{"tid":"t","idp":"https://sts.windows.net/other/"}`:                   {true, false},
		`{"tid":"T","idp":"https://sts.windows.net/t/"}`:                       {false, false},
		`{"tid":"t","acct":0,"upn":"a_b#EXT#@c"}`:                              {false, false},
		`{"tid":"t","acct":1}`:                                                 {true, false},
		`{"tid":"9188040d-6c67-4c5b-b112-36a304b66dad","upn":"a@example.com"}`: {false, true},
	} {
		c, ok := claims.Read(token(body))
		if !ok || c.IsGuest() != want[0] || c.IsPersonal() != want[1] {
			t.Errorf("%s: guest %v, personal %v", body, c.IsGuest(), c.IsPersonal())
		}
	}
	if c, _ := claims.Read(token(`{"unique_name":"live.com#a@b"}`)); c.Username() != "a@b" {
		t.Errorf("username %q", c.Username())
	}
}

func TestCovers_WritingCoversReading(t *testing.T) {
	have := []string{"User.ReadWrite.All", "Domain.Read.All"}
	for want, ok := range map[string]bool{"User.Read.All": true, "domain.read.all": true, "Domain.ReadWrite.All": false, "Group.Read.All": false} {
		if claims.Covers(have, want) != ok {
			t.Errorf("%s is covered: %v", want, !ok)
		}
	}
}
