package haccsv

import (
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/source"
)

// A user who appears in any of HAC's identifying columns is in the source,
// whichever of them is the UPN. A value that the row has already is not kept twice.
func TestRead_KeepsTheCellsOfEveryIdentifyingColumn(t *testing.T) {
	for name, tt := range map[string]struct {
		text     string
		mappings []source.Mapping
		want     []string
		username string
	}{
		"an address beside the UPN": {
			text: "Username,Email Address,Email,Display Name\nu1,a.old@x.example, a@x.example ,A\nu2,B@X.example,b@x.example,B\nu3,,c@x.example,C\n",
			want: []string{"a.old@x.example", "", ""}, username: "u1",
		},
		"several": {
			text: "Username,Login ID,Email Address,Email,Display Name,Immutable ID\nu1,a@x.example,two@x.example,one@x.example,A,id\n",
			want: []string{"one@x.example\ntwo@x.example"}, username: "u1",
		},
		"a UPN taken from another column": {
			text:     "Username,Email,Display Name,new_upn\nu1,a@x.example,A,aa@x.example\n",
			mappings: []source.Mapping{{From: "new_upn", To: directory.UserPrincipalName}},
			want:     []string{"a@x.example"}, username: "u1",
		},
		"an alias taken from another column": {
			text:     "Username,Email,Display Name,nick\nu1,a@x.example,A,ally\n",
			mappings: []source.Mapping{{From: "nick", To: directory.MailNickname}}, username: "u1",
		},
		"none": {text: "Username,Email,Display Name,busho\nu1,a@x.example,A,other@x.example\n", username: "u1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustRead(t, tt.text, Options{Mappings: tt.mappings})
			if s.HasColumn(directory.OtherKeys) != (tt.want != nil) {
				t.Errorf("columns %v", s.Columns())
			}
			for i, want := range tt.want {
				if got, set := s.At(i).Get(directory.OtherKeys); got != want || set != (want != "") {
					t.Errorf("row %d: %q, want %q", i, got, want)
				}
			}
			if got := s.At(0).Username(); got != tt.username {
				t.Errorf("Username %q, want %q", got, tt.username)
			}
		})
	}
}

// A last row may be cut in an address that is only looked up.
func TestRead_RefusesARowCutInAnIdentifyingColumn(t *testing.T) {
	_, err := read(t, "Username,Email,Display Name,Email Address\nu1,a@x.example,A,a@x.exam", Options{Count: 1})
	if !problem.Has(err, problem.FileCut) {
		t.Fatal("a row that lost its end was read")
	}
}
