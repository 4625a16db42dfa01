package hacapi_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/source/hacapi"
	"github.com/hacsync/hacsync/sync/source/hacapi/simulator"
	"github.com/hacsync/hacsync/sync/source/haccsv"
)

// The export and the API of one HAC give the same users: a domain may go from
// one to the other without a change.
func TestRead_GivesWhatTheExportGives(t *testing.T) {
	var export bytes.Buffer
	export.WriteString("\ufeffUsername,Email Address,Family Name,Given Name,Display Name,Status,Last Login,New Password,busho,Microsoft Immutable ID\r\n")
	for i := range 450 { // three pages
		status := [...]string{"enabled", "disabled"}[i%2]
		fmt.Fprintf(&export, "user%03d@x.example,User%03d@midori.example,\"山,田\",太郎,山田　太郎%d,%s,2026-11-25 09:00:00,hunter2,営業%d課,ID%d==\r\n", i, i, i, status, i%7, i)
	}
	export.WriteString("hdeadmin,,,,管理者,enabled,,,,\r\n")
	mappings := []source.Mapping{{From: "busho", To: directory.Department}}

	path := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(path, export.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile, err := haccsv.New(path, haccsv.Options{Count: 451, Mappings: mappings}).Read(context.Background(), directory.Standard(), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}

	hac, err := simulator.New(export.Bytes(), clock.Real())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(hac)
	defer server.Close()
	fromAPI, err := hacapi.New(hacapi.Options{
		Base: server.URL, Client: hac.Client(), Secret: secret.NewText(hac.Secret()), HTTP: server.Client(), Mappings: mappings,
	}).Read(context.Background(), directory.Standard(), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if fromFile.Digest() != fromAPI.Digest() {
		for i := range fromFile.Len() {
			t.Logf("file %+v\n API %+v", fromFile.At(i).Record(), fromAPI.At(i).Record())
			break
		}
		t.Fatalf("%v %d rows, %v %d rows", fromFile.Columns(), fromFile.Len(), fromAPI.Columns(), fromAPI.Len())
	}
	if fromAPI.Proof().Pages != 3 {
		t.Errorf("proof %+v", fromAPI.Proof())
	}
}
