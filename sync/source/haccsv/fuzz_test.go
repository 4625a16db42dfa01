package haccsv

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/source"
)

// FuzzRead feeds any bytes: what comes out is a snapshot or a problem of
// family 2, a look says the same, and nothing taken as whole loses a byte of a
// row when it is cut.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "Email\n", lines(header, taro, jiro, admin), "\ufeff" + lines(header, admin),
		"Email\tbusho\na@x.example\t\"1\"\n", "Email,busho\r\"a\"\"@x.example\",\"\r\n\"\r",
		"Email,busho\na@x.example,\x93\xfa\x96{\n", "\xff\xfeE\x00m\x00a\x00i\x00l\x00\n\x00a\x00\n\x00",
		"Email,Microsoft Immutable ID\na,\"x\"", "Email,Status,Last Login\na,disabled,1795597380\n", "Email\n\"\n",
		"sep=;\n#TYPE x\nUsername;Email;busho\na;a@x.example;=\"1\"\n;;\n", "Username,Email\n\xbf\xb9\xc5\xc4,a@x.example\n",
		"Username,Email\n\xc0\xd4\xc0\xde,a@x.example\n", "Username,Email\n\x1b$B?9ED\x1b(B,a@x.example\n", "Username,Email\n\xc3\xab,a@x.example\n",
		"Username,Email\n\x90X\x93c,a@x.example\n", "U\x00,\x00E\x00m\x00a\x00i\x00l\x00\n\x00", "Username\tEmail\r+aO51MA-\ta\r",
	} {
		f.Add([]byte(seed), 3)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte, cut int) {
		path := filepath.Join(dir, "users.csv")
		put := func(b []byte) *File {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return New(path, Options{Mappings: []source.Mapping{{From: "busho", To: directory.Department}}})
		}
		get := func(b []byte) *directory.Snapshot {
			s, err := put(b).Read(context.Background(), directory.Standard(), progress.Discard)
			if err != nil {
				if p := problem.Of(err); p == nil || !strings.HasPrefix(string(p.Code), "HS-2") || s != nil {
					t.Fatalf("no problem of family 2: %v", err)
				}
				return nil
			}
			return s
		}
		whole := get(content)
		o, err := put(content).Look(context.Background())
		if (err == nil) != (whole != nil) {
			t.Fatalf("a look says %v", err)
		}
		if whole == nil {
			return
		}
		if o.Rows != whole.Len() {
			t.Fatalf("a look counts %d rows, a read %d", o.Rows, whole.Len())
		}
		for u := range whole.All() {
			if strings.Contains(u.ImmutableID(), `"`) {
				return // no immutable ID has one; a closed quotation mark proves its end
			}
		}
		// Of a cut file only whole rows may come out. In another encoding the
		// part may be other text than the whole is.
		if last := content[len(content)-1]; o.Encoding == string(utf8Plain) && (last == '\n' || last == '\r') && cut >= 0 {
			if s := get(content[:cut%len(content)]); s != nil && !wholeRowsOf(whole, s) {
				t.Fatalf("cut at byte %d was taken: %q", cut%len(content), content)
			}
		}
	})
}

// FuzzJudge feeds any bytes as text whose encoding only the characters show: there
// is one answer, whatever pieces the text comes in.
func FuzzJudge(f *testing.F) {
	for _, seed := range []string{"", "\x90X\x93c", "\xbf\xb9\xc5\xc4", "\xd4\xcf\xc0\xde", "M\xfcller", "\x8e\xd4", "\xa4\xa2", "\xfa\xb1", "\x81", "\xe9r\n\xe9"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		found, unsure, err := judge(bytes.NewReader(text), false)
		if err != nil || found != "" && len(unsure) > 0 {
			t.Fatalf("%q, %q, %v", found, unsure, err)
		}
		again, unsureAgain, err := judge(iotest.OneByteReader(bytes.NewReader(text)), false)
		if err != nil || again != found || !slices.Equal(unsure, unsureAgain) {
			t.Fatalf("%q %q, in pieces %q %q", found, unsure, again, unsureAgain)
		}
		if found != "" && !found.read() && found != eucJP {
			t.Fatalf("%q", found)
		}
	})
}
